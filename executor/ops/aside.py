"""Tensors of a batch whose rows do not lie along the first axis: [steps, batch, features], or heads merged
with the batch, as PyTorch exports recurrent layers and attention.

`Aside` says where in the ONNX shape the batch is; the node underneath is an ordinary one of a batch.
Operators
that move axes change the place; operators that leave the batch's axis alone work on the node. Everything else
takes a value only when the batch is back in front.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from executor.compiler import fold, ir
from executor.compiler.ir import Node
from executor.compiler.types import DType
from executor.errors import DynamicShape, ShapeMismatch, UnsupportedAttribute
from executor.ops.batch import Batch

Values = Sequence[object]


@dataclass(frozen=True)
class Aside:
    """`place` axes, then one of `before` features · the batch · `after` features, then the other axes."""

    node: Node
    place: int
    before: int = 0
    after: int = 0

    @property
    def groups(self) -> list[list[int | None]]:
        """ONNX axes as lists of feature axes, None for the batch."""
        first, last = self.place + self.before, self.place + self.before + self.after
        merged: list[int | None] = [*range(self.place, first), None, *range(first, last)]
        ahead: list[list[int | None]] = [[axis] for axis in range(self.place)]
        behind: list[list[int | None]] = [[axis] for axis in range(last, len(self.node.shape))]
        return [*ahead, merged, *behind]

    @property
    def dims(self) -> list[int | Batch]:
        """The ONNX shape."""
        found: list[int | Batch] = []
        for group in self.groups:
            size = prod(self.node.shape[axis] for axis in group if axis is not None)
            found.append(Batch(size) if None in group else size)
        return found

    def axis(self, axis: int) -> int:
        """An ONNX axis as a feature axis. Raises UnsupportedAttribute for the batch's."""
        total = len(self.groups)
        if not -total <= axis < total:
            raise ShapeMismatch(f"axis {axis} of a tensor with {total} dimensions")
        group = self.groups[axis % total]
        if len(group) != 1 or group[0] is None:
            raise UnsupportedAttribute("an operator works across the rows of the batch")
        return group[0]


def settled(node: Node, place: int, before: int = 0, after: int = 0) -> "Node | Aside":
    """The plain node where the batch is in front."""
    plain = node.batched and place == before == after == 0
    return node if plain else Aside(node, place, before, after)


def _as_aside(x: "Node | Aside") -> Aside:
    return x if isinstance(x, Aside) else Aside(x, 0)


def transposed(x: "Node | Aside", order: Sequence[int]) -> "Node | Aside":
    """Axes in another order. Raises ShapeMismatch."""
    groups = _as_aside(x).groups
    if sorted(order) != list(range(len(groups))):
        raise ShapeMismatch(f"{list(order)} does not order {len(groups)} dimensions")
    moved = [groups[axis] for axis in order]
    place = next(number for number, group in enumerate(moved) if None in group)
    node = _as_aside(x).node
    flat = [axis for group in moved for axis in group if axis is not None]
    rest = moved[place].index(None)
    return settled(ir.permute(node, flat), place, rest, len(moved[place]) - rest - 1)


def reshaped(x: "Node | Aside", wanted: Sequence[int | Batch], allowzero: bool) -> "Node | Aside":
    """Another shape in which the rows stay apart: the batch is one of its dimensions, or a factor of one.
    Raises DynamicShape, ShapeMismatch."""
    view = _as_aside(x)
    old, node = view.dims, view.node
    if not wanted:
        raise ShapeMismatch("a batch is reshaped to a single number")
    if not allowzero and any(item == 0 and axis >= len(old) for axis, item in enumerate(wanted)):
        raise ShapeMismatch(f"a tensor is reshaped to {list(wanted)}")
    filled = [
        old[axis] if isinstance(item, int) and item == 0 and not allowzero else item
        for axis, item in enumerate(wanted)
    ]
    refused = DynamicShape(f"Reshape to {list(wanted)} does not keep the rows of the batch apart")
    named = [axis for axis, item in enumerate(filled) if isinstance(item, Batch)]
    free = [axis for axis, item in enumerate(filled) if item == -1]
    if len(named) > 1 or len(free) > 1 or any(isinstance(item, int) and item < -1 for item in filled):
        raise refused if len(named) > 1 else ShapeMismatch(f"a tensor is reshaped to {list(wanted)}")
    # Without a name the batch is what is left, or in front, whatever number the file holds there.
    place = (named or free or [0])[0]
    ahead = prod(node.shape[: view.place + view.before])
    behind = node.size // max(ahead, 1)
    item = filled[place]
    left, right = _around(filled[:place], filled[place + 1 :], ahead, behind, item)
    if left is None or right is None:
        raise refused
    before, after = ahead // prod(left), behind // prod(right)
    if isinstance(item, Batch) and item.times != before * after:
        raise refused
    features = [*left, *([before] if before > 1 else []), *([after] if after > 1 else []), *right]
    return settled(ir.reshape(node, features), place, int(before > 1), int(after > 1))


Sizes = Sequence[int | Batch]


def _around(
    left: Sizes, right: Sizes, ahead: int, behind: int, batch: int | Batch
) -> tuple[list[int] | None, list[int] | None]:
    """The sizes on both sides of the batch; a free one leaves what the batch's dimension takes in."""
    if isinstance(batch, Batch) and -1 in right:
        found = _sizes(left, ahead)
        merged = 0 if found is None else batch.times // max(ahead // prod(found), 1)
        return found, _sizes(right, behind // merged) if merged and not behind % merged else None
    if isinstance(batch, Batch) and -1 in left:
        found = _sizes(right, behind)
        merged = 0 if found is None else batch.times // max(behind // prod(found), 1)
        return _sizes(left, ahead // merged) if merged and not ahead % merged else None, found
    return _sizes(left, ahead), _sizes(right, behind)


def _sizes(sizes: Sequence[int | Batch], total: int) -> list[int] | None:
    """The sizes, a free one filled so that nothing is left; None where they do not divide `total`."""
    known = [item for item in sizes if isinstance(item, int)]
    product = prod(item for item in known if item != -1)
    if not product or total % product:
        return None
    return [total // product if item == -1 else item for item in known]


def squeezed(x: Aside, axes: Sequence[int]) -> "Node | Aside":
    """Without axes of size 1."""
    gone = {x.axis(axis) for axis in axes}
    if any(x.node.shape[axis] != 1 for axis in gone):
        raise ShapeMismatch("Squeeze of a dimension that is not 1")
    kept = [size for axis, size in enumerate(x.node.shape) if axis not in gone]
    place = x.place - sum(axis < x.place for axis in gone)
    return settled(ir.reshape(x.node, kept), place, x.before, x.after)


def unsqueezed(x: "Node | Aside", axes: Sequence[int]) -> "Node | Aside":
    """With new axes of size 1 at ONNX places."""
    view = _as_aside(x)
    total = len(view.groups) + len(axes)
    places = {axis % total for axis in axes if -total <= axis < total}
    if len(places) != len(axes):
        raise ShapeMismatch(f"Unsqueeze at {list(axes)}")
    groups, features, place = iter(view.groups), [], 0
    for number in range(total):
        group: list[int | None] = [] if number in places else next(groups)
        if None in group:
            place = number
        features += [1] if number in places else [view.node.shape[axis] for axis in group if axis is not None]
    return settled(ir.reshape(view.node, features), place, view.before, view.after)


def stacked(items: Sequence["Node | Aside"], axis: int) -> "Node | Aside":
    """Tensors of a batch along a new axis, as a loop collects them. Raises UnsupportedAttribute."""
    axis %= len(_as_aside(items[0]).groups) + 1
    views = [_as_aside(unsqueezed(item, [axis])) for item in items]
    if len({(view.place, view.before, view.after, view.node.batched) for view in views}) > 1:
        raise UnsupportedAttribute("a loop collects tensors whose batches lie along different axes")
    first = views[0]
    grown = ir.concat([view.node for view in views], first.axis(axis))
    return settled(grown, first.place, first.before, first.after)


Kernel = Callable[..., object]
POINTWISE = frozenset(
    {"Add", "Sub", "Mul", "Div", "Relu", "Tanh", "Sigmoid", "Erf", "Gelu", "Exp", "Sqrt", "Neg", "LeakyRelu",
     "Softplus", "Identity", "Dropout", "Pow", "Clip", "Where", "HardSigmoid", "Elu", "Mish", "Swish", "Cast"}
)  # fmt: skip
LAST_AXIS = frozenset({"Softmax", "LogSoftmax", "LayerNormalization", "RMSNormalization"})
REDUCTIONS = frozenset(
    f"Reduce{what}"
    for what in ("Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSum", "LogSumExp")
)
RECURRENT = frozenset({"LSTM", "GRU", "RNN"})


def through(name: str, inputs: Sequence[object], attributes: dict[str, object], run: Kernel) -> object:
    """An operator on inputs of which some are aside. `run(inputs, attributes)` applies the table to nodes.
    Raises UnsupportedAttribute."""
    if name in RECURRENT:
        return _recurrent(name, inputs, attributes, run)
    views = [
        item if isinstance(item, Aside) else Aside(item, 0)
        for item in inputs
        if isinstance(item, Aside) or (isinstance(item, Node) and item.batched)
    ]
    first = inputs[0]
    batched = max(views, key=lambda view: len(view.groups))
    if len({_from_the_right(view) for view in views}) > 1:
        raise UnsupportedAttribute(f"{name} of tensors whose batches lie along different axes")
    if name in POINTWISE:
        return _wrapped(run([_under(item, batched) for item in inputs], attributes), batched)
    if name == "Concat" and len(views) == len(inputs) and len({view.place for view in views}) == 1:
        place = batched.axis(int(str(attributes.get("axis", 1))))
        grown = ir.concat([view.node for view in views], place)
        return settled(grown, batched.place, batched.before, batched.after)
    axis = attributes.get("axis", -1)
    assert isinstance(axis, int)
    last = len(batched.node.shape) - 1
    behind = batched.place + batched.before + batched.after
    if name in LAST_AXIS and batched.axis(axis) == last and last >= behind:
        return _wrapped(run([batched.node, *inputs[1:]], {**attributes, "axis": -1}), batched)
    shared = len(inputs) > 1 and isinstance(inputs[1], Node) and not inputs[1].batched
    if name in ("MatMul", "Gemm") and shared and isinstance(first, Aside) and last >= behind:
        weights = inputs[1]
        assert isinstance(weights, Node)
        if len(weights.shape) == 2 and not attributes.get("transA"):
            return _product(name, batched, inputs, attributes, run)
    if name == "MatMul" and len(views) == 2 and len({_layout(view) for view in views}) == 1 and last > behind:
        return _wrapped(run([view.node for view in views], attributes), batched)
    if name == "Split" and isinstance(first, Aside):
        place = first.axis(int(str(attributes.get("axis", 0))))
        return _wrapped(run([first.node, *inputs[1:]], {**attributes, "axis": _own(first, place)}), first)
    if name in REDUCTIONS and isinstance(first, Aside):
        return _reduced(first, inputs, attributes, run)
    if name == "Gather" and isinstance(first, Aside) and not isinstance(inputs[1], Aside):
        place = batched.axis(int(str(attributes.get("axis", 0))))
        return _gathered(batched, place, inputs, attributes, run)
    raise UnsupportedAttribute(f"{name} of a tensor whose batch is not its first dimension")


def _own(x: Aside, place: int) -> int:
    """A feature axis as the node's ONNX axis."""
    return place + x.node.batched


def _layout(view: Aside) -> tuple[int, int, int, int]:
    return view.place, view.before, view.after, len(view.node.shape)


def _reduced(x: Aside, inputs: Sequence[object], attributes: dict[str, object], run: Kernel) -> object:
    """A reduction over axes that are not the batch's; those are an attribute, or the second input."""
    given = inputs[1] if len(inputs) > 1 else None
    listed = getattr(given, "array", attributes.get("axes"))
    if not isinstance(listed, tuple | np.ndarray):
        raise UnsupportedAttribute("an operator works across the rows of the batch")
    places = [x.axis(int(axis)) for axis in listed]
    axes = [_own(x, place) for place in places]
    if given is None:
        found = run([x.node], {**attributes, "axes": tuple(axes)})
    else:
        found = run([x.node, replace(given, array=np.array(axes, dtype=np.object_))], attributes)  # type: ignore[type-var]
    gone = 0 if attributes.get("keepdims", 1) else sum(place < x.place for place in places)
    return _wrapped(found, Aside(x.node, x.place - gone, x.before, x.after))


def _from_the_right(view: Aside) -> tuple[int, int, int]:
    """Where numpy's rule would line the batch's axis up."""
    return len(view.groups) - view.place, view.before, view.after


def _wrapped(found: object, like: Aside) -> object:
    if isinstance(found, tuple):
        return tuple(_wrapped(item, like) for item in found)
    if isinstance(found, Node) and (found.batched or not like.node.batched):
        return settled(found, like.place, like.before, like.after)
    return found


def _under(item: object, like: Aside) -> object:
    """An operand of an elementwise operator as one of the node's features."""
    if isinstance(item, Aside) or (isinstance(item, Node) and item.batched):
        node = item.node if isinstance(item, Aside) else item
        return ir.reshape(node, (*(1,) * (len(like.node.shape) - len(node.shape)), *node.shape))
    if not isinstance(item, Node):
        return item
    over = len(item.shape) - (len(like.groups) - 1 - like.place)
    if over <= 0:
        return item
    # The operand reaches the batch's axis: there it must be 1, and so for what is merged with the batch.
    if item.shape[over - 1] != 1:
        raise ShapeMismatch("a tensor does not broadcast over the batch")
    merged = (1,) * (like.before + like.after)
    return ir.reshape(item, (*item.shape[: over - 1], *merged, *item.shape[over:]))


def _product(
    name: str, x: Aside, inputs: Sequence[object], attributes: dict[str, object], run: Kernel
) -> object:
    """A matrix that all rows share, on the last axis."""
    weights = inputs[1]
    assert isinstance(weights, Node)
    if name == "MatMul":
        if _is_zero(x.node):
            # A loop's first turn: else a row's gradient would have to pass through what no row changes.
            return _wrapped(ir.expand_to(ir.const(0.0), (*x.node.shape[:-1], weights.shape[-1])), x)
        return _wrapped(run([x.node, *inputs[1:]], attributes), x)
    flat = ir.reshape(x.node, (x.node.size // x.node.shape[-1], x.node.shape[-1]))
    rest = [item for item in inputs[2:] if isinstance(item, Node)]
    if any(len(item.shape) > 1 for item in rest) or not x.node.batched:
        raise UnsupportedAttribute("Gemm whose bias is a matrix, across the rows of the batch")
    y = ir.dot(flat, weights, "ok" if attributes.get("transB") else "ko")
    alpha, beta = attributes.get("alpha", 1.0), attributes.get("beta", 1.0)
    assert isinstance(alpha, float) and isinstance(beta, float)
    y = y if alpha == 1.0 else y * ir.const(alpha)
    for item in rest:
        y = y + (item if beta == 1.0 else item * ir.const(beta))
    return settled(ir.reshape(y, (*x.node.shape[:-1], y.shape[-1])), x.place, x.before, x.after)


def _is_zero(x: Node) -> bool:
    """Whether these are zeros for every row, known now."""
    known = None if x.batched or x.dtype is not DType.F32 else fold.folded(x)
    return known is not None and not known.any()


def _gathered(
    x: Aside, place: int, inputs: Sequence[object], attributes: dict[str, object], run: Kernel
) -> object:
    """A slice of an axis that is not the batch's: the axis goes if the index is a single number."""
    found = run([x.node, *inputs[1:]], {**attributes, "axis": place + 1})
    assert isinstance(found, Node)
    gone = len(x.node.shape) - len(found.shape)
    return settled(found, x.place - (gone if place < x.place else 0), x.before, x.after)


def _recurrent(name: str, inputs: Sequence[object], attributes: dict[str, object], run: Kernel) -> object:
    """[steps, batch, features] as the layout whose first axis is the batch."""
    x = inputs[0]
    if attributes.get("layout", 0) or not isinstance(x, Aside) or (x.place, x.before, x.after) != (1, 0, 0):
        raise UnsupportedAttribute(f"{name} whose batch is not its second axis")
    nodes = [item.node if isinstance(item, Aside) else item for item in inputs]
    for item in inputs[5:7]:
        if isinstance(item, Aside) and (item.place, item.before, item.after) != (1, 0, 0):
            raise UnsupportedAttribute(f"{name} whose states do not fit its input")
        if isinstance(item, Node) and item.batched:
            raise UnsupportedAttribute(f"{name} whose states do not fit its input")
    found = run(nodes, {**attributes, "layout": 1})
    assert isinstance(found, tuple)
    y, *ends = found
    return (settled(y, 2), *(settled(item, 1) for item in ends))
