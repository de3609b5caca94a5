"""Differentially private gradients (DP-SGD: Abadi et al. 2016, arXiv:1607.00133): clipped row by row, added
up as whole numbers, noised, all inside the module.

The ordinary gradients of a model are expressions that are linear in sums over the batch. `RowByRow` takes the
sums away: the same expression for every row alone. What it does not know how to take apart is refused by
name, and so is a model that mixes rows (batch statistics), since then no row's influence would be bounded by
clipping its gradient.

Then, with the grid of `executor.privacy.grid`:

    n  ≥ ‖(g_p for all parameters p)‖      for each row, raised by what rounding may have lost
    s  = min(units, R / n)                 0 for rows that only pad the batch, and where n is not finite
    S_p = Σ over rows of round(s·g_p)      int32, exact
    gradient of p = (S_p + noise)·clip/(C·batch)

Dense layers are not written out row by row: ‖a·bᵀ‖ = ‖a‖·‖b‖ (Goodfellow 2015, arXiv:1510.01799), and the
rounding of a·b goes into the sum directly.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from math import prod

import numpy as np

from executor.compiler import ir
from executor.compiler.ir import Node, const, reduce, reshape, where
from executor.compiler.op import MOVEMENT, Op
from executor.compiler.scan import body_of
from executor.errors import MixesRows, NotPrivate
from executor.privacy.grid import Grid, margin

NOISE = "noise".ljust(300)
"""Key of the noise among the places: longer than any tensor's name can be."""
TINY = 2.0**-120
"""Above what squares can lose by underflow: 2²⁶ of them lose at most 2⁻¹²³."""
LARGEST = 3.0e38


def check_rows_apart(roots: Sequence[Node]) -> None:
    """MixesRows when a value of one row depends on other rows."""
    summed: set[Node] = set()
    for node in ir.postorder(roots):
        if node.op is Op.SCAN:  # what a turn hands on belongs to its row alone
            body = body_of(node)
            check_rows_apart([*body.next, *body.given])
        depends = any(item in summed or item.batched for item in node.inputs)
        if node.batched and any(item in summed for item in node.inputs):
            raise MixesRows(f"{node.op.name} makes a row's value depend on other rows of its batch")
        if not node.batched and depends:
            summed.add(node)
    if not summed.isdisjoint(roots):
        raise MixesRows("a value depends on the whole batch")


def check_noised(released: Sequence[Node], slots: str) -> None:
    """NotPrivate unless all that the values of `released` have from rows came through noise: a node that is
    batched, or that a shard left under the key `slots`, is reached through NOISED only.

    The last word about what leaves: it asks nothing of how a gradient, an update or a statistic was made.
    """
    seen: set[Node] = set()
    stack = list(released)
    while stack:
        node = stack.pop()
        if node in seen or node.op is Op.NOISED:
            continue
        seen.add(node)
        if node.batched or (node.op is Op.PARAM and node.attrs[0] == slots):
            raise NotPrivate("a value that leaves depends on rows in other ways than through noise")
        stack += node.inputs


@dataclass(frozen=True)
class Outer:
    """A row's gradient that is a·bᵀ, and the movements that follow."""

    a: Node
    b: Node
    movements: tuple[Node, ...]


class RowByRow:
    """Takes sums over the batch out of gradient expressions."""

    def __init__(self) -> None:
        self._done: dict[Node, Node] = {}
        self._outers: dict[Node, tuple[Node, Node]] = {}

    def of(self, gradients: Sequence[Node]) -> list[Node]:
        """The batched expressions whose sums over the rows are `gradients`. Raises NotPrivate."""
        for node in ir.postorder(gradients):  # once for all: they share most of what they are made of
            if node not in self._done and not node.batched:
                self._done[node] = self._taken(node)
        return [self._done[gradient] for gradient in gradients]

    def outer(self, each: Node) -> Outer | None:
        """The factors of `each` if it is an outer product that was at most moved about."""
        movements: list[Node] = []
        while each not in self._outers and each.op in (Op.RESHAPE, Op.PERMUTE, Op.FLIP):
            movements.append(each)
            each = each.inputs[0]
        if each not in self._outers:
            return None
        a, b = self._outers[each]
        return Outer(a, b, tuple(reversed(movements)))

    def _taken(self, node: Node) -> Node:
        if node.op in TAKEN:
            return TAKEN[node.op](self, node)
        inputs = [self._done.get(item, item) for item in node.inputs]
        if not any(item.batched for item in inputs):
            return node
        if not _linear(node, [item.batched for item in inputs]):
            raise NotPrivate(f"the gradient of single rows through {node.op.name} is not known")
        return Node(node.op, tuple(inputs), node.shape, True, node.attrs, node.dtype)

    def _outer(self, node: Node) -> Node:
        a, b = node.inputs
        between = prod(a.shape[:-1])
        if between > 1:
            left = ir.transpose(reshape(a, (between, a.shape[-1])))
            return ir.matmul(left, reshape(b, (between, b.shape[-1])))
        a, b = reshape(a, (a.size, 1)), reshape(b, (1, b.size))
        each = a * b
        self._outers[each] = (reshape(a, (a.size,)), reshape(b, (b.size,)))
        return each

    def _conv_weight(self, node: Node) -> Node:
        x, dy = node.inputs
        return ir.make(Op.CONV_WEIGHT, (x, dy), node.shape, True, *node.attrs)


TAKEN: Mapping[Op, Callable[[RowByRow, Node], Node]] = {
    Op.BATCH_SUM: lambda rows, node: node.inputs[0],
    Op.OUTER: RowByRow._outer,
    Op.CONV_WEIGHT: RowByRow._conv_weight,
    Op.PUT_SUM: lambda rows, node: ir.put(Op.ADD, const(0.0, node.shape), *node.inputs),
}
"""Sums over the batch, and what each row adds to them."""


def _linear(node: Node, summed: Sequence[bool]) -> bool:
    """Whether the node is linear in those of its inputs that are sums over rows."""
    match node.op:
        case Op.NEG | Op.SUM | Op.RESHAPE | Op.PERMUTE | Op.EXPAND | Op.FLIP | Op.SLICE:
            return True
        case Op.TAKE:
            return not summed[1]
        case Op.PUT:
            adds = node.attrs[0] is Op.ADD or (node.attrs[0] is Op.IDENTITY and _is_zero(node.inputs[2]))
            return (
                adds
                and not summed[1]
                and all(
                    one or _is_zero(item) for one, item in zip(summed[::2], node.inputs[::2], strict=True)
                )
            )
        case Op.CONCAT:
            return all(summed)
        case Op.SELECT:
            return not summed[0] and all(
                one or _is_zero(item) for one, item in zip(summed[1:], node.inputs[1:], strict=True)
            )
        case Op.PAD:
            return node.attrs[3] == 0.0
        case Op.ADD | Op.SUB:
            return all(summed)
        case Op.MUL:
            return sum(summed) == 1
        case Op.DIV:
            return not summed[1]
        case Op.WHERE_GT | Op.WHERE_GE | Op.WHERE_EQ:
            return not any(summed[:2]) and all(
                one or _is_zero(item) for one, item in zip(summed[2:], node.inputs[2:], strict=True)
            )
    return False


def _is_zero(node: Node) -> bool:
    while node.op in MOVEMENT:
        node = node.inputs[0]
    return node.op is Op.CONST and not ir.value_of(node).any()


@dataclass(frozen=True)
class Clipped:
    """A parameter's gradients, row by row, and their squared norms."""

    parameter: Node
    each: Node
    outer: Outer | None
    square: Node
    roundings: int


def private_sums(found: Mapping[Node, Node], chosen: Sequence[Node], grid: Grid) -> list[Node]:
    """Sums of clipped gradients of the chosen parameters on the grid, int32, from their ordinary summed ones.
    Raises NotPrivate.
    """
    rows = RowByRow()
    each = rows.of([found[parameter] for parameter in chosen])
    clipped = [_clipped(rows, *pair) for pair in zip(chosen, each, strict=True)]
    total = clipped[0].square
    for part in clipped[1:]:
        total = total + part.square
    scale = _scale(total, grid, sum(part.roundings for part in clipped) + len(clipped))
    added = [(part.each,) if part.outer is None else (part.outer.a, part.outer.b) for part in clipped]
    check_rows_apart([scale, *(node for nodes in added for node in nodes)])
    return [_summed(part, scale) for part in clipped]


def noised_means(sums: Sequence[Node], grid: Grid, batch: int) -> list[Node]:
    """Noised mean gradients from the sums over a batch. The noise has one column for each element, in the
    order of the sums.
    """
    factor = _down(grid.value(batch))
    return [ir.noised(total, NOISE, place, factor) for total, place in zip(sums, _places(sums), strict=True)]


def noised_means_of_shards(lines: Node, sums: Sequence[Node], grid: Grid, batch: int) -> list[Node]:
    """The same from a line for each shard, in which its sums lie side by side: whole numbers add up to the
    same total, however a batch is cut.
    """
    factor = _down(grid.value(batch))
    return [
        ir.noised_lines(lines, total.shape, place[0], NOISE, place, factor)
        for total, place in zip(sums, _places(sums), strict=True)
    ]


def _places(sums: Sequence[Node]) -> list[tuple[int, int]]:
    """(first column, all columns) of each sum's noise."""
    ends = list(accumulate(total.size for total in sums))
    return [(end - total.size, ends[-1]) for total, end in zip(sums, ends, strict=True)]


def _clipped(rows: RowByRow, parameter: Node, each: Node) -> Clipped:
    if not each.batched:
        raise NotPrivate("a gradient does not come from the rows")
    outer = rows.outer(each)
    if outer is None:
        square, roundings = _square(each)
        return Clipped(parameter, each, None, square, roundings)
    (a, more), (b, other) = _square(outer.a), _square(outer.b)
    return Clipped(parameter, each, outer, a * b, more + other + 1)


def _square(x: Node) -> tuple[Node, int]:
    """Σ x² for each row, and through how many roundings in a row: an axis at a time, so that chains stay
    short.
    """
    total, roundings = x * x, 2
    for axis in reversed(range(len(x.shape))):
        total = reduce(Op.SUM, total, [axis])
        roundings += x.shape[axis] - 1
    return reshape(total, ()) + const(TINY), roundings


def _scale(square: Node, grid: Grid, roundings: int) -> Node:
    """Grid units for 1.0 of a row's gradient: never so much that the row's norm passes the radius."""
    norm = ir.elementwise(Op.SQRT, square) * const(_up(margin(roundings)))
    scale = ir.elementwise(Op.MIN, const(_down(Fraction(grid.radius))) / norm, const(_down(grid.units)))
    scale = where(Op.WHERE_GE, const(LARGEST), square, scale, const(0.0))
    live = ir.make(Op.ROW_WEIGHT, (), (), True)
    return where(Op.WHERE_GT, live, const(0.0), scale, const(0.0))


def _summed(part: Clipped, scale: Node) -> Node:
    if part.outer is None:
        return ir.grid_sum(part.each, scale)
    # Infinities and NaNs of a row that is left out must not meet its zeros: choose, never multiply.
    left = where(Op.WHERE_GT, scale, const(0.0), part.outer.a, const(0.0))
    right = where(Op.WHERE_GT, scale, const(0.0), part.outer.b * scale, const(0.0))
    total = ir.grid_outer(left, right)
    for move in part.outer.movements:
        total = Node(move.op, (total,), move.shape, False, move.attrs)
    return total


def _down(value: Fraction) -> float:
    """The largest float32 that is not above a positive value."""
    near = np.float32(float(value))
    return float(np.nextafter(near, np.float32(0)) if Fraction(float(near)) > value else near)


def _up(value: Fraction) -> float:
    """The smallest float32 that is not below a positive value."""
    near = np.float32(float(value))
    return float(np.nextafter(near, np.float32(np.inf)) if Fraction(float(near)) < value else near)
