"""The stored types of the pallet `system`, with Substrate's paths."""

from __future__ import annotations

from typing import Annotated, Any

from frame.call import DispatchClass, Pays
from frame.codecs import OUTER_EVENT
from frame.weights import Weight
from primitives.scale import H256, U32, U64, CompactU32, Enum, Struct, Text, Variant


class Phase(Enum, path="frame_system::Phase"):
    """When in a block an event happened."""

    class ApplyExtrinsic(Variant, index=0, unnamed=True):
        """While this extrinsic was applied."""

        value: U32

    class Finalization(Variant, index=1):
        """While the block was finished."""

    class Initialization(Variant, index=2):
        """While the block was begun."""


class EventRecord(Struct, path="frame_system::EventRecord", params={"E": OUTER_EVENT, "T": H256}):
    """An event and where it comes from."""

    phase: Phase
    event: Annotated[Any, OUTER_EVENT]
    topics: list[H256]


class LastRuntimeUpgradeInfo(Struct, path="frame_system::LastRuntimeUpgradeInfo"):
    """The runtime that last wrote this state."""

    spec_version: CompactU32
    spec_name: Text


class DispatchEventInfo(Struct, path="frame_system::DispatchEventInfo"):
    """What an extrinsic's event says of its weight and fee."""

    weight: Weight
    class_: DispatchClass
    pays_fee: Pays


class RuntimeDbWeight(Struct, path="sp_weights::RuntimeDbWeight"):
    """What a database read and a write weigh, in picoseconds."""

    read: U64
    write: U64
