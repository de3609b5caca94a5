"""Values of which heads are cut have their rows further apart: the same bits, right results, exact fuel."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from executor.compiler import schedule
from executor.compiler.compile import compile_training
from executor.compiler.plan import Plan
from primitives.data import Loss
from primitives.spec import NUMERICS
from tests.executor.compile_cases import Case, node, training_spec
from tests.executor.plan_runner import run_plan
from tests.executor.test_compile_operators import noise
from tests.executor.test_numerics import digest, golden

NEVER = 1 << 40
HEADS = {
    "heads": [
        node("Reshape", "q1 cut", "q2"),
        node("Reshape", "k1 cut", "k2"),
        node("Reshape", "v1 cut", "v2"),
        node("Transpose", "q2", "q3", perm=[0, 2, 1, 3]),
        node("Transpose", "k2", "k3", perm=[0, 2, 3, 1]),
        node("Transpose", "v2", "v3", perm=[0, 2, 1, 3]),
    ],
    "one head": [
        node("Identity", "q1", "q3"),
        node("Transpose", "k1", "k3", perm=[0, 2, 1]),
        node("Identity", "v1", "v3"),
    ],
    "keys that are added up too": [
        node("ReduceSum", "k1 last", "sums", keepdims=1),
        node("Add", "q1 sums", "q3"),
        node("Transpose", "k1", "k3", perm=[0, 2, 1]),
        node("Mul", "v1 k1", "v3"),
    ],
    "values that are read in C order too": [
        node("Reshape", "v1 flat", "v2"),
        node("Reshape", "v2 rows", "v3"),
        node("Identity", "q1", "q3"),
        node("Transpose", "k1", "k3", perm=[0, 2, 1]),
    ],
}
LENGTH, WIDTH, ROWS, BATCH = 5, 32, 20, 8


def attention(kind: str) -> Case:
    """x → attention with rows of 1 KB for eight rows of the batch."""
    cut = kind == "heads"
    nodes = [
        *(node("MatMul", f"x {name}", f"{name}1") for name in "qkv"),
        *HEADS[kind],
        node("MatMul", "q3 k3", "s"),
        node("Softmax", "s", "p", axis=-1),
        node("MatMul", "p v3", "m"),
        *([node("Transpose", "m", "m2", perm=[0, 2, 1, 3])] if cut else []),
        node("Reshape", "m2 flat" if cut else "m flat", "y"),
    ]
    shapes = {"cut": [0, LENGTH, 4, 8], "flat": [0, LENGTH * WIDTH], "rows": [0, LENGTH, WIDTH], "last": [2]}
    weights = {name: noise(WIDTH, WIDTH, seed=number) / 8 for number, name in enumerate("qkv")}
    return Case(nodes, (LENGTH, WIDTH), weights, {name: np.array(shape) for name, shape in shapes.items()})


def trained(case: Case, monkeypatch: pytest.MonkeyPatch, same_sets: int) -> tuple[Plan, Sequence[bytes]]:
    """Weights after two epochs, if rows that are so many bytes apart are moved."""
    monkeypatch.setattr(schedule, "SAME_SETS", same_sets)
    spec = training_spec(BATCH, epochs=2, loss=Loss.MeanSquaredError, trainable=list(case.parameters))
    plan = compile_training(case.bytes(), spec, ROWS)
    target = noise(ROWS, LENGTH * WIDTH, seed=9)
    machine, _ = run_plan(plan, spec, {"x": noise(ROWS, LENGTH, WIDTH, seed=8)}, target)
    return plan, [machine.view(parameter.region).tobytes() for parameter in plan.parameters]


@pytest.mark.parametrize("kind", HEADS)
def test_the_same_weights_wherever_rows_lie(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = attention(kind)
    plain, weights = trained(case, monkeypatch, NEVER)
    moved, same = trained(case, monkeypatch, 1024)
    assert plain.module != moved.module, "nothing was moved"
    assert same == weights
    _, always = trained(case, monkeypatch, 1)
    assert always == weights


@pytest.mark.parametrize("kind", HEADS)
def test_rows_apart_give_what_onnxruntime_gives(kind: str) -> None:
    case = attention(kind)
    x: NDArray[np.float32] = noise(ROWS, LENGTH, WIDTH, seed=3)
    expected = case.oracle(x)
    assert np.abs(case.forward(x) - expected).max() < 1e-5 * np.abs(expected).max()


def test_weights_are_the_golden_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "SAME_SETS", 1)
    assert digest("attention") == golden()[str(NUMERICS)]["weights"]["attention"]
