"""Convolutions of images padded with zeros, without the zeros: the gradient by an image, above all.

The image lies as it is, without its border. Lines of the result are cut into bands that meet the same rows
of the kernel, columns into strips that meet the same columns; each combination has multiply-adds for these
alone. Bands that meet equally many rows, at the upper and at the lower edge, share their code, strips too: a
5×5 kernel takes 25 pieces of code instead of 81. Each sum has the terms of the padded one in the same order,
but for the products with zeros.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from math import prod

from executor.compiler.kernels.base import Lanes
from executor.compiler.kernels.contraction import (
    ACCUMULATORS,
    Band,
    Contraction,
    Sums,
    Tiles,
    Units,
    steps_of,
)
from executor.compiler.kernels.expression import VECTOR, Evaluator
from executor.compiler.kernels.nest import LANES, Nest
from executor.compiler.kernels.packing import ROWS
from executor.wasm.code import Code

BLOCKS, GROUP, ROW, LINE, COLUMN, INNER, TAP_Y, TAP_X = range(8)
"""Axes: those of the result, then those of the sum."""
STEPS = 25
"""Reduction steps of straight-line code: more are little faster, and code that is soon left again has to come
from afar."""


@dataclass(frozen=True)
class Span:
    """How one axis of a padded image is met: so many zeros lie before it, its size, the steps of the result
    and of the kernel."""

    before: int
    size: int
    stride: int
    dilation: int

    def bands(self, count: int, taps: int) -> tuple[Band, ...] | None:
        """`count` indices of the result, cut where they meet other taps of the kernel; None if one meets
        nothing but zeros."""
        reach = self.dilation * (taps - 1)
        begin, end = -(-self.before // self.stride), (self.size - 1 + self.before - reach) // self.stride + 1
        bands: list[Band] = []
        index = 0
        while index < count:
            first = index * self.stride - self.before
            met = [tap for tap in range(taps) if 0 <= first + tap * self.dilation < self.size]
            if not met:
                return None
            # All taps are met from `begin` to `end`, which may be far.
            lines = min(end, count) - index if begin <= index < end else 1
            if bands and (bands[-1].first, bands[-1].taps) == (met[0], len(met)):
                bands[-1] = Band(bands[-1].lines + lines, met[0], len(met))
            else:
                bands.append(Band(lines, met[0], len(met)))
            index += lines
        return tuple(bands)


@dataclass(frozen=True)
class Alike:
    """Bands of equal size that meet equally many taps, at equal distances."""

    count: int
    start: int
    step: int
    first: int
    onward: int
    """The first one's first index and tap, and how far it is to the next one's."""
    lines: int
    taps: int


def alike(bands: Sequence[Band]) -> list[Alike]:
    """All bands of an axis, those together that can share their code."""
    found: list[Alike] = []
    start = 0
    for band in bands:
        for number, item in enumerate(found):
            if (item.lines, item.taps) != (band.lines, band.taps):
                continue
            step, onward = start - item.start, band.first - item.first
            if item.count == 1 or (step, onward) == (item.count * item.step, item.count * item.onward):
                step, onward = step // item.count, onward // item.count
                found[number] = Alike(
                    item.count + 1, item.start, step, item.first, onward, band.lines, band.taps
                )
                break
        else:
            found.append(Alike(1, start, 0, band.first, 0, band.lines, band.taps))
        start += band.lines
    return found


@dataclass(frozen=True, kw_only=True)
class InnerConv(Contraction):
    """A contraction over (block, group, channel, line, column) and (channel, row, column) whose `x` is the
    image without its zeros; the operand's start lies where the padded image would begin."""

    along: tuple[Band, ...]
    """Bands of lines."""
    across: tuple[Band, ...]
    """Strips of columns."""

    def flops(self, blocks: int) -> int:
        """As of a contraction, for what is not zero."""
        met = prod(sum(band.lines * band.taps for band in bands) for bands in (self.along, self.across))
        outputs = LANES * prod(self.counts[: ROW + 1])
        inner = len(self.expression(Lanes(blocks)).inner())
        return outputs * (2 * self.reduction[0] * met + prod(self.counts[LINE:]) * inner)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """For each group and four channels: pack their weights, then one piece of code after the other."""
        expression, packing = self.expression(lanes), self.packing
        assert packing is not None
        nest = Nest(code, [self.x.access(), self.w.access(), packing.packed(), *expression.accesses])
        lanes.begin(nest)
        tiles = InnerTiles(self, nest, Evaluator(code, nest, expression))

        def rows(count: int) -> None:
            packing.four(nest, count)
            together = max(1, ACCUMULATORS // (2 * count))
            for lines, columns in product(alike(self.along), alike(self.across)):
                tiles.reduction[1:] = lines.taps, columns.taps
                piece = partial(self._piece, tiles, count, lines, columns)
                nest.cut(BLOCKS, lanes.blocks, together, piece)

        with nest.loop(GROUP, self.counts[GROUP]):
            nest.cut(ROW, self.counts[ROW], ROWS, rows)

    @staticmethod
    def _piece(tiles: "InnerTiles", rows: int, lines: Alike, columns: Alike, blocks: int) -> None:
        """All places that share code, in so many blocks."""
        nest = tiles.nest
        units = [(block, byte, VECTOR) for block in range(blocks) for byte in (0, 16)]

        def line() -> None:
            _over(nest, COLUMN, TAP_X, columns, lambda: tiles.tile(rows, units, BLOCKS))

        _over(nest, LINE, TAP_Y, lines, line)


def _over(nest: Nest, axis: int, taps: int, bands: Alike, body: Callable[[], None]) -> None:
    """`body` at each index of the bands, at the first tap that it meets."""
    nest.advance(axis, bands.start)
    nest.advance(taps, bands.first)
    with nest.code.loop(bands.count):
        with nest.loop(axis, bands.lines):
            body()
        nest.advance(axis, bands.step - bands.lines)
        nest.advance(taps, bands.onward)
    nest.rewind(taps, bands.first + bands.count * bands.onward)
    nest.rewind(axis, bands.start + bands.count * bands.step)


class InnerTiles(Tiles):
    """Writes the tiles: whole channels of the image in each turn, equally many where their number allows."""

    def _reduce(self, axes: list[tuple[int, int]], sums: Sums, units: Units) -> None:
        (axis, count), *rest = axes
        most = max(1, STEPS // prod(size for _, size in rest))
        even = max(each for each in range(1, min(most, count) + 1) if count % each == 0)
        each = even if 2 * even > most else -(-count // -(-count // most))

        def channels(some: int) -> None:
            self._body(steps_of([(axis, some), *rest]), sums, units)

        self.nest.cut(axis, count, each, channels)
