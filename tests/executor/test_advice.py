"""What `gristmill train` says about a model or rows that are probably not what was meant."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from executor.advice import of_batch, of_model, of_work
from executor.compiler.compile import compile_forward, compile_training
from executor.errors import ModelError, UnknownOp
from executor.graph.parse import parse
from primitives.data import Loss
from primitives.spec import LossSpec
from tests.executor.compile_cases import Case, node, training_spec
from tests.executor.planted import ROOT, matmul_model
from tests.executor.test_compile_operators import noise


def said(nodes: list[onnx.NodeProto], loss: Loss | LossSpec, **parameters: Any) -> list[str]:
    spec: Any = training_spec(4, loss=loss)
    return list(of_model(Case(nodes, (4,), parameters).bytes(), spec))


def test_probabilities_are_no_logits() -> None:
    for op, loss, known in (
        ("Softmax", Loss.CrossEntropy, True),
        ("Sigmoid", LossSpec.BinaryCrossEntropy(pos_weight=[]), True),
        ("Sigmoid", Loss.MeanSquaredError, False),
        ("Relu", Loss.CrossEntropy, False),
    ):
        found = said([node("MatMul", "x w", "h"), node(op, "h")], loss, w=noise(4, 2))
        assert [f"comes from {op}" in text and "give logits" in text for text in found] == [True] * known


def test_merged_weights_are_told() -> None:
    """As PyTorch's exporters write two norms that both begin with ones, or a layer and its copy."""
    norms = [node("LayerNormalization", "x g", "h"), node("LayerNormalization", "h g")]
    (text,) = said(norms, Loss.MeanSquaredError, g=np.ones(4, np.float32))
    assert text.startswith("'g': one tensor for several layers")
    assert not said(norms, Loss.MeanSquaredError, g=noise(4)), "shared on purpose, as far as one can see"
    copied = [node("Identity", "w", "v"), node("MatMul", "x w", "h"), node("MatMul", "h v")]
    (text,) = said(copied, Loss.MeanSquaredError, w=noise(4, 4))
    assert "'w'" in text


def test_where_several_cores_could_share_the_work_it_is_said_how() -> None:
    model = Case([node("MatMul", "x w")], (4,), {"w": noise(4, 2)}).bytes()
    normed = Case(
        [
            helper.make_node(
                "BatchNormalization", ["x", "s", "b", "m", "v"], ["y", "p", "q"], training_mode=1
            ),
        ],
        (4,),
        {name: np.ones(4, np.float32) for name in "sbmv"},
    ).bytes()

    def said(batch: int, *, model: bytes = model, flops: int = 10**11, cores: int = 2, **more: Any) -> str:
        spec = training_spec(batch, loss=more.pop("loss", Loss.CrossEntropy), **more)
        return " ".join(of_work(model, spec, flops, 1000, cores))

    for batch, shards in ((16, 2), (24, 3), (32, 4), (72, 3), (256, 8)):
        assert f"--shards {shards} " in said(batch)
        compile_training(model, training_spec(batch, loss=Loss.CrossEntropy, shards=shards), batch)
    assert not said(8) and not said(20) and not said(32, shards=2), "no whole lanes, or cut already"
    assert not said(32, cores=1) and not said(32, flops=10**10) and not said(32, model=normed)
    weighted = LossSpec.WeightedCrossEntropy(weights=[], ignore=None, smoothing=0, probabilities=False)
    assert not said(32, loss=weighted)
    spec = training_spec(32, loss=Loss.CrossEntropy)
    assert not list(of_work(model, spec, 10**11, 10**5, 2)), "each step too small to be shared"


def test_biases_that_a_converter_left_out_are_told() -> None:
    """Zero as in every fresh Keras model; a depthwise convolution has none anyway."""
    dense = [node("MatMul", "x w", "h"), node("Reshape", "h s", "r"), node("Add", "r b")]
    for nodes, producer, count in (
        (dense, "tf2onnx", 0),
        ([*dense[:2], node("Relu", "r")], "tf2onnx", 1),
        ([*dense[:2], node("Relu", "r")], "pytorch", 0),
        ([node("Reshape", "x p", "i"), node("Conv", "i k", group=2)], "tf2onnx", 0),
    ):
        tensors = {"w": noise(4, 2), "b": noise(2), "k": noise(2, 1, 1, 1)}
        lists = {"s": np.array([-1, 2]), "p": np.array([-1, 2, 2, 1])}
        proto = Case(nodes, (4,), tensors, lists).proto()
        proto.producer_name = producer
        spec: Any = training_spec(4, loss=Loss.MeanSquaredError)
        found = [text for text in of_model(proto.SerializeToString(), spec) if "have no bias" in text]
        assert len(found) == bool(count)
        assert all(text.startswith(f"{count} layers") for text in found)


@pytest.mark.parametrize(
    ("batch", "shards", "text"),
    [(4, 1, "batches of 4 rows take as long as of 8"), (11, 1, "as of 16"), (1, 1, "batches of 1 row take")]
    + [(32, 8, "parts of a batch of 4 rows")]
    + [(batch, shards, "") for batch, shards in ((8, 1), (6, 1), (12, 1), (64, 8), (100, 2), (100, 1))],
)
def test_empty_lanes_are_told(batch: int, shards: int, text: str) -> None:
    spec: Any = training_spec(batch, loss=Loss.MeanSquaredError, shards=shards)
    found = " ".join(of_batch(spec))
    assert text in found and bool(found) == bool(text)


def test_a_broken_tensor_is_refused_by_name_and_no_defect_of_ours() -> None:
    norms = [node("LayerNormalization", "x g", "h"), node("LayerNormalization", "h g")]
    proto = onnx.load_model_from_string(Case(norms, (4,), {"g": np.ones(4, np.float32)}).bytes())
    (tensor,) = proto.graph.initializer
    tensor.raw_data = tensor.raw_data[:3]
    spec: Any = training_spec(4, loss=Loss.MeanSquaredError)
    with pytest.raises(ModelError, match="'g'"):
        list(of_model(proto.SerializeToString(), spec))


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ("0 1 2 7", "error[BadData]: column 'label' holds classes 0 … 7; classes count from 0"),
        ("0 1 2 -1", "error[BadData]: column 'label' holds classes -1 … 2; classes count from 0"),
        (
            "0 1 0.5 1",
            "error[BadData]: column 'label' is to hold class numbers, but holds numbers that are not",
        ),
        ("a b c a", "error[BadTable]: column 'label' holds text; --classes label=NAME,NAME"),
    ],
)
def test_wrong_labels_are_named(tmp_path: Path, labels: str, text: str) -> None:
    (tmp_path / "model.onnx").write_bytes(matmul_model())
    rows = "\n".join(f"1,2,{label}" for label in labels.split())
    (tmp_path / "rows.csv").write_text(f"x[0],x[1],label\n{rows}\n")
    done = train(tmp_path)
    assert done.returncode == 1
    assert text in done.stderr
    assert not (tmp_path / "weights.onnx").exists()


def words_model() -> bytes:
    """x [N, 2] of words in a table of 5, a negative one counted from its end as Keras writes it."""
    nodes = [
        node("Cast", "x", "f", to=1),
        node("Less", "f nought", "below"),
        node("Cast", "below", "flag", to=7),
        node("Mul", "flag five", "more"),
        node("Add", "x more", "place"),
        node("Gather", "table place", "h"),
        node("Flatten", "h", "flat"),
        node("MatMul", "flat w"),
    ]
    floats = {"table": noise(5, 3), "w": noise(6, 4), "nought": np.zeros((), np.float32)}
    proto = Case(nodes, (2,), floats, {"five": np.array(5)}).proto()
    proto.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64
    data: bytes = proto.SerializeToString()
    return data


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        ("0,4", 0, ""),
        ("-5,4", 0, ""),
        ("0,7", 0, "note: column 'x' holds 7, but 'table' has 5 rows: a place outside"),
        ("-6,0", 0, "note: column 'x' holds -6, but 'table' has 5 rows"),
        ("0.5,1", 1, "error[BadData]: column 'x' holds float"),
    ],
)
def test_words_outside_of_the_table_are_told(tmp_path: Path, words: str, code: int, text: str) -> None:
    (tmp_path / "model.onnx").write_bytes(words_model())
    (tmp_path / "rows.csv").write_text(f"x[0],x[1],label\n1,2,0\n{words},3\n")
    done = train(tmp_path)
    assert done.returncode == code
    assert text in done.stderr if text else "rows" not in done.stderr


def train(folder: Path) -> subprocess.CompletedProcess[str]:
    """`gristmill train` on rows.csv."""
    words = ("--model", "model.onnx", "--data", "rows.csv", "--target", "label", "--epochs", "1")
    return subprocess.run(
        [sys.executable, "-m", "cli", "train", *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )


def test_a_fixed_batch_is_named_where_it_matters() -> None:
    """x.view(x.shape[0], -1), exported with a batch of 1."""
    integers = {"flat": np.array([1, -1], np.int64)}
    nodes = [node("Reshape", "x flat", "h"), node("Gemm", "h w")]
    case = Case(nodes, (2, 2), {"w": noise(4, 3)}, integers, first=1)
    with pytest.raises(ModelError, match="fixes the batch of 'x' at 1: export it with a free first one"):
        compile_forward(case.bytes(), 4, 8)
    case.first = "N"
    with pytest.raises(ModelError) as caught:
        compile_forward(case.bytes(), 4, 8)
    assert "export" not in str(caught.value)


def test_an_operator_set_may_be_imported_twice_alike() -> None:
    """skl2onnx does; two versions of one set contradict each other."""
    graph = helper.make_graph(
        [helper.make_node("LinearRegressor", ["x"], ["y"], domain="ai.onnx.ml")],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(noise(2), "w")],
    )
    sets = [
        helper.make_opsetid(domain, version) for domain, version in (("", 17), ("ai.onnx.ml", 1), ("", 17))
    ]
    with pytest.raises(UnknownOp, match="'LinearRegressor' of the domain"):
        parse(helper.make_model(graph, opset_imports=sets).SerializeToString())
    sets[2].version = 18
    with pytest.raises(ModelError, match="imported twice"):
        parse(helper.make_model(graph, opset_imports=sets).SerializeToString())
