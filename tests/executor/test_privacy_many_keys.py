"""The noise of many keys: what no test of one key can see, a small bias that all of them share.

Each statistic of a key has a known distribution; its mean and its deviation over many keys must be those of
that distribution, within four standard errors. Runs briefly here, with hundreds of keys under `make soak`.
"""

import math
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from executor.privacy.fast import PAGE
from executor.privacy.noise import Noise
from primitives.hashing import tagged

KEYS = pytest.mark.parametrize("keys", [5, pytest.param(500, marks=pytest.mark.soak)], ids=["short", "soak"])
ERRORS = 4.0
F64 = NDArray[np.float64]


def pages(keys: int, sigma: Fraction) -> list[NDArray[np.int32]]:
    """A page of each key."""
    return [Noise(tagged("many", key.to_bytes(4, "little")), sigma**2).take(PAGE) for key in range(keys)]


def fits(values: F64, mean: float, second: float, fourth: float) -> None:
    """Values with this expectation and these central moments, as far as so many can tell."""
    count = len(values)
    assert abs(values.mean() - mean) < ERRORS * math.sqrt(second / count)
    spread = ((values - mean) ** 2).mean()
    assert abs(spread - second) < ERRORS * math.sqrt((fourth - second**2) / count)


def kolmogorov() -> tuple[float, float, float]:
    """Expectation, second and fourth central moment of Kolmogorov's distribution, whose distribution function
    is 1 − 2·Σ (−1)^(k−1)·exp(−2k²x²) (Kolmogorov 1933).
    """
    x = np.linspace(0.15, 4, 10_001)
    k = np.arange(1, 101)[:, None]
    below = 1 - 2 * np.sum((-1.0) ** (k - 1) * np.exp(-2 * k**2 * x**2), axis=0)
    weight, middle = np.diff(below), (x[1:] + x[:-1]) / 2
    mean = float((weight * middle).sum())
    return mean, float((weight * (middle - mean) ** 2).sum()), float((weight * (middle - mean) ** 4).sum())


def normal_below(values: F64, sigma: float) -> F64:
    """Φ(z/σ) from a table: erf a thousand times, not millions."""
    grid = np.linspace(-8, 8, 16_001)
    table = np.array([0.5 * math.erfc(-z / math.sqrt(2)) for z in grid.tolist()])
    found: F64 = np.interp(values / sigma, grid, table)
    return found


def test_the_moments_of_kolmogorovs_distribution_are_the_closed_forms() -> None:
    mean, second, _ = kolmogorov()
    assert abs(mean - math.sqrt(math.pi / 2) * math.log(2)) < 1e-5
    assert abs(second - (math.pi**2 / 12 - math.pi / 2 * math.log(2) ** 2)) < 1e-5


@KEYS
@pytest.mark.parametrize("sigma", [Fraction(2**20), Fraction(2**24)], ids=float)
def test_large_deviations(keys: int, sigma: Fraction) -> None:
    deviation, root = float(sigma), math.sqrt(PAGE)
    distances, means, squares, together = [], [], [], []
    before: F64 | None = None
    for page in pages(keys, sigma):
        unit = page / deviation
        means.append(unit.mean() * root)
        squares.append(((unit**2).mean() - 1) * root / math.sqrt(2))
        if before is not None:
            together.append(float(before @ unit) / root)
        before = unit
        below = normal_below(np.sort(page) + 0.0, deviation)
        steps = np.arange(PAGE + 1) / PAGE
        distances.append(max((steps[1:] - below).max(), (below - steps[:-1]).max()) * root)
    for statistic in (means, squares, together):
        fits(np.array(statistic), 0.0, 1.0, 3.0)
    fits(np.array(distances), *kolmogorov())


@KEYS
@pytest.mark.parametrize("sigma", [Fraction(1, 2), Fraction(3, 2), Fraction(5)], ids=float)
def test_small_deviations(keys: int, sigma: Fraction) -> None:
    """Pearson's statistic of the numbers themselves, with all that are rare in one class."""
    reach = max(k for k in range(60) if math.exp(-k * k / (2 * sigma**2)) > 1e-3)
    weights = np.array([math.exp(-k * k / (2 * sigma**2)) for k in range(-60, 61)])
    share = weights / weights.sum()
    common = share[60 - reach : 61 + reach]
    expected = np.append(common, 1 - common.sum()) * PAGE
    found = []
    for page in pages(keys, sigma):
        counts = np.bincount(np.clip(page, -reach - 1, reach + 1) + reach + 1, minlength=2 * reach + 3)
        counted = np.append(counts[1:-1], counts[0] + counts[-1])
        found.append(((counted - expected) ** 2 / expected).sum())
    free = 2 * reach + 1
    fits(np.array(found), free, 2 * free, 12 * free * (free + 4))
