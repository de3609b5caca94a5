"""Gradient of a convolution by its weights.

dw[o, c, i, j] = Σ over rows, y, x of dy[o, y, x] · x[c, y·s + i·d, x·s + j·d]. The lanes are rows of the
batch: each accumulator holds four partial sums that never mix until one horizontal sum at the end. A tile is
a few output channels × the kernel's width, so that a loaded pixel serves every column of the kernel that it
meets.
"""

from dataclasses import dataclass
from math import prod

from executor.compiler.ir import Pair, Shape
from executor.compiler.kernels.base import Buffer, Lanes
from executor.compiler.kernels.nest import BLOCK, Access, Nest
from executor.compiler.kernels.reduction import horizontal_sum
from executor.wasm.code import Code

ACCUMULATORS = 12
BODY = 70
"""Multiply-adds of straight-line code."""
BLOCKS, HALF, GROUP, OUT, IN, ROW, COLUMN, Y, X = range(9)
"""Axes of the loop nest."""


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
        """Loops over group, output tile, input channel and kernel row around the tiles."""
        accesses = self.accesses()
        nest = Nest(code, accesses)
        outputs, inner = self.dy_shape[0] // self.groups, self.x_shape[0] // self.groups
        width = min(self.kernel[1], ACCUMULATORS)
        tile = min(outputs, max(1, ACCUMULATORS // width))

        def around(outs: int) -> None:
            with nest.loop(IN, inner):
                with nest.loop(ROW, self.kernel[0]):
                    for first in range(0, self.kernel[1], width):
                        self._tile(
                            nest, accesses, outs, range(first, min(first + width, self.kernel[1])), lanes
                        )
                nest.rewind(ROW, self.kernel[0])
            nest.rewind(IN, inner)

        with nest.loop(GROUP, self.groups):
            turns, rest = divmod(outputs, tile)
            with nest.loop(OUT, turns, tile):
                around(tile)
            if rest:
                around(rest)
            nest.rewind(OUT, turns * tile)

    def _tile(
        self, nest: Nest, accesses: tuple[Access, Access, Access], outs: int, columns: range, lanes: Lanes
    ) -> None:
        code = nest.code
        sums = [[code.local() for _ in columns] for _ in range(outs)]
        each = self.target.batched
        if not each:
            self._clear(code, sums)
        with nest.loop(BLOCKS, lanes.blocks):
            with nest.loop(HALF, 2):
                if each:
                    self._clear(code, sums)
                self._image(nest, accesses, sums, columns)
                if each:
                    self._store(nest, accesses[2], sums, columns)
            nest.rewind(HALF, 2)
        nest.rewind(BLOCKS, lanes.blocks)
        if not each:
            self._store(nest, accesses[2], sums, columns)
        code.release(*(total for row in sums for total in row))

    @staticmethod
    def _clear(code: Code, sums: list[list[int]]) -> None:
        for row in sums:
            for total in row:
                code.splat(0.0)
                code.set(total)

    def _store(self, nest: Nest, target: Access, sums: list[list[int]], columns: range) -> None:
        """Four rows' sums as they are, or their sum."""
        code = nest.code
        for out, row in enumerate(sums):
            for column, total in zip(columns, row, strict=True):
                nest.push(target)
                offset = target.base + out * target.strides[OUT] + column * target.strides[COLUMN]
                if self.target.batched:
                    code.get(total)
                    code.memory("v128.store", offset)
                else:
                    horizontal_sum(code, total)
                    code.lane_memory("v128.store32_lane", offset, 0)

    def _image(
        self,
        nest: Nest,
        accesses: tuple[Access, Access, Access],
        sums: list[list[int]],
        columns: range,
    ) -> None:
        """Add up all positions of four rows."""
        _, rows, width = self.dy_shape
        chunk = max(1, BODY // (len(sums) * len(columns)))
        with nest.loop(Y, rows):
            turns, rest = divmod(width, chunk)
            if turns:
                with nest.loop(X, turns, chunk):
                    self._pixels(nest, accesses, sums, columns, chunk)
            self._pixels(nest, accesses, sums, columns, rest)
            nest.rewind(X, turns * chunk)
        nest.rewind(Y, rows)

    def _pixels(
        self,
        nest: Nest,
        accesses: tuple[Access, Access, Access],
        sums: list[list[int]],
        columns: range,
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
                code.memory("v128.load", dy.base + pixel * dy.strides[X] + out * dy.strides[OUT])
                gradients.append(code.local())
                code.set(gradients[-1])
            wanted = [pixel * x.strides[X] + column * x.strides[COLUMN] for column in columns]
            for offset in [key for key in held if key < min(wanted)]:
                code.release(held.pop(offset))
            for number, offset in enumerate(wanted):
                if offset not in held:
                    nest.push(x)
                    code.memory("v128.load", x.base + offset)
                    held[offset] = code.local()
                    code.set(held[offset])
                dies = offset < (pixel + 1) * x.strides[X] + columns[0] * x.strides[COLUMN]
                for gradient, row in zip(gradients, sums, strict=True):
                    # As in a contraction's tile: first the factor whose register is free afterwards.
                    last = dies and row is sums[-1] and number + 1 < len(wanted)
                    for factor in (held[offset], gradient) if last else (gradient, held[offset]):
                        code.get(factor)
                    code.get(row[number])
                    code.op("f32x4.relaxed_madd")
                    code.set(row[number])
            code.release(*gradients)
        code.release(*held.values())
