"""The models of `benchmarks/executor.py`: each as ONNX for us, and as the same layers for PyTorch.

Shapes are what people train: the MLP of the README's demo, LeNet-5 (LeCun et al. 1998), a small residual net
of 3×3 convolutions (He et al. 2015, without batch normalisation), an LSTM classifier, a pre-norm transformer
encoder (Xiong et al. 2020). Weights are small random numbers from a fixed seed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

F32 = NDArray[np.float32]
CLASSES = 10
OPSET = 20


class Graph:
    """An ONNX graph under construction; values are names."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []
        self.random = np.random.default_rng(7)

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Append a node; its only output."""
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def tensor(self, array: NDArray[Any]) -> str:
        """A new initialiser."""
        name = f"w{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(array, name))
        return name

    def weight(self, *shape: int, fan_in: int) -> str:
        """Uniform in ±1/√fan_in."""
        bound = fan_in**-0.5
        return self.tensor(self.random.uniform(-bound, bound, shape).astype(np.float32))

    def linear(self, x: str, inputs: int, outputs: int) -> str:
        """x · W + b, as MatMul and Add so that leading axes are free."""
        product = self.op("MatMul", x, self.weight(inputs, outputs, fan_in=inputs))
        return self.op("Add", product, self.tensor(np.zeros(outputs, np.float32)))

    def conv(self, x: str, inputs: int, outputs: int, kernel: int, pad: int, stride: int = 1) -> str:
        """A square convolution with a bias."""
        weight = self.weight(outputs, inputs, kernel, kernel, fan_in=inputs * kernel * kernel)
        bias = self.tensor(np.zeros(outputs, np.float32))
        return self.op("Conv", x, weight, bias, pads=[pad] * 4, strides=[stride] * 2)

    def norm(self, x: str, width: int) -> str:
        """Layer normalisation over the last axis."""
        scale, shift = np.ones(width, np.float32), np.zeros(width, np.float32)
        return self.op("LayerNormalization", x, self.tensor(scale), self.tensor(shift), axis=-1)

    def bytes(self, x_shape: Sequence[int], y: str, y_shape: Sequence[int]) -> bytes:
        """The model x → y, rows first."""
        self.nodes.append(helper.make_node("Identity", [y], ["y"]))
        graph = helper.make_graph(
            self.nodes,
            "model",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *x_shape])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", *y_shape])],
            self.tensors,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = 9
        return bytes(model.SerializeToString())


@dataclass(frozen=True)
class Case:
    """A model, its batch, and PyTorch's version of it in each layout worth trying."""

    name: str
    x_shape: tuple[int, ...]
    batch: int
    model: bytes
    torch: Callable[[], Any] = field(repr=False)
    images: bool = False

    def rows(self, count: int) -> tuple[F32, NDArray[np.int32]]:
        """Random rows and classes."""
        random = np.random.default_rng(11)
        x = random.standard_normal((count, *self.x_shape)).astype(np.float32)
        return x, random.integers(0, CLASSES, count).astype(np.int32)


def mlp() -> Case:
    """64-128-10, ReLU."""
    g = Graph()
    hidden = g.op("Relu", g.linear("x", 64, 128))
    model = g.bytes([64], g.linear(hidden, 128, CLASSES), [CLASSES])

    def torch() -> Any:
        from torch import nn

        return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, CLASSES))

    return Case("mlp", (64,), 32, model, torch)


def lenet(batch: int = 32) -> Case:
    """LeNet-5 on 28×28: 6 and 16 kernels of 5×5, max pooling, 120-84-10."""
    g = Graph()
    x = g.op("Relu", g.conv("x", 1, 6, 5, 2))
    x = g.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = g.op("Relu", g.conv(x, 6, 16, 5, 0))
    x = g.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = g.op("Flatten", x)
    x = g.op("Relu", g.linear(x, 400, 120))
    x = g.op("Relu", g.linear(x, 120, 84))
    model = g.bytes([1, 28, 28], g.linear(x, 84, CLASSES), [CLASSES])

    def torch() -> Any:
        from torch import nn

        return nn.Sequential(
            *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
            *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, CLASSES)),
        )

    return Case("lenet", (1, 28, 28), batch, model, torch, images=True)


def resnet() -> Case:
    """A stem of 32 channels on 16×16, two residual blocks of 32, then one of 64 at stride 2."""
    g = Graph()

    def block(x: str, width: int) -> str:
        inner = g.op("Relu", g.conv(x, width, width, 3, 1))
        return g.op("Relu", g.op("Add", x, g.conv(inner, width, width, 3, 1)))

    x = g.op("Relu", g.conv("x", 3, 32, 3, 1))
    x = block(block(x, 32), 32)
    x = g.op("Relu", g.conv(x, 32, 64, 3, 1, stride=2))
    x = g.op("Flatten", g.op("GlobalAveragePool", block(x, 64)))
    model = g.bytes([3, 16, 16], g.linear(x, 64, CLASSES), [CLASSES])

    def torch() -> Any:
        from torch import nn

        class Block(nn.Module):
            def __init__(self, width: int) -> None:
                super().__init__()
                self.first = nn.Conv2d(width, width, 3, padding=1)
                self.second = nn.Conv2d(width, width, 3, padding=1)

            def forward(self, x: Any) -> Any:
                return nn.functional.relu(x + self.second(nn.functional.relu(self.first(x))))

        return nn.Sequential(
            *(nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), Block(32), Block(32)),
            *(nn.Conv2d(32, 64, 3, padding=1, stride=2), nn.ReLU(), Block(64)),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, CLASSES)),
        )

    return Case("resnet", (3, 16, 16), 32, model, torch, images=True)


def lstm() -> Case:
    """One LSTM 32 → 64 over 32 steps, and a linear layer on its last state."""
    g = Graph()
    width, hidden, length = 32, 64, 32
    w = g.weight(1, 4 * hidden, width, fan_in=hidden)
    r = g.weight(1, 4 * hidden, hidden, fan_in=hidden)
    b = g.tensor(np.zeros((1, 8 * hidden), np.float32))
    g.nodes.append(
        helper.make_node("LSTM", ["x", w, r, b], ["", "last"], hidden_size=hidden, layout=1, name="lstm")
    )
    flat = g.op("Flatten", "last")
    model = g.bytes([length, width], g.linear(flat, hidden, CLASSES), [CLASSES])

    def torch() -> Any:
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.lstm = nn.LSTM(width, hidden, batch_first=True)
                self.head = nn.Linear(hidden, CLASSES)

            def forward(self, x: Any) -> Any:
                return self.head(self.lstm(x)[1][0][0])

        return Net()

    return Case("lstm", (length, width), 32, model, torch)


def transformer() -> Case:
    """Two pre-norm encoder layers, width 64, four heads, feed-forward 256 with GELU, 32 tokens."""
    g = Graph()
    length, width, heads, inner = 32, 64, 4, 256
    split, joined = (g.tensor(np.array(s)) for s in ([0, length, heads, -1], [0, length, width]))
    scale = g.tensor(np.array((width // heads) ** -0.5, np.float32))

    def attention(x: str) -> str:
        q, k, v = (g.op("Reshape", g.linear(x, width, width), split) for _ in range(3))
        q, k, v = (g.op("Transpose", q, perm=[0, 2, 1, 3]), g.op("Transpose", k, perm=[0, 2, 3, 1]),
                   g.op("Transpose", v, perm=[0, 2, 1, 3]))  # fmt: skip
        scores = g.op("Softmax", g.op("MatMul", g.op("Mul", q, scale), k), axis=-1)
        mixed = g.op("Transpose", g.op("MatMul", scores, v), perm=[0, 2, 1, 3])
        return g.linear(g.op("Reshape", mixed, joined), width, width)

    x = "x"
    for _ in range(2):
        x = g.op("Add", x, attention(g.norm(x, width)))
        wide = g.op("Gelu", g.linear(g.norm(x, width), width, inner))
        x = g.op("Add", x, g.linear(wide, inner, width))
    pooled = g.op("ReduceMean", g.norm(x, width), g.tensor(np.array([1])), keepdims=0)
    model = g.bytes([length, width], g.linear(pooled, width, CLASSES), [CLASSES])

    def torch() -> Any:
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                layer = nn.TransformerEncoderLayer(
                    width, heads, inner, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
                )
                self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
                self.norm = nn.LayerNorm(width)
                self.head = nn.Linear(width, CLASSES)

            def forward(self, x: Any) -> Any:
                return self.head(self.norm(self.layers(x)).mean(1))

        return Net()

    return Case("transformer", (length, width), 32, model, torch)


def cnn_of_a_million() -> Case:
    """About 1 M parameters: four 3×3 convolutions up to 128 channels on 32×32, and 512-1400-10."""
    g = Graph()
    x, width = "x", 3
    for wider in (32, 64, 128, 128):
        x = g.op("Relu", g.conv(x, width, wider, 3, 1))
        x = g.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
        width = wider
    x = g.op("Flatten", x)
    x = g.op("Relu", g.linear(x, 512, 1400))
    model = g.bytes([3, 32, 32], g.linear(x, 1400, CLASSES), [CLASSES])
    return Case("cnn", (3, 32, 32), 32, model, lambda: None, images=True)


def products(size: int, count: int) -> tuple[bytes, list[F32]]:
    """x · W₁ · … · W_count of size × size, and the W."""
    g = Graph()
    x = "x"
    for _ in range(count):
        x = g.op("MatMul", x, g.weight(size, size, fan_in=size))
    weights = [numpy_helper.to_array(tensor).astype(np.float32) for tensor in g.tensors]
    return g.bytes([size], x, [size]), weights


CASES: tuple[Callable[[], Case], ...] = (mlp, lenet, resnet, lstm, transformer)
