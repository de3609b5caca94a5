"""Dropout in training: the mask is Philox's, as an independent program computes it; each step has its own."""

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import helper

from executor import errors
from executor.compiler.compile import compile_forward, compile_training
from executor.compiler.machine import Machine
from executor.sandbox import Sandbox
from executor.team import Helpers, Team, team_of
from primitives.data import Loss
from primitives.hashing import tagged
from primitives.spec import Dp, TrainingSpec
from tests.executor.compile_cases import Case, node, training_spec
from tests.executor.test_compile_operators import noise

ROWS, FEATURES, BATCH, RATIO = 12, 5, 12, 0.25


def model(ratio: float = RATIO) -> Case:
    nodes = [
        node("Mul", "x s", "z"),
        node("Constant", "", "r", value_float=ratio),
        helper.make_node("Dropout", ["z", "r", "t"], ["y"]),
    ]
    return Case(nodes, (FEATURES,), {"s": np.ones(FEATURES, np.float32)}, {"t": np.array(True)})


def philox(key: bytes, counter: tuple[int, int, int, int]) -> float:
    """The first word of Philox 4×32-10 as a number in [0, 1)."""
    k0, k1 = (int.from_bytes(key[at : at + 4], "little") for at in (0, 4))
    c0, c1, c2, c3 = counter
    for _ in range(10):
        left, right = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1 = (right >> 32) ^ c1 ^ k0, right & 0xFFFFFFFF
        c2, c3 = (left >> 32) ^ c3 ^ k1, left & 0xFFFFFFFF
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return (c0 >> 8) / 2**24


def kept(step: int) -> NDArray[np.bool_]:
    key = tagged("dropout", bytes(32))[:8]
    return np.array(
        [[philox(key, (column, row, step, 1)) >= RATIO for column in range(FEATURES)] for row in range(ROWS)]
    )


def test_known_answer() -> None:
    """Random123's own vector for a counter and key of zeros: the first word is 6627e8d5."""
    assert philox(bytes(8), (0, 0, 0, 0)) == (0x6627E8D5 >> 8) / 2**24


def test_masks_are_philoxs_and_change_with_the_step() -> None:
    """With the target 0 the gradient by s of the mean square is 2·Σ kept·(x·scale)² / count."""
    case = model()
    x = np.linspace(0.5, 2.0, ROWS * FEATURES).reshape(ROWS, FEATURES).astype(np.float32)
    spec = training_spec(BATCH, loss=Loss.MeanSquaredError, trainable=["s"])
    plan = compile_training(case.bytes(), spec, ROWS, gradients_only=True)
    machine = Machine(plan, 10**12)
    found = []
    for step in (1, 2):
        machine.write(plan.inputs[0], x)
        machine.run(1, ROWS)
        mask = kept(step)
        wanted = 2 * (mask * (x / (1 - RATIO)) ** 2).sum(axis=0) / x.size
        found.append(machine.view(plan.outputs[0]).copy())
        np.testing.assert_allclose(found[-1], wanted, rtol=1e-6)
    assert not np.array_equal(*found)


def test_the_number_of_the_step_is_kept_with_the_states() -> None:
    """So that a run that is taken up again goes on with the masks that come next."""
    spec = training_spec(BATCH, loss=Loss.MeanSquaredError, trainable=["s"])
    (parameter,) = compile_training(model().bytes(), spec, ROWS).parameters
    assert [state.region.name for state in parameter.states] == ["number of the step"]


def weights(spec: TrainingSpec, instances: int = 1) -> list[bytes]:
    """Of a layer behind dropped inputs, and the last losses, after two calls with a short batch."""
    nodes = [helper.make_node("Dropout", ["x", "r", "t"], ["d"]), node("MatMul", "d w", "y")]
    whole = {"r": np.array(RATIO, np.float32), "t": np.array(True)}
    case = Case(nodes, (FEATURES,), {"w": noise(FEATURES, 2)}, whole)
    plan = compile_training(case.bytes(), spec, 2 * BATCH)
    box: Sandbox | Team | None = Sandbox(plan, 1 << 28, 10**12)
    if instances > 1:
        assert isinstance(box, Sandbox)
        box = team_of(plan, box, 10**12, Helpers(instances - 1))
    assert box is not None and plan.target is not None
    for region, value in plan.constants:
        box.write(region, value)
    (parameter,) = plan.parameters
    (counter,) = parameter.states
    box.write(parameter.region, parameter.given)
    box.view(plan.inputs[0])[: 2 * BATCH] = noise(2 * BATCH, FEATURES, seed=1)
    box.view(plan.target)[: 2 * BATCH] = noise(2 * BATCH, 2, seed=2)
    for _ in range(2):
        if plan.noise is not None:
            box.view(plan.noise)[:] = 0
        box.call("run", 2, BATCH - 5)
    assert box.view(counter.region) == 4
    return [box.view(item).tobytes() for item in (parameter.region, plan.losses) if item]


@pytest.mark.parametrize("shards", [2, 3, 12])
def test_each_row_has_the_masks_of_its_place_in_the_batch_in_whatever_shard(shards: int) -> None:
    specs = [training_spec(BATCH, loss=Loss.MeanSquaredError, rate=0.1, shards=n) for n in (1, shards)]
    whole, cut = (np.concatenate([np.frombuffer(item, "<f4") for item in weights(s)]) for s in specs)
    np.testing.assert_allclose(cut, whole, rtol=1e-5, atol=1e-6)
    assert weights(specs[1], 2) == weights(specs[1])


def test_under_differential_privacy_however_a_batch_is_cut_it_gives_the_same_bytes() -> None:
    private = Dp(clip_num=1, clip_den=1, sigma_milli=1000)
    found = [
        weights(training_spec(BATCH, loss=Loss.MeanSquaredError, rate=0.1, shards=n, dp=private), of)
        for n, of in ((1, 1), (3, 1), (3, 2), (12, 1))
    ]
    assert found[1:] == found[:-1]


def test_refusals() -> None:
    with pytest.raises(errors.UnsupportedAttribute, match="outside of a training run"):
        compile_forward(model().bytes(), BATCH, ROWS)
    with pytest.raises(errors.ShapeMismatch):
        compile_training(model(1.5).bytes(), training_spec(BATCH, loss=Loss.MeanSquaredError), ROWS)


def test_without_a_ratio_nothing_is_lost() -> None:
    x = np.ones((3, FEATURES), np.float32)
    np.testing.assert_array_equal(model(0.0).forward(x), x)
