"""The fast path of the sampler as a wasm module: what `Sampler.fast` says, a few nanoseconds a draw.

One module for all deviations; tables and words lie in its memory. It sees random words and tables only,
never a row. The same instructions on every machine, integers only, so the numbers are the same everywhere.
"""

import numpy as np
import wasmtime
from numpy.typing import NDArray

from executor.chacha import Words as Stream
from executor.privacy.gaussian import (
    ACCEPT_BITS,
    BUCKETS,
    CELL_BITS,
    SIGN_BIT,
    UNDECIDED,
    Draws,
    Sampler,
    Words,
)
from executor.wasm.code import Code
from executor.wasm.encoding import I32, module
from executor.wasm.engine import engine

DRAWS_MAX = 1 << 16
THRESHOLDS = 64
ALIASES = THRESHOLDS + 4 * BUCKETS
SURELY = ALIASES + 2 * BUCKETS
FIRST = SURELY + 2 * BUCKETS
SECOND = FIRST + 4 * DRAWS_MAX
DRAWN = SECOND + 4 * DRAWS_MAX
PAGES = -(-(DRAWN + 4 * DRAWS_MAX) // 65536)
UNROLL = 4
TURNS, SHIFT, MASK = range(3)
"""Parameters: how often UNROLL draws, s, 2^s − 1."""


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
        for place, table in (
            (THRESHOLDS, sampler.threshold),
            (ALIASES, sampler.alias),
            (SURELY, sampler.surely),
        ):
            memory.write(self._store, table.tobytes(), place)

    def __call__(self, stream: Stream, count: int) -> Draws:
        """As `Sampler.fast` for the next words of a stream: `count` first ones, then as many second ones."""
        for place in (FIRST, SECOND):
            stream.fill(memoryview(self._memory.get_buffer_ptr(self._store, 4 * count, place)).cast("B"))
        self._draw(self._store, -(-count // UNROLL), self._shift, (1 << self._shift) - 1)
        return self._at(DRAWN, count).view(np.int32).copy()

    def words(self, places: NDArray[np.int64]) -> tuple[Words, Words]:
        """First and second words of some of the last call's draws."""
        return self._at(FIRST, DRAWS_MAX)[places], self._at(SECOND, DRAWS_MAX)[places]

    def _at(self, place: int, count: int) -> NDArray[np.uint32]:
        """A view that must not outlive this object."""
        pointer = memoryview(self._memory.get_buffer_ptr(self._store, 4 * count, place))
        return np.frombuffer(pointer, dtype=np.uint32)


def _module() -> bytes:
    code = Code(3)
    index = code.local(I32)
    locals_ = [code.local(I32) for _ in range(5)]
    with code.unless_zero(TURNS), code.loop_while_counting(TURNS):
        for item in range(UNROLL):
            _one(code, index, 4 * item, locals_)
        code.get(index)
        code.i32(4 * UNROLL)
        code.op("i32.add")
        code.set(index)
    return module([code.body()], PAGES, [("draw", 0)])


def _one(code: Code, index: int, offset: int, locals_: list[int]) -> None:
    """One draw. What follows is `Sampler.fast`, line by line."""
    cell, fraction, bucket, x, second = locals_
    code.get(index)
    code.get(index)
    code.memory("i32.load", FIRST + offset)
    code.tee(fraction)
    _with(code, BUCKETS - 1, "i32.and")
    code.tee(cell)
    code.get(cell)
    _with(code, 1, "i32.shl")
    code.memory("i32.load16_u", ALIASES)
    code.get(fraction)
    _with(code, CELL_BITS, "i32.shr_u")
    code.tee(fraction)
    code.get(cell)
    _with(code, 2, "i32.shl")
    code.memory("i32.load", THRESHOLDS)
    code.tee(cell)  # the threshold, from here on
    code.op("i32.lt_u")
    code.op("select")
    code.tee(bucket)
    code.get(SHIFT)
    code.op("i32.shl")
    code.get(index)
    code.memory("i32.load", SECOND + offset)
    code.tee(second)
    code.get(MASK)
    code.op("i32.and")
    code.op("i32.or")
    code.set(x)
    code.i32(int(UNDECIDED))
    # (x ^ −sign) + sign is −x for a set sign.
    code.get(x)
    code.i32(0)
    _sign(code, second)
    code.op("i32.sub")
    code.op("i32.xor")
    _sign(code, second)
    code.op("i32.add")
    code.get(second)
    _with(code, 32 - ACCEPT_BITS, "i32.shr_u")
    code.get(bucket)
    _with(code, 1, "i32.shl")
    code.memory("i32.load16_u", SURELY)
    code.op("i32.ge_u")
    code.get(fraction)
    code.get(cell)
    code.op("i32.eq")
    code.op("i32.or")
    code.get(x)
    code.op("i32.eqz")
    code.op("i32.or")
    code.op("select")
    code.memory("i32.store", DRAWN + offset)


def _with(code: Code, value: int, name: str) -> None:
    code.i32(value)
    code.op(name)


def _sign(code: Code, second: int) -> None:
    code.get(second)
    _with(code, SIGN_BIT, "i32.shr_u")
    _with(code, 1, "i32.and")
