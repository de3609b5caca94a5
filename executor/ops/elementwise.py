"""Elementwise operators."""

from functools import reduce as fold
from math import prod

import numpy as np

from executor.compiler import ir
from executor.compiler.ir import Node, Op, const, where
from executor.errors import ShapeMismatch, TooLarge, UnsupportedAttribute
from executor.ops.table import operator
from executor.ops.values import INTEGERS_MAX, Ints, Value, aligned, tensor


def _unary(op: Op, x: Node) -> Node:
    return ir.elementwise(op, x)


def _binary(op: Op, a: Node, b: Node) -> Node:
    return ir.elementwise(op, *aligned(a, b))


def _arithmetic(op: Op, a: Value, b: Value) -> Value:
    """Tensors, or integers that are part of a shape."""
    if not (isinstance(a, Ints) and isinstance(b, Ints)):
        return _binary(op, tensor(a), tensor(b))
    _check_sizes(a, b)
    left, right = (np.array(item.exact(), dtype=np.object_).reshape(item.array.shape) for item in (a, b))
    if op is Op.DIV and not all(np.ravel(right)):
        raise ShapeMismatch("a shape is divided by zero")
    match op:
        case Op.ADD:
            found = left + right
        case Op.SUB:
            found = left - right
        case Op.MUL:
            found = left * right
        case _:
            # ONNX truncates towards zero; shapes are not negative, so flooring agrees where it is used.
            found = left // right
    return Ints(np.asarray(found, dtype=np.object_))


def _check_sizes(a: Ints, b: Ints) -> None:
    """Before the result of a broadcast is made."""
    try:
        shape = np.broadcast_shapes(a.array.shape, b.array.shape)
    except ValueError:
        raise ShapeMismatch("integer tensors do not broadcast") from None
    if prod(shape) > INTEGERS_MAX:
        raise TooLarge(f"an integer tensor of more than {INTEGERS_MAX} elements")


@operator("Add", since=7)
def add(a: Value, b: Value) -> Value:
    return _arithmetic(Op.ADD, a, b)


@operator("Sub", since=7)
def sub(a: Value, b: Value) -> Value:
    return _arithmetic(Op.SUB, a, b)


@operator("Mul", since=7)
def mul(a: Value, b: Value) -> Value:
    return _arithmetic(Op.MUL, a, b)


@operator("Div", since=7)
def div(a: Value, b: Value) -> Value:
    return _arithmetic(Op.DIV, a, b)


@operator("Max", since=8)
def maximum(*xs: Node) -> Node:
    return fold(lambda a, b: _binary(Op.MAX, a, b), xs)


@operator("Min", since=8)
def minimum(*xs: Node) -> Node:
    return fold(lambda a, b: _binary(Op.MIN, a, b), xs)


@operator("Sum", since=8)
def total(*xs: Node) -> Node:
    return fold(lambda a, b: _binary(Op.ADD, a, b), xs)


@operator("Mean", since=8)
def mean(*xs: Node) -> Node:
    return total(*xs) * const(1.0 / len(xs))


@operator("Neg")
def neg(x: Node) -> Node:
    return _unary(Op.NEG, x)


@operator("Abs")
def absolute(x: Node) -> Node:
    return _unary(Op.ABS, x)


@operator("Exp")
def exp(x: Node) -> Node:
    return _unary(Op.EXP, x)


@operator("Log")
def log(x: Node) -> Node:
    return _unary(Op.LOG, x)


@operator("Sqrt")
def sqrt(x: Node) -> Node:
    return _unary(Op.SQRT, x)


@operator("Tanh")
def tanh(x: Node) -> Node:
    return _unary(Op.TANH, x)


@operator("Sigmoid")
def sigmoid(x: Node) -> Node:
    return _unary(Op.SIGMOID, x)


@operator("Relu")
def relu(x: Node) -> Node:
    return _unary(Op.RELU, x)


@operator("Reciprocal")
def reciprocal(x: Node) -> Node:
    return const(1.0) / x


@operator("LeakyRelu")
def leaky_relu(x: Node, *, alpha: float = 0.01) -> Node:
    return where(Op.WHERE_GT, x, const(0.0), x, x * const(alpha))


@operator("Softplus")
def softplus(x: Node) -> Node:
    """log(1 + eˣ) = max(x, 0) + log(1 + e^−|x|)."""
    return _unary(Op.RELU, x) + _unary(Op.LOG, const(1.0) + _unary(Op.EXP, -_unary(Op.ABS, x)))


@operator("Clip", since=6)
def clip_6(x: Node, *, min: float | None = None, max: float | None = None) -> Node:
    return clip(x, None if min is None else const(min), None if max is None else const(max))


@operator("Clip", since=11)
def clip(x: Node, low: Node | None = None, high: Node | None = None) -> Node:
    for bound in (low, high):
        if bound is not None and bound.size != 1:
            raise ShapeMismatch("a bound of Clip is a single number")
    # Not Max and Min, which share the gradient where they meet: at a bound it passes through, as in
    # torch.clamp.
    if low is not None:
        low = ir.reshape(low, ())
        x = where(Op.WHERE_GT, low, x, low, x)
    if high is not None:
        high = ir.reshape(high, ())
        x = where(Op.WHERE_GT, x, high, high, x)
    return x


@operator("Pow", since=7)
def power(x: Node, exponent: Node) -> Node:
    """Constant exponents 2, 3, 0.5 and 1."""
    if exponent.op is not Op.CONST or exponent.size != 1:
        raise UnsupportedAttribute("Pow with an exponent that is not a single constant")
    value = float(ir.value_of(exponent).reshape(-1)[0])
    if value == 0.5:
        return sqrt(x)
    if value not in (1.0, 2.0, 3.0):
        raise UnsupportedAttribute(f"Pow with the exponent {value:g}")
    return fold(lambda a, b: a * b, [x] * int(value))


@operator("Identity")
def identity(x: Value) -> Value:
    return x


@operator("Dropout", since=12)
def dropout(x: Node, ratio: Node | None = None, training: Ints | None = None, *, seed: int = 0) -> Node:
    """Inference only: the identity."""
    if training is not None and training.one():
        raise UnsupportedAttribute("Dropout in training mode")
    return x
