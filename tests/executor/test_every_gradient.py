"""The gradient of every differentiable operator against central differences in float64, by onnxruntime where
it computes the operator in float64, else by ONNX's reference.

Each case puts a parameter s through the operator: z = s · x for each row, or s itself where the operator
works on whole tensors. Where neither computes in float64 throughout, a line of numpy stands in. What has no
gradient (integers, comparisons, steps) is listed, and the last test counts that nothing is forgotten.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import executor.ops  # noqa: F401  (fills the table)
from executor.onnx_runtime import onnxruntime
from executor.ops.table import OPERATORS
from primitives.data import Loss
from tests.executor.compile_cases import Case, loss_of, node
from tests.executor.test_compile_operators import CASES as DENSE
from tests.executor.test_compile_operators import noise
from tests.executor.test_every_operator import MORE

ROWS = 3


def each(
    op: str,
    features: tuple[int, ...] = (5,),
    inputs: str = "z",
    low: float = -1.5,
    high: float = 1.5,
    opset: int = 23,
    more: dict[str, NDArray[np.float32]] | None = None,
    outputs: int = 1,
    integers: dict[str, NDArray[Any]] | None = None,
    **attributes: Any,
) -> Case:
    """The operator on each row: z = s · x with values in a range, no two of them alike."""
    names = ["y", *(f"o{k}" for k in range(1, outputs))]
    last = helper.make_node(op, ["" if n == "-" else n for n in inputs.split()], names, **attributes)
    return Case(
        [node("Mul", "x s", "z"), last],
        features,
        {"s": spread(features, low, high), **(more or {})},
        integers or {},
        opset=opset,
    )


def whole(
    op: str,
    shape: tuple[int, ...],
    inputs: str = "s",
    opset: int = 23,
    outputs: int = 1,
    more: dict[str, NDArray[np.float32]] | None = None,
    integers: dict[str, NDArray[Any]] | None = None,
    **attributes: Any,
) -> Case:
    """The operator on a parameter; the rows scale its flattened result."""
    names = ["t", *(f"o{k}" for k in range(1, outputs))]
    first = helper.make_node(op, ["" if n == "-" else n for n in inputs.split()], names, **attributes)
    nodes = [first, node("Reshape", "t flat", "f"), node("Mul", "x f")]
    found = {"flat": np.array([-1], dtype=np.int64), **(integers or {})}
    return Case(nodes, (1,), {"s": spread(shape, -1.5, 1.5), **(more or {})}, found, opset=opset)


def spread(shape: tuple[int, ...], low: float, high: float) -> NDArray[np.float32]:
    """Numbers at equal distances, shuffled: far from kinks and from each other."""
    count = int(np.prod(shape))
    line = np.linspace(low, high, count) + 0.013
    return np.random.default_rng(count).permutation(line).reshape(shape).astype(np.float32)


def i64(*values: Any) -> NDArray[np.int64]:
    return np.array(values[0] if len(values) == 1 else values, dtype=np.int64)


def F32(values: list[float]) -> NDArray[np.float32]:
    """Scales of a Resize: float32 in every model."""
    return np.array(values, dtype=np.float32)


SCALES = ("scale",)
"""Initialisers that stay float32 where the model is float64."""
UNARY = {
    **dict.fromkeys(
        (
            "Abs",
            "Cos",
            "Sin",
            "Sinh",
            "Cosh",
            "Asinh",
            "Atan",
            "Tanh",
            "Erf",
            "Exp",
            "Neg",
            "Sigmoid",
            "Relu",
            "Softplus",
            "Softsign",
            "Mish",
            "HardSwish",
            "Elu",
            "Selu",
            "Celu",
            "Gelu",
            "HardSigmoid",
            "LeakyRelu",
            "ThresholdedRelu",
            "Identity",
        ),
        (-1.4, 1.4),
    ),
    **dict.fromkeys(("Asin", "Acos", "Atanh", "Tan"), (-0.6, 0.6)),
    **dict.fromkeys(("Log", "Sqrt", "Reciprocal"), (0.3, 2.0)),
    "Acosh": (1.9, 3.5),
}
REDUCTIONS = (
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSum",
    "ReduceLogSumExp",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "ReduceSumSquare",
)
CASES: dict[str, Case] = {
    **{name: each(name, (4, 3), low=low, high=high) for name, (low, high) in UNARY.items()},
    "Acosh": each("Acosh", (4, 3), low=5.0, high=9.0),
    "Gelu tanh": each("Gelu", (4, 3), approximate="tanh"),
    "Swish": each("Swish", (4, 3), opset=24, alpha=0.7),
    "Shrink": each("Shrink", (4, 3), lambd=0.3, bias=0.1),
    "PRelu": each("PRelu", (4, 3), "z a", more={"a": spread((3,), 0.1, 0.4)}),
    "Pow": each("Pow", (4, 3), "z e", low=0.4, high=1.6, more={"e": spread((3,), 0.5, 2.5)}),
    "Mod": each("Mod", (4, 3), "z m", more={"m": spread((3,), 0.51, 0.67)}, fmod=1),
    "Max": each("Max", (4, 3), "z a z", more={"a": spread((3,), -0.4, 0.6)}),
    "Min": each("Min", (4, 3), "z a", more={"a": spread((3,), -0.4, 0.6)}),
    "Sum": each("Sum", (4, 3), "z a z", more={"a": spread((3,), -0.4, 0.6)}),
    "Mean": each("Mean", (4, 3), "z a x", more={"a": spread((4, 3), -0.4, 0.6)}),
    "Where": each(
        "Where",
        (3,),
        "c z a",
        more={"a": spread((3,), -0.4, 0.6)},
        integers={"c": np.array([True, False, True])},
    ),
    "CumSum": each("CumSum", (4, 3), "z k", integers={"k": i64(1)}, reverse=1),
    "CumSum exclusive": each("CumSum", (4, 3), "z k", integers={"k": i64(2)}, exclusive=1),
    "CumProd": each("CumProd", (4,), "z k", opset=26, low=0.5, high=1.5, integers={"k": i64(1)}),
    **{
        name: each(name, (3, 4), "z k", low=0.3, high=1.9, integers={"k": i64([2])}, keepdims=0)
        for name in REDUCTIONS
    },
    "ReduceProd all": whole("ReduceProd", (2, 3)),
    "ReduceLogSumExp all": whole("ReduceLogSumExp", (2, 3), keepdims=0),
    "Softmax": each("Softmax", (3, 4), axis=1),
    "LogSoftmax": each("LogSoftmax", (3, 4), axis=-1),
    "LpNormalization": each("LpNormalization", (3, 4), axis=1, p=2),
    "LpNormalization 1": each("LpNormalization", (3, 4), axis=2, p=1),
    "LRN": each("LRN", (5, 3, 2), size=3, alpha=0.3, bias=1.5),
    "LayerNormalization": each(
        "LayerNormalization", (3, 4), "z g b", more={"g": spread((4,), 0.5, 1.5), "b": spread((4,), -1, 1)}
    ),
    "RMSNormalization": each("RMSNormalization", (3, 4), "z g", more={"g": spread((4,), 0.5, 1.5)}),
    "InstanceNormalization": each(
        "InstanceNormalization",
        (3, 2, 2),
        "z g b",
        more={"g": spread((3,), 0.5, 1.5), "b": spread((3,), -1, 1)},
    ),
    "GroupNormalization": each(
        "GroupNormalization",
        (4, 3),
        "z g b",
        num_groups=2,
        more={"g": spread((4,), 0.5, 1.5), "b": spread((4,), -1, 1)},
    ),
    "BatchNormalization": each(
        "BatchNormalization",
        (3, 2),
        "z g b m v",
        more={"g": spread((3,), 0.5, 1.5), "b": spread((3,), -1, 1)},
        integers={"m": spread((3,), -0.5, 0.5), "v": spread((3,), 0.5, 2)},
    ),
    "MeanVarianceNormalization": each("MeanVarianceNormalization", (2, 3, 2), axes=[2, 3]),
    "BatchNormalization in training": whole(
        "BatchNormalization",
        (4, 3, 2),
        "s g b m v",
        outputs=3,
        training_mode=1,
        more={"g": spread((3,), 0.5, 1.5), "b": spread((3,), -1, 1)},
        integers={"m": spread((3,), -0.5, 0.5), "v": spread((3,), 0.5, 2)},
    ),
    "Conv 3-d": each(
        "Conv",
        (2, 3, 4, 3),
        "z w b",
        pads=[1, 0, 1, 0, 1, 0],
        strides=[1, 2, 1],
        more={"w": spread((3, 2, 2, 2, 2), -0.5, 0.5), "b": spread((3,), -1, 1)},
    ),
    "Conv 3-d grouped": each(
        "Conv", (4, 3, 2, 2), "z w", group=2, more={"w": spread((4, 2, 2, 1, 1), -0.5, 0.5)}
    ),
    "Conv 3-d depthwise": each(
        "Conv", (2, 3, 2, 2), "z w", group=2, more={"w": spread((2, 1, 2, 1, 2), -0.5, 0.5)}
    ),
    "Conv whole": whole("Conv", (2, 2, 4), "s w", more={"w": spread((3, 2, 2), -0.5, 0.5)}),
    "ConvTranspose": each(
        "ConvTranspose",
        (2, 3, 3),
        "z w b",
        strides=[2, 2],
        pads=[1, 1, 1, 1],
        output_padding=[1, 1],
        more={"w": spread((2, 3, 3, 3), -0.5, 0.5), "b": spread((3,), -1, 1)},
    ),
    "ConvTranspose grouped": each(
        "ConvTranspose", (4, 5), "z w", group=2, dilations=[2], more={"w": spread((4, 2, 2), -0.5, 0.5)}
    ),
    "MaxPool 3-d": each("MaxPool", (2, 4, 4, 2), kernel_shape=[2, 2, 1], strides=[2, 2, 1]),
    "AveragePool 3-d": each("AveragePool", (2, 4, 3, 2), kernel_shape=[2, 2, 1], pads=[1, 0, 0, 0, 1, 0]),
    "AveragePool ceil": each("AveragePool", (2, 5, 5), kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
    "LpPool": each("LpPool", (2, 4, 4), kernel_shape=[2, 2], strides=[2, 2], low=0.2, high=2.0),
    "LpPool 3": each("LpPool", (2, 4), kernel_shape=[2], p=3, low=0.2, high=2.0),
    "GlobalAveragePool": each("GlobalAveragePool", (2, 3, 2)),
    "GlobalMaxPool": each("GlobalMaxPool", (2, 3, 2)),
    "GlobalLpPool": each("GlobalLpPool", (2, 3, 2)),
    "Concat": each("Concat", (2, 3), "z x z", axis=2),
    "Split": each("Split", (2, 5), "z k", axis=2, outputs=2, integers={"k": i64(3, 2)}),
    "Slice backwards": each(
        "Slice", (2, 5), "z a b c d", integers={"a": i64([4]), "b": i64([0]), "c": i64([2]), "d": i64([-2])}
    ),
    "Pad edge": each("Pad", (2, 4), "z p", mode="edge", integers={"p": i64(0, 0, 2, 0, 1, 1)}),
    "Pad reflect": each("Pad", (2, 4), "z p", mode="reflect", integers={"p": i64(0, 0, 2, 0, 1, 1)}),
    "Pad wrap": each("Pad", (2, 4), "z p", mode="wrap", integers={"p": i64(0, 0, 2, 0, 1, 1)}),
    "Pad less": each("Pad", (2, 4), "z p", integers={"p": i64(0, 0, -1, 0, 1, -1)}),
    "Tile": each("Tile", (2, 3), "z k", integers={"k": i64(1, 2, 3)}),
    "Expand": each("Expand", (2, 1), "z k", integers={"k": i64(1, 2, 3)}),
    "Gather": each("Gather", (2, 5), "z k", axis=2, integers={"k": i64(3, 0, 3, -1)}),
    "Gather rows": whole("Gather", (5, 2), "s k", integers={"k": i64([[3, 0], [3, -1]])}),
    "GatherElements": whole(
        "GatherElements", (3, 4), "s k", axis=1, integers={"k": i64([[0, -1], [3, 3], [2, 1]])}
    ),
    "GatherND": whole("GatherND", (3, 4, 2), "s k", integers={"k": i64([[0, -1], [2, 1], [2, 1]])}),
    "ScatterElements": whole(
        "ScatterElements",
        (3, 4),
        "s k u",
        axis=1,
        integers={"k": i64([[0, -1], [3, 2]])},
        more={"u": spread((2, 2), 2, 3)},
    ),
    "ScatterElements add": whole(
        "ScatterElements",
        (3, 4),
        "s k u",
        axis=1,
        reduction="add",
        integers={"k": i64([[0, 0], [3, 2]])},
        more={"u": spread((2, 2), 2, 3)},
    ),
    "ScatterND": whole(
        "ScatterND", (4, 2), "s k u", integers={"k": i64([[3], [1]])}, more={"u": spread((2, 2), 2, 3)}
    ),
    "TensorScatter": whole(
        "TensorScatter",
        (2, 4, 3),
        "s u k",
        opset=24,
        integers={"k": i64(1, 2)},
        more={"u": spread((2, 2, 3), 2, 3)},
    ),
    "TopK": each("TopK", (3, 5), "z k", axis=2, outputs=2, integers={"k": i64([2])}),
    "TopK least": each("TopK", (5, 3), "z k", axis=1, outputs=2, largest=0, integers={"k": i64([3])}),
    "Trilu": each("Trilu", (3, 4), "z k", upper=0, integers={"k": i64(1)}),
    "ReverseSequence": whole("ReverseSequence", (4, 3), "s k", integers={"k": i64(4, 2, 1)}),
    "OneHot": whole("OneHot", (2,), "k d s", integers={"k": i64(1, -1, 0), "d": i64(3)}),
    "DepthToSpace": each("DepthToSpace", (8, 2, 3), blocksize=2, mode="CRD"),
    "SpaceToDepth": each("SpaceToDepth", (2, 4, 6), blocksize=2),
    "Transpose": each("Transpose", (2, 3, 4), perm=[0, 3, 1, 2]),
    "Squeeze": each("Squeeze", (2, 1, 3), "z k", integers={"k": i64([2])}),
    "Unsqueeze": each("Unsqueeze", (2, 3), "z k", integers={"k": i64([2])}),
    "Flatten": each("Flatten", (2, 3)),
    "Compress": each("Compress", (2, 4), "z c", axis=2, integers={"c": np.array([True, False, True, True])}),
    "Cast": each("Cast", (4,), to=1),
    "CastLike": each("CastLike", (4,), "z s"),
    "Col2Im": whole("Col2Im", (1, 4, 4), "s i k", integers={"i": i64(3, 3), "k": i64(2, 2)}),
    "MaxUnpool": whole(
        "MaxUnpool",
        (1, 1, 2, 2),
        "s k",
        kernel_shape=[2, 2],
        strides=[2, 2],
        integers={"k": i64([[[[5, 7], [13, 15]]]])},
    ),
    "Dropout": each("Dropout", (4,)),
    "Einsum": each("Einsum", (3, 4), "z w", equation="bij,jk->bik", more={"w": spread((4, 2), -1, 1)}),
    "Einsum of two": each("Einsum", (3, 4), "z x", equation="bij,bkj->bik"),
    "Einsum whole": whole(
        "Einsum", (3, 3, 2), "s u", equation="iij,jk->k", more={"u": spread((2, 4), -1, 1)}
    ),
    "Resize": each("Resize", (2, 3, 4), "z - scale", mode="linear", integers={"scale": F32([1, 1, 2, 1.5])}),
    "Resize nearest": each("Resize", (2, 3, 4), "z - scale", integers={"scale": F32([1, 1, 2, 0.5])}),
    "Resize cubic": whole(
        "Resize", (1, 1, 4, 4), "s - scale", mode="cubic", integers={"scale": F32([1, 1, 1.5, 2])}
    ),
    "Upsample": each("Upsample", (2, 3, 2), "z scale", opset=9, integers={"scale": F32([1, 1, 2, 2])}),
    "GridSample": whole(
        "GridSample",
        (1, 2, 4, 3),
        "s g",
        padding_mode="border",
        more={"g": spread((1, 3, 2, 2), -0.83, 0.79)},
    ),
    "GridSample cubic": whole(
        "GridSample", (1, 1, 4, 4), "s g", mode="cubic", integers={"g": spread((1, 2, 2, 2), -0.83, 0.79)}
    ),
    "DFT": each("DFT", (4, 1), "z - a", onesided=1, integers={"a": i64(1)}),
    "STFT": whole("STFT", (1, 8, 1), "s h w", integers={"h": i64(2), "w": spread((4,), 0.2, 1)}),
}
F64 = NDArray[np.float64]
Plain = Callable[[F64, dict[str, F64]], F64]


def erf(z: F64) -> F64:
    return np.vectorize(math.erf)(z)


def lrn(z: F64, feeds: dict[str, F64]) -> F64:
    around = np.pad(z**2, [(0, 0), (1, 1), (0, 0), (0, 0)])
    total = around[:, :-2] + around[:, 1:-1] + around[:, 2:]
    return z / (1.5 + 0.1 * total) ** 0.75


def group_norm(z: F64, feeds: dict[str, F64]) -> F64:
    split = z.reshape(len(z), 2, 6)
    apart = split - split.mean(axis=2, keepdims=True)
    normal = (apart / np.sqrt((apart**2).mean(axis=2, keepdims=True) + 1e-5)).reshape(z.shape)
    return normal * feeds["g"][:, None] + feeds["b"][:, None]


def mean_variance(z: F64, feeds: dict[str, F64]) -> F64:
    apart = z - z.mean(axis=(2, 3), keepdims=True)
    return apart / (np.sqrt((apart**2).mean(axis=(2, 3), keepdims=True)) + 1e-9)


def transposed(z: F64, feeds: dict[str, F64]) -> F64:
    """[n, 4, 5] with weights [4, 2, 2] in two groups, dilated by 2."""
    y = np.zeros((len(z), 4, 7))
    for channel in range(4):
        for out in range(2):
            for tap in range(2):
                place = slice(2 * tap, 2 * tap + 5)
                y[:, channel // 2 * 2 + out, place] += z[:, channel] * feeds["w"][channel, out, tap]
    return y


PLAIN: dict[str, Plain] = {
    "Erf": lambda z, feeds: erf(z),
    "Gelu": lambda z, feeds: z / 2 * (1 + erf(z / math.sqrt(2))),
    "Shrink": lambda z, feeds: np.where(z > 0.3, z - 0.1, np.where(z < -0.3, z + 0.1, 0.0)),
    "LRN": lrn,
    "GroupNormalization": group_norm,
    "MeanVarianceNormalization": mean_variance,
    "ConvTranspose grouped": transposed,
    "GlobalLpPool": lambda z, feeds: np.sqrt((z**2).sum(axis=(2, 3), keepdims=True)),
}
WITHOUT = {
    "And",
    "Or",
    "Xor",
    "Not",
    "Equal",
    "Greater",
    "GreaterOrEqual",
    "Less",
    "LessOrEqual",
    "IsNaN",
    "IsInf",
    "BitShift",
    "BitwiseAnd",
    "BitwiseNot",
    "BitwiseOr",
    "BitwiseXor",
    "BitCast",
    "ArgMax",
    "ArgMin",
    "Shape",
    "Size",
    "NonZero",
    "Unique",
    "NonMaxSuppression",
    "EyeLike",
    "Range",
    "Constant",
    "ConstantOfShape",
    "ConvInteger",
    "MatMulInteger",
    "QLinearConv",
    "QLinearMatMul",
    "QuantizeLinear",
    "DequantizeLinear",
    "DynamicQuantizeLinear",
    "Sign",
    "Floor",
    "Ceil",
    "Round",
    "Hardmax",
}
"""Integers, bools and steps: no gradient, or zero everywhere."""
ELSEWHERE = {
    "LSTM": "test_compile_recurrent.py",
    "GRU": "test_compile_recurrent.py",
    "RNN": "test_compile_recurrent.py",
    "ai.onnx.preview.FlexAttention": "products and softmax, which have theirs",
    "If": "taken apart into other operators",
    "Loop": "unrolled into other operators",
    "Scan": "unrolled into other operators",
    "Scatter": "ScatterElements under its old name",
}


@pytest.mark.parametrize("name", CASES)
def test_gradient_is_the_slope(name: str) -> None:
    case = CASES[name]
    x = (
        np.linspace(0.7, 1.3, ROWS * int(np.prod(case.features)))
        .reshape(ROWS, *case.features)
        .astype(np.float32)
    )
    run = Double(case, PLAIN.get(name))
    first = run(x)
    target = noise(*first.shape, seed=13)
    loss, found = case.gradients(x, target, Loss.MeanSquaredError)
    assert loss == pytest.approx(loss_of(first, target, Loss.MeanSquaredError), rel=1e-5)
    for parameter, slope in run.slopes(x, target).items():
        scale = np.abs(slope).max() + 1e-3
        np.testing.assert_allclose(found[parameter] / scale, slope / scale, atol=1e-5, err_msg=parameter)


class Double:
    """A case's model in float64, with its parameters as inputs."""

    def __init__(self, case: Case, plain: Plain | None) -> None:
        self.start = {name: value.astype(np.float64) for name, value in case.parameters.items()}
        model = case.proto(double=True)
        held = [item for item in model.graph.initializer if item.name in self.start]
        for item in held:
            model.graph.initializer.remove(item)
            model.graph.input.append(
                helper.make_tensor_value_info(item.name, TensorProto.DOUBLE, list(item.dims))
            )
        for item in model.graph.initializer:
            if item.data_type == TensorProto.FLOAT and item.name not in SCALES:
                item.CopyFrom(
                    numpy_helper.from_array(numpy_helper.to_array(item).astype(np.float64), item.name)
                )
        for step in model.graph.node:
            for attribute in step.attribute:
                if step.op_type == "Cast" and attribute.name == "to":
                    attribute.i = TensorProto.DOUBLE
        self.run = session(model) if plain is None else lambda feeds: plain(feeds["x"] * feeds["s"], feeds)

    def __call__(self, x: NDArray[Any], **changed: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self.run({"x": x.astype(np.float64), **self.start, **changed}), dtype=np.float64)

    def slopes(self, x: NDArray[Any], target: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
        """Central differences of the mean squared error."""
        found = {}
        for name, start in self.start.items():
            slopes = np.zeros(start.size)
            for index in range(start.size):
                sides = []
                for step in (1e-6, -1e-6):
                    moved = start.copy().reshape(-1)
                    moved[index] += step
                    y = self(x, **{name: moved.reshape(start.shape)})
                    sides.append(loss_of(y, target, Loss.MeanSquaredError))
                slopes[index] = (sides[0] - sides[1]) / 2e-6
            found[name] = slopes.reshape(start.shape)
        return found


def session(model: onnx.ModelProto) -> Callable[[dict[str, NDArray[Any]]], Any]:
    """onnxruntime where it has the operators in float64; else the reference."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        found = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        return lambda feeds: found.run(["y"], feeds)[0]
    except Exception:
        reference = ReferenceEvaluator(model)
        return lambda feeds: reference.run(["y"], feeds)[0]


def test_no_differentiable_operator_is_forgotten() -> None:
    tested = {n.op_type for case in (*CASES.values(), *DENSE.values(), *MORE.values()) for n in case.nodes}
    assert set(OPERATORS) - tested - WITHOUT - set(ELSEWHERE) == set()
