"""Convolutions by the direct sum: all three passes against NumPy in float64, for kernels, paddings, strides,
dilations and groups that cut images and kernels into parts of every kind."""

from typing import NamedTuple

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from executor.compiler import schedule
from executor.compiler.compile import compile_training
from executor.compiler.lowering import products
from executor.compiler.machine import Machine
from primitives.data import Loss
from tests.executor.compile_cases import FUEL, Case, node, training_spec
from tests.executor.test_compile_operators import noise

F64 = NDArray[np.float64]
Pair = tuple[int, int]


class Layer(NamedTuple):
    """A convolution of [channels, height, width]."""

    outputs: int
    kernel: Pair
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    strides: Pair = (1, 1)
    dilations: Pair = (1, 1)
    groups: int = 1

    def padded(self, x: F64) -> F64:
        top, left, bottom, right = self.pads
        return np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))

    def windows(self, x: F64) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Line and column of the padded image x that weight (i, j) meets for output (y, x): [y, x, i, j]."""
        found = []
        for axis in range(2):
            size, reach = x.shape[2 + axis], self.dilations[axis] * (self.kernel[axis] - 1)
            steps = np.arange((size - reach - 1) // self.strides[axis] + 1) * self.strides[axis]
            found.append(steps[:, None] + np.arange(self.kernel[axis]) * self.dilations[axis])
        lines, columns = found
        whole = (len(lines), len(columns), *self.kernel)
        return (
            np.broadcast_to(lines[:, None, :, None], whole),
            np.broadcast_to(columns[None, :, None, :], whole),
        )

    def split(self, values: F64, axis: int) -> F64:
        """An axis of channels as (group, channel)."""
        return values.reshape(*values.shape[:axis], self.groups, -1, *values.shape[axis + 1 :])

    def forward(self, x: F64, w: F64) -> F64:
        image = self.padded(x)
        lines, columns = self.windows(image)
        seen = self.split(image[:, :, lines, columns], 1)
        y: F64 = np.einsum("ngcyxij,gocij->ngoyx", seen, self.split(w, 0), optimize=True)
        return y.reshape(len(x), -1, *y.shape[3:])

    def backward(self, x: F64, w: F64, dy: F64) -> tuple[F64, F64]:
        """Gradients by image and weights."""
        image = self.padded(x)
        lines, columns = self.windows(image)
        seen, given = self.split(image[:, :, lines, columns], 1), self.split(dy, 1)
        dw = np.einsum("ngcyxij,ngoyx->gocij", seen, given, optimize=True).reshape(w.shape)
        each = np.einsum("ngoyx,gocij->ngcyxij", given, self.split(w, 0), optimize=True)
        each = each.reshape(len(x), -1, *each.shape[3:])
        dx = np.zeros_like(image)
        for y, column, i, j in np.ndindex(lines.shape):
            dx[:, :, lines[y, column, i, j], columns[y, column, i, j]] += each[:, :, y, column, i, j]
        top, left, *_ = self.pads
        return dx[:, :, top : top + x.shape[2], left : left + x.shape[3]], dw

    def node(self, ends: str, out: str) -> onnx.NodeProto:
        return node(
            "Conv", ends, out, pads=self.pads, strides=self.strides, dilations=self.dilations,
            group=self.groups,
        )  # fmt: skip

    def weights(self, channels: int, seed: int) -> NDArray[np.float32]:
        fan = channels // self.groups * self.kernel[0] * self.kernel[1]
        return noise(self.outputs, channels // self.groups, *self.kernel, seed=seed) / np.float32(fan**0.5)


@pytest.mark.parametrize(
    ("shape", "first", "second"),
    [
        ((1, 14, 14), Layer(6, (5, 5), (2, 2, 2, 2)), Layer(7, (5, 5))),
        ((2, 9, 30), Layer(3, (7, 7), (3, 3, 3, 3)), Layer(4, (1, 9))),
        ((3, 8, 9), Layer(5, (3, 3), (1, 1, 1, 1)), Layer(9, (3, 2), strides=(2, 1))),
        ((4, 10, 7), Layer(6, (1, 1)), Layer(4, (4, 6), (0, 3, 2, 1), groups=2)),
        ((2, 12, 11), Layer(4, (2, 5), (1, 0, 0, 2)), Layer(4, (3, 3), (2, 2, 2, 2), dilations=(2, 2))),
        ((2, 6, 5), Layer(3, (3, 1), strides=(1, 2)), Layer(2, (3, 3), (2, 2, 1, 1))),
        ((1, 5, 40), Layer(2, (6, 3), (3, 1, 2, 1), dilations=(1, 2)), Layer(8, (5, 5), (4, 4, 4, 4))),
    ],
)
def test_all_passes_are_right(shape: tuple[int, int, int], first: Layer, second: Layer) -> None:
    w, v = first.weights(shape[0], 1), second.weights(first.outputs, 2)
    case = Case([first.node("x w", "h"), second.node("h v", "y")], shape, {"w": w, "v": v})
    x = noise(11, *shape, seed=5)
    w64, v64, x64 = (item.astype(np.float64) for item in (w, v, x))
    hidden = first.forward(x64, w64)
    y = second.forward(hidden, v64)
    target = noise(*y.shape, seed=6)
    assert np.abs(case.forward(x) - y).max() < 2e-6 * np.abs(y).max()
    loss, found = case.gradients(x, target, Loss.MeanSquaredError, batch=16)
    dh, dv = second.backward(hidden, v64, 2 * (y - target) / y.size)
    dw = first.backward(x64, w64, dh)[1]
    assert loss == pytest.approx(np.mean((y - target) ** 2), rel=1e-6)
    for name, truth in (("v", dv), ("w", dw)):
        assert np.abs(found[name] - truth).max() < 2e-6 * np.abs(truth).max()


@pytest.mark.parametrize("rows", [3, 8, 21])
def test_zeros_around_a_gradient_are_neither_stored_nor_multiplied(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gradient by an image of 7 channels, 12 × 10, has the same bits as from an image padded with
    zeros; its fuel is what a run uses, and its operations are those of the pass forward."""
    layer = Layer(9, (5, 4))
    parameters = {"w": noise(7, 2, 1, 1, seed=1), "v": noise(9, 7, 5, 4, seed=2), "b": noise(7, seed=3)}
    nodes = [node("Conv", "x w b", "h"), node("Relu", "h", "r"), layer.node("r v", "y")]
    case = Case(nodes, (2, 12, 10), parameters)
    spec = training_spec(24, loss=Loss.MeanSquaredError)
    plan = compile_training(case.bytes(), spec, rows)
    forward, backward = [flops for name, _, flops in plan.kernels if name.startswith("conv.")][-2:]
    products_of_rows = 2 * 24 * 9 * 7 * 20 * 8 * 7
    for flops in (forward, backward):
        assert products_of_rows <= flops < 1.05 * products_of_rows, "and some for what follows them"
    assert not [name for name, _, _ in plan.kernels if name.startswith(("pad", "fill", "border"))]
    x, target = noise(rows, 2, 12, 10, seed=5), noise(rows, 9, 8, 7, seed=6)
    machine = Machine(plan, FUEL)
    machine.write(plan.inputs[0], x)
    assert plan.target is not None
    machine.write(plan.target, target)
    machine.run(1, rows)
    assert FUEL - machine.fuel_left() == plan.fuel_per_call + plan.fuel_per_step
    without = case.gradients(x, target, Loss.MeanSquaredError, batch=24)
    for module in (products, schedule):
        monkeypatch.setattr(module, "inner_of", lambda node: None)
    padded = case.gradients(x, target, Loss.MeanSquaredError, batch=24)
    assert without[0] == padded[0]
    for name, value in padded[1].items():
        assert np.any(value) and value.tobytes() == without[1][name].tobytes()
