"""Random numbers inside the module: Philox 4×32-10 (Salmon et al., "Parallel random numbers: as easy as 1,
2, 3", SC 2011), a function of a counter, so that nothing is stored but the number of the step.

Counter: (element of the row, row of the batch, step, node); key: the first eight bytes of H("gm/dropout" ‖
seed). The first of the four words counts: its upper 24 bits over 2²⁴.
"""

from dataclasses import dataclass
from math import prod

from executor.compiler.kernels.base import Buffer, Lanes, View, c_strides
from executor.compiler.kernels.general import laned, over, walk
from executor.compiler.kernels.nest import Access, Nest
from executor.compiler.kernels.scalar import Scalar, Value, static
from executor.compiler.types import DType
from executor.wasm.code import Code

ROUNDS = 10
FIRST_ROW = 8
"""Where the number of a shard's first row lies among its counts."""
STEPS_MAX = 1 << 24
"""Steps that a float counts."""
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)


@dataclass(frozen=True)
class Tick:
    """Counts the steps, from 1 on: a float, as all that a run keeps between calls."""

    name: str
    counter: Buffer

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The count."""
        return (self.counter,)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The count."""
        return (self.counter,)

    def flops(self, blocks: int) -> int:
        """None."""
        return 0

    def emit(self, code: Code, lanes: Lanes) -> None:
        """One addition."""
        access = Access(self.counter.offset, ())
        nest, s = Nest(code, [access]), Scalar(code)
        s.store(DType.F32, static(nest, access), s.load(DType.F32, static(nest, access)) + 1.0)


@dataclass(frozen=True)
class Uniform:
    """target ← numbers in [0, 1). With `cells` the rows are a shard's, which hold in their third place what
    number the first has in the batch, and the step is counted when it ends."""

    name: str
    key: bytes
    number: int
    counter: Buffer
    target: Buffer
    shape: tuple[int, ...]
    cells: Buffer | None = None

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The number of the step, the counts of a shard."""
        return (self.counter, self.cells) if self.cells else (self.counter,)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The numbers."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """Two products a round."""
        return 2 * ROUNDS * prod(self.shape) * (8 * blocks if self.target.batched else 1)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Row by row, in C order."""
        counts = over(self.target.batched, lanes, self.shape)
        target = laned(View(self.target, self.shape, c_strides(self.shape)))
        fixed = (0,) * len(counts)
        place = Access(self.counter.offset, fixed)
        cell = Access(self.cells.offset + FIRST_ROW, fixed) if self.cells else None
        nest, s = Nest(code, [item for item in (target, place, cell) if item]), Scalar(code)
        count = s.load(DType.F32, static(nest, place))
        step = s.let(s.op("i32.trunc_sat_f32_u", count + 1.0 if cell else count, kind="i32"))
        cut = cell if self.target.batched else None
        row = s.variable(s.load(DType.I32, static(nest, cut)) if cut else s.number("i32", 0))

        def line() -> None:
            element = s.variable(s.number("i32", 0))

            def one() -> None:
                word = self._word(s, [element.value, row.value, step, s.number("i32", self.number)])
                share = s.op("f32.convert_i32_u", word.shifted(-8), kind="f32") * 2.0**-24
                s.store(DType.F32, static(nest, target), share)
                element.set(element.value + 1)

            walk(nest, counts[2:], one, 2)
            row.set(row.value + 1)

        walk(nest, counts[:2], line)

    def _word(self, s: Scalar, counter: list[Value]) -> Value:
        """The first word of Philox's output."""
        keys = [int.from_bytes(self.key[4 * half : 4 * half + 4], "little") for half in range(2)]
        for number in range(ROUNDS):
            left, right = (
                s.let(s.op("i64.extend_i32_u", counter[2 * half], kind="i64") * MULTIPLIERS[half])
                for half in range(2)
            )
            high = [s.op("i32.wrap_i64", item.shifted(-32), kind="i32") for item in (left, right)]
            low = [s.op("i32.wrap_i64", item, kind="i32") for item in (left, right)]
            k0, k1 = ((key + number * bump) & 0xFFFFFFFF for key, bump in zip(keys, WEYL, strict=True))
            counter = [
                s.let(item) for item in (high[1] ^ counter[1] ^ k0, low[1], high[0] ^ counter[3] ^ k1, low[0])
            ]
        return counter[0]
