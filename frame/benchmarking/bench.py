"""What a benchmark is: a generator that sets up, yields the thing to measure, and verifies."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Generic, TypeVar

from frame.origin import Origin
from frame.pallet import Pallet
from frame.testing import Externalities
from primitives.hashing import blake2_256

P = TypeVar("P", bound=Pallet[Any])

Measured = Callable[[], object]
"""The code that is measured."""


@dataclass(frozen=True)
class Linear:
    """A component that runs from `low` to `high`; time is taken to grow in proportion to it."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise TypeError(f"Linear({self.low}, {self.high}): 0 ≤ low ≤ high is needed")

    def points(self, steps: int) -> list[int]:
        """At most `steps` values spread evenly, both ends among them."""
        span = self.high - self.low
        count = min(max(steps, 2), span + 1)
        return sorted({self.low + span * i // max(count - 1, 1) for i in range(count)})


class Bench(Generic[P]):
    """A chain in block 1 and the pallet under measurement."""

    def __init__(self, ext: Externalities, pallet: P) -> None:
        self.ext = ext
        self.pallet = pallet

    def account(self, name: str = "account", number: int = 0) -> bytes:
        """An account of this name and number; the same one each time, with nothing in it."""
        return blake2_256(name.encode() + number.to_bytes(4, "little"))

    def caller(self, number: int = 0) -> Origin:
        """A signed origin: that of `account("caller", number)`."""
        return Origin.of(self.account("caller", number))

    def root(self) -> Origin:
        """The root origin."""
        return Origin.ROOT


@dataclass(frozen=True)
class Benchmark:
    """One benchmark and the components it is run over."""

    name: str
    function: Callable[..., Iterator[Measured]]
    components: Mapping[str, Linear]

    def points(self, steps: int) -> list[dict[str, int]]:
        """Where to measure: each component in turn runs over its range, the others at their top."""
        if not self.components:
            return [{}]
        tops = {name: component.high for name, component in self.components.items()}
        return [
            {**tops, name: value}
            for name, component in self.components.items()
            for value in component.points(steps)
        ]


def benchmark(**components: Linear) -> Callable[[Callable[..., Iterator[Measured]]], Benchmark]:
    """Make a generator function a benchmark: its name is the weight's, its parameters are the components."""

    def make(function: Callable[..., Iterator[Measured]]) -> Benchmark:
        parameters = list(inspect.signature(function).parameters)[1:]
        if parameters != list(components):
            raise TypeError(
                f"{function.__name__}: it takes {parameters}, but its components are {list(components)}"
            )
        return Benchmark(function.__name__, function, components)

    return make


def benchmarks_in(module: ModuleType) -> list[Benchmark]:
    """The benchmarks of a module, in the order of their definition."""
    return [value for value in vars(module).values() if isinstance(value, Benchmark)]
