"""One measured figure, and how to measure one fairly."""

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple


class Figure(NamedTuple):
    """What `benchmarks/results.json` holds under the figure's name."""

    name: str
    value: float
    unit: str
    peer: str = ""
    """Who else was measured in the same run, in words; empty where there is none."""
    peer_value: float | None = None
    """The peer's figure in the same unit."""


def seconds_each(work: Callable[[], object], *, runs: int = 5, at_least: float = 0.2) -> float:
    """Median over `runs` of the seconds one call of `work` takes, each run lasting `at_least` seconds."""
    calls = 1
    while (taken := _time(work, calls)) < at_least:
        calls = max(calls * 2, int(calls * at_least / max(taken, 1e-9)))
    return statistics.median(_time(work, calls) / calls for _ in range(runs))


def _time(work: Callable[[], object], calls: int) -> float:
    began = time.perf_counter()
    for _ in range(calls):
        work()
    return time.perf_counter() - began


def medians(
    work: dict[str, Callable[[], object]], *, rounds: int = 15, at_least: float = 0.02
) -> dict[str, float]:
    """Seconds one call of each takes: medians over `rounds` rounds with one short run of each, so that a
    slow moment of the machine meets all of them."""
    calls = {}
    for name, call in work.items():
        call()
        calls[name] = max(1, int(at_least / max(_time(call, 1), 1e-9)))
    taken: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, call in work.items():
            taken[name].append(_time(call, calls[name]) / calls[name])
    return {name: statistics.median(values) for name, values in taken.items()}
