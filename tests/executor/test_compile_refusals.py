"""Hostile and unsupported models and specs: a named error, quickly, and nothing large allocated."""

import contextlib
import itertools
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from executor import errors
from executor.compiler.compile import compile_forward, compile_training
from executor.graph.parse import MODEL_MAX, NODES_MAX
from primitives.data import Loss
from primitives.spec import Dp
from tests.executor.compile_cases import Case, node, training_spec


def linear() -> onnx.ModelProto:
    """x [N, 4] → y [N, 3]."""
    rng = np.random.default_rng(0)
    case = Case(
        [node("Gemm", "x w b")],
        (4,),
        {"w": rng.normal(size=(4, 3)).astype(np.float32), "b": np.zeros(3, np.float32)},
    )
    return case.proto()


Change = Callable[[onnx.ModelProto], None]


def nodes(*items: onnx.NodeProto) -> Change:
    """Replace the graph's nodes."""

    def change(model: onnx.ModelProto) -> None:
        del model.graph.node[:]
        model.graph.node.extend(items)

    return change


def initialiser(tensor: TensorProto) -> Change:
    """Replace the weights."""

    def change(model: onnx.ModelProto) -> None:
        model.graph.initializer[0].CopyFrom(tensor)

    return change


def declared(*dims: int, kind: int = TensorProto.FLOAT, data: bytes = b"") -> TensorProto:
    """A tensor that declares a shape without holding it."""
    return TensorProto(name="w", data_type=kind, dims=dims, raw_data=data)


def external() -> TensorProto:
    tensor = declared(4, 3)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


def port(*dims: int | str | None, kind: int = TensorProto.FLOAT) -> Change:
    """Replace the graph's input."""

    def change(model: onnx.ModelProto) -> None:
        model.graph.input[0].CopyFrom(helper.make_tensor_value_info("x", kind, list(dims)))

    return change


def opset(version: int, domain: str = "") -> Change:
    def change(model: onnx.ModelProto) -> None:
        del model.opset_import[:]
        model.opset_import.append(helper.make_opsetid(domain, version))

    return change


def function(model: onnx.ModelProto) -> None:
    """A function that calls itself."""
    model.functions.append(
        helper.make_function("own", "F", ["a"], ["b"], [node("F", "a", "b", domain="own")], [])
    )


def subgraph(model: onnx.ModelProto) -> None:
    body = helper.make_graph(
        [node("Identity", "x")], "body", [], [helper.make_tensor_value_info("y", 1, None)]
    )
    nodes(node("If", "x", then_branch=body, else_branch=body))(model)


def many_nodes(model: onnx.ModelProto) -> None:
    names = ["x", *(f"t{index}" for index in range(NODES_MAX)), "y"]
    nodes(*(node("Relu", a, b) for a, b in itertools.pairwise(names)))(model)


def doubled(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(model.graph.initializer[0])


def chain(op: str, inputs: str, **attributes: Any) -> Change:
    """One node in place of all."""
    return nodes(node(op, inputs, **attributes))


def constant(name: str, *values: int) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.array(values, np.int64)))


def looped(turns: int, *inner: onnx.NodeProto) -> Change:
    """A Loop whose body runs `inner` on x."""
    body = helper.make_graph(
        [*inner, node("Identity", "going", "again")],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, None),
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("again", "next")],
    )
    return nodes(constant("count", turns), node("Loop", "count - x", "y", body=body))


REFUSED: dict[str, tuple[type[errors.ExecutorError], Change]] = {
    "unknown operator": (errors.UnknownOp, chain("Bernoulli", "x")),
    "foreign domain": (errors.UnknownOp, chain("Relu", "x", domain="evil")),
    "own function": (errors.UnknownOp, function),
    "sub-graph that depends on data": (errors.DynamicShape, subgraph),
    "a loop of a billion turns": (errors.TooLarge, looped(1 << 30, node("Relu", "state", "next"))),
    "a loop that unrolls into too much": (
        errors.TooLarge,
        looped(
            1000,
            *(node("Relu", f"s{k}" if k else "state", f"s{k + 1}") for k in range(20)),
            node("Relu", "s20", "next"),
        ),
    ),
    "a random operator": (errors.UnknownOp, chain("RandomNormalLike", "x")),
    "external data": (errors.ExternalData, initialiser(external())),
    "declared 2 GB": (errors.TooLarge, initialiser(declared(1 << 15, 1 << 14))),
    "dimensions beyond 64 bits": (errors.TooLarge, initialiser(declared(1 << 62, 1 << 62))),
    "negative dimension": (errors.ShapeMismatch, initialiser(declared(-4, -3, data=bytes(48)))),
    "too little data": (errors.ShapeMismatch, initialiser(declared(4, 3, data=bytes(44)))),
    "too much data": (errors.ShapeMismatch, initialiser(declared(4, 3, data=bytes(52)))),
    "no data": (errors.ShapeMismatch, initialiser(declared(4, 3))),
    "ten thousand dimensions": (errors.TooLarge, initialiser(declared(*[1] * 10_000, data=bytes(4)))),
    "double weights": (
        errors.UnsupportedType,
        initialiser(declared(4, 3, kind=TensorProto.DOUBLE, data=bytes(96))),
    ),
    "string weights": (errors.UnsupportedType, initialiser(declared(4, 3, kind=TensorProto.STRING))),
    "wrong weights": (errors.ShapeMismatch, initialiser(declared(5, 3, data=bytes(60)))),
    "integer input": (errors.UnsupportedType, port("N", 4, kind=TensorProto.INT64)),
    "free dimension": (errors.DynamicShape, port("N", "M")),
    "no batch": (errors.DynamicShape, port()),
    "empty input": (errors.ShapeMismatch, port("N", 0)),
    "huge input": (errors.TooLarge, port("N", 1 << 40)),
    "huge product": (errors.TooLarge, port("N", 1 << 31, 1 << 31, 1 << 31)),
    "opset of the past": (errors.UnsupportedOpset, opset(0)),
    "opset of the future": (errors.UnsupportedOpset, opset(99)),
    "no standard opset": (errors.UnsupportedOpset, opset(1, "ai.onnx.ml")),
    "cycle": (
        errors.MalformedGraph,
        nodes(node("Add", "x b", "a"), node("Relu", "a", "b2"), node("Add", "b2 y", "y")),
    ),
    "undefined name": (errors.MalformedGraph, chain("Relu", "nothing")),
    "defined twice": (errors.MalformedGraph, nodes(node("Relu", "x", "y"), node("Relu", "x", "y"))),
    "initialiser twice": (errors.MalformedGraph, doubled),
    "output missing": (errors.MalformedGraph, nodes(node("Relu", "x", "z"))),
    "too many nodes": (errors.TooLarge, many_nodes),
    "too many inputs": (errors.MalformedGraph, chain("Relu", "x w")),
    "too few inputs": (errors.MalformedGraph, chain("Gemm", "x")),
    "left-out input": (errors.MalformedGraph, chain("Gemm", "- w")),
    "unknown attribute": (errors.UnsupportedAttribute, chain("Relu", "x", spin=1)),
    "attribute of another kind": (errors.UnsupportedAttribute, chain("Gemm", "x w", alpha=[1, 2])),
    "missing attribute": (errors.UnsupportedAttribute, chain("MaxPool", "x")),
    "batch transposed": (errors.UnsupportedAttribute, chain("Transpose", "x", perm=[1, 0])),
    "batch reduced": (errors.UnsupportedAttribute, chain("ReduceMean", "x", axes=[0])),
    "batch in softmax": (errors.UnsupportedAttribute, chain("Softmax", "x", axis=0)),
    "axis outside": (errors.ShapeMismatch, chain("Softmax", "x", axis=5)),
    "rows mixed": (errors.DynamicShape, nodes(constant("to", 2, -1, 3), node("Reshape", "x to"))),
    "shape from data": (errors.DynamicShape, chain("Reshape", "x x")),
    "shape of billions": (
        errors.TooLarge,
        nodes(constant("to", 1 << 40), node("ConstantOfShape", "to", "c"), node("Add", "x c")),
    ),
    "expanded to billions": (errors.TooLarge, nodes(constant("to", 1 << 30, 4, 3), node("Expand", "w to"))),
    "padded to billions": (errors.TooLarge, nodes(constant("by", 0, 0, 0, 1 << 40), node("Pad", "x by"))),
    "range of billions": (
        errors.TooLarge,
        nodes(
            constant("f", 0),
            constant("g", 1 << 40),
            constant("h", 1),
            node("Range", "f g h", "r"),
            node("Relu", "x"),
        ),
    ),
    "does not broadcast": (errors.ShapeMismatch, nodes(node("Add", "x b"))),
    "gather outside": (
        errors.ShapeMismatch,
        nodes(node("Shape", "x", "s"), constant("i", 9), node("Gather", "s i", "g"), node("Reshape", "x g")),
    ),
    "division of a shape by zero": (
        errors.ShapeMismatch,
        nodes(constant("f", 4), constant("g", 0), node("Div", "f g", "h"), node("Reshape", "x h")),
    ),
    "stride of zero": (
        errors.ShapeMismatch,
        nodes(
            constant("to", 0, 1, 2, 2),
            node("Reshape", "x to", "p"),
            node("MaxPool", "p", kernel_shape=[1, 1], strides=[0, 0]),
        ),
    ),
    "window too large": (
        errors.ShapeMismatch,
        nodes(
            constant("to", 0, 1, 2, 2),
            node("Reshape", "x to", "p"),
            node("MaxPool", "p", kernel_shape=[3, 3]),
        ),
    ),
    "dilation of billions": (
        errors.ShapeMismatch,
        nodes(
            constant("to", 0, 1, 2, 2),
            node("Reshape", "x to", "p"),
            node("MaxPool", "p", kernel_shape=[2, 2], dilations=[1 << 40, 1]),
        ),
    ),
    "groups of zero": (
        errors.ShapeMismatch,
        nodes(
            constant("to", 0, 1, 2, 2),
            constant("kernel", 3, 1, 2, 2),
            node("Reshape", "x to", "p"),
            node("Reshape", "w kernel", "k"),
            node("Conv", "p k", group=0),
        ),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_model_is_refused_by_name(name: str) -> None:
    expected, change = REFUSED[name]
    model = linear()
    change(model)
    data = model.SerializeToString()
    started = time.process_time()
    with pytest.raises(expected) as caught:
        compile_forward(data, 8, 8)
    assert type(caught.value) is expected
    assert str(caught.value)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00", b"not onnx at all", bytes(range(256)) * 40, b"\x08\x0a", b"\x3a\xff\xff\xff\xff\x0f"],
)
def test_other_bytes_are_no_model(data: bytes) -> None:
    with pytest.raises(errors.NotOnnx):
        compile_forward(data, 8, 8)


def test_a_file_beyond_the_bound_is_not_even_parsed() -> None:
    with pytest.raises(errors.TooLarge):
        compile_forward(bytes(MODEL_MAX + 1), 8, 8)


def test_nested_protobuf_does_not_reach_the_stack() -> None:
    """Graphs inside attributes inside graphs, 5,000 deep."""
    data = b""
    for _ in range(5_000):
        node_bytes = field(1, field(5, field(6, data)))
        data = node_bytes
        if len(data) > 1 << 20:
            break
    with pytest.raises(errors.ModelError):
        compile_forward(b"\x08\x08" + field(8, b"\x10\x11") + field(7, data), 8, 8)


def field(number: int, data: bytes) -> bytes:
    """A length-delimited protobuf field."""
    length, size = len(data), b""
    while length >= 0x80:
        size += bytes([length & 0x7F | 0x80])
        length >>= 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + data


def test_truncations_never_escape_the_error_tree() -> None:
    data = linear().SerializeToString()
    for cut in range(len(data)):
        with contextlib.suppress(errors.ExecutorError):
            compile_forward(data[:cut], 8, 8)


def test_bit_flips_never_escape_the_error_tree() -> None:
    data = linear().SerializeToString()
    rng = np.random.default_rng(0)
    for _ in range(1500):
        broken = bytearray(data)
        for _ in range(rng.integers(1, 4)):
            broken[rng.integers(len(data))] ^= 1 << rng.integers(8)
        with contextlib.suppress(errors.ExecutorError):
            compile_forward(bytes(broken), 8, 8)


Spec = dict[str, Any]
SPECS: dict[str, tuple[type[errors.ExecutorError], Spec]] = {
    "numerics": (errors.UnsupportedNumerics, {"numerics": 9999}),
    "shards": (errors.UnsupportedSpec, {"shards": 3}),
    "a clip too small for float32": (
        errors.UnsupportedSpec,
        {"dp": Dp(clip_num=1, clip_den=2**30, sigma_milli=1000)},
    ),
    "batch of none": (errors.TooLarge, {"batch": 0}),
    "batch of billions": (errors.TooLarge, {"batch": (1 << 32) - 1}),
    "input": (errors.UnknownTensor, {"inputs": ["z"]}),
    "nothing fed": (errors.UnknownTensor, {"inputs": []}),
    "output": (errors.UnknownTensor, {"target": "z"}),
    "trainable": (errors.UnknownTensor, {"trainable": ["z"]}),
}


@pytest.mark.parametrize("name", SPECS)
def test_spec_is_refused_by_name(name: str) -> None:
    expected, changes = SPECS[name]
    with pytest.raises(expected) as caught:
        compile_training(linear().SerializeToString(), training_spec(**{"batch": 8, **changes}), 100)
    assert type(caught.value) is expected


def test_loss_must_fit_the_output() -> None:
    steps = [node("Mul", "x s", "z"), node("ReduceMean", "z", axes=[1], keepdims=0)]
    model = Case(steps, (4,), {"s": np.ones(4, np.float32)})
    with pytest.raises(errors.ShapeMismatch):
        compile_training(model.bytes(), training_spec(loss=Loss.CrossEntropy), 8)


def test_what_no_gradient_reaches_is_not_trainable() -> None:
    case = Case([node("Relu", "x"), node("Add", "x w", "z")], (4,), {"w": np.ones(4, np.float32)})
    with pytest.raises(errors.NotTrainable):
        compile_training(case.bytes(), training_spec(trainable=["w"]), 8)
    with pytest.raises(errors.NotTrainable):
        compile_training(case.bytes(), training_spec(), 8)


def test_a_job_beyond_64_bits_is_too_large() -> None:
    with pytest.raises(errors.TooLarge):
        compile_training(linear().SerializeToString(), training_spec(8, epochs=65535), 1 << 62)


def test_a_batch_that_does_not_fit_into_memory_is_too_large() -> None:
    case = Case([node("Flatten", "x")], (1 << 20,))
    started = time.process_time()
    with pytest.raises(errors.TooLarge):
        compile_forward(case.bytes(), 1 << 12, 1 << 20)
    assert time.process_time() - started < 2


def test_a_bias_never_widens_the_result() -> None:
    """Gemm's third input is broadcast to the product, not the other way round."""
    parameters = {"w": np.ones((4, 1), np.float32), "b": np.ones((1, 3), np.float32)}
    with pytest.raises(errors.ShapeMismatch):
        compile_forward(Case([node("Gemm", "x w b")], (4,), parameters).bytes(), 8, 8)
