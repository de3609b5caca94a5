"""A product's bits do not depend on how its weights are held: read where they lie, packed, or packed so that
they can be read turned; four rows or some blocks of rows at a time."""

import numpy as np
import pytest

from executor.compiler.kernels.packing import TURNED_STEPS
from tests.executor.compile_cases import Case, node
from tests.executor.test_compile_operators import noise

ROWS = 8


@pytest.mark.parametrize("inner", [7, TURNED_STEPS, TURNED_STEPS + 45])
@pytest.mark.parametrize("outputs", [4, 11, 70])
@pytest.mark.parametrize("turned", [0, 1])
def test_rows_have_the_same_bits_in_batches_of_any_size(inner: int, outputs: int, turned: int) -> None:
    weights = noise(inner, outputs, seed=inner)
    held = np.ascontiguousarray(weights.T) if turned else weights
    case = Case([node("Gemm", "x w", "y", transB=turned)], (inner,), {"w": held})
    x = noise(160, inner, seed=outputs)
    alone = case.forward(x[:ROWS])
    for batch in (40, 160):
        assert case.forward(x[:batch], batch)[:ROWS].tobytes() == alone.tobytes()
    exact = x[:ROWS].astype(np.float64) @ weights
    assert np.abs(alone - exact).max() < 2e-7 * inner * np.abs(exact).max()
