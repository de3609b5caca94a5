"""Kernels for every element type, one element at a time: correct first. They read and write strided views,
of a batch in lanes or of a whole tensor, empty ones included.

Floats are added in the order of the loops, halves in f32; float32 sums of the fast kernels are ordered
differently (executor/compiler/kernels/reduction.py). All order is part of NUMERICS.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from executor.compiler.kernels.base import Buffer, Folding, Lanes, View, Viewing, c_strides
from executor.compiler.kernels.nest import LANES, Access, Nest
from executor.compiler.kernels.pointwise import compute
from executor.compiler.kernels.scalar import Scalar, static
from executor.compiler.op import Op
from executor.compiler.types import DType
from executor.wasm.code import Code

Axes = tuple[int, ...]


def laned(view: View, steps: Sequence[int] | None = None) -> Access:
    """An access over (block, lane, axes…); `steps` are the axes' strides in elements if not the view's."""
    unit, dtype = view.buffer.unit(), view.buffer.dtype
    lane = dtype.width if view.buffer.batched else 0
    strides = view.strides if steps is None else steps
    start = view.buffer.offset + unit * view.start
    return Access(start, (view.buffer.block_stride(), lane, *(unit * step for step in strides)))


def over(batched: bool, lanes: Lanes, shape: Sequence[int]) -> tuple[int, ...]:
    """Counts of (block, lane, axes…)."""
    return (lanes.blocks, LANES, *shape) if batched else (1, 1, *shape)


def joined(counts: tuple[int, ...], accesses: Sequence[Access]) -> tuple[tuple[int, ...], list[Access]]:
    """Without axes of size 1, and with neighbours joined over which every access is contiguous."""
    groups: list[list[int]] = []
    for axis in [axis for axis, count in enumerate(counts) if count != 1]:
        last = groups[-1][-1] if groups else -1
        if groups and all(a.strides[last] == a.strides[axis] * counts[axis] for a in accesses):
            groups[-1].append(axis)
        else:
            groups.append([axis])
    changed = [Access(a.base, tuple(a.strides[group[-1]] for group in groups)) for a in accesses]
    return tuple(prod(counts[axis] for axis in group) for group in groups), changed


def walk(nest: Nest, counts: tuple[int, ...], body: Callable[[], None], first: int = 0) -> None:
    """`body` at every index of the axes from `first` on; the pointers are back at their start afterwards."""
    if not counts:
        body()
        return
    if not prod(counts):
        return
    with nest.loop(first, counts[0]):
        walk(nest, counts[1:], body, first + 1)
    nest.rewind(first, counts[0])


@dataclass(frozen=True)
class Pointwise:
    """target[i…] = op(sources[i…]); views of one shape."""

    name: str
    op: Op
    sources: tuple[View, ...]
    target: View

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The sources."""
        return tuple(view.buffer for view in self.sources)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The target."""
        return (self.target.buffer,)

    def flops(self, blocks: int) -> int:
        """One for each element."""
        return prod(self.target.shape) * (LANES * blocks if self.target.buffer.batched else 1)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """One loop an axis."""
        counts = over(self.target.buffer.batched, lanes, self.target.shape)
        if not prod(counts):
            return
        counts, accesses = joined(counts, [laned(view) for view in (*self.sources, self.target)])
        nest, s = Nest(code, accesses), Scalar(code)
        kinds = [view.buffer.dtype for view in self.sources]
        target = self.target.buffer.dtype

        def body() -> None:
            values = [
                s.load(kind, static(nest, access)) for kind, access in zip(kinds, accesses, strict=False)
            ]
            found = compute(s, lanes, self.op, values, kinds, target)
            s.store(target, static(nest, accesses[-1]), found)

        walk(nest, counts, body)


@dataclass(frozen=True)
class Filled:
    """Every element of a buffer is one number."""

    name: str
    target: Buffer
    value: float | int

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """Nothing."""
        return ()

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The buffer."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """None."""
        return 0

    def emit(self, code: Code, lanes: Lanes) -> None:
        """One loop."""
        count = self.target.bytes(lanes.blocks) // self.target.dtype.width
        access = Access(self.target.offset, (self.target.dtype.width,))
        nest, s = Nest(code, [access]), Scalar(code)
        value = s.bound(self.target.dtype, self.value)
        walk(nest, (count,), lambda: s.store(self.target.dtype, static(nest, access), value))


STARTS: dict[Op, Callable[[DType], float | int]] = {
    Op.SUM: lambda dtype: 0,
    Op.PRODUCT: lambda dtype: 1,
    Op.MAXIMUM: lambda dtype: dtype.lowest,
    Op.MINIMUM: lambda dtype: dtype.highest,
}
FOLDS = {Op.SUM: Op.ADD, Op.PRODUCT: Op.MUL, Op.MAXIMUM: Op.MAX, Op.MINIMUM: Op.MIN}


@dataclass(frozen=True)
class Fold(Folding):
    """A reduction over `axes`, kept as size 1 in the target; of an empty set the operation's neutral
    number."""

    name: str
    op: Op
    source: View
    axes: Axes
    target: Buffer

    def emit(self, code: Code, lanes: Lanes) -> None:
        """The reduced axes are the inner loops; the total is kept in a local."""
        shape = self.source.shape
        inner = sorted(self.axes)
        outer = [axis for axis in range(len(shape)) if axis not in inner]
        kept = tuple(1 if axis in inner else size for axis, size in enumerate(shape))
        steps = c_strides(kept)
        order = [*outer, *inner]
        view = View(self.target, kept, steps)
        source = laned(self.source, [self.source.strides[axis] for axis in order])
        target = laned(view, [steps[axis] for axis in order])
        nest, s = Nest(code, [source, target]), Scalar(code)
        dtype = self.source.buffer.dtype
        counts = over(self.target.batched, lanes, [shape[axis] for axis in outer])
        reduced = tuple(shape[axis] for axis in inner)

        def body() -> None:
            total = s.variable(s.bound(dtype, STARTS[self.op](dtype)))

            def step() -> None:
                value = s.load(dtype, static(nest, source))
                total.set(compute(s, lanes, FOLDS[self.op], [total.value, value], [dtype, dtype], dtype))

            walk(nest, reduced, step, len(counts))
            s.store(dtype, static(nest, target), total.value)

        walk(nest, counts, body)


@dataclass(frozen=True)
class RowSum(Viewing):
    """target[i…] = Σ over the rows of the batch of source[i…]."""

    name: str
    source: View
    target: Buffer

    def flops(self, blocks: int) -> int:
        """One for each element."""
        return prod(self.source.shape) * LANES * blocks

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Rows in order."""
        shape = self.source.shape
        source, dtype = laned(self.source), self.source.buffer.dtype
        target = laned(View(self.target, shape, c_strides(shape)))
        nest, s = Nest(code, [source, target]), Scalar(code)

        def body() -> None:
            total = s.variable(s.bound(dtype, 0))
            walk(
                nest,
                (lanes.blocks, LANES),
                lambda: total.set(total.value + s.load(dtype, static(nest, source))),
            )
            s.store(dtype, static(nest, target), total.value)

        walk(nest, shape, body, 2)


@dataclass(frozen=True)
class Product:
    """target [*g, m, n] = a [*g, m, k] · b [*g, k, n], in C order; any of them of a batch."""

    name: str
    a: View
    b: View
    target: Buffer

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The factors."""
        return (self.a.buffer, self.b.buffer)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The product."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """Two for each product."""
        return 2 * prod(self.a.shape) * self.b.shape[-1] * (LANES * blocks if self.target.batched else 1)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """One sum an element of the result."""
        *groups, rows, inner = self.a.shape
        columns = self.b.shape[-1]
        shape = (*groups, rows, columns)
        sa, sb, st = self.a.strides, self.b.strides, c_strides(shape)
        a = laned(self.a, [*sa[:-2], sa[-2], 0, sa[-1]])
        b = laned(self.b, [*sb[:-2], 0, sb[-1], sb[-2]])
        target = laned(View(self.target, shape, st), [*st, 0])
        nest, s = Nest(code, [a, b, target]), Scalar(code)
        dtype = self.target.dtype
        counts = over(self.target.batched, lanes, shape)

        def body() -> None:
            total = s.variable(s.bound(dtype, 0))

            def step() -> None:
                left = s.load(self.a.buffer.dtype, static(nest, a))
                total.set(total.value + left * s.load(self.b.buffer.dtype, static(nest, b)))

            walk(nest, (inner,), step, len(counts))
            s.store(dtype, static(nest, target), total.value)

        walk(nest, counts, body)
