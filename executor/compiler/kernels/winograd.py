"""Convolutions of 3×3 with stride 1 by Winograd's minimal filtering, and their weight gradient.

    y = Aᵀ [ (G w Gᵀ) ⊙ (Bᵀ d B) ] A        dw = Gᵀ [ (A dy Aᵀ) ⊙ (Bᵀ d B) ] G

d is a piece of the image, y the m × m piece of the result above it (Lavin & Gray 2016, "Fast Algorithms for
Convolutional Neural Networks"). ⊙ becomes one matrix product for each place ξ of the (m + 2) × (m + 2)
square: four times fewer multiplications than the direct sum for m = 4, 2.25 times for m = 2. The batch
stays in the lanes. A strip of tiles is transformed, multiplied and transformed back before the next, so
that it stays in the cache.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from executor.compiler.ir import Node, Shape
from executor.compiler.kernels.base import Buffer, Lanes, View
from executor.compiler.kernels.contraction import Contraction, Tiles
from executor.compiler.kernels.elementwise import bind, rewritten
from executor.compiler.kernels.expression import VECTOR, Evaluator, Expression, Store, Unit
from executor.compiler.kernels.filtering import FOUR, TWO, Filter, Values
from executor.compiler.kernels.nest import BLOCK, LANES, Access, Nest
from executor.compiler.kernels.packing import Operand, Weights
from executor.compiler.kernels.rows import transpose4
from executor.wasm.code import Code

CHANNELS_MIN = 16
"""With fewer the transforms cost more than the products that they save."""
TRANSFORM = 4
"""Float operations that a transform takes for each place, near enough for a price."""
PAIRS_MAX = 1 << 18
"""Outputs times inputs: the sums of a weight gradient take up to 576 bytes for each."""
SUMMED = 8
"""Tiles of an image from which larger ones pay in a weight gradient: each strip reads and writes all sums."""
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
    channels = channels and outputs * inner <= PAIRS_MAX
    return kernel == [3, 3] and strides == dilations == (1, 1) and groups == 1 and even and channels


@dataclass(frozen=True)
class Strips:
    """How an image of `height` × `width` results is cut: strips of `lines` lines of tiles, chunks of `tiles`
    tiles of a line."""

    height: int
    width: int
    least: int = 1
    """Larger tiles only where an image has so many of them."""

    @property
    def filter(self) -> Filter:
        """Tiles of 4×4 where they fit, else of 2×2."""
        fit = self.height % 4 == 0 == self.width % 4
        return FOUR if fit and self.height * self.width // 16 >= self.least else TWO

    @property
    def side(self) -> int:
        """Places ξ on a side."""
        return self.filter.size + 2

    @property
    def places(self) -> int:
        """All of them."""
        return self.side**2

    @property
    def tiles(self) -> int:
        """Tiles of a line in one chunk."""
        return _divisor(self.width // self.filter.size, WIDTH_MAX // self.filter.size)

    @property
    def lines(self) -> int:
        """Lines of tiles in one strip."""
        return _divisor(self.height // self.filter.size, max(1, TILES_MAX // self.tiles))

    @property
    def size(self) -> int:
        """Tiles that are worked on at once."""
        return self.tiles * self.lines

    @property
    def turns(self) -> tuple[int, int]:
        """Strips of an image, chunks of a strip."""
        return self.height // self.filter.size // self.lines, self.width // self.filter.size // self.tiles

    def steps(self, line: int, pixel: int) -> dict[int, int]:
        """Strides of an image over the axes of its two dimensions, from those of a line and a pixel."""
        m = self.filter.size
        within = {Y: line, X: pixel, LINE: m * line, TILE: m * pixel}
        return within | {STRIP: m * self.lines * line, CHUNK: m * self.tiles * pixel}

    def image(self, view: View, base: int, block: int) -> Access:
        """An array of pixels (channel, y, x) in lanes."""
        channel, line, pixel = (BLOCK * step for step in view.strides)
        return _access(base, {BLOCKS: block, ROW: channel, **self.steps(line, pixel)})

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
        return self.places * self.plane(channels) // 4

    def weights_scratch(self, outputs: int, inner: int) -> int:
        """Elements of the transformed weights, in their planes."""
        return self.places * (outputs * inner + GAP // 4)

    def sums_scratch(self, outputs: int, inner: int) -> int:
        """Elements of the partial sums of a weight gradient."""
        return self.places * (4 * outputs * inner + GAP // 4)


def _divisor(number: int, most: int) -> int:
    """The largest divisor up to `most`."""
    return max(size for size in range(1, min(number, most) + 1) if number % size == 0)


def _access(base: int, steps: dict[int, int]) -> Access:
    return Access(base, tuple(steps.get(axis, 0) for axis in range(RANK)))


def _at(access: Access, *moved: tuple[int, int]) -> int:
    """Constant part of an address after moving along axes."""
    return access.base + sum(access.strides[axis] * by for axis, by in moved)


def _transform_images(nest: Nest, strips: Strips, image: Access, scratch: Access, channels: int) -> None:
    """Bᵀ d B of every tile of the strip, channel by channel. Neighbouring tiles share two columns."""
    code, values, of = nest.code, Values(nest.code, nest), strips.filter
    m, n = of.size, strips.side

    def line(half: int) -> None:
        columns: dict[int, list[int]] = {}
        for tile in range(strips.tiles):
            for column in range(m * tile, m * tile + n):
                if column not in columns:
                    pixels = [values.load(image, _at(image, (Y, y), (X, column)) + half) for y in range(n)]
                    columns[column] = of.image(values, pixels)
                    code.release(*pixels)
            for row in range(n):
                found = of.image(values, [columns[m * tile + k][row] for k in range(n)])
                for column, value in enumerate(found):
                    place = _at(scratch, (PLACE, n * row + column), (TILE, tile)) + half
                    values.store(scratch, place, value)
            for column in range(m * tile, m * tile + m):
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
        strips, pixels = self.strips, (self.x_shape[1] - 2) * (self.x_shape[2] - 2)
        tiles, more = pixels // strips.filter.size**2, len(self.expression(Lanes(blocks)).inner())
        products = tiles * strips.places * (2 * outputs * inner + TRANSFORM * (outputs + inner))
        weights = TRANSFORM * strips.places * outputs * inner
        return LANES * blocks * (products + pixels * outputs * more) + weights

    def expression(self, lanes: Lanes) -> Expression:
        """The epilogue over this module's axes."""
        bound = bind(self.stores, self.leaves, lanes, True)
        strips = self.strips

        def change(access: Access) -> Access:
            block, channel, line, pixel = access.strides
            steps = {BLOCKS: block, ROW: channel, **strips.steps(line, pixel)}
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
            counts=(1, 1, 1, strips.places, outputs, 1, strips.size, 1, 1),
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
                    with nest.loop(PLACE, strips.places):
                        with nest.loop(ROW, outputs // ROWS, ROWS):
                            tiles.line(ROWS)
                        nest.rewind(ROW, outputs)
                    nest.rewind(PLACE, strips.places)
                    self._transform_back(nest, evaluator, summed)
                nest.rewind(CHUNK, chunk_turns)
            nest.rewind(STRIP, strip_turns)

    def _transform_weights(self, nest: Nest, source: Access, target: Access) -> None:
        """G w Gᵀ for four outputs at a time, one in each lane."""
        outputs, inner = self.channels
        code, values = nest.code, Values(nest.code, nest)
        of, n = self.strips.filter, self.strips.side

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
                lines = [of.kernel(values, [gathered((y, x)) for y in range(3)]) for x in range(3)]
                for row in range(n):
                    for column, value in enumerate(of.kernel(values, [line[row] for line in lines])):
                        values.store(target, _at(target, (PLACE, n * row + column)), value)
            nest.rewind(STEP, inner)
        nest.rewind(ROW, outputs)

    def _transform_back(self, nest: Nest, evaluator: Evaluator, summed: Access) -> None:
        """Aᵀ m A of every tile, and the epilogue."""
        outputs, strips = self.channels[0], self.strips
        code, values = nest.code, Values(nest.code, nest)
        of, n = strips.filter, strips.side

        def line(half: int) -> None:
            for tile in range(strips.tiles):
                columns = []
                for column in range(n):
                    places = [_at(summed, (PLACE, n * row + column), (TILE, tile)) for row in range(n)]
                    columns.append(of.result(values, [values.load(summed, place + half) for place in places]))
                for y in range(of.size):
                    given = {}
                    for x, value in enumerate(of.result(values, [column[y] for column in columns])):
                        shift = tuple({TILE: tile, Y: y, X: x}.get(axis, 0) for axis in range(RANK))
                        given[Unit(shift, half)] = {self.result: value}
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
        return Strips(self.dy_shape[1], self.dy_shape[2], SUMMED)

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
        outputs, inner, strips = self.dy_shape[0], self.x_shape[0], self.strips
        tiles = prod(self.dy_shape[1:]) // strips.filter.size**2
        products = tiles * strips.places * (2 * outputs * inner + TRANSFORM * (outputs + inner))
        return LANES * blocks * products + TRANSFORM * strips.places * outputs * inner

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
        with nest.loop(PLACE, self.strips.places):
            with nest.loop(ROW, self.dy_shape[0]):
                with nest.loop(LINE, self.x_shape[0] // ROWS, ROWS):
                    for index in range(ROWS):
                        nest.push(sums)
                        nest.code.splat(0.0)
                        nest.code.memory("v128.store", _at(sums, (LINE, index)))
                nest.rewind(LINE, self.x_shape[0])
            nest.rewind(ROW, self.dy_shape[0])
        nest.rewind(PLACE, self.strips.places)

    def _transform_gradients(self, nest: Nest, gradient: Access, scratch: Access) -> None:
        """A dy Aᵀ of every tile."""
        values, strips = Values(nest.code, nest), self.strips
        of, n = strips.filter, strips.side

        def line(half: int) -> None:
            for tile in range(strips.tiles):
                columns = []
                for x in range(of.size):
                    places = [_at(gradient, (Y, y), (X, x), (TILE, tile)) for y in range(of.size)]
                    pixels = [values.load(gradient, place + half) for place in places]
                    columns.append(of.result_gradient(values, pixels))
                for row in range(n):
                    found = of.result_gradient(values, [column[row] for column in columns])
                    for column, value in enumerate(found):
                        place = _at(scratch, (PLACE, n * row + column), (TILE, tile)) + half
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

        with nest.loop(PLACE, self.strips.places):
            with nest.loop(ROW, outputs // ROWS, ROWS):
                with nest.loop(LINE, inner // COLUMNS, COLUMNS):
                    tile()
                nest.rewind(LINE, inner)
            nest.rewind(ROW, outputs)
        nest.rewind(PLACE, self.strips.places)

    def _transform_back(self, nest: Nest, sums: Access, target: Access) -> None:
        """Lanes added as (l0 + l1) + (l2 + l3) for four inputs at once, then Gᵀ u G."""
        code, values = nest.code, Values(nest.code, nest)
        of, n = self.strips.filter, self.strips.side

        def total(place: int) -> int:
            lanes = [values.load(sums, _at(sums, (PLACE, place), (LINE, k))) for k in range(VECTOR)]
            columns = transpose4(code, lanes)
            low, high = values.of("add", *columns[:2]), values.of("add", *columns[2:])
            code.release(*lanes, *columns)
            found = values.of("add", low, high)
            code.release(low, high)
            return found

        def four() -> None:
            rows = [
                of.kernel_gradient(values, [total(n * row + column) for row in range(n)])
                for column in range(n)
            ]
            for y in range(3):
                for x, value in enumerate(of.kernel_gradient(values, [row[y] for row in rows])):
                    for lane in range(VECTOR):
                        nest.push(target)
                        code.get(value)
                        offset = _at(target, (Y, y), (X, x), (LINE, lane))
                        code.lane_memory("v128.store32_lane", offset, lane)
                    code.release(value)

        with nest.loop(ROW, self.dy_shape[0]):
            with nest.loop(LINE, self.x_shape[0] // VECTOR, VECTOR):
                four()
            nest.rewind(LINE, self.x_shape[0])
        nest.rewind(ROW, self.dy_shape[0])
