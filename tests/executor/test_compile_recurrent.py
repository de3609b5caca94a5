"""RNN, GRU and LSTM as scans: forward against onnxruntime, gradients against central differences of a plain
float64 recurrence that onnxruntime confirms, small modules, exact fuel."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from executor.compiler.compile import compile_forward, compile_training
from executor.compiler.machine import Machine
from executor.errors import ModelError
from executor.onnx_runtime import onnxruntime
from primitives.data import Loss
from tests.executor.compile_cases import FUEL, Case, fuel_of_forward, node, training_spec
from tests.executor.test_compile_operators import noise

F64 = NDArray[np.float64]
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
WAYS = {"forward": 1, "reverse": 1, "bidirectional": 2}
TURNS, WIDTH, HIDDEN, ROWS = 5, 3, 6, 11


def parameters(
    op: str, count: int, width: int = WIDTH, hidden: int = HIDDEN
) -> dict[str, NDArray[np.float32]]:
    gates = GATES[op] * hidden
    return {
        "w": noise(count, gates, width, seed=1) / 2,
        "r": noise(count, gates, hidden, seed=2) / 2,
        "b": noise(count, 2 * gates, seed=3) / 2,
    }


def model(op: str, direction: str, **attributes: Any) -> Case:
    """y = every output of every turn, flat."""
    layer = node(op, "x w r b", "h", hidden_size=HIDDEN, layout=1, direction=direction, **attributes)
    return Case([layer, node("Flatten", "h", "y")], (TURNS, WIDTH), parameters(op, WAYS[direction]))


def by_onnxruntime(
    op: str, x: NDArray[np.float32], values: dict[str, NDArray[np.float32]], **attributes: Any
) -> Any:
    """Outputs of the layer alone, in layout 0, which is the one that onnxruntime has."""
    outputs = ["y", "y_h", "y_c"][: 3 if op == "LSTM" else 2]
    layer = helper.make_node(
        op, ["x", "w", "r", "b"], outputs, hidden_size=values["r"].shape[2], **attributes
    )
    graph = helper.make_graph(
        [layer],
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    proto.ir_version = 10
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": np.ascontiguousarray(x.transpose(1, 0, 2))})


def sigmoid(x: F64) -> F64:
    return 1 / (1 + np.exp(-x))


def lstm_cell(x: F64, h: F64, c: F64, w: F64, r: F64, b: F64) -> tuple[F64, F64]:
    i, o, f, g = np.split(x @ w.T + h @ r.T + sum(np.split(b, 2)), 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_cell(x: F64, h: F64, c: F64, w: F64, r: F64, b: F64) -> tuple[F64, F64]:
    (wz, wr, wh), (rz, rr, rh) = np.split(w, 3), np.split(r, 3)
    bz, br, bh, cz, cr, ch = np.split(b, 6)
    z, reset = sigmoid(x @ wz.T + bz + h @ rz.T + cz), sigmoid(x @ wr.T + br + h @ rr.T + cr)
    new = np.tanh(x @ wh.T + bh + reset * (h @ rh.T + ch))
    return (1 - z) * new + z * h, c


def rnn_cell(x: F64, h: F64, c: F64, w: F64, r: F64, b: F64) -> tuple[F64, F64]:
    return np.tanh(x @ w.T + h @ r.T + sum(np.split(b, 2))), c


CELLS: dict[str, Callable[..., tuple[F64, F64]]] = {"LSTM": lstm_cell, "GRU": gru_cell, "RNN": rnn_cell}
EXTRA: dict[str, dict[str, Any]] = {"LSTM": {}, "GRU": {"linear_before_reset": 1}, "RNN": {}}


def plainly(op: str, direction: str, x: F64, values: dict[str, F64]) -> F64:
    """All outputs [rows, turns, directions, hidden]."""
    found = []
    for number in range(WAYS[direction]):
        backwards = direction == "reverse" or number == 1
        h = c = np.zeros((len(x), values["r"].shape[2]))
        turns = []
        for turn in reversed(range(x.shape[1])) if backwards else range(x.shape[1]):
            h, c = CELLS[op](x[:, turn], h, c, *(values[name][number] for name in "wrb"))
            turns.append(h)
        found.append(np.stack(turns[::-1] if backwards else turns, axis=1))
    return np.stack(found, axis=2)


@pytest.mark.parametrize("direction", WAYS)
@pytest.mark.parametrize("op", GATES)
def test_outputs_are_onnxruntimes(op: str, direction: str) -> None:
    case, x = model(op, direction, **EXTRA[op]), noise(ROWS, TURNS, WIDTH, seed=4)
    truth = by_onnxruntime(op, x, case.parameters, direction=direction, **EXTRA[op])[0].transpose(2, 0, 1, 3)
    np.testing.assert_allclose(case.forward(x), truth.reshape(ROWS, -1), rtol=1e-5, atol=2e-6)
    wide = {name: value.astype(np.float64) for name, value in case.parameters.items()}
    np.testing.assert_allclose(
        truth, plainly(op, direction, x.astype(np.float64), wide), rtol=1e-5, atol=2e-6
    )


@pytest.mark.parametrize("direction", WAYS)
@pytest.mark.parametrize("op", GATES)
def test_gradients_are_those_of_central_differences(op: str, direction: str) -> None:
    case, x = model(op, direction, **EXTRA[op]), noise(ROWS, TURNS, WIDTH, seed=5)
    target = noise(ROWS, TURNS * WAYS[direction] * HIDDEN, seed=6)
    loss, found = case.gradients(x, target, Loss.MeanSquaredError, batch=16)
    values = {name: value.astype(np.float64) for name, value in case.parameters.items()}

    def value() -> float:
        y = plainly(op, direction, x.astype(np.float64), values).reshape(ROWS, -1)
        return float(np.mean((y - target) ** 2))

    assert loss == pytest.approx(value(), rel=1e-6)
    rng = np.random.default_rng(7)
    for name, gradient in found.items():
        scale = np.abs(gradient).max()
        for place in rng.integers(0, gradient.size, 25):
            flat, sides = values[name].reshape(-1), []
            for step in (1e-6, -2e-6):
                flat[place] += step
                sides.append(value())
            flat[place] += 1e-6
            slope = (sides[0] - sides[1]) / 2e-6
            assert abs(gradient.reshape(-1)[place] - slope) < 1e-5 * scale, (name, place)


def test_only_the_last_state_is_used() -> None:
    """What a classifier does; the sequence of outputs is never made."""
    values = parameters("LSTM", 1)
    layer = node("LSTM", "x w r b", "h", hidden_size=HIDDEN, layout=1)
    layer.output[:] = ["", "y_h"]
    case = Case([layer, node("Flatten", "y_h", "y")], (TURNS, WIDTH), values)
    x = noise(ROWS, TURNS, WIDTH, seed=8)
    truth = by_onnxruntime("LSTM", x, values)[1][0]
    np.testing.assert_allclose(case.forward(x), truth, rtol=1e-5, atol=2e-6)


def test_two_layers_train_through_each_other() -> None:
    first, second = parameters("LSTM", 1), parameters("GRU", 1, HIDDEN)
    values = {f"{name}1": value for name, value in first.items()} | {f"{n}2": v for n, v in second.items()}
    nodes = [
        node("LSTM", "x w1 r1 b1", "h", hidden_size=HIDDEN, layout=1),
        node("Squeeze", "h axes", "s"),
        node("GRU", "s w2 r2 b2", "k", hidden_size=HIDDEN, layout=1, linear_before_reset=1),
        node("Flatten", "k", "y"),
    ]
    case = Case(nodes, (TURNS, WIDTH), values, {"axes": np.array([2])})
    x, target = noise(ROWS, TURNS, WIDTH, seed=9), noise(ROWS, TURNS * HIDDEN, seed=10)
    _, found = case.gradients(x, target, Loss.MeanSquaredError, batch=16)
    wide = {name: value.astype(np.float64) for name, value in values.items()}

    def value() -> float:
        parts = ({name: wide[f"{name}{layer}"] for name in "wrb"} for layer in (1, 2))
        hidden = plainly("LSTM", "forward", x.astype(np.float64), next(parts))[:, :, 0]
        y = plainly("GRU", "forward", hidden, next(parts)).reshape(ROWS, -1)
        return float(np.mean((y - target) ** 2))

    for name in ("w1", "r1", "b1", "w2"):
        flat = wide[name].reshape(-1)
        for place in (0, flat.size // 2, flat.size - 1):
            sides = []
            for step in (1e-6, -2e-6):
                flat[place] += step
                sides.append(value())
            flat[place] += 1e-6
            slope = (sides[0] - sides[1]) / 2e-6
            scale = np.abs(found[name]).max()
            assert abs(found[name].reshape(-1)[place] - slope) < 1e-5 * scale


def test_a_long_sequence_makes_no_larger_module_and_the_fuel_is_as_quoted() -> None:
    values, sizes = parameters("LSTM", 1), []
    for turns in (8, 200):
        layer = node("LSTM", "x w r b", "h", hidden_size=HIDDEN, layout=1)
        case = Case([layer, node("Flatten", "h", "y")], (turns, WIDTH), values)
        spec = training_spec(16, loss=Loss.MeanSquaredError, trainable=["w", "r", "b"])
        plan = compile_training(case.bytes(), spec, 16)
        machine = Machine(plan, FUEL)
        machine.run(1, 16)
        machine.finish()
        assert FUEL - machine.fuel_left() == plan.fuel
        sizes.append(len(plan.module))
        forward = compile_forward(case.bytes(), 8, 8)
        machine = Machine(forward, FUEL)
        machine.forward({"x": noise(8, turns, WIDTH, seed=1)})
        assert FUEL - machine.fuel_left() == fuel_of_forward(forward, 8)
    assert sizes[1] < 1.2 * sizes[0]


@pytest.mark.parametrize(("op", "gates"), GATES.items())
def test_fan_in_is_what_is_summed_into_one_gate(op: str, gates: int) -> None:
    """So that a drawn start has the size that PyTorch's would have."""
    case = model(op, "bidirectional", **EXTRA[op])
    spec = training_spec(8, loss=Loss.MeanSquaredError, trainable=list(case.parameters))
    plan = compile_training(case.bytes(), spec, 8)
    found = {item.name: item.fan_in for item in plan.parameters}
    assert (found["w"], found["r"]) == (WIDTH, HIDDEN) and gates


@pytest.mark.parametrize(
    "change",
    [
        {"direction": "sideways"},
        {"activations": ["Sigmoid", "Tanh", "Mish"]},
        {"activations": ["Sigmoid"]},
        {"hidden_size": HIDDEN + 1},
        {"layout": 0},
    ],
)
def test_what_is_not_supported_is_refused_by_name(change: dict[str, Any]) -> None:
    attributes = {"hidden_size": HIDDEN, "layout": 1, **change}
    case = Case(
        [node("LSTM", "x w r b", "h", **attributes), node("Flatten", "h", "y")],
        (TURNS, WIDTH),
        parameters("LSTM", 1),
    )
    with pytest.raises(ModelError):
        compile_forward(case.bytes(), 8, 8)
