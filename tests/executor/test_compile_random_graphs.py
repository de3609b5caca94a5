"""Random graphs of several operators: whatever both take, we compute as onnxruntime does; what we refuse has
a name."""

import random

import numpy as np
import onnx
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from executor import errors
from tests.executor.compile_cases import Case, node

FEW = {"max_examples": 250, "deadline": None}
UNARY = ("Relu", "Tanh", "Sigmoid", "Neg", "Abs", "Exp", "Identity")
BINARY = ("Add", "Sub", "Mul", "Div", "Max", "MatMul")
REDUCE = ("ReduceMean", "ReduceSum", "ReduceMax")
AXIS = ("Softmax", "LogSoftmax", "Flatten")


class Maker:
    """Draws a graph; its choices come from one seed, so that a failure can be repeated."""

    def __init__(self, seed: int) -> None:
        self.choice = random.Random(seed)
        self.opset = self.choice.choice([11, 13, 17, 20])
        self.parameters: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]] = {}
        self.integers: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.int64]]] = {}
        self.constants: list[onnx.NodeProto] = []

    def sizes(self, least: int, most: int, largest: int = 5) -> list[int]:
        return [self.choice.randint(1, largest) for _ in range(self.choice.randint(least, most))]

    def parameter(self, shape: list[int]) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = np.random.default_rng(len(shape)).normal(size=shape).astype(np.float32)
        return name

    def numbers(self, values: list[int]) -> str:
        name = f"i{len(self.integers)}"
        self.integers[name] = np.array(values, dtype=np.int64)
        return name

    def step(self, a: str, b: str, out: str) -> onnx.NodeProto:
        """A node on one or two earlier values."""
        draw = self.choice
        kinds = [self.plain, self.product, self.moved, self.windowed, self.reduced]
        if draw.random() < 0.25:
            return node(draw.choice(BINARY), f"{a} {b}", out)
        return draw.choice(kinds)(a, out)

    def plain(self, a: str, out: str) -> onnx.NodeProto:
        if self.choice.random() < 0.4:
            return node(self.choice.choice(("Add", "Mul")), f"{a} {self.parameter(self.sizes(0, 3))}", out)
        if self.choice.random() < 0.2:
            name = f"c{out}"
            self.constants.append(
                node("Constant", "", name, value=numpy_helper.from_array(np.array(-0.3, np.float32)))
            )
            return node("Clip", f"{a} {name}", out)
        return node(self.choice.choice(UNARY), a, out)

    def product(self, a: str, out: str) -> onnx.NodeProto:
        draw = self.choice
        if draw.random() < 0.5:
            return node("Gemm", f"{a} {self.parameter(self.sizes(2, 2))}", out, transB=draw.randint(0, 1))
        names = (a, self.parameter(self.sizes(1, 3)))
        return node("MatMul", " ".join(names if draw.random() < 0.7 else names[::-1]), out)

    def moved(self, a: str, out: str) -> onnx.NodeProto:
        draw = self.choice
        match draw.randint(0, 4):
            case 0:
                order = list(range(1, draw.randint(2, 4)))
                draw.shuffle(order)
                return node("Transpose", a, out, perm=[0, *order])
            case 1:
                wanted = [
                    draw.choice([-1, 0]),
                    *(draw.choice([-1, 0, 1, 2, 3, 4, 6]) for _ in range(draw.randint(0, 3))),
                ]
                return node("Reshape", f"{a} {self.numbers(wanted)}", out)
            case 2:
                bounds = [self.numbers([draw.randint(-3, 6)]) for _ in range(2)]
                rest = (self.numbers([draw.randint(1, 3)]), self.numbers([draw.randint(1, 2)]))
                return node("Slice", " ".join((a, *bounds, *rest)), out)
            case 3:
                amounts = [[0, *(draw.randint(0, 2) for _ in range(2))] for _ in range(2)]
                return node("Pad", f"{a} {self.numbers(amounts[0] + amounts[1])}", out)
        return node("Concat", f"{a} {a}", out, axis=draw.randint(-2, 3))

    def windowed(self, a: str, out: str) -> onnx.NodeProto:
        draw = self.choice
        n = draw.choice([1, 2, 2])

        def each(low: int, high: int, count: int = n) -> list[int]:
            return [draw.randint(low, high) for _ in range(count)]

        if draw.random() < 0.5:
            weights = self.parameter([draw.choice([2, 4]), draw.randint(1, 3), *each(1, 3)])
            shape = {"strides": each(1, 2), "dilations": each(1, 2), "pads": each(0, 2, 2 * n)}
            return node("Conv", f"{a} {weights}", out, group=draw.choice([1, 1, 2]), **shape)
        shape = {"kernel_shape": each(1, 3), "strides": each(1, 3), "pads": each(0, 1, 2 * n)}
        return node(draw.choice(("MaxPool", "AveragePool")), a, out, **shape)

    def reduced(self, a: str, out: str) -> onnx.NodeProto:
        draw = self.choice
        if draw.random() < 0.5:
            return node(draw.choice(AXIS), a, out, axis=draw.randint(-3, 3))
        op, axes = draw.choice(REDUCE), [draw.randint(-3, 3)]
        if self.opset >= 18 or (op == "ReduceSum" and self.opset >= 13):
            return node(op, f"{a} {self.numbers(axes)}", out, keepdims=draw.randint(0, 1))
        return node(op, a, out, axes=axes, keepdims=draw.randint(0, 1))

    def case(self) -> Case:
        features = tuple(self.sizes(1, 2)) if self.choice.random() < 0.6 else (2, *self.sizes(2, 2, 7))
        count = self.choice.randint(1, 5)
        names = ["x", *(f"v{index}" for index in range(count - 1)), "y"]
        steps = []
        for index in range(count):
            recent = names[max(0, index - 1) : index + 1]
            steps.append(self.step(self.choice.choice(recent), self.choice.choice(recent), names[index + 1]))
        return Case([*self.constants, *steps], features, self.parameters, self.integers, opset=self.opset)


@settings(**FEW)  # type: ignore[arg-type]
@given(st.integers(0, 1 << 48))
def test_what_we_compute_is_what_onnxruntime_computes(seed: int) -> None:
    maker = Maker(seed)
    case = maker.case()
    rows, batch = maker.choice.randint(2, 11), maker.choice.randint(1, 12)
    x = np.random.default_rng(5).normal(size=(rows, *case.features)).astype(np.float32)
    try:
        ours = case.forward(x, batch)
    except errors.ExecutorError as error:
        assert str(error)
        return
    try:
        theirs = case.oracle(x)
    except Exception:
        return  # onnxruntime refuses some graphs that mean something, such as pads as large as the window
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
