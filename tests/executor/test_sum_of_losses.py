"""Models with several outputs: weighted sums of losses, against NumPy in float64 and against their parts."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from executor import errors as executor_errors
from executor.compiler.compile import compile_training
from executor.compiler.machine import Machine
from executor.compiler.plan import Plan
from executor.enclave import Enclave, Limits, Secrets
from executor.errors import MixesRows, UnknownTensor
from executor.evaluate import evaluate
from executor.initialise import init_key
from executor.options import configure_spec
from executor.options import training_spec as options_spec
from executor.rows import MemoryRows
from executor.sandbox import Sandbox
from executor.team import Helpers, Team, team_of
from primitives.data import Column, Dtype, Loss, Policy, Schema
from primitives.job import RejectReason, model_hash, policy_breach
from primitives.scale import decode, encode, replace
from primitives.spec import (
    Dp,
    LossSpec,
    LossTerm,
    SingleLoss,
    SpecError,
    Target,
    TrainingSpec,
    check_columns,
    check_spec,
    float_bits,
)
from tests.executor.compile_cases import FUEL, training_spec
from tests.executor.test_train_command import run
from tests.primitives.test_data_and_job_rules import policy

ROWS, BATCH = 22, 8
F64 = NDArray[np.float64]
RNG = np.random.default_rng(11)
W = (RNG.standard_normal((5, 6)) * 0.5).astype(np.float32)
U = (RNG.standard_normal((6, 3)) * 0.5).astype(np.float32)
V = (RNG.standard_normal((6, 2)) * 0.5).astype(np.float32)
X = RNG.standard_normal((ROWS, 5)).astype(np.float32)
KIND = RNG.integers(0, 3, ROWS).astype(np.int32)
SIZE = RNG.standard_normal((ROWS, 2)).astype(np.float32)


def model() -> bytes:
    """A trunk tanh(x·w) with two heads: `kind`, three logits, and `size`, two numbers."""
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["h"]),
            helper.make_node("Tanh", ["h"], ["t"]),
            helper.make_node("MatMul", ["t", "u"], ["kind"]),
            helper.make_node("MatMul", ["t", "v"], ["size"]),
        ],
        "heads",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 5])],
        [
            helper.make_tensor_value_info("kind", TensorProto.FLOAT, ["n", 3]),
            helper.make_tensor_value_info("size", TensorProto.FLOAT, ["n", 2]),
        ],
        [numpy_helper.from_array(value, name) for name, value in (("w", W), ("u", U), ("v", V))],
    )
    opsets = [helper.make_opsetid("", 17)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())


MODEL = model()


def term(column: str, tensor: str, loss: Any, num: int = 1, den: int = 1) -> LossTerm:
    target = Target(column=column.encode(), tensor=tensor.encode())
    return LossTerm(target=target, loss=loss, weight_num=num, weight_den=den)


CLASSES = term("kind", "kind", LossSpec.CrossEntropy(), 2)
NUMBERS = term("size", "size", LossSpec.MeanSquaredError(), 1, 3)


def spec(*terms: LossTerm, **changes: Any) -> TrainingSpec:
    fields = {"target": terms[0].target, "loss": LossSpec.Sum(terms=list(terms))}
    return replace(training_spec(BATCH), **{**fields, **changes})


def single(one: LossTerm, **changes: Any) -> TrainingSpec:
    return spec(one, **{"loss": one.loss, **changes})


def fill(box: Machine | Sandbox | Team, plan: Plan, rows: slice = slice(None)) -> int:
    """Rows into a plan that compares `kind`, or `size`, or both; how many."""
    x, kind, size = X[rows], KIND[rows], SIZE[rows]
    box.view(plan.inputs[0])[: len(x)] = x
    for target in plan.targets:
        values: NDArray[Any] = kind if target.classes else size
        box.view(target.region)[: len(x)] = values
    return len(x)


def gradients(plan: Plan, rows: slice = slice(None)) -> F64:
    machine = Machine(plan)
    machine.run(1, fill(machine, plan, rows))
    machine.finish()
    found = [machine.view(region).reshape(-1) for region in plan.outputs]
    return np.concatenate(found).astype(np.float64)


def closed_form(rows: slice) -> tuple[float, F64]:
    """2·cross entropy + ⅓·mean squared error and its gradient by w, u, v, in float64."""
    x, kind, size = X[rows].astype(float), KIND[rows], SIZE[rows].astype(float)
    w, u, v = (value.astype(float) for value in (W, U, V))
    t = np.tanh(x @ w)
    logits, found = t @ u, t @ v
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    hot = np.eye(3)[kind]
    loss = 2 * -np.log((p * hot).sum(axis=1)).mean() + ((found - size) ** 2).mean() / 3
    by_logits, by_found = 2 * (p - hot) / len(x), 2 * (found - size) / size.size / 3
    by_h = (by_logits @ u.T + by_found @ v.T) * (1 - t**2)
    return loss, np.concatenate([(x.T @ by_h).ravel(), (t.T @ by_logits).ravel(), (t.T @ by_found).ravel()])


def test_gradients_are_those_of_the_closed_form() -> None:
    plan = compile_training(MODEL, spec(CLASSES, NUMBERS), BATCH, gradients_only=True)
    loss, expected = closed_form(slice(BATCH))
    machine = Machine(plan)
    machine.run(1, fill(machine, plan, slice(BATCH)))
    assert plan.losses is not None
    assert abs(float(machine.view(plan.losses)[0]) - loss) < 1e-6 * loss
    found = gradients(plan, slice(BATCH))
    assert np.abs(found - expected).max() < 1e-6 * np.abs(expected).max()


def test_a_sum_of_one_is_that_loss_to_the_bit() -> None:
    for one in (term("kind", "kind", LossSpec.CrossEntropy()), term("size", "size", LossSpec.Huber(delta=1))):
        plans = [compile_training(MODEL, made(one), BATCH) for made in (spec, single)]
        assert plans[0].module == plans[1].module


def test_losses_of_one_output_add_up() -> None:
    parts = (NUMBERS, term("size", "size", LossSpec.MeanAbsoluteError(), 5, 2))
    whole = gradients(compile_training(MODEL, spec(*parts), BATCH, gradients_only=True), slice(BATCH))
    each = [
        gradients(compile_training(MODEL, single(one), BATCH, gradients_only=True), slice(BATCH))
        for one in parts
    ]
    expected = each[0] / 3 + each[1] * 2.5
    assert np.abs(whole - expected).max() < 1e-6 * np.abs(expected).max()


def test_rows_are_clipped_over_all_losses_together() -> None:
    terms = (CLASSES, NUMBERS)
    alone = compile_training(MODEL, spec(*terms, batch=1), 1, gradients_only=True)
    each = [gradients(alone, slice(i, i + 1)) for i in range(BATCH)]
    norms = [float(np.linalg.norm(g)) for g in each]
    clip = float(np.median(norms))
    dp = Dp(clip_num=round(clip * 10**6), clip_den=10**6, sigma_milli=1000)
    plan = compile_training(MODEL, spec(*terms, dp=dp), BATCH, gradients_only=True)
    assert plan.losses is None and plan.noise is not None
    found = gradients(plan, slice(BATCH))
    expected = sum(g * min(1.0, clip / norm) for g, norm in zip(each, norms, strict=True)) / BATCH
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("helpers", [0, 1, 3])
def test_shards_give_the_same_bits_on_any_number_of_instances(helpers: int) -> None:
    plan = compile_training(MODEL, spec(CLASSES, NUMBERS, shards=4), ROWS)

    def trained(box: Machine | Team) -> list[bytes]:
        rows = fill(box, plan)
        box.run(3, rows - 16) if isinstance(box, Machine) else box.call("run", 3, rows - 16)
        return [box.view(parameter.region).tobytes() for parameter in plan.parameters]

    first = Sandbox(plan, 1 << 26, FUEL)
    for region, value in plan.constants:
        first.write(region, value)
    for parameter in plan.parameters:
        first.write(parameter.region, parameter.given)
    team = team_of(plan, first, FUEL, Helpers(helpers))
    assert team is not None and trained(team) == trained(Machine(plan))


def rows() -> MemoryRows:
    schema = Schema(
        columns=[
            Column(name=b"x", dtype=Dtype.F32, shape=[5]),
            Column(name=b"kind", dtype=Dtype.U8, shape=[]),
            Column(name=b"size", dtype=Dtype.F32, shape=[2]),
        ],
        rows_per_chunk=4,
    )
    return MemoryRows(schema, {"x": X, "kind": KIND.astype(np.uint8), "size": SIZE})


def test_a_job_trains_on_both_columns_in_the_enclave() -> None:
    wish = spec(CLASSES, NUMBERS, epochs=40, model_hash=model_hash(MODEL))
    check_spec(wish)
    check_columns(rows().schema, wish)
    result = Enclave().train(
        MODEL, rows(), wish, Limits(), Secrets(bytes(32)), init_key=init_key(bytes(32), 0), losses=True
    )
    columns: dict[str, Any] = {"x": X, "kind": KIND, "size": SIZE}
    before, after = (evaluate(weights, wish, columns).values for weights in (MODEL, result.weights))
    assert list(after) == ["loss", "kind.loss", "kind.accuracy", "size.loss", "size.mse"]
    for values in (before, after):
        assert values["loss"] == pytest.approx(2 * values["kind.loss"] + values["size.loss"] / 3)
    assert before["loss"] == pytest.approx(closed_form(slice(None))[0], rel=1e-5)
    assert after["kind.loss"] < before["kind.loss"] and after["size.loss"] < before["size.loss"]
    assert result.last_loss is not None and result.last_loss < before["loss"]
    with pytest.raises(SpecError):
        check_columns(rows().schema, spec(CLASSES, term("age", "size", LossSpec.MeanSquaredError())))


def test_figures_go_with_the_outputs_that_have_them() -> None:
    columns: dict[str, Any] = {"x": X, "kind": KIND, "size": SIZE}
    two = spec(CLASSES, NUMBERS)
    assert list(evaluate(MODEL, two, columns, ("accuracy", "loss")).values) == [
        "loss", "kind.accuracy", "kind.loss", "size.loss",
    ]  # fmt: skip
    numbers = spec(NUMBERS, term("size", "size", LossSpec.MeanAbsoluteError()))
    named = evaluate(MODEL, numbers, columns, ("loss",)).values
    assert set(named) == {"loss", "size.size.MeanSquaredError.loss", "size.size.MeanAbsoluteError.loss"}


def test_a_sum_one_of_whose_losses_mixes_rows_is_refused_under_privacy_by_name() -> None:
    """The second head is normalised by its batch: alone the first may be trained, with it no more."""
    numbers = [numpy_helper.from_array(np.ones(2, np.float32), name) for name in ("s", "b", "m", "a")]
    proto = onnx.load_model_from_string(MODEL)
    proto.graph.node[-1].output[0] = "raw"
    normal = helper.make_node("BatchNormalization", ["raw", "s", "b", "m", "a"], ["size"], training_mode=1)
    proto.graph.node.append(normal)
    proto.graph.initializer.extend(numbers)
    mixed, dp = proto.SerializeToString(), Dp(clip_num=1, clip_den=1, sigma_milli=4000)
    compile_training(mixed, spec(CLASSES, NUMBERS, trainable=[b"w"]), ROWS)
    compile_training(mixed, spec(CLASSES, dp=dp, trainable=[b"w"]), ROWS)
    for terms in ((CLASSES, NUMBERS), (NUMBERS, CLASSES), (NUMBERS,)):
        with pytest.raises(MixesRows, match="depend on other rows"):
            compile_training(mixed, spec(*terms, dp=dp, trainable=[b"w"]), ROWS)


BAD: list[dict[str, Any]] = [
    {"loss": LossSpec.Sum(terms=[])},
    {"loss": LossSpec.Sum(terms=[NUMBERS, CLASSES])},
    {"loss": LossSpec.Sum(terms=[CLASSES, term("size", "size", LossSpec.MeanSquaredError(), 0)])},
    {"loss": LossSpec.Sum(terms=[CLASSES, term("size", "size", LossSpec.MeanSquaredError(), 1, 0)])},
    {"loss": LossSpec.Sum(terms=[CLASSES, term("size", "size", LossSpec.Huber(delta=0))])},
    {
        "loss": LossSpec.Sum(
            terms=[CLASSES, *[term("size", "size", LossSpec.BinaryCrossEntropy(pos_weight=[1] * 513))] * 2]
        )
    },
]


@pytest.mark.parametrize("changes", BAD)
def test_sums_that_mean_nothing_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SpecError) as refusal:
        check_spec(spec(CLASSES, **changes))
    assert refusal.value.name == "BadLoss"


def test_a_policy_asks_about_every_loss() -> None:
    rules: Policy = policy(losses=[Loss.CrossEntropy, Loss.MeanSquaredError])
    wish = spec(CLASSES, NUMBERS, dp=Dp(clip_num=1, clip_den=1, sigma_milli=10_000))
    buyer = bytes(32)
    allowed = policy_breach(rules, wish, buyer, 1000)
    forbidden = policy_breach(policy(losses=[Loss.CrossEntropy]), wish, buyer, 1000)
    assert allowed is None and forbidden == RejectReason.PolicyForbids


def test_bytes_of_a_single_loss_are_those_of_the_loss() -> None:
    for loss in (LossSpec.CrossEntropy(), LossSpec.Huber(delta=float_bits(0.5))):
        assert encode(SingleLoss, loss) == encode(LossSpec, loss)
    whole = LossSpec.Sum(terms=[CLASSES, NUMBERS])
    data = encode(LossSpec, whole)
    assert data[0] == 8 and decode(LossSpec, data) == whole
    with pytest.raises(ValueError, match="variant"):
        decode(SingleLoss, data)


def test_unknown_outputs_are_named() -> None:
    with pytest.raises(UnknownTensor, match="'age'"):
        compile_training(MODEL, spec(CLASSES, term("size", "age", LossSpec.MeanSquaredError())), 8)


def test_the_command_adds_losses(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(MODEL)
    names = [*(f"x[{i}]" for i in range(5)), "label", "size[0]", "size[1]"]
    table = zip(X.tolist(), KIND.tolist(), SIZE.tolist(), strict=True)
    lines = [",".join(map(str, (*x, kind, *size))) for x, kind, size in table]
    (tmp_path / "rows.csv").write_text("\n".join([",".join(names), *lines]) + "\n")
    words = ("--loss-weight", "2", "--also", "size=size,mse,1/3", "--eval", "rows.csv")
    done = run(tmp_path, *words, "--epochs", "3", "--init", "given", "--lr", "0.05", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["loss_before"] == pytest.approx(closed_form(slice(None))[0], rel=1e-5)
    assert found["loss_after"] < found["loss_before"] and "size.mse_after" in found
    assert onnx.load_model(tmp_path / "weights.onnx").graph.output[1].name == "size"


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("size=nothing,mse", "adds no loss"),
        ("size=size", "adds no loss"),
        ("size", "adds no loss"),
        ("size=size,mse,1,2", "adds no loss"),
        ("size=size,mse,x", "no weight"),
        ("size=size,mse,1/0", "no weight"),
        ("size=size,mse,-1", "above zero"),
        ("size=size,mse,1/4294967296", "below 2.32"),
    ],
)
def test_what_adds_no_loss_is_said(option: str, said: str) -> None:
    parser = ArgumentParser()
    configure_spec(parser)
    arguments = parser.parse_args(["--target", "kind", "--also", option])
    with pytest.raises(executor_errors.SpecError, match=said):
        options_spec(arguments, MODEL, ["x", "kind", "size"])
