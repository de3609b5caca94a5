"""Weights files, receipts and evaluation: what leaves the enclave and how the buyer checks it."""

import re
import subprocess
import sys
from dataclasses import replace as changed
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from executor import receipt
from executor.enclave import Limits, Secrets, TrainResult
from executor.errors import BadTable, EnclaveCrashed, ReceiptError, SpecError
from executor.evaluate import evaluate
from executor.record import read_record
from executor.weights import Span, check_same_graph, check_slots, filled
from primitives.data import Metric
from primitives.job import Receipt, receipt_message, result_commitment
from primitives.keys import Keypair, Scheme, verify
from primitives.scale import encode, replace
from primitives.spec import Init, InputMap, LossSpec, Target
from tests.executor.planted import ROOT, PlantedEnclave, four_rows, matmul_model, spec_for

MODEL = matmul_model()
SPEC = spec_for(MODEL, init=Init.Given())


@pytest.fixture(scope="module")
def result() -> TrainResult:
    limits = Limits(memory=1 << 20, fuel=10**6, deadline_ms=30_000)
    return PlantedEnclave("").train(MODEL, four_rows(), SPEC, limits, Secrets(), losses=True)


# --- weights.onnx -------------------------------------------------------------------------------------------


def test_only_initial_values_change(result: TrainResult) -> None:
    check_same_graph(MODEL, result.weights)
    before, after = (onnx.load_from_string(data) for data in (MODEL, result.weights))
    assert [t.name for t in before.graph.initializer] == [t.name for t in after.graph.initializer]
    assert before.graph.node == after.graph.node and before.opset_import == after.opset_import
    onnx.checker.check_model(after)


def test_slots_are_filled_in_order() -> None:
    assert filled(b"abcdefgh", [Span(4, 2), Span(0, 1)], b"XYZ") == b"ZbcdXYgh"
    for slots in ([Span(0, 3), Span(2, 1)], [Span(7, 2)]):
        with pytest.raises(EnclaveCrashed):
            check_slots(b"abcdefgh", slots)
    with pytest.raises(EnclaveCrashed):
        filled(b"abcdefgh", [Span(0, 2)], b"XYZ")


def renamed(model: onnx.ModelProto) -> None:
    model.graph.node[0].op_type = "Gemm"


def commented(model: onnx.ModelProto) -> None:
    model.doc_string = "row 1 is 5"


def external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def reshaped(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [3, 2]


def grown(model: onnx.ModelProto) -> None:
    model.graph.initializer.add(name="more", data_type=TensorProto.FLOAT, dims=[1], raw_data=bytes(4))


@pytest.mark.parametrize("change", [renamed, commented, external, reshaped, grown])
def test_another_graph_is_refused(change: object) -> None:
    model = onnx.load_from_string(MODEL)
    change(model)  # type: ignore[operator]
    with pytest.raises(ReceiptError):
        check_same_graph(MODEL, model.SerializeToString())


def test_returned_bytes_that_are_no_model() -> None:
    with pytest.raises(ReceiptError):
        check_same_graph(MODEL, b"\xff\xff")


# --- receipts -----------------------------------------------------------------------------------------------


FACTS = receipt.JobFacts(genesis=b"g" * 32, job=7, dataset_root=b"r" * 32)


def certifier(uri: str = "//Alice", scheme: Scheme = Scheme.SR25519) -> receipt.Certifier:
    keypair = Keypair.from_uri(uri, scheme)
    return receipt.Certifier(keypair.account_id, int(scheme), keypair.sign)


def expected() -> receipt.Expected:
    hashes = {"model_hash": SPEC.model_hash, "spec_hash": SPEC.hash, "numerics": SPEC.numerics}
    return receipt.Expected(b"g" * 32, 7, b"r" * 32, provider=certifier().provider, **hashes)  # type: ignore[arg-type]


@pytest.mark.parametrize("scheme", list(Scheme))
def test_a_receipt_verifies(result: TrainResult, scheme: Scheme) -> None:
    who = certifier(scheme=scheme)
    signed = receipt.build(result, SPEC, FACTS, bytes(32), who)
    wanted = changed(expected(), provider=who.provider)
    package = receipt.unpack(receipt.pack(result, signed), MODEL, wanted, verify)
    assert package.receipt == signed and package.weights == result.weights
    assert signed.metrics == [] and signed.fuel == result.fuel and signed.steps == 4


def test_the_salt_hides_the_commitment(result: TrainResult) -> None:
    one, two = (receipt.build(result, SPEC, FACTS, salt, certifier()) for salt in (bytes(32), b"\1" * 32))
    assert result_commitment(one) != result_commitment(two)


def test_the_receipt_of_a_job_is_told_from_one_of_a_training_run(result: TrainResult, tmp_path: Path) -> None:
    signed = receipt.build(result, SPEC, FACTS, bytes(32), certifier())
    path = tmp_path / "receipt"
    path.write_bytes(encode(Receipt, signed))
    with pytest.raises(ReceiptError, match="gristmill job verify JOB --receipt receipt --data-dir DIR"):
        read_record(path)
    path.write_bytes(encode(Receipt, signed)[:-1])
    with pytest.raises(ReceiptError, match="no receipt of gristmill train"):
        read_record(path)


def test_only_promised_metrics_are_told(result: TrainResult) -> None:
    facts = changed(FACTS, metrics=[Metric.LastEpochLoss])
    (metric,) = receipt.build(result, SPEC, facts, bytes(32), certifier()).metrics
    assert metric.metric == Metric.LastEpochLoss
    with pytest.raises(ReceiptError):
        receipt.build(changed(result, last_loss=None), SPEC, facts, bytes(32), certifier())


@pytest.mark.parametrize("field", list(Receipt.__annotations__))
def test_every_field_of_a_receipt_is_signed(result: TrainResult, field: str) -> None:
    signed = receipt.build(result, SPEC, FACTS, bytes(32), certifier())
    value = getattr(signed, field)
    other: object = {
        int: lambda: value ^ 1,
        bytes: lambda: bytes([value[0] ^ 1]) + value[1:],
        list: lambda: [*value, *changed_metric()],
        type(None): lambda: bytes(32),
    }.get(type(value), lambda: type(value)(1 - value))()
    forged = replace(signed, **{field: other})
    with pytest.raises(ReceiptError):
        receipt.unpack(receipt.pack(result, forged), MODEL, expected(), verify)


def changed_metric() -> list[object]:
    from primitives.job import MetricValue

    return [MetricValue(metric=Metric.FirstEpochLoss, value=1)]


def test_forged_packages(result: TrainResult) -> None:
    honest = receipt.build(result, SPEC, FACTS, bytes(32), certifier())
    stranger = receipt.build(result, SPEC, FACTS, bytes(32), certifier("//Mallory"))
    impersonated = replace(stranger, provider=honest.provider)
    model = onnx.load_from_string(result.weights)
    model.graph.initializer[0].raw_data = bytes(len(model.graph.initializer[0].raw_data))
    other = changed(result, weights=model.SerializeToString())
    check_same_graph(MODEL, other.weights)
    for package, said in (
        (receipt.pack(result, stranger), "another provider"),
        (receipt.pack(result, impersonated), "signature is not the provider's"),
        (receipt.pack(other, honest), "weights are not those that the receipt certifies"),
        (receipt.pack(result, honest) + b"\0", "no result package"),
        (b"", "no result package"),
    ):
        with pytest.raises(ReceiptError, match=said):
            receipt.unpack(package, MODEL, expected(), verify)


@pytest.mark.parametrize("field", receipt.Expected.__dataclass_fields__)
def test_an_honest_receipt_of_something_else(result: TrainResult, field: str) -> None:
    """Signed by the right provider, but of another job, chain, dataset, model or order: a replay."""
    value = getattr(expected(), field)
    other = value ^ 1 if isinstance(value, int) else bytes([1]) * 32
    package = receipt.pack(result, signed_with(result, **{field: other}))
    with pytest.raises(ReceiptError, match=f"another {field.replace('_', ' ')}"):
        receipt.unpack(package, MODEL, expected(), verify)


def test_a_receipt_of_a_later_version(result: TrainResult) -> None:
    with pytest.raises(ReceiptError, match="version 2, not 1"):
        receipt.unpack(receipt.pack(result, signed_with(result, version=2)), MODEL, expected(), verify)


def signed_with(result: TrainResult, **changes: object) -> Receipt:
    """The honest receipt with other fields, signed as they are."""
    unsigned = replace(receipt.build(result, SPEC, FACTS, bytes(32), certifier()), **changes, signature=b"")
    return replace(unsigned, signature=certifier().sign(receipt_message(unsigned)))


def test_an_honest_signature_under_another_graph(result: TrainResult) -> None:
    from primitives.job import weights_hash

    model = onnx.load_from_string(result.weights)
    model.doc_string = "row 1 is 5"
    data = model.SerializeToString()
    smuggled = changed(result, weights=data, weights_hash=weights_hash(data))
    signed = receipt.build(smuggled, SPEC, FACTS, bytes(32), certifier())
    with pytest.raises(ReceiptError, match="another graph"):
        receipt.unpack(receipt.pack(smuggled, signed), MODEL, expected(), verify)
    assert encode(Receipt, signed)


# --- evaluation ---------------------------------------------------------------------------------------------


def test_accuracy_and_squared_error() -> None:
    model = onnx.load_from_string(MODEL)
    model.graph.initializer[0].ClearField("float_data")
    model.graph.initializer[0].raw_data = np.array([[1, 0, 0], [0, 1, 0]], "<f4").tobytes()
    data = model.SerializeToString()
    x = np.array([[2.0, 1.0], [0.0, 3.0], [5.0, 0.0], [1.0, 2.0]], dtype=np.float32)
    found = evaluate(data, SPEC, {"x": x, "label": np.array([0, 1, 1, 1])})
    assert (found.rows, found.accuracy, found.mse) == (4, 0.75, None)
    squared = spec_for(MODEL, loss=LossSpec.MeanSquaredError())
    target = np.concatenate([x, np.full((4, 1), 3.0, np.float32)], axis=1)
    assert evaluate(data, squared, {"x": x, "label": target}).mse == pytest.approx(3.0)


def test_evaluation_refuses_what_does_not_fit() -> None:
    x, labels = np.zeros((2, 2), np.float32), np.zeros(2, np.int64)
    with pytest.raises(BadTable):
        evaluate(MODEL, SPEC, {"x": x})
    with pytest.raises(BadTable):
        evaluate(MODEL, SPEC, {"x": np.zeros((2, 3), np.float32), "label": labels})
    with pytest.raises(SpecError):
        evaluate(
            MODEL, spec_for(MODEL, target=Target(column=b"label", tensor=b"z")), {"x": x, "label": labels}
        )
    unknown = spec_for(MODEL, inputs=[InputMap(column=b"x", tensor=b"q", affine=None)])
    with pytest.raises(SpecError):
        evaluate(MODEL, unknown, {"x": x, "label": labels})


def test_onnxruntime_is_only_imported_with_its_telemetry_off(tmp_path: Path) -> None:
    product = ("primitives", "frame", "pallets", "runtime", "executor", "chain_spec", "node", "client", "cli")
    importing = {
        str(path.relative_to(ROOT))
        for package in product
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"^\s*(import|from) onnxruntime", path.read_text(), re.MULTILINE)
    }
    assert importing == {"executor/onnx_runtime.py"}
    (tmp_path / "model.onnx").write_bytes(MODEL)
    script = "from executor.onnx_runtime import onnxruntime as o; o.InferenceSession('model.onnx')"
    environment = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", script], env=environment, cwd=tmp_path, check=True)
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"], "no device id, no event store"
