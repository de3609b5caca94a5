"""A PNG for each benchmark: points, fit and residuals. Needs matplotlib, the extra `plot`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median_low
from typing import Any

from frame.benchmarking import Result
from frame.benchmarking.analysis import along
from node.benchmark.errors import BenchmarkError

MICRO = 1_000_000
"""Picoseconds in a microsecond."""


def write_plots(folder: Path, results: Sequence[Result]) -> None:
    """`pallet-benchmark.png` for each. BenchmarkError without matplotlib, or when the folder is refused."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        text = "PNG plots need matplotlib: run `pip install -e '.[plot]'`, or use --report"
        raise BenchmarkError(text) from None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for result in results:
            figure = Figure(figsize=(4.6 * max(len(result.components), 1), 4.8), layout="constrained")
            _draw(figure, result)
            figure.savefig(folder / f"{result.name.replace('::', '-')}.png", dpi=110)
    except OSError as error:
        raise BenchmarkError(f"{folder} cannot be written: {error.strerror}") from None


def _draw(figure: Any, result: Result) -> None:
    figure.suptitle(result.name)
    names = result.components
    if not names:
        times = [time / MICRO for _, values in result.points for time in values]
        axes = figure.subplots()
        axes.plot(range(1, len(times) + 1), times, "o", alpha=0.6)
        axes.axhline(result.time.base / MICRO, color="tab:red")
        axes.set(xlabel="repeat", ylabel="µs")
        return
    grid = figure.subplots(2, len(names), squeeze=False, height_ratios=[3, 1], sharex="col")
    for column, name in enumerate(names):
        points = along(result.points, names, name)
        above, below = grid[0][column], grid[1][column]
        for point, values in points:
            above.plot(
                [point[name]] * len(values), [v / MICRO for v in values], "o", ms=3, alpha=0.3, c="tab:blue"
            )
        xs = [point[name] for point, _ in points]
        medians = [median_low(values) / MICRO for _, values in points]
        fitted = [result.time.at(point) / MICRO for point, _ in points]
        above.plot(xs, medians, "o", mfc="white", c="tab:blue")
        above.plot(xs, fitted, c="tab:red")
        above.set(ylabel="µs", ylim=(0, None))
        below.axhline(0, color="gray", lw=0.8)
        below.stem(xs, [m - f for m, f in zip(medians, fitted, strict=True)], basefmt=" ")
        below.set(xlabel=name, ylabel="residual")
