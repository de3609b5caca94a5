"""What calls that carry calls say about themselves: the class and the weight of what they carry."""

from __future__ import annotations

from collections.abc import Sequence

from frame import AnyCall, DispatchClass, RuntimeCall, Weight
from frame.weights import ZERO


def total(calls: Sequence[RuntimeCall]) -> Weight:
    """The declared weights of the carried calls."""
    found = ZERO
    for carried in calls:
        found = found + carried.info().weight
    return found


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
