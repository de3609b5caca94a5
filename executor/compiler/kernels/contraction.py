"""Sums of products: dense layers, convolutions, matrix products, weight gradients. One template for all.

A tile holds up to eight accumulators: rows (output channels) × units (vectors of lanes or of columns). For
each step of the reduction the units of `x` are loaded as vectors, the rows of `w` are spread from single
floats, and every accumulator takes one fused multiply-add. Up to `BODY` steps are straight-line code with
constant offsets, the rest is loops; each output is summed in the order of the reduction axes, innermost last.
Elementwise users of the result are computed on the accumulators before they are stored.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from executor.compiler.ir import Node
from executor.compiler.kernels.base import Buffer, Lanes, View
from executor.compiler.kernels.elementwise import bind, rewritten
from executor.compiler.kernels.expression import VECTOR, Evaluator, Expression, Unit
from executor.compiler.kernels.nest import LANES, Access, Nest
from executor.compiler.kernels.packing import (
    HALF_TURN,
    ROWS,
    Operand,
    Packing,
    Weights,
    step_floats,
)
from executor.wasm.code import Code

BODY = 64
"""Reduction steps of straight-line code."""
ACCUMULATORS = 8
COLUMNS = 8
"""Columns of an item when columns are the vector axis."""


UnitAt = tuple[tuple[int, ...], int, int]
Units = Sequence[UnitAt]
Sums = Sequence[Sequence[int]]


FOUR_ROWS = frozenset({Weights.ALONG_ROWS, Weights.PACKED})
"""Four rows of one step are one vector."""


@dataclass(frozen=True)
class Band:
    """`lines` neighbouring image lines for which only the `taps` kernel rows from `first` on can meet
    non-zeros."""

    lines: int
    first: int
    taps: int


@dataclass(frozen=True)
class Contraction:
    """out[i…] = Σ over the reduction of w · x, then `stores`.

    `counts` are the output axes, block first (1 if unbatched). Loops run over `outside`, then rows in tiles
    of four, then `inside`, then `vector_axis`: single indices with two vectors of lanes each, or, if
    `columns`, columns.
    """

    name: str
    counts: tuple[int, ...]
    reduction: tuple[int, ...]
    x: Operand
    w: Operand
    weights: Weights
    outside: tuple[int, ...]
    row_axis: int
    inside: tuple[int, ...]
    vector_axis: int
    columns: bool
    result: Node
    stores: tuple[tuple[Node, View], ...]
    leaves: dict[Node, View | float]
    scratch: Buffer | None = None
    """The weights of `height` rows are copied here, step by step, before they are used again and again: then
    one load serves a step, and lines of memory a power of two apart do not evict each other. `packed_floats`
    for each four rows."""
    height: int = ROWS
    """Rows whose weights are packed together, a multiple of four. More than four stay in the second cache
    while the vector axis is walked through once, what is read there of `x` in the first."""
    bands: tuple[Band, ...] = ()
    """Where an image is padded with zeros: cuts the one axis `inside` and shortens reduction axis 1, kernel
    rows."""

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """Operands and the epilogue's leaves."""
        leaves = (leaf.buffer for leaf in self.leaves.values() if isinstance(leaf, View))
        return (self.x.buffer, self.w.buffer, *leaves)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """Buffers of the stores, and the scratch."""
        scratch = (self.scratch,) if self.scratch else ()
        return (*(view.buffer for _, view in self.stores), *scratch)

    def flops(self, blocks: int) -> int:
        """Two for each multiply-add, one for each elementwise step of the epilogue and index."""
        lanes = LANES if not self.columns else 1
        outputs = lanes * prod(self.counts)
        products = outputs * prod(self.reduction)
        if self.bands:
            taps = sum(band.lines * band.taps for band in self.bands)
            products = products * taps // (sum(band.lines for band in self.bands) * self.reduction[1])
        return 2 * products + outputs * len(self.expression(Lanes(blocks)).inner())

    def expression(self, lanes: Lanes) -> Expression:
        """The epilogue over output and reduction axes; the accumulators are leaves that are given."""
        bound = bind(self.stores, self.leaves, lanes, not self.columns)
        depth = len(self.reduction)

        def change(access: Access) -> Access:
            splat = access.splat or (self.columns and access.strides[self.vector_axis] == 0)
            return Access(access.base, access.strides + (0,) * depth, splat)

        bound = rewritten(bound, change)
        return Expression(bound.stores, {**bound.leaves, self.result: 0.0})

    def emit(self, code: Code, lanes: Lanes) -> None:
        """The loop nest around the tiles."""
        expression = self.expression(lanes)
        packing = self.packing
        packed = [packing.packed()] if packing else []
        nest = Nest(code, [self.x.access(), self.w.access(), *packed, *expression.accesses])
        lanes.begin(nest)
        tiles = Tiles(self, nest, Evaluator(code, nest, expression))

        def lines(count: int) -> None:
            if packing:
                packing.four(nest, count)
            if self.bands:
                self._banded(tiles, count)
            else:
                over(self.inside, lambda: tiles.line(count))

        def over(axes: tuple[int, ...], body: Callable[[], None]) -> None:
            if not axes:
                body()
                return
            with nest.loop(axes[0], self.counts[axes[0]]):
                over(axes[1:], body)
            nest.rewind(axes[0], self.counts[axes[0]])

        def block(total: int) -> None:
            if packing:
                packing.all(nest, total)
            tiles.across(lambda each: nest.cut(self.row_axis, total, ROWS, each))

        def blocks() -> None:
            axis, still = self.row_axis, packing.packed() if packing else None
            turns, rest = divmod(self.counts[axis], self.height)
            if turns:
                with nest.loop(axis, turns, self.height, still):
                    block(self.height)
            if rest:
                block(rest)
            nest.rewind(axis, turns * self.height, still)

        outside = tuple(axis for axis in self.outside if axis or not lanes.single)
        every = self.counts[self.row_axis]
        over(outside, blocks if self.height > ROWS else lambda: nest.cut(self.row_axis, every, ROWS, lines))

    @property
    def packing(self) -> Packing | None:
        """How the weights come into the scratch."""
        if self.scratch is None:
            return None
        many = self.height > ROWS
        return Packing(
            self.w, self.weights, self.scratch, len(self.counts), self.row_axis, self.reduction, many
        )

    @property
    def turned(self) -> bool:
        """Packed weights turned by two lanes can be loaded as well."""
        if self.weights is Weights.PACKED:
            return self.w.strides[-1] > 4 * VECTOR
        return self.scratch is not None and step_floats(prod(self.reduction)) > VECTOR

    def _banded(self, tiles: "Tiles", count: int) -> None:
        """Lines band by band, each with its own kernel rows."""
        (axis,), nest, taps_axis = self.inside, tiles.nest, len(self.counts) + 1
        for band in self.bands:
            tiles.reduction[1] = band.taps
            nest.advance(taps_axis, band.first)
            with nest.loop(axis, band.lines):
                tiles.line(count)
            nest.rewind(taps_axis, band.first)
        tiles.reduction[1] = self.reduction[1]
        nest.rewind(axis, self.counts[axis])


class Tiles:
    """Writes the tiles of one contraction."""

    def __init__(self, kernel: Contraction, nest: Nest, evaluator: Evaluator) -> None:
        self.kernel, self.nest, self.evaluator = kernel, nest, evaluator
        self.code = nest.code
        packing = kernel.packing
        self.weights = Weights.PACKED if packing else kernel.weights
        self.x, self.w = kernel.x.access(), packing.packed() if packing else kernel.w.access()
        self.axes = len(kernel.counts)
        self.rank = self.axes + len(kernel.reduction)
        self.reduction = list(kernel.reduction)

    def across(self, rows: Callable[[Callable[[int], None]], None]) -> None:
        """All tiles of `rows`: item by item of the vector axis, each with all rows."""
        axis, nest, count = self.kernel.vector_axis, self.nest, self.kernel.counts[self.kernel.vector_axis]
        step = COLUMNS if self.kernel.columns else 1
        items, left = divmod(count, step)
        full = [(0, byte, VECTOR) for byte in (0, 16)]
        if items:
            with nest.loop(axis, items, step):
                rows(lambda count: self.tile(count, full))
        tail = [(0, 4 * column, min(VECTOR, left - column)) for column in range(0, left, VECTOR)]
        if tail:
            rows(lambda count: self.tile(count, tail))
        nest.rewind(axis, items * step)

    def line(self, rows: int) -> None:
        """All tiles of `rows` rows along the vector axis."""
        axis, nest = self.kernel.vector_axis, self.nest
        step = COLUMNS if self.kernel.columns else 1
        items, left = divmod(self.kernel.counts[axis], step)
        if self.weights is Weights.LANES:
            self._halves(rows)
            return
        width = max(1, ACCUMULATORS // (2 * rows))
        turns, rest = divmod(items, width)
        full = [(item, byte, VECTOR) for item in range(width) for byte in (0, 16)]
        if turns:
            with nest.loop(axis, turns, width * step):
                self.tile(rows, full)
        tail = full[: 2 * rest]
        tail += [(rest, 4 * column, min(VECTOR, left - column)) for column in range(0, left, VECTOR)]
        if tail:
            self.tile(rows, tail)
        nest.rewind(axis, turns * width * step)

    def _halves(self, rows: int) -> None:
        """The same where `w` has a value for each lane: of more items a tile takes one half of the lanes, so
        that a vector of `w` serves all its items."""
        axis, nest, width = self.kernel.vector_axis, self.nest, max(1, ACCUMULATORS // rows)
        turns, rest = divmod(self.kernel.counts[axis], width)
        if turns:
            with nest.loop(axis, turns, width):
                for byte in (0, 16):
                    self.tile(rows, [(item, byte, VECTOR) for item in range(width)])
        for byte in (0, 16) if rest else ():
            self.tile(rows, [(item, byte, VECTOR) for item in range(rest)])
        nest.rewind(axis, turns * width)

    def tile(self, rows: int, items: Sequence[tuple[int, int, int]], axis: int | None = None) -> None:
        """One tile of items along `axis`, the vector axis: sums in registers, then the epilogue row by
        row."""
        code, step = self.code, COLUMNS if self.kernel.columns else 1
        axis = self.kernel.vector_axis if axis is None else axis
        shifts = [self._shift({axis: item * step}) for item, _, _ in items]
        units = [(shift, byte, live) for shift, (_, byte, live) in zip(shifts, items, strict=True)]
        sums = [[code.local() for _ in units] for _ in range(rows)]
        for row in sums:
            for local in row:
                code.splat(0.0)
                code.set(local)
        self._reduce(list(enumerate(self.reduction, self.axes)), sums, units)
        if self._rotated(rows):
            self._straighten(sums)
        for number, row in enumerate(sums):
            given = {}
            for local, (shift, byte, live) in zip(row, units, strict=True):
                moved = list(shift)
                moved[self.kernel.row_axis] += number
                given[Unit(tuple(moved), byte, live)] = {self.kernel.result: local}
            self.evaluator.write(list(given), given)
        code.release(*(local for row in sums for local in row))

    def _shift(self, moved: Mapping[int, int]) -> tuple[int, ...]:
        return tuple(moved.get(axis, 0) for axis in range(self.rank))

    def _reduce(self, axes: list[tuple[int, int]], sums: Sums, units: Units) -> None:
        """Steps of the reduction over `axes` (axis, count): at most BODY of them straight-line, loops
        around."""
        if prod(count for _, count in axes) <= BODY:
            self._body([{}] if not axes else steps_of(axes), sums, units)
            return
        (axis, count), rest = axes[0], axes[1:]
        inner = prod(size for _, size in rest)
        chunk = max(1, BODY // inner) if inner <= BODY else 1
        turns, left = divmod(count, chunk)
        with self.nest.loop(axis, turns, chunk):
            self._reduce([(axis, chunk), *rest] if chunk > 1 else rest, sums, units)
        if left:
            self._reduce([(axis, left), *rest], sums, units)
        self.nest.rewind(axis, turns * chunk)

    def _body(self, steps: list[dict[int, int]], sums: Sums, units: Units) -> None:
        """Straight-line multiply-adds."""
        shifts = [self._shift(step) for step in steps]
        for group in self._groups(shifts):
            held = self._load_weights(group, len(sums))
            for lane, shift in enumerate(group):
                self._step(shift, lane, held, sums, units)
            self.code.release(*held)

    def _groups(self, shifts: list[tuple[int, ...]]) -> Iterator[list[tuple[int, ...]]]:
        """Steps that share vectors of `w`: up to four neighbours along the reduction."""
        if self.weights is not Weights.ALONG_REDUCTION:
            yield from ([shift] for shift in shifts)
            return
        group: list[tuple[int, ...]] = []
        for shift in shifts:
            if group and (
                len(group) == VECTOR or self.w.shifted(shift) != self.w.shifted(group[0]) + 4 * len(group)
            ):
                yield group
                group = []
            group.append(shift)
        if group:
            yield group

    def _load_weights(self, group: list[tuple[int, ...]], rows: int) -> list[int]:
        """Vectors of `w` for one group: one a row, or one for all rows."""
        kernel, code = self.kernel, self.code
        if self.weights in (Weights.LANES, Weights.SINGLE):
            return []
        held = []
        for row in range(1 if self.weights in FOUR_ROWS else rows):
            self.nest.push(self.w)
            code.memory("v128.load", self.w.shifted(group[0]) + row * self.w.strides[kernel.row_axis])
            held.append(code.local())
            code.set(held[-1])
        return held

    def _step(self, shift: tuple[int, ...], lane: int, held: list[int], sums: Sums, units: Units) -> None:
        """One step of the reduction for the whole tile."""
        code = self.code
        values = []
        for moved, byte, _ in units:
            offset = self.x.shifted(shift) + self.x.shifted(moved) - self.x.base + byte
            code.memory("v128.load", self.nest.address(self.x, offset))
            values.append(code.local())
            code.set(values[-1])
        if self._rotated(len(sums)):
            self._rotations(shift, held[0], values, sums)
            code.release(*values)
            return
        for number, row in enumerate(sums):
            cells = list(zip(row, values, units, strict=True))
            self._row(shift, lane, number, held, cells, number == len(sums) - 1)
        code.release(*values)

    def _rotated(self, rows: int) -> bool:
        """Four rows of `w` in one vector are not spread but turned: three shuffles instead of four, or two
        and a load where they are packed. Shuffles compete with the multiply-adds for the same units."""
        return self.weights in FOUR_ROWS and rows == ROWS

    def _rotations(self, shift: tuple[int, ...], weights: int, values: Sequence[int], sums: Sums) -> None:
        """Multiply-adds of four rows: lane l of sum r gets row (l + r) mod 4."""
        code = self.code
        for by in (1, 2, 3, 0):
            turned = weights
            if by:
                turned = code.local()
                if by == HALF_TURN and self.kernel.turned:
                    self.nest.push(self.w)
                    code.memory("v128.load", self.w.shifted(shift) + 4 * HALF_TURN)
                else:
                    turn(code, weights, by)
                code.set(turned)
            for total, value in zip(sums[by], values, strict=True):
                # First the factor whose register is free afterwards, as in `_row`.
                for factor in (turned, value) if by else (value, turned):
                    code.get(factor)
                code.get(total)
                code.op("f32x4.relaxed_madd")
                code.set(total)
            if by:
                code.release(turned)

    def _straighten(self, sums: Sums) -> None:
        """Sums as `_rotations` leaves them → rows: lane l of row i is that of sum (i − l) mod 4."""
        code = self.code

        def blend(a: int, b: int, words: tuple[int, int, int, int]) -> int:
            code.get(a)
            code.get(b)
            code.shuffle(words)
            found = code.local()
            code.set(found)
            return found

        for unit in range(len(sums[0])):
            t = [row[unit] for row in sums]
            even = [blend(t[by], t[(by + 3) % 4], (0, 5, 2, 7)) for by in range(4)]
            for row, total in enumerate(t):
                code.get(even[row])
                code.get(even[(row + 2) % 4])
                code.shuffle((0, 1, 6, 7))
                code.set(total)
            code.release(*even)

    def _row(
        self,
        shift: tuple[int, ...],
        lane: int,
        number: int,
        held: list[int],
        cells: list[tuple[int, int, UnitAt]],
        last: bool,
    ) -> None:
        """Multiply-adds of one row; `w` is spread once for its units. `last`: the units of `x` end here."""
        code, kind = self.code, self.weights
        offset = self.w.shifted(shift) + number * self.w.strides[self.kernel.row_axis]
        spread = code.local()
        if kind is Weights.SINGLE:
            self.nest.push(self.w)
            code.memory("v128.load32_splat", offset)
        elif kind is Weights.ALONG_REDUCTION:
            code.splat_lane(held[number], lane)
        elif kind in FOUR_ROWS:
            code.splat_lane(held[0], number)
        else:
            # All cells lie in the same half of the lanes.
            self.nest.push(self.w)
            code.memory("v128.load", offset + cells[0][2][1])
        code.set(spread)
        for total, value, _ in cells:
            # The first factor's register receives the sum: take the one that is not needed any more. The
            # other order costs a copy, and both give the same bits.
            for factor in (value, spread) if last else (spread, value):
                code.get(factor)
            code.get(total)
            code.op("f32x4.relaxed_madd")
            code.set(total)
        code.release(spread)


def turn(code: Code, vector: int, by: int) -> None:
    """Push a local with its lanes turned: lane l is lane (l + by) mod 4."""
    first, second, third, fourth = ((lane + by) % VECTOR for lane in range(VECTOR))
    code.get(vector)
    code.get(vector)
    code.shuffle((first, second, third, fourth))


def steps_of(axes: list[tuple[int, int]]) -> list[dict[int, int]]:
    """Every index of the axes, the last one fastest."""
    numbers = [axis for axis, _ in axes]
    return [dict(zip(numbers, index, strict=True)) for index in product(*(range(count) for _, count in axes))]
