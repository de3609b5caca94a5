"""Gradient of a convolution by its weights.

dw[o, c, i, j] = Σ over rows, y, x of dy[o, y, x] · x[c, y·s + i·d, x·s + j·d]. The lanes are rows of the
batch: each accumulator holds four partial sums that never mix until one horizontal sum at the end. A tile is
a few output channels × up to four neighbouring columns of the kernel, so that a loaded pixel serves every
column that it meets; a column that is left over takes several rows of the kernel instead. Sums, pixels and
gradients of a tile have to fit 16 registers, one of them for a multiply-add's result, which overwrites a
factor: a sum that goes through the stack takes 12 clocks a pixel instead of 5.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from math import prod

from executor.compiler.ir import Pair, Shape
from executor.compiler.kernels.base import Buffer, Lanes
from executor.compiler.kernels.nest import BLOCK, Access, Nest
from executor.compiler.kernels.reduction import horizontal_sum
from executor.wasm.code import Code

WIDTH, TAPS = 4, 5
"""Columns of the kernel in a tile, and all its weights."""
ACCUMULATORS = 10
BODY = 400
"""Multiply-adds of straight-line code: at each back edge all sums go through the stack."""
BLOCKS, HALF, GROUP, OUT, IN, ROW, COLUMN, Y, X = range(9)
"""Axes of the loop nest."""
Taps = Sequence[tuple[int, int]]
"""Weights of a tile: (row, column)."""
Sums = Sequence[Sequence[int]]


@dataclass(frozen=True)
class ConvWeight:
    """x [c, h, w] and dy [o, oh, ow], batched and contiguous → target [o, c/groups, kh, kw], summed over the
    rows, or one for each row if the target is batched."""

    name: str
    x: Buffer
    dy: Buffer
    target: Buffer
    x_shape: Shape
    dy_shape: Shape
    kernel: Pair
    strides: Pair
    dilations: Pair
    groups: int

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """Image and gradient."""
        return (self.x, self.dy)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """Weights' gradient."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """Two for each multiply-add."""
        return 2 * 8 * blocks * prod(self.dy_shape) * prod(self.kernel) * self.x_shape[0] // self.groups

    def accesses(self) -> tuple[Access, Access, Access]:
        """x, dy and the target over the nine axes."""
        (channels, height, width), (outputs, rows, columns) = self.x_shape, self.dy_shape
        (kh, kw), (sy, sx), (dy, dx) = self.kernel, self.strides, self.dilations
        c, o = channels // self.groups, outputs // self.groups
        plane, image = height * width * BLOCK, rows * columns * BLOCK
        line = width * BLOCK
        x = (channels * plane, 16, c * plane, 0, plane, dy * line, dx * BLOCK, sy * line, sx * BLOCK)
        g = (outputs * image, 16, o * image, image, 0, 0, 0, columns * BLOCK, BLOCK)
        unit = BLOCK if self.target.batched else 4
        each = (self.target.block_stride(), 16) if self.target.batched else (0, 0)
        w = (*each, *(unit * step for step in (o * c * kh * kw, c * kh * kw, kh * kw, kw, 1)), 0, 0)
        return Access(self.x.offset, x), Access(self.dy.offset, g), Access(self.target.offset, w)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Loops over group, part of the kernel, output tile and input channel around the tiles."""
        accesses = self.accesses()
        nest = Nest(code, accesses)
        outputs, inner = self.dy_shape[0] // self.groups, self.x_shape[0] // self.groups

        def around(outs: int, taps: Taps, turns: int, rows: int) -> None:
            with nest.loop(IN, inner):
                with nest.loop(ROW, turns, rows):
                    self._tile(nest, accesses, outs, taps, lanes)
                nest.rewind(ROW, turns * rows)
            nest.rewind(IN, inner)

        with nest.loop(GROUP, self.groups):
            for first, turns, rows, columns in self._parts():
                taps = list(product(range(rows), columns))
                tile = min(outputs, max(1, ACCUMULATORS // len(taps)))
                nest.advance(ROW, first)
                nest.cut(OUT, outputs, tile, partial(around, taps=taps, turns=turns, rows=rows))
                nest.rewind(ROW, first)

    def _parts(self) -> Iterator[tuple[int, int, int, range]]:
        """The kernel as rectangles: the first row, how often so many rows follow, and columns."""
        height, width = self.kernel
        left = width % WIDTH
        for first in range(0, width - left, WIDTH):
            yield 0, height, 1, range(first, first + WIDTH)
        if left:
            rows = min(height, TAPS // left)
            turns, rest = divmod(height, rows)
            yield 0, turns, rows, range(width - left, width)
            if rest:
                yield turns * rows, 1, rest, range(width - left, width)

    def _tile(
        self, nest: Nest, accesses: tuple[Access, Access, Access], outs: int, taps: Taps, lanes: Lanes
    ) -> None:
        code = nest.code
        sums = [[code.local() for _ in taps] for _ in range(outs)]
        each = self.target.batched
        if not each:
            self._clear(code, sums)
        with nest.loop(BLOCKS, lanes.blocks):
            with nest.loop(HALF, 2):
                if each:
                    self._clear(code, sums)
                self._image(nest, accesses, sums, taps)
                if each:
                    self._store(nest, accesses[2], sums, taps)
            nest.rewind(HALF, 2)
        nest.rewind(BLOCKS, lanes.blocks)
        if not each:
            self._store(nest, accesses[2], sums, taps)
        code.release(*(total for row in sums for total in row))

    @staticmethod
    def _clear(code: Code, sums: Sums) -> None:
        for row in sums:
            for total in row:
                code.splat(0.0)
                code.set(total)

    def _store(self, nest: Nest, target: Access, sums: Sums, taps: Taps) -> None:
        """Four rows' sums as they are, or their sum."""
        code = nest.code
        for out, totals in enumerate(sums):
            for (row, column), total in zip(taps, totals, strict=True):
                nest.push(target)
                offset = target.base + out * target.strides[OUT]
                offset += row * target.strides[ROW] + column * target.strides[COLUMN]
                if self.target.batched:
                    code.get(total)
                    code.memory("v128.store", offset)
                else:
                    horizontal_sum(code, total)
                    code.lane_memory("v128.store32_lane", offset, 0)

    def _image(self, nest: Nest, accesses: tuple[Access, Access, Access], sums: Sums, taps: Taps) -> None:
        """Add up all positions of four rows: several lines, or a part of one, are straight-line code."""
        _, height, width = self.dy_shape
        pixels = max(1, BODY // (len(sums) * len(taps)))

        def lines(count: int) -> None:
            for line in range(count):
                self._pixels(nest, accesses, sums, taps, line, width)

        if pixels < width:
            with nest.loop(Y, height):
                nest.cut(X, width, pixels, lambda count: self._pixels(nest, accesses, sums, taps, 0, count))
            nest.rewind(Y, height)
        else:
            together = max(count for count in range(1, pixels // width + 1) if height % count == 0)
            nest.cut(Y, height, together, lines)

    def _pixels(
        self,
        nest: Nest,
        accesses: tuple[Access, Access, Access],
        sums: Sums,
        taps: Taps,
        line: int,
        count: int,
    ) -> None:
        """`count` neighbouring output pixels; loaded pixels of x are kept while a later step needs them."""
        code = nest.code
        x, dy, _ = accesses
        held: dict[int, int] = {}
        for pixel in range(count):
            gradients = []
            for out in range(len(sums)):
                nest.push(dy)
                offset = line * dy.strides[Y] + pixel * dy.strides[X] + out * dy.strides[OUT]
                code.memory("v128.load", dy.base + offset)
                gradients.append(code.local())
                code.set(gradients[-1])
            here = line * x.strides[Y] + pixel * x.strides[X]
            wanted = [here + row * x.strides[ROW] + column * x.strides[COLUMN] for row, column in taps]
            later = {offset + x.strides[X] for offset in wanted} if pixel + 1 < count else set()
            for number, offset in enumerate(wanted):
                if offset not in held:
                    nest.push(x)
                    code.memory("v128.load", x.base + offset)
                    held[offset] = code.local()
                    code.set(held[offset])
                dies = offset not in later
                for gradient, row in zip(gradients, sums, strict=True):
                    # As in a contraction's tile: first the factor whose register is free afterwards.
                    last = dies and row is sums[-1] and number + 1 < len(wanted)
                    for factor in (held[offset], gradient) if last else (gradient, held[offset]):
                        code.get(factor)
                    code.get(row[number])
                    code.op("f32x4.relaxed_madd")
                    code.set(row[number])
                if dies:
                    code.release(held.pop(offset))
            code.release(*gradients)
        code.release(*held.values())
