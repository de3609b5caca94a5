"""Loop nests whose pointers advance by constant strides."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from executor.errors import CompilerError
from executor.wasm.code import Code
from executor.wasm.encoding import I32

LANES = 8
"""Rows of the batch that lie side by side."""
BLOCK = 4 * LANES
"""Bytes of one feature of a block."""


@dataclass(frozen=True)
class Access:
    """How an array is addressed from a loop nest: `base` + Σ index·stride, in bytes. A `splat` access reads
    one float for all lanes, any other one whole vectors."""

    base: int
    strides: tuple[int, ...]
    splat: bool = False

    def shifted(self, shift: Sequence[int]) -> int:
        """Constant part of the address at a fixed distance from the nest's current index."""
        return self.base + sum(a * b for a, b in zip(self.strides, shift, strict=True))


class Nest:
    """Pointers of a loop nest. Accesses with equal strides share a pointer; every pointer is zero when its
    nest starts and, thanks to `rewind`, when it ends."""

    def __init__(self, code: Code, accesses: Sequence[Access]) -> None:
        self.code = code
        self.pointers: dict[tuple[int, ...], int] = {}
        self.summed: dict[tuple[int, ...], tuple[int, int]] = {}
        """By strides: a local that holds a pointer's value as the result of an addition, and the code's
        `joins` at which that was true."""
        for access in accesses:
            if access.strides not in self.pointers:
                self.pointers[access.strides] = code.local(I32)

    def begin(self, axis: int, index: int) -> None:
        """Start at the index of `axis` that a local holds."""
        for strides, pointer in self.pointers.items():
            if strides[axis]:
                self.code.get(index)
                self.code.i32(strides[axis])
                self.code.op("i32.mul")
                self.code.set(pointer)

    def push(self, access: Access) -> None:
        """Push the pointer of an access. Cranelift widens an address to 64 bits before each use, but not
        what an addition left: so behind each join the pointer is first added to zero."""
        strides, code = access.strides, self.code
        try:
            pointer = self.pointers[strides]
        except KeyError:
            raise CompilerError("an access was not declared to its loop nest") from None
        copy, joins = self.summed.get(strides, (-1, -1))
        if joins == code.joins:
            code.get(copy)
            return
        if copy < 0:
            copy = code.local(I32)
        self.summed[strides] = copy, code.joins
        code.get(pointer)
        code.i32(0)
        code.op("i32.add")
        code.tee(copy)

    def address(self, access: Access, offset: int) -> int:
        """Push the address of an access and give the immediate for its load or store at `offset`, a value of
        `Access.shifted`. A pointer that runs backwards wraps below zero, and an immediate cannot be below
        it, so there the sum is taken modulo 2³²."""
        self.push(access)
        if min((offset, *access.strides)) >= 0:
            return offset
        self.code.i32(offset)
        self.code.op("i32.add")
        return 0

    @contextmanager
    def loop(self, axis: int, turns: int, step: int = 1, still: Access | None = None) -> Iterator[None]:
        """Turn `turns` times, advancing the index of `axis` by `step` after each turn."""
        with self.code.loop(turns):
            yield
            self.advance(axis, step, still)

    def advance(self, axis: int, by: int, still: Access | None = None) -> None:
        """Move the index of `axis`, but not for `still`."""
        for strides, pointer in self.pointers.items():
            if strides[axis] and by and not (still and strides == still.strides):
                self.code.get(pointer)
                self.code.i32(strides[axis] * by)
                self.code.op("i32.add")
                self.code.set(pointer)
                self.summed[strides] = self.summed.get(strides, (-1, -1))[0], -1

    def cut(self, axis: int, total: int, most: int, body: Callable[[int], None]) -> None:
        """`body` for `most` of an axis at a time, then for the rest."""
        turns, rest = divmod(total, most)
        if turns:
            with self.loop(axis, turns, most):
                body(most)
        if rest:
            body(rest)
        self.rewind(axis, turns * most)

    def rewind(self, axis: int, by: int, still: Access | None = None) -> None:
        """Take the index of `axis` back."""
        self.advance(axis, -by, still)
