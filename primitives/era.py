"""How long a signed extrinsic lives. Source: Substrate `primitives/runtime/src/generic/era.rs`."""

from __future__ import annotations

from dataclasses import dataclass

from primitives.scale import Codec, ScaleError
from primitives.scale.emit import Reader, Writer

MIN_PERIOD = 4
MAX_PERIOD = 1 << 16


@dataclass(frozen=True, slots=True)
class Era:
    """`Era()` is immortal; `Era(period, phase)` lives `period` (a power of two, 4..65536) blocks from its
    birth on.

    `phase` is the birth block's place in the period, a multiple of `max(period / 4096, 1)`.
    """

    period: int = 0
    phase: int = 0

    def __post_init__(self) -> None:
        if not self.period:
            if self.phase:
                raise ScaleError("an immortal era has no phase")
            return
        if self.period.bit_count() != 1 or not MIN_PERIOD <= self.period <= MAX_PERIOD:
            raise ScaleError(f"an era's period is a power of two from 4 to 65536, not {self.period}")
        if not 0 <= self.phase < self.period or self.phase % self._quantum:
            raise ScaleError(f"phase {self.phase} is not one of period {self.period}")

    @classmethod
    def mortal(cls, period: int, current: int) -> Era:
        """The era of about `period` blocks that holds block number `current`."""
        power = 1 << max(period - 1, 0).bit_length()
        chosen = min(max(power, MIN_PERIOD), MAX_PERIOD)
        quantum = max(chosen >> 12, 1)
        return cls(chosen, current % chosen // quantum * quantum)

    @property
    def is_immortal(self) -> bool:
        """Whether the extrinsic never expires."""
        return not self.period

    @property
    def _quantum(self) -> int:
        return max(self.period >> 12, 1)

    def birth(self, current: int) -> int:
        """The block whose hash is signed, seen from block number `current`."""
        if not self.period:
            return 0
        return (max(current, self.phase) - self.phase) // self.period * self.period + self.phase

    def death(self, current: int) -> int:
        """The first block in which the extrinsic is dead; 2**64 − 1 when it never is."""
        return self.birth(current) + self.period if self.period else (1 << 64) - 1

    def encode(self) -> bytes:
        """One zero byte, or two bytes."""
        if not self.period:
            return b"\0"
        exponent = min(max(self.period.bit_length() - 2, 1), 15)
        return (exponent | self.phase // self._quantum << 4).to_bytes(2, "little")

    @classmethod
    def decode(cls, data: bytes) -> Era:
        """The era whose encoding is exactly `data`; impossible periods and phases are refused."""
        return ERA_CODEC.decode(data)


def _from_word(word: int) -> Era:
    period = 2 << (word & 15)
    return Era(period, (word >> 4) * max(period >> 12, 1))


class EraCodec(Codec[Era]):
    """The codec of `Era`: its two forms have different lengths, told by the first byte."""

    path = ("sp_runtime", "generic", "era", "Era")
    min_len = 1
    max_len = 2

    def __str__(self) -> str:
        return "Era"

    def emit_decode(self, r: Reader) -> str:
        first, second, name = r.byte(), r.fresh(), r.fresh()
        r.line(f"if {first} == 0: {name} = {r.bind(Era())}")
        r.line("else:")
        with r.indented():
            r.line("if o >= e: raise truncated(o, 1, e)")
            r.line(f"{second} = b[o]")
            r.line("o += 1")
            r.line(f"{name} = {r.bind(_from_word)}({first} | {second} << 8)")
        return name

    def emit_encode(self, w: Writer, value: str) -> None:
        w.part(f"{value}.encode()")


ERA_CODEC = EraCodec()
