"""Weights of the pallet `sudo`, set by hand until they are measured."""

from __future__ import annotations

from frame import AnyCall, DispatchClass, Weight
from frame.weights import db, micros

_OWN = micros(20) + db(1, 0)


class Weights:
    """One function a call; those that carry a call add its weight."""

    @staticmethod
    def sudo(call: AnyCall) -> Weight:
        """The call's weight and looking at the key."""
        return call.info().weight + _OWN

    @staticmethod
    def sudo_unchecked_weight(weight: Weight) -> Weight:
        """What the key's holder says."""
        return weight

    @staticmethod
    def set_key() -> Weight:
        """One value."""
        return micros(20) + db(1, 1)

    @staticmethod
    def sudo_as(call: AnyCall) -> Weight:
        """The call's weight and looking at the key."""
        return call.info().weight + _OWN

    @staticmethod
    def remove_key() -> Weight:
        """One value."""
        return micros(20) + db(1, 1)


def class_of(call: AnyCall) -> DispatchClass:
    """A call in sudo keeps its class."""
    return call.info().dispatch_class
