"""The fast path of the sampler as a wasm module: what `Sampler.fast` says, a few nanoseconds a draw.

One module for all deviations; tables and words lie in its memory. It sees random words and tables only,
never a row. The same instructions on every machine, integers only, so the numbers are the same everywhere.
"""

from dataclasses import dataclass

import numpy as np
import wasmtime
from numpy.typing import NDArray

from executor.chacha import Words as Stream
from executor.privacy.gaussian import (
    ACCEPT_BITS,
    BUCKETS,
    CELL_BITS,
    SIGN_BIT,
    SLOPE_BITS,
    UNDECIDED,
    Draws,
    Sampler,
    Words,
)
from executor.wasm.code import Code
from executor.wasm.encoding import I32, module
from executor.wasm.engine import engine

DRAWS_MAX = 1 << 16
CELLS = 64
"""For each cell its threshold and its alias, in the upper 20 and the lower 12 bits."""
FIRST = CELLS + 4 * BUCKETS
SECOND = FIRST + 4 * DRAWS_MAX
DRAWN = SECOND + 4 * DRAWS_MAX
PAGES = -(-(DRAWN + 4 * DRAWS_MAX) // 65536)
LANES, UNROLL = 4, 4
TURNS, SHIFT, LEVEL, SLOPE = range(4)
"""Parameters: how often LANES·UNROLL draws, s, and what says that a number is surely kept."""


class FastSampler:
    """The fast path of one `Sampler`. Not for several threads at once."""

    def __init__(self, sampler: Sampler) -> None:
        machine = engine(fuel=False, reorder=True)
        self._shift = sampler.shift
        self._store = wasmtime.Store(machine)
        exports = wasmtime.Instance(self._store, wasmtime.Module(machine, _module()), []).exports(self._store)
        draw, memory = exports["draw"], exports["memory"]
        assert isinstance(draw, wasmtime.Func) and isinstance(memory, wasmtime.Memory)
        self._draw, self._memory = draw, memory
        self._level, self._slope = sampler.level, sampler.slope
        memory.write(self._store, (sampler.threshold << CELL_BITS | sampler.alias).tobytes(), CELLS)

    def __call__(self, stream: Stream, count: int) -> Draws:
        """As `Sampler.fast` for the next words of a stream: `count` first ones, then as many second ones."""
        for place in (FIRST, SECOND):
            stream.fill(memoryview(self._memory.get_buffer_ptr(self._store, 4 * count, place)).cast("B"))
        turns = -(-count // (LANES * UNROLL))
        self._draw(self._store, turns, self._shift, self._level, self._slope)
        return self._at(DRAWN, count).view(np.int32).copy()

    def words(self, places: NDArray[np.int64]) -> tuple[Words, Words]:
        """First and second words of some of the last call's draws."""
        return self._at(FIRST, DRAWS_MAX)[places], self._at(SECOND, DRAWS_MAX)[places]

    def _at(self, place: int, count: int) -> NDArray[np.uint32]:
        """A view that must not outlive this object."""
        pointer = memoryview(self._memory.get_buffer_ptr(self._store, 4 * count, place))
        return np.frombuffer(pointer, dtype=np.uint32)


def _module() -> bytes:
    code = Code(4)
    index = code.local(I32)
    mask, level, slope = code.local(), code.local(), code.local()
    code.i32(1)
    code.get(SHIFT)
    code.op("i32.shl")
    _with(code, 1, "i32.sub")
    code.op("i32x4.splat")
    code.set(mask)
    for parameter, local in ((LEVEL, level), (SLOPE, slope)):
        code.get(parameter)
        code.op("i32x4.splat")
        code.set(local)
    four = Four(code, index, mask, level, slope)
    with code.unless_zero(TURNS), code.loop_while_counting(TURNS):
        for item in range(UNROLL):
            four.draw(16 * item)
        code.get(index)
        _with(code, 16 * UNROLL, "i32.add")
        code.set(index)
    return module([code.body()], PAGES, [("draw", 0)])


def _with(code: Code, value: int, name: str) -> None:
    code.i32(value)
    code.op(name)


@dataclass(frozen=True)
class Four:
    """Writes code for four draws in the lanes of vectors: `Sampler.fast`, line by line."""

    code: Code
    index: int
    mask: int
    level: int
    slope: int

    def draw(self, offset: int) -> None:
        """Those whose words lie `offset` bytes behind the index."""
        code = self.code
        names = ("first", "cell", "entry", "threshold", "bucket", "second", "minus", "x")
        first, cell, entry, threshold, bucket, second, minus, x = held = [code.local() for _ in names]
        self._load(FIRST + offset, first)
        code.get(first)
        self._bits(BUCKETS - 1, "v128.and")
        code.set(cell)
        self._gather(cell, entry)
        # The bucket: the cell itself below its threshold, else its alias.
        code.get(cell)
        code.get(entry)
        self._bits(BUCKETS - 1, "v128.and")
        self._shifted(first, CELL_BITS)
        code.tee(first)
        self._shifted(entry, CELL_BITS)
        code.tee(threshold)
        code.op("i32x4.lt_u")
        code.op("v128.bitselect")
        code.tee(bucket)
        code.get(SHIFT)
        code.op("i32x4.shl")
        self._load(SECOND + offset, second)
        code.get(second)
        code.get(self.mask)
        code.op("v128.and")
        code.op("v128.or")
        code.set(x)
        # (x ^ m) − m is −x for m = −1, and x for m = 0.
        code.get(second)
        code.i32(31 - SIGN_BIT)
        code.op("i32x4.shl")
        code.i32(31)
        code.op("i32x4.shr_s")
        code.set(minus)
        code.get(self.index)
        code.splat_bits(int(UNDECIDED) & 0xFFFF_FFFF)
        code.get(x)
        code.get(minus)
        code.op("v128.xor")
        code.get(minus)
        code.op("i32x4.sub")
        self._left_open(first, threshold, bucket, second, x)
        code.op("v128.bitselect")
        code.memory("v128.store", DRAWN + offset)
        code.release(*held)

    def _left_open(self, fraction: int, threshold: int, bucket: int, second: int, x: int) -> None:
        """Push the mask of lanes that the fast path does not decide."""
        code = self.code
        self._shifted(second, 32 - ACCEPT_BITS)
        code.get(self.level)
        code.get(bucket)
        code.get(bucket)
        code.op("i32x4.add")
        self._bits(1, "i32x4.add")
        code.get(self.slope)
        code.op("i32x4.mul")
        code.i32(SLOPE_BITS)
        code.op("i32x4.shr_u")
        code.op("i32x4.sub")
        code.op("i32x4.ge_s")
        code.get(fraction)
        code.get(threshold)
        code.op("i32x4.eq")
        code.op("v128.or")
        code.get(x)
        code.splat_bits(0)
        code.op("i32x4.eq")
        code.op("v128.or")

    def _load(self, place: int, into: int) -> None:
        self.code.get(self.index)
        self.code.memory("v128.load", place)
        self.code.set(into)

    def _gather(self, cell: int, into: int) -> None:
        """The entries of four cells."""
        code = self.code
        for lane in range(LANES):
            code.get(cell)
            code.extract_i32(lane)
            _with(code, 2, "i32.shl")
            code.get(into)
            code.lane_memory("v128.load32_lane", CELLS, lane)
            code.set(into)

    def _bits(self, bits: int, name: str) -> None:
        self.code.splat_bits(bits)
        self.code.op(name)

    def _shifted(self, vector: int, by: int) -> None:
        self.code.get(vector)
        self.code.i32(by)
        self.code.op("i32x4.shr_u")
