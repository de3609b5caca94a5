"""Metrics against scikit-learn's values and PyTorch's losses; options become the spec that they say."""

from argparse import ArgumentParser
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from executor.errors import SpecError
from executor.evaluate import evaluate, inference_form
from executor.metrics import Predictions, measure
from executor.onnx_runtime import onnxruntime
from executor.options import configure_spec, training_spec
from primitives.spec import Clip, LossSpec, OptimizerSpec, Schedule, Tick, TrainingSpec, WarmUp, check_spec
from primitives.spec import float_bits as bits
from tests.executor.planted import matmul_model
from tests.executor.test_training_rules import CASES, LOSSES, TRACE, model, spec_of

MODEL = matmul_model()


def test_metrics_of_classes_are_scikit_learns() -> None:
    """Expected: accuracy_score, f1_score and roc_auc_score of scikit-learn 1.9 on the same numbers."""
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 4, 40)
    scores = np.round(rng.standard_normal((40, 4)), 1).astype(np.float32)
    scores[np.arange(40), truth] += 0.75
    found = Predictions(LossSpec.CrossEntropy(), scores.astype(np.float64), truth.astype(np.float64))
    expected = {"accuracy": 0.4, "f1": 0.38955404816388794, "auc": 0.6895745167189132}
    assert {name: measure(name, found) for name in expected} == pytest.approx(expected)
    flags = rng.integers(0, 2, 40).astype(np.float32)
    logits = np.round(rng.standard_normal(40) + flags, 1).astype(np.float32)
    binary = LossSpec.BinaryCrossEntropy(pos_weight=[])
    found = Predictions(binary, logits.astype(np.float64)[:, None], flags.astype(np.float64)[:, None])
    expected = {"accuracy": 0.725, "f1": 0.7659574468085106, "auc": 0.8157894736842105}
    assert {name: measure(name, found) for name in expected} == pytest.approx(expected)


def test_metrics_of_numbers() -> None:
    outputs, targets = np.array([[1.0], [2.0], [4.0]]), np.array([[1.0], [0.0], [7.0]])
    found = Predictions(LossSpec.MeanSquaredError(), outputs, targets)
    assert measure("mae", found) == pytest.approx(5 / 3)
    assert measure("mse", found) == measure("loss", found) == pytest.approx(13 / 3)
    assert measure("rmse", found) == pytest.approx((13 / 3) ** 0.5)
    with pytest.raises(SpecError, match="classes"):
        measure("f1", found)
    with pytest.raises(SpecError, match="there are loss, accuracy"):
        measure("beauty", found)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_loss_is_that_of_training(loss: str) -> None:
    """PyTorch's first loss is that of the first batch, before any step."""
    kind, _ = LOSSES[loss]
    target = TRACE[f"data.{kind}"][:8]
    columns = {"x": TRACE["data.x"][:8], "label": target - 3 if loss == "kl_log" else target}
    name = next(name for name, case in CASES.items() if case[0] == loss)
    found = evaluate(model("kl" in loss), spec_of(name), columns, ["loss"])
    assert found.values["loss"] == pytest.approx(TRACE[f"loss.{loss}.losses"][0], rel=2e-6)


def test_a_model_exported_for_training_is_evaluated_as_it_is_used() -> None:
    """Running statistics instead of the batch's, and no dropout."""
    nodes = [
        helper.make_node("BatchNormalization", ["x", "s", "b", "m", "v"], ["n", "m2", "v2"], training_mode=1),
        helper.make_node("Dropout", ["n", "half", "yes"], ["y"]),
    ]
    floats = {"s": [2.0, 1.0], "b": [0.0, 1.0], "m": [1.0, 2.0], "v": [4.0, 0.25]}
    tensors = [helper.make_tensor(name, TensorProto.FLOAT, [2], value) for name, value in floats.items()]
    tensors += [helper.make_tensor("half", TensorProto.FLOAT, [], [0.5])]
    tensors += [helper.make_tensor("yes", TensorProto.BOOL, [], [True])]
    shape = ["N", 2]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)]
    outputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in ("m2", "v2")]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)], outputs, tensors
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    used = inference_form(proto.SerializeToString())
    onnx.checker.check_model(onnx.load_from_string(used))
    session = onnxruntime.InferenceSession(used, providers=["CPUExecutionProvider"])
    x = np.array([[3.0, 2.0], [1.0, 3.0]], np.float32)
    np.testing.assert_allclose(session.run(["y"], {"x": x})[0], [[2.0, 1.0], [0.0, 3.0]], rtol=1e-4)


# --- options ------------------------------------------------------------------------------------------------


def spec(*words: str) -> TrainingSpec:
    parser = ArgumentParser(exit_on_error=False)
    configure_spec(parser)
    found = training_spec(parser.parse_args(["--target", "label", *words]), MODEL, ["x", "label"])
    check_spec(found)
    return found


def adam(kind: Any, **changes: Any) -> OptimizerSpec:
    values = {
        "rate": bits(1e-3), "beta1": bits(0.9), "beta2": bits(0.999), "epsilon": bits(1e-8),
        "weight_decay": 0, "amsgrad": False, "clip": None,
    }  # fmt: skip
    made: OptimizerSpec = kind(**{**values, **changes})
    return made


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", OptimizerSpec.Sgd(rate=bits(0.1), momentum=bits(0.9))),
        ("--optimizer adam", adam(OptimizerSpec.Adam)),
        ("--optimizer adamw --lr 0.5", adam(OptimizerSpec.AdamW, rate=bits(0.5), weight_decay=bits(0.01))),
        (
            "--optimizer adam --betas 0.8,0.99 --eps 1e-6 --amsgrad --clip-norm 2",
            adam(
                OptimizerSpec.Adam,
                beta1=bits(0.8),
                beta2=bits(0.99),
                epsilon=bits(1e-6),
                amsgrad=True,
                clip=Clip.Norm(limit=bits(2.0)),
            ),
        ),
        (
            "--momentum 0.5 --nesterov --weight-decay 0.1 --clip-value 3",
            OptimizerSpec.Momentum(
                rate=bits(0.1), momentum=bits(0.5), dampening=0, weight_decay=bits(0.1), nesterov=True,
                clip=Clip.Value(limit=bits(3.0)),
            ),
        ),
        (
            "--optimizer rmsprop --alpha 0.9 --centered --momentum 0.3",
            OptimizerSpec.RmsProp(
                rate=bits(0.01), alpha=bits(0.9), epsilon=bits(1e-8), weight_decay=0, momentum=bits(0.3),
                centered=True, clip=None,
            ),
        ),
        (
            "--optimizer adagrad --lr-decay 0.1 --initial-accumulator 0.2",
            OptimizerSpec.Adagrad(
                rate=bits(0.01), rate_decay=bits(0.1), epsilon=bits(1e-10), weight_decay=0,
                initial=bits(0.2), clip=None,
            ),
        ),
    ],
)  # fmt: skip
def test_optimizer_options(words: str, expected: OptimizerSpec) -> None:
    assert spec(*words.split()).optimizer == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", Schedule.Constant()),
        ("--warmup 3", Schedule.Warm(tick=Tick.Epoch, warm_up=WarmUp(ticks=3, start=bits(1 / 3)))),
        (
            "--schedule step --step-size 2 --gamma 0.5",
            Schedule.Step(tick=Tick.Epoch, every=2, gamma=bits(0.5), warm_up=None),
        ),
        (
            "--schedule cosine --epochs 10 --warmup 2 --warmup-start 0",
            Schedule.Cosine(tick=Tick.Epoch, ticks=8, minimum=0, warm_up=WarmUp(ticks=2, start=0)),
        ),
        (
            "--schedule cosine --schedule-per step --t-max 99 --eta-min 0.01",
            Schedule.Cosine(tick=Tick.Step, ticks=99, minimum=bits(0.01), warm_up=None),
        ),
    ],
)
def test_schedule_options(words: str, expected: Schedule) -> None:
    assert spec(*words.split()).schedule == expected


def test_loss_and_data_options() -> None:
    found = spec("--class-weights", "1,2,3", "--ignore-index", "-1", "--label-smoothing", "0.1")
    assert found.loss == LossSpec.WeightedCrossEntropy(
        weights=[bits(1.0), bits(2.0), bits(3.0)], ignore=-1, smoothing=bits(0.1), probabilities=False
    )
    assert spec("--loss", "huber", "--delta", "2").loss == LossSpec.Huber(delta=bits(2.0))
    assert spec("--loss", "bce", "--pos-weight", "3").loss == LossSpec.BinaryCrossEntropy(
        pos_weight=[bits(3.0)]
    )
    affine = spec("--normalize", "x=2,4").inputs[0].affine
    assert affine is not None and (affine.mean, affine.scale) == (bits(2.0), bits(0.25))
    assert spec("--trainable", "?").trainable == [b"w"]
    assert spec("--shards", "4").shards == 4 and spec().shards == 1


@pytest.mark.parametrize(
    "words",
    [
        "--freeze w", "--freeze q", "--trainable q", "--lr 1e99", "--normalize x=1", "--normalize y=1,1",
        "--clip-norm 1 --clip-value 1", "--betas 0.9 --optimizer adam", "--warmup -1", "--epochs 0",
        "--schedule cosine --schedule-per step", "--shards 5", "--shards 0",
    ],
)  # fmt: skip
def test_options_that_mean_nothing_are_refused(words: str) -> None:
    with pytest.raises(SpecError):
        spec(*words.split())
