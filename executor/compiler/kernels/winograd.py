"""Convolutions of 3×3 with stride 1 by Winograd's minimal filtering F(2×2, 3×3), and their weight gradient.

    y = Aᵀ [ (G w Gᵀ) ⊙ (Bᵀ d B) ] A        dw = Gᵀ [ (A dy Aᵀ) ⊙ (Bᵀ d B) ] G

d is a 4×4 piece of the image, y the 2×2 piece of the result above it (Lavin & Gray 2016, "Fast Algorithms
for Convolutional Neural Networks"). ⊙ becomes 16 matrix products, one for each place ξ of the 4×4 square,
with 2.25 times fewer multiplications than the direct sum. All factors are 0, ±1 and ½, so the result is as
close to float64 as the direct one. The batch stays in the lanes. A strip of tiles is transformed, multiplied
and transformed back before the next, so that it stays in the cache.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from executor.compiler.ir import Node, Shape
from executor.compiler.kernels.base import Buffer, Lanes, View
from executor.compiler.kernels.contraction import Contraction, Operand, Tiles, Weights
from executor.compiler.kernels.elementwise import bind, rewritten
from executor.compiler.kernels.expression import VECTOR, Evaluator, Expression, Store, Unit
from executor.compiler.kernels.nest import BLOCK, LANES, Access, Nest
from executor.compiler.kernels.rows import transpose4
from executor.wasm.code import Code

CHANNELS_MIN = 16
"""With fewer the transforms cost more than the products that they save."""
PLACES = 16
GAP = 64
"""Bytes between planes: without them all sixteen places of a tile would share one set of the first cache."""
WIDTH_MAX = 14
"""Tiles of one line in straight-line code."""
TILES_MAX = 16
"""Tiles of a strip."""
ROWS = 4
COLUMNS = 2
HALVES = (0, 16)
BLOCKS, STRIP, CHUNK, PLACE, ROW, LINE, TILE, Y, X, STEP = range(10)
"""Axes of every loop nest here: blocks of the batch, strips of lines, chunks of a line, ξ, channel, line of
the strip, tile of the line, pixel of the tile, reduction."""
RANK = 10


def fits(x: Shape, w: Shape, strides: object, dilations: object, groups: int) -> bool:
    """Whether this module takes a convolution of x [c, h, w] (padded) with w [o, c, kh, kw]."""
    outputs, inner, *kernel = w
    even = all(size % 2 == 0 for size in x[1:])
    channels = min(outputs, inner) >= CHANNELS_MIN and outputs % ROWS == 0 and inner % ROWS == 0
    return kernel == [3, 3] and strides == dilations == (1, 1) and groups == 1 and even and channels


@dataclass(frozen=True)
class Strips:
    """How an image of `height` × `width` results is cut: strips of `lines` lines of tiles, chunks of `tiles`
    tiles of a line."""

    height: int
    width: int

    @property
    def tiles(self) -> int:
        """Tiles of a line in one chunk."""
        return _divisor(self.width // 2, WIDTH_MAX)

    @property
    def lines(self) -> int:
        """Lines of tiles in one strip."""
        return _divisor(self.height // 2, max(1, TILES_MAX // self.tiles))

    @property
    def size(self) -> int:
        """Tiles that are worked on at once."""
        return self.tiles * self.lines

    @property
    def turns(self) -> tuple[int, int]:
        """Strips of an image, chunks of a strip."""
        return self.height // 2 // self.lines, self.width // 2 // self.tiles

    def image(self, view: View, base: int, block: int) -> Access:
        """An array of pixels (channel, y, x) in lanes."""
        channel, line, pixel = (BLOCK * step for step in view.strides)
        steps = {BLOCKS: block, ROW: channel, Y: line, X: pixel, LINE: 2 * line, TILE: 2 * pixel}
        steps |= {STRIP: 2 * self.lines * line, CHUNK: 2 * self.tiles * pixel}
        return _access(base, steps)

    def transformed(self, buffer: Buffer, channels: int) -> Access:
        """A scratch [ξ][channel][line][tile][8]."""
        steps = {
            PLACE: self.plane(channels),
            ROW: self.size * BLOCK,
            LINE: self.tiles * BLOCK,
            TILE: BLOCK,
        }
        return _access(buffer.offset, steps)

    def plane(self, channels: int) -> int:
        """Bytes of one ξ of such a scratch."""
        return channels * self.size * BLOCK + GAP

    def scratch(self, channels: int) -> int:
        """Elements of such a scratch."""
        return PLACES * self.plane(channels) // 4


def weights_scratch(outputs: int, inner: int) -> int:
    """Elements of the transformed weights, in their planes."""
    return PLACES * (outputs * inner + GAP // 4)


def sums_scratch(outputs: int, inner: int) -> int:
    """Elements of the partial sums of a weight gradient."""
    return PLACES * (4 * outputs * inner + GAP // 4)


def _divisor(number: int, most: int) -> int:
    """The largest divisor up to `most`."""
    return max(size for size in range(1, min(number, most) + 1) if number % size == 0)


def _access(base: int, steps: dict[int, int]) -> Access:
    return Access(base, tuple(steps.get(axis, 0) for axis in range(RANK)))


def _at(access: Access, *moved: tuple[int, int]) -> int:
    """Constant part of an address after moving along axes."""
    return access.base + sum(access.strides[axis] * by for axis, by in moved)


class Values:
    """Straight-line vector arithmetic on locals."""

    def __init__(self, code: Code, nest: Nest) -> None:
        self.code, self.nest = code, nest

    def load(self, access: Access, offset: int) -> int:
        """A vector at the nest's index and a constant offset."""
        self.nest.push(access)
        self.code.memory("v128.load", offset)
        return self.keep()

    def keep(self) -> int:
        """The value on the stack in a new local."""
        local = self.code.local()
        self.code.set(local)
        return local

    def of(self, operation: str, a: int, b: int) -> int:
        """a operation b in a new local."""
        self.code.get(a)
        self.code.get(b)
        self.code.op(f"f32x4.{operation}")
        return self.keep()

    def negative(self, a: int) -> int:
        """−a in a new local."""
        self.code.get(a)
        self.code.op("f32x4.neg")
        return self.keep()

    def half(self, a: int) -> int:
        """a/2 in a new local."""
        self.code.get(a)
        self.code.splat(0.5)
        self.code.op("f32x4.mul")
        return self.keep()

    def store(self, access: Access, offset: int, a: int) -> None:
        """Write a local and forget it."""
        self.nest.push(access)
        self.code.get(a)
        self.code.memory("v128.store", offset)
        self.code.release(a)

    # --- the one-dimensional transforms

    def image(self, d: Sequence[int]) -> list[int]:
        """Bᵀd."""
        return [self.of("sub", d[0], d[2]), self.of("add", d[1], d[2]), self.of("sub", d[2], d[1]),
                self.of("sub", d[1], d[3])]  # fmt: skip

    def kernel(self, g: Sequence[int]) -> list[int]:
        """Gg; the first and last are the locals given, the middle one is used up."""
        ends = self.of("add", g[0], g[2])
        plus, minus = self.of("add", ends, g[1]), self.of("sub", ends, g[1])
        found = [g[0], self.half(plus), self.half(minus), g[2]]
        self.code.release(ends, plus, minus, g[1])
        return found

    def result(self, m: Sequence[int]) -> list[int]:
        """Aᵀm."""
        first, second = self.of("add", m[0], m[1]), self.of("sub", m[1], m[2])
        found = [self.of("add", first, m[2]), self.of("sub", second, m[3])]
        self.code.release(first, second)
        return found

    def result_gradient(self, g: Sequence[int]) -> list[int]:
        """Ag; the first is the local given, the second is used up."""
        found = [g[0], self.of("add", *g), self.of("sub", *g), self.negative(g[1])]
        self.code.release(g[1])
        return found

    def kernel_gradient(self, u: Sequence[int]) -> list[int]:
        """Gᵀu."""
        plus, minus = self.of("add", u[1], u[2]), self.of("sub", u[1], u[2])
        middle = self.half(plus)
        found = [self.of("add", u[0], middle), self.half(minus), self.of("add", middle, u[3])]
        self.code.release(plus, minus, middle)
        return found


def _transform_images(nest: Nest, strips: Strips, image: Access, scratch: Access, channels: int) -> None:
    """Bᵀ d B of every tile of the strip, channel by channel. Neighbouring tiles share two columns."""
    code, values = nest.code, Values(nest.code, nest)

    def line(half: int) -> None:
        columns: dict[int, list[int]] = {}
        for tile in range(strips.tiles):
            for column in range(2 * tile, 2 * tile + 4):
                if column not in columns:
                    pixels = [values.load(image, _at(image, (Y, y), (X, column)) + half) for y in range(4)]
                    columns[column] = values.image(pixels)
                    code.release(*pixels)
            for row in range(4):
                found = values.image([columns[2 * tile + k][row] for k in range(4)])
                for column, value in enumerate(found):
                    place = _at(scratch, (PLACE, 4 * row + column), (TILE, tile)) + half
                    values.store(scratch, place, value)
            for column in (2 * tile, 2 * tile + 1):
                code.release(*columns.pop(column))
        for left in columns.values():
            code.release(*left)

    _over_lines(nest, strips, channels, line)


def _over_lines(nest: Nest, strips: Strips, channels: int, line: Callable[[int], None]) -> None:
    """`line(half)` for both halves of every line of every channel."""
    with nest.loop(ROW, channels):
        with nest.loop(LINE, strips.lines):
            for half in HALVES:
                line(half)
        nest.rewind(LINE, strips.lines)
    nest.rewind(ROW, channels)


@dataclass(frozen=True)
class WinogradConv:
    """x [c, h, w] (padded, batched, contiguous) with w [o, c, 3, 3] → `stores` of the result."""

    name: str
    x: Buffer
    w: View
    x_shape: Shape
    result: Node
    stores: tuple[tuple[Node, View], ...]
    leaves: dict[Node, View | float]
    kernels: Buffer
    """Scratch: transformed weights [ξ][o/4][c][4]."""
    images: Buffer
    products: Buffer

    @property
    def strips(self) -> Strips:
        """How the result is cut."""
        return Strips(self.x_shape[1] - 2, self.x_shape[2] - 2)

    @property
    def channels(self) -> tuple[int, int]:
        """Outputs, inputs."""
        return self.w.shape[0], self.w.shape[1]

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """Image, weights, the epilogue's leaves."""
        leaves = (leaf.buffer for leaf in self.leaves.values() if isinstance(leaf, View))
        return (self.x, self.w.buffer, *leaves)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """Buffers of the stores, and the scratches."""
        return (*(view.buffer for _, view in self.stores), self.kernels, self.images, self.products)

    def flops(self, blocks: int) -> int:
        """Two for each multiply-add; the additions of the transforms; the epilogue."""
        outputs, inner = self.channels
        tiles = (self.x_shape[1] - 2) * (self.x_shape[2] - 2) // 4
        transforms = tiles * (24 * inner + 24 * outputs)
        inner_nodes = len(self.expression(Lanes(blocks)).inner())
        return (
            LANES
            * blocks
            * (2 * PLACES * outputs * inner * tiles + transforms + 4 * tiles * outputs * inner_nodes)
            + 28 * outputs * inner
        )

    def expression(self, lanes: Lanes) -> Expression:
        """The epilogue over this module's axes."""
        bound = bind(self.stores, self.leaves, lanes, True)
        strips = self.strips

        def change(access: Access) -> Access:
            block, channel, line, pixel = access.strides
            steps = {BLOCKS: block, ROW: channel, Y: line, X: pixel, LINE: 2 * line, TILE: 2 * pixel}
            steps |= {STRIP: 2 * strips.lines * line, CHUNK: 2 * strips.tiles * pixel}
            return Access(access.base, _access(0, steps).strides, access.splat)

        bound = rewritten(bound, change)
        return Expression(bound.stores, {**bound.leaves, self.result: 0.0})

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Weights once, then strip by strip: image, products, result."""
        outputs, inner = self.channels
        strips, expression = self.strips, self.expression(lanes)
        _, height, width = self.x_shape
        plane = View(self.x, self.x_shape, (height * width, width, 1))
        image = strips.image(plane, self.x.offset, self.x.block_stride())
        transformed = strips.transformed(self.images, inner)
        summed = strips.transformed(self.products, outputs)
        source = _access(
            self.w.buffer.offset + 4 * self.w.start,
            {
                ROW: 4 * self.w.strides[0],
                STEP: 4 * self.w.strides[1],
                Y: 4 * self.w.strides[2],
                X: 4 * self.w.strides[3],
            },
        )
        size = strips.size * BLOCK
        product = Contraction(
            name=self.name,
            counts=(1, 1, 1, PLACES, outputs, 1, strips.size, 1, 1),
            reduction=(inner,),
            x=Operand(self.images, _access(0, {PLACE: strips.plane(inner), TILE: BLOCK, STEP: size}).strides),
            w=Operand(
                self.kernels, _access(0, {PLACE: 4 * outputs * inner + GAP, ROW: 4 * inner, STEP: 16}).strides
            ),
            weights=Weights.ALONG_ROWS,
            outside=(PLACE,),
            row_axis=ROW,
            inside=(),
            vector_axis=TILE,
            columns=False,
            result=self.result,
            stores=(),
            leaves={},
        )
        to_sums = Expression((Store(self.result, summed),), {self.result: 0.0})
        kernels = product.w.access()
        nest = Nest(
            code, [image, transformed, summed, source, kernels, product.x.access(), *expression.accesses]
        )
        self._transform_weights(nest, source, kernels)
        tiles = Tiles(product, nest, Evaluator(code, nest, to_sums))
        evaluator = Evaluator(code, nest, expression)
        strip_turns, chunk_turns = strips.turns
        with nest.loop(BLOCKS, lanes.blocks):
            with nest.loop(STRIP, strip_turns):
                with nest.loop(CHUNK, chunk_turns):
                    _transform_images(nest, strips, image, transformed, inner)
                    with nest.loop(PLACE, PLACES):
                        with nest.loop(ROW, outputs // ROWS, ROWS):
                            tiles.line(ROWS)
                        nest.rewind(ROW, outputs)
                    nest.rewind(PLACE, PLACES)
                    self._transform_back(nest, evaluator, summed)
                nest.rewind(CHUNK, chunk_turns)
            nest.rewind(STRIP, strip_turns)

    def _transform_weights(self, nest: Nest, source: Access, target: Access) -> None:
        """G w Gᵀ for four outputs at a time, one in each lane."""
        outputs, inner = self.channels
        code, values = nest.code, Values(nest.code, nest)

        def gathered(tap: tuple[int, int]) -> int:
            offset = _at(source, (Y, tap[0]), (X, tap[1]))
            lanes = code.local()
            for lane in range(ROWS):
                place = nest.address(source, offset + lane * source.strides[ROW])
                if lane == 0:
                    code.memory("v128.load32_zero", place)
                else:
                    code.get(lanes)
                    code.lane_memory("v128.load32_lane", place, lane)
                code.set(lanes)
            return lanes

        with nest.loop(ROW, outputs // ROWS, ROWS):
            with nest.loop(STEP, inner):
                lines = [values.kernel([gathered((y, x)) for y in range(3)]) for x in range(3)]
                for row in range(4):
                    for column, value in enumerate(values.kernel([line[row] for line in lines])):
                        values.store(target, _at(target, (PLACE, 4 * row + column)), value)
            nest.rewind(STEP, inner)
        nest.rewind(ROW, outputs)

    def _transform_back(self, nest: Nest, evaluator: Evaluator, summed: Access) -> None:
        """Aᵀ m A of every tile, and the epilogue."""
        outputs, strips = self.channels[0], self.strips
        code, values = nest.code, Values(nest.code, nest)

        def line(half: int) -> None:
            for tile in range(strips.tiles):
                columns = []
                for column in range(4):
                    sums = [
                        values.load(summed, _at(summed, (PLACE, 4 * row + column), (TILE, tile)) + half)
                        for row in range(4)
                    ]
                    columns.append(values.result(sums))
                    code.release(*sums)
                given = {}
                for y in range(2):
                    for x, value in enumerate(values.result([column[y] for column in columns])):
                        shift = tuple({TILE: tile, Y: y, X: x}.get(axis, 0) for axis in range(RANK))
                        given[Unit(shift, half)] = {self.result: value}
                for sums in columns:
                    code.release(*sums)
                evaluator.write(list(given), given)
                code.release(*(value[self.result] for value in given.values()))

        _over_lines(nest, strips, outputs, line)


@dataclass(frozen=True)
class WinogradWeight:
    """x [c, h, w] (padded) and dy [o, h − 2, w − 2], batched and contiguous → target [o, c, 3, 3]."""

    name: str
    x: Buffer
    dy: Buffer
    target: Buffer
    x_shape: Shape
    dy_shape: Shape
    images: Buffer
    gradients: Buffer
    sums: Buffer
    """Scratch [ξ][o][c][4]: four partial sums of each product."""

    @property
    def strips(self) -> Strips:
        """How the images are cut."""
        return Strips(self.dy_shape[1], self.dy_shape[2])

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """Image and gradient."""
        return (self.x, self.dy)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """Weights' gradient, and the scratches."""
        return (self.target, self.images, self.gradients, self.sums)

    def flops(self, blocks: int) -> int:
        """Two for each multiply-add; the additions of the transforms."""
        outputs, inner = self.dy_shape[0], self.x_shape[0]
        tiles = prod(self.dy_shape[1:]) // 4
        products = 2 * PLACES * outputs * inner * tiles + tiles * (24 * inner + 12 * outputs)
        return LANES * blocks * products + 80 * outputs * inner

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Strip by strip: image, gradient, products; then the transform back."""
        outputs, inner = self.dy_shape[0], self.x_shape[0]
        strips = self.strips

        def plane(buffer: Buffer, shape: Shape) -> Access:
            view = View(buffer, shape, (shape[1] * shape[2], shape[2], 1))
            return strips.image(view, buffer.offset, buffer.block_stride())

        image, gradient = plane(self.x, self.x_shape), plane(self.dy, self.dy_shape)
        d, g = strips.transformed(self.images, inner), strips.transformed(self.gradients, outputs)
        size = strips.size * BLOCK
        # In the products, ROW counts outputs and LINE inputs.
        x = _access(d.base, {PLACE: strips.plane(inner), LINE: size, TILE: BLOCK})
        w = _access(g.base, {PLACE: strips.plane(outputs), ROW: size, TILE: BLOCK})
        sums = _access(self.sums.offset, {PLACE: 16 * outputs * inner + GAP, ROW: 16 * inner, LINE: 16})
        target = _access(self.target.offset, {ROW: 36 * inner, LINE: 36, Y: 12, X: 4})
        nest = Nest(code, [image, gradient, d, g, x, w, sums, target])
        self._clear(nest, sums)
        strip_turns, chunk_turns = strips.turns
        with nest.loop(BLOCKS, lanes.blocks):
            with nest.loop(STRIP, strip_turns):
                with nest.loop(CHUNK, chunk_turns):
                    _transform_images(nest, strips, image, d, inner)
                    self._transform_gradients(nest, gradient, g)
                    self._multiply(nest, x, w, sums)
                nest.rewind(CHUNK, chunk_turns)
            nest.rewind(STRIP, strip_turns)
        nest.rewind(BLOCKS, lanes.blocks)
        self._transform_back(nest, sums, target)

    def _clear(self, nest: Nest, sums: Access) -> None:
        with nest.loop(PLACE, PLACES):
            with nest.loop(ROW, self.dy_shape[0]):
                with nest.loop(LINE, self.x_shape[0] // ROWS, ROWS):
                    for index in range(ROWS):
                        nest.push(sums)
                        nest.code.splat(0.0)
                        nest.code.memory("v128.store", _at(sums, (LINE, index)))
                nest.rewind(LINE, self.x_shape[0])
            nest.rewind(ROW, self.dy_shape[0])
        nest.rewind(PLACE, PLACES)

    def _transform_gradients(self, nest: Nest, gradient: Access, scratch: Access) -> None:
        """A dy Aᵀ of every tile."""
        values, strips = Values(nest.code, nest), self.strips

        def line(half: int) -> None:
            for tile in range(strips.tiles):
                places = [
                    [_at(gradient, (Y, y), (X, x), (TILE, tile)) + half for y in range(2)] for x in range(2)
                ]
                columns = [
                    values.result_gradient([values.load(gradient, place) for place in pixels])
                    for pixels in places
                ]
                for row in range(4):
                    found = values.result_gradient([column[row] for column in columns])
                    for column, value in enumerate(found):
                        place = _at(scratch, (PLACE, 4 * row + column), (TILE, tile)) + half
                        values.store(scratch, place, value)

        _over_lines(nest, strips, self.dy_shape[0], line)

    def _multiply(self, nest: Nest, x: Access, w: Access, sums: Access) -> None:
        """sums += w · x over the tiles of the strip: 4 × 2 accumulators, four lanes each."""
        code, values = nest.code, Values(nest.code, nest)
        outputs, inner, steps = self.dy_shape[0], self.x_shape[0], self.strips.size

        def tile() -> None:
            totals = [
                [values.load(sums, _at(sums, (ROW, row), (LINE, column))) for column in range(COLUMNS)]
                for row in range(ROWS)
            ]
            for step in range(steps):
                for half in HALVES:
                    lines = [values.load(x, _at(x, (LINE, k), (TILE, step)) + half) for k in range(COLUMNS)]
                    for row in range(ROWS):
                        factor = values.load(w, _at(w, (ROW, row), (TILE, step)) + half)
                        for column, line in enumerate(lines):
                            # First the factor whose register is free afterwards, as in a contraction.
                            last = column == COLUMNS - 1
                            for item in (factor, line) if last else (line, factor):
                                code.get(item)
                            code.get(totals[row][column])
                            code.op("f32x4.relaxed_madd")
                            code.set(totals[row][column])
                        code.release(factor)
                    code.release(*lines)
            for row, found in enumerate(totals):
                for column, total in enumerate(found):
                    values.store(sums, _at(sums, (ROW, row), (LINE, column)), total)

        with nest.loop(PLACE, PLACES):
            with nest.loop(ROW, outputs // ROWS, ROWS):
                with nest.loop(LINE, inner // COLUMNS, COLUMNS):
                    tile()
                nest.rewind(LINE, inner)
            nest.rewind(ROW, outputs)
        nest.rewind(PLACE, PLACES)

    def _transform_back(self, nest: Nest, sums: Access, target: Access) -> None:
        """Lanes added as (l0 + l1) + (l2 + l3) for four inputs at once, then Gᵀ u G."""
        code, values = nest.code, Values(nest.code, nest)

        def total(place: int) -> int:
            lanes = [values.load(sums, _at(sums, (PLACE, place), (LINE, k))) for k in range(VECTOR)]
            columns = transpose4(code, lanes)
            low, high = values.of("add", *columns[:2]), values.of("add", *columns[2:])
            code.release(*lanes, *columns)
            found = values.of("add", low, high)
            code.release(low, high)
            return found

        def four() -> None:
            rows = []
            for column in range(4):
                places = [total(4 * row + column) for row in range(4)]
                rows.append(values.kernel_gradient(places))
                code.release(*places)
            for y in range(3):
                for x_, value in enumerate(values.kernel_gradient([row[y] for row in rows])):
                    for lane in range(VECTOR):
                        nest.push(target)
                        code.get(value)
                        offset = _at(target, (Y, y), (X, x_), (LINE, lane))
                        code.lane_memory("v128.store32_lane", offset, lane)
                    code.release(value)
                code.release(*(row[y] for row in rows))

        with nest.loop(ROW, self.dy_shape[0]):
            with nest.loop(LINE, self.x_shape[0] // VECTOR, VECTOR):
                four()
            nest.rewind(LINE, self.x_shape[0])
        nest.rewind(ROW, self.dy_shape[0])
