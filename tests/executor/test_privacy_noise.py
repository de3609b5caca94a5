"""The discrete Gaussian against its definition, and the stream of noise against its rule."""

import math
from fractions import Fraction
from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.chacha import Words
from executor.privacy.accounting import epsilon
from executor.privacy.fast import PAGE, FastSampler
from executor.privacy.gaussian import UNDECIDED, More, Sampler
from executor.privacy.noise import Noise
from primitives.hashing import tagged

KEY = tagged("noise of a test")
SIGMAS = (Fraction(1, 4), Fraction(3, 2), Fraction(1000), Fraction(3 * 2**20, 2), Fraction(2**24))
CHI2_999 = {10: 29.6, 20: 45.3, 30: 59.7, 40: 73.4, 60: 99.6}
"""99.9 % points of the chi-squared distribution by degrees of freedom (NIST/SEMATECH e-handbook)."""


def bits(seed: int) -> More:
    """Further bits, deterministic."""
    words = Words(tagged("more", seed.to_bytes(8, "little")))

    def more(count: int) -> int:
        taken = words.take(-(-count // 32)).tobytes()
        return int.from_bytes(taken, "little") & (1 << count) - 1

    return more


@pytest.mark.parametrize("sigma", SIGMAS, ids=float)
def test_the_fast_path_says_what_the_rule_says(sigma: Fraction) -> None:
    sampler = Sampler(sigma**2)
    words = Words(KEY)
    first, second = words.take(3000), words.take(3000)
    # Words on every edge: cell thresholds, the last acceptance values, minus zero.
    edge = np.arange(0, 4096, 41, dtype=np.uint32)
    first = np.concatenate([first, edge | sampler.threshold[edge] << 12, np.zeros(4, np.uint32)])
    second = np.concatenate([second, np.full(len(edge), 0xFFFF_FFFF, np.uint32)])
    second = np.concatenate([second, np.array([0, 1 << 16, 0xFFFF_FFFF, 0xFFFE_0000], np.uint32)])
    drawn = sampler.fast(first, second)
    left = np.flatnonzero(drawn == UNDECIDED)
    rejected = np.zeros(len(drawn), dtype=bool)
    places = left.tolist()
    drawn[left], rejected[left] = sampler.settle(first[left], second[left], lambda i: bits(places[i]))
    for i in range(len(first)):
        expected = sampler.exact(int(first[i]), int(second[i]), bits(i))
        assert (None if rejected[i] else int(drawn[i])) == expected, i


@pytest.mark.parametrize("sigma", SIGMAS, ids=float)
def test_the_wasm_says_what_the_fast_path_says(sigma: Fraction) -> None:
    sampler = Sampler(sigma**2)
    drawn = np.empty(PAGE, dtype=np.int32)
    left = FastSampler(sampler)(Words(KEY), drawn)
    words = Words(KEY)
    first, second = words.take(PAGE), words.take(PAGE)
    assert np.array_equal(sampler.fast(first, second), drawn)
    assert np.array_equal(left.places, np.flatnonzero(drawn == UNDECIDED)) and len(left.places)
    assert np.array_equal(left.first, first[left.places])
    assert np.array_equal(left.second, second[left.places])


@pytest.mark.parametrize("sigma", [Fraction(1, 4), Fraction(3, 2), Fraction(5)], ids=float)
def test_small_deviations_fit_the_definition(sigma: Fraction) -> None:
    drawn = Noise(KEY, sigma**2).take(4 * PAGE)
    reach = next(k for k in range(1, 40) if math.exp(-k * k / (2 * sigma**2)) < 1e-4)
    weights = np.array([math.exp(-k * k / (2 * sigma**2)) for k in range(-reach, reach + 1)])
    normal = sum(math.exp(-k * k / (2 * sigma**2)) for k in range(-400, 401))
    expected = weights / normal * len(drawn)
    found = np.array([(drawn == k).sum() for k in range(-reach, reach + 1)])
    keep = expected > 5
    statistic = ((found - expected) ** 2 / expected)[keep].sum()
    degrees = next(d for d in CHI2_999 if d >= keep.sum() - 1)
    assert statistic < CHI2_999[degrees]


@pytest.mark.parametrize("sigma", [Fraction(300), Fraction(2**20), Fraction(2**24)], ids=float)
def test_large_deviations_fit_the_normal_distribution(sigma: Fraction) -> None:
    drawn = np.sort(Noise(KEY, sigma**2).take(2 * PAGE))
    values = np.unique(drawn)[::8]
    share = np.searchsorted(drawn, values, side="right") / len(drawn)
    normal = [0.5 * math.erfc(-(z + 0.5) / float(sigma) / math.sqrt(2)) for z in values.tolist()]
    # Kolmogorov's statistic, 99.9 % point.
    assert np.abs(share - np.array(normal)).max() < 1.95 / math.sqrt(len(drawn))


def test_every_bit_of_a_large_draw_is_used() -> None:
    drawn = Noise(KEY, Fraction(2**44)).take(PAGE)
    for bit in range(16):
        assert abs((drawn >> bit & 1).mean() - 0.5) < 0.01


@given(st.lists(st.integers(0, PAGE // 2 + 3), min_size=1, max_size=6))
@settings(max_examples=10, deadline=None)
def test_the_noise_does_not_depend_on_how_much_is_taken_at_once(parts: list[int]) -> None:
    whole = Noise(KEY, Fraction(10**6)).take(sum(parts))
    stream = Noise(KEY, Fraction(10**6))
    assert np.array_equal(np.concatenate([stream.take(part) for part in parts]), whole)


def test_the_stream_is_what_it_was() -> None:
    """Vectors: a change of any would change the noise of a job that is run again."""
    assert Noise(KEY, Fraction(16 * 2**40)).take(4).tolist() == VECTORS[0]
    assert Noise(KEY, Fraction(9, 4)).take(12).tolist() == VECTORS[1]
    other = Noise(tagged("other"), Fraction(16 * 2**40)).take(4).tolist()
    assert other != VECTORS[0]


VECTORS = (
    [-2507641, 279848, 1729431, 304812],
    [-1, 0, 1, 0, 2, -2, -1, -2, -1, 2, -2, 0],
)


@pytest.mark.parametrize(
    ("variance", "digest"),
    [
        (Fraction(1, 16), "d0705f0323007562"),
        (Fraction(9, 4), "2b2a33bc0bddd1fe"),
        (Fraction(10**6), "e3388552ca5a78ae"),
        (Fraction(2**40), "5d39044056f12698"),
        (Fraction(2**48), "9b228014cd640da1"),
    ],
)
def test_whole_pages_are_what_they_were(variance: Fraction, digest: str) -> None:
    """Two pages and a part of a third, as the first program that drew them did."""
    drawn = Noise(KEY, variance).take(150_000)
    assert blake2b(drawn.tobytes(), digest_size=8).hexdigest() == digest


def test_variances_out_of_range_are_refused() -> None:
    for variance in (Fraction(0), Fraction(-1), Fraction(2**48 + 1)):
        with pytest.raises(ValueError, match="variance"):
            Sampler(variance)


def test_epsilon_is_the_closed_form_rounded_up() -> None:
    for rho in (1, 10**6, 312_500_000, 7 * 10**9, 10**13):
        for exponent in (5, 6, 9):
            exact = rho / 1e9 + 2 * math.sqrt(rho / 1e9 * exponent * math.log(10))
            assert 0 <= float(epsilon(rho, exponent)) - exact < 3e-6
    assert epsilon(0) == 0
