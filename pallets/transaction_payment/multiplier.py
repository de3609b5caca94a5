"""The fee multiplier: dear when blocks are full, cheap when they are not.

    next = previous · (1 ± v·d + (v·d)²/2),   d = |s − s'| / max

with s the weight that Normal calls used of the dimension (time or proof) that is fuller, s' the target, v the
variability. All numbers are FixedU128: integers of 10⁻¹⁸, each operation rounded down as there.

Source: Substrate `frame/transaction-payment/src/lib.rs` (TargetedFeeAdjustment).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from frame import Weight

ONE: Final = 10**18
"""The multiplier 1."""

MAX: Final = (1 << 128) - 1
_BILLION: Final = 10**9


@dataclass(frozen=True)
class Adjustment:
    """How the multiplier moves; all fields in 10⁻¹⁸. The defaults are those of Substrate's node."""

    target: int = ONE // 4
    """The fullness of the Normal share at which the multiplier rests."""
    variability: int = ONE // 100_000
    minimum: int = ONE // 1_000_000_000
    maximum: int = MAX

    def range(self) -> tuple[int, int]:
        """The least and the greatest multiplier."""
        return self.minimum, self.maximum

    def next(self, previous: int, used: Weight, most: Weight) -> int:
        """The multiplier after a block whose Normal calls used `used` of at most `most`."""
        previous = max(previous, self.minimum)
        spent, limit = _limiting(used.min(most), most)
        target = _nearest(self.target * limit, ONE)
        distance = min(abs(spent - target) * ONE // max(limit, 1), MAX)
        first = _times(self.variability, distance)
        second = _times(_times(self.variability, self.variability) // 2, _times(distance, distance))
        if spent >= target:
            new = min(previous + _times(min(first + second, MAX), previous), MAX)
        else:
            new = max(previous - _times(max(first - second, 0), previous), 0)
        return min(max(new, self.minimum), self.maximum)


def times(multiplier: int, amount: int) -> int:
    """`amount` times a multiplier, rounded down."""
    return min(multiplier * amount // ONE, MAX)


def _limiting(used: Weight, most: Weight) -> tuple[int, int]:
    # Compared in parts per billion, so that a difference below that leaves the time in charge.
    time = used.ref_time * _BILLION // max(most.ref_time, 1)
    proof = used.proof_size * _BILLION // max(most.proof_size, 1)
    return (used.proof_size, most.proof_size) if time < proof else (used.ref_time, most.ref_time)


def _times(a: int, b: int) -> int:
    return min(a * b // ONE, MAX)


def _nearest(numerator: int, denominator: int) -> int:
    # Halves go down.
    return (2 * numerator + denominator - 1) // (2 * denominator)
