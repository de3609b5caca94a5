"""What was measured, for people and as a pallet's `weights.py`."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence

from frame.benchmarking.analysis import Fit, fit_least_squares, fit_median_slopes
from frame.benchmarking.measure import Measurement, Sample

WIDTH = 110


def names_of(measurement: Measurement) -> list[str]:
    """The components, in the order of the benchmark's parameters."""
    return list(measurement.benchmark.components)


def time_fit(measurement: Measurement) -> Fit:
    """The time in nanoseconds."""
    return fit_least_squares([(s.components, s.times) for s in measurement.samples], names_of(measurement))


def count_fit(measurement: Measurement, count: Callable[[Sample], int]) -> Fit:
    """Reads, writes or proof bytes. Counts do not scatter: the fit is exact where they grow in proportion."""
    points = [(s.components, (count(s),)) for s in measurement.samples]
    fit = fit_least_squares(points, names_of(measurement))
    short = max((count(s) - fit.at(s.components) for s in measurement.samples), default=0)
    return Fit(fit.base + max(short, 0), fit.slopes, fit.quality)


def render_text(measurement: Measurement) -> str:
    """The result of one benchmark as `benchmark pallet` prints it."""
    names = names_of(measurement)
    ranges = measurement.benchmark.components
    lowest = [str(ranges[name].low) for name in names]
    highest = [str(ranges[name].high) for name in names]
    title = f'Pallet: "{measurement.pallet}", Extrinsic: "{measurement.benchmark.name}", '
    title += f"Lowest values: [{', '.join(lowest)}], Highest values: [{', '.join(highest)}], "
    title += f"Steps: {len(measurement.samples)}, Repeat: {len(measurement.samples[0].times)}"
    lines = [
        title,
        "Raw Storage Info",
        "========",
    ]
    for use in measurement.samples[-1].storage:
        size = "unbounded" if use.max_size is None else f"max_size {use.max_size}"
        lines.append(f"Storage: `{use.name}` (r:{use.reads} w:{use.writes}) Proof: {size}, added {use.proof}")
    median = fit_median_slopes([(s.components, s.times) for s in measurement.samples], names)
    lines += ["", "Median Slopes Analysis", "========", "-- Extrinsic Time --", "", _model(median)]
    fit = time_fit(measurement)
    lines += ["", "Min Squares Analysis", "========", "-- Extrinsic Time --"]
    if names:
        lines += ["", "Data points distribution:", *_points(measurement)]
        lines += ["", f"Quality (R²): {fit.quality / 10:.1f} %"]
    lines += ["", _model(fit)]
    for label, fitted in (
        ("Reads", count_fit(measurement, lambda s: s.reads)),
        ("Writes", count_fit(measurement, lambda s: s.writes)),
        ("Recorded proof size", count_fit(measurement, lambda s: s.proof)),
    ):
        lines.append(f"{label} = {_count(fitted)}")
    return "\n".join(lines) + "\n"


def _points(measurement: Measurement) -> list[str]:
    return [
        f"  {', '.join(f'{name} = {value}' for name, value in s.components.items())}: "
        f"{_micros(sorted(s.times)[len(s.times) // 2])} µs ({_micros(min(s.times))}–{_micros(max(s.times))})"
        for s in measurement.samples
    ]


def _micros(nanoseconds: int) -> str:
    return f"{nanoseconds // 1000}.{nanoseconds % 1000 // 100}"


def _model(fit: Fit) -> str:
    parts = [_micros(fit.base), *(f"{name} {slope / 1000:.3f}" for name, slope in fit.slopes.items())]
    return f"Model: Time ~= {' + '.join(parts)} µs"


def _count(fit: Fit) -> str:
    return " + ".join(
        [str(fit.base), *(f"({slope} * {name})" for name, slope in fit.slopes.items() if slope)]
    )


def as_json(measurement: Measurement) -> dict[str, object]:
    """One benchmark's result as plain values: fits of time (ns), reads, writes and proof bytes."""
    fits = {
        "time_ns": time_fit(measurement),
        "reads": count_fit(measurement, lambda s: s.reads),
        "writes": count_fit(measurement, lambda s: s.writes),
        "proof_bytes": count_fit(measurement, lambda s: s.proof),
    }
    return {
        "pallet": measurement.pallet,
        "benchmark": measurement.benchmark.name,
        "components": {name: [c.low, c.high] for name, c in measurement.benchmark.components.items()},
        **{name: {"base": fit.base, "slopes": dict(fit.slopes)} for name, fit in fits.items()},
        "quality": fits["time_ns"].quality / 1000,
        "storage": [
            {"item": use.name, "reads": use.reads, "writes": use.writes, "max_size": use.max_size}
            for use in measurement.samples[-1].storage
        ],
    }


def render_weights(
    pallet: str, measurements: Sequence[Measurement], command: str, header: Sequence[str]
) -> str:
    """The source of the pallet's `weights.py`: a class `Weights` with one function for each benchmark."""
    lines = [f'"""Weights of the pallet `{pallet}`, measured. Do not edit, but run', f"`{command}`.", ""]
    lines += [*header, '"""', "", "from __future__ import annotations", ""]
    lines += ["from frame.weights import Weight, db, weight", "", "", "class Weights:"]
    lines += ['    """One function a benchmark."""']
    for measurement in measurements:
        lines += ["", *(f"    {line}" if line else "" for line in _function(measurement))]
    return "\n".join(lines) + "\n"


def _function(measurement: Measurement) -> list[str]:
    names = names_of(measurement)
    time = time_fit(measurement)
    reads, writes, proof = (
        count_fit(measurement, count) for count in (lambda s: s.reads, lambda s: s.writes, lambda s: s.proof)
    )
    arguments = ", ".join(f"{name}: int" for name in names)
    lines = ["@staticmethod", f"def {measurement.benchmark.name}({arguments}) -> Weight:"]
    docs = _docs(measurement, time)
    if len(docs) == 1:
        lines.append(f'    """{docs[0]}"""')
    else:
        lines += [f'    """{docs[0]}', *(f"    {line}".rstrip() for line in docs[1:]), '    """']
    lines.append(f"    return weight({_sum(time, 1000)}, {_sum(proof)}) + db({_sum(reads)}, {_sum(writes)})")
    return lines


def _docs(measurement: Measurement, fit: Fit) -> list[str]:
    lines = [f"{_model(fit).removeprefix('Model: ')}."]
    uses = measurement.samples[-1].storage
    if uses:
        lines.append("")
    for use in uses:
        lines += textwrap.wrap(f"`{use.name}` (r:{use.reads} w:{use.writes})", WIDTH - 8)
    return lines


def _sum(fit: Fit, factor: int = 1) -> str:
    parts = [f"{fit.base * factor:_}"] if fit.base else []
    for name, slope in fit.slopes.items():
        if slope:
            parts.append(name if slope * factor == 1 else f"{slope * factor:_} * {name}")
    return " + ".join(parts) or "0"
