"""From many timings to base + slope · component: exact integer arithmetic for what becomes a weight, and
statistics in floating point for what people read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from statistics import fmean, median_low

Point = tuple[Mapping[str, int], Sequence[int]]
"""Component values, and what was measured there."""

POOR_FIT = 0.03
"""A bend counts when it misses the line by this part of the span between lowest and highest value."""
CERTAIN = 6.0
"""And when its coefficient is so many times its standard error."""
RELATIVE = 64
"""How finely inverse medians are rounded."""
NOISY = 0.25
"""Half the interquartile range, as a part of the median, from which a point counts as noisy."""


@dataclass(frozen=True)
class Fit:
    """base + Σ slope · component, rounded up to whole units; `quality` is R² in thousandths."""

    base: int
    slopes: Mapping[str, int]
    quality: int = 1000
    errors: Mapping[str, float] = field(default_factory=dict)
    """Standard errors of the slopes, and under "" that of the base."""

    def at(self, values: Mapping[str, int]) -> int:
        """The value at a point."""
        return self.base + sum(slope * values[name] for name, slope in self.slopes.items())


@dataclass(frozen=True)
class Finding:
    """Something about a measurement that a person should look at."""

    kind: str
    """`curved` or `noisy`."""
    text: str


def middle_half(values: Sequence[int]) -> list[int]:
    """The values without their lowest and highest quarter (all of them when there are fewer than four)."""
    ordered = sorted(values)
    quarter = len(ordered) // 4
    return ordered[quarter : len(ordered) - quarter]


def fit_least_squares(points: Sequence[Point], names: Sequence[str], *, relative: bool = False) -> Fit:
    """Ordinary least squares over the middle half of each point's values (`min_squares_iqr`).

    With `relative` a deviation counts in proportion to its point's median: timings scatter so, and without it
    the noise of the longest would drown the base. Without components the base is the median. A negative
    intercept becomes the smallest value measured, and the slopes are fitted again; a negative slope becomes
    0.
    """
    if not names:
        values = [value for _, values in points for value in values]
        middle = middle_half(values)
        return Fit(median_low(values), {}, errors={"": _deviation(middle) / math.sqrt(len(middle))})
    rows = [(point, value) for point, values in points for value in middle_half(values)]
    factors = _factors(points, rows) if relative else [1] * len(rows)
    used = [name for name in names if len({point[name] for point, _ in rows}) > 1]
    solution = solve(
        [[f, *(f * p[n] for n in used)] for (p, _), f in zip(rows, factors, strict=True)],
        [f * value for (_, value), f in zip(rows, factors, strict=True)],
    )
    errors = _standard_errors(rows, factors, used, solution)
    base, slopes = solution[0], dict(zip(used, solution[1:], strict=True))
    if base < 0:
        base = Fraction(min(value for _, value in rows))
        again = solve(
            [[f * p[n] for n in used] for (p, _), f in zip(rows, factors, strict=True)],
            [f * (value - base) for (_, value), f in zip(rows, factors, strict=True)],
        )
        slopes = dict(zip(used, again, strict=True))
    found = Fit(_up(base), {name: _up(max(slopes.get(name, Fraction(0)), Fraction(0))) for name in names})
    return Fit(found.base, found.slopes, _quality(found, rows), errors)


def _factors(points: Sequence[Point], rows: Sequence[tuple[Mapping[str, int], int]]) -> list[int]:
    """For each row the inverse of its point's median, as a whole number on one scale."""
    medians = {id(point): max(median_low(values), 1) for point, values in points}
    top = RELATIVE * max(medians.values())
    return [top // medians[id(point)] for point, _ in rows]


def fit_median_slopes(points: Sequence[Point], names: Sequence[str]) -> Fit:
    """For each component the median slope between neighbours' medians: a second opinion, only printed."""
    slopes: dict[str, int] = {}
    bases: list[int] = []
    for name in names:
        line = sorted((point[name], median_low(values)) for point, values in along(points, names, name))
        steps = [
            (second[1] - first[1]) // (second[0] - first[0])
            for first, second in pairwise(line)
            if second[0] > first[0]
        ]
        slopes[name] = max(median_low(steps), 0) if steps else 0
    for point, values in points:
        bases.append(median_low(values) - sum(slopes[name] * point[name] for name in names))
    return Fit(max(median_low(bases), 0), slopes)


def along(points: Sequence[Point], names: Sequence[str], name: str) -> list[Point]:
    """The points where only `name` varies and the other components are at their top."""
    tops = {other: max(point[other] for point, _ in points) for other in names}
    return [p for p in points if all(p[0][other] == tops[other] for other in names if other != name)]


def residuals(points: Sequence[Point], fit: Fit) -> list[int]:
    """Each point's median minus what the fit says."""
    return [median_low(values) - fit.at(point) for point, values in points]


def findings(points: Sequence[Point], names: Sequence[str], fit: Fit) -> list[Finding]:
    """What is suspicious: times that bend away from the line, or scatter."""
    found = []
    for name in names:
        bend = curvature(points, names, name)
        if bend is not None and bend.certainty > CERTAIN and abs(bend.share) > POOR_FIT:
            kind = "faster than in proportion" if bend.share > 0 else "slower than in proportion"
            text = f"grows {kind} to `{name}`: the line is off by {abs(bend.share):.0%} of the span"
            found.append(Finding("curved", text))
    noise = [_spread(values) for _, values in points]
    if noise and sorted(noise)[len(noise) // 2] > NOISY:
        found.append(Finding("noisy", f"timings scatter by ±{sorted(noise)[len(noise) // 2]:.0%}"))
    return found


@dataclass(frozen=True)
class Bend:
    """How far from straight a line of points is."""

    share: float
    """The largest distance between the best line and the best parabola, as a part of the values' span; above
    zero when the values grow faster and faster."""
    certainty: float
    """The parabola's coefficient in standard errors."""


def curvature(points: Sequence[Point], names: Sequence[str], name: str) -> Bend | None:
    """Compare a parabola with a line along one component; None with fewer than five points."""
    line = [(point[name], median_low(values)) for point, values in along(points, names, name)]
    xs, ys = [float(x) for x, _ in line], [float(y) for _, y in line]
    if len(set(xs)) < 5:
        return None
    low, high = min(xs), max(xs)
    scaled = [2 * (x - low) / (high - low) - 1 for x in xs]
    rows = [[1.0, x, x * x] for x in scaled]
    bent, inverse = _float_solve(rows, ys)
    left = [y - sum(b * r for b, r in zip(bent, row, strict=True)) for row, y in zip(rows, ys, strict=True)]
    variance = sum(value * value for value in left) / max(len(ys) - 3, 1)
    span = max(ys) - min(ys)
    if span <= 0:
        return None
    error = math.sqrt(max(variance * inverse[2][2], 0.0)) or span * 1e-9
    return Bend(bent[2] / 2 / span, abs(bent[2]) / error)


def solve(rows: Sequence[Sequence[int]], values: Sequence[int | Fraction]) -> list[Fraction]:
    """The normal equations XᵀX·b = Xᵀy by elimination; a column without information gets 0."""
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


def _float_solve(
    rows: Sequence[Sequence[float]], values: Sequence[float]
) -> tuple[list[float], list[list[float]]]:
    """Least squares, and the inverse of XᵀX (zeros for a column without information)."""
    width = len(rows[0])
    system = [
        [sum(row[i] * row[j] for row in rows) for j in range(width)] + [float(i == j) for j in range(width)]
        for i in range(width)
    ]
    for column in range(width):
        pivot = max(range(column, width), key=lambda r: abs(system[r][column]))
        if abs(system[pivot][column]) < 1e-12:
            continue
        system[column], system[pivot] = system[pivot], system[column]
        system[column] = [a / system[column][column] for a in system[column]]
        for r in range(width):
            if r != column:
                factor = system[r][column]
                system[r] = [a - factor * b for a, b in zip(system[r], system[column], strict=True)]
    inverse = [row[width:] for row in system]
    moments = [sum(row[i] * value for row, value in zip(rows, values, strict=True)) for i in range(width)]
    return [sum(a * b for a, b in zip(line, moments, strict=True)) for line in inverse], inverse


def _standard_errors(
    rows: Sequence[tuple[Mapping[str, int], int]],
    factors: Sequence[int],
    names: Sequence[str],
    solution: Sequence[Fraction],
) -> dict[str, float]:
    found = [float(part) for part in solution]
    scales = [1.0, *(float(max(1, *(point[name] for point, _ in rows))) for name in names)]
    unit = fmean(factors)
    matrix, missed = [], []
    for (point, value), factor in zip(rows, factors, strict=True):
        row = [1.0, *(point[name] / scale for name, scale in zip(names, scales[1:], strict=True))]
        fitted = sum(f * s * x for f, s, x in zip(found, scales, row, strict=True))
        matrix.append([factor / unit * x for x in row])
        missed.append(factor / unit * (value - fitted))
    variance = sum(m * m for m in missed) / max(len(rows) - len(found), 1)
    _, inverse = _float_solve(matrix, [0.0] * len(rows))
    return {
        name: math.sqrt(max(variance * inverse[i][i], 0.0)) / scales[i] for i, name in enumerate(["", *names])
    }


def _quality(fit: Fit, rows: Sequence[tuple[Mapping[str, int], int]]) -> int:
    mean = Fraction(sum(value for _, value in rows), len(rows))
    spread = sum((value - mean) ** 2 for _, value in rows)
    missed = sum((value - fit.at(point)) ** 2 for point, value in rows)
    return 1000 if not spread else max(0, round(1000 * (1 - missed / spread)))


def _spread(values: Sequence[int]) -> float:
    middle = middle_half(values)
    return (middle[-1] - middle[0]) / 2 / max(median_low(values), 1)


def _deviation(values: Sequence[int]) -> float:
    mean = fmean(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / max(len(values) - 1, 1))


def _up(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
