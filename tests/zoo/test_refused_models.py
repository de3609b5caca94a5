"""The zoo of files: short models that want much. The real enclave process refuses each by name, soon and in
little memory."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from executor.enclave import Enclave
from executor.errors import (
    ExecutorError,
    ExternalData,
    MalformedGraph,
    NotOnnx,
    ShapeMismatch,
    TooLarge,
    UnknownOp,
    UnsupportedType,
)
from tests.executor.planted import spec_for

WEIGHTS = numpy_helper.from_array(np.ones((2, 3), dtype=np.float32), "w")
node = helper.make_node


def integers(name: str, *values: int) -> TensorProto:
    return numpy_helper.from_array(np.array(values, dtype=np.int64), name)


def model(*nodes: NodeProto, also: tuple[TensorProto, ...] = ()) -> bytes:
    """x f32[n, 2] · w f32[2, 3] = y, and nodes beside it."""
    graph = helper.make_graph(
        [*nodes, node("MatMul", ["x", "w"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [WEIGHTS, *also],
    )
    built = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = built.SerializeToString()
    return data


def squared_again_and_again() -> bytes:
    """3^(2^60): 1.4 kB of model, more digits than there is memory."""
    squares = (node("Mul", [f"k{i}", f"k{i}"], [f"k{i + 1}"]) for i in range(60))
    return model(*squares, also=(integers("k0", 3),))


def doubled_again_and_again() -> bytes:
    """Six concatenations of 64 copies: 4096 · 64^6 integers."""
    copies = (node("Concat", [f"k{i}"] * 64, [f"k{i + 1}"], axis=0) for i in range(6))
    return model(*copies, also=(integers("k0", *range(4096)),))


def outer_product() -> bytes:
    column = numpy_helper.from_array(np.ones((4096, 1), dtype=np.int64), "k")
    return model(node("Mul", ["k", "r"], ["p"]), also=(column, integers("r", *range(4096))))


def range_beyond_counting() -> bytes:
    ends = [numpy_helper.from_array(np.array(value, dtype=np.int64), name) for name, value in RANGE_ENDS]
    return model(node("Range", ["a", "b", "c"], ["r"]), also=tuple(ends))


RANGE_ENDS = (("a", -(2**63)), ("b", 2**63 - 1), ("c", 1))


def integers_in_a_hundred_dimensions() -> bytes:
    axes = integers("a", *range(100))
    return model(node("Unsqueeze", ["k", "a"], ["u"]), also=(integers("k", 1), axes))


def integers_in_a_shape_that_does_not_fit() -> bytes:
    return model(node("Reshape", ["k", "a"], ["u"]), also=(integers("k", 1), integers("a", -7, 5)))


def padded_to_a_terabyte() -> bytes:
    return model(node("Pad", ["x", "p"], ["q"]), also=(integers("p", 0, 2**40, 0, 0),))


def declared_two_gigabytes() -> bytes:
    tensor = TensorProto(name="t", data_type=TensorProto.FLOAT, dims=[2, 2**28], raw_data=bytes(8))
    return model(also=(tensor,))


def shape_that_overflows() -> bytes:
    tensor = TensorProto(name="t", data_type=TensorProto.FLOAT, dims=[0, 2**62], raw_data=b"")
    return model(also=(tensor,))


def three_hundred_thousand_nodes() -> bytes:
    return model(*(node("Identity", ["x"], [f"i{i}"]) for i in range(300_000)))


def six_million_empty_messages() -> bytes:
    """12 MB that a parser turns into far more: empty nodes, two bytes each."""
    return model() + b"\x3a" + length_of(b"\x0a\x00" * 6_000_000) + b"\x0a\x00" * 6_000_000


def ten_thousand_dimensions() -> bytes:
    tensor = TensorProto(name="t", data_type=TensorProto.FLOAT, dims=[1] * 10_000, raw_data=bytes(4))
    return model(also=(tensor,))


def shape_whose_product_wraps() -> bytes:
    """2^32 · 2^32 elements: zero in 64 bits."""
    tensor = TensorProto(name="t", data_type=TensorProto.FLOAT, dims=[2**32, 2**32], raw_data=b"")
    return model(also=(tensor,))


def negative_dimension() -> bytes:
    tensor = TensorProto(name="t", data_type=TensorProto.FLOAT, dims=[-1, -4], raw_data=bytes(16))
    return model(also=(tensor,))


def function_that_calls_itself() -> bytes:
    proto = onnx.load_model_from_string(model(node("Again", ["x"], ["z"], domain="mine")))
    body = [node("Again", ["a"], ["b"], domain="mine")]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    proto.functions.append(helper.make_function("mine", "Again", ["a"], ["b"], body, opsets))
    proto.opset_import.append(helper.make_opsetid("mine", 1))
    data: bytes = proto.SerializeToString()
    return data


def loop_without_end() -> bytes:
    """A loop of 2^62 turns around one addition."""
    turn = helper.make_graph(
        [node("Identity", ["go"], ["on"]), node("Add", ["v", "v"], ["w2"])],
        "turn",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, ["n", 2]),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w2", TensorProto.FLOAT, ["n", 2]),
        ],
    )
    count = numpy_helper.from_array(np.array(2**62, dtype=np.int64), "m")
    true = numpy_helper.from_array(np.array(True), "t")
    return model(node("Loop", ["m", "t", "x"], ["z"], body=turn), also=(count, true))


def branches_that_hold_each_other() -> bytes:
    """Conditions inside conditions, beyond the depth that is allowed."""
    kept = helper.make_tensor_value_info("r", TensorProto.FLOAT, ["n", 2])
    body = helper.make_graph([node("Relu", ["x"], ["r"])], "leaf", [], [kept])
    for depth in range(12):
        body = helper.make_graph(
            [node("If", ["t"], ["r"], then_branch=body, else_branch=body)], f"level{depth}", [], [kept]
        )
    true = numpy_helper.from_array(np.array(True), "t")
    return model(node("If", ["t"], ["z"], then_branch=body, else_branch=body), also=(true,))


def text_tensor() -> bytes:
    return model(also=(TensorProto(name="t", data_type=TensorProto.STRING, dims=[1], string_data=[b"a"]),))


def another_file() -> bytes:
    tensor = TensorProto(name="t", data_type=TensorProto.FLOAT, dims=[1])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")
    return model(also=(tensor,))


def operator_that_paints_the_terminal() -> bytes:
    return model(node("\x1b]0;owned\x07\u202e" * 200, ["x"], ["z"]))


def name_of_control_characters() -> bytes:
    return model(node("Relu", ["\x1b[31m\0\n"], ["z"]))


def nested_beyond_protobuf() -> bytes:
    """Graphs inside attributes inside nodes, 20,000 deep."""
    body = b""
    while len(body) < 100_000:
        for tag in (b"\x32", b"\x2a", b"\x0a"):
            body = tag + length_of(body) + body
    return b"\x08\x08" + b"\x3a" + length_of(body) + body + b"\x42\x02\x10\x11"


def length_of(body: bytes) -> bytes:
    size, out = len(body), b""
    while size > 127:
        out, size = out + bytes([size & 127 | 128]), size >> 7
    return out + bytes([size])


@pytest.mark.parametrize(
    ("build", "error"),
    [
        (squared_again_and_again, TooLarge),
        (doubled_again_and_again, TooLarge),
        (outer_product, TooLarge),
        (range_beyond_counting, TooLarge),
        (padded_to_a_terabyte, TooLarge),
        (declared_two_gigabytes, TooLarge),
        (three_hundred_thousand_nodes, TooLarge),
        (ten_thousand_dimensions, TooLarge),
        (shape_whose_product_wraps, TooLarge),
        (six_million_empty_messages, TooLarge),
        (negative_dimension, ShapeMismatch),
        (function_that_calls_itself, UnknownOp),
        (integers_in_a_hundred_dimensions, ShapeMismatch),
        (integers_in_a_shape_that_does_not_fit, ShapeMismatch),
        (shape_that_overflows, MalformedGraph),
        (text_tensor, UnsupportedType),
        (another_file, ExternalData),
        (operator_that_paints_the_terminal, UnknownOp),
        (name_of_control_characters, MalformedGraph),
        (nested_beyond_protobuf, NotOnnx),
    ],
)
def test_a_hostile_model_is_refused_by_name(build: Callable[[], bytes], error: type[ExecutorError]) -> None:
    data = build()
    with pytest.raises(error) as caught:
        Enclave().quote(data, spec_for(data), 4)
    assert type(caught.value) is error
    assert str(caught.value).isprintable() and len(str(caught.value)) < 1000


@pytest.mark.parametrize("build", [loop_without_end, branches_that_hold_each_other])
def test_control_flow_costs_nothing_before_it_is_refused(build: Callable[[], bytes]) -> None:
    data = build()
    with pytest.raises((UnknownOp, TooLarge, NotOnnx)):
        Enclave().quote(data, spec_for(data), 4)


def test_the_model_that_the_others_grew_from_is_good() -> None:
    data = model()
    onnx.checker.check_model(onnx.load_from_string(data))
    assert Enclave().quote(data, spec_for(data), 4).imports == 0
