"""Where weights lie, and how they are packed: four rows after the other, each as one vector a step of the
reduction.

A product packs weights that change for itself, before it uses them again and again; those that it would
pack anew for each block, or a loop in each turn, are packed before it, constants when the plan is made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from executor.compiler.kernels.base import Buffer, Lanes
from executor.compiler.kernels.expression import VECTOR
from executor.compiler.kernels.nest import Access, Nest
from executor.compiler.kernels.rows import transpose4
from executor.wasm.code import Code
from executor.wasm.encoding import I32

ROWS = 4
HALF_TURN = 2
"""Behind four packed weights lie the first two again: two floats further begins the vector that is turned."""
TURNED_STEPS = 512
"""For at most so many reduction steps: they then take less than half of the first cache."""
GAP = 64
"""Bytes between the packed weights of four rows and those of the next: else those of a power of two of steps
fall into few sets of a cache."""
PACK_UNROLL, BLOCK_UNROLL = 8, 16
"""Reduction steps that are packed together: of four rows, of a block of rows."""
LINE = 64
"""Bytes of a line of a cache, at least."""


class Weights(Enum):
    """How the floats of `w` lie."""

    ALONG_REDUCTION = auto()
    """Four reduction steps of one row are one vector."""
    ALONG_ROWS = auto()
    """Four rows of one reduction step are one vector."""
    PACKED = auto()
    """The same in the order in which they are used: step by step, then the next four rows."""
    LANES = auto()
    """One value for each lane: no spreading."""
    SINGLE = auto()
    """Anything else: each float is loaded into all lanes."""


@dataclass(frozen=True)
class Operand:
    """A buffer and its strides in bytes over the output axes (block first), then the reduction axes. `start`:
    bytes before its first element."""

    buffer: Buffer
    strides: tuple[int, ...]
    start: int = 0

    def access(self) -> Access:
        """With the buffer's address."""
        strides = (0, *self.strides[1:]) if self.buffer.brief else self.strides
        return Access(self.buffer.offset + self.start, strides)


def step_floats(steps: int, often: bool = True) -> int:
    """Floats that the weights of four rows take for each of `steps` steps. Where they are not used `often`,
    they come from memory each time, and a longer vector costs more than a shuffle."""
    return VECTOR + HALF_TURN if often and steps <= TURNED_STEPS else VECTOR


def packed_floats(steps: int, often: bool = True) -> int:
    """Floats that they take for all steps, and the gap behind them."""
    return step_floats(steps, often) * steps + GAP // 4


def packed(weights: NDArray[np.float32], often: bool) -> NDArray[np.float32]:
    """Weights [rows, steps] → [fours of rows, `packed_floats`]; zeros stand in for rows that a last four
    lacks."""
    rows, steps = weights.shape
    fours, width = -(-rows // ROWS), step_floats(steps, often)
    filled = np.zeros((fours * ROWS, steps), np.float32)
    filled[:rows] = weights
    vectors = filled.reshape(fours, ROWS, steps).transpose(0, 2, 1)
    found = np.zeros((fours, packed_floats(steps, often)), np.float32)
    places = found[:, : width * steps].reshape(fours, steps, width)
    places[..., :VECTOR], places[..., VECTOR:] = vectors, vectors[..., : width - VECTOR]
    return found


def packed_strides(steps: int, often: bool = True) -> tuple[int, int]:
    """Bytes from one row to the next, on the average of four, and from one step to the next."""
    return 4 * packed_floats(steps, often) // ROWS, 4 * step_floats(steps, often)


@dataclass(frozen=True)
class Packing:
    """Weights over `axes` output axes and the reduction, on their way into `target`: the rows along
    `row_axis`, `many` of them or four. `often` as of `step_floats`."""

    w: Operand
    weights: Weights
    target: Buffer
    axes: int
    row_axis: int
    reduction: tuple[int, ...]
    many: bool
    often: bool = True

    @property
    def _width(self) -> int:
        return step_floats(prod(self.reduction), self.often)

    def packed(self) -> Access:
        """The weights of four rows for each step of the reduction, in order."""
        steps = prod(self.reduction)
        inner = [4 * self._width * prod(self.reduction[axis + 1 :]) for axis in range(len(self.reduction))]
        outer = [0] * self.axes
        outer[self.row_axis] = packed_strides(steps, self.often)[0] if self.many else 0
        return Access(self.target.offset, (*outer, *inner))

    def four(self, nest: Nest, count: int) -> None:
        """Pack the next `count` rows, at most four."""
        self._runwise(nest, lambda steps: self._copy(nest, count, steps))

    def all(self, nest: Nest, total: int) -> None:
        """Pack so many rows. Unless each is one run, all are packed together, some steps at a time: what lies
        side by side is read while it is in the first cache."""

        def some(steps: int) -> None:
            self._touch(nest, total, steps)
            nest.cut(self.row_axis, total, ROWS, lambda count: self._copy(nest, count, steps))

        if self.weights is Weights.ALONG_REDUCTION and self._runs[1] == 0:
            nest.cut(self.row_axis, total, ROWS, lambda count: self.four(nest, count))
        else:
            self._runwise(nest, some, BLOCK_UNROLL)

    @property
    def _runs(self) -> tuple[int, int]:
        """Neighbouring reduction steps of one row of `w`, and how many axes lie outside of them."""
        steps = self.w.strides[self.axes :]
        run, inner = self.reduction[-1], len(self.reduction) - 1
        while inner and steps[inner - 1] == steps[inner] * self.reduction[inner]:
            inner -= 1
            run *= self.reduction[inner]
        return run, inner

    def _runwise(self, nest: Nest, copy: Callable[[int], None], most: int = PACK_UNROLL) -> None:
        """Copy weights, run by run of neighbouring reduction steps, at most so many steps at a time."""
        (run, inner), first = self._runs, self.axes

        def outer(axis: int) -> None:
            if axis < inner:
                with nest.loop(first + axis, self.reduction[axis]):
                    outer(axis + 1)
                nest.rewind(first + axis, self.reduction[axis])
                return
            turns, rest = divmod(run, most)
            if turns:
                with nest.loop(first + len(self.reduction) - 1, turns, most):
                    copy(most)
            if rest:
                copy(rest)
            nest.rewind(first + len(self.reduction) - 1, turns * most)

        outer(0)

    def _copy(self, nest: Nest, rows: int, count: int) -> None:
        """Copy `count` reduction steps of `rows` rows; a last row stands in for those that the tile lacks."""
        code, source, target = nest.code, self.w.access(), self.packed()
        step, width = source.strides[-1], self._width
        for start in range(0, count, VECTOR):
            vectors = []
            for index in range(VECTOR):
                if self.weights is Weights.ALONG_ROWS:
                    offset = min(start + index, count - 1) * step
                else:
                    offset = min(index, rows - 1) * source.strides[self.row_axis] + start * step
                nest.push(source)
                code.memory("v128.load", source.base + offset)
                vectors.append(code.local())
                code.set(vectors[-1])
            columns = vectors if self.weights is Weights.ALONG_ROWS else transpose4(code, vectors)
            for index in range(min(VECTOR, count - start)):
                place = target.base + (start + index) * 4 * width
                nest.push(target)
                code.get(columns[index])
                code.memory("v128.store", place)
                if width > VECTOR and rows == ROWS:
                    nest.push(target)
                    code.get(columns[index])
                    code.lane_memory("v128.store64_lane", place + 4 * VECTOR, 0)
            code.release(*dict.fromkeys((*vectors, *columns)))

    def _touch(self, nest: Nest, rows: int, steps: int) -> None:
        """Load something of each line that `_copy` will take, all at once, so that it waits for memory once.
        Nobody uses it."""
        if self.weights is not Weights.ALONG_ROWS:
            return
        code, source = nest.code, self.w.access()
        unused = code.local(I32)
        for step, byte in product(range(steps), range(0, 4 * rows, LINE)):
            nest.push(source)
            code.memory("i32.load", source.base + step * source.strides[-1] + byte)
            code.set(unused)


@dataclass(frozen=True)
class Pack:
    """Packs a whole matrix [rows, steps], whose strides stand behind that of the block."""

    name: str
    rows: int
    steps: int
    w: Operand
    weights: Weights
    target: Buffer
    often: bool = True

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The matrix."""
        return (self.w.buffer,)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The packed one."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """None: moves only."""
        return 0

    def emit(self, code: Code, lanes: Lanes) -> None:
        """All rows."""
        packing = Packing(self.w, self.weights, self.target, 2, 1, (self.steps,), True, self.often)
        packing.all(Nest(code, [self.w.access(), packing.packed()]), self.rows)
