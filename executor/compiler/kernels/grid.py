"""Sums of whole numbers for differential privacy: round what each row adds to the grid, add up as integers.

Rounding and adding cost two instructions: a fused multiply-add onto 1.5·2²³ leaves round-to-nearest of the
exact product in the low bits of the float, and those bits are added as integers. Sums of n terms then hold n
times the pattern of 1.5·2²³ too much, modulo 2³², which is taken away at the end. Right while every term
stays below 2²² and the sum below 2³¹: `executor.privacy.grid` sees to both.
"""

from dataclasses import dataclass
from math import prod

from executor.compiler.kernels.base import Buffer, Lanes
from executor.compiler.kernels.nest import BLOCK, LANES, Access, Nest
from executor.compiler.kernels.rows import STEP, transpose4
from executor.wasm.code import Code

MAGIC = 12582912.0
"""1.5·2²³: one unit in the last place is 1."""
MAGIC_BITS = 0x4B40_0000
WIDTH = 4
ROWS = 2
UNROLL = 8
"""Blocks of straight-line code."""
BLOCKS, HALF, ROW, COLUMN = range(4)


def store_four(code: Code, nest: Nest, target: Access, sums: list[int], blocks: int, count: int) -> None:
    """Add the lanes of each of up to four accumulators, take the magic numbers away, store neighbours."""
    columns = transpose4(code, (sums * WIDTH)[:WIDTH])
    total = code.local()
    code.get(columns[0])
    for column in columns[1:]:
        code.get(column)
        code.op("i32x4.add")
    code.splat_bits(-LANES * blocks * MAGIC_BITS & 0xFFFF_FFFF)
    code.op("i32x4.add")
    code.set(total)
    if count == WIDTH:
        nest.push(target)
        code.get(total)
        code.memory("v128.store", target.base)
    else:
        for lane in range(count):
            nest.push(target)
            code.get(total)
            code.lane_memory("v128.store32_lane", target.base + 4 * lane, lane)
    code.release(total, *columns)


def clear(code: Code, sums: list[int]) -> None:
    """Zero accumulators."""
    for total in sums:
        code.splat(0.0)
        code.set(total)


@dataclass(frozen=True)
class GridSum:
    """source [elements] batched, scale [] batched → target [elements] int32: Σ over rows of round(scale·x).
    A row whose scale is not above zero adds nothing, not even its infinities and NaNs.
    """

    name: str
    source: Buffer
    scale: Buffer
    target: Buffer

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """Gradients of single rows, and their scales."""
        return (self.source, self.scale)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The sums."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """Three for each element of each row: multiply, round, add."""
        return 3 * LANES * blocks * self.source.elements

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Four elements at a time, all rows in the inner loops."""
        source = Access(self.source.offset, (self.source.block_stride(), 16, 0, BLOCK))
        scale = Access(self.scale.offset, (self.scale.block_stride(), 16, 0, 0))
        target = Access(self.target.offset, (0, 0, 0, 4))
        nest = Nest(code, [source, scale, target])
        turns, rest = divmod(self.source.elements, WIDTH)
        if turns:
            with nest.loop(COLUMN, turns, WIDTH):
                self._tile(nest, source, scale, target, lanes, WIDTH)
        if rest:
            self._tile(nest, source, scale, target, lanes, rest)

    @staticmethod
    def _tile(nest: Nest, source: Access, scale: Access, target: Access, lanes: Lanes, count: int) -> None:
        code = nest.code
        sums = [code.local() for _ in range(count)]
        clear(code, sums)
        factor, mask = code.local(), code.local()
        with nest.loop(BLOCKS, lanes.blocks):
            for half in range(2):
                nest.push(scale)
                code.memory("v128.load", scale.base + 16 * half)
                code.tee(factor)
                code.splat(0.0)
                code.op("f32x4.gt")
                code.set(mask)
                for element, total in enumerate(sums):
                    nest.push(source)
                    code.memory("v128.load", source.base + element * BLOCK + 16 * half)
                    code.get(mask)
                    code.op("v128.and")
                    code.get(factor)
                    code.get(mask)
                    code.op("v128.and")
                    code.splat(MAGIC)
                    code.op("f32x4.relaxed_madd")
                    code.get(total)
                    code.op("i32x4.add")
                    code.set(total)
        nest.rewind(BLOCKS, lanes.blocks)
        store_four(code, nest, target, sums, lanes.blocks, count)
        code.release(factor, mask, *sums)


@dataclass(frozen=True)
class GridOuter:
    """a [rows] and b [columns] batched → target [rows, columns] int32: Σ over the batch of round(a·b)."""

    name: str
    a: Buffer
    b: Buffer
    target: Buffer

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """Both factors."""
        return (self.a, self.b)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The sums."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """Three for each product: multiply, round, add."""
        return 3 * LANES * blocks * prod((self.a.elements, self.b.elements))

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Tiles of two rows and four columns, the batch in the inner loop."""
        rows, columns = self.a.elements, self.b.elements
        a = Access(self.a.offset, (self.a.block_stride(), 16, BLOCK, 0))
        b = Access(self.b.offset, (self.b.block_stride(), 16, 0, BLOCK))
        target = Access(self.target.offset, (0, 0, 4 * columns, 4))
        nest = Nest(code, [a, b, target])

        def across(count: int) -> None:
            turns, rest = divmod(columns, WIDTH)
            if turns:
                with nest.loop(COLUMN, turns, WIDTH):
                    self._tile(nest, (a, b, target), lanes, count, WIDTH)
            if rest:
                self._tile(nest, (a, b, target), lanes, count, rest)
            nest.rewind(COLUMN, turns * WIDTH)

        turns, rest = divmod(rows, ROWS)
        if turns:
            with nest.loop(ROW, turns, ROWS):
                across(ROWS)
        if rest:
            across(rest)

    @staticmethod
    def _tile(
        nest: Nest, accesses: tuple[Access, Access, Access], lanes: Lanes, rows: int, count: int
    ) -> None:
        code = nest.code
        a, b, target = accesses
        sums = [[code.local() for _ in range(count)] for _ in range(rows)]
        for row in sums:
            clear(code, row)
        left = [code.local() for _ in range(rows)]
        right, magic = code.local(), code.local()
        code.splat(MAGIC)
        code.set(magic)

        def some(blocks: int) -> None:
            for half in range(2 * blocks):
                shift_a, shift_b = (half // 2 * access.strides[BLOCKS] + half % 2 * 16 for access in (a, b))
                for number, local in enumerate(left):
                    nest.push(a)
                    code.memory("v128.load", a.base + shift_a + number * BLOCK)
                    code.set(local)
                for column in range(count):
                    nest.push(b)
                    code.memory("v128.load", b.base + shift_b + column * BLOCK)
                    code.set(right)
                    for number, row in enumerate(sums):
                        code.get(right)  # first, since its last use then needs no copy
                        code.get(left[number])
                        code.get(magic)
                        code.op("f32x4.relaxed_madd")
                        code.get(row[column])
                        code.op("i32x4.add")
                        code.set(row[column])

        turns, rest = divmod(lanes.blocks, UNROLL)
        if turns:
            with nest.loop(BLOCKS, turns, UNROLL):
                some(UNROLL)
        some(rest)
        nest.rewind(BLOCKS, turns * UNROLL)
        code.release(right, magic, *left)
        for number, row in enumerate(sums):
            shifted = Access(target.base + number * target.strides[ROW], target.strides)
            store_four(code, nest, shifted, row, lanes.blocks, count)
            code.release(*row)


@dataclass(frozen=True)
class Lines:
    """int32 to be added up: those from `start` on in each of `count` lines of `pitch` elements."""

    buffer: Buffer
    count: int
    pitch: int
    start: int

    @property
    def offsets(self) -> list[int]:
        """Where each line's begin, in bytes."""
        return [self.buffer.offset + 4 * (line * self.pitch + self.start) for line in range(self.count)]


@dataclass(frozen=True)
class Noised:
    """target = (total + noise)·factor: int32 sums and int32 noise, from row STEP of the noise region, become
    the gradient in float32.
    """

    name: str
    total: Lines
    noise: Buffer
    place: tuple[int, int]
    """First column of the noise, columns of a step."""
    factor: float
    target: Buffer

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The sums and the noise."""
        return (self.total.buffer, self.noise)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The gradient."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """Two for each element, and one for each line but the first."""
        return (1 + self.total.count) * self.target.elements

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Four neighbours at a time; the slack behind each buffer takes what is too much."""
        del lanes
        here = Access(0, (4 * WIDTH,))
        noise = Access(self.noise.offset + 4 * self.place[0], (4 * WIDTH, 0))
        nest = Nest(code, [here, noise])
        code.get(STEP)
        code.i32(4 * self.place[1])
        code.op("i32.mul")
        code.set(nest.pointers[noise.strides])
        fours, rest = divmod(self.target.elements, WIDTH)
        turns, single = divmod(fours, UNROLL)
        if turns:
            with nest.loop(0, turns, UNROLL):
                for number in range(UNROLL):
                    self._four(nest, _behind(here, number), _behind(noise, number), WIDTH)
        for number in range(single):
            self._four(nest, _behind(here, number), _behind(noise, number), WIDTH)
        if rest:
            self._four(nest, _behind(here, single), _behind(noise, single), rest)

    def _four(self, nest: Nest, here: Access, noise: Access, count: int) -> None:
        code, value = nest.code, nest.code.local()
        nest.push(noise)
        code.memory("v128.load", noise.base)
        for offset in self.total.offsets:
            nest.push(here)
            code.memory("v128.load", offset + here.base)
            code.op("i32x4.add")
        code.op("f32x4.convert_i32x4_s")
        code.splat(self.factor)
        code.op("f32x4.mul")
        code.set(value)
        if count == WIDTH:
            nest.push(here)
            code.get(value)
            code.memory("v128.store", self.target.offset + here.base)
        else:
            for lane in range(count):
                nest.push(here)
                code.get(value)
                code.lane_memory("v128.store32_lane", self.target.offset + here.base + 4 * lane, lane)
        code.release(value)


def _behind(access: Access, fours: int) -> Access:
    """So many vectors further on."""
    return Access(access.base + 4 * WIDTH * fours, access.strides)
