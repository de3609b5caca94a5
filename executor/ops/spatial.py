"""Convolutions over any number of spatial dimensions.

One or two dimensions of a batch take the fast kernels (one dimension is a picture of height 1). Everything
else
is a sum over the kernel's elements: of matrix products, or, where each channel stands alone, of products.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from executor.compiler import ir
from executor.compiler.ir import Node
from executor.compiler.op import Op
from executor.compiler.types import HALVES, DType
from executor.errors import ShapeMismatch, TooLarge, UnsupportedAttribute, UnsupportedType
from executor.ops.shapes import LINE_MAX
from executor.ops.table import operator
from executor.ops.values import numbers, whole

Ones = tuple[int, ...] | None
Sides = tuple[int, ...]
SIDE_MAX = 1 << 16


def sides(values: Ones, spatial: int, default: int, least: int) -> Sides:
    """An attribute with a number for each spatial dimension."""
    found = tuple(values) if values is not None else (default,) * spatial
    if len(found) != spatial or min(found, default=least) < least or max(found, default=0) > SIDE_MAX:
        raise ShapeMismatch(f"{list(found)} for {spatial} spatial dimensions")
    return found


@dataclass(frozen=True)
class Window:
    """A kernel that slides: sizes by spatial dimension, padding before and after."""

    size: Sides
    kernel: Sides
    strides: Sides
    dilations: Sides
    before: Sides
    after: Sides

    def counts(self) -> Sides:
        """Positions. Raises ShapeMismatch, TooLarge."""
        if prod(self.kernel) > ir.TAPS_MAX:
            raise TooLarge(f"a window of {list(self.kernel)}; {ir.TAPS_MAX} elements are allowed")
        found = tuple(
            (n + lo + hi - d * (k - 1) - 1) // s + 1
            for n, k, s, d, lo, hi in zip(
                self.size, self.kernel, self.strides, self.dilations, self.before, self.after, strict=True
            )
        )
        if min(found, default=1) < 1:
            raise ShapeMismatch(f"a window of {list(self.kernel)} is larger than {list(self.size)}")
        return found

    def taps(self) -> Iterator[Sides]:
        """Index of each element of the kernel, in C order."""
        return product(*map(range, self.kernel))

    def seen(self, padded: Node, tap: Sides) -> Node:
        """What an element of the kernel meets: a strided slice of the padded tensor's last dimensions."""
        lead = len(padded.shape) - len(tap)
        starts = [0] * lead + [d * k for d, k in zip(self.dilations, tap, strict=True)]
        shape = [*padded.shape[:lead], *self.counts()]
        return ir.take_slice(padded, starts, shape, [1] * lead + list(self.strides))

    def padded(self, x: Node, fill: float = 0.0) -> Node:
        """x with padding around its last dimensions."""
        lead = len(x.shape) - len(self.size)
        return ir.pad(x, [0] * lead + list(self.before), [0] * lead + list(self.after), fill=fill)


def window(size: Sides, kernel: Sides, strides: Ones, dilations: Ones, pads: Ones, auto_pad: str) -> Window:
    """A window from ONNX's attributes. Raises ShapeMismatch, UnsupportedAttribute."""
    spatial = len(size)
    if max(size, default=0) > LINE_MAX:
        raise TooLarge(f"a window over {max(size)} elements in a row; {LINE_MAX} are allowed")
    step, spread = sides(strides, spatial, 1, 1), sides(dilations, spatial, 1, 1)
    if auto_pad in ("NOTSET", "VALID"):
        amounts = tuple(pads) if pads is not None and auto_pad == "NOTSET" else (0,) * (2 * spatial)
        if len(amounts) != 2 * spatial or min(amounts, default=0) < 0 or max(amounts, default=0) > SIDE_MAX:
            raise ShapeMismatch(f"pads {list(amounts)} for {spatial} spatial dimensions")
        return Window(size, kernel, step, spread, amounts[:spatial], amounts[spatial:])
    if auto_pad not in ("SAME_UPPER", "SAME_LOWER"):
        raise UnsupportedAttribute(f"auto_pad {auto_pad!r}")
    total = [
        max(0, (-(-n // s) - 1) * s + d * (k - 1) + 1 - n)
        for n, k, s, d in zip(size, kernel, step, spread, strict=True)
    ]
    less, more = tuple(n // 2 for n in total), tuple(n - n // 2 for n in total)
    before, after = (less, more) if auto_pad == "SAME_UPPER" else (more, less)
    return Window(size, kernel, step, spread, before, after)


def spatial_of(x: Node) -> int:
    """How many dimensions come after batch and channels. Raises ShapeMismatch."""
    found = len(x.shape) + x.batched - 2
    if found < 0:
        raise ShapeMismatch("a tensor without channels")
    return found


def convolved(x: Node, w: Node, spot: Window, group: int) -> Node:
    """The sum of products: x [batch, c, …], w [o, c / group, kernel…]. Raises ShapeMismatch."""
    spatial = len(spot.size)
    if w.batched or len(w.shape) != spatial + 2 or w.shape[2:] != spot.kernel:
        raise ShapeMismatch("weights of a convolution are [out, in, kernel…]")
    channels = x.shape[-spatial - 1] if spatial else x.shape[-1]
    if group < 1 or channels != w.shape[1] * group or w.shape[0] % group:
        raise ShapeMismatch(f"{channels} channels, weights {list(w.shape)}, {group} groups")
    spot.counts()
    if x.dtype in HALVES:
        # Summed in f32 and rounded once, as everybody else does.
        y = convolved(ir.cast(x, DType.F32), ir.cast(w, DType.F32), spot, group)
        return ir.cast(y, x.dtype)
    padded = spot.padded(x)
    if x.batched and spatial in (1, 2) and x.dtype is DType.F32:
        return _fast(padded, w, spot, group)
    if w.shape[1] == 1 and w.shape[0] == group:
        return _alone(padded, w, spot)
    return _products(padded, w, spot, group)


def _fast(padded: Node, w: Node, spot: Window, group: int) -> Node:
    """By the vector kernels for pictures."""
    line = len(spot.size) == 1
    image = ir.reshape(padded, (padded.shape[0], 1, padded.shape[1])) if line else padded
    kernel = (1, *spot.kernel) if line else spot.kernel
    step, spread = ((1, *item) if line else item for item in (spot.strides, spot.dilations))
    weights = ir.reshape(w, (*w.shape[:2], *kernel))
    y = ir.conv(image, weights, (step[0], step[1]), (spread[0], spread[1]), group)
    return ir.reshape(y, (y.shape[0], y.shape[2])) if line else y


def _tap(w: Node, tap: Sides) -> Node:
    """The weights [o, c / group] of one element of the kernel."""
    lead = w.shape[:2]
    ones = [1] * len(w.shape)
    return ir.reshape(ir.take_slice(w, (0, 0, *tap), (*lead, *ones[2:]), ones), lead)


def _alone(padded: Node, w: Node, spot: Window) -> Node:
    """Depthwise: each channel times its own kernel."""
    total = None
    for tap in spot.taps():
        scale = ir.reshape(_tap(w, tap), (w.shape[0], *(1,) * len(spot.size)))
        part = spot.seen(padded, tap) * scale
        total = part if total is None else total + part
    assert total is not None
    return total


def _products(padded: Node, w: Node, spot: Window, group: int) -> Node:
    """One matrix product for each element of the kernel, batch and groups side by side."""
    outputs, inner = w.shape[:2]
    counts, places = spot.counts(), prod(spot.counts())
    lead = () if padded.batched else padded.shape[:1]
    total = None
    for tap in spot.taps():
        seen = ir.reshape(spot.seen(padded, tap), (*lead, group, inner, places))
        weights = ir.reshape(_tap(w, tap), (group, outputs // group, inner))
        part = _grouped(seen, weights)
        total = part if total is None else total + part
    assert total is not None
    return ir.reshape(total, (*lead, outputs, *counts))


def _grouped(x: Node, w: Node) -> Node:
    """x [batch, g, i, p], w [g, o, i] → [batch, g, o, p]."""
    if not x.batched:
        wide = ir.expand_to(w, (*x.shape[:-3], *w.shape))
        return ir.matmul(wide, x)
    parts = []
    for number in range(w.shape[0]):
        one = [ir.take_slice(n, (number, 0, 0), (1, *n.shape[1:]), (1, 1, 1)) for n in (x, w)]
        rows = ir.transpose(ir.reshape(one[0], x.shape[1:]))
        parts.append(ir.transpose(ir.dot(rows, ir.reshape(one[1], w.shape[1:]), "ok")))
    return ir.concat([ir.reshape(part, (1, *part.shape)) for part in parts], 0)


def biased(y: Node, b: Node | None, spatial: int) -> Node:
    """y plus one number for each channel. Raises ShapeMismatch."""
    if b is None:
        return y
    if b.shape != (y.shape[-spatial - 1],):
        raise ShapeMismatch("the bias of a convolution has one number for each output channel")
    return y + ir.reshape(b, (*b.shape, *(1,) * spatial))


@operator("Conv")
def conv(
    x: Node,
    w: Node,
    b: Node | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: Ones = None,
    group: int = 1,
    kernel_shape: Ones = None,
    pads: Ones = None,
    strides: Ones = None,
) -> Node:
    spatial = spatial_of(x)
    if kernel_shape is not None and tuple(kernel_shape) != w.shape[2:]:
        raise ShapeMismatch(f"kernel_shape {list(kernel_shape)} with weights {list(w.shape)}")
    size = x.shape[len(x.shape) - spatial :]
    sides(w.shape[2:], spatial, 1, 1)
    spot = window(size, w.shape[2:], strides, dilations, pads, auto_pad)
    return biased(convolved(x, w, spot, group), b, spatial)


@operator("ConvTranspose")
def conv_transpose(
    x: Node,
    w: Node,
    b: Node | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: Ones = None,
    group: int = 1,
    kernel_shape: Ones = None,
    output_padding: Ones = None,
    output_shape: Ones = None,
    pads: Ones = None,
    strides: Ones = None,
) -> Node:
    """The gradient of a convolution by its input: a convolution of the spread input with the turned
    kernel."""
    spatial = spatial_of(x)
    size, kernel = x.shape[len(x.shape) - spatial :], w.shape[2:]
    step, spread = sides(strides, spatial, 1, 1), sides(dilations, spatial, 1, 1)
    more = sides(output_padding, spatial, 0, 0)
    if len(w.shape) != spatial + 2 or group < 1 or w.shape[0] % group:
        raise ShapeMismatch("weights of a transposed convolution are [in, out, kernel…]")
    full = [
        (n - 1) * s + d * (k - 1) + 1 + o
        for n, s, d, k, o in zip(size, step, spread, kernel, more, strict=True)
    ]
    before, after = _cut(full, size, step, pads, auto_pad, output_shape)
    reach = [d * (k - 1) for d, k in zip(spread, kernel, strict=True)]
    lead = len(x.shape) - spatial
    zeros = [0] * lead
    spread_x = ir.pad(
        x,
        [*zeros, *reach],
        [*zeros, *(r + o for r, o in zip(reach, more, strict=True))],
        [*zeros, *(s - 1 for s in step)],
    )
    inputs, outputs = w.shape[:2]
    split = ir.reshape(w, (group, inputs // group, outputs, *kernel))
    order = [0, 2, 1, *range(3, spatial + 3)]
    turned = ir.reshape(ir.permute(split, order), (group * outputs, inputs // group, *kernel))
    flipped = ir.flip(turned, tuple(range(2, spatial + 2)))
    spot = window(spread_x.shape[lead:], kernel, None, dilations, None, "NOTSET")
    y = convolved(spread_x, flipped, spot, group)
    return biased(_cropped(y, before, after), b, spatial)


def _cut(
    full: Sequence[int], size: Sides, step: Sides, pads: Ones, auto_pad: str, output_shape: Ones
) -> tuple[list[int], list[int]]:
    """What is cut off (or, below zero, added) before and after."""
    spatial = len(full)
    if output_shape is not None:
        wanted: Sequence[int] = tuple(output_shape)[-spatial:]
    elif auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        wanted = [n * s for n, s in zip(size, step, strict=True)]
    else:
        amounts = tuple(pads) if pads is not None else (0,) * (2 * spatial)
        if len(amounts) != 2 * spatial or min(amounts, default=0) < 0:
            raise ShapeMismatch(f"pads {list(amounts)} for {spatial} spatial dimensions")
        return list(amounts[:spatial]), list(amounts[spatial:])
    if len(wanted) != spatial:
        raise ShapeMismatch(f"an output shape {list(wanted)} for {spatial} spatial dimensions")
    total = [n - m for n, m in zip(full, wanted, strict=True)]
    less = [int(n / 2) for n in total]
    rest = [n - m for n, m in zip(total, less, strict=True)]
    return (rest, less) if auto_pad == "SAME_LOWER" else (less, rest)


def _cropped(y: Node, before: Sequence[int], after: Sequence[int]) -> Node:
    lead = len(y.shape) - len(before)
    zeros = [0] * lead
    y = ir.pad(y, [*zeros, *(max(0, -n) for n in before)], [*zeros, *(max(0, -n) for n in after)])
    low, high = [max(0, n) for n in before], [max(0, n) for n in after]
    shape = [n - lo - hi for n, lo, hi in zip(y.shape[lead:], low, high, strict=True)]
    if min(shape, default=1) < 1:
        raise ShapeMismatch("a transposed convolution of which nothing is left")
    return ir.take_slice(y, [*zeros, *low], [*y.shape[:lead], *shape], [1] * len(y.shape))


@operator("ConvInteger", since=10)
def conv_integer(
    x: Node,
    w: Node,
    x_zero: Node | None = None,
    w_zero: Node | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: Ones = None,
    group: int = 1,
    kernel_shape: Ones = None,
    pads: Ones = None,
    strides: Ones = None,
) -> Node:
    left, right = centred(x, x_zero, 1), centred(w, w_zero, 0)
    return conv(
        left, right, None, auto_pad=auto_pad, dilations=dilations, group=group, kernel_shape=kernel_shape,
        pads=pads, strides=strides,
    )  # fmt: skip


def centred(x: Node, zero: Node | None, axis: int) -> Node:
    """An 8-bit tensor less its zero point, as i32; several zero points lie along `axis`."""
    if x.dtype not in (DType.I8, DType.U8):
        raise UnsupportedType(f"a product of {x.dtype.value} as 8-bit integers")
    wide = ir.cast(x, DType.I32)
    if zero is None:
        return wide
    point = ir.cast(zero, DType.I32)
    if point.size > 1 and len(point.shape) == 1:
        point = ir.reshape(point, (*point.shape, *(1,) * (len(x.shape) - axis - 1)))
    elif point.size == 1:
        point = ir.reshape(point, ())
    return wide - point


@operator("Col2Im", since=18)
def col2im(
    x: Node,
    image: Node,
    block: Node,
    *,
    dilations: Ones = None,
    pads: Ones = None,
    strides: Ones = None,
) -> Node:
    """Columns [batch, c · kernel, places] added up where their windows lie."""
    size = tuple(int(n) for n in numbers(image))
    kernel = tuple(int(n) for n in numbers(block))
    spot = window(size, kernel, strides, dilations, pads, "NOTSET")
    counts, (batch, rows, places) = spot.counts(), whole(x).shape
    if rows % prod(kernel) or places != prod(counts):
        raise ShapeMismatch(f"columns {list(x.shape)} for an image of {list(size)}")
    channels = rows // prod(kernel)
    split = ir.reshape(x, (batch, channels, prod(kernel), *counts))
    total = None
    ones = [1] * len(split.shape)
    for number, tap in enumerate(spot.taps()):
        one = ir.take_slice(split, [0, 0, number, *(0 for _ in counts)], (batch, channels, 1, *counts), ones)
        piece = ir.reshape(one, (batch, channels, *counts))
        low = [d * k for d, k in zip(spot.dilations, tap, strict=True)]
        gaps = [s - 1 for s in spot.strides]
        whole_size = [n + lo + hi for n, lo, hi in zip(size, spot.before, spot.after, strict=True)]
        high = [
            n - lo - (c - 1) * s - 1
            for n, lo, c, s in zip(whole_size, low, counts, spot.strides, strict=True)
        ]
        part = ir.pad(piece, (0, 0, *low), (0, 0, *high), (0, 0, *gaps))
        total = part if total is None else ir.elementwise(Op.ADD, total, part)
    assert total is not None
    return _cropped(total, spot.before, spot.after)
