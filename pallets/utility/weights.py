"""Weights of the pallet `utility`, set by hand until they are measured: the calls and a little for each."""

from __future__ import annotations

from collections.abc import Sequence

from frame import AnyCall, DispatchClass, RuntimeCall, Weight
from frame.weights import ZERO, db, micros


def batch_overhead(count: int) -> Weight:
    """What a batch of `count` calls takes besides the calls."""
    return micros(5 + 3 * count)


IF_ELSE_OVERHEAD = micros(8)
"""What `if_else` takes besides its calls."""


def _of(calls: Sequence[RuntimeCall]) -> Weight:
    total = ZERO
    for call in calls:
        total = total + call.info().weight
    return total + batch_overhead(len(calls))


class Weights:
    """One function a call."""

    @staticmethod
    def batch(calls: list[AnyCall]) -> Weight:
        """All calls."""
        return _of(calls)

    @staticmethod
    def batch_all(calls: list[AnyCall]) -> Weight:
        """All calls."""
        return _of(calls)

    @staticmethod
    def force_batch(calls: list[AnyCall]) -> Weight:
        """All calls."""
        return _of(calls)

    @staticmethod
    def as_derivative(call: AnyCall) -> Weight:
        """The call, and a look at the account."""
        return call.info().weight + micros(5) + db(1, 1)

    @staticmethod
    def dispatch_as(call: AnyCall) -> Weight:
        """The call."""
        return call.info().weight + micros(5)

    @staticmethod
    def dispatch_as_fallible(call: AnyCall) -> Weight:
        """The call."""
        return call.info().weight + micros(5)

    @staticmethod
    def if_else(main: AnyCall, fallback: AnyCall) -> Weight:
        """Both calls."""
        return main.info().weight + fallback.info().weight + IF_ELSE_OVERHEAD

    @staticmethod
    def with_weight(weight: Weight) -> Weight:
        """What root says."""
        return weight


def class_of_all(calls: list[AnyCall]) -> DispatchClass:
    """Operational when every carried call is."""
    classes = [call.info().dispatch_class for call in calls]
    operational = bool(classes) and all(found == DispatchClass.Operational for found in classes)
    return DispatchClass.Operational if operational else DispatchClass.Normal


def class_of_both(main: AnyCall, fallback: AnyCall) -> DispatchClass:
    """Operational when both calls are."""
    return class_of_all([main, fallback])


def class_of(call: AnyCall) -> DispatchClass:
    """A carried call keeps its class."""
    return call.info().dispatch_class
