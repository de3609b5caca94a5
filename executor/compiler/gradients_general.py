"""Gradient rules of the primitives with general kernels only; see executor/compiler/gradients.py."""

import math
from collections.abc import Callable, Mapping

from executor.compiler import ir
from executor.compiler.ir import Node, const, elementwise, reduce, where
from executor.compiler.op import Op
from executor.errors import UnsupportedAttribute

Rule = Callable[[Node, Node], tuple[Node | None, ...]]


def _unary(da: Callable[[Node, Node, Node], Node]) -> Rule:
    """A rule by (x, y, g)."""
    return lambda node, g: (da(node.inputs[0], node, g),)


def _nothing(node: Node, g: Node) -> tuple[Node | None, ...]:
    """Steps, integers and bools have none."""
    return (None,) * len(node.inputs)


def _square(x: Node) -> Node:
    return x * x


def _sqrt(x: Node) -> Node:
    return elementwise(Op.SQRT, x)


def _cast(node: Node, g: Node) -> tuple[Node | None, ...]:
    source = node.inputs[0].dtype
    return (ir.cast(g, source) if source.floating and node.dtype.floating else None,)


def _select(node: Node, g: Node) -> tuple[Node | None, ...]:
    condition = node.inputs[0]
    zero = ir.scalar(0, g.dtype)
    return None, ir.select(condition, g, zero), ir.select(condition, zero, g)


def _pow(node: Node, g: Node) -> tuple[Node | None, ...]:
    """y·xʸ⁻¹, and xʸ·log x where x > 0: zero elsewhere, as in PyTorch at 0."""
    x, y = node.inputs
    by_y = None
    if y.dtype.floating and x.dtype.floating:
        alike = ir.cast(y, x.dtype)
        positive = elementwise(Op.GT, x, const(0.0))
        inside = ir.select(positive, x, ir.scalar(1, x.dtype))
        by_y = ir.cast(g * node * elementwise(Op.LOG, inside), y.dtype)
        by_x = g * alike * elementwise(Op.POW, x, alike - const(1.0))
    else:
        alike = ir.cast(y, x.dtype)
        by_x = g * alike * elementwise(Op.POW, x, alike - const(1.0))
    # x⁰ is flat, at x = 0 too, where the product above is 0 · ∞.
    return ir.select(elementwise(Op.EQ, alike, const(0.0)), ir.scalar(0, x.dtype), by_x), by_y


def _modulo(node: Node, g: Node) -> tuple[Node | None, ...]:
    a, b = node.inputs
    part = Op.FLOOR if node.op is Op.MOD else Op.TRUNC
    return g, -(g * elementwise(part, a / b))


def _least(node: Node, g: Node) -> tuple[Node | None, ...]:
    """Equal minima share the gradient, as torch.amin does."""
    x = node.inputs[0]
    ties = where(Op.WHERE_EQ, x, node, const(1.0), const(0.0))
    return (ties * (g / reduce(Op.SUM, ties, _axes(node))),)


def _axes(node: Node) -> tuple[int, ...]:
    axes = node.attrs[0]
    assert isinstance(axes, tuple)
    return axes


def _product(node: Node, g: Node) -> tuple[Node | None, ...]:
    """The product of all others: those before times those after, so that zeros do no harm."""
    x = node.inputs[0]
    axes = _axes(node)
    rest = [axis for axis in range(len(x.shape)) if axis not in axes]
    order = [*rest, *axes]
    moved = ir.permute(x, order)
    count = math.prod(x.shape[axis] for axis in axes)
    flat = ir.reshape(moved, (*(x.shape[axis] for axis in rest), count))
    last = len(rest)
    before = ir.cumulate(Op.MUL, flat, last, True)
    after = ir.flip(ir.cumulate(Op.MUL, ir.flip(flat, (last,)), last, True), (last,))
    others = ir.reshape(before * after, moved.shape)
    return (g * ir.permute(others, [order.index(axis) for axis in range(len(order))]),)


def _cumulate(node: Node, g: Node) -> tuple[Node | None, ...]:
    op, axis, exclusive = node.attrs
    assert isinstance(op, Op) and isinstance(axis, int)
    x = node.inputs[0]
    seen = g if op is Op.ADD else g * node
    total = ir.flip(ir.cumulate(Op.ADD, ir.flip(seen, (axis,)), axis, bool(exclusive)), (axis,))
    return (total if op is Op.ADD else total / x,)


def _take(node: Node, g: Node) -> tuple[Node | None, ...]:
    """What was taken several times gets the sum."""
    x, index = node.inputs
    if not x.batched and index.batched:
        return ir.put_sum(x.shape[0], index, g), None
    return ir.put(Op.ADD, ir.expand_to(ir.scalar(0, g.dtype), x.shape), index, g), None


def _put(node: Node, g: Node) -> tuple[Node | None, ...]:
    _, index, updates = node.inputs
    (op,) = node.attrs
    if op not in (Op.ADD, Op.IDENTITY):
        raise UnsupportedAttribute("no gradient of scattering by products or extremes")
    by_x = g
    if op is Op.IDENTITY:
        by_x = ir.put(Op.IDENTITY, g, index, ir.expand_to(ir.scalar(0, g.dtype), updates.shape))
    return by_x, None, ir.take(g, index)


def _concat(node: Node, g: Node) -> tuple[Node | None, ...]:
    (axis,) = node.attrs
    assert isinstance(axis, int)
    parts, first = [], 0
    for item in node.inputs:
        starts = [0] * len(item.shape)
        starts[axis] = first
        parts.append(ir.take_slice(g, starts, item.shape, [1] * len(item.shape)))
        first += item.shape[axis]
    return tuple(parts)


FLAT = (
    Op.NOT, Op.SIGN, Op.FLOOR, Op.CEIL, Op.ROUND, Op.TRUNC, Op.BITS, Op.AND, Op.OR, Op.XOR, Op.SHL, Op.SHR,
    Op.GT, Op.GE, Op.EQ, Op.ARG, Op.RANK, Op.IDENTITY, Op.RANDOM,
)  # fmt: skip
GENERAL_RULES: Mapping[Op, Rule] = {
    Op.CAST: _cast,
    Op.SELECT: _select,
    Op.SIN: _unary(lambda x, y, g: g * elementwise(Op.COS, x)),
    Op.COS: _unary(lambda x, y, g: -(g * elementwise(Op.SIN, x))),
    Op.TAN: _unary(lambda x, y, g: g * (const(1.0) + _square(y))),
    Op.ASIN: _unary(lambda x, y, g: g / _sqrt(const(1.0) - _square(x))),
    Op.ACOS: _unary(lambda x, y, g: -(g / _sqrt(const(1.0) - _square(x)))),
    Op.ATAN: _unary(lambda x, y, g: g / (const(1.0) + _square(x))),
    Op.SINH: _unary(lambda x, y, g: g * elementwise(Op.COSH, x)),
    Op.COSH: _unary(lambda x, y, g: g * elementwise(Op.SINH, x)),
    Op.ASINH: _unary(lambda x, y, g: g / _sqrt(const(1.0) + _square(x))),
    Op.ACOSH: _unary(lambda x, y, g: g / _sqrt(_square(x) - const(1.0))),
    Op.ATANH: _unary(lambda x, y, g: g / (const(1.0) - _square(x))),
    Op.ERF: _unary(lambda x, y, g: g * const(2 / math.sqrt(math.pi)) * elementwise(Op.EXP, -_square(x))),
    Op.POW: _pow,
    Op.MOD: _modulo,
    Op.REMAINDER: _modulo,
    Op.MINIMUM: _least,
    Op.PRODUCT: _product,
    Op.CUMULATE: _cumulate,
    Op.TAKE: _take,
    Op.PUT: _put,
    Op.CONCAT: _concat,
    **dict.fromkeys(FLAT, _nothing),
}  # fmt: skip
