"""From many timings to base + slope · component, in exact integer arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median_low

Point = tuple[Mapping[str, int], Sequence[int]]
"""Component values, and what was measured there."""


@dataclass(frozen=True)
class Fit:
    """base + Σ slope · component, rounded up to whole units; `quality` is R² in thousandths."""

    base: int
    slopes: Mapping[str, int]
    quality: int = 1000

    def at(self, values: Mapping[str, int]) -> int:
        """The value at a point."""
        return self.base + sum(slope * values[name] for name, slope in self.slopes.items())


def middle_half(values: Sequence[int]) -> list[int]:
    """The values without their lowest and highest quarter (all of them when there are fewer than four)."""
    ordered = sorted(values)
    quarter = len(ordered) // 4
    return ordered[quarter : len(ordered) - quarter]


def fit_least_squares(points: Sequence[Point], names: Sequence[str]) -> Fit:
    """Ordinary least squares over the middle half of each point's values (`min_squares_iqr`).

    Without components the base is the median. A negative intercept becomes the smallest value measured, and
    the slopes are fitted again; a negative slope becomes 0.
    """
    if not names:
        return Fit(median_low([value for _, values in points for value in values]), {})
    rows = [(point, value) for point, values in points for value in middle_half(values)]
    used = [name for name in names if len({point[name] for point, _ in rows}) > 1]
    solution = _solve([[1, *(p[n] for n in used)] for p, _ in rows], [v for _, v in rows])
    base, slopes = solution[0], dict(zip(used, solution[1:], strict=True))
    if base < 0:
        base = Fraction(min(value for _, value in rows))
        again = _solve([[p[n] for n in used] for p, _ in rows], [v - base for _, v in rows])
        slopes = dict(zip(used, again, strict=True))
    found = Fit(_up(base), {name: _up(max(slopes.get(name, Fraction(0)), Fraction(0))) for name in names})
    return Fit(found.base, found.slopes, _quality(found, rows))


def fit_median_slopes(points: Sequence[Point], names: Sequence[str]) -> Fit:
    """For each component the median slope between neighbours' medians: a second opinion, only printed."""
    slopes: dict[str, int] = {}
    bases: list[int] = []
    for name in names:
        line = sorted((point[name], median_low(values)) for point, values in _along(points, names, name))
        steps = [
            (second[1] - first[1]) // (second[0] - first[0])
            for first, second in pairwise(line)
            if second[0] > first[0]
        ]
        slopes[name] = max(median_low(steps), 0) if steps else 0
    for point, values in points:
        bases.append(median_low(values) - sum(slopes[name] * point[name] for name in names))
    return Fit(max(median_low(bases), 0), slopes)


def _along(points: Sequence[Point], names: Sequence[str], name: str) -> list[Point]:
    tops = {other: max(point[other] for point, _ in points) for other in names}
    return [p for p in points if all(p[0][other] == tops[other] for other in names if other != name)]


def _solve(rows: Sequence[Sequence[int]], values: Sequence[int | Fraction]) -> list[Fraction]:
    # The normal equations XᵀX·b = Xᵀy by elimination; a column without information gets 0.
    width = len(rows[0]) if rows else 0
    system = [
        [Fraction(sum(row[i] * row[j] for row in rows)) for j in range(width)]
        + [Fraction(sum(row[i] * value for row, value in zip(rows, values, strict=True)))]
        for i in range(width)
    ]
    for column in range(width):
        pivot = next((r for r in range(column, width) if system[r][column]), None)
        if pivot is None:
            continue
        system[column], system[pivot] = system[pivot], system[column]
        for r in range(width):
            if r != column and system[r][column]:
                factor = system[r][column] / system[column][column]
                system[r] = [a - factor * b for a, b in zip(system[r], system[column], strict=True)]
    return [system[i][width] / system[i][i] if system[i][i] else Fraction(0) for i in range(width)]


def _quality(fit: Fit, rows: Sequence[tuple[Mapping[str, int], int]]) -> int:
    mean = Fraction(sum(value for _, value in rows), len(rows))
    spread = sum((value - mean) ** 2 for _, value in rows)
    missed = sum((value - fit.at(point)) ** 2 for point, value in rows)
    return 1000 if not spread else max(0, round(1000 * (1 - missed / spread)))


def _up(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
