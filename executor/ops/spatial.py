"""Convolution and pooling over one or two spatial dimensions; one dimension is a picture of height 1."""

import numpy as np

from executor.compiler import ir
from executor.compiler.ir import Node, Pair, const
from executor.errors import ShapeMismatch, UnsupportedAttribute
from executor.ops.dense import reduce_max, reduce_mean
from executor.ops.table import operator
from executor.ops.values import ints

Ones = tuple[int, ...] | None
LOWEST = float("-inf")


def _pair(values: Ones, spatial: int, default: int, least: int) -> Pair:
    """An attribute for one or two dimensions as (vertical, horizontal)."""
    found = tuple(values) if values is not None else (default,) * spatial
    if len(found) != spatial or min(found) < least or max(found) > 1 << 16:
        raise ShapeMismatch(f"{list(found)} for {spatial} spatial dimensions")
    return (found[0], found[1]) if spatial == 2 else (1 if default else 0, found[0])


def _image(x: Node) -> tuple[Node, int]:
    """x as [channels, height, width], and the number of spatial dimensions. Raises UnsupportedAttribute."""
    spatial = len(x.shape) - 1
    if not x.batched or spatial not in (1, 2):
        raise UnsupportedAttribute("convolution and pooling over one or two spatial dimensions of a batch")
    return (x if spatial == 2 else ir.reshape(x, (x.shape[0], 1, x.shape[1]))), spatial


def _restored(y: Node, spatial: int) -> Node:
    return y if spatial == 2 else ir.reshape(y, (y.shape[0], y.shape[2]))


def _pads(
    size: Pair, kernel: Pair, strides: Pair, dilations: Pair, pads: Ones, auto_pad: str, spatial: int
) -> tuple[Pair, Pair]:
    """(before, after) on both axes."""
    if auto_pad in ("NOTSET", "VALID"):
        amounts = tuple(pads) if pads is not None and auto_pad == "NOTSET" else (0,) * (2 * spatial)
        if len(amounts) != 2 * spatial or min(amounts) < 0 or max(amounts) > 1 << 16:
            raise ShapeMismatch(f"pads {list(amounts)} for {spatial} spatial dimensions")
        top, left = amounts[:spatial] if spatial == 2 else (0, amounts[0])
        bottom, right = amounts[spatial:] if spatial == 2 else (0, amounts[1])
        return (top, left), (bottom, right)
    if auto_pad not in ("SAME_UPPER", "SAME_LOWER"):
        raise UnsupportedAttribute(f"auto_pad {auto_pad!r}")
    before, after = [], []
    for n, k, s, d in zip(size, kernel, strides, dilations, strict=True):
        total = max(0, (-(-n // s) - 1) * s + d * (k - 1) + 1 - n)
        less, more = total // 2, total - total // 2
        before.append(less if auto_pad == "SAME_UPPER" else more)
        after.append(more if auto_pad == "SAME_UPPER" else less)
    return (before[0], before[1]), (after[0], after[1])


@operator("Conv")
def conv(
    x: Node,
    w: Node,
    b: Node | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: tuple[int, ...] | None = None,
    group: int = 1,
    kernel_shape: tuple[int, ...] | None = None,
    pads: tuple[int, ...] | None = None,
    strides: tuple[int, ...] | None = None,
) -> Node:
    image, spatial = _image(x)
    if w.batched or len(w.shape) != spatial + 2:
        raise ShapeMismatch("weights of a convolution are [out, in, kernel…]")
    if kernel_shape is not None and tuple(kernel_shape) != w.shape[2:]:
        raise ShapeMismatch(f"kernel_shape {list(kernel_shape)} with weights {list(w.shape)}")
    kernel = _pair(w.shape[2:], spatial, 1, 1)
    step, spread = _pair(strides, spatial, 1, 1), _pair(dilations, spatial, 1, 1)
    before, after = _pads((image.shape[1], image.shape[2]), kernel, step, spread, pads, auto_pad, spatial)
    padded = ir.pad(image, (0, *before), (0, *after))
    y = ir.conv(padded, ir.reshape(w, (*w.shape[:2], *kernel)), step, spread, group)
    if b is not None:
        if b.shape != (w.shape[0],):
            raise ShapeMismatch("the bias of a convolution has one number for each output channel")
        y = y + ir.reshape(b, (w.shape[0], 1, 1))
    return _restored(y, spatial)


def _ceiling(size: Pair, kernel: Pair, strides: Pair, dilations: Pair, before: Pair, after: Pair) -> Pair:
    """More padding at the end, so that a last, partial window counts (unless it lies in padding alone)."""
    more = []
    for n, k, s, d, lo, hi in zip(size, kernel, strides, dilations, before, after, strict=True):
        reach = d * (k - 1) + 1
        count = -(-(n + lo + hi - reach) // s) + 1
        if (count - 1) * s >= n + lo:
            count -= 1
        more.append(max(hi, (count - 1) * s + reach - n - lo))
    return more[0], more[1]


@operator("MaxPool")
def max_pool(
    x: Node,
    *,
    kernel_shape: tuple[int, ...],
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    dilations: tuple[int, ...] | None = None,
    pads: tuple[int, ...] | None = None,
    storage_order: int = 0,
    strides: tuple[int, ...] | None = None,
) -> Node:
    image, spatial = _image(x)
    kernel, step, spread = (_pair(item, spatial, 1, 1) for item in (kernel_shape, strides, dilations))
    size = (image.shape[1], image.shape[2])
    before, after = _pads(size, kernel, step, spread, pads, auto_pad, spatial)
    if ceil_mode:
        after = _ceiling(size, kernel, step, spread, before, after)
    if any(
        lo >= k or hi >= k + s for lo, hi, k, s in zip(before, after, kernel, step, strict=True)
    ) and spread == (1, 1):
        raise ShapeMismatch("a pooling window lies in padding alone")
    padded = ir.pad(image, (0, *before), (0, *after), fill=LOWEST)
    return _restored(ir.pool_max(padded, kernel, step, spread), spatial)


@operator("AveragePool", since=7)
def average_pool(
    x: Node,
    *,
    kernel_shape: tuple[int, ...],
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    count_include_pad: int = 0,
    dilations: tuple[int, ...] | None = None,
    pads: tuple[int, ...] | None = None,
    strides: tuple[int, ...] | None = None,
) -> Node:
    """A convolution of each channel with ones, times one over the number of pixels that count."""
    image, spatial = _image(x)
    kernel, step, spread = (_pair(item, spatial, 1, 1) for item in (kernel_shape, strides, dilations))
    size = (image.shape[1], image.shape[2])
    before, after = _pads(size, kernel, step, spread, pads, auto_pad, spatial)
    if ceil_mode:
        raise UnsupportedAttribute("AveragePool with ceil_mode")
    channels = image.shape[0]
    padded = ir.pad(image, (0, *before), (0, *after))
    ones = const(1.0, (channels, 1, *kernel))
    total = ir.conv(padded, ones, step, spread, channels)  # bounds the kernel
    inside = np.full(size, 1.0)
    counted = np.pad(inside, tuple(zip(before, after, strict=True)), constant_values=float(count_include_pad))
    numbers = np.zeros(total.shape[1:])
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            y, z = i * spread[0], j * spread[1]
            numbers += counted[y::step[0], z::step[1]][: numbers.shape[0], : numbers.shape[1]]  # fmt: skip
    if not numbers.all():
        raise ShapeMismatch("a pooling window lies in padding alone")
    return _restored(total * const((1.0 / numbers).astype(np.float32)), spatial)


@operator("GlobalAveragePool")
def global_average_pool(x: Node) -> Node:
    return reduce_mean(x, ints(list(range(2, len(x.shape) + 1))))


@operator("GlobalMaxPool")
def global_max_pool(x: Node) -> Node:
    return reduce_max(x, ints(list(range(2, len(x.shape) + 1))))
