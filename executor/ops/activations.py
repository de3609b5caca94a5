"""Activation functions, and the dropout between them."""

from math import pi, sqrt

from executor.compiler import ir
from executor.compiler.ir import Node, const, where
from executor.compiler.op import Op
from executor.errors import ShapeMismatch, UnsupportedAttribute
from executor.ops.elementwise import clip
from executor.ops.table import operator
from executor.ops.values import Value, Values, aligned, folded, unknown

Ones = tuple[int, ...] | None


def _unary(op: Op, x: Node) -> Node:
    return ir.elementwise(op, x)


def _positive(x: Node, then: Node, other: Node) -> Node:
    """`then` where x > 0."""
    return where(Op.WHERE_GT, x, const(0.0), then, other)


@operator("Tanh")
def tanh(x: Node, *, consumed_inputs: Ones = None) -> Node:
    return _unary(Op.TANH, x)


@operator("Sigmoid")
def sigmoid(x: Node, *, consumed_inputs: Ones = None) -> Node:
    return _unary(Op.SIGMOID, x)


@operator("Relu")
def relu(x: Node, *, consumed_inputs: Ones = None) -> Node:
    return _unary(Op.RELU, x)


@operator("LeakyRelu")
def leaky_relu(x: Node, *, alpha: float = 0.01, consumed_inputs: Ones = None) -> Node:
    return _positive(x, x, x * const(alpha))


@operator("PRelu")
def prelu_1(x: Node, slope: Node, *, consumed_inputs: Ones = None) -> Node:
    """Before opset 7 a slope of one dimension belongs to the channels."""
    if len(slope.shape) == 1 and slope.shape[0] != 1:
        slope = ir.reshape(slope, (*slope.shape, *(1,) * (len(x.shape) + x.batched - 2)))
    return prelu(x, slope)


@operator("PRelu", since=7)
def prelu(x: Node, slope: Node) -> Node:
    x, slope = aligned(x, slope)
    return _positive(x, x, x * slope)


@operator("Elu")
def elu(x: Node, *, alpha: float = 1.0, consumed_inputs: Ones = None) -> Node:
    return _positive(x, x, (_unary(Op.EXP, _lower(x)) - const(1.0)) * const(alpha))


@operator("Selu")
def selu(
    x: Node,
    *,
    alpha: float = 1.6732632423543772,
    gamma: float = 1.0507009873554805,
    consumed_inputs: Ones = None,
) -> Node:
    return elu(x, alpha=alpha) * const(gamma)


@operator("Celu", since=12)
def celu(x: Node, *, alpha: float = 1.0) -> Node:
    return _positive(x, x, (_unary(Op.EXP, _lower(x) / const(alpha)) - const(1.0)) * const(alpha))


def _lower(x: Node) -> Node:
    """min(x, 0): what is not chosen must not overflow, or its gradient would be 0 · ∞."""
    return _positive(x, const(0.0), x)


@operator("HardSigmoid")
def hard_sigmoid(x: Node, *, alpha: float = 0.2, beta: float = 0.5, consumed_inputs: Ones = None) -> Node:
    return clip(x * const(alpha) + const(beta), const(0.0), const(1.0))


@operator("HardSwish", since=14)
def hard_swish(x: Node) -> Node:
    return x * hard_sigmoid(x, alpha=1 / 6)


@operator("Softplus")
def softplus(x: Node) -> Node:
    """log(1 + eˣ) = max(x, 0) + log(1 + e^−|x|)."""
    return _unary(Op.RELU, x) + _unary(Op.LOG, const(1.0) + _unary(Op.EXP, -_unary(Op.ABS, x)))


@operator("Softsign")
def softsign(x: Node) -> Node:
    return x / (const(1.0) + _unary(Op.ABS, x))


@operator("Mish", since=18)
def mish(x: Node) -> Node:
    return x * _unary(Op.TANH, softplus(x))


@operator("Swish", since=24)
def swish(x: Node, *, alpha: float = 1.0) -> Node:
    return x * _unary(Op.SIGMOID, x * const(alpha))


@operator("Gelu", since=20)
def gelu(x: Node, *, approximate: str = "none") -> Node:
    if approximate == "tanh":
        inner = (x + x * x * x * const(0.044715)) * const(sqrt(2 / pi))
        return x * const(0.5) * (const(1.0) + _unary(Op.TANH, inner))
    if approximate != "none":
        raise UnsupportedAttribute(f"Gelu with the approximation {approximate!r}")
    return x * const(0.5) * (const(1.0) + _unary(Op.ERF, x * const(sqrt(0.5))))


@operator("ThresholdedRelu")
def thresholded_relu(x: Node, *, alpha: float = 1.0) -> Node:
    return where(Op.WHERE_GT, x, const(alpha), x, const(0.0))


@operator("Shrink", since=9)
def shrink(x: Node, *, bias: float = 0.0, lambd: float = 0.5) -> Node:
    low = where(Op.WHERE_GT, const(-lambd), x, x + const(bias), const(0.0))
    return where(Op.WHERE_GT, x, const(lambd), x - const(bias), low)


@operator("Dropout")
def dropout_1(
    x: Node, *, is_test: int = 0, ratio: float = 0.5, seed: int = 0, consumed_inputs: Ones = None
) -> Values:
    """Before opset 12 a model says nothing about training: the identity."""
    return x, _all_kept(x)


@operator("Dropout", since=12)
def dropout(x: Node, ratio: Value | None = None, training: Value | None = None, *, seed: int = 0) -> Values:
    """The identity unless in training mode with a ratio above zero: then by the run's own random numbers
    (executor/compiler/kernels/random.py), whatever seed the file names."""
    if training is None:
        return x, _all_kept(x)
    mode, share = folded(training), None if ratio is None else folded(ratio)
    if mode is None or (ratio is not None and share is None):
        raise unknown(training if mode is None or ratio is None else ratio)
    lost = 0.5 if share is None else float(share.reshape(-1)[0])
    if not bool(mode.reshape(-1)[0]) or lost == 0.0:
        return x, _all_kept(x)
    if not 0.0 <= lost < 1.0:
        raise ShapeMismatch(f"Dropout of a share of {lost:g}")
    kept = ir.elementwise(Op.GE, ir.uniform(x.shape, x.batched), const(lost))
    return ir.select(kept, x * const(1.0 / (1.0 - lost)), ir.scalar(0, x.dtype)), kept


def _all_kept(x: Node) -> Node:
    return ir.elementwise(Op.EQ, ir.const(0.0), ir.const(0.0, x.shape))
