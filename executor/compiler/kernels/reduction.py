"""Sums and maxima: over features within each row, and over the rows of the batch."""

from dataclasses import dataclass
from math import prod

from executor.compiler.ir import Shape
from executor.compiler.kernels.base import Buffer, Lanes, View, c_strides
from executor.compiler.kernels.nest import Access, Nest
from executor.compiler.op import Op
from executor.wasm.code import Code

COMBINE = {Op.SUM: "f32x4.add", Op.MAXIMUM: "f32x4.pmax"}
UNROLL = 8


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
    """SUM or MAXIMUM of a view over `axes`, element by element in C order. Unbatched arrays go one float at a
    time."""

    name: str
    op: Op
    source: View
    axes: tuple[int, ...]
    target: Buffer
    batched: bool

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The source."""
        return (self.source.buffer,)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The result."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """One for each element of the source."""
        return prod(self.source.shape) * (8 * blocks if self.batched else 1)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Loops over the kept axes around loops over the reduced ones."""
        shape = self.source.shape
        kept: Shape = tuple(1 if axis in self.axes else size for axis, size in enumerate(shape))
        source = lanes.access(self.source, self.batched)
        target = lanes.access(View(self.target, kept, c_strides(kept)), self.batched)
        nest = Nest(code, [source, target])
        counts = (lanes.blocks if self.batched else 1, *kept)
        self._kept(nest, source, target, counts, 0)

    def _kept(self, nest: Nest, source: Access, target: Access, counts: Shape, axis: int) -> None:
        if axis < len(counts):
            with nest.loop(axis, counts[axis]):
                self._kept(nest, source, target, counts, axis + 1)
            nest.rewind(axis, counts[axis])
            return
        code = nest.code
        sums = [code.local() for _ in range(2 if self.batched else 1)]
        self._load(nest, source, sums, 0)
        # The first element starts the sum, so that a maximum needs no neutral element.
        self._reduce(nest, source, sums, list(self.axes))
        for half, total in enumerate(sums):
            nest.push(target)
            code.get(total)
            if self.batched:
                code.memory("v128.store", target.base + 16 * half)
            else:
                code.lane_memory("v128.store32_lane", target.base, 0)
        code.release(*sums)

    def _load(self, nest: Nest, source: Access, into: list[int], offset: int) -> None:
        for half, local in enumerate(into):
            kind = "v128.load" if self.batched else "v128.load32_splat"
            nest.code.memory(kind, nest.address(source, source.base + offset + 16 * half))
            nest.code.set(local)

    def _reduce(self, nest: Nest, source: Access, sums: list[int], axes: list[int]) -> None:
        """Fold everything but the very first element into `sums`: along the last axis, then line by line."""
        *outer, last = axes
        size = self.source.shape[last]
        self._line(nest, source, sums, last, 1, size - 1)
        for position, axis in enumerate(reversed(outer)):
            inner = axes[len(outer) - position :]
            nest.advance(axis + 1, 1)
            with nest.loop(axis + 1, self.source.shape[axis] - 1):
                self._block(nest, source, sums, inner)
            nest.rewind(axis + 1, self.source.shape[axis])

    def _block(self, nest: Nest, source: Access, sums: list[int], axes: list[int]) -> None:
        """Fold a whole block over `axes`."""
        axis, *rest = axes
        if not rest:
            self._line(nest, source, sums, axis, 0, self.source.shape[axis])
            return
        with nest.loop(axis + 1, self.source.shape[axis]):
            self._block(nest, source, sums, rest)
        nest.rewind(axis + 1, self.source.shape[axis])

    def _line(self, nest: Nest, source: Access, sums: list[int], axis: int, first: int, count: int) -> None:
        """Fold `count` elements from `first` on along one axis."""
        turns, rest = divmod(count, UNROLL)
        nest.advance(axis + 1, first)
        if turns:
            with nest.loop(axis + 1, turns, UNROLL):
                self._fold(nest, source, sums, axis, UNROLL)
        self._fold(nest, source, sums, axis, rest)
        nest.rewind(axis + 1, first + turns * UNROLL)

    def _fold(self, nest: Nest, source: Access, sums: list[int], axis: int, count: int) -> None:
        code = nest.code
        for index in range(count):
            for half, total in enumerate(sums):
                code.get(total)
                offset = source.base + index * source.strides[axis + 1] + 16 * half
                kind = "v128.load" if self.batched else "v128.load32_splat"
                code.memory(kind, nest.address(source, offset))
                code.op(COMBINE[self.op])
                code.set(total)


@dataclass(frozen=True)
class BatchSum:
    """target[i…] = Σ over rows of source[i…]: vectors first, then across lanes."""

    name: str
    source: View
    target: Buffer

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The source."""
        return (self.source.buffer,)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The result."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """One for each element of the source."""
        return 8 * blocks * prod(self.source.shape)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """One accumulator a feature; blocks in the inner loop."""
        shape = self.source.shape
        source = lanes.access(self.source, True)
        flat = lanes.access(View(self.target, shape, c_strides(shape)), False)
        nest = Nest(code, [source, flat])
        self._features(nest, source, flat, 1, lanes.blocks)

    def _features(self, nest: Nest, source: Access, target: Access, axis: int, blocks: int) -> None:
        if axis <= len(self.source.shape):
            count = self.source.shape[axis - 1]
            with nest.loop(axis, count):
                self._features(nest, source, target, axis + 1, blocks)
            nest.rewind(axis, count)
            return
        code = nest.code
        total = code.local()
        code.splat(0.0)
        code.set(total)
        turns, rest = divmod(blocks, UNROLL // 2)
        if turns:
            with nest.loop(0, turns, UNROLL // 2):
                self._fold(nest, source, total, UNROLL // 2)
        self._fold(nest, source, total, rest)
        nest.rewind(0, turns * (UNROLL // 2))
        nest.push(target)
        horizontal_sum(code, total)
        code.lane_memory("v128.store32_lane", target.base, 0)
        code.release(total)

    def _fold(self, nest: Nest, source: Access, total: int, blocks: int) -> None:
        code = nest.code
        for block in range(blocks):
            for half in range(2):
                code.get(total)
                offset = source.base + block * source.strides[0] + 16 * half
                code.memory("v128.load", nest.address(source, offset))
                code.op("f32x4.add")
                code.set(total)
