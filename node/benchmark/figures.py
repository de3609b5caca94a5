"""Statistics of timings, and writing the files that constants come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median_low, pstdev

from rich.console import Console

from node.benchmark.errors import BenchmarkError
from primitives.files import write_whole


@dataclass(frozen=True)
class Spread:
    """Timings in nanoseconds, summed up."""

    values: tuple[int, ...]

    @property
    def median(self) -> int:
        """Half are quicker."""
        return median_low(self.values)

    @property
    def mean(self) -> float:
        """The average."""
        return fmean(self.values)

    def percentile(self, percent: int) -> int:
        """So many in a hundred are not slower."""
        ordered = sorted(self.values)
        return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)]

    def metric(self, name: str) -> int:
        """`median`, `average`, `min`, `max`, `p75`, `p95` or `p99`."""
        if name == "average":
            return round(self.mean)
        if name in ("min", "max"):
            return min(self.values) if name == "min" else max(self.values)
        return self.median if name == "median" else self.percentile(int(name.removeprefix("p")))

    def lines(self) -> list[str]:
        """For people, and for the head of a file."""
        v = self
        first = f"{len(v.values)} timings, average {v.mean:,.0f} ns, median {v.median:,} ns"
        tails = ", ".join(f"{percent}th percentile {v.percentile(percent):,} ns" for percent in (75, 95, 99))
        return [
            f"{first}, standard deviation {pstdev(v.values):,.0f} ns",
            f"min {min(v.values):,} ns, max {max(v.values):,} ns, {tails}",
        ]


METRICS = ("average", "median", "min", "max", "p75", "p95", "p99")


def write_file(target: Path, text: str) -> None:
    """Write a text and say so. BenchmarkError when it cannot be."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, text.encode())
    except OSError as error:
        raise BenchmarkError(f"{target} cannot be written: {error.strerror}") from None
    Console(stderr=True).print(f"Created file: {target}", highlight=False, soft_wrap=True)


def spread(values: Sequence[int]) -> Spread:
    """Sum timings up."""
    return Spread(tuple(values))
