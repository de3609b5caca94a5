"""Operators that move elements: the batch stays the first dimension."""

from math import prod

from executor.compiler import ir
from executor.compiler.ir import Node, const
from executor.errors import DynamicShape, ShapeMismatch, UnsupportedAttribute
from executor.ops.table import operator
from executor.ops.values import (
    BATCH,
    Batch,
    Ints,
    Value,
    feature_axes,
    feature_axis,
    integers,
    ints,
    rank,
    tensor,
)


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


@operator("Reshape", since=5)
def reshape(x: Value, shape: Ints, *, allowzero: int = 0) -> Value:
    wanted = shape.array.reshape(-1).tolist()
    if allowzero and 0 in wanted:
        raise ShapeMismatch("a tensor is reshaped to an empty one")
    if isinstance(x, Ints):
        return x.reshaped(_filled(x.array.shape, int(x.array.size), shape.exact(), x.array.shape))
    if not x.batched:
        return ir.reshape(x, _filled(x.shape, x.size, shape.exact(), x.shape))
    if not wanted:
        raise ShapeMismatch("a batch is reshaped to a single number")
    # Dimension 0 is the batch, whatever number the file holds there, if the others hold one row.
    first, rest = wanted[0], wanted[1:]
    if any(isinstance(item, Batch) for item in rest):
        raise UnsupportedAttribute("Reshape moves the batch from the first place")
    free = first == -1
    if free and -1 in rest:
        raise ShapeMismatch("two dimensions of a Reshape are free")
    try:
        return ir.reshape(x, _filled(x.shape, x.size, rest, x.shape))
    except ShapeMismatch:
        raise DynamicShape(f"Reshape to {wanted} does not keep the rows of the batch apart") from None


def _filled(own: ir.Shape, size: int, wanted: list[int], old: ir.Shape) -> tuple[int, ...]:
    """Target with 0 (as before) and −1 (what is left) replaced."""
    if any(item < -1 for item in wanted) or wanted.count(-1) > 1:
        raise ShapeMismatch(f"a tensor is reshaped to {wanted}")
    if any(item == 0 and axis >= len(old) for axis, item in enumerate(wanted)):
        raise ShapeMismatch(f"a tensor of shape {list(own)} is reshaped to {wanted}")
    filled = [old[axis] if item == 0 else item for axis, item in enumerate(wanted)]
    known = prod(item for item in filled if item != -1)
    if -1 in filled:
        if not known or size % known:
            raise ShapeMismatch(f"a tensor of shape {list(own)} is reshaped to {wanted}")
        filled[filled.index(-1)] = size // known
    return tuple(filled)


@operator("Transpose")
def transpose(x: Node, *, perm: tuple[int, ...] | None = None) -> Node:
    total = rank(x)
    order = perm if perm is not None else tuple(reversed(range(total)))
    if sorted(order) != list(range(total)):
        raise ShapeMismatch(f"{list(order)} does not order {total} dimensions")
    if not x.batched:
        return ir.permute(x, order)
    if order[0] != 0:
        raise UnsupportedAttribute("Transpose moves the batch from the first place")
    return ir.permute(x, [axis - 1 for axis in order[1:]])


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
    total = (x.array.ndim if isinstance(x, Ints) else rank(x)) + len(axes)
    places = {axis % total for axis in axes if -total <= axis < total}
    if len(places) != len(axes):
        raise ShapeMismatch(f"Unsqueeze at {axes}")
    if isinstance(x, Ints):
        sizes = iter(x.array.shape)
        return x.reshaped([1 if axis in places else next(sizes) for axis in range(total)])
    if x.batched and 0 in places:
        raise UnsupportedAttribute("Unsqueeze before the batch")
    features = iter(x.shape)
    first = 1 if x.batched else 0
    return ir.reshape(x, tuple(1 if axis in places else next(features) for axis in range(first, total)))


@operator("Squeeze")
def squeeze_1(x: Value, *, axes: tuple[int, ...] | None = None) -> Value:
    return squeeze(x, None if axes is None else ints(list(axes)))


@operator("Squeeze", since=13)
def squeeze(x: Value, axes: Ints | None = None) -> Value:
    listed = None if axes is None else axes.exact()
    if isinstance(x, Node):
        return _squeeze(x, listed)
    return Ints(x.array.reshape(()) if x.array.size == 1 else x.array)


@operator("Unsqueeze")
def unsqueeze_1(x: Value, *, axes: tuple[int, ...]) -> Value:
    return _unsqueeze(x, list(axes))


@operator("Unsqueeze", since=13)
def unsqueeze(x: Value, axes: Ints) -> Value:
    return _unsqueeze(x, axes.exact())


@operator("Expand", since=8)
def expand(x: Node, shape: Ints) -> Node:
    wanted = shape.array.reshape(-1).tolist()
    if not x.batched:
        return ir.expand_to(x, ir.broadcast_shape([x.shape, tuple(shape.exact())]))
    if len(wanted) == len(x.shape) + 1 and (isinstance(wanted[0], Batch) or wanted[0] == 1):
        wanted = wanted[1:]
    elif len(wanted) > len(x.shape):
        raise DynamicShape("Expand of the batch")
    if any(isinstance(item, Batch) for item in wanted):
        raise DynamicShape("Expand along the batch")
    return ir.expand_to(x, ir.broadcast_shape([x.shape, tuple(wanted)]))


@operator("Concat", since=4)
def concat(*xs: Value, axis: int) -> Value:
    if all(isinstance(x, Ints) for x in xs):
        return ints([item for x in xs for item in integers(x).array.reshape(-1).tolist()])
    nodes = [tensor(x) for x in xs]
    place = feature_axis(nodes[0], axis)
    sizes = [x.shape[place] if place < len(x.shape) else 0 for x in nodes]
    if len({(len(x.shape), x.batched, x.shape[:place], x.shape[place + 1 :]) for x in nodes}) != 1:
        raise ShapeMismatch("Concat of tensors that do not fit")
    y = None
    for number, x in enumerate(nodes):
        before, after = [0] * len(x.shape), [0] * len(x.shape)
        before[place], after[place] = sum(sizes[:number]), sum(sizes[number + 1 :])
        part = ir.pad(x, before, after)
        y = part if y is None else y + part
    assert y is not None
    return y


@operator("Slice", since=10)
def slice_(
    x: Value, starts: Ints, ends: Ints, axes: Ints | None = None, steps: Ints | None = None
) -> Value:  # fmt: skip
    begin, end = starts.exact(), ends.exact()
    step = steps.exact() if steps is not None else [1] * len(begin)
    named = axes.exact() if axes is not None else list(range(len(begin)))
    if not len(begin) == len(end) == len(step) == len(named):
        raise ShapeMismatch("Slice with lists of different length")
    if isinstance(x, Ints):
        if named not in ([0], [-1]) or x.array.ndim != 1 or step[0] == 0:
            raise UnsupportedAttribute("Slice of integers along more than one axis")
        return Ints(x.array[begin[0] : end[0] : step[0]])
    first, shape, stride = [0] * len(x.shape), list(x.shape), [1] * len(x.shape)
    for place, lo, hi, by in zip(feature_axes(x, named), begin, end, step, strict=True):
        if by < 1:
            raise UnsupportedAttribute("Slice that runs backwards")
        chosen = range(*slice(lo, hi, by).indices(x.shape[place]))
        if not chosen:
            raise ShapeMismatch("Slice that keeps nothing")
        first[place], shape[place], stride[place] = chosen.start, len(chosen), by
    return ir.take_slice(x, first, shape, stride)


@operator("Pad", since=11)
def pad(
    x: Node, pads: Ints, value: Node | None = None, axes: Ints | None = None, *, mode: str = "constant"
) -> Node:
    amounts = pads.exact()
    total = rank(x)
    places = [axis % total for axis in axes.exact()] if axes is not None else list(range(total))
    if mode != "constant" or len(amounts) != 2 * len(places) or min(amounts, default=0) < 0:
        raise UnsupportedAttribute("Pad in another mode, with negative amounts, or of the wrong length")
    before, after = [0] * total, [0] * total
    for number, place in enumerate(places):
        before[place], after[place] = amounts[number], amounts[number + len(places)]
    if x.batched and (before[0] or after[0]):
        raise UnsupportedAttribute("Pad of the batch")
    fill = const(0.0) if value is None else value
    if fill.op is not ir.Op.CONST or fill.size != 1:
        raise UnsupportedAttribute("Pad with a value that is not a single constant")
    filling = float(ir.value_of(fill).reshape(-1)[0])
    return ir.pad(x, before[x.batched :], after[x.batched :], fill=filling)


def shape_of(x: Value) -> list[object]:
    """Dimensions, the batch as BATCH."""
    if isinstance(x, Ints):
        return list(x.array.shape)
    return [*([BATCH] if x.batched else []), *x.shape]
