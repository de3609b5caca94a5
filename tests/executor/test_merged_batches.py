"""The batch merged with heads or windows, as exporters write attention; lists of tensors; slices of all rows.
Forward against onnxruntime; the gradient against central differences by the tests of the primitives."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from executor.compiler.compile import compile_forward
from executor.errors import ModelError, ShapeMismatch, UnsupportedAttribute, UnsupportedType
from tests.executor.compile_cases import Case, node
from tests.executor.test_compile_operators import noise


def i64(*values: int) -> Any:
    return np.array(values, dtype=np.int64)


def check(nodes: list[onnx.NodeProto], features: tuple[int, ...], **tensors: Any) -> None:
    floats = {name: value for name, value in tensors.items() if value.dtype == np.float32}
    case = Case(nodes, features, floats, {k: v for k, v in tensors.items() if k not in floats}, opset=18)
    x = noise(5, *features)
    np.testing.assert_allclose(case.forward(x, 3), case.oracle(x), rtol=1e-5, atol=1e-5)


HEADS = [
    node("Transpose", "x", "steps", perm=[1, 0, 2]),
    node("Reshape", "steps split", "cut"),
    node("Transpose", "cut", "q", perm=[1, 0, 2]),
]
"""x [N, 4 steps, 6] as [N · 2 heads, 4, 3]: torch.nn.MultiheadAttention."""


def test_scores_of_heads_that_are_merged_with_the_batch() -> None:
    nodes = [
        *HEADS,
        node("Transpose", "q", "k", perm=[0, 2, 1]),
        node("MatMul", "q k", "s"),
        node("Softmax", "s", "p", axis=-1),
        node("MatMul", "p q", "m"),
        node("Transpose", "m", "b", perm=[1, 0, 2]),
        node("Reshape", "b joined", "j"),
        node("Transpose", "j", perm=[1, 0, 2]),
    ]
    check(nodes, (4, 6), split=i64(4, -1, 3), joined=i64(4, -1, 6))


def test_a_bias_for_each_head_of_each_window() -> None:
    """x [N, 2 windows, 3, 4] as [N · 2, 3, 4]; the table [1, 3, 4] is the same for all windows."""
    nodes = [
        node("Reshape", "x merged", "w"),
        node("Add", "w table", "a"),
        node("Add", "a line", "b"),
        node("Reshape", "b apart"),
    ]
    tensors = {"table": noise(1, 3, 4), "line": noise(4), "merged": i64(-1, 3, 4), "apart": i64(-1, 2, 3, 4)}
    check(nodes, (2, 3, 4), **tensors)


@pytest.mark.parametrize("op", ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceL2"])
@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize(
    ("order", "axes"), [([1, 2, 0, 3], (0, 3)), ([1, 0, 2, 3], (0,)), ([3, 1, 0, 2], (1,))]
)
def test_reductions_beside_the_batch(op: str, keepdims: int, order: list[int], axes: tuple[int, ...]) -> None:
    left = [axis for axis in range(4) if keepdims or axis not in axes]
    place = left.index(order.index(0))
    back = [place, *(axis for axis in range(len(left)) if axis != place)]
    nodes = [
        node("Transpose", "x", "t", perm=order),
        node(op, "t axes", "r", keepdims=keepdims),
        node("Transpose", "r", perm=back),
    ]
    check(nodes, (2, 3, 4), axes=i64(*axes))


def test_a_split_beside_the_batch() -> None:
    split = helper.make_node("Split", ["t", "sizes"], ["a", "b"], axis=0)
    nodes = [
        node("Transpose", "x", "t", perm=[1, 2, 0]),
        split,
        node("Transpose", "a", "u", perm=[2, 0, 1]),
        node("Transpose", "b", "v", perm=[2, 0, 1]),
        node("Concat", "v u", axis=1),
    ]
    check(nodes, (5, 3), sizes=i64(2, 3))


def test_a_slice_of_all_rows() -> None:
    """x[:, 1:] as PyTorch writes it without its optimizer."""
    nodes = [node("Slice", "x zero end zero", "all"), node("Slice", "all one end one")]
    check(nodes, (4,), zero=i64(0), one=i64(1), end=i64(2**63 - 1))
    for start, end in ((1, 2**63 - 1), (0, 3), (-1, 2**63 - 1)):
        case = Case([node("Slice", "x a b z")], (4,), {}, {"a": i64(start), "b": i64(end), "z": i64(0)})
        with pytest.raises(UnsupportedAttribute, match="across the rows"):
            compile_forward(case.bytes(), 3, 5)


@pytest.mark.parametrize("sizes", [i64(2, 3, 1), np.array(4, np.int64), None])
def test_a_list_of_parts(sizes: Any) -> None:
    """torch.split and torch.chunk, joined again in another order."""
    nodes = [
        node("SplitToSequence", "x sizes" if sizes is not None else "x", "parts", axis=1),
        node("SequenceAt", "parts zero", "first"),
        node("SequenceAt", "parts last", "second"),
        node("Concat", "second first", axis=1),
    ]
    check(nodes, (6, 2), zero=np.array(0), last=np.array(-1), **({} if sizes is None else {"sizes": sizes}))


def test_a_list_grows_shrinks_and_is_stacked() -> None:
    nodes = [
        node("SplitToSequence", "x", "parts", axis=1, keepdims=0),
        node("SequenceErase", "parts one", "fewer"),
        node("SequenceInsert", "fewer x last", "mixed"),
        node("SequenceErase", "mixed last2", "again"),
        node("SequenceLength", "again", "count"),
        node("ConcatFromSequence", "again", "stack", axis=1, new_axis=1),
        node("Cast", "count", "number", to=1),
        node("Mul", "stack number"),
    ]
    check(nodes, (4, 2), one=np.array(1), last=np.array(-1), last2=np.array(-2))


def refused(nodes: list[onnx.NodeProto], error: type[ModelError], text: str, **integers: Any) -> None:
    model = Case(nodes, (4,), {}, integers).proto()
    with pytest.raises(error, match=text):
        compile_forward(model.SerializeToString(), 3, 5)


def test_lists_that_are_refused() -> None:
    parts = node("SplitToSequence", "x", "parts", axis=1)
    refused([parts, node("Relu", "parts")], UnsupportedType, "Relu of a list")
    refused([parts, node("SequenceAt", "parts k")], ShapeMismatch, "place 4 of a list of 4", k=np.array(4))
    refused([node("SequenceAt", "x k")], UnsupportedType, "no list", k=np.array(0))
    refused([node("SplitToSequence", "x", "y", axis=1)], UnsupportedType, "output 'y' is a list")
    rows = [node("SplitToSequence", "x", "s", axis=0), node("SequenceAt", "s k")]
    refused(rows, ShapeMismatch, "rows of the batch", k=np.array(0))
    uneven = [node("SplitToSequence", "x n", "s", axis=1), node("SequenceAt", "s k")]
    refused(uneven, ShapeMismatch, "do not fit", n=i64(3, 3), k=np.array(0))
    refused(uneven, ShapeMismatch, "parts of 0", n=np.array(0), k=np.array(0))


def test_a_list_does_not_grow_without_bound() -> None:
    body = helper.make_graph(
        [node("SequenceConstruct", "i i", "s"), node("ConcatFromSequence", "s", "o", axis=0)],
        "body",
        [helper.make_tensor_value_info(name, kind, None) for name, kind in (("n", 7), ("c", 9), ("i", 1))],
        [helper.make_tensor_value_info(name, kind, None) for name, kind in (("c", 9), ("o", 1))],
    )
    nodes = [helper.make_node("Loop", ["turns", "", "w"], ["f"], body=body), node("Relu", "f")]
    model = Case(nodes, (4,), {"w": noise(8)}, {"turns": np.array(1000)}).proto()
    with pytest.raises(ModelError):
        compile_forward(model.SerializeToString(), 3, 5)
    many = numpy_helper.from_array(noise(4096), "w")
    case = Case([node("SplitToSequence", "w", "s"), node("SequenceAt", "s k", "a"), node("Add", "x a")], (4,))
    proto = case.proto()
    proto.graph.initializer.extend([many, numpy_helper.from_array(np.array(0), "k")])
    with pytest.raises(ShapeMismatch, match="more than 1024"):
        compile_forward(proto.SerializeToString(), 3, 5)
