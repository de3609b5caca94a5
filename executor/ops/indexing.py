"""Operators whose indices are data: gathering, scattering, sorting, masks."""

from math import prod

import numpy as np

from executor.compiler import ir
from executor.compiler.ir import Node
from executor.compiler.op import Op
from executor.compiler.types import DType
from executor.errors import DynamicShape, ShapeMismatch, UnsupportedAttribute, UnsupportedType
from executor.ops.movement import along, part
from executor.ops.shapes import iota
from executor.ops.table import operator
from executor.ops.values import Ints, Value, Values, feature_axis, folded, ints, numbers, rank, tensor, whole

INDICES = (DType.I32, DType.I64)


def _index(x: Node) -> Node:
    if x.dtype not in INDICES:
        raise UnsupportedType(f"indices of type {x.dtype.value}")
    return ir.cast(x, DType.I64)


def _counted(index: Node, size: int) -> Node:
    """Indices below zero count from the end."""
    number = ir.scalar(size, DType.I64)
    return ir.select(ir.elementwise(Op.GT, ir.scalar(0, DType.I64), index), index + number, index)


@operator("Gather")
def gather(x: Value, indices: Value, *, axis: int = 0) -> Value:
    """Of shapes; of a tensor of each row at shared indices; of a shared one at each row's (an embedding)."""
    if isinstance(x, Ints) and isinstance(indices, Ints) and x.array.ndim == 1 and axis in (0, -1):
        chosen, size = indices.exact(), x.array.size
        if any(not -size <= item < size for item in chosen):
            raise ShapeMismatch("Gather leaves its integers")
        found = np.empty(len(chosen), dtype=np.object_)
        found[:] = [x.array[item] for item in chosen]
        return Ints(found.reshape(indices.array.shape), x.dtype)
    node = tensor(x)
    if isinstance(indices, Ints):
        place, known = feature_axis(node, axis), indices.exact()
        if any(not -node.shape[place] <= item < node.shape[place] for item in known):
            raise ShapeMismatch("Gather leaves its tensor")
        if len(known) == 1:
            y = part(node, place, known[0] % node.shape[place], 1)
            return ir.reshape(y, (*y.shape[:place], *indices.array.shape, *y.shape[place + 1 :]))
    index = _index(tensor(indices))
    if index.batched and (node.batched or axis % rank(node)):
        raise UnsupportedAttribute("Gather of each row at the indices of each row, or behind the first axis")
    return along(node, feature_axis(node, axis), index)


def _flat(index: Node, shape: tuple[int, ...], place: int) -> Node:
    """Places in C order of the elements (…, index, …) of a tensor."""
    steps = [prod(shape[axis + 1 :]) for axis in range(len(shape))]
    total = _counted(index, shape[place]) * ir.scalar(steps[place], DType.I64)
    for axis, step in enumerate(steps):
        if axis != place and index.shape[axis] > 1:
            total = total + iota(index.shape, axis) * ir.scalar(step, DType.I64)
    return total


def _elements(x: Node, index: Node, axis: int) -> tuple[Node, int]:
    index = _index(index)
    if x.batched != index.batched or len(x.shape) != len(index.shape):
        raise ShapeMismatch("indices of another rank than their tensor")
    place = feature_axis(x, axis)
    if any(n > m for d, (n, m) in enumerate(zip(index.shape, x.shape, strict=True)) if d != place):
        raise ShapeMismatch(f"indices of shape {list(index.shape)} into a tensor of shape {list(x.shape)}")
    return _flat(index, x.shape, place), place


@operator("GatherElements", since=11)
def gather_elements(x: Node, indices: Node, *, axis: int = 0) -> Node:
    flat, _ = _elements(x, indices, axis)
    return ir.take(ir.reshape(x, (x.size,)), flat)


COMBINE = {"none": Op.IDENTITY, "add": Op.ADD, "mul": Op.MUL, "max": Op.MAX, "min": Op.MIN}


def _combine(name: str) -> Op:
    if name not in COMBINE:
        raise UnsupportedAttribute(f"a reduction {name!r}")
    return COMBINE[name]


@operator("Scatter", "ScatterElements")
def scatter_elements(
    x: Node, indices: Node, updates: Node, *, axis: int = 0, reduction: str = "none"
) -> Node:
    flat, _ = _elements(x, indices, axis)
    if updates.shape != flat.shape:
        raise ShapeMismatch("updates of another shape than their indices")
    return ir.reshape(ir.put(_combine(reduction), ir.reshape(x, (x.size,)), flat, updates), x.shape)


def _tuples(x: Node, index: Node, lead: int) -> tuple[Node, Node, int]:
    """(x [places, *inner], place of each index tuple, how many dimensions a tuple and `lead` name)."""
    index = _index(index)
    if not index.shape or not 0 < index.shape[-1] + lead <= len(x.shape):
        raise ShapeMismatch(f"indices of shape {list(index.shape)} into a tensor of shape {list(x.shape)}")
    depth = lead + index.shape[-1]
    many = index.shape[:-1]
    if many[:lead] != x.shape[:lead]:
        raise ShapeMismatch("indices and tensor differ in their batch dimensions")
    steps = [prod(x.shape[axis + 1 : depth]) for axis in range(depth)]
    total: Node = ir.expand_to(ir.scalar(0, DType.I64), many)
    for axis in range(lead):
        total = total + iota(many, axis) * ir.scalar(steps[axis], DType.I64)
    for number in range(index.shape[-1]):
        one = ir.reshape(part(index, len(many), number, 1), many)
        axis = lead + number
        total = total + _counted(one, x.shape[axis]) * ir.scalar(steps[axis], DType.I64)
    return ir.reshape(x, (prod(x.shape[:depth]), *x.shape[depth:])), total, depth


@operator("GatherND", since=11)
def gather_nd(x: Node, indices: Node, *, batch_dims: int = 0) -> Node:
    if (x.batched or indices.batched) and not (x.batched and indices.batched and batch_dims):
        raise UnsupportedAttribute("GatherND across the rows of the batch")
    table, places, _ = _tuples(x, indices, batch_dims - x.batched)
    return ir.take(table, places)


@operator("ScatterND", since=11)
def scatter_nd(x: Node, indices: Node, updates: Node, *, reduction: str = "none") -> Node:
    table, places, _ = _tuples(whole(x), whole(indices), 0)
    return ir.reshape(ir.put(_combine(reduction), table, places, updates), x.shape)


@operator("TensorScatter", since=24)
def tensor_scatter(
    past: Node, update: Node, write: Node | None = None, *, axis: int = -2, mode: str = "linear"
) -> Node:
    """Write a piece of a sequence into a cache, from each row's index on."""
    place = axis % len(whole(past).shape)
    if place == 0 or mode not in ("linear", "circular"):
        raise UnsupportedAttribute(f"TensorScatter at axis {axis} in the mode {mode!r}")
    size = past.shape[place]
    index = iota(update.shape, place)
    if write is not None:
        rows = ir.reshape(_index(write), (past.shape[0], *(1,) * (len(past.shape) - 1)))
        index = index + ir.expand_to(rows, update.shape)
    if mode == "circular":
        index = ir.elementwise(Op.MOD, index, ir.scalar(size, DType.I64))
    return scatter_elements(past, index, update, axis=place)


@operator("OneHot", since=9)
def one_hot(indices: Node, depth: Value, values: Node, *, axis: int = -1) -> Node:
    count = int(numbers(depth)[0])
    total = rank(indices) + 1
    place = axis % total - indices.batched
    if count < 0 or place < 0 or values.shape != (2,):
        raise ShapeMismatch(f"OneHot of {count} classes at axis {axis}")
    index = _counted(ir.cast(indices, DType.I64), count)
    index = ir.reshape(index, (*index.shape[:place], 1, *index.shape[place:]))
    line = iota(tuple(count if number == place else 1 for number in range(len(index.shape))), place)
    on, off = (ir.reshape(part(values, 0, number, 1), ()) for number in (1, 0))
    return ir.select(ir.elementwise(Op.EQ, index, line), on, off)


@operator("TopK")
def top_k_1(x: Node, *, k: int, axis: int = -1) -> Values:
    return top_k(x, ints([k]), axis=axis)


@operator("TopK", since=10)
def top_k(x: Node, k: Ints, *, axis: int = -1, largest: int = 1, sorted: int = 1) -> Values:
    """By the rank of each element among its row: as many comparisons as pairs, whatever the data."""
    place, count = feature_axis(x, axis), k.one()
    size = x.shape[place]
    if not 0 <= count <= size:
        raise ShapeMismatch(f"TopK takes {count} of {size}")
    order = [number for number in range(len(x.shape)) if number != place] + [place]
    rows = ir.permute(x, order)
    turned = rows if largest else ir.elementwise(Op.NEG if x.dtype.floating else Op.NOT, rows)
    first = iota((rows.size,), 0) - ir.reshape(iota(rows.shape, len(order) - 1), (rows.size,))
    places = ir.reshape(ir.rank(turned), (rows.size,)) + first
    found = ir.put(
        Op.IDENTITY,
        ir.expand_to(ir.scalar(0, DType.I64), (rows.size,)),
        places,
        ir.reshape(iota(rows.shape, len(order) - 1), (rows.size,)),
    )
    values = ir.reshape(ir.take(ir.reshape(rows, (rows.size,)), found + first), rows.shape)
    back = [order.index(number) for number in range(len(order))]
    return tuple(
        ir.permute(part(item, len(order) - 1, 0, count), back)
        for item in (values, ir.reshape(found, rows.shape))
    )


@operator("Trilu", since=14)
def trilu(x: Node, k: Ints | None = None, *, upper: int = 1) -> Node:
    if len(x.shape) < 2:
        raise ShapeMismatch("Trilu of less than a matrix")
    rows, columns = x.shape[-2:]
    shift = ir.scalar(0 if k is None else k.one(), DType.I64)
    apart = iota((1, columns), 1) - iota((rows, 1), 0)
    kept = ir.elementwise(Op.GE, *((apart, shift) if upper else (shift, apart)))
    return ir.select(kept, x, ir.scalar(0, x.dtype))


@operator("ReverseSequence", since=10)
def reverse_sequence(x: Node, lengths: Node, *, batch_axis: int = 1, time_axis: int = 0) -> Node:
    if {batch_axis, time_axis} != {0, 1} or len(whole(x).shape) < 2:
        raise UnsupportedAttribute(f"ReverseSequence of the axes {batch_axis} and {time_axis}")
    grid = x.shape[:2]
    time = iota(grid, time_axis)
    line = [1, 1]
    line[batch_axis] = grid[batch_axis]
    length = ir.expand_to(ir.reshape(_index(lengths), line), grid)
    inside = ir.elementwise(Op.GT, length, time)
    index = ir.select(inside, length - time - ir.scalar(1, DType.I64), time)
    index = ir.expand_to(ir.reshape(index, (*grid, *(1,) * (len(x.shape) - 2))), x.shape)
    return gather_elements(x, index, axis=time_axis)


@operator("Compress", since=9)
def compress(x: Node, condition: Value, *, axis: int | None = None) -> Node:
    """Where the condition is a constant."""
    known = folded(condition)
    if known is None:
        raise DynamicShape("how much Compress keeps depends on data")
    chosen = np.flatnonzero(known.reshape(-1))
    node = ir.reshape(whole(x), (x.size,)) if axis is None else x
    return along(node, feature_axis(node, axis or 0), ir.array(chosen, DType.I64))


@operator("NonZero", since=9)
def non_zero(x: Node) -> Node:
    """Of constants."""
    known = folded(x)
    if known is None:
        raise DynamicShape("how much NonZero finds depends on data")
    return ir.array(np.array(np.nonzero(known)), DType.I64)


@operator("Unique", since=11)
def unique(x: Node, *, axis: int | None = None, sorted: int = 1) -> Node:
    raise DynamicShape("how much Unique keeps depends on data")


@operator("NonMaxSuppression", since=10)
def non_max_suppression(
    boxes: Node,
    scores: Node,
    most: Value | None = None,
    overlap: Value | None = None,
    least: Value | None = None,
    *,
    center_point_box: int = 0,
) -> Node:
    raise DynamicShape("how many boxes NonMaxSuppression keeps depends on data")


@operator("Hardmax")
def hardmax_1(x: Node, *, axis: int = 1) -> Node:
    first = feature_axis(x, axis)
    rows = ir.reshape(x, (*x.shape[:first], prod(x.shape[first:])))
    return ir.reshape(_hardmax(rows, first), x.shape)


@operator("Hardmax", since=13)
def hardmax(x: Node, *, axis: int = -1) -> Node:
    return _hardmax(x, feature_axis(x, axis))


def _hardmax(x: Node, place: int) -> Node:
    """1 at the first of the largest."""
    return ir.cast(ir.elementwise(Op.EQ, ir.arg(x, place, False), iota(x.shape, place)), x.dtype)
