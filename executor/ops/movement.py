"""Operators that move elements: the batch stays the first dimension."""

from math import prod

import numpy as np

from executor.compiler import ir
from executor.compiler.ir import Node, const
from executor.compiler.types import DType
from executor.errors import DynamicShape, ShapeMismatch, TooLarge, UnsupportedAttribute
from executor.ops import aside
from executor.ops.aside import Aside
from executor.ops.batch import BATCH, Batch
from executor.ops.table import operator
from executor.ops.values import (
    INTEGERS_MAX,
    Ints,
    Value,
    Values,
    feature_axes,
    feature_axis,
    integers,
    ints,
    numbers,
    rank,
    tensor,
)

WHOLE = (1 << 31) - 1
"""An end that exporters write for "all"."""


@operator("Flatten")
def flatten(x: Node, *, axis: int = 1) -> Node:
    total = rank(x)
    if not -total <= axis <= total:
        raise ShapeMismatch(f"axis {axis} of a tensor with {total} dimensions")
    axis %= total + 1 if axis == total else total
    if not x.batched:
        return ir.reshape(x, (prod(x.shape[:axis]), prod(x.shape[axis:])))
    if axis == 1 or (axis > 1 and prod(x.shape[: axis - 1]) == 1):
        return ir.reshape(x, (x.size,))
    raise UnsupportedAttribute("Flatten across the rows of the batch")


@operator("Reshape")
def reshape_1(x: Value, *, shape: tuple[int, ...], consumed_inputs: tuple[int, ...] | None = None) -> Value:
    return reshape(x, ints(list(shape)))


@operator("Reshape", since=5)
def reshape(x: Value, shape: Ints, *, allowzero: int = 0) -> Value:
    wanted = shape.array.reshape(-1).tolist()
    if isinstance(x, Ints):
        return x.reshaped(
            _filled(
                x.array.shape, int(x.array.size), shape.exact(), () if allowzero else x.array.shape, allowzero
            )
        )
    if isinstance(x, Node) and not x.batched:
        return ir.reshape(x, _filled(x.shape, x.size, shape.exact(), x.shape, allowzero))
    return aside.reshaped(x, wanted, bool(allowzero))


def _filled(
    own: ir.Shape, size: int, wanted: list[int], old: ir.Shape, allowzero: int = 0
) -> tuple[int, ...]:
    """Target with 0 (as before) and −1 (what is left) replaced."""
    if any(item < -1 for item in wanted) or wanted.count(-1) > 1:
        raise ShapeMismatch(f"a tensor is reshaped to {wanted}")
    if not allowzero and any(item == 0 and axis >= len(old) for axis, item in enumerate(wanted)):
        raise ShapeMismatch(f"a tensor of shape {list(own)} is reshaped to {wanted}")
    filled = [old[axis] if item == 0 and not allowzero else item for axis, item in enumerate(wanted)]
    known = prod(item for item in filled if item != -1)
    if -1 in filled:
        if not known or size % known:
            raise ShapeMismatch(f"a tensor of shape {list(own)} is reshaped to {wanted}")
        filled[filled.index(-1)] = size // known
    return tuple(filled)


@operator("Transpose")
def transpose(x: Value, *, perm: tuple[int, ...] | None = None) -> Value:
    if isinstance(x, Ints):
        x = tensor(x)
    total = len(x.groups) if isinstance(x, Aside) else rank(x)
    order = perm if perm is not None else tuple(reversed(range(total)))
    if sorted(order) != list(range(total)):
        raise ShapeMismatch(f"{list(order)} does not order {total} dimensions")
    if isinstance(x, Node) and not x.batched:
        return ir.permute(x, order)
    return aside.transposed(x, order)


def _squeeze(x: Node, axes: list[int] | None) -> Node:
    if axes is None:
        if x.batched:
            raise DynamicShape("Squeeze without axes")
        axes = [axis for axis, size in enumerate(x.shape) if size == 1]
    gone = feature_axes(x, axes)
    if any(x.shape[axis] != 1 for axis in gone):
        raise ShapeMismatch("Squeeze of a dimension that is not 1")
    return ir.reshape(x, tuple(size for axis, size in enumerate(x.shape) if axis not in gone))


def _unsqueeze(x: Value, axes: list[int]) -> Value:
    if isinstance(x, Aside):
        return aside.unsqueezed(x, axes)
    total = (x.array.ndim if isinstance(x, Ints) else rank(x)) + len(axes)
    places = {axis % total for axis in axes if -total <= axis < total}
    if len(places) != len(axes):
        raise ShapeMismatch(f"Unsqueeze at {axes}")
    if isinstance(x, Ints):
        sizes = iter(x.array.shape)
        return x.reshaped([1 if axis in places else next(sizes) for axis in range(total)])
    if x.batched and 0 in places:
        return aside.unsqueezed(x, axes)
    features = iter(x.shape)
    first = 1 if x.batched else 0
    return ir.reshape(x, tuple(1 if axis in places else next(features) for axis in range(first, total)))


@operator("Squeeze")
def squeeze_1(x: Value, *, axes: tuple[int, ...] | None = None) -> Value:
    return squeeze(x, None if axes is None else ints(list(axes)))


@operator("Squeeze", since=13)
def squeeze(x: Value, axes: Ints | None = None) -> Value:
    listed = None if axes is None else axes.exact()
    if isinstance(x, Aside):
        if listed is None:
            raise DynamicShape("Squeeze without axes")
        return aside.squeezed(x, listed)
    if isinstance(x, Node):
        return _squeeze(x, listed)
    axes_ = range(x.array.ndim) if listed is None else {axis % max(x.array.ndim, 1) for axis in listed}
    gone = [axis for axis in axes_ if listed is not None or x.array.shape[axis] == 1]
    if any(x.array.shape[axis] != 1 for axis in gone):
        raise ShapeMismatch("Squeeze of a dimension that is not 1")
    return x.reshaped([size for axis, size in enumerate(x.array.shape) if axis not in gone])


@operator("Unsqueeze")
def unsqueeze_1(x: Value, *, axes: tuple[int, ...]) -> Value:
    return _unsqueeze(x, list(axes))


@operator("Unsqueeze", since=13)
def unsqueeze(x: Value, axes: Ints) -> Value:
    return _unsqueeze(x, axes.exact())


@operator("Expand", since=8)
def expand(x: Node, shape: Ints) -> Value:
    wanted = shape.array.reshape(-1).tolist()
    places = [axis for axis, item in enumerate(wanted) if isinstance(item, Batch)]
    if not x.batched and places:
        return _for_every_row(x, wanted, places)
    if not x.batched:
        return ir.expand_to(x, ir.broadcast_shape([x.shape, tuple(shape.exact())]))
    if len(wanted) == len(x.shape) + 1 and (places == [0] or wanted[0] == 1):
        wanted = wanted[1:]
    elif len(wanted) > len(x.shape):
        raise DynamicShape("Expand of the batch")
    if any(isinstance(item, Batch) for item in wanted):
        raise DynamicShape("Expand along the batch")
    return ir.expand_to(x, ir.broadcast_shape([x.shape, tuple(wanted)]))


def _for_every_row(x: Node, wanted: list[int | Batch], places: list[int]) -> Value:
    """What is the same for all rows needs no batch of its own."""
    item = wanted[places[0]]
    if len(places) != 1 or not isinstance(item, Batch) or item.times != 1:
        raise DynamicShape(f"a tensor is spread to {wanted}")
    sizes = tuple(size for size in wanted if isinstance(size, int))
    over = len(x.shape) - (len(wanted) - places[0])
    if over >= 0:
        if x.shape[over] != 1:
            raise ShapeMismatch("a tensor does not broadcast over the batch")
        x = ir.reshape(x, (*x.shape[:over], *x.shape[over + 1 :]))
    return Aside(ir.expand_to(x, ir.broadcast_shape([x.shape, sizes])), places[0])


@operator("Concat")
def concat_1(*xs: Value, axis: int = 1) -> Value:
    return concat(*xs, axis=axis)


@operator("Concat", since=4)
def concat(*xs: Value, axis: int) -> Value:
    if all(isinstance(x, Ints) and x.array.ndim == 1 for x in xs) and axis in (0, -1):
        known = [integers(x) for x in xs]
        return ints([item for x in known for item in x.array.tolist()], known[0].dtype)
    nodes = [tensor(x) for x in xs]
    if len({x.batched for x in nodes}) != 1 or len({len(x.shape) for x in nodes}) != 1:
        raise ShapeMismatch("Concat of tensors that do not fit")
    return ir.concat(nodes, feature_axis(nodes[0], axis))


@operator("Split")
def split_1(
    x: Node, sizes: Ints | None = None, *, axis: int = 0, split: tuple[int, ...] | None = None, outputs_: int
) -> Values:
    return split_13(x, sizes if split is None else ints(list(split)), axis=axis, outputs_=outputs_)


@operator("Split", since=13)
def split_13(x: Node, sizes: Ints | None = None, *, axis: int = 0, outputs_: int) -> Values:
    """Equal parts if no sizes are given."""
    place = feature_axis(x, axis)
    if sizes is None and x.shape[place] % outputs_:
        raise ShapeMismatch(f"Split of {x.shape[place]} into {outputs_} equal parts")
    each = [x.shape[place] // outputs_] * outputs_ if sizes is None else sizes.exact()
    return _parts(x, place, each)


@operator("Split", since=18)
def split(
    x: Node, sizes: Ints | None = None, *, axis: int = 0, num_outputs: int | None = None, outputs_: int
) -> Values:
    """Sizes, or a number of equal parts, of which the last may be smaller."""
    place = feature_axis(x, axis)
    if sizes is not None:
        return _parts(x, place, sizes.exact())
    count = num_outputs or outputs_
    if not 1 <= count <= outputs_:
        raise ShapeMismatch(f"Split into {count} parts with {outputs_} outputs")
    each = -(-x.shape[place] // count)
    return _parts(x, place, [min(each, max(0, x.shape[place] - each * number)) for number in range(count)])


def _parts(x: Node, place: int, sizes: list[int]) -> Values:
    if min(sizes, default=0) < 0 or sum(sizes) != x.shape[place]:
        raise ShapeMismatch(f"Split of {x.shape[place]} into {sizes}")
    return tuple(part(x, place, sum(sizes[:number]), size) for number, size in enumerate(sizes))


def part(x: Node, place: int, first: int, count: int) -> Node:
    """`count` elements of a feature axis from `first` on."""
    starts, shape = [0] * len(x.shape), list(x.shape)
    starts[place], shape[place] = first, count
    return ir.take_slice(x, starts, shape, [1] * len(shape))


@operator("Slice")
def slice_1(
    x: Value, *, starts: tuple[int, ...], ends: tuple[int, ...], axes: tuple[int, ...] | None = None
) -> Value:
    return slice_(x, ints(list(starts)), ints(list(ends)), None if axes is None else ints(list(axes)))


@operator("Slice", since=10)
def slice_(
    x: Value, starts: Ints, ends: Ints, axes: Ints | None = None, steps: Ints | None = None
) -> Value:  # fmt: skip
    begin, end = starts.exact(), ends.exact()
    step = steps.exact() if steps is not None else [1] * len(begin)
    named = axes.exact() if axes is not None else list(range(len(begin)))
    if not len(begin) == len(end) == len(step) == len(named) or 0 in step:
        raise ShapeMismatch("Slice with lists of different length, or a step of zero")
    if isinstance(x, Ints):
        if named in ([0], [-1]) and x.array.ndim == 1:
            return Ints(x.array[begin[0] : end[0] : step[0]], x.dtype)
        x = tensor(x)
    kept = [number for number, axis in enumerate(named) if not _all_rows(x, axis, begin, end, step, number)]
    begin, end, step, named = ([item[number] for number in kept] for item in (begin, end, step, named))
    if isinstance(x, Aside):
        y = _cut(x.node, [x.axis(axis) for axis in named], begin, end, step)
        return aside.settled(y, x.place, x.before, x.after)
    return _cut(x, feature_axes(x, named), begin, end, step)


def _all_rows(
    x: Node | Aside, axis: int, begin: list[int], end: list[int], step: list[int], number: int
) -> bool:
    """Whether a slice takes the whole batch, as `x[:, 0]` does when it is written out."""
    dims = shape_of(x)
    at_batch = -len(dims) <= axis < len(dims) and isinstance(dims[axis], Batch)
    return at_batch and (begin[number], step[number]) == (0, 1) and end[number] >= WHOLE


def _cut(x: Node, places: list[int], begin: list[int], end: list[int], step: list[int]) -> Node:
    """Slices of feature axes as Python counts them."""
    for place, lo, hi, by in zip(places, begin, end, step, strict=True):
        size = x.shape[place]
        chosen = range(*slice(lo, hi, by).indices(size))
        if by < 0:
            x, chosen = ir.flip(x, (place,)), range(size - 1 - chosen.start, size, -by)[: len(chosen)]
        starts, shape, stride = [0] * len(x.shape), list(x.shape), [1] * len(x.shape)
        starts[place], shape[place], stride[place] = chosen.start if chosen else 0, len(chosen), chosen.step
        x = ir.take_slice(x, starts, shape, stride)
    return x


@operator("Pad")
def pad_1(
    x: Node,
    *,
    pads: tuple[int, ...] | None = None,
    paddings: tuple[int, ...] | None = None,
    mode: str = "constant",
    value: float = 0.0,
) -> Node:
    return pad(x, ints(list(pads or paddings or ())), const(value), mode=mode)


@operator("Pad", since=11)
def pad(
    x: Node, pads: Ints, value: Value | None = None, axes: Ints | None = None, *, mode: str = "constant"
) -> Node:
    amounts, total = pads.exact(), rank(x)
    places = [axis % total for axis in axes.exact()] if axes is not None else list(range(total))
    if len(amounts) != 2 * len(places):
        raise ShapeMismatch(f"{len(amounts)} amounts of padding for {len(places)} dimensions")
    before, after = [0] * total, [0] * total
    for number, place in enumerate(places):
        before[place], after[place] = amounts[number], amounts[number + len(places)]
    if x.batched and (before[0] or after[0]):
        raise UnsupportedAttribute("Pad of the batch")
    before, after = before[x.batched :], after[x.batched :]
    if mode != "constant":
        return _continued(x, before, after, mode)
    for place, (low, high) in enumerate(zip(before, after, strict=True)):
        left, right = max(0, -low), max(0, -high)
        if left + right:
            x = part(x, place, left, max(0, x.shape[place] - left - right))
    fill = numbers(value)[0] if value is not None else 0.0
    return ir.pad(x, [max(0, item) for item in before], [max(0, item) for item in after], fill=fill)


def _continued(x: Node, before: list[int], after: list[int], mode: str) -> Node:
    """Padding by elements of the tensor: which ones is known, axis by axis."""
    modes = {"edge": "edge", "reflect": "reflect", "wrap": "wrap"}
    if mode not in modes:
        raise UnsupportedAttribute(f"Pad in the mode {mode!r}")
    for place, (low, high) in enumerate(zip(before, after, strict=True)):
        if not low and not high:
            continue
        size = x.shape[place]
        if not size or max(low, high) + size > INTEGERS_MAX:
            raise TooLarge("padding of an empty dimension, or by many elements")
        index = np.pad(np.arange(size), (max(low, 0), max(high, 0)), mode=modes[mode])  # type: ignore[call-overload]
        index = index[max(-low, 0) : len(index) - max(-high, 0)]
        x = along(x, place, ir.array(index, DType.I64))
    return x


def along(x: Node, place: int, index: Node) -> Node:
    """Slices of a feature axis at the indices of a tensor [*m], which take the axis's place."""
    order = [place, *(axis for axis in range(len(x.shape)) if axis != place)]
    y = ir.take(ir.permute(x, order), index)
    count = len(index.shape)
    back = [*range(count, count + place), *range(count), *range(count + place, len(y.shape))]
    return ir.permute(y, back)


@operator("Tile", since=6)
def tile(x: Node, repeats: Ints) -> Node:
    counts = repeats.exact()
    if len(counts) != rank(x) or min(counts, default=0) < 0:
        raise ShapeMismatch(f"Tile of {rank(x)} dimensions by {counts}")
    if x.batched and counts[0] != 1:
        raise UnsupportedAttribute("Tile of the batch")
    for place, count in enumerate(counts[x.batched :]):
        if count != 1:
            before, size, after = x.shape[:place], x.shape[place], x.shape[place + 1 :]
            wide = ir.expand_to(ir.reshape(x, (*before, 1, size, *after)), (*before, count, size, *after))
            x = ir.reshape(wide, (*before, count * size, *after))
    return x


def _blocks(x: Node) -> tuple[list[int], int]:
    """(leading, [channels, height, width]) of a picture, as feature axes."""
    if rank(x) != 4:
        raise ShapeMismatch("blocks of a tensor that is not [batch, channels, height, width]")
    return [] if x.batched else [x.shape[0]], len(x.shape) - 3


@operator("DepthToSpace")
def depth_to_space(x: Node, *, blocksize: int, mode: str = "DCR") -> Node:
    lead, first = _blocks(x)
    c, h, w = x.shape[first:]
    b = blocksize
    if b < 1 or c % (b * b) or mode not in ("DCR", "CRD"):
        raise ShapeMismatch(f"DepthToSpace of {c} channels by {b} in the mode {mode!r}")
    inner = (b, b, c // (b * b)) if mode == "DCR" else (c // (b * b), b, b)
    order = (2, 3, 0, 4, 1) if mode == "DCR" else (0, 3, 1, 4, 2)
    split_ = ir.reshape(x, (*lead, *inner, h, w))
    moved = ir.permute(split_, [*range(first), *(first + axis for axis in order)])
    return ir.reshape(moved, (*lead, c // (b * b), h * b, w * b))


@operator("SpaceToDepth")
def space_to_depth(x: Node, *, blocksize: int, mode: str = "DCR") -> Node:
    lead, first = _blocks(x)
    c, h, w = x.shape[first:]
    b = blocksize
    if b < 1 or h % b or w % b or mode not in ("DCR", "CRD"):
        raise ShapeMismatch(f"SpaceToDepth of {h} × {w} by {b} in the mode {mode!r}")
    split_ = ir.reshape(x, (*lead, c, h // b, b, w // b, b))
    order = (2, 4, 0, 1, 3) if mode == "DCR" else (0, 2, 4, 1, 3)
    moved = ir.permute(split_, [*range(first), *(first + axis for axis in order)])
    return ir.reshape(moved, (*lead, c * b * b, h // b, w // b))


def shape_of(x: Value) -> list[object]:
    """Dimensions, the batch as BATCH."""
    if isinstance(x, Ints):
        return list(x.array.shape)
    if isinstance(x, Aside):
        return list(x.dims)
    return [*([BATCH] if x.batched else []), *x.shape]
