"""The fast path of the sampler as a wasm module: what `Sampler.fast` says, a page at a time, some two
nanoseconds a draw.

A module for each deviation, whose numbers are constants in the code; tables and words lie in its memory. It
sees random words and tables only, never a row. The same instructions on every machine, integers only, so the
draws are the same everywhere.
"""

from dataclasses import dataclass

import numpy as np
import wasmtime
from numpy.typing import NDArray

from executor.chacha import Words as Stream
from executor.privacy.gaussian import (
    BUCKETS,
    CELL_BITS,
    NEXT_TO_ACCEPT,
    SIGN_BIT,
    UNDECIDED,
    Draws,
    Sampler,
    Words,
)
from executor.wasm.code import Code
from executor.wasm.encoding import I32, module
from executor.wasm.engine import engine
from primitives.wasm.call import Entry

PAGE = 1 << 16
"""Draws of a call."""
CELLS = 64
"""For each cell its threshold and its alias, in the upper 20 and the lower 12 bits."""
FIRST = CELLS + 4 * BUCKETS
SECOND = FIRST + 4 * PAGE
DRAWN = SECOND + 4 * PAGE
LANES, UNROLL = 4, 4
GROUP = LANES * UNROLL
GROUPS = DRAWN + 4 * PAGE
"""Addresses of groups of neighbouring draws some of which are left open."""
COUNT = GROUPS + 4 * PAGE // GROUP + 16
"""How many draws are left open; then come lists of their places, first words and second words."""
LEFT = COUNT + 16
LISTS = 3
PAGES = -(-(LEFT + LISTS * 4 * (PAGE + 1)) // 65536)


@dataclass(frozen=True)
class Left:
    """Draws that are left open: where they lie in the page, and their words."""

    places: NDArray[np.uint32]
    first: Words
    second: Words


class FastSampler:
    """The fast path of one `Sampler`. Not for several threads at once."""

    def __init__(self, sampler: Sampler) -> None:
        machine = engine(fuel=False, reorder=True)
        self._store = wasmtime.Store(machine)
        compiled = wasmtime.Module(machine, _module(sampler))
        exports = wasmtime.Instance(self._store, compiled, []).exports(self._store)
        draw, memory = exports["draw"], exports["memory"]
        assert isinstance(draw, wasmtime.Func) and isinstance(memory, wasmtime.Memory)
        self._draw, self._memory = Entry(self._store, draw), memory
        memory.write(self._store, (sampler.threshold << CELL_BITS | sampler.alias).tobytes(), CELLS)
        self._words = self._at(FIRST, 2 * PAGE)
        self._drawn = self._at(DRAWN, PAGE).view(np.int32)
        self._count = self._at(COUNT, 1)
        self._left = self._at(LEFT, LISTS * (PAGE + 1)).reshape(LISTS, PAGE + 1)

    def __call__(self, stream: Stream, into: Draws) -> Left:
        """As `Sampler.fast` for the next words of a stream: PAGE first ones, then as many second ones."""
        stream.fill(self._words)
        self._draw()
        into[:] = self._drawn
        return Left(*self._left[:, : int(self._count[0])].copy())

    def _at(self, place: int, count: int) -> NDArray[np.uint32]:
        """A view that must not outlive this object; the memory never grows."""
        pointer = memoryview(self._memory.get_buffer_ptr(self._store, 4 * count, place))
        return np.frombuffer(pointer, dtype=np.uint32)


def _module(sampler: Sampler) -> bytes:
    code = Code()
    index, end = code.local(I32), code.local(I32)
    some, four = code.local(), Four(code, sampler, index)
    with code.loop(PAGE // GROUP):
        code.splat_bits(0)
        code.set(some)
        for item in range(UNROLL):
            four.draw(4 * LANES * item, some)
        # Always written; it stays only if the end moves on.
        code.get(end)
        code.get(index)
        code.memory("i32.store", GROUPS)
        code.get(some)
        code.op("v128.any_true")
        _advance(code, end)
        code.get(index)
        _with(code, 4 * GROUP, "i32.add")
        code.set(index)
    _list(code, end)
    return module([code.body()], PAGES, [("draw", 0)])


def _list(code: Code, groups: int) -> None:
    """The draws left open, out of the groups up to an end."""
    at, end, group = code.local(I32), code.local(I32), code.local(I32)
    code.get(groups)
    _with(code, 2, "i32.shr_u")
    code.set(groups)
    with code.unless_zero(groups), code.loop_while_counting(groups):
        code.get(at)
        code.memory("i32.load", GROUPS)
        code.set(group)
        for item in range(GROUP):
            code.get(end)
            code.get(group)
            _with(code, 2, "i32.shr_u")
            _with(code, item, "i32.add")
            code.memory("i32.store", LEFT)
            for number, words in ((1, FIRST), (2, SECOND)):
                code.get(end)
                code.get(group)
                code.memory("i32.load", words + 4 * item)
                code.memory("i32.store", LEFT + number * 4 * (PAGE + 1))
            code.get(group)
            code.memory("i32.load", DRAWN + 4 * item)
            _with(code, int(UNDECIDED) & 0xFFFF_FFFF, "i32.eq")
            _advance(code, end)
        code.get(at)
        _with(code, 4, "i32.add")
        code.set(at)
    code.i32(0)
    code.get(end)
    _with(code, 2, "i32.shr_u")
    code.memory("i32.store", COUNT)


def _advance(code: Code, end: int) -> None:
    """Move the end of a list behind what was written there if the number on the stack is one, not zero."""
    _with(code, 2, "i32.shl")
    code.get(end)
    code.op("i32.add")
    code.set(end)


def _with(code: Code, value: int, name: str) -> None:
    code.i32(value)
    code.op(name)


@dataclass(frozen=True)
class Four:
    """Writes code for four draws in the lanes of vectors: `Sampler.fast`, line by line."""

    code: Code
    sampler: Sampler
    index: int

    def draw(self, offset: int, some: int) -> None:
        """Those whose words lie `offset` bytes behind the index; those left open are added to mask `some`."""
        code, shift = self.code, self.sampler.shift
        names = ("first", "entry", "threshold", "bucket", "second", "minus", "x", "open")
        first, entry, threshold, bucket, second, minus, x, left = held = [code.local() for _ in names]
        self._load(FIRST + offset, first)
        self._gather(offset, entry)
        # The bucket: the cell itself below its threshold, else its alias.
        self._bits(first, BUCKETS - 1, "v128.and")
        self._bits(entry, BUCKETS - 1, "v128.and")
        self._shifted(first, CELL_BITS, "i32x4.shr_u")
        code.tee(first)
        self._shifted(entry, CELL_BITS, "i32x4.shr_u")
        code.tee(threshold)
        code.op("i32x4.lt_s")
        code.op("v128.bitselect")
        code.set(bucket)
        self._load(SECOND + offset, second)
        code.get(bucket)
        if shift:
            code.i32(shift)
            code.op("i32x4.shl")
            self._bits(second, (1 << shift) - 1, "v128.and")
            code.op("v128.or")
        code.set(x)
        self._left_open((first, threshold, bucket, second, x), left, some)
        # (x ^ m) − m is −x for m = −1, and x for m = 0.
        self._shifted(second, 31 - SIGN_BIT, "i32x4.shl")
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
        code.get(left)
        code.op("v128.bitselect")
        code.memory("v128.store", DRAWN + offset)
        code.release(*held)

    def _left_open(self, of: tuple[int, int, int, int, int], left: int, some: int) -> None:
        """The mask of lanes that the fast path does not decide."""
        code = self.code
        fraction, threshold, bucket, second, x = of
        if self.sampler.slope:
            # (2·slope, slope) times (bucket, 1), as halves of a lane.
            self._bits(bucket, 1 << 16, "v128.or")
            code.splat_bits(self.sampler.slope << 16 | 2 * self.sampler.slope)
            code.op("i32x4.dot_i16x8_s")
            self._shifted(second, NEXT_TO_ACCEPT, "i32x4.shr_u")
            code.op("i32x4.add")
            code.splat_bits(self.sampler.bar)
            code.op("i32x4.gt_s")
        for one, other in ((fraction, threshold), (x, None)):
            code.get(one)
            code.splat_bits(0) if other is None else code.get(other)
            code.op("i32x4.eq")
        code.op("v128.or")
        if self.sampler.slope:
            code.op("v128.or")
        code.tee(left)
        code.get(some)
        code.op("v128.or")
        code.set(some)

    def _load(self, place: int, into: int) -> None:
        self.code.get(self.index)
        self.code.memory("v128.load", place)
        self.code.set(into)

    def _gather(self, offset: int, into: int) -> None:
        """The entries of the cells that the first words choose; those are loaded as numbers once more, which
        takes less time than to take a vector apart.
        """
        code = self.code
        for lane in range(LANES):
            code.get(self.index)
            code.memory("i32.load", FIRST + offset + 4 * lane)
            _with(code, BUCKETS - 1, "i32.and")
            _with(code, 2, "i32.shl")
            if lane:
                code.get(into)
                code.lane_memory("v128.load32_lane", CELLS, lane)
            else:
                code.memory("v128.load32_zero", CELLS)
            code.set(into)

    def _bits(self, vector: int, bits: int, name: str) -> None:
        self.code.get(vector)
        self.code.splat_bits(bits)
        self.code.op(name)

    def _shifted(self, vector: int, by: int, name: str) -> None:
        self.code.get(vector)
        self.code.i32(by)
        self.code.op(name)
