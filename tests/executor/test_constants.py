"""Which initialisers are parameters when a spec names none: tables, statistics and numbers are not."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from executor.compiler.compile import compile_training, default_trainable
from executor.errors import ModelError, UnknownTensor
from executor.training import initial
from primitives.spec import Init
from tests.executor.compile_cases import Case, node, training_spec
from tests.executor.test_compile_operators import noise

SIGNATURE = """
# inputs
p_w: PARAMETER target='w'
b_cos: BUFFER target='cos' persistent=True
c_lifted: CONSTANT_TENSOR target='table'
x: USER_INPUT
"""


def written(nodes: list[onnx.NodeProto], signature: str = "", **tensors: Any) -> bytes:
    """x [N, 4] to y, with float initialisers; with what PyTorch's exporter says of them."""
    graph = helper.make_graph(
        nodes,
        "case",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [
            numpy_helper.from_array(np.asarray(value, dtype=np.float32), name)
            for name, value in tensors.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    if signature:
        said = model.graph.metadata_props.add()
        said.key, said.value = "pkg.torch.export.ExportedProgram.graph_signature", signature
    data: bytes = model.SerializeToString()
    return data


def trained(model: bytes, *names: str) -> list[str]:
    spec: Any = training_spec(4, inputs=["x"], target="y", trainable=list(names))
    return [item.name for item in compile_training(model, spec, 8).parameters]


def exported(signature: str) -> bytes:
    """A table, a buffer and the single number of attention's scores around one weight."""
    nodes = [
        node("Mul", "x cos", "a"),
        node("Mul", "a val_81", "b"),
        node("Add", "b table", "c"),
        node("MatMul", "c w"),
    ]
    tensors = {"cos": noise(4), "val_81": [0.59], "table": noise(4), "w": noise(4, 3)}
    return written(nodes, signature, **tensors)


def test_what_the_exporter_calls_no_parameter_is_none() -> None:
    model = exported(SIGNATURE)
    assert trained(model) == default_trainable(model, ["y"]) == ["w"]
    assert trained(model, "cos", "w") == ["cos", "w"], "a spec may name a buffer"
    assert trained(exported("")) == ["cos", "val_81", "table", "w"], "nobody says so"
    with pytest.raises(UnknownTensor, match="no output 'z'; it has y"):
        default_trainable(model, ["z"])


def test_a_signature_is_data() -> None:
    """Whatever stands there decides on names alone, and quickly."""
    long = ("x" * 3_000_000, "\n" * 1_000_000, " " * 1_000_000, "p: PARAMETER target='" * 10_000)
    for text in ("a: BUFFER target='w'", "\x00\n: BUFFER", *long):
        model = exported(text)
        assert set(trained(model)) <= {"cos", "val_81", "table", "w"} if "'w'" not in text else True
    with pytest.raises(ModelError):
        broken = exported("SPOT").replace(b"SPOT", b"\xff\xfe\xff\xfe")
        trained(broken)


def test_statistics_that_are_only_read_stay() -> None:
    nodes = [node("MatMul", "x w", "h"), node("BatchNormalization", "h g b m v")]
    model = written(nodes, w=noise(4, 3), g=noise(3), b=noise(3), m=noise(3), v=np.ones(3))
    assert trained(model) == ["w", "g", "b"]


def test_group_normalisation_as_it_is_exported() -> None:
    """Ones and zeros inside belong to the exporter; factors behind are the layer's and start as ones."""
    nodes = [
        node("MatMul", "x w", "h"),
        node("Reshape", "h two", "s"),
        node("InstanceNormalization", "s ones zeros", "n"),
        node("Reshape", "n four", "m"),
        node("Mul", "m g", "k"),
        node("Add", "k b"),
    ]
    tensors = {"w": noise(4, 4), "ones": np.ones(2), "zeros": np.zeros(2), "g": noise(4), "b": noise(4)}
    for signature, expected in ((SIGNATURE, ["w", "g", "b"]), ("", ["w", "ones", "zeros", "g", "b"])):
        model = onnx.load_from_string(written(nodes, signature, **tensors))
        model.graph.initializer.append(numpy_helper.from_array(np.array([0, 2, 2], np.int64), "two"))
        model.graph.initializer.append(numpy_helper.from_array(np.array([0, 4], np.int64), "four"))
        data = model.SerializeToString()
        assert trained(data) == expected
        assert starts(data)["g"] == [1.0] * 4


def starts(model: bytes) -> dict[str, list[float]]:
    spec: Any = training_spec(4, inputs=["x"], target="y", init=Init.Beacon())
    plan = compile_training(model, spec, 8)
    drawn = initial(plan, spec, bytes(32))
    return {
        item.name: np.frombuffer(value, "<f4").tolist()
        for item, value in zip(plan.parameters, drawn, strict=True)
    }


@pytest.mark.parametrize("last", ["Mul", "Div"])
def test_factors_of_a_written_out_normalisation_start_as_ones(last: str) -> None:
    """x · (1 / √mean x²) · g, and x / √mean x² · g: from zeros, a gated layer behind could not learn."""
    nodes = [
        node("MatMul", "x w", "h"),
        node("Mul", "h h", "s"),
        node("ReduceMean", "s", "m", axes=[-1]),
        node("Add", "m e", "v"),
        node("Sqrt", "v", "r"),
        node("Reciprocal", "r", "i"),
        node(last, "h i" if last == "Mul" else "h r", "n"),
        node("Mul", "g n", "k"),
        node("Mul", "k t"),
    ]
    found = starts(written(nodes, w=noise(4, 3), e=np.float32(1e-6), g=noise(3), t=noise(3)))
    assert found["g"] == [1.0] * 3
    assert found["t"] == [0.0] * 3, "a vector that scales anything else"


def test_scales_of_a_resize_are_known() -> None:
    """As PyTorch's newer exporter writes them: a float initialiser, here with sizes at work in training."""
    nodes = [
        node("Reshape", "x one", "p"),
        node("Mul", "p w", "q"),
        node("Resize", "q - scales", "r", mode="nearest"),
        node("Flatten", "r"),
    ]
    model = onnx.load_from_string(written(nodes, w=noise(4), scales=[1.0, 1.0, 2.0]))
    model.graph.initializer.append(numpy_helper.from_array(np.array([0, 1, 4], np.int64), "one"))
    assert trained(model.SerializeToString()) == ["w"]


I64 = np.int64


def test_a_table_is_spread_over_the_batch_as_pytorch_writes_it() -> None:
    """torch.Tensor.expand: Where(sizes = −1, 1, sizes) with the batch among the sizes."""
    nodes = [
        node("Shape", "x", "s"),
        node("Gather", "s zero", "b"),
        node("Concat", "b minus four", "sizes", axis=0),
        node("ConstantOfShape", "three", "ones", value=numpy_helper.from_array(np.array([1]))),
        node("Mul", "ones minus", "least"),
        node("Equal", "sizes least", "same"),
        node("Where", "same ones sizes", "wanted"),
        node("Expand", "token wanted", "first"),
        node("Unsqueeze", "x one", "rows"),
        node("Concat", "first rows", axis=1),
    ]
    integers = {
        "zero": np.array([0], I64),
        "minus": np.array([-1], I64),
        "four": np.array([4], I64),
        "three": np.array([3], I64),
        "one": np.array([1], I64),
    }
    case = Case(nodes, (4,), {"token": noise(1, 1, 4)}, integers)
    x = noise(5, 4)
    np.testing.assert_array_equal(case.forward(x, 3), case.oracle(x))


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_sizes_of_a_resize_may_begin_with_the_batch(mode: str) -> None:
    """torch.nn.functional.interpolate(size=…): the first two sizes are those of the tensor."""
    nodes = [
        node("Shape", "x", "s"),
        node("Slice", "s zero two", "lead"),
        node("Concat", "lead hw", "sizes", axis=0),
        node("Resize", "x - - sizes", mode=mode, nearest_mode="floor"),
    ]
    integers = {"zero": np.array([0], I64), "two": np.array([2], I64), "hw": np.array([7, 9], I64)}
    case = Case(nodes, (2, 4, 5), {}, integers)
    x = noise(5, 2, 4, 5)
    np.testing.assert_allclose(case.forward(x, 3), case.oracle(x), rtol=1e-5, atol=1e-5)
