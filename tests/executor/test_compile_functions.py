"""Accuracy of exp, log, tanh, sigmoid and erf over the whole range of float32, and their ends."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.executor.compile_cases import Case, node

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
FEATURES = 256


def computed(op: str, values: F32) -> F32:
    """op of every value, by our module."""
    padded = np.resize(values, -(-values.size // FEATURES) * FEATURES)
    case = Case([node(op, "x")], (FEATURES,))
    return case.forward(padded.reshape(-1, FEATURES), batch=64).reshape(-1)[: values.size]


def patterns(low: float, high: float, count: int = 400_000) -> F32:
    """Floats between two bounds, dense in their bit patterns: all magnitudes alike."""
    rng = np.random.default_rng(3)
    bits = rng.integers(0, 1 << 32, count, dtype=np.uint32)
    values = bits.view(np.float32)
    with np.errstate(invalid="ignore"):
        inside = values[(values >= low) & (values <= high)]
    even = rng.uniform(max(low, -1e4), min(high, 1e4), count).astype(np.float32)
    return np.concatenate([inside, even[(even >= low) & (even <= high)]])


def ulps(ours: F32, truth: F64) -> float:
    """Largest error in units of the last place of the true value (at least the smallest normal number's)."""
    unit = np.spacing(np.maximum(np.abs(truth), np.finfo(np.float32).tiny).astype(np.float32)).astype(
        np.float64
    )
    return float(np.max(np.abs(ours.astype(np.float64) - truth) / unit))


def logistic(x: F64) -> F64:
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-x)))


def error_function(x: F64) -> F64:
    return np.array([math.erf(value) for value in x])


FUNCTIONS: dict[str, tuple[Callable[[F64], F64], float, float, float]] = {
    "Exp": (np.exp, -87.3, 88.7, 1.0),
    "Log": (np.log, 1e-45, 3.4e38, 0.9),
    "Tanh": (np.tanh, -3.4e38, 3.4e38, 1.4),
    "Sigmoid": (logistic, -87.0, 3.4e38, 2.2),
    "Erf": (error_function, -3.4e38, 3.4e38, 1.0),
}
"""Operator → truth in float64, range, bound in ulp."""


@pytest.mark.parametrize("op", FUNCTIONS)
def test_error_is_a_few_units_in_the_last_place(op: str) -> None:
    truth, low, high, bound = FUNCTIONS[op]
    values = patterns(low, high)
    assert ulps(computed(op, values), truth(values.astype(np.float64))) < bound


ENDS = {
    "Exp": [
        (0.0, 1.0),
        (-0.0, 1.0),
        (89.0, np.inf),
        (np.inf, np.inf),
        (-104.0, 0.0),
        (-np.inf, 0.0),
        (-200.0, 0.0),
    ],
    "Log": [(0.0, -np.inf), (-0.0, -np.inf), (1.0, 0.0), (-1.0, np.nan), (-np.inf, np.nan), (np.inf, np.inf)],
    "Tanh": [(0.0, 0.0), (-0.0, -0.0), (np.inf, 1.0), (-np.inf, -1.0), (50.0, 1.0), (1e-30, 1e-30)],
    "Sigmoid": [(0.0, 0.5), (np.inf, 1.0), (-np.inf, 0.0), (200.0, 1.0), (-200.0, 0.0)],
    "Erf": [(0.0, 0.0), (-0.0, -0.0), (np.inf, 1.0), (-np.inf, -1.0), (5.0, 1.0), (-3.0e38, -1.0)],
    "Relu": [(0.0, 0.0), (-1.0, 0.0), (np.inf, np.inf), (-np.inf, 0.0)],
}


@pytest.mark.parametrize("op", ENDS)
def test_ends_of_the_range(op: str) -> None:
    given = np.array([value for value, _ in ENDS[op]], dtype=np.float32)
    expected = np.array([value for _, value in ENDS[op]], dtype=np.float32)
    np.testing.assert_array_equal(computed(op, given), expected)


@pytest.mark.parametrize("op", ENDS)
def test_nan_gives_nan(op: str) -> None:
    bits = np.array([0x7FC00000, 0xFFC00001, 0x7F800001, 0xFFFFFFFF], dtype=np.uint32)
    assert np.isnan(computed(op, bits.view(np.float32))).all()


def test_subnormal_results_and_arguments() -> None:
    small = np.linspace(-103.0, -87.4, 1000).astype(np.float32)
    np.testing.assert_allclose(computed("Exp", small), np.exp(small.astype(np.float64)), atol=2e-45)
    tiny = np.array([1e-45, 1e-40, 1.1e-38], dtype=np.float32)
    np.testing.assert_allclose(computed("Log", tiny), np.log(tiny.astype(np.float64)), rtol=2e-7)
