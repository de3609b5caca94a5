"""The pallet `timestamp` (`substrate/frame/timestamp/src/lib.rs`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from frame import DispatchClass, Origin, Other, Pallet, RuntimeCall, StorageValue, Weight, call
from pallets.timestamp.weights import Weights
from primitives.scale import U64, CompactU64, ScaleError, codec

INHERENT = b"timstap0"


@dataclass(frozen=True)
class Config:
    """How fast time may run.

    minimum_period: The minimum period between blocks.
    """

    minimum_period: U64 = 1


class Timestamp(Pallet[Config], weights=Weights, inherent=INHERENT):
    """Keeps the time of the block, in milliseconds since 1970. Exactly one `set` a block."""

    now_ms = StorageValue[U64](default=0, name="Now", doc="The current time for the current block.")
    did_update = StorageValue[bool](
        default=False, doc="Whether the timestamp has been updated in this block."
    )

    @call(0, dispatch_class=DispatchClass.Mandatory, inherent=True)
    def set(self, origin: Origin, now: CompactU64) -> None:
        """Set the current time. Once a block, by the author, later than the previous block by the minimum
        period.
        """
        origin.none()
        if self.did_update.exists():
            raise Other("Timestamp must be updated only once in the block")
        previous = self.now_ms.get()
        if previous and now < previous + self.config.minimum_period:
            raise Other("Timestamp must increment by at least <MinimumPeriod> between sequential blocks")
        self.now_ms.put(now)
        self.did_update.put(True)

    def now(self) -> int:
        """The block's time in milliseconds; before the inherent, that of the previous block."""
        return self.now_ms.get()

    def on_initialize(self, number: int) -> Weight:
        return Weights.on_finalize()

    def on_finalize(self, number: int) -> None:
        if self.did_update.take() is None:
            raise Other("Timestamp must be updated once in the block")

    def create_inherent(self, data: Mapping[bytes, bytes]) -> RuntimeCall | None:
        raw = data.get(INHERENT)
        if raw is None:
            return None
        earliest = self.now_ms.get() + self.config.minimum_period
        return self.set.new(max(codec(U64).decode(raw), earliest))

    def check_inherent(self, call: RuntimeCall, data: Mapping[bytes, bytes]) -> str | None:
        raw = data.get(INHERENT)
        if raw is None:
            return None
        try:
            codec(U64).decode(raw)
        except ScaleError as error:
            return str(error)
        if call.args[0] < self.now_ms.get() + self.config.minimum_period:
            return "The time since the last timestamp is lower than the minimum period."
        return None
