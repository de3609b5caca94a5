"""Softmax's gradient from its values: that it is taken however a model writes softmax, that nothing else is
taken for one, and slopes in float64 where its values and what they are made of are used elsewhere too.
"""

from dataclasses import replace

import numpy as np
import onnx
import pytest

from executor.compiler import ir
from executor.compiler.gradients import gradients
from executor.compiler.ir import Node
from executor.compiler.op import Op
from executor.ops.dense import log_softmax, softmax
from primitives.data import Loss
from tests.executor.compile_cases import Case, loss_of, node
from tests.executor.test_compile_operators import noise
from tests.executor.test_every_gradient import Double, spread

ROWS = 3
AXES = {"last": np.array([-1]), "both": np.array([1, 2])}


def of(*nodes: onnx.NodeProto, opset: int = 23) -> Case:
    """Nodes from z = s · x, [3, 4] a row, to y."""
    start = {"s": spread((3, 4), -1.5, 1.5)}
    return Case([node("Mul", "x s", "z"), *nodes], (3, 4), start, dict(AXES), opset=opset)


def parts(axes: str = "last") -> list[onnx.NodeProto]:
    """m, z − m = c, e^c = e and Σ e = t over the last axis, as an exporter writes them out."""
    return [
        node("ReduceMax", f"z {axes}", "m"),
        node("Sub", "z m", "c"),
        node("Exp", "c", "e"),
        node("ReduceSum", "e last", "t"),
    ]


def tied(case: Case) -> Case:
    """Equal largest elements: the gradient by the maximum alone would be shared among them."""
    ties = np.array([[1, 1, 0.5, 1], [2, 0, 2, 1], [0, 0, 0, 0]], dtype=np.float32)
    return replace(case, features=(1, 1), parameters={"s": ties})


CASES = {
    "used twice": of(
        node("Softmax", "z", "p", axis=-1),
        node("Mul", "p z", "a"),
        node("Mul", "p p", "b"),
        node("Add", "a b"),
    ),
    "middle axis used twice": of(
        node("Softmax", "z", "p", axis=1), node("Mul", "p z", "a"), node("Sub", "a p")
    ),
    "several axes": of(node("Softmax", "z", "y", axis=1), opset=11),
    "logarithm used twice": of(
        node("LogSoftmax", "z", "l", axis=-1),
        node("Exp", "l", "p"),
        node("Mul", "p z", "a"),
        node("Sub", "a l"),
    ),
    "logarithm, several axes": of(node("LogSoftmax", "z", "y", axis=1), opset=11),
    "equal largest": tied(of(node("Softmax", "z", "y", axis=-1))),
    "logarithm, equal largest": tied(of(node("LogSoftmax", "z", "y", axis=-1))),
    "written out": of(*parts(), node("Div", "e t")),
    "logarithm written out": of(*parts(), node("Log", "t", "l"), node("Sub", "c l")),
    "written out, all parts used": of(
        *parts(),
        node("Div", "e t", "p"),
        node("Mul", "p e", "a"),
        node("Mul", "t m", "b"),
        node("Add", "a b", "d"),
        node("Sub", "d c"),
    ),
    "shifted by another maximum": of(*parts("both"), node("Div", "e t")),
    "the exponent by the sum": of(*parts(), node("Div", "c t")),
    "powers less the logarithm": of(*parts(), node("Log", "t", "l"), node("Sub", "e l")),
    "of powers of powers": of(*parts(), node("Exp", "e", "f"), node("Div", "f t")),
}


@pytest.mark.parametrize("name", CASES)
def test_gradient_is_the_slope(name: str) -> None:
    case = CASES[name]
    x = np.linspace(0.7, 1.3, ROWS * int(np.prod(case.features))).reshape(ROWS, *case.features)
    x = x.astype(np.float32)
    run = Double(case, None)
    first = run(x)
    target = noise(*first.shape, seed=13)
    loss, found = case.gradients(x, target, Loss.MeanSquaredError)
    assert loss == pytest.approx(loss_of(first, target, Loss.MeanSquaredError), rel=1e-5)
    for parameter, slope in run.slopes(x, target).items():
        scale = np.abs(slope).max() + 1e-3
        np.testing.assert_allclose(found[parameter] / scale, slope / scale, atol=1e-5, err_msg=parameter)


def by_x(y: Node, x: Node) -> set[Op]:
    """Primitives of the gradient by x that the values of y are not made of."""
    seed = ir.make(Op.INPUT, (), y.shape, True, "g")
    found = gradients(y, seed, [x])[x]
    return {item.op for item in set(ir.postorder([found])) - set(ir.postorder([y]))}


def test_nothing_goes_through_the_maximum() -> None:
    x = ir.make(Op.INPUT, (), (3, 4), True, "x")
    plain = {Op.INPUT, Op.MUL, Op.SUB, Op.SUM, Op.EXPAND}
    assert by_x(softmax(x, axis=-1), x) == plain
    assert by_x(log_softmax(x, axis=-1), x) == plain | {Op.EXP}
    shifted = x - ir.reduce(Op.MAXIMUM, x, [1])
    powers = ir.elementwise(Op.EXP, shifted)
    total = ir.reduce(Op.SUM, powers, [1])
    assert by_x(powers / total, x) == plain
    assert Op.WHERE_EQ in by_x(shifted / total, x)
