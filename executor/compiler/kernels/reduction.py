"""Sums and maxima: over features within each row, and over the rows of the batch."""

from collections.abc import Sequence
from dataclasses import dataclass

from executor.compiler.ir import Node, Shape
from executor.compiler.kernels.base import Buffer, Lanes, View, c_strides
from executor.compiler.kernels.elementwise import bind, one_by_one
from executor.compiler.kernels.expression import Evaluator, Expression, Unit
from executor.compiler.kernels.nest import Nest
from executor.compiler.op import Op
from executor.wasm.code import Code

COMBINE = {Op.SUM: "f32x4.add", Op.MAXIMUM: "f32x4.pmax"}
TOGETHER = 4
"""Results that are summed at the same time: each addition waits for the one before, so one sum alone would
leave the processor idle."""
BODY = 32
"""Additions of straight-line code."""
BLOCKS = 4
"""Blocks of straight-line code."""
HALVES = (0, 16)


def horizontal_sum(code: Code, vector: int) -> None:
    """Push (l0 + l1) + (l2 + l3) in every lane; the order is part of NUMERICS."""
    for words in ((1, 0, 3, 2), (2, 3, 0, 1)):
        code.get(vector)
        code.get(vector)
        code.get(vector)
        code.shuffle(words)
        code.op("f32x4.add")
        code.set(vector)
    code.get(vector)


@dataclass(frozen=True)
class Reduce:
    """SUM or MAXIMUM of a value over `axes`, element by element in C order. The value lies in memory, or is
    computed elementwise from `leaves` that do. Unbatched arrays go one float at a time."""

    name: str
    op: Op
    value: Node
    leaves: dict[Node, View | float]
    axes: tuple[int, ...]
    target: Buffer

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """Buffers of the leaves."""
        return tuple(leaf.buffer for leaf in self.leaves.values() if isinstance(leaf, View))

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The result."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """One for each element of the value, and those that compute it."""
        steps = 1 + len(self.expression(Lanes(blocks)).inner())
        return steps * self.value.size * (8 * blocks if self.value.batched else 1)

    @property
    def kept(self) -> Shape:
        """The result's shape, reduced axes as 1."""
        return tuple(1 if axis in self.axes else size for axis, size in enumerate(self.value.shape))

    def expression(self, lanes: Lanes) -> Expression:
        """The value, and the result as its store."""
        target = View(self.target, self.kept, c_strides(self.kept))
        bound = bind(((self.value, target),), self.leaves, lanes, self.value.batched)
        return bound if self.value.batched else one_by_one(bound)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Loops over the kept axes around loops over the reduced ones."""
        expression = self.expression(lanes)
        nest = Nest(code, expression.accesses)
        lanes.begin(nest)
        counts = (lanes.blocks if self.value.batched else 1, *self.kept)
        Sums(self, nest, Evaluator(code, nest, expression)).over(counts, 1 if lanes.single else 0)


class Sums:
    """Writes the loops of one reduction."""

    def __init__(self, kernel: Reduce, nest: Nest, evaluator: Evaluator) -> None:
        self.kernel, self.nest, self.evaluator = kernel, nest, evaluator
        self.shape = kernel.value.shape
        kept = [axis for axis, size in enumerate(kernel.kept) if size > 1]
        self.side = 1 + kept[-1] if kept else 0
        """The axis of results that are summed together."""

    def over(self, counts: Shape, axis: int) -> None:
        """Loops over the kept axes from `axis` on."""
        if axis == len(counts):
            self._results(1)
            return
        step = TOGETHER if axis == self.side and axis else 1
        turns, rest = divmod(counts[axis], step)
        if turns:
            with self.nest.loop(axis, turns, step):
                self._inside(counts, axis, step)
        if rest:
            self._inside(counts, axis, rest)
        self.nest.rewind(axis, turns * step)

    def _inside(self, counts: Shape, axis: int, count: int) -> None:
        """Behind the axis of the results that are summed together, all kept axes have one index."""
        if axis and axis == self.side:
            self._results(count)
        else:
            self.over(counts, axis + 1)

    def _results(self, count: int) -> None:
        """Sum up `count` neighbouring results."""
        code, kernel, nest = self.nest.code, self.kernel, self.nest
        halves = HALVES if kernel.value.batched else HALVES[:1]
        places = [(item, byte) for item in range(count) for byte in halves]
        sums = [code.local() for _ in places]
        # The first element starts the sum, so that a maximum needs no neutral element.
        self.evaluator.fold(
            [(self._unit(place, 0, 0), total) for place, total in zip(places, sums, strict=True)]
        )
        self._reduce(places, sums, list(kernel.axes))
        (store,) = self.evaluator.expression.stores
        for place, total in zip(places, sums, strict=True):
            unit = self._unit(place, 0, 0)
            offset = store.access.shifted(unit.shift) + unit.byte
            nest.push(store.access)
            code.get(total)
            if kernel.value.batched:
                code.memory("v128.store", offset)
            else:
                code.lane_memory("v128.store32_lane", offset, 0)
        code.release(*sums)

    def _unit(self, place: tuple[int, int], axis: int, index: int) -> Unit:
        """The element at `index` along a reduced axis, for one of the results."""
        shift = [0] * (1 + len(self.shape))
        shift[axis] += index
        shift[self.side] += place[0]
        return Unit(tuple(shift), place[1])

    def _reduce(self, places: Sequence[tuple[int, int]], sums: Sequence[int], axes: list[int]) -> None:
        """Fold everything but the very first element into `sums`: along the last axis, then line by line."""
        *outer, last = axes
        nest, shape = self.nest, self.shape
        self._line(places, sums, last, 1, shape[last] - 1)
        for position, axis in enumerate(reversed(outer)):
            inner = axes[len(outer) - position :]
            nest.advance(axis + 1, 1)
            with nest.loop(axis + 1, shape[axis] - 1):
                self._block(places, sums, inner)
            nest.rewind(axis + 1, shape[axis])

    def _block(self, places: Sequence[tuple[int, int]], sums: Sequence[int], axes: list[int]) -> None:
        """Fold a whole block over `axes`."""
        axis, *rest = axes
        if not rest:
            self._line(places, sums, axis, 0, self.shape[axis])
            return
        with self.nest.loop(axis + 1, self.shape[axis]):
            self._block(places, sums, rest)
        self.nest.rewind(axis + 1, self.shape[axis])

    def _line(
        self, places: Sequence[tuple[int, int]], sums: Sequence[int], axis: int, first: int, count: int
    ) -> None:
        """Fold `count` elements from `first` on along one axis."""
        nest, body = self.nest, max(1, BODY // len(places))
        turns, rest = divmod(count, body)
        nest.advance(axis + 1, first)
        if turns:
            with nest.loop(axis + 1, turns, body):
                self._fold(places, sums, axis, body)
        self._fold(places, sums, axis, rest)
        nest.rewind(axis + 1, first + turns * body)

    def _fold(self, places: Sequence[tuple[int, int]], sums: Sequence[int], axis: int, count: int) -> None:
        cells = [
            (self._unit(place, axis + 1, index), total)
            for index in range(count)
            for place, total in zip(places, sums, strict=True)
        ]
        self.evaluator.fold(cells, COMBINE[self.kernel.op])


@dataclass(frozen=True)
class BatchSum:
    """target[i…] = Σ over rows of the value at i…: vectors first, then across lanes. The value lies in
    memory, or is computed elementwise from `leaves` that do."""

    name: str
    value: Node
    leaves: dict[Node, View | float]
    target: Buffer

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """Buffers of the leaves."""
        return tuple(leaf.buffer for leaf in self.leaves.values() if isinstance(leaf, View))

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The result."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """One for each element of the value, and those that compute it."""
        return 8 * blocks * self.value.size * (1 + len(self.expression(Lanes(blocks)).inner()))

    def expression(self, lanes: Lanes) -> Expression:
        """The value, and the result as its store."""
        shape = self.value.shape
        flat = View(self.target, shape, c_strides(shape))
        return bind(((self.value, flat),), self.leaves, lanes, True)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """One accumulator a feature; blocks in the inner loop."""
        expression = self.expression(lanes)
        nest = Nest(code, expression.accesses)
        self._features(nest, Evaluator(code, nest, expression), 1, lanes.blocks)

    def _features(self, nest: Nest, evaluator: Evaluator, axis: int, blocks: int) -> None:
        shape, code = self.value.shape, nest.code
        if axis <= len(shape):
            with nest.loop(axis, shape[axis - 1]):
                self._features(nest, evaluator, axis + 1, blocks)
            nest.rewind(axis, shape[axis - 1])
            return
        total = code.local()
        code.splat(0.0)
        code.set(total)

        def fold(count: int) -> None:
            shifts = [(block, *(0,) * len(shape)) for block in range(count)]
            cells = [(Unit(shift, byte), total) for shift in shifts for byte in HALVES]
            evaluator.fold(cells, COMBINE[Op.SUM])

        turns, rest = divmod(blocks, BLOCKS)
        if turns:
            with nest.loop(0, turns, BLOCKS):
                fold(BLOCKS)
        fold(rest)
        nest.rewind(0, turns * BLOCKS)
        (store,) = evaluator.expression.stores
        nest.push(store.access)
        horizontal_sum(code, total)
        code.lane_memory("v128.store32_lane", store.access.base, 0)
        code.release(total)
