"""Between the host's rows and the module's lanes."""

from dataclasses import dataclass

from executor.compiler.kernels.base import Buffer, Lanes, Moving
from executor.compiler.kernels.nest import BLOCK, LANES, Access, Nest
from executor.wasm.code import Code
from executor.wasm.encoding import I32

ROW0, LIVE, STEP = 0, 1, 2
"""Parameters of every kernel: the step's first row in the regions of the call, its live rows, its number in
the call."""
CHUNK = 4
"""Features of a 4 × 4 transposition."""
PANEL = 8
"""Columns of a panel."""


def transpose4(code: Code, rows: list[int]) -> list[int]:
    """Four locals as rows of a 4 × 4 matrix → four new locals, its columns."""
    pairs = []
    for a, b in ((rows[0], rows[1]), (rows[2], rows[3])):
        for words in ((0, 4, 1, 5), (2, 6, 3, 7)):
            code.get(a)
            code.get(b)
            code.shuffle(words)
            pairs.append(code.local())
            code.set(pairs[-1])
    low0, high0, low1, high1 = pairs
    columns = []
    for a, b in ((low0, low1), (high0, high1)):
        for words in ((0, 1, 4, 5), (2, 3, 6, 7)):
            code.get(a)
            code.get(b)
            code.shuffle(words)
            columns.append(code.local())
            code.set(columns[-1])
    code.release(*pairs)
    return columns


@dataclass(frozen=True)
class RowsToLanes(Moving):
    """source: row-major rows written by the host, from row ROW0 on → target [blocks][features][8]. Rows
    beyond the live ones repeat the last live row: finite values that meet only weights of zero. `integer`
    rows become floats."""

    name: str
    source: Buffer
    target: Buffer
    integer: bool = False

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Eight row pointers a block, then 8 × 4 pieces transposed."""
        features = self.target.elements
        out = Access(self.target.offset, (features * BLOCK, BLOCK))
        nest = Nest(code, [out])
        block = code.local(I32)
        pointers = [code.local(I32) for _ in range(LANES)]
        turns, rest = divmod(features, CHUNK)
        with nest.loop(0, lanes.blocks):
            for lane, pointer in enumerate(pointers):
                self._row_pointer(code, block, lane, pointer)
            if turns:
                with nest.loop(1, turns, CHUNK):
                    self._chunk(code, nest, out, pointers, CHUNK)
            if rest:
                self._chunk(code, nest, out, pointers, rest)
            nest.rewind(1, turns * CHUNK)
            code.get(block)
            code.i32(LANES)
            code.op("i32.add")
            code.set(block)

    def _row_pointer(self, code: Code, block: int, lane: int, pointer: int) -> None:
        """pointer = (ROW0 + min(block + lane, LIVE − 1)) · bytes of a row."""
        code.get(block)
        code.i32(lane)
        code.op("i32.add")
        code.tee(pointer)
        code.get(LIVE)
        code.i32(1)
        code.op("i32.sub")
        code.get(pointer)
        code.get(LIVE)
        code.op("i32.lt_u")
        code.op("select")
        code.get(ROW0)
        code.op("i32.add")
        code.i32(4 * self.target.elements)
        code.op("i32.mul")
        code.set(pointer)

    def _chunk(self, code: Code, nest: Nest, out: Access, pointers: list[int], count: int) -> None:
        for half in range(2):
            rows = []
            for pointer in pointers[4 * half : 4 * half + 4]:
                code.get(pointer)
                code.memory("v128.load", self.source.offset)
                rows.append(code.local())
                code.set(rows[-1])
                code.get(pointer)
                code.i32(4 * count)
                code.op("i32.add")
                code.set(pointer)
            columns = transpose4(code, rows)
            for feature in range(count):
                nest.push(out)
                code.get(columns[feature])
                if self.integer:
                    code.op("f32x4.convert_i32x4_s")
                code.memory("v128.store", out.base + feature * BLOCK + 16 * half)
            code.release(*rows, *columns)


@dataclass(frozen=True)
class LanesToRows(Moving):
    """source [blocks][features][8] → target [8·blocks][pitch ≥ features] row-major. With `at_row0` the rows
    start at ROW0 of an output region that the host reads."""

    name: str
    source: Buffer
    target: Buffer
    pitch: int
    at_row0: bool = False

    def emit(self, code: Code, lanes: Lanes) -> None:
        """4 × 4 pieces transposed."""
        features = self.source.elements
        source = Access(self.source.offset, (features * BLOCK, BLOCK))
        target = Access(self.target.offset, (LANES * self.pitch * 4, 4))
        nest = Nest(code, [source, target])
        if self.at_row0:
            code.get(ROW0)
            code.i32(4 * self.pitch)
            code.op("i32.mul")
            code.set(nest.pointers[target.strides])
        turns, rest = divmod(features, CHUNK)
        with nest.loop(0, lanes.blocks):
            if turns:
                with nest.loop(1, turns, CHUNK):
                    self._chunk(code, nest, source, target, CHUNK)
            if rest:
                self._chunk(code, nest, source, target, rest)
            nest.rewind(1, turns * CHUNK)

    def _chunk(self, code: Code, nest: Nest, source: Access, target: Access, count: int) -> None:
        for half in range(2):
            features = []
            for feature in range(CHUNK):
                nest.push(source)
                code.memory("v128.load", source.base + min(feature, count - 1) * BLOCK + 16 * half)
                features.append(code.local())
                code.set(features[-1])
            rows = transpose4(code, features)
            for lane, row in enumerate(rows):
                self._store(code, nest, target, (4 * half + lane) * self.pitch * 4, row, count)
            code.release(*features, *rows)

    def _store(self, code: Code, nest: Nest, target: Access, offset: int, row: int, count: int) -> None:
        """Whole vectors where the pitch leaves room, else lane by lane."""
        if count == CHUNK:
            nest.push(target)
            code.get(row)
            code.memory("v128.store", target.base + offset)
            return
        for lane in range(count):
            nest.push(target)
            code.get(row)
            code.lane_memory("v128.store32_lane", target.base + offset + 4 * lane, lane)


@dataclass(frozen=True)
class LanesToPanels(Moving):
    """source [blocks][between][columns][8 lanes] → target [panels][blocks][between][8 lanes][8 columns]:
    what a product that sums over rows reads one after another, eight columns at a time. Columns that fill up
    the last panel hold anything."""

    name: str
    source: Buffer
    target: Buffer
    between: int
    columns: int

    def emit(self, code: Code, lanes: Lanes) -> None:
        """4 × 4 pieces transposed."""
        line, panel = self.columns * BLOCK, lanes.blocks * self.between * PANEL * LANES * 4
        source = Access(self.source.offset, (self.between * line, line, PANEL * BLOCK))
        target = Access(self.target.offset, (self.between * PANEL * BLOCK, PANEL * BLOCK, panel))
        nest = Nest(code, [source, target])
        panels, rest = divmod(self.columns, PANEL)
        with nest.loop(0, lanes.blocks):
            with nest.loop(1, self.between):
                if panels:
                    with nest.loop(2, panels):
                        self._panel(code, nest, source, target, PANEL)
                self._panel(code, nest, source, target, rest)
                nest.rewind(2, panels)
            nest.rewind(1, self.between)

    def _panel(self, code: Code, nest: Nest, source: Access, target: Access, count: int) -> None:
        for first in range(0, count, CHUNK):
            for half in range(2):
                features = []
                for feature in range(first, first + CHUNK):
                    nest.push(source)
                    code.memory("v128.load", source.base + min(feature, count - 1) * BLOCK + 16 * half)
                    features.append(code.local())
                    code.set(features[-1])
                rows = transpose4(code, features)
                for lane, row in enumerate(rows):
                    nest.push(target)
                    code.get(row)
                    offset = (4 * half + lane) * 4 * PANEL + 4 * first
                    code.memory("v128.store", target.base + offset)
                code.release(*features, *rows)


@dataclass(frozen=True)
class RowWeights:
    """target [blocks][8]: 1 / LIVE in the live rows, 0 in the others. With `cells` these two counts differ:
    of a batch in shards, they hold its rows and those of the shard, which may be none."""

    name: str
    target: Buffer
    cells: Buffer | None = None

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The counts of a shard."""
        return (self.cells,) if self.cells else ()

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The weights."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """One division a step."""
        return 1

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Straight-line code; the comparison is a lane mask."""
        weight, index = code.local(), code.local()
        code.splat(1.0)
        self._count(code, 0)
        code.op("i32x4.splat")
        code.op("f32x4.convert_i32x4_s")
        code.op("f32x4.div")
        code.set(weight)
        code.v128(b"".join(lane.to_bytes(4, "little") for lane in range(4)))
        code.set(index)
        out = Access(self.target.offset, (16,))
        nest = Nest(code, [out])
        with nest.loop(0, 2 * lanes.blocks):
            nest.push(out)
            code.get(weight)
            code.get(index)
            self._count(code, 4)
            code.op("i32x4.splat")
            code.op("i32x4.lt_u")
            code.op("v128.and")
            code.memory("v128.store", out.base)
            code.get(index)
            code.splat_bits(4)
            code.op("i32x4.add")
            code.set(index)

    def _count(self, code: Code, place: int) -> None:
        """Push the rows that share the weight (0), or those that have it (4)."""
        if self.cells is None:
            code.get(LIVE)
        else:
            code.i32(0)
            code.memory("i32.load", self.cells.offset + place)


@dataclass(frozen=True)
class StoreLoss(Moving):
    """target[STEP] = the step's loss."""

    name: str
    source: Buffer
    target: Buffer

    def emit(self, code: Code, lanes: Lanes) -> None:
        """One float."""
        code.get(STEP)
        code.i32(4)
        code.op("i32.mul")
        code.i32(0)
        code.memory("f32.load", self.source.offset)
        code.memory("f32.store", self.target.offset)


@dataclass(frozen=True)
class LoadNumber(Moving):
    """target = source[STEP · count + index]: a number of the step, as the host computed it."""

    name: str
    source: Buffer
    count: int
    index: int
    target: Buffer

    def emit(self, code: Code, lanes: Lanes) -> None:
        """One float."""
        code.i32(0)
        code.get(STEP)
        code.i32(4 * self.count)
        code.op("i32.mul")
        code.memory("f32.load", self.source.offset + 4 * self.index)
        code.memory("f32.store", self.target.offset)
