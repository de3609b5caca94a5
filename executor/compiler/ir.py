"""The tensor IR: a small set of primitives in which every ONNX operator is written.

A `Node` is an immutable value. `shape` never holds the batch dimension: a node is either *batched* (one such
array for each row of the batch) or not (a parameter, a constant, a gradient summed over the batch).
Elementwise primitives take operands of equal shape, where unbatched operands stand for every row alike;
`broadcast` brings shapes together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from math import prod

import numpy as np
from numpy.typing import NDArray

from executor.errors import ShapeMismatch, TooLarge

Shape = tuple[int, ...]
ELEMENTS_MAX = 1 << 28
RANK_MAX = 8
KERNEL_MAX, TAPS_MAX = 256, 4096
"""Sides and elements of a convolution's or pool's window: kernels are written out, so they bound the
module."""


class Op(Enum):
    """Primitives. The comment gives `attrs`."""

    INPUT = auto()  # name: rows of a region, brought into lanes
    TARGET = auto()  # name, "i32" | "f32"
    ROW_WEIGHT = auto()  # 1 / live rows for live rows, 0 for padding; shape ()
    PARAM = auto()  # name
    NUMBER = auto()  # index: a float of the step from the host's region; shape ()
    CONST = auto()  # bytes of the float32 array
    # elementwise
    NEG = auto()
    ABS = auto()
    EXP = auto()
    LOG = auto()
    SQRT = auto()
    TANH = auto()
    SIGMOID = auto()
    RELU = auto()
    ADD = auto()
    SUB = auto()
    MUL = auto()
    DIV = auto()
    MAX = auto()
    MIN = auto()
    WHERE_GT = auto()  # (a, b, t, f): t where a > b else f
    WHERE_GE = auto()
    WHERE_EQ = auto()
    # movement
    RESHAPE = auto()
    PERMUTE = auto()  # axes
    EXPAND = auto()
    FLIP = auto()  # axes
    SLICE = auto()  # starts, steps
    PAD = auto()  # before, after, between, fill bits
    # reduction
    SUM = auto()  # axes (kept as size 1)
    MAXIMUM = auto()  # axes (kept as size 1)
    BATCH_SUM = auto()
    # contraction
    DOT = auto()  # (x [*m, k] batched, w): "ok": w is [o, k]; "ko": w is [k, o]
    OUTER = auto()  # (a [*m, i], b [*m, j]) batched -> [i, j], summed over batch and m
    MATMUL = auto()  # (a [*g, m, k], b [*g, k, n]), both batched or both not
    CONV = auto()  # (x [c, h, w] batched, w [o, c/g, kh, kw]): strides, dilations, groups
    CONV_WEIGHT = auto()  # (x, dy) -> [o, c/g, kh, kw]: strides, dilations, groups, kernel
    # pooling
    POOL_MAX = auto()  # (x [c, h, w]): kernel, strides, dilations
    POOL_MAX_GRAD = auto()  # (x, y, dy): kernel, strides, dilations


UNARY = frozenset({Op.NEG, Op.ABS, Op.EXP, Op.LOG, Op.SQRT, Op.TANH, Op.SIGMOID, Op.RELU})
BINARY = frozenset({Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.MAX, Op.MIN})
WHERE = frozenset({Op.WHERE_GT, Op.WHERE_GE, Op.WHERE_EQ})
ELEMENTWISE = UNARY | BINARY | WHERE
MOVEMENT = frozenset({Op.RESHAPE, Op.PERMUTE, Op.EXPAND, Op.FLIP, Op.SLICE})
CONTRACTION = frozenset({Op.DOT, Op.OUTER, Op.CONV, Op.MATMUL})
LEAVES = frozenset({Op.INPUT, Op.TARGET, Op.ROW_WEIGHT, Op.PARAM, Op.NUMBER, Op.CONST})


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """One value. Compared by identity; `number` (below) merges equal ones."""

    op: Op
    inputs: tuple["Node", ...]
    shape: Shape
    batched: bool
    attrs: tuple[object, ...] = ()

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


def make(op: Op, inputs: tuple[Node, ...], shape: Shape, batched: bool, *attrs: object) -> Node:
    """A node, after bounding its shape. Raises TooLarge, ShapeMismatch."""
    if len(shape) > RANK_MAX:
        raise TooLarge(f"a tensor has {len(shape)} dimensions; {RANK_MAX} are allowed")
    if any(size < 1 for size in shape):
        raise ShapeMismatch(f"a tensor of shape {list(shape)} is empty")
    if prod(shape) > ELEMENTS_MAX:
        raise TooLarge(f"a tensor of shape {list(shape)} has more than {ELEMENTS_MAX} elements")
    return Node(op, inputs, shape, batched, attrs)


def const(value: NDArray[np.float32] | float, shape: Shape | None = None) -> Node:
    """A constant; a number is spread over `shape` without storing it more than once."""
    array = np.asarray(value, dtype="<f4")
    node = make(Op.CONST, (), array.shape, False, array.tobytes())
    return node if shape is None else expand_to(node, shape)


def value_of(node: Node) -> NDArray[np.float32]:
    """The array of a constant."""
    data = node.attrs[0]
    assert node.op is Op.CONST and isinstance(data, bytes)
    return np.frombuffer(data, dtype="<f4").reshape(node.shape)


# --- elementwise --------------------------------------------------------------------------------------------


def elementwise(op: Op, *inputs: Node) -> Node:
    """An elementwise primitive over operands whose shapes broadcast (numpy's rule on feature dimensions)."""
    shape = broadcast_shape([node.shape for node in inputs])
    operands = tuple(expand_to(node, shape) for node in inputs)
    return make(op, operands, shape, any(node.batched for node in inputs))


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
        if start < 0 or step < 1 or start + (count - 1) * step >= size:
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
        lo + size + (size - 1) * gap + hi
        for size, lo, hi, gap in zip(x.shape, before, after, between, strict=True)
    )
    return make(Op.PAD, (x,), shape, x.batched, tuple(before), tuple(after), between, float(fill))


# --- reductions and contractions ----------------------------------------------------------------------------


def reduce(op: Op, x: Node, axes: Sequence[int]) -> Node:
    """SUM or MAXIMUM over feature axes, kept as size 1."""
    axes = tuple(sorted({axis for axis in axes if x.shape[axis] > 1}))
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
    if not x.shape or x.shape[-1] != inner:
        raise ShapeMismatch(f"a product of {list(x.shape)} with a matrix of {inner} rows")
    return make(Op.DOT, (x, w), (*x.shape[:-1], out), True, order)


def outer(a: Node, b: Node) -> Node:
    """Σ over batch and leading axes of a [*m, i] · b [*m, j] → [i, j]."""
    assert a.batched and b.batched and a.shape[:-1] == b.shape[:-1]
    return make(Op.OUTER, (a, b), (a.shape[-1], b.shape[-1]), False)


def matmul(a: Node, b: Node) -> Node:
    """[*g, m, k] · [*g, k, n], both batched or both not."""
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
    channels, *size = x.shape
    outputs, inner, *kernel = w.shape
    if groups < 1 or channels != inner * groups or outputs % groups:
        raise ShapeMismatch(
            f"a convolution of {channels} channels with weights {list(w.shape)} in {groups} groups"
        )
    spatial = window((size[0], size[1]), (kernel[0], kernel[1]), strides, dilations)
    return make(Op.CONV, (x, w), (outputs, *spatial), True, strides, dilations, groups)


def conv_weight(x: Node, dy: Node, kernel: Pair, strides: Pair, dilations: Pair, groups: int) -> Node:
    """Gradient of `conv` by its weights."""
    shape = (dy.shape[0], x.shape[0] // groups, *kernel)
    return make(Op.CONV_WEIGHT, (x, dy), shape, False, strides, dilations, groups, kernel)


def pool_max(x: Node, kernel: Pair, strides: Pair, dilations: Pair) -> Node:
    """Largest element of each window of x [c, h, w], without padding."""
    spatial = window((x.shape[1], x.shape[2]), kernel, strides, dilations)
    return make(Op.POOL_MAX, (x,), (x.shape[0], *spatial), x.batched, kernel, strides, dilations)


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
        key = (node.op, tuple(map(id, inputs)), node.shape, node.batched, node.attrs)
        if key not in seen:
            same = all(a is b for a, b in zip(inputs, node.inputs, strict=True))
            seen[key] = node if same else Node(node.op, inputs, node.shape, node.batched, node.attrs)
        new[id(node)] = seen[key]
    return [new[id(root)] for root in roots]
