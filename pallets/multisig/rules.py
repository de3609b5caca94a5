"""What the calls of the pallet `multisig` weigh, from its measured weights and those of the carried calls."""

from __future__ import annotations

from frame import DispatchClass, RuntimeCall, Weight
from frame.weights import db
from pallets.multisig.weights import Weights


def size_of(call: RuntimeCall) -> int:
    """Length of the encoded call in bytes."""
    return len(call.encode())


def threshold_1_weight(call: RuntimeCall) -> Weight:
    """The call, and a look at the composite account."""
    return Weights.as_multi_threshold_1(size_of(call)) + db(1, 1) + call.info().weight


def as_multi_weight(other_signatories: list[bytes], call: RuntimeCall, max_weight: Weight) -> Weight:
    """The dearest of what the approval may turn out to be, and all that the call may use."""
    s, z = len(other_signatories), size_of(call)
    own = Weights.as_multi_create(s, z).max(Weights.as_multi_approve(s, z))
    return own.max(Weights.as_multi_complete(s, z)) + max_weight


def completed(others: int, call: RuntimeCall, used: Weight | None) -> Weight | None:
    """What the last approval used, None when the call does not know better than its declaration."""
    return None if used is None else Weights.as_multi_complete(others, size_of(call)) + used


def class_of(call: RuntimeCall) -> DispatchClass:
    """A carried call keeps its class."""
    return call.info().dispatch_class
