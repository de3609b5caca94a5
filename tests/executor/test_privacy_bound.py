"""The row that comes nearest to the bound of differential privacy, and so notices the smallest mistake in it.

A dense layer's gradient by its weights is the row itself, times a number. So a row can be made whose scaled
gradient lies just above k + ½ in every element: each is rounded up, which is as much as rounding can add to
a norm, √d/2. A radius that is a unit too large carries such a row over the bound.
"""

from dataclasses import replace as changed
from math import isqrt, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import helper

from executor.compiler import compile as front
from executor.compiler.compile import compile_training
from executor.compiler.machine import Machine
from executor.privacy.grid import Grid, grid, margin
from primitives.data import Loss
from primitives.spec import Dp
from tests.executor.compile_cases import Case, training_spec

WIDTH = 24
"""Elements of the gradient: √24/2 is nearly half a unit more than the ⌊√24⌋/2 that is not enough."""
BATCH = 8
COARSE = Dp(clip_num=1, clip_den=1, sigma_milli=2**10 * 1000)
"""C = 2¹⁴: what float32 may have lost is a tenth of a unit there."""
FINE = Dp(clip_num=1, clip_den=1, sigma_milli=1000)
"""C = 2²⁰."""
FOR_ROUNDING = 3
"""What the radius leaves of C for rounding √24/2."""
ROUNDINGS = WIDTH + 5
"""In a row: Σ a² over WIDTH elements, b², their product, the sum over parameters (`compiler.private`)."""


def row_above_halves(norm: float) -> NDArray[np.float32]:
    """k + ½ with whole k, nearly all equal, of at least this norm and less than ⅓ more."""
    low = int(norm / sqrt(WIDTH) - 0.5)
    row = np.full(WIDTH, low + 0.5)
    for place in range(WIDTH + 1):
        if np.sqrt((row**2).sum()) >= norm:
            return row.astype(np.float32)
        row[place] += 1
    raise AssertionError("no such row")


def whole_numbers(dp: Dp, row: NDArray[np.float32]) -> list[int]:
    """What a row adds to the sum of the batch, in grid units."""
    weights = np.zeros((WIDTH, 1), np.float32)
    case = Case([helper.make_node("MatMul", ["x", "w"], ["y"])], (WIDTH,), {"w": weights})
    spec = training_spec(BATCH, loss=Loss.MeanSquaredError, dp=dp)
    plan = compile_training(case.proto().SerializeToString(), spec, 1, gradients_only=True)
    machine = Machine(plan)
    assert plan.target is not None
    machine.write(plan.inputs[0], row[None] / np.float32(2**20))
    machine.write(plan.target, np.array([[-64.0]], np.float32))
    machine.run(1, 1)
    machine.finish()
    unit = float(grid(dp, BATCH, WIDTH).value(BATCH))
    return [round(float(value) / unit) for value in machine.view(plan.outputs[0]).reshape(-1)]


def test_the_radius_leaves_what_rounding_may_add_and_little_more() -> None:
    for parameters in (*range(1, 3000), 10**6 - 1, 10**6, 10**6 + 1, 1 << 24):
        found = grid(FINE, BATCH, parameters)
        left = found.bound - found.radius
        assert 4 * left**2 >= parameters, "rounding may carry a row over the bound"
        assert left <= isqrt(parameters) // 2 + 2, "privacy is paid for with more of the clip than needed"


def below_the_bound() -> bool:
    """Whether the row that one unit too much would carry over the bound stays below it."""
    bound = grid(COARSE, BATCH, WIDTH).bound
    assert bound == 1 << 14
    numbers = whole_numbers(COARSE, row_above_halves(bound - sqrt(WIDTH) / 2))
    return sum(n * n for n in numbers) <= bound**2


def below_what_floats_may_lose() -> bool:
    """The same on the finest grid, where the margin for float32's roundings takes 5 units: the scaled
    gradient must be shorter than the radius by all of it, but for a unit.
    """
    bound = grid(FINE, BATCH, WIDTH).bound
    assert bound == 1 << 20
    scaled = float((bound - FOR_ROUNDING) / margin(ROUNDINGS))
    numbers = whole_numbers(FINE, row_above_halves(scaled + 0.7))
    return sum(n * n for n in numbers) <= (scaled + 0.7 + sqrt(WIDTH) / 2 - 1) ** 2


def test_the_nearest_row_stays_below_the_bound() -> None:
    assert below_the_bound()
    assert below_what_floats_may_lose()


@pytest.mark.parametrize("too_much", [1, 2])
def test_a_radius_that_is_a_little_too_large_is_noticed(
    too_much: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def planted(dp: Dp, batch: int, parameters: int) -> Grid:
        found = grid(dp, batch, parameters)
        return changed(found, radius=found.radius + too_much)

    monkeypatch.setattr(front, "privacy_grid", planted)
    assert not below_the_bound()
    if too_much == 2:
        assert not below_what_floats_may_lose()


def test_the_row_is_what_it_says() -> None:
    for norm in (1000.0, 2.0**14 - 2.45, 2.0**20 - 8):
        row = row_above_halves(norm).astype(np.float64)
        assert norm <= np.sqrt((row**2).sum()) < norm + 1 / 3
        assert np.array_equal(row % 1, np.full(WIDTH, 0.5))
