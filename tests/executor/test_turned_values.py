"""Values that their kernels also write in the order of a weight gradient: the same bits, exact fuel."""

from collections.abc import Sequence

import numpy as np
import pytest

from executor.compiler import blocks
from executor.compiler.compile import compile_training
from executor.compiler.kernels import packing
from executor.compiler.lowering.places import Places
from executor.compiler.plan import Plan
from primitives.data import Loss
from primitives.spec import NUMERICS
from tests.executor.compile_cases import Case, node, training_spec
from tests.executor.plan_runner import run_plan
from tests.executor.test_compile_operators import noise
from tests.executor.test_numerics import KERNELS, digest, golden

ROWS, BATCH = 20, 16


def layers(features: tuple[int, ...], wide: int) -> Case:
    """Two dense layers on elementwise chains, each of which has a sum over all rows as its gradient."""
    inner = features[-1]
    nodes = [
        node("Mul", "x scale", "a"),
        node("Tanh", "a", "b"),
        node("MatMul", "b w1", "c"),
        node("Sigmoid", "c", "d"),
        node("MatMul", "d w2", "e"),
        node("Tanh", "e", "y"),
    ]
    weights = {
        "scale": noise(inner, seed=1),
        "w1": noise(inner, wide, seed=2) / 4,
        "w2": noise(wide, inner, seed=3) / 4,
    }
    return Case(nodes, features, weights)


def trained(case: Case, **changes: float) -> tuple[Plan, Sequence[bytes]]:
    """Weights after two epochs, the last batch of which is not full."""
    spec = training_spec(
        BATCH, epochs=2, loss=Loss.MeanSquaredError, trainable=list(case.parameters), **changes
    )
    plan = compile_training(case.bytes(), spec, ROWS)
    x, target = (noise(ROWS, *case.features, seed=seed) for seed in (4, 5))
    machine, _ = run_plan(plan, spec, {"x": x}, target)
    return plan, [machine.view(parameter.region).tobytes() for parameter in plan.parameters]


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize(
    ("features", "wide", "turned"),
    [((40, 24), 32, True), ((5, 9, 16), 48, True), ((40, 8), 24, True), ((40, 12), 20, False)],
)
def test_the_same_weights_as_of_copies(
    features: tuple[int, ...],
    wide: int,
    turned: bool,
    momentum: float,
    alone: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if alone:
        monkeypatch.setattr(blocks, "CACHED", 0)
        monkeypatch.setattr(blocks, "RUN_MIN", 1)
    case = layers(features, wide)
    plan, weights = trained(case, momentum=momentum)
    monkeypatch.setattr(Places, "turned", lambda *_: None)
    copied, same = trained(case, momentum=momentum)
    assert (plan.module != copied.module) == turned
    assert same == weights
    assert all(np.isfinite(np.frombuffer(value, "<f4")).all() for value in weights)


@pytest.mark.parametrize("name", KERNELS)
def test_weights_are_the_golden_ones_if_every_value_is_turned(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "TURNED_STEPS", 0)
    assert digest(name) == golden()[str(NUMERICS)]["weights"][name]
