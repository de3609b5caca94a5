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
    by_medians: float | None = None
    """For a ratio of least times: the ratio of the medians of the same runs."""


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


class Taken(NamedTuple):
    """Seconds that one call took, over many short runs."""

    least: float
    """What it takes undisturbed: neighbours on the machine only ever add."""
    median: float


def compared(
    work: dict[str, Callable[[], object]],
    *,
    least_rounds: int = 15,
    at_least: float = 0.02,
    budget: float = 10,
) -> dict[str, Taken]:
    """What one call of each takes. A round has one short run of each, so that a slow moment of the machine
    meets all of them; there are 15 rounds, and more until `budget` seconds are over: slow moments end."""
    calls = {}
    for name, call in work.items():
        call()
        calls[name] = max(1, int(at_least / max(_time(call, 1), 1e-9)))
    taken: dict[str, list[float]] = {name: [] for name in work}
    began, rounds = time.perf_counter(), 0
    while rounds < least_rounds or time.perf_counter() - began < budget:
        for name, call in work.items():
            taken[name].append(_time(call, calls[name]) / calls[name])
        rounds += 1
    return {name: Taken(min(values), statistics.median(values)) for name, values in taken.items()}


def ratio(name: str, peer: Taken, ours: Taken, said: str = "", *, times: float = 1) -> Figure:
    """Peer's time over ours, in as many calls of ours as `times` of the peer's."""
    return Figure(
        name, times * peer.least / ours.least, "×", said, by_medians=times * peer.median / ours.median
    )
