"""What a measurement comes to: the fits of time, reads, writes and proof, and what looks wrong about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from frame.benchmarking.analysis import (
    Finding,
    Fit,
    Point,
    findings,
    fit_least_squares,
    fit_median_slopes,
    residuals,
)
from frame.benchmarking.passes import Measurement, Sample, StorageUse

PICOS = 1000
"""Picoseconds in the nanosecond that the clock counts."""


@dataclass(frozen=True)
class Result:
    """One benchmark, measured and analysed. Times are in picoseconds, proofs in bytes."""

    measurement: Measurement

    @property
    def name(self) -> str:
        """`pallet::benchmark`, the pallet by its folder where that is known."""
        found = self.measurement
        return f"{found.folder or found.pallet}::{found.benchmark.name}"

    @property
    def components(self) -> list[str]:
        """The names, in the order of the benchmark's parameters."""
        return list(self.measurement.benchmark.components)

    @cached_property
    def points(self) -> list[Point]:
        """Component values, and the times taken there, with what the database takes for long values."""
        return [(s.components, [t * PICOS + s.moving for t in s.times]) for s in self.measurement.samples]

    @cached_property
    def time(self) -> Fit:
        """Least squares over the middle half of the times: what becomes the weight."""
        return fit_least_squares(self.points, self.components, relative=True)

    @cached_property
    def median_slopes(self) -> Fit:
        """A second opinion."""
        return fit_median_slopes(self.points, self.components)

    @cached_property
    def reads(self) -> Fit:
        """Distinct keys read."""
        return self._count(lambda s: s.reads)

    @cached_property
    def writes(self) -> Fit:
        """Distinct keys written."""
        return self._count(lambda s: s.writes)

    @cached_property
    def proof(self) -> Fit:
        """The most that the proof of the reads may take, by the types' largest encodings."""
        return self._count(lambda s: s.proof)

    @cached_property
    def recorded(self) -> Fit:
        """What the proof took on the trie of the benchmark's state."""
        return self._count(lambda s: s.recorded)

    @cached_property
    def speeds(self) -> list[float]:
        """What every timing was multiplied with; empty when nothing was corrected."""
        return [speed for sample in self.measurement.samples for speed in sample.speeds]

    @cached_property
    def residuals(self) -> list[int]:
        """Median time minus fitted time, point by point."""
        return residuals(self.points, self.time)

    @cached_property
    def findings(self) -> list[Finding]:
        """What a person should look at."""
        return findings(self.points, self.components, self.time)

    @property
    def storage(self) -> tuple[StorageUse, ...]:
        """The items used where the components are highest."""
        return self.top.storage

    @cached_property
    def top(self) -> Sample:
        """The point where all components are highest."""
        return max(self.measurement.samples, key=lambda s: tuple(s.components.values()))

    def _count(self, count: Callable[[Sample], int]) -> Fit:
        # Counts do not scatter: the fit is exact where they grow in proportion, and never below a point.
        points = [(s.components, (count(s),)) for s in self.measurement.samples]
        fit = fit_least_squares(points, self.components)
        short = max((count(s) - fit.at(s.components) for s in self.measurement.samples), default=0)
        return Fit(fit.base + max(short, 0), fit.slopes, fit.quality)


def as_json(result: Result) -> dict[str, object]:
    """One benchmark's result as plain values: fits of time (ps), reads, writes and proof bytes, and every
    timing (ns), with what it was multiplied with to become reference time.
    """
    fits = {
        "time_ps": result.time,
        "median_slopes_ps": result.median_slopes,
        "reads": result.reads,
        "writes": result.writes,
        "proof_bytes": result.proof,
        "recorded_proof_bytes": result.recorded,
    }
    found = result.measurement
    return {
        "pallet": found.pallet,
        "folder": found.folder,
        "benchmark": found.benchmark.name,
        "components": {name: [c.low, c.high] for name, c in found.benchmark.components.items()},
        **{name: {"base": fit.base, "slopes": dict(fit.slopes)} for name, fit in fits.items()},
        "quality": result.time.quality / 1000,
        "correction": _correction(result.speeds),
        "standard_errors_ps": {name or "base": round(e, 3) for name, e in result.time.errors.items()},
        "findings": [{"kind": note.kind, "text": note.text} for note in result.findings],
        "storage": [
            {"item": use.name, "reads": use.reads, "writes": use.writes, "max_size": use.max_size}
            for use in result.storage
        ],
        "points": [
            {"components": dict(s.components), "times_ns": list(s.times),
             "corrections": [round(speed, 4) for speed in s.speeds], "reads": s.reads,
             "writes": s.writes, "moving_ps": s.moving, "proof_bytes": s.proof,
             "recorded_proof_bytes": s.recorded}
            for s in found.samples
        ],
    }  # fmt: skip


def _correction(speeds: Sequence[float]) -> dict[str, float] | None:
    if not speeds:
        return None
    found = {"median": median(speeds), "lowest": min(speeds), "highest": max(speeds)}
    return {name: round(value, 4) for name, value in found.items()}
