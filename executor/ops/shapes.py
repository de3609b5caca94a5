"""Operators on shapes: integers known while the graph is read."""

import numpy as np

from executor.compiler import ir
from executor.compiler.ir import Node, const
from executor.compiler.types import BY_ONNX, DType, dtype_of
from executor.errors import DynamicShape, ShapeMismatch, TooLarge, UnsupportedAttribute, UnsupportedType
from executor.ops.movement import shape_of
from executor.ops.table import operator
from executor.ops.values import INTEGERS_MAX, Ints, Value, feature_axis, ints, tensor

Array = np.ndarray


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
) -> Value:
    if value is not None:
        return value_of_array(value)
    if value_float is not None or value_floats is not None:
        return const(np.array(value_float if value_floats is None else value_floats, dtype=np.float32))
    if value_int is None and value_ints is None:
        raise UnsupportedAttribute("Constant without a value")
    return ints(value_int if value_ints is None else list(value_ints))


@operator("ConstantOfShape", since=9)
def constant_of_shape(shape: Ints, *, value: np.ndarray | None = None) -> Value:
    number = np.zeros(1, dtype=np.float32) if value is None else value
    if number.size != 1:
        raise ShapeMismatch("ConstantOfShape with more than one value")
    if number.dtype == np.float32:
        return const(float(number.reshape(-1)[0]), tuple(shape.exact()))
    sizes = shape.exact()
    if len(sizes) > 1 or sum(sizes) > INTEGERS_MAX:
        raise TooLarge("ConstantOfShape of many integers")
    return ints([int(number.reshape(-1)[0])] * sum(sizes))


@operator("Shape")
def shape_1(x: Value) -> Value:
    return ints(shape_of(x))


@operator("Shape", since=15)
def shape(x: Value, *, start: int = 0, end: int | None = None) -> Value:
    return ints(shape_of(x)[start:end])


@operator("Gather")
def gather(x: Value, indices: Ints, *, axis: int = 0) -> Value:
    """Of shapes; of tensors a single index."""
    chosen = indices.exact()
    if isinstance(x, Ints):
        flat = x.array.reshape(-1)
        if (
            axis not in (0, -1)
            or x.array.ndim != 1
            or any(not -flat.size <= item < flat.size for item in chosen)
        ):
            raise ShapeMismatch("Gather leaves its integers")
        return Ints(np.array([flat[item] for item in chosen], dtype=np.object_).reshape(indices.array.shape))
    place = feature_axis(x, axis)
    if len(chosen) != 1 or not -x.shape[place] <= chosen[0] < x.shape[place]:
        raise UnsupportedAttribute("Gather of several slices, or outside the tensor")
    starts, sizes = [0] * len(x.shape), list(x.shape)
    starts[place], sizes[place] = chosen[0] % x.shape[place], 1
    y = ir.take_slice(x, starts, sizes, [1] * len(sizes))
    return ir.reshape(y, (*sizes[:place], *indices.array.shape, *sizes[place + 1 :]))


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
    return cast(x, to=like.dtype.onnx)


@operator("Range", since=11)
def range_(start: Ints, limit: Ints, delta: Ints) -> Value:
    if delta.one() == 0:
        raise ShapeMismatch("Range with steps of zero")
    numbers = range(start.one(), limit.one(), delta.one())
    if (limit.one() - start.one()) // delta.one() >= INTEGERS_MAX:
        raise TooLarge("Range of many integers")
    return ints(list(numbers))


@operator("Size")
def size(x: Value) -> Value:
    if isinstance(x, Node) and x.batched:
        raise DynamicShape("Size of a batch")
    return ints(x.size if isinstance(x, Node) else int(x.array.size))
