"""Pooling over any number of spatial dimensions: folds over what a window sees."""

from collections.abc import Callable
from dataclasses import replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from executor.compiler import ir
from executor.compiler.ir import Node, const
from executor.compiler.op import Op
from executor.compiler.types import DType
from executor.errors import ShapeMismatch, TooLarge, UnsupportedAttribute
from executor.ops.reductions import over
from executor.ops.shapes import LINE_MAX
from executor.ops.spatial import Ones, Window, sides, spatial_of, window
from executor.ops.table import operator
from executor.ops.values import Ints, Values, rank, whole

TAPS = 256
"""A larger window is folded axis by axis instead of by a kernel that writes out its elements."""


def _spot(
    x: Node, kernel: tuple[int, ...], strides: Ones, dilations: Ones, pads: Ones, auto_pad: str, ceil: int
) -> tuple[Window, Window]:
    """The window, and the same with more padding at the end where a last, partial one counts."""
    spatial = spatial_of(x)
    size = x.shape[len(x.shape) - spatial :]
    spot = window(size, sides(kernel, spatial, 1, 1), strides, dilations, pads, auto_pad)
    if max(spot.kernel, default=1) > ir.KERNEL_MAX:
        _counts(spot)
        raise ShapeMismatch(f"a window of {list(kernel)}; {ir.KERNEL_MAX} on a side are allowed")
    return spot, (_ceiling(spot) if ceil else spot)


def _ceiling(spot: Window) -> Window:
    more = []
    for n, k, s, d, lo, hi in zip(
        spot.size, spot.kernel, spot.strides, spot.dilations, spot.before, spot.after, strict=True
    ):
        reach = d * (k - 1) + 1
        count = -(-(n + lo + hi - reach) // s) + 1
        if (count - 1) * s >= n + lo:
            count -= 1
        more.append(max(hi, (count - 1) * s + reach - n - lo))
    return replace(spot, after=tuple(more))


def _fold(spot: Window, padded: Node, combine: Callable[[Node, Node], Node]) -> Node:
    """Axis by axis: as many steps as the kernel has sides, not elements."""
    lead, total = len(padded.shape) - len(spot.size), padded
    for axis, count in enumerate(_counts(spot)):
        starts, shape, steps = [0] * len(padded.shape), list(total.shape), [1] * len(padded.shape)
        shape[lead + axis], steps[lead + axis] = count, spot.strides[axis]
        found = None
        for tap in range(spot.kernel[axis]):
            starts[lead + axis] = tap * spot.dilations[axis]
            seen = ir.take_slice(total, starts, shape, steps)
            found = seen if found is None else combine(found, seen)
        assert found is not None
        total = found
    return total


def _counts(spot: Window) -> tuple[int, ...]:
    """Positions on each axis, whatever the product of the kernel's sides."""
    lines = zip(spot.size, spot.kernel, spot.strides, spot.dilations, spot.before, spot.after, strict=True)
    return tuple(Window(*((item,) for item in line)).counts()[0] for line in lines)


def _counted(given: Window, spot: Window, padding: int) -> NDArray[np.float64]:
    """How many elements of each window count: those of the tensor, and of its given padding if asked."""
    found = np.ones(())
    for axis, count in enumerate(_counts(spot)):
        line = np.pad(
            np.ones(spot.size[axis]), (given.before[axis], given.after[axis]), constant_values=padding
        )
        line = np.pad(line, (0, spot.after[axis] - given.after[axis]))
        taps = range(0, spot.kernel[axis] * spot.dilations[axis], spot.dilations[axis])
        stride = spot.strides[axis]
        seen = sum(line[tap : tap + (count - 1) * stride + 1 : stride] for tap in taps)
        found = np.multiply.outer(found, seen)
    if not found.all():
        raise ShapeMismatch("a pooling window lies in padding alone")
    return found


@operator("MaxPool")
def max_pool(
    x: Node,
    *,
    kernel_shape: tuple[int, ...],
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    dilations: Ones = None,
    pads: Ones = None,
    storage_order: int = 0,
    strides: Ones = None,
    outputs_: int,
) -> Values:
    given, spot = _spot(x, kernel_shape, strides, dilations, pads, auto_pad, ceil_mode)
    _counted(given, spot, 0)
    spatial = len(spot.size)
    if outputs_ > 1:
        return _with_indices(whole(x), spot, storage_order)
    padded = spot.padded(x, float(x.dtype.lowest))
    if not x.batched or spatial not in (1, 2) or x.dtype is not DType.F32 or prod(spot.kernel) > TAPS:
        return (_fold(spot, padded, lambda a, b: ir.elementwise(Op.MAX, a, b)),)
    if spatial == 2:
        kernel, step, spread = spot.kernel, spot.strides, spot.dilations
        return (ir.pool_max(padded, (kernel[0], kernel[1]), (step[0], step[1]), (spread[0], spread[1])),)
    image = ir.reshape(padded, (padded.shape[0], 1, padded.shape[1]))
    y = ir.pool_max(image, (1, spot.kernel[0]), (1, spot.strides[0]), (1, spot.dilations[0]))
    return (ir.reshape(y, (y.shape[0], y.shape[2])),)


def _with_indices(x: Node, spot: Window, column_major: int) -> Values:
    """Also the place of each largest element in the whole tensor, as if it were flat."""
    if x.size > LINE_MAX:
        raise TooLarge(f"indices into a tensor of more than {LINE_MAX} elements")
    padded = spot.padded(x, float(x.dtype.lowest))
    size = np.arange(prod(spot.size)).reshape(spot.size, order="F" if column_major else "C")
    places = np.pad(size, tuple(zip(spot.before, spot.after, strict=True)))
    lead = len(x.shape) - len(spot.size)
    best, index = None, None
    for tap in spot.taps():
        seen = spot.seen(padded, tap)
        where = ir.expand_to(spot.seen(ir.array(places, DType.I64), tap), seen.shape)
        if best is None or index is None:
            best, index = seen, where
            continue
        better = ir.elementwise(Op.GT, seen, best)
        index = ir.make(Op.SELECT, (better, where, index), seen.shape, False, dtype=DType.I64)
        best = ir.elementwise(Op.MAX, best, seen)
    assert best is not None and index is not None
    first = np.arange(prod(x.shape[:lead])).reshape(*x.shape[:lead], *(1,) * len(spot.size))
    return best, index + ir.array(first * prod(spot.size), DType.I64)


@operator("AveragePool")
def average_pool(
    x: Node,
    *,
    kernel_shape: tuple[int, ...],
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    count_include_pad: int = 0,
    dilations: Ones = None,
    pads: Ones = None,
    strides: Ones = None,
) -> Node:
    """The sum over each window, times one over the number of elements that count."""
    given, spot = _spot(x, kernel_shape, strides, dilations, pads, auto_pad, ceil_mode)
    counted = _counted(given, spot, count_include_pad)
    total = _summed(x, spot)
    share = ir.array(1.0 / counted, x.dtype) if x.dtype.floating else None
    if share is None:
        raise UnsupportedAttribute("AveragePool of integers")
    return total * share


def _summed(x: Node, spot: Window) -> Node:
    """A convolution of each channel with ones where there is a kernel for it."""
    padded = spot.padded(x)
    if x.batched and len(spot.size) in (1, 2) and x.dtype is DType.F32:
        line = len(spot.size) == 1
        image = ir.reshape(padded, (padded.shape[0], 1, padded.shape[1])) if line else padded
        kernel, step, spread = (
            (1, *item) if line else item for item in (spot.kernel, spot.strides, spot.dilations)
        )
        channels = image.shape[0]
        ones = const(1.0, (channels, 1, *kernel))
        y = ir.conv(image, ones, (step[0], step[1]), (spread[0], spread[1]), channels)
        return ir.reshape(y, (y.shape[0], y.shape[2])) if line else y
    return _fold(spot, padded, lambda a, b: a + b)


@operator("LpPool")
def lp_pool(
    x: Node,
    *,
    kernel_shape: tuple[int, ...],
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    dilations: Ones = None,
    p: int = 2,
    pads: Ones = None,
    strides: Ones = None,
) -> Node:
    _, spot = _spot(x, kernel_shape, strides, dilations, pads, auto_pad, ceil_mode)
    return _root(_summed(_power(x, p), spot), p)


def _power(x: Node, p: int) -> Node:
    if p < 1:
        raise UnsupportedAttribute(f"the norm with p = {p}")
    size = ir.elementwise(Op.ABS, x)
    if p == 1:
        return size
    return x * x if p == 2 else ir.elementwise(Op.POW, size, const(float(p)))


def _root(x: Node, p: int) -> Node:
    if p == 1:
        return x
    return ir.elementwise(Op.SQRT, x) if p == 2 else ir.elementwise(Op.POW, x, const(1.0 / p))


@operator("GlobalAveragePool")
def global_average_pool(x: Node) -> Node:
    return over("mean", x, list(range(2, rank(x))))


@operator("GlobalMaxPool")
def global_max_pool(x: Node) -> Node:
    return over("max", x, list(range(2, rank(x))))


@operator("GlobalLpPool")
def global_lp_pool(x: Node, *, p: int = 2) -> Node:
    return _root(over("sum", _power(x, p), list(range(2, rank(x)))), p)


@operator("MaxUnpool", since=9)
def max_unpool(
    x: Node,
    indices: Node,
    output_shape: Ints | None = None,
    *,
    kernel_shape: tuple[int, ...],
    pads: Ones = None,
    strides: Ones = None,
) -> Node:
    """The elements at their places (MaxPool's second output), zeros elsewhere."""
    spatial = spatial_of(whole(x))
    step = sides(strides, spatial, 1, 1)
    amounts = tuple(pads or (0,) * (2 * spatial))
    own = [
        (n - 1) * s + k - lo - hi
        for n, s, k, lo, hi in zip(
            x.shape[2:], step, kernel_shape, amounts[:spatial], amounts[spatial:], strict=True
        )
    ]
    shape = (*x.shape[:2], *own)
    flat = ir.expand_to(ir.scalar(0, x.dtype), (prod(shape),))
    index = ir.reshape(ir.cast(indices, DType.I64), (indices.size,))
    found = ir.reshape(ir.put(Op.IDENTITY, flat, index, ir.reshape(x, (x.size,))), shape)
    if output_shape is None:
        return found
    wanted = output_shape.exact()
    if len(wanted) != len(shape) or any(a < b for a, b in zip(wanted, shape, strict=True)):
        raise ShapeMismatch(f"MaxUnpool to {wanted}")
    return ir.pad(found, (0,) * len(shape), [a - b for a, b in zip(wanted, shape, strict=True)])
