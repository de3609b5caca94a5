"""Whole runs in the real enclave on the demo's data: same bits twice, honest figures, hostile models by
name.
"""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from executor.enclave import Enclave, Limits, Secrets, TrainResult
from executor.errors import (
    BadData,
    DeadlineExceeded,
    Diverged,
    ExternalData,
    LimitError,
    MemoryLimit,
    ModelError,
    NotOnnx,
    OutOfFuel,
    SpecError,
    UnknownOp,
)
from executor.evaluate import evaluate
from executor.initialise import init_key
from executor.readers import Table, read_table
from executor.rows import MemoryRows
from primitives.job import model_hash
from primitives.scale import replace
from primitives.spec import (
    Affine,
    Dp,
    Init,
    InputMap,
    LossSpec,
    OptimizerSpec,
    Target,
    TrainingSpec,
    float_bits,
)
from tests.executor.planted import ROOT, four_rows, matmul_model, spec_for

DIGITS = ROOT / "examples" / "digits"
KEY = init_key(bytes(32), 0)
ROOMY = Limits(deadline_ms=120_000)


def digits(name: str) -> Table:
    return read_table(DIGITS / name, {"pixels": (1, 8, 8)})


def order(model: bytes, **changes: object) -> TrainingSpec:
    """The demo's order: pixels / 16, labels, SGD with momentum."""
    affine = Affine(mean=0, scale=float_bits(1 / 16))
    fields: dict[str, object] = {
        "inputs": [InputMap(column=b"pixels", tensor=b"pixels", affine=affine)],
        "target": Target(column=b"label", tensor=b"logits"),
        "optimizer": OptimizerSpec.Sgd(rate=float_bits(0.05), momentum=float_bits(0.9)),
        "batch": 32,
        "epochs": 2,
    }
    return spec_for(model, **{**fields, **changes})


@pytest.fixture(scope="module")
def rows() -> MemoryRows:
    table = digits("provider.csv")
    return MemoryRows(table.schema(), table.columns, secret=bytes(32))


def train(model: bytes, rows: MemoryRows, spec: TrainingSpec, limits: Limits = ROOMY) -> TrainResult:
    return Enclave().train(model, rows, spec, limits, Secrets(), init_key=KEY, losses=True)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_a_model_learns_the_digits_with_the_same_bits_twice(name: str, rows: MemoryRows) -> None:
    model = (DIGITS / f"{name}.onnx").read_bytes()
    spec = order(model, epochs=4)
    steps: list[tuple[int, int]] = []
    one = Enclave().train(
        model, rows, spec, ROOMY, Secrets(), init_key=KEY, progress=lambda *at: steps.append(at)
    )
    two = train(model, rows, spec)
    assert one.weights == two.weights and one.weights_hash == two.weights_hash
    test = digits("buyer_test.csv")
    accuracy = evaluate(one.weights, spec, test.columns).accuracy
    assert accuracy is not None and accuracy >= 0.9
    assert two.first_loss is not None and two.last_loss is not None and two.last_loss < two.first_loss
    assert steps[-1] == (one.steps, one.steps) and one.steps == 4 * -(-rows.rows // 32)
    quoted = Enclave().quote(model, spec, rows.rows, rows.schema)
    assert quoted == one.quoted and quoted.imports == 0
    assert one.fuel <= quoted.work.fuel <= one.fuel / 0.9
    onnx.checker.check_model(onnx.load_from_string(one.weights), full_check=True)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": b"\1" * 32},
        {"shuffle": False},
        {"epochs": 1},
        {"batch": 31},
        {"init": Init.Given()},
        {"optimizer": OptimizerSpec.Sgd(rate=float_bits(0.05), momentum=0)},
    ],
)
def test_every_choice_of_the_spec_matters(change: dict[str, object], rows: MemoryRows) -> None:
    model = (DIGITS / "mlp.onnx").read_bytes()
    assert train(model, rows, order(model)).weights != train(model, rows, order(model, **change)).weights


def test_the_beacon_decides_the_initial_weights(rows: MemoryRows) -> None:
    model = (DIGITS / "mlp.onnx").read_bytes()
    spec = order(model, epochs=1)
    other = Enclave().train(model, rows, spec, ROOMY, Secrets(), init_key=init_key(b"\1" * 32, 0))
    assert other.weights != train(model, rows, spec).weights


def test_one_step_is_the_gradient_step() -> None:
    """One batch of all rows, from given weights, against the textbook gradient in float64."""
    model, rows = matmul_model(), four_rows()
    spec = spec_for(model, init=Init.Given(), batch=4, epochs=1, shuffle=False)
    result = Enclave().train(model, rows, spec, ROOMY, Secrets(), losses=True)
    (tensor,) = onnx.load_from_string(result.weights).graph.initializer
    x, labels = np.arange(8.0).reshape(4, 2), np.array([0, 1, 2, 0])
    logits = x @ np.full((2, 3), 0.5)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = 0.5 - 0.1 * x.T @ (chances - np.eye(3)[labels]) / 4
    assert np.allclose(onnx.numpy_helper.to_array(tensor), expected, atol=1e-6)
    assert result.first_loss == pytest.approx(np.log(3), abs=1e-6)


def test_mean_squared_error_trains() -> None:
    model, rows = matmul_model(), _regression_rows()
    spec = spec_for(
        model,
        loss=LossSpec.MeanSquaredError(),
        target=Target(column=b"t", tensor=b"y"),
        epochs=200,
        batch=8,
    )
    result = Enclave().train(model, rows, spec, ROOMY, Secrets(), init_key=KEY, losses=True)
    assert result.last_loss is not None and result.last_loss < 1e-4


def _regression_rows() -> MemoryRows:
    x = np.linspace(-1, 1, 40, dtype=np.float32).reshape(20, 2)
    x[:, 1] = x[::-1, 1] ** 2
    t = x @ np.array([[1, 2, 3], [-1, 0, 0.5]], np.float32)
    from primitives.data import Dtype

    table = Table({"x": x, "t": t}, {"x": Dtype.F32, "t": Dtype.F32})
    return MemoryRows(table.schema(), table.columns)


# --- limits and hostile models ------------------------------------------------------------------------------


def test_an_endless_job_meets_its_limits(rows: MemoryRows) -> None:
    model = (DIGITS / "mlp.onnx").read_bytes()
    endless = order(model, epochs=65535)
    with pytest.raises(OutOfFuel):
        train(model, rows, endless, Limits(fuel=10**10))
    with pytest.raises(DeadlineExceeded):
        train(model, rows, endless, Limits(fuel=2**60, deadline_ms=3000))
    with pytest.raises(MemoryLimit):
        train(model, rows, order(model), Limits(memory=1 << 16))


def test_a_rate_that_diverges_returns_no_weights(rows: MemoryRows) -> None:
    model = (DIGITS / "mlp.onnx").read_bytes()
    wild = OptimizerSpec.Sgd(rate=float_bits(1e30), momentum=float_bits(0.9))
    with pytest.raises(Diverged):
        train(model, rows, order(model, optimizer=wild, epochs=3))


def test_labels_beyond_the_outputs_are_refused() -> None:
    with pytest.raises(BadData):
        Enclave().train(matmul_model(), four_rows((0, 1, 2, 3)), spec_for(matmul_model()), ROOMY, Secrets())


def changed_model(change: object) -> bytes:
    model = onnx.load_from_string(matmul_model())
    change(model)  # type: ignore[operator]
    data: bytes = model.SerializeToString()
    return data


def unknown_op(model: onnx.ModelProto) -> None:
    model.graph.node[0].op_type = "FancyNewOp"


def foreign_domain(model: onnx.ModelProto) -> None:
    model.graph.node[0].domain = "com.evil"
    model.opset_import.add(domain="com.evil", version=1)


def external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")


def two_gigabytes(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.dims[:] = [2, 1 << 28]


def two_gigabytes_by_nodes(model: onnx.ModelProto) -> None:
    shape = helper.make_tensor("shape", TensorProto.INT64, [2], [2, 1 << 28])
    model.graph.node.insert(0, helper.make_node("ConstantOfShape", ["shape"], ["w2"]))
    model.graph.initializer.append(shape)
    model.graph.node[1].input[1] = "w2"


def wrong_shape(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [3, 2]


def cycle(model: onnx.ModelProto) -> None:
    model.graph.node[0].input[0] = "y"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (unknown_op, UnknownOp),
        (foreign_domain, ModelError),
        (external, ExternalData),
        (two_gigabytes, (ModelError, LimitError)),
        (two_gigabytes_by_nodes, (ModelError, LimitError)),
        (wrong_shape, ModelError),
        (cycle, ModelError),
    ],
)
def test_hostile_models_are_refused_by_name(change: object, error: type[Exception]) -> None:
    model = changed_model(change)
    with pytest.raises(error):
        Enclave().quote(model, spec_for(model), 4)


@pytest.mark.parametrize("data", [b"", b"\0", b"GIF89a" * 100, b"\x3a\xff\xff\xff\xff\x0f", b"\xff" * 10_000])
def test_bytes_that_are_no_model(data: bytes) -> None:
    with pytest.raises(ModelError) as caught:
        Enclave().quote(data, spec_for(data), 4)
    assert isinstance(caught.value, NotOnnx | ModelError)


def test_specs_that_this_executor_cannot_do() -> None:
    model = matmul_model()
    for change in (
        {"init": Init.Registered(model=bytes(32))},
        {"trainable": [b"nothing"]},
        {"target": Target(column=b"label", tensor=b"nothing")},
        {"inputs": [InputMap(column=b"x", tensor=b"nothing", affine=None)]},
        {"dp": Dp(clip_num=1, clip_den=1, sigma_milli=1000)},
    ):
        with pytest.raises(SpecError):
            Enclave().train(model, four_rows(), spec_for(model, **change), ROOMY, Secrets())


def test_a_model_that_is_not_the_one_ordered() -> None:
    model = matmul_model()
    other = replace(spec_for(model), model_hash=model_hash(b"other"))
    with pytest.raises(Exception, match="not the one that the spec names"):
        Enclave().quote(model, other, 4)


# --- gristmill train ----------------------------------------------------------------------------------------


def gristmill_train(*words: str) -> subprocess.CompletedProcess[str]:
    digits = (
        "--model",
        str(DIGITS / "mlp.onnx"),
        "--data",
        str(DIGITS / "provider.csv"),
        "--target",
        "label",
    )
    common = ("--shape", "pixels=1,8,8", "--scale", "0.0625", "--epochs", "3")
    return subprocess.run(
        [sys.executable, "-m", "cli", "train", *digits, *common, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=ROOT,
    )


def test_train_command(tmp_path: Path) -> None:
    output = tmp_path / "weights.onnx"
    test = ("--test", str(DIGITS / "buyer_test.csv"))
    done = gristmill_train(*test, "--output", str(output), "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["accuracy_after"] > 0.85 > found["accuracy_before"] and found["enclave_imports"] == 0
    again = gristmill_train("--output", str(tmp_path / "again.onnx"), "--json")
    assert json.loads(again.stdout)["weights_hash"] == found["weights_hash"]
    assert output.read_bytes() == (tmp_path / "again.onnx").read_bytes()


def test_train_command_quotes_without_running(tmp_path: Path) -> None:
    done = gristmill_train("--quote", "--json", "--output", str(tmp_path / "no.onnx"))
    found = json.loads(done.stdout)
    assert found["fuel"] > 0 and found["parameters"] == 64 * 128 + 128 + 128 * 10 + 10
    assert not (tmp_path / "no.onnx").exists()
    assert "fuel" in gristmill_train("--quote").stdout


def test_a_private_run_says_what_it_costs() -> None:
    """Bun and Steinke: rho = epochs / (2 sigma^2), epsilon = rho + 2 sqrt(rho ln(1 / delta))."""
    done = gristmill_train("--quote", "--json", "--dp", "0.7", "--epochs", "3")
    found, rho = json.loads(done.stdout), 3 / (2 * 0.7**2)
    assert found["rho_nano"] == math.ceil(rho * 1e9) and found["delta"] == 1e-5
    assert 0 <= found["epsilon"] - (rho + 2 * math.sqrt(rho * math.log(1e5))) < 3e-6


def test_train_command_says_what_is_wrong(tmp_path: Path) -> None:
    for words, name in (
        (("--fuel", "1000"), "OutOfFuel"),
        (("--epochs", "0"), "SpecError"),
        (("--input", "nothing=pixels"), "SpecError"),
        (("--shape", "pixels=9"), "BadTable"),
        (("--rate", "nan"), "BadRate"),
    ):
        done = gristmill_train(*words, "--output", str(tmp_path / "no.onnx"))
        assert (done.returncode, done.stdout) == (1, "") and f"error[{name}]" in done.stderr, done.stderr
