"""Operators on shapes: integers known while the graph is read."""

from math import isfinite

import numpy as np

from executor.compiler import ir
from executor.compiler.ir import Node, const
from executor.compiler.op import Op
from executor.compiler.types import BY_ONNX, DType, dtype_of
from executor.errors import DynamicShape, ShapeMismatch, TooLarge, UnsupportedAttribute, UnsupportedType
from executor.ops.aside import Aside
from executor.ops.batch import Batch
from executor.ops.movement import expand, shape_of
from executor.ops.table import operator
from executor.ops.values import INTEGERS_MAX, Ints, Value, integers, ints, numbers, tensor, whole

LINE_MAX = 1 << 22
"""Numbers in a row that the compiler writes out."""


def value_of_array(array: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]") -> Value:
    """A constant: a few i32 or i64 become Ints, everything else a tensor. Raises UnsupportedType."""
    dtype = dtype_of(array)
    if dtype is None:
        raise UnsupportedType(f"a constant has {array.dtype} elements")
    if dtype in (DType.I32, DType.I64) and array.size <= INTEGERS_MAX:
        return ints(array, dtype)
    return ir.array(array, dtype)


@operator("Constant")
def constant(
    *,
    value: np.ndarray | None = None,
    value_float: float | None = None,
    value_floats: tuple[float, ...] | None = None,
    value_int: int | None = None,
    value_ints: tuple[int, ...] | None = None,
    value_string: str | None = None,
    value_strings: tuple[str, ...] | None = None,
) -> Value:
    if value is not None:
        return value_of_array(value)
    if value_float is not None or value_floats is not None:
        return const(np.array(value_float if value_floats is None else value_floats, dtype=np.float32))
    if value_string is not None or value_strings is not None:
        raise UnsupportedType("a constant of type string")
    if value_int is None and value_ints is None:
        raise UnsupportedAttribute("Constant without a value")
    return ints(value_int if value_ints is None else list(value_ints))


@operator("ConstantOfShape", since=9)
def constant_of_shape(shape: Ints, *, value: np.ndarray | None = None) -> Value:
    number = np.zeros(1, dtype=np.float32) if value is None else value
    dtype = dtype_of(number)
    if number.size != 1 or dtype is None:
        raise ShapeMismatch("ConstantOfShape with more than one value")
    if any(isinstance(item, Batch) for item in shape.array.reshape(-1).tolist()):
        return expand(ir.reshape(ir.array(number, dtype), ()), shape)
    sizes = shape.exact()
    if min(sizes, default=0) < 0:
        raise ShapeMismatch(f"a constant of the shape {sizes}")
    if dtype in (DType.I32, DType.I64) and len(sizes) <= 1 and sum(sizes) <= INTEGERS_MAX:
        single = [int(number.reshape(-1)[0])] * sum(sizes)
        return ints(single, dtype) if sizes else ints(int(number.reshape(-1)[0]), dtype)
    return ir.expand_to(ir.reshape(ir.array(number, dtype), ()), tuple(sizes))


@operator("Shape")
def shape_1(x: Value) -> Value:
    return ints(shape_of(x))


@operator("Shape", since=15)
def shape(x: Value, *, start: int = 0, end: int | None = None) -> Value:
    return ints(shape_of(x)[start:end])


@operator("Cast", since=6)
def cast(x: Value, *, to: int, saturate: int = 1, round_mode: str = "up") -> Value:
    """Known integers stay known among i32 and i64."""
    dtype = BY_ONNX.get(to)
    if dtype is None:
        raise UnsupportedType(f"Cast to the type {to}")
    if isinstance(x, Ints) and dtype in (DType.I32, DType.I64):
        return Ints(x.array, dtype) if dtype is DType.I64 else _narrowed(x)
    return ir.cast(tensor(x), dtype)


def _narrowed(x: Ints) -> Ints:
    """Known integers cut to 32 bits; the batch stays the batch."""
    flat = [
        (item + (1 << 31)) % (1 << 32) - (1 << 31) if isinstance(item, int) else item
        for item in x.array.reshape(-1).tolist()
    ]
    return Ints(np.array(flat, dtype=np.object_).reshape(x.array.shape), DType.I32)


@operator("CastLike", since=15)
def cast_like(x: Value, like: Value, *, saturate: int = 1, round_mode: str = "up") -> Value:
    return cast(x, to=tensor(like).dtype.onnx)


@operator("Range", since=11)
def range_(start: Value, limit: Value, delta: Value) -> Value:
    whole_ = all(isinstance(value, Ints) for value in (start, limit, delta))
    first, last, step = (
        integers(value).one() if whole_ else numbers(value)[0] for value in (start, limit, delta)
    )
    if step == 0 or not all(isfinite(item) for item in (first, last, step)):
        raise ShapeMismatch("Range with steps of zero, or without an end")
    if abs(last - first) > abs(step) * LINE_MAX:
        raise TooLarge("Range of many numbers")
    count = max(0, int(-((first - last) // step)))
    if count <= INTEGERS_MAX and isinstance(start, Ints) and whole_:
        return ints([int(first + k * step) for k in range(count)], start.dtype)
    begin, by = tensor(start), tensor(delta)
    places = ir.array(np.arange(count), begin.dtype)
    return ir.reshape(begin, ()) + places * ir.reshape(by, ())


@operator("Size")
def size(x: Value) -> Value:
    if isinstance(x, Aside):
        raise DynamicShape("Size of a batch")
    if isinstance(x, Node) and x.batched:
        raise DynamicShape("Size of a batch")
    return ints(x.size if isinstance(x, Node) else int(x.array.size))


@operator("EyeLike", since=9)
def eye_like(x: Node, *, dtype: int | None = None, k: int = 0) -> Node:
    kind = x.dtype if dtype is None else BY_ONNX.get(dtype)
    if kind is None or len(whole(x).shape) != 2:
        raise UnsupportedType("EyeLike of a type that is not supported, or of no matrix")
    rows, columns = x.shape
    return ir.cast(
        ir.elementwise(Op.EQ, iota((rows, 1), 0) + ir.scalar(k, DType.I64), iota((1, columns), 1)), kind
    )


def iota(shape: tuple[int, ...], axis: int) -> Node:
    """The index along an axis, as i64. Raises TooLarge."""
    if shape[axis] > LINE_MAX:
        raise TooLarge(f"an axis of more than {LINE_MAX} elements is counted")
    line = [shape[axis] if place == axis else 1 for place in range(len(shape))]
    return ir.expand_to(ir.reshape(ir.array(np.arange(shape[axis]), DType.I64), line), shape)
