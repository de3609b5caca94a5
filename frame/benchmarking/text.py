"""A result as `benchmark pallet` prints it: Substrate's layout (`frame/benchmarking/src/analysis.rs`)."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean, pstdev

from frame.benchmarking.analysis import Fit
from frame.benchmarking.passes import StorageUse
from frame.benchmarking.reference import correction
from frame.benchmarking.result import PICOS, Result

MICRO = 1_000_000
"""Picoseconds in a microsecond."""


def render_text(result: Result) -> str:
    """The whole report of one benchmark."""
    return "\n".join([*_title(result), *_storage(result), *_medians(result), *_squares(result), ""])


def _title(result: Result) -> Iterator[str]:
    ranges = result.measurement.benchmark.components
    lowest = ", ".join(str(component.low) for component in ranges.values())
    highest = ", ".join(str(component.high) for component in ranges.values())
    samples = result.measurement.samples
    yield (
        f'Pallet: "{result.measurement.pallet}", Extrinsic: "{result.measurement.benchmark.name}", '
        f"Lowest values: [{lowest}], Highest values: [{highest}], "
        f"Steps: {len(samples)}, Repeat: {len(samples[0].times)}"
    )


def _storage(result: Result) -> Iterator[str]:
    yield from ("Raw Storage Info", "========")
    for use in result.storage:
        yield f"Storage: `{use.name}` (r:{use.reads} w:{use.writes})"
        yield f"Proof: `{use.name}` ({_size(use)}, added: {use.proof})"
    yield ""


def _size(use: StorageUse) -> str:
    if use.max_size is None:
        return "`max_size`: None, mode: `Measured`"
    return f"`max_size`: Some({use.max_size}), mode: `MaxEncodedLen`"


def _medians(result: Result) -> Iterator[str]:
    yield from ("Median Slopes Analysis", "========", "-- Extrinsic Time --", "")
    yield from _model(result.median_slopes)
    yield from _counts(result)
    yield ""


def _squares(result: Result) -> Iterator[str]:
    yield from ("Min Squares Analysis", "========", "-- Extrinsic Time --", "")
    names = result.components
    if names:
        yield "Data points distribution:"
        yield " ".join([*(f"{name:>8}" for name in names), f"{'mean µs':>11} {'sigma µs':>10} {'%':>7}"])
        for sample in result.measurement.samples:
            mean, sigma = fmean(sample.times) + sample.moving / PICOS, pstdev(sample.times)
            values = " ".join(f"{sample.components[name]:>8}" for name in names)
            yield f"{values} {mean / 1000:>11.3f} {sigma / 1000:>10.3f} {100 * sigma / mean:>6.1f}%"
        yield ""
    yield "Quality and confidence:"
    yield f"{'param':<10} {'error µs':>12}"
    for name in ("", *names):
        error = result.time.errors.get(name)
        yield f"{name or 'base':<10} {'-' if error is None else f'{error / MICRO:.6f}':>12}"
    if names:
        yield f"R² = {result.time.quality / 10:.1f} %"
    if result.speeds:
        yield f"Time is {correction(result.speeds)}"
    for note in result.findings:
        yield f"⚠ {note.kind}: {note.text}"
    yield ""
    yield from _model(result.time)
    yield from _counts(result)


def _model(fit: Fit) -> Iterator[str]:
    yield "Model:"
    yield f"Time ~= {fit.base / MICRO:>8.2f}"
    for name, slope in fit.slopes.items():
        yield f"    + {name} {slope / MICRO:>8.4f}"
    yield "              µs"


def _counts(result: Result) -> Iterator[str]:
    yield ""
    yield f"Reads = {as_sum(result.reads)}"
    yield f"Writes = {as_sum(result.writes)}"
    yield f"Recorded proof Size = {as_sum(result.recorded)}"
    yield f"Largest proof Size = {as_sum(result.proof)}"


def as_sum(fit: Fit) -> str:
    """`1 + (2 * n)`."""
    return " + ".join(
        [str(fit.base), *(f"({slope} * {name})" for name, slope in fit.slopes.items() if slope)]
    )


def one_line(fit: Fit) -> str:
    """`Time ~= 5.0 + n 0.200 µs`."""
    parts = [
        f"{fit.base / MICRO:.1f}",
        *(f"{name} {slope / MICRO:.4g}" for name, slope in fit.slopes.items()),
    ]
    return f"Time ~= {' + '.join(parts)} µs"


def time_range(result: Result) -> str:
    """`Minimum execution time: 5.1 µs.`"""
    least = min(time for _, times in result.points for time in times)
    return f"Minimum execution time: {least / MICRO:.1f} µs."
