"""The tensor IR: values, and how they are made of each other.

A `Node` is an immutable value with an element type, made by a primitive (executor/compiler/op.py) in which
every ONNX operator is written; `general` says which kind of kernel a node takes. `shape` never holds the
batch dimension: a node is either *batched* (one such array for each row of the batch) or not (a parameter, a
constant, a gradient summed over the batch). Elementwise primitives take operands of equal shape, where
unbatched operands stand for every row alike; `broadcast_shape` brings shapes together.
"""

from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from executor.compiler.op import COMPARISONS, Op
from executor.compiler.types import DType
from executor.errors import ShapeMismatch, TooLarge, UnsupportedAttribute, UnsupportedType

Shape = tuple[int, ...]
ELEMENTS_MAX = 1 << 28
RANK_MAX = 8
KERNEL_MAX, TAPS_MAX = 256, 4096
"""Sides and elements of a convolution's or pool's window: kernels are written out, so they bound the
module."""


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """One value. Compared by identity; `number` (below) merges equal ones."""

    op: Op
    inputs: tuple["Node", ...]
    shape: Shape
    batched: bool
    attrs: tuple[object, ...] = ()
    dtype: DType = DType.F32

    @property
    def size(self) -> int:
        """Elements (of one row, if batched)."""
        return prod(self.shape)

    def __add__(self, other: "Node") -> "Node":
        return elementwise(Op.ADD, self, other)

    def __sub__(self, other: "Node") -> "Node":
        return elementwise(Op.SUB, self, other)

    def __mul__(self, other: "Node") -> "Node":
        return elementwise(Op.MUL, self, other)

    def __truediv__(self, other: "Node") -> "Node":
        return elementwise(Op.DIV, self, other)

    def __neg__(self) -> "Node":
        return elementwise(Op.NEG, self)


NODES_LEFT: ContextVar[list[int] | None] = ContextVar("NODES_LEFT", default=None)
"""How many nodes may still be made: a short file must not unroll into more than memory holds."""


def make(
    op: Op, inputs: tuple[Node, ...], shape: Shape, batched: bool, *attrs: object, dtype: DType | None = None
) -> Node:
    """A node, after bounding its shape; its type is that of its first input if not given. Raises TooLarge,
    ShapeMismatch."""
    if len(shape) > RANK_MAX:
        raise TooLarge(f"a tensor has {len(shape)} dimensions; {RANK_MAX} are allowed")
    if any(size < (1 if batched else 0) for size in shape):
        raise ShapeMismatch(f"a tensor of shape {list(shape)} is empty")
    if prod(shape) > ELEMENTS_MAX:
        raise TooLarge(f"a tensor of shape {list(shape)} has more than {ELEMENTS_MAX} elements")
    left = NODES_LEFT.get()
    if left is not None:
        left[0] -= 1
        if left[0] < 0:
            raise TooLarge("a model unrolls into too many operations")
    return Node(op, inputs, shape, batched, attrs, dtype or (inputs[0].dtype if inputs else DType.F32))


@dataclass
class Randomness:
    """Where random numbers of a training run come from: a key, and how many nodes draw already."""

    key: bytes
    drawn: int = 0


RANDOMNESS: ContextVar[Randomness | None] = ContextVar("RANDOMNESS", default=None)
"""Set while the graph of a training run is read; elsewhere nothing is random."""


def uniform(shape: Shape, batched: bool) -> Node:
    """Numbers in [0, 1), f32, of each row and step their own. Raises UnsupportedAttribute outside of
    training."""
    source = RANDOMNESS.get()
    if source is None:
        raise UnsupportedAttribute("random numbers outside of a training run")
    source.drawn += 1
    return make(Op.RANDOM, (), shape, batched, source.key, source.drawn)


def general(node: Node) -> bool:
    """The node takes a general kernel: it is not float32, or empty, or a primitive that has no other."""
    if node.op.value > Op.NOISED.value:
        return True
    return any(item.dtype is not DType.F32 or not item.size for item in (node, *node.inputs))


def rebuilt(node: Node, inputs: tuple[Node, ...]) -> Node:
    """The same primitive on other inputs of the same shapes."""
    return replace(node, inputs=inputs)


def const(value: NDArray[np.float32] | float, shape: Shape | None = None) -> Node:
    """A float32 constant; a number is spread over `shape` without storing it more than once, and takes the
    type of what it meets in an elementwise primitive."""
    array = np.asarray(value, dtype="<f4")
    number = () if isinstance(value, np.ndarray) else (float(value),)
    node = make(Op.CONST, (), array.shape, False, array.tobytes(), *number)
    return node if shape is None else expand_to(node, shape)


def array(values: "NDArray[np.generic]", dtype: DType) -> Node:
    """A constant of a given type."""
    data = np.ascontiguousarray(values, dtype=dtype.numpy)
    return make(Op.CONST, (), np.shape(values), False, data.tobytes(), dtype=dtype)


def scalar(value: float | int, dtype: DType) -> Node:
    """A single number of a given type; an integer wraps."""
    if dtype.floating or dtype is DType.BOOL:
        return array(np.array(value, dtype=dtype.numpy), dtype)
    bits = int(value) & ((1 << dtype.bits) - 1)
    return make(Op.CONST, (), (), False, bits.to_bytes(dtype.width, "little"), dtype=dtype)


def value_of(node: Node) -> "NDArray[np.generic]":
    """The array of a constant."""
    data = node.attrs[0]
    assert node.op is Op.CONST and isinstance(data, bytes)
    return np.frombuffer(data, dtype=node.dtype.numpy).reshape(node.shape)


# --- elementwise --------------------------------------------------------------------------------------------


def elementwise(op: Op, *inputs: Node) -> Node:
    """An elementwise primitive over operands whose shapes broadcast (numpy's rule on feature dimensions)."""
    inputs = one_type(op, inputs)
    shape = broadcast_shape([node.shape for node in inputs])
    operands = tuple(expand_to(node, shape) for node in inputs)
    batched = any(node.batched for node in inputs)
    if op in COMPARISONS:
        return make(op, operands, shape, batched, dtype=DType.BOOL)
    return make(op, operands, shape, batched, dtype=operands[0 if op is Op.POW else -1].dtype)


def one_type(op: Op, inputs: tuple[Node, ...]) -> tuple[Node, ...]:
    """Operands of one element type: numbers of ours take that of the others. Raises UnsupportedType.

    The condition of SELECT is a bool, the exponent of POW has a type of its own.
    """
    if op is Op.POW:
        return inputs
    if op is Op.SELECT:
        return (inputs[0], *one_type(Op.ADD, inputs[1:]))
    kinds = {node.dtype for node in inputs if not _fits(node)} or {inputs[0].dtype}
    if len(kinds) != 1:
        names = " and ".join(sorted(kind.value for kind in kinds))
        raise UnsupportedType(f"{op.name} of {names}")
    kind = kinds.pop()
    if kind is DType.F32:
        return inputs
    return tuple(_refitted(node, kind) if node.dtype is not kind else node for node in inputs)


def same_type(op: Op, a: Node, b: Node) -> None:
    """Raises UnsupportedType."""
    if a.dtype is not b.dtype:
        raise UnsupportedType(f"{op.name} of {a.dtype.value} and {b.dtype.value}")


def _fits(node: Node) -> bool:
    """A number of ours, spread or not."""
    while node.op in (Op.EXPAND, Op.RESHAPE):
        node = node.inputs[0]
    return node.op is Op.CONST and len(node.attrs) == 2


def _refitted(node: Node, kind: DType) -> Node:
    shape = node.shape
    while node.op in (Op.EXPAND, Op.RESHAPE):
        node = node.inputs[0]
    number = node.attrs[1]
    assert isinstance(number, float)
    return expand_to(scalar(number, kind), shape)


def cast(x: Node, dtype: DType) -> Node:
    """The values in another type, as ONNX's Cast converts them."""
    return x if x.dtype is dtype else make(Op.CAST, (x,), x.shape, x.batched, dtype=dtype)


def select(condition: Node, then: Node, other: Node) -> Node:
    """`then` where the bool `condition` holds, else `other`."""
    if condition.dtype is not DType.BOOL:
        raise UnsupportedType("a condition is not of type bool")
    found = elementwise(Op.SELECT, condition, then, other)
    fast = {Op.GT: Op.WHERE_GT, Op.GE: Op.WHERE_GE, Op.EQ: Op.WHERE_EQ}.get(condition.op)
    operands = (*condition.inputs, *found.inputs[1:])
    if fast is not None and found.size and all(node.dtype is DType.F32 for node in operands):
        # A comparison of float32 inside its only use needs no bools: it stays among the vector kernels.
        return elementwise(fast, *condition.inputs, then, other)
    return found


def stopped(x: Node) -> Node:
    """The same values, through which no gradient flows."""
    return make(Op.IDENTITY, (x,), x.shape, x.batched)


def broadcast_shape(shapes: Iterable[Shape]) -> Shape:
    """Numpy's rule. Raises ShapeMismatch."""
    out: list[int] = []
    for shape in shapes:
        padded = [1] * (len(out) - len(shape)) + list(shape)
        out = [1] * (len(shape) - len(out)) + out
        for axis, (a, b) in enumerate(zip(out, padded, strict=True)):
            if a != b and 1 not in (a, b):
                raise ShapeMismatch(f"shapes {out} and {list(shape)} do not broadcast")
            out[axis] = b if a == 1 else a
    return tuple(out)


def where(op: Op, a: Node, b: Node, then: Node, other: Node) -> Node:
    """`then` where the comparison holds, else `other`."""
    return elementwise(op, a, b, then, other)


# --- movement -----------------------------------------------------------------------------------------------


def reshape(x: Node, shape: Sequence[int]) -> Node:
    """The same elements in C order under another shape."""
    if tuple(shape) == x.shape:
        return x
    if prod(shape) != x.size:
        raise ShapeMismatch(f"shape {list(x.shape)} does not reshape to {list(shape)}")
    source = x.inputs[0] if x.op is Op.RESHAPE else x
    return source if source.shape == tuple(shape) else make(Op.RESHAPE, (source,), tuple(shape), x.batched)


def permute(x: Node, axes: Sequence[int]) -> Node:
    """Feature axes in another order."""
    if list(axes) == list(range(len(x.shape))):
        return x
    return make(Op.PERMUTE, (x,), tuple(x.shape[axis] for axis in axes), x.batched, tuple(axes))


def transpose(x: Node) -> Node:
    """The last two axes swapped."""
    rank = len(x.shape)
    return permute(x, [*range(rank - 2), rank - 1, rank - 2])


def expand_to(x: Node, shape: Shape) -> Node:
    """Axes of size 1, and missing leading ones, spread to `shape`."""
    if x.shape == shape:
        return x
    x = reshape(x, (1,) * (len(shape) - len(x.shape)) + x.shape)
    if x.shape == shape:
        return x
    if len(x.shape) > len(shape) or any(a not in (1, b) for a, b in zip(x.shape, shape, strict=True)):
        raise ShapeMismatch(f"shape {list(x.shape)} does not spread to {list(shape)}")
    return make(Op.EXPAND, (x,), shape, x.batched)


def flip(x: Node, axes: Sequence[int]) -> Node:
    """Feature axes reversed."""
    return make(Op.FLIP, (x,), x.shape, x.batched, tuple(axes))


def take_slice(x: Node, starts: Sequence[int], shape: Sequence[int], steps: Sequence[int]) -> Node:
    """`shape` elements from `starts` on, `steps` ≥ 1 apart, on each feature axis."""
    if tuple(shape) == x.shape:
        return x
    for size, start, count, step in zip(x.shape, starts, shape, steps, strict=True):
        if start < 0 or step < 1 or (count and start + (count - 1) * step >= size):
            raise ShapeMismatch(f"a slice leaves shape {list(x.shape)}")
    return make(Op.SLICE, (x,), tuple(shape), x.batched, tuple(starts), tuple(steps))


def pad(
    x: Node,
    before: Sequence[int],
    after: Sequence[int],
    between: Sequence[int] | None = None,
    fill: float = 0.0,
) -> Node:
    """Put `fill` before, after and between the elements of each feature axis."""
    between = tuple(between or (0,) * len(before))
    if not any((*before, *after, *between)):
        return x
    shape = tuple(
        lo + size + max(size - 1, 0) * gap + hi
        for size, lo, hi, gap in zip(x.shape, before, after, between, strict=True)
    )
    return make(Op.PAD, (x,), shape, x.batched, tuple(before), tuple(after), between, float(fill))


# --- reductions and contractions ----------------------------------------------------------------------------


def reduce(op: Op, x: Node, axes: Sequence[int]) -> Node:
    """SUM, MAXIMUM, MINIMUM or PRODUCT over feature axes, kept as size 1."""
    axes = tuple(sorted({axis for axis in axes if x.shape[axis] != 1}))
    if not axes:
        return x
    shape = tuple(1 if axis in axes else size for axis, size in enumerate(x.shape))
    return make(op, (x,), shape, x.batched, axes)


def batch_sum(x: Node) -> Node:
    """Sum over the rows of the batch; rows that only pad it must be zero."""
    assert x.batched
    return make(Op.BATCH_SUM, (x,), x.shape, False)


def dot(x: Node, w: Node, order: str) -> Node:
    """Batched x [*m, k] times a matrix that all rows share: w is [o, k] (order "ok") or [k, o] ("ko") → [*m,
    o]."""
    out, inner = (w.shape[0], w.shape[1]) if order == "ok" else (w.shape[1], w.shape[0])
    same_type(Op.DOT, x, w)
    if not x.shape or x.shape[-1] != inner:
        raise ShapeMismatch(f"a product of {list(x.shape)} with a matrix of {inner} rows")
    return make(Op.DOT, (x, w), (*x.shape[:-1], out), True, order)


def outer(a: Node, b: Node) -> Node:
    """Σ over batch and leading axes of a [*m, i] · b [*m, j] → [i, j]."""
    assert a.batched and b.batched and a.shape[:-1] == b.shape[:-1]
    return make(Op.OUTER, (a, b), (a.shape[-1], b.shape[-1]), False)


def matmul(a: Node, b: Node) -> Node:
    """[*g, m, k] · [*g, k, n], both batched or both not."""
    same_type(Op.MATMUL, a, b)
    if a.shape[:-2] != b.shape[:-2] or a.shape[-1] != b.shape[-2] or a.batched != b.batched:
        raise ShapeMismatch(f"a matrix product of {list(a.shape)} and {list(b.shape)}")
    return make(Op.MATMUL, (a, b), (*a.shape[:-1], b.shape[-1]), a.batched)


Pair = tuple[int, int]


def window(size: Pair, kernel: Pair, strides: Pair, dilations: Pair) -> Pair:
    """Positions of a window on an image, without padding. Raises ShapeMismatch, TooLarge."""
    if max(kernel) > KERNEL_MAX or prod(kernel) > TAPS_MAX:
        raise TooLarge(f"a window of {kernel}; {KERNEL_MAX} on a side and {TAPS_MAX} in all are allowed")
    counts = [
        (n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(size, kernel, strides, dilations, strict=True)
    ]
    if min(counts) < 1:
        raise ShapeMismatch(f"a window of {kernel}, dilated by {dilations}, is larger than {size}")
    return counts[0], counts[1]


def conv(x: Node, w: Node, strides: Pair, dilations: Pair, groups: int) -> Node:
    """Cross-correlation without padding: x [c, h, w], w [o, c/groups, kh, kw]."""
    same_type(Op.CONV, x, w)
    channels, *size = x.shape
    outputs, inner, *kernel = w.shape
    if groups < 1 or channels != inner * groups or outputs % groups:
        raise ShapeMismatch(
            f"a convolution of {channels} channels with weights {list(w.shape)} in {groups} groups"
        )
    spatial = window((size[0], size[1]), (kernel[0], kernel[1]), strides, dilations)
    return make(Op.CONV, (x, w), (outputs, *spatial), True, strides, dilations, groups)


def conv_weight(
    x: Node, dy: Node, kernel: Pair, strides: Pair, dilations: Pair, groups: int, each: bool = False
) -> Node:
    """Gradient of `conv` by its weights, summed over the rows or, with `each`, for every row."""
    shape = (dy.shape[0], x.shape[0] // groups, *kernel)
    return make(Op.CONV_WEIGHT, (x, dy), shape, each, strides, dilations, groups, kernel)


def pool_max(x: Node, kernel: Pair, strides: Pair, dilations: Pair) -> Node:
    """Largest element of each window of x [c, h, w], without padding."""
    spatial = window((x.shape[1], x.shape[2]), kernel, strides, dilations)
    return make(Op.POOL_MAX, (x,), (x.shape[0], *spatial), x.batched, kernel, strides, dilations)


# --- scans, order and indexing (general kernels)
# --------------------------------------------------------------


def concat(parts: Sequence[Node], axis: int) -> Node:
    """Tensors one after another along a feature axis. Raises ShapeMismatch, UnsupportedType."""
    first = parts[0]
    if len({(len(x.shape), x.shape[:axis], x.shape[axis + 1 :]) for x in parts}) != 1:
        raise ShapeMismatch("tensors that are put together do not fit")
    for part in parts[1:]:
        same_type(Op.CONCAT, first, part)
    if len(parts) == 1:
        return first
    shape = (*first.shape[:axis], sum(x.shape[axis] for x in parts), *first.shape[axis + 1 :])
    return make(Op.CONCAT, tuple(parts), shape, any(x.batched for x in parts), axis)


def arg(x: Node, axis: int, last: bool) -> Node:
    """Index (i64) of the largest element along an axis, kept as size 1; the first or the last of equals."""
    shape = tuple(1 if place == axis else size for place, size in enumerate(x.shape))
    return make(Op.ARG, (x,), shape, x.batched, axis, last, dtype=DType.I64)


def cumulate(op: Op, x: Node, axis: int, exclusive: bool) -> Node:
    """Running sums (ADD) or products (MUL) along an axis; `exclusive` leaves out the element itself."""
    return make(Op.CUMULATE, (x,), x.shape, x.batched, op, axis, exclusive)


def rank(x: Node) -> Node:
    """Place (i64) of each element in its row, the last axis, sorted with the largest first; equals keep their
    order. Takes n² comparisons a row, whatever the data. Raises TooLarge."""
    if x.size * x.shape[-1] > ELEMENTS_MAX:
        raise TooLarge(f"sorting rows of {x.shape[-1]} elements")
    return make(Op.RANK, (x,), x.shape, x.batched, dtype=DType.I64)


def take(x: Node, index: Node) -> Node:
    """x [n, *inner], index [*m] → [*m, *inner]."""
    if not x.shape or (not x.shape[0] and index.size):
        raise ShapeMismatch("an index into an empty tensor")
    shape = (*index.shape, *x.shape[1:])
    return make(Op.TAKE, (x, index), shape, x.batched or index.batched)


def put(op: Op, x: Node, index: Node, updates: Node) -> Node:
    """x [n, *inner] with updates [*m, *inner] combined into the places index [*m], in C order."""
    if updates.shape != (*index.shape, *x.shape[1:]):
        raise ShapeMismatch(f"updates of shape {list(updates.shape)} do not fit their places")
    if updates.dtype is not x.dtype:
        raise UnsupportedType("updates are of another type than the tensor")
    return make(Op.PUT, (x, index, updates), x.shape, any(n.batched for n in (x, index, updates)), op)


def put_sum(size: int, index: Node, updates: Node) -> Node:
    """Σ over the batch of zeros [size, *inner] with updates added at index; unbatched."""
    shape = (size, *updates.shape[len(index.shape) :])
    return make(Op.PUT_SUM, (index, updates), shape, False, dtype=updates.dtype)


# --- differential privacy ---------------------------------------------------------------------------------


def grid_sum(x: Node, scale: Node) -> Node:
    """Σ over rows of round(scale·x) as int32; rows whose scale is zero add nothing, whatever x is."""
    assert x.batched and scale.batched and scale.shape == ()
    return make(Op.GRID_SUM, (x, scale), x.shape, False)


def grid_outer(a: Node, b: Node) -> Node:
    """Σ over rows of round(a·b) as int32 [i, j]; a and b are finite."""
    assert a.batched and b.batched
    return make(Op.GRID_OUTER, (a, b), (a.size, b.size), False)


def noised(total: Node, name: str, place: Pair, factor: float) -> Node:
    """(total + the step's noise)·factor as float32. `place`: the first column of its noise, and how many
    columns a step's noise has."""
    return make(Op.NOISED, (total,), total.shape, False, name, place, factor, (1, 0))


def noised_lines(lines: Node, shape: Shape, start: int, name: str, place: Pair, factor: float) -> Node:
    """The same where the total is a sum of int32 that lie in each of `lines` [n, …] from `start` on."""
    return make(Op.NOISED, (lines,), shape, False, name, place, factor, (lines.shape[0], start))


# --- whole graphs -------------------------------------------------------------------------------------------


def postorder(roots: Iterable[Node]) -> list[Node]:
    """Every node once, inputs before users; iterative, so depth is no danger."""
    done: set[int] = set()
    order: list[Node] = []
    stack = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, ready = stack.pop()
        if id(node) in done:
            continue
        if ready:
            done.add(id(node))
            order.append(node)
        else:
            stack.append((node, True))
            stack += [(item, False) for item in reversed(node.inputs) if id(item) not in done]
    return order


def number(roots: Sequence[Node]) -> list[Node]:
    """The same roots with equal subexpressions merged (value numbering)."""
    seen: dict[tuple[object, ...], Node] = {}
    new: dict[int, Node] = {}
    for node in postorder(roots):
        inputs = tuple(new[id(item)] for item in node.inputs)
        key = (node.op, tuple(map(id, inputs)), node.shape, node.batched, node.attrs, node.dtype)
        if key not in seen:
            same = all(a is b for a, b in zip(inputs, node.inputs, strict=True))
            seen[key] = (
                node if same else Node(node.op, inputs, node.shape, node.batched, node.attrs, node.dtype)
            )
        new[id(node)] = seen[key]
    return [new[id(root)] for root in roots]
