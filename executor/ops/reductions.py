"""Reductions over chosen axes, and what runs along one."""

from collections.abc import Callable
from math import prod

import numpy as np

from executor.compiler import ir
from executor.compiler.ir import Node, const, reduce
from executor.compiler.op import Op
from executor.compiler.types import DType
from executor.errors import DynamicShape, UnsupportedAttribute, UnsupportedType
from executor.ops.batch import Batch
from executor.ops.table import operator
from executor.ops.values import Ints, Value, feature_axes, feature_axis, tensor

Kernel = Callable[[Node, list[int]], Node]
Axes = tuple[int, ...] | None


def _exp(x: Node) -> Node:
    return ir.elementwise(Op.EXP, x)


def _log(x: Node) -> Node:
    return ir.elementwise(Op.LOG, x)


def _sum(x: Node, axes: list[int]) -> Node:
    return reduce(Op.SUM, x, axes)


def _mean(x: Node, axes: list[int]) -> Node:
    y = reduce(Op.SUM, x, axes)
    if not x.dtype.floating:
        count = ir.scalar(x.size // max(y.size, 1), x.dtype)
        return ir.elementwise(Op.DIV, y, count)
    return y * const(y.size / x.size) if x.size else y * const(float("nan"))


def _largest(x: Node, axes: list[int]) -> Node:
    return reduce(Op.MAXIMUM, x, axes)


def _least(x: Node, axes: list[int]) -> Node:
    return reduce(Op.MINIMUM, x, axes)


def _product(x: Node, axes: list[int]) -> Node:
    return reduce(Op.PRODUCT, x, axes)


def _l1(x: Node, axes: list[int]) -> Node:
    return _sum(ir.elementwise(Op.ABS, x), axes)


def _l2(x: Node, axes: list[int]) -> Node:
    square = _sum(x * x, axes)
    if square.dtype.floating:
        return ir.elementwise(Op.SQRT, square)
    return ir.cast(ir.elementwise(Op.SQRT, ir.cast(square, DType.F64)), x.dtype)


def _squares(x: Node, axes: list[int]) -> Node:
    return _sum(x * x, axes)


def _log_sum(x: Node, axes: list[int]) -> Node:
    return _log(_sum(x, axes))


def _log_sum_exp(x: Node, axes: list[int]) -> Node:
    """Shifted by the largest element, where that is a number."""
    if not x.size:
        return _log(_sum(_exp(x), axes))
    top = _largest(x, axes)
    finite = ir.elementwise(Op.EQ, top - top, const(0.0))
    shift = ir.stopped(ir.select(finite, top, const(0.0)))
    return _log(_sum(_exp(x - shift), axes)) + shift


def _reduced(kernel: Kernel, x: Node, axes: list[int] | None, keepdims: int) -> Node:
    if axes is None:
        if x.batched:
            raise UnsupportedAttribute("a reduction over the rows of the batch")
        axes = list(range(len(x.shape)))
    else:
        axes = feature_axes(x, axes)
    y = kernel(x, axes)
    if keepdims:
        return y
    return ir.reshape(y, tuple(size for axis, size in enumerate(y.shape) if axis not in axes))


def _number_of(sizes: Ints, axes: Axes, keepdims: int) -> Ints:
    """The product of a list of sizes of which one is the batch. Raises DynamicShape."""
    items = sizes.array.reshape(-1).tolist()
    known = [item for item in items if isinstance(item, int)]
    if sizes.array.ndim != 1 or axes not in (None, (0,), (-1,)) or len(known) != len(items) - 1:
        raise DynamicShape("a number that must be known depends on the size of the batch")
    (batch,) = (item for item in items if isinstance(item, Batch))
    if prod(known) < 1:
        raise DynamicShape("a number that must be known depends on the size of the batch")
    found = np.full((1,) if keepdims else (), Batch(batch.times * prod(known)), dtype=np.object_)
    return Ints(found, sizes.dtype)


def _enter(name: str, kernel: Kernel, listed_from: int = 18) -> None:
    """Both forms: axes as an attribute, and, from `listed_from` on, as an input."""

    @operator(name)
    def old(x: Value, *, axes: Axes = None, keepdims: int = 1) -> Value:
        if kernel is _product and isinstance(x, Ints) and x.of_batch:
            return _number_of(x, axes, keepdims)
        return _reduced(kernel, tensor(x), None if axes is None else list(axes), keepdims)

    @operator(name, since=listed_from)
    def new(x: Value, axes: Ints | None = None, *, keepdims: int = 1, noop_with_empty_axes: int = 0) -> Value:
        listed = None if axes is None or not axes.array.size else axes.exact()
        if listed is None and noop_with_empty_axes:
            return x if isinstance(x, Ints) else kernel(tensor(x), [])
        return old(x, axes=None if listed is None else tuple(listed), keepdims=keepdims)


for _name, _kernel in {
    "ReduceMean": _mean,
    "ReduceMax": _largest,
    "ReduceMin": _least,
    "ReduceProd": _product,
    "ReduceL1": _l1,
    "ReduceL2": _l2,
    "ReduceSumSquare": _squares,
    "ReduceLogSum": _log_sum,
    "ReduceLogSumExp": _log_sum_exp,
}.items():
    _enter(_name, _kernel)
_enter("ReduceSum", _sum, 13)


def over(kernel: str, x: Node, axes: list[int]) -> Node:
    """A reduction over ONNX axes, kept as size 1, for other operators."""
    kernels = {"mean": _mean, "max": _largest, "sum": _sum}
    return kernels[kernel](x, feature_axes(x, axes))


def _arg(x: Node, axis: int, keepdims: int, last: int) -> Node:
    place = feature_axis(x, axis)
    y = ir.arg(x, place, bool(last))
    if keepdims:
        return y
    return ir.reshape(y, tuple(size for index, size in enumerate(y.shape) if index != place))


@operator("ArgMax")
def arg_max(x: Node, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0) -> Node:
    return _arg(x, axis, keepdims, select_last_index)


@operator("ArgMin")
def arg_min(x: Node, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0) -> Node:
    """The largest of what is turned round: −x, or the complement of an unsigned integer."""
    turned = ir.elementwise(Op.NEG if x.dtype.floating else Op.NOT, x)
    return _arg(turned, axis, keepdims, select_last_index)


def _cumulative(op: Op, x: Node, axis: Ints, exclusive: int, reverse: int) -> Node:
    place = feature_axis(x, axis.one())
    if x.dtype is DType.BOOL:
        raise UnsupportedType("a running sum of bools")
    turned = ir.flip(x, (place,)) if reverse else x
    y = ir.cumulate(op, turned, place, bool(exclusive))
    return ir.flip(y, (place,)) if reverse else y


@operator("CumSum", since=11)
def cum_sum(x: Node, axis: Ints, *, exclusive: int = 0, reverse: int = 0) -> Node:
    return _cumulative(Op.ADD, x, axis, exclusive, reverse)


@operator("CumProd", since=26)
def cum_prod(x: Node, axis: Ints, *, exclusive: int = 0, reverse: int = 0) -> Node:
    return _cumulative(Op.MUL, x, axis, exclusive, reverse)
