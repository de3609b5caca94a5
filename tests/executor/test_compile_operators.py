"""Every operator: forward against onnxruntime, gradient against central differences in float64."""

from typing import Any

import numpy as np
import pytest

from primitives.data import Loss
from tests.executor.compile_cases import Case, node

ROWS = 5


def noise(
    *shape: int, seed: int = 1, scale: float = 1.0, positive: bool = False
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Values well apart from zero and from each other, so that kinks are not hit."""
    values = np.random.default_rng(seed).uniform(0.2, 1.5, size=shape)
    signs = 1 if positive else np.random.default_rng(seed + 1).choice([-1, 1], size=shape)
    return (values * signs * scale).astype(np.float32)


def through(
    op: str, features: tuple[int, ...], positive: bool = False, opset: int = 17, **attributes: Any
) -> Case:
    """An operator without parameters, behind x · s: the gradient by s is the operator's gradient by its
    input.
    """
    nodes = [node("Mul", "x s", "z"), node(op, "z", **attributes)]
    return Case(nodes, features, {"s": noise(*features, positive=positive)}, opset=opset)


def binary(op: str, features: tuple[int, ...], shape: tuple[int, ...], swap: bool = False) -> Case:
    """An elementwise operator on x · s and a parameter."""
    nodes = [node("Mul", "x s", "z"), node(op, "c z" if swap else "z c")]
    return Case(nodes, features, {"s": noise(*features, positive=True), "c": noise(*shape, seed=5)})


def gemm(k: int, o: int, bias: tuple[int, ...] | None = None, **attributes: Any) -> Case:
    shape = (o, k) if attributes.get("transB") else (k, o)
    parameters = {"s": noise(k), "w": noise(*shape, seed=3)}
    if bias is not None:
        parameters["c"] = noise(*bias, seed=4)
    names = "z w c" if bias is not None else "z w"
    return Case([node("Mul", "x s", "z"), node("Gemm", names, **attributes)], (k,), parameters)


def matmul(features: tuple[int, ...], shape: tuple[int, ...], swap: bool = False) -> Case:
    nodes = [node("Mul", "x s", "z"), node("MatMul", "w z" if swap else "z w")]
    return Case(nodes, features, {"s": noise(*features), "w": noise(*shape, seed=3)})


def conv(features: tuple[int, ...], shape: tuple[int, ...], bias: bool = True, **attributes: Any) -> Case:
    parameters = {"s": noise(*features), "w": noise(*shape, seed=3, scale=0.5)}
    if bias:
        parameters["b"] = noise(shape[0], seed=4)
    return Case(
        [node("Mul", "x s", "z"), node("Conv", "z w b" if bias else "z w", **attributes)],
        features,
        parameters,
    )


def product(left: list[int], right: list[int], features: tuple[int, ...]) -> Case:
    """A product of two batched stacks of matrices, both made from x."""
    nodes = [
        node("Mul", "x s", "z"),
        node("Reshape", "z left", "a"),
        node("Reshape", "x right", "b"),
        node("MatMul", "a b"),
    ]
    integers = {"left": np.array([-1, *left]), "right": np.array([-1, *right])}
    return Case(nodes, features, {"s": noise(*features)}, integers)


def clip(low: float | None, high: float | None) -> Case:
    nodes = [node("Mul", "x s", "z")]
    names = "z"
    for name, value in (("low", low), ("high", high)):
        if value is None:
            names += " -"
        else:
            nodes.append(node("Constant", "", name, value_float=value))
            names += f" {name}"
    return Case([*nodes, node("Clip", names)], (7,), {"s": noise(7)})


def shaped(target: list[int], features: tuple[int, ...]) -> Case:
    nodes = [node("Mul", "x s", "z"), node("Reshape", "z shape")]
    return Case(nodes, features, {"s": noise(*features)}, {"shape": np.array(target)})


def reduced(op: str, features: tuple[int, ...], axes: list[int], keepdims: int, opset: int) -> Case:
    if opset >= 18:
        nodes = [node("Mul", "x s", "z"), node(op, "z axes", keepdims=keepdims)]
        return Case(nodes, features, {"s": noise(*features)}, {"axes": np.array(axes)}, opset=opset)
    return through(op, features, opset=opset, axes=axes, keepdims=keepdims)


CASES: dict[str, Case] = {
    **{
        op.lower(): through(op, (3, 5)) for op in ("Neg", "Abs", "Exp", "Tanh", "Sigmoid", "Relu", "Identity")
    },
    **{op.lower(): through(op, (3, 5), positive=True) for op in ("Log", "Sqrt", "Reciprocal")},
    "leaky relu": through("LeakyRelu", (6,), alpha=0.2),
    "softplus": through("Softplus", (6,)),
    **{f"{op.lower()} row": binary(op, (4, 3), (3,)) for op in ("Add", "Sub", "Mul", "Div", "Max", "Min")},
    **{f"{op.lower()} column": binary(op, (4, 3), (4, 1), swap=True) for op in ("Add", "Sub", "Mul", "Div")},
    "max of equals": Case([node("Mul", "x s", "z"), node("Max", "z z")], (3,), {"s": noise(3)}),
    "add scalar": binary("Add", (4, 3), ()),
    "mul with leading one": binary("Mul", (2, 3), (1, 2, 3)),
    "div whole": binary("Div", (2, 3), (2, 3)),
    "gemm": gemm(7, 5, (5,)),
    "gemm transB": gemm(9, 6, (6,), transB=1),
    "gemm without bias": gemm(3, 2, transB=1),
    "gemm alpha beta": gemm(4, 3, (1, 3), alpha=0.5, beta=2.0),
    "gemm scalar bias": gemm(4, 3, (1,)),
    "gemm wide": gemm(37, 13, (13,), transB=1),
    "matmul": matmul((6,), (6, 4)),
    "matmul sequence": matmul((3, 6), (6, 5)),
    "matmul stack": matmul((2, 3, 4), (4, 5)),
    "matmul vector": matmul((3, 4), (4,)),
    "matmul from the left": matmul((4, 5), (3, 4), swap=True),
    "matmul of batched": product([3, 4], [4, 3], (12,)),
    "matmul of batched stacks": product([2, 3, 2], [2, 2, 3], (12,)),
    "softmax": through("Softmax", (6,)),
    "softmax middle": through("Softmax", (3, 4), axis=1),
    "softmax of opset 11": through("Softmax", (2, 3), opset=11, axis=2),
    "log softmax": through("LogSoftmax", (6,)),
    "flatten": through("Flatten", (2, 3)),
    "reshape": shaped([-1, 3, 4], (2, 6)),
    "reshape zero": shaped([0, 0, -1], (2, 6)),
    "transpose": through("Transpose", (2, 3, 4), perm=[0, 3, 1, 2]),
    "clip": clip(-0.5, 0.6),
    "clip below": clip(0.1, None),
    "clip above": clip(None, 0.4),
    "reduce mean": reduced("ReduceMean", (3, 4), [2], 1, 17),
    "reduce mean of all": reduced("ReduceMean", (3, 4), [1, 2], 0, 18),
    "reduce sum": reduced("ReduceSum", (3, 4), [1], 0, 18),
    "reduce max": reduced("ReduceMax", (3, 4), [-1], 1, 18),
    "conv": conv((2, 5, 6), (3, 2, 3, 3)),
    "conv padded": conv((2, 5, 5), (3, 2, 3, 3), pads=[1, 1, 1, 1]),
    "conv uneven pads": conv((1, 5, 5), (2, 1, 3, 2), pads=[0, 1, 2, 0]),
    "conv strided": conv((2, 7, 8), (2, 2, 3, 3), strides=[2, 3], pads=[1, 1, 1, 1]),
    "conv dilated": conv((1, 8, 7), (2, 1, 3, 2), dilations=[2, 3]),
    "conv strided and dilated": conv(
        (1, 9, 9), (1, 1, 2, 3), strides=[2, 2], dilations=[3, 2], pads=[1, 0, 0, 1]
    ),
    "conv grouped": conv((4, 4, 4), (6, 2, 2, 2), group=2),
    "conv depthwise": conv((3, 4, 4), (3, 1, 3, 3), group=3, pads=[1, 1, 1, 1]),
    "conv 1x1": conv((5, 2, 3), (6, 5, 1, 1), bias=False),
    "conv same": conv((1, 5, 5), (2, 1, 3, 3), auto_pad="SAME_UPPER", strides=[2, 2]),
    "conv 1-d": conv((2, 9), (3, 2, 3), pads=[1, 1], strides=[2]),
    "conv wide kernel": conv((1, 1, 20), (2, 1, 1, 12), bias=False),
    "max pool": through("MaxPool", (2, 4, 6), kernel_shape=[2, 2], strides=[2, 2]),
    "max pool overlapping": through(
        "MaxPool", (2, 5, 5), kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1]
    ),
    "max pool not exact": through("MaxPool", (1, 5, 7), kernel_shape=[2, 2], strides=[2, 2]),
    "max pool strided past": through("MaxPool", (1, 7, 7), kernel_shape=[2, 2], strides=[3, 3]),
    "max pool dilated": through("MaxPool", (1, 6, 6), kernel_shape=[2, 2], dilations=[2, 3]),
    "max pool ceil": through("MaxPool", (1, 5, 5), kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
    "max pool 1-d": through("MaxPool", (2, 8), kernel_shape=[2], strides=[2]),
    "average pool": through("AveragePool", (2, 4, 4), kernel_shape=[2, 2], strides=[2, 2]),
    "average pool padded": through("AveragePool", (2, 4, 4), kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    "global average pool": through("GlobalAveragePool", (2, 3, 4)),
}

# onnx's float64 reference knows only the newest meaning of these.
FORWARD_ONLY = {"softmax over several axes": through("Softmax", (2, 3), opset=11, axis=1)}


@pytest.mark.parametrize("name", [*CASES, *FORWARD_ONLY])
def test_forward_is_onnxruntimes(name: str) -> None:
    case = (CASES | FORWARD_ONLY)[name]
    x = noise(11, *case.features, seed=9, positive=name == "log" or name in ("sqrt", "reciprocal"))
    ours, theirs = case.forward(x), case.oracle(x)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("name", CASES)
def test_gradient_is_the_slope(name: str) -> None:
    case = CASES[name]
    x = noise(ROWS, *case.features, seed=9, positive=name == "log" or name in ("sqrt", "reciprocal"))
    shape = case.oracle(x).shape
    target = noise(*shape, seed=13)
    loss, found = case.gradients(x, target, Loss.MeanSquaredError)
    true_loss, slopes = case.differences(x, target, Loss.MeanSquaredError)
    assert loss == pytest.approx(true_loss, rel=1e-5)
    for parameter, slope in slopes.items():
        scale = np.abs(slope).max() + 1e-3
        np.testing.assert_allclose(found[parameter] / scale, slope / scale, atol=3e-6, err_msg=parameter)
