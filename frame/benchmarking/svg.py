"""Plots of one benchmark as inline SVG: every timing, the line through them, and what it misses.

Colours are CSS variables of the page, so that the plots follow its light or dark scheme.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from statistics import median_low

from frame.benchmarking.analysis import along
from frame.benchmarking.result import Result

WIDTH, HEIGHT, BELOW = 420, 200, 84
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 10, 24


@dataclass(frozen=True)
class Axis:
    """A linear scale from values to pixels."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The pixel of a value."""
        span = self.high - self.low or 1.0
        return self.start + (value - self.low) / span * (self.end - self.start)

    def ticks(self, count: int = 4) -> list[float]:
        """Round values within."""
        span = self.high - self.low or 1.0
        step = 10 ** math.floor(math.log10(span / count))
        step *= next(factor for factor in (1, 2, 5, 10) if span / (step * factor) <= count)
        first = math.ceil(self.low / step) * step
        return [first + step * i for i in range(int((self.high - first) / step + 1e-9) + 1)]


def micros(picos: float) -> str:
    """`12.3 µs`, `4.56 ms`, `1.2 s`."""
    for unit, size in (("s", 1e12), ("ms", 1e9), ("µs", 1e6), ("ns", 1e3)):
        if abs(picos) >= size:
            return f"{picos / size:.3g} {unit}"
    return f"{picos:.0f} ps" if picos else "0"


def plot(result: Result, component: str) -> str:
    """Times over one component with the others at their top, and below it the residuals."""
    points = along(result.points, result.components, component)
    xs = [point[component] for point, _ in points]
    values = [value for _, times in points for value in times]
    shown = _without_strays(values)
    fitted = [result.time.at(point) for point, _ in points]
    x = Axis(min(xs), max(xs), LEFT, WIDTH - RIGHT)
    y = Axis(min(0, *fitted), max(*shown, *fitted) * 1.05, HEIGHT - BOTTOM, TOP)
    parts = [*_frame(x, y, component), *_cloud(x, y, points, component)]
    ends = [(point, fit) for (point, _), fit in zip(points, fitted, strict=True)]
    first, last = min(ends, key=lambda e: e[0][component]), max(ends, key=lambda e: e[0][component])
    parts.append(
        f'<line class="fit" x1="{x.at(first[0][component]):.1f}" y1="{y.at(first[1]):.1f}" '
        f'x2="{x.at(last[0][component]):.1f}" y2="{y.at(last[1]):.1f}"/>'
    )
    parts += _residuals(x, points, fitted, component)
    return _svg(HEIGHT + BELOW, parts, f"{result.name}: time over {component}, and residuals")


def strip(result: Result) -> str:
    """The timings of a benchmark without components, one after the other."""
    times = [time for _, times in result.points for time in times]
    shown = _without_strays(times)
    x = Axis(1, max(len(times), 2), LEFT, WIDTH - RIGHT)
    y = Axis(0, max(*shown, result.time.base) * 1.15, HEIGHT - BOTTOM, TOP)
    parts = _frame(x, y, "repeat")
    parts += [
        f'<circle class="dot" cx="{x.at(i + 1):.1f}" cy="{y.at(min(t, y.high)):.1f}" r="3">'
        f"<title>{micros(t)}</title></circle>"
        for i, t in enumerate(times)
    ]
    level = y.at(result.time.base)
    parts.append(f'<line class="fit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{level:.1f}" y2="{level:.1f}"/>')
    return _svg(HEIGHT, parts, f"{result.name}: timings and their median")


def _without_strays(values: Sequence[int]) -> list[int]:
    """The values that set the scale: a single stray does not flatten the plot."""
    top = 3 * median_low(sorted(values)[len(values) // 2 :])
    return [value for value in values if value <= top] or list(values)


def _frame(x: Axis, y: Axis, label: str) -> list[str]:
    parts = []
    for tick in y.ticks():
        at = f"{y.at(tick):.1f}"
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at}" y2="{at}"/>')
        parts.append(
            f'<text class="tick" x="{LEFT - 6}" y="{at}" dy=".32em" text-anchor="end">{micros(tick)}</text>'
        )
    base = HEIGHT - BOTTOM
    for tick in x.ticks():
        parts.append(
            f'<text class="tick" x="{x.at(tick):.1f}" y="{base + 15}" text-anchor="middle">{tick:,.0f}</text>'
        )
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>')
    parts.append(
        f'<text class="label" x="{WIDTH - RIGHT}" y="{base - 5}" text-anchor="end">{escape(label)}</text>'
    )
    return parts


def _cloud(x: Axis, y: Axis, points: Sequence[tuple[object, Sequence[int]]], component: str) -> list[str]:
    parts = []
    for point, times in points:
        at = x.at(point[component])  # type: ignore[index]
        for time in times:
            inside = min(time, y.high)
            kind = "dot" if inside == time else "dot stray"
            parts.append(f'<circle class="{kind}" cx="{at:.1f}" cy="{y.at(inside):.1f}" r="2"/>')
        middle = median_low(times)
        parts.append(
            f'<circle class="median" cx="{at:.1f}" cy="{y.at(min(middle, y.high)):.1f}" r="3.2">'
            f"<title>{component} = {point[component]}: median {micros(middle)}</title></circle>"  # type: ignore[index]
        )
    return parts


def _residuals(
    x: Axis, points: Sequence[tuple[object, Sequence[int]]], fitted: Sequence[int], component: str
) -> list[str]:
    missed = [median_low(times) - fit for (_, times), fit in zip(points, fitted, strict=True)]
    most = max(1, *(abs(value) for value in missed))
    y = Axis(-most, most, HEIGHT + BELOW - 10, HEIGHT + 12)
    zero = f"{y.at(0):.1f}"
    beside = f'<text class="tick" text-anchor="end" x="{LEFT - 6}"'
    parts = [
        f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{zero}" y2="{zero}"/>',
        f'{beside} y="{y.at(most):.1f}" dy=".6em">+{micros(most)}</text>',
        f'{beside} y="{y.at(-most):.1f}">−{micros(most)}</text>',
        f'<text class="label" x="{WIDTH - RIGHT}" y="{HEIGHT + 8}" text-anchor="end">residuals</text>',
    ]
    for (point, _), value in zip(points, missed, strict=True):
        at = x.at(point[component])  # type: ignore[index]
        parts.append(
            f'<line class="stem" x1="{at:.1f}" x2="{at:.1f}" y1="{zero}" y2="{y.at(value):.1f}"/>'
            f'<circle class="rest" cx="{at:.1f}" cy="{y.at(value):.1f}" r="2.6">'
            f"<title>{component} = {point[component]}: {micros(value)}</title></circle>"  # type: ignore[index]
        )
    return parts


def _svg(height: int, parts: Sequence[str], title: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        + "".join(parts)
        + "</svg>"
    )
