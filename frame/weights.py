"""Weights: how long a call takes at most and how much proof it needs, as `sp_weights::Weight` counts them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from frame.rocksdb_weights import READ, WRITE
from primitives.scale import CompactU64, Struct

PICOS_PER_SECOND: Final = 10**12
PICOS_PER_MILLI: Final = 10**9
PICOS_PER_MICRO: Final = 10**6

MAX_PART: Final = (1 << 64) - 1
"""The most of either part of a weight."""


class Weight(Struct, path="sp_weights::weight_v2::Weight"):
    """Time in picoseconds on the reference machine, and bytes of storage proof."""

    ref_time: CompactU64
    proof_size: CompactU64

    def __add__(self, other: Weight) -> Weight:
        """Both parts added, saturating at 2**64 - 1."""
        ref_time, proof_size = self.ref_time + other.ref_time, self.proof_size + other.proof_size
        if ref_time > MAX_PART or proof_size > MAX_PART:
            return weight(ref_time, proof_size)
        return Weight(ref_time=ref_time, proof_size=proof_size)

    def __sub__(self, other: Weight) -> Weight:
        """Both parts subtracted, saturating at zero."""
        return weight(self.ref_time - other.ref_time, self.proof_size - other.proof_size)

    def __mul__(self, factor: int) -> Weight:
        """Both parts times a count, saturating."""
        return weight(self.ref_time * factor, self.proof_size * factor)

    __rmul__ = __mul__

    def fits(self, limit: Weight) -> bool:
        """Whether neither part is above `limit`."""
        return self.ref_time <= limit.ref_time and self.proof_size <= limit.proof_size

    def min(self, other: Weight) -> Weight:
        """The smaller of each part."""
        return weight(min(self.ref_time, other.ref_time), min(self.proof_size, other.proof_size))

    def max(self, other: Weight) -> Weight:
        """The larger of each part."""
        return weight(max(self.ref_time, other.ref_time), max(self.proof_size, other.proof_size))


def weight(ref_time: int, proof_size: int = 0) -> Weight:
    """A weight with both parts brought into 0..2**64 - 1."""
    if 0 <= ref_time <= MAX_PART and 0 <= proof_size <= MAX_PART:
        return Weight(ref_time=ref_time, proof_size=proof_size)
    return Weight(ref_time=min(max(ref_time, 0), MAX_PART), proof_size=min(max(proof_size, 0), MAX_PART))


def ms(milliseconds: int) -> Weight:
    """A weight of so many milliseconds, for tests."""
    return weight(milliseconds * PICOS_PER_MILLI)


def micros(microseconds: int, proof_size: int = 0) -> Weight:
    """A weight of so many microseconds."""
    return weight(microseconds * PICOS_PER_MICRO, proof_size)


@dataclass(frozen=True)
class DbCost:
    """What one database read and one write cost, in picoseconds."""

    read: int
    write: int


DB: Final = DbCost(read=READ, write=WRITE)
"""What `gristmill benchmark storage` has measured."""


def db(reads: int = 0, writes: int = 0) -> Weight:
    """The weight of so many distinct database reads and writes."""
    return weight(reads * DB.read + writes * DB.write)


ZERO: Final = weight(0)
MAX: Final = weight(MAX_PART, MAX_PART)


class Unmeasured:
    """A weight that is asked for and not there yet. Legal in a benchmark or test runtime; the runtime of a
    node is refused. As the weight used it is no less than any declared, so nothing is refunded.
    """

    def __call__(self, *args: int, **components: int) -> Weight:
        return MAX


class _Table(type):
    def __getattr__(cls, name: str) -> Callable[..., Weight]:
        if name.startswith("_"):
            raise AttributeError(name)
        return Unmeasured()


class WeightTable(metaclass=_Table):
    """The base of a pallet's `Weights`, which `benchmark pallet` writes: names it lacks are `Unmeasured`."""
