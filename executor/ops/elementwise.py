"""Elementwise operators."""

from functools import reduce as fold
from math import inf, prod

import numpy as np

from executor.compiler import ir
from executor.compiler.ir import Node, const, where
from executor.compiler.op import Op
from executor.compiler.types import BY_ONNX, INTEGERS, DType
from executor.errors import DynamicShape, ShapeMismatch, TooLarge, UnsupportedAttribute, UnsupportedType
from executor.ops.batch import Batch
from executor.ops.table import operator
from executor.ops.values import INTEGERS_MAX, Integer, Ints, Value, aligned, folded, rank, tensor

Ones = tuple[int, ...] | None


def _unary(op: Op, x: Node) -> Node:
    return ir.elementwise(op, x)


def _binary(op: Op, a: Value, b: Value) -> Node:
    return ir.elementwise(op, *aligned(tensor(a), tensor(b)))


def _floating(name: str, x: Node) -> None:
    if not x.dtype.floating:
        raise UnsupportedType(f"{name} of {x.dtype.value}")


def _arithmetic(op: Op, a: Value, b: Value) -> Value:
    """Tensors, or integers that are part of a shape."""
    if not (isinstance(a, Ints) and isinstance(b, Ints)):
        return _binary(op, a, b)
    _check_sizes(a, b)
    if op in (Op.MUL, Op.DIV) and any(isinstance(item, Batch) for item in a.array.reshape(-1).tolist()):
        return _of_batch(op, a, b)
    if op is Op.MUL and any(isinstance(item, Batch) for item in b.array.reshape(-1).tolist()):
        return _of_batch(op, b, a)
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
            # ONNX truncates towards zero.
            found = np.frompyfunc(lambda x, y: abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1), 2, 1)(
                left, right
            )
    return Ints(np.asarray(found, dtype=np.object_), a.dtype)


def _of_batch(op: Op, a: Ints, b: Ints) -> Ints:
    """The batch's size times or over a number. Raises DynamicShape."""
    (number,) = b.exact() if b.array.size == 1 else (0,)
    item = a.array.reshape(-1).tolist()[0]
    if a.array.size != 1 or number < 1 or (op is Op.DIV and item.times % number):
        raise DynamicShape("a number that must be known depends on the size of the batch")
    times = item.times * number if op is Op.MUL else item.times // number
    shape = np.broadcast_shapes(a.array.shape, b.array.shape)
    return Ints(np.full(shape, Batch(times), dtype=np.object_), a.dtype)


def _check_sizes(a: Ints, b: Ints) -> None:
    """Before the result of a broadcast is made."""
    try:
        shape = np.broadcast_shapes(a.array.shape, b.array.shape)
    except ValueError:
        raise ShapeMismatch("integer tensors do not broadcast") from None
    if prod(shape) > INTEGERS_MAX:
        raise TooLarge(f"an integer tensor of more than {INTEGERS_MAX} elements")


def _old(op: Op, a: Value, b: Value, axis: int | None, broadcast: int) -> Value:
    """Before opset 7: no broadcast unless asked for, from `axis` on."""
    if not broadcast:
        return _arithmetic(op, a, b)
    x, y = tensor(a), tensor(b)
    if axis is None:
        return _binary(op, x, y)
    place = axis % max(rank(x), 1)
    after = rank(x) - place - rank(y)
    if after < 0 or y.batched:
        raise ShapeMismatch(f"an operand of {rank(y)} dimensions does not fit at axis {axis}")
    return _binary(op, x, ir.reshape(y, (*y.shape, *(1,) * after)))


@operator("Add")
def add_1(
    a: Value, b: Value, *, axis: int | None = None, broadcast: int = 0, consumed_inputs: Ones = None
) -> Value:
    return _old(Op.ADD, a, b, axis, broadcast)


@operator("Sub")
def sub_1(
    a: Value, b: Value, *, axis: int | None = None, broadcast: int = 0, consumed_inputs: Ones = None
) -> Value:
    return _old(Op.SUB, a, b, axis, broadcast)


@operator("Mul")
def mul_1(
    a: Value, b: Value, *, axis: int | None = None, broadcast: int = 0, consumed_inputs: Ones = None
) -> Value:
    return _old(Op.MUL, a, b, axis, broadcast)


@operator("Div")
def div_1(
    a: Value, b: Value, *, axis: int | None = None, broadcast: int = 0, consumed_inputs: Ones = None
) -> Value:
    return _old(Op.DIV, a, b, axis, broadcast)


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


@operator("Mod", since=10)
def mod(a: Node, b: Node, *, fmod: int = 0) -> Node:
    """Sign of the divisor, or with `fmod` of the dividend."""
    return _binary(Op.REMAINDER if fmod else Op.MOD, a, b)


@operator("Max")
def maximum(*xs: Value) -> Value:
    return fold(_larger, xs)


def _larger(a: Value, b: Value) -> Value:
    """Of shapes with the batch among them too: it is not less than 1, and equal to itself."""
    if not (isinstance(a, Ints) and isinstance(b, Ints) and (a.of_batch or b.of_batch)):
        return _binary(Op.MAX, a, b)
    _check_sizes(a, b)

    def larger(left: Integer, right: Integer) -> Integer:
        for one, other in ((left, right), (right, left)):
            if isinstance(one, Batch) and (one == other or (isinstance(other, int) and other <= one.times)):
                return one
        if isinstance(left, int) and isinstance(right, int):
            return max(left, right)
        raise DynamicShape("a number that must be known depends on the size of the batch")

    return Ints(np.asarray(np.frompyfunc(larger, 2, 1)(a.array, b.array), dtype=np.object_), a.dtype)


@operator("Min")
def minimum(*xs: Node) -> Node:
    return fold(lambda a, b: _binary(Op.MIN, a, b), xs)


@operator("Sum")
def total(*xs: Node) -> Node:
    return fold(lambda a, b: _binary(Op.ADD, a, b), xs)


@operator("Mean")
def mean(*xs: Node) -> Node:
    return total(*xs) * const(1.0 / len(xs))


@operator("Neg")
def neg(x: Node) -> Node:
    return _unary(Op.NEG, x)


@operator("Abs")
def absolute(x: Node) -> Node:
    return _unary(Op.ABS, x)


@operator("Sign")
def sign(x: Node) -> Node:
    return _unary(Op.SIGN, x)


@operator("Exp")
def exp(x: Node) -> Node:
    return _unary(Op.EXP, x)


@operator("Log")
def log(x: Node) -> Node:
    return _unary(Op.LOG, x)


@operator("Sqrt")
def sqrt(x: Node) -> Node:
    return _unary(Op.SQRT, x)


@operator("Reciprocal")
def reciprocal(x: Node) -> Node:
    _floating("Reciprocal", x)
    return const(1.0) / x


@operator("Floor")
def floor(x: Node) -> Node:
    return _unary(Op.FLOOR, x)


@operator("Ceil")
def ceil(x: Node) -> Node:
    return _unary(Op.CEIL, x)


@operator("Round", since=11)
def round_(x: Node) -> Node:
    return _unary(Op.ROUND, x)


@operator("Sin", since=7)
def sin(x: Node) -> Node:
    return _unary(Op.SIN, x)


@operator("Cos", since=7)
def cos(x: Node) -> Node:
    return _unary(Op.COS, x)


@operator("Tan", since=7)
def tan(x: Node) -> Node:
    return _unary(Op.TAN, x)


@operator("Asin", since=7)
def asin(x: Node) -> Node:
    return _unary(Op.ASIN, x)


@operator("Acos", since=7)
def acos(x: Node) -> Node:
    return _unary(Op.ACOS, x)


@operator("Atan", since=7)
def atan(x: Node) -> Node:
    return _unary(Op.ATAN, x)


@operator("Sinh", since=9)
def sinh(x: Node) -> Node:
    return _unary(Op.SINH, x)


@operator("Cosh", since=9)
def cosh(x: Node) -> Node:
    return _unary(Op.COSH, x)


@operator("Asinh", since=9)
def asinh(x: Node) -> Node:
    return _unary(Op.ASINH, x)


@operator("Acosh", since=9)
def acosh(x: Node) -> Node:
    return _unary(Op.ACOSH, x)


@operator("Atanh", since=9)
def atanh(x: Node) -> Node:
    return _unary(Op.ATANH, x)


@operator("Erf", since=9)
def erf(x: Node) -> Node:
    return _unary(Op.ERF, x)


@operator("Clip")
def clip_1(
    x: Node, *, min: float | None = None, max: float | None = None, consumed_inputs: Ones = None
) -> Node:
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


@operator("Pow")
def power_1(x: Node, exponent: Node, *, axis: int | None = None, broadcast: int = 0) -> Node:
    if axis is not None:
        raise UnsupportedAttribute("Pow with an axis")
    return power(x, exponent)


@operator("Pow", since=7)
def power(x: Node, exponent: Node) -> Node:
    """Constant exponents 2, 3, 0.5 and 1 without the general function."""
    value = None
    if exponent.op is Op.CONST and exponent.size == 1 and len(exponent.shape) <= len(x.shape):
        value = float(ir.value_of(exponent).reshape(-1)[0])
    if value == 0.5 and x.dtype.floating:
        return sqrt(x)
    if value in (1.0, 2.0, 3.0):
        return fold(lambda a, b: a * b, [x] * int(value))
    return _binary(Op.POW, x, exponent)


@operator("Identity")
def identity(x: Value) -> Value:
    return x


# --- comparisons, logic, bits -------------------------------------------------------------------------------


@operator("Equal")
def equal(a: Value, b: Value) -> Node:
    if isinstance(a, Ints) and isinstance(b, Ints) and (_names_batch(a) or _names_batch(b)):
        _check_sizes(a, b)
        same = np.frompyfunc(_same_size, 2, 1)(a.array, b.array)
        return ir.array(np.asarray(same, dtype=np.bool_), DType.BOOL)
    return _binary(Op.EQ, a, b)


def _names_batch(x: Value) -> bool:
    return isinstance(x, Ints) and any(isinstance(item, Batch) for item in x.array.reshape(-1).tolist())


def _same_size(a: Integer, b: Integer) -> bool:
    """Sizes compared before the batch's is known: it is above zero. Raises DynamicShape."""
    if isinstance(a, Batch) == isinstance(b, Batch) and (isinstance(a, int) or a == b):
        return a == b
    if any(isinstance(item, int) and item < 1 for item in (a, b)):
        return False
    raise DynamicShape("a comparison depends on the size of the batch")


@operator("Greater", since=7)
def greater(a: Node, b: Node) -> Node:
    return _binary(Op.GT, a, b)


@operator("Less", since=7)
def less(a: Node, b: Node) -> Node:
    return _binary(Op.GT, b, a)


@operator("GreaterOrEqual", since=12)
def greater_or_equal(a: Node, b: Node) -> Node:
    return _binary(Op.GE, a, b)


@operator("LessOrEqual", since=12)
def less_or_equal(a: Node, b: Node) -> Node:
    return _binary(Op.GE, b, a)


def _logic(op: Op, a: Node, b: Node) -> Node:
    if a.dtype is not DType.BOOL:
        raise UnsupportedType(f"logic of {a.dtype.value}")
    return _binary(op, a, b)


@operator("And", since=7)
def and_(a: Node, b: Node) -> Node:
    return _logic(Op.AND, a, b)


@operator("Or", since=7)
def or_(a: Node, b: Node) -> Node:
    return _logic(Op.OR, a, b)


@operator("Xor", since=7)
def xor(a: Node, b: Node) -> Node:
    return _logic(Op.XOR, a, b)


@operator("Not")
def not_(x: Node) -> Node:
    if x.dtype is not DType.BOOL:
        raise UnsupportedType(f"Not of {x.dtype.value}")
    return _unary(Op.NOT, x)


def _bitwise(op: Op, *xs: Node) -> Node:
    if xs[0].dtype not in INTEGERS:
        raise UnsupportedType(f"bits of {xs[0].dtype.value}")
    return ir.elementwise(op, *aligned(*xs))


@operator("BitwiseAnd", since=18)
def bitwise_and(a: Node, b: Node) -> Node:
    return _bitwise(Op.AND, a, b)


@operator("BitwiseOr", since=18)
def bitwise_or(a: Node, b: Node) -> Node:
    return _bitwise(Op.OR, a, b)


@operator("BitwiseXor", since=18)
def bitwise_xor(a: Node, b: Node) -> Node:
    return _bitwise(Op.XOR, a, b)


@operator("BitwiseNot", since=18)
def bitwise_not(x: Node) -> Node:
    return _bitwise(Op.NOT, x)


@operator("BitShift", since=11)
def bit_shift(x: Node, by: Node, *, direction: str) -> Node:
    if direction not in ("LEFT", "RIGHT"):
        raise UnsupportedAttribute(f"BitShift in the direction {direction!r}")
    return _bitwise(Op.SHL if direction == "LEFT" else Op.SHR, x, by)


@operator("BitCast", since=26)
def bit_cast(x: Node, *, to: int) -> Node:
    dtype = BY_ONNX.get(to)
    if dtype is None or dtype.width != x.dtype.width:
        raise UnsupportedType(f"BitCast of {x.dtype.value} to the type {to}")
    return ir.make(Op.BITS, (x,), x.shape, x.batched, dtype=dtype)


@operator("IsNaN", since=9)
def is_nan(x: Node) -> Node:
    return _unary(Op.NOT, _binary(Op.EQ, x, x))


@operator("IsInf", since=10)
def is_inf(x: Node, *, detect_negative: int = 1, detect_positive: int = 1) -> Node:
    infinity = const(inf)
    if detect_negative and detect_positive:
        return _binary(Op.EQ, _unary(Op.ABS, x), infinity)
    if not (detect_negative or detect_positive):
        return ir.cast(ir.expand_to(ir.scalar(0, DType.BOOL), x.shape), DType.BOOL)
    return _binary(Op.EQ, x, infinity if detect_positive else -infinity)


@operator("Where", since=9)
def where_(condition: Node, then: Value, other: Value) -> Value:
    if isinstance(then, Ints) and isinstance(other, Ints) and (_names_batch(then) or _names_batch(other)):
        known = folded(condition)
        if known is not None:
            _check_sizes(then, other)
            return Ints(np.asarray(np.where(known, then.array, other.array), dtype=np.object_), then.dtype)
    return ir.select(*aligned(condition, tensor(then), tensor(other)))
