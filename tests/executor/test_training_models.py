"""Whole models as people export them, trained step by step against the framework that they come from.

References and the scripts that make them are in tests/data/torch_traces. Tolerances: both sides compute in
float32 in another order of sums. A step's relative error is about 1e-6 (sums of 10² to 10³ products of 2⁻²⁴
each); over 12 steps with momentum or Adam it grows to some 1e-5 in the loss and 1e-4 in weights, a hundred
times less than what one step changes. Adam divides by √v, which for a weight whose gradient is nearly 0
magnifies rounding to a share of the rate itself: a weight may differ by 2 % of the distance that Adam can
move it in a step.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from executor.compiler.compile import compile_training
from executor.training import initial
from primitives.spec import Init, LossSpec, OptimizerSpec
from primitives.spec import float_bits as bits
from tests.executor.compile_cases import training_spec
from tests.executor.plan_runner import run_plan

TRACES = Path(__file__).parent.parent / "data/torch_traces"
BATCH, EPOCHS = 8, 3


def sgd(rate: float, momentum: float = 0.0) -> OptimizerSpec:
    return OptimizerSpec.Sgd(rate=bits(rate), momentum=bits(momentum))


def adam(rate: float) -> OptimizerSpec:
    return OptimizerSpec.Adam(
        rate=bits(rate), beta1=bits(0.9), beta2=bits(0.999), epsilon=bits(1e-8), weight_decay=0,
        amsgrad=False, clip=None,
    )  # fmt: skip


def adamw(rate: float) -> OptimizerSpec:
    return OptimizerSpec.AdamW(
        rate=bits(rate), beta1=bits(0.9), beta2=bits(0.999), epsilon=bits(1e-8), weight_decay=bits(0.01),
        amsgrad=False, clip=None,
    )  # fmt: skip


CLASSES, NUMBERS = LossSpec.CrossEntropy(), LossSpec.MeanSquaredError()
MODELS: dict[str, tuple[LossSpec, OptimizerSpec]] = {
    "resnet": (CLASSES, sgd(0.05, 0.9)),
    "resnet_folded": (CLASSES, sgd(0.05, 0.9)),
    "lstm": (CLASSES, adam(0.01)),
    "bilstm": (CLASSES, adam(0.01)),
    "gru": (CLASSES, adam(0.01)),
    "rnn": (CLASSES, adam(0.01)),
    "transformer": (CLASSES, adamw(0.005)),
    "embedding": (CLASSES, adam(0.02)),
    "autoencoder": (NUMBERS, adam(0.01)),
    "dense_autoencoder": (NUMBERS, adam(0.01)),
    "logistic": (LossSpec.BinaryCrossEntropy(pos_weight=[]), sgd(0.5)),
    "decoder": (CLASSES, sgd(0.1, 0.9)),
    "vit": (CLASSES, sgd(0.05, 0.9)),
    "unet": (NUMBERS, sgd(0.5, 0.9)),
    "mlpclassifier": (CLASSES, adam(0.01)),
    "keras": (CLASSES, sgd(0.05, 0.9)),
    "keras_gru": (NUMBERS, sgd(0.05, 0.9)),
    "keras_attention": (CLASSES, sgd(0.05, 0.9)),
    "keras_images": (CLASSES, sgd(0.05, 0.9)),
}
KERAS = {name for name in MODELS if name.startswith("keras")}
CONVERTED = {"mlpclassifier.skl2onnx.onnx"} | {f"{name}.tf2onnx.onnx" for name in KERAS}
SIGNED = {"decoder.dynamo.onnx", "vit.dynamo.onnx", "unet.dynamo.onnx"} | CONVERTED
"""Files that say themselves what their parameters are: the spec names none."""
FILES = sorted(path.name for path in TRACES.glob("*.onnx"))


def test_every_model_has_its_files() -> None:
    """Both of PyTorch's exporters for each of its models; dynamo folds ResNet's normalisations."""
    torch_models = MODELS.keys() - {"mlpclassifier"} - KERAS
    expected = {f"{name}.{how}.onnx" for name in torch_models for how in ("torchscript", "dynamo")}
    expected -= {"resnet.dynamo.onnx"}
    assert set(FILES) == expected | CONVERTED


def test_fresh_normalisations_can_learn() -> None:
    """Factors start as ones, statistics as PyTorch's; other vectors as zeros."""
    spec: Any = training_spec(BATCH, init=Init.Beacon())
    plan = compile_training((TRACES / "resnet.torchscript.onnx").read_bytes(), spec, 8)
    drawn = dict(zip([item.name for item in plan.parameters], initial(plan, spec, bytes(32)), strict=True))
    starts = {name: np.frombuffer(value, "<f4") for name, value in drawn.items()}
    assert {"norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"} <= starts.keys()
    for name, value in starts.items():
        if "norm" in name:
            assert (value == (1 if name.endswith(("weight", "var")) else 0)).all(), name
        elif name.endswith("weight"):
            assert len(set(value.tolist())) > 1, name


@pytest.mark.parametrize("file", FILES)
def test_training_follows_the_framework(file: str) -> None:
    name, exporter, _ = file.split(".")
    loss, optimizer = MODELS[name]
    data = (TRACES / file).read_bytes()
    graph = onnx.load_from_string(data).graph
    trace = np.load(TRACES / f"{name}.npz")
    expected = {key.split(":", 1)[1]: trace[key] for key in trace.files if key.startswith(exporter)}
    trainable = [] if file in SIGNED else [key for key in expected if "running" not in key]
    x, target = trace["x"], trace["target"]
    (entry,) = [value.name for value in graph.input if value.name not in {t.name for t in graph.initializer}]
    spec: Any = training_spec(
        BATCH, epochs=EPOCHS, loss=loss, optimizer=optimizer, inputs=[entry],
        target=graph.output[0].name, trainable=trainable,
    )  # fmt: skip
    plan = compile_training(data, spec, len(x))
    machine, losses = run_plan(plan, spec, {entry: x}, target)
    np.testing.assert_allclose(losses, trace["losses"], rtol=1e-4, atol=1e-5)
    assert {item.name for item in plan.parameters} == expected.keys()
    rate = 0.02 * 0.01 if isinstance(optimizer, OptimizerSpec.Adam | OptimizerSpec.AdamW) else 0.0
    for item in plan.parameters:
        found, wanted = machine.view(item.region), expected[item.name]
        if item.name.endswith("in_proj_bias"):
            # A bias of the keys moves all scores of a query alike: its slope is rounding alone, which Adam
            # makes steps of. Queries and values remain.
            found, wanted = (np.delete(part.reshape(3, -1), 1, axis=0) for part in (found, wanted))
        np.testing.assert_allclose(found, wanted, rtol=5e-4, atol=2e-5 + rate, err_msg=item.name)
