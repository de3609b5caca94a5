"""Constant folding: the values of nodes that depend on constants only, where a shape, an axis or an index
needs them while the graph is read. Small arrays; numpy's rules are ONNX's here."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from executor.compiler import ir
from executor.compiler.ir import Node
from executor.compiler.op import Op

ELEMENTS_MAX = 1 << 16
"""Elements of an array that is folded."""
Array = NDArray[Any]


def folded(root: Node) -> Array | None:
    """The value of a node, or None if it depends on data, or is large."""
    found: dict[int, Array] = {}
    for node in ir.postorder([root]):
        if node.size > ELEMENTS_MAX or node.batched:
            return None
        if node.op is Op.CONST:
            found[id(node)] = ir.value_of(node)
            continue
        if node.op not in RULES:
            return None
        with np.errstate(all="ignore"):
            value = RULES[node.op](node, *(found[id(item)] for item in node.inputs))
        found[id(node)] = np.asarray(value, dtype=node.dtype.numpy).reshape(node.shape)
    return found[id(root)]


def inputs_of(root: Node) -> frozenset[str]:
    """Names of the graph inputs that a node depends on."""
    return frozenset(str(node.attrs[0]) for node in ir.postorder([root]) if node.op is Op.INPUT)


def _axes(node: Node) -> tuple[int, ...]:
    axes = node.attrs[0]
    assert isinstance(axes, tuple)
    return axes


def _slice(node: Node, x: Array) -> Array:
    starts, steps = node.attrs
    assert isinstance(starts, tuple) and isinstance(steps, tuple)
    places = zip(starts, steps, node.shape, strict=True)
    found: Array = x[tuple(slice(a, a + (n - 1) * b + 1 if n else a, b) for a, b, n in places)]
    return found


def _pad(node: Node, x: Array) -> Array:
    before, _, between, fill = node.attrs
    assert isinstance(before, tuple) and isinstance(between, tuple)
    out = np.full(node.shape, fill, dtype=x.dtype)
    places = zip(before, between, x.shape, strict=True)
    out[tuple(slice(a, a + (n - 1) * (gap + 1) + 1 if n else a, gap + 1) for a, gap, n in places)] = x
    return out


def _divided(node: Node, a: Array, b: Array) -> Array:
    if node.dtype.floating:
        found: Array = a / b
        return found
    safe = np.where(b == 0, 1, b)
    quotient: Array = np.abs(a) // np.abs(safe) * np.sign(a) * np.sign(safe)
    return np.where(b == 0, 0, quotient)


def _take(node: Node, x: Array, index: Array) -> Array:
    index = np.where(index < 0, index + len(x), index).clip(0, max(len(x) - 1, 0)).astype(np.int64)
    found: Array = x[index]
    return found


def _cumulate(node: Node, x: Array) -> Array:
    op, axis, exclusive = node.attrs
    assert isinstance(axis, int)
    if exclusive:
        head = [slice(None)] * x.ndim
        head[axis] = slice(0, -1)
        first = np.full_like(np.take(x, [0], axis), 0 if op is Op.ADD else 1)
        x = np.concatenate([first, x[tuple(head)]], axis)
    found: Array = np.cumsum(x, axis) if op is Op.ADD else np.cumprod(x, axis)
    return found


def _binary(function: Callable[[Array, Array], Any]) -> Callable[..., Any]:
    return lambda node, a, b: function(a, b)


def _unary(function: Callable[[Array], Any]) -> Callable[..., Any]:
    return lambda node, x: function(x)


RULES: Mapping[Op, Callable[..., Any]] = {
    Op.CAST: lambda node, x: x.astype(node.dtype.numpy),
    Op.NEG: _unary(operator.neg),
    Op.RELU: lambda node, x: np.maximum(x, 0),
    Op.WHERE_GT: lambda node, a, b, then, other: np.where(a > b, then, other),
    Op.WHERE_GE: lambda node, a, b, then, other: np.where(a >= b, then, other),
    Op.WHERE_EQ: lambda node, a, b, then, other: np.where(a == b, then, other),
    Op.ABS: _unary(np.abs),
    Op.SIGN: _unary(np.sign),
    Op.SQRT: _unary(np.sqrt),
    Op.FLOOR: _unary(np.floor),
    Op.CEIL: _unary(np.ceil),
    Op.ROUND: _unary(np.rint),
    Op.NOT: lambda node, x: np.logical_not(x) if x.dtype == np.bool_ else np.invert(x),
    Op.ADD: _binary(operator.add),
    Op.SUB: _binary(operator.sub),
    Op.MUL: _binary(operator.mul),
    Op.DIV: _divided,
    Op.MOD: _binary(np.mod),
    Op.REMAINDER: _binary(np.fmod),
    Op.MAX: _binary(np.maximum),
    Op.MIN: _binary(np.minimum),
    Op.POW: _binary(np.power),
    Op.AND: _binary(operator.and_),
    Op.OR: _binary(operator.or_),
    Op.XOR: _binary(operator.xor),
    Op.GT: _binary(operator.gt),
    Op.GE: _binary(operator.ge),
    Op.EQ: _binary(operator.eq),
    Op.SELECT: lambda node, c, a, b: np.where(c, a, b),
    Op.RESHAPE: lambda node, x: x.reshape(node.shape),
    Op.PERMUTE: lambda node, x: x.transpose(_axes(node)),
    Op.EXPAND: lambda node, x: np.broadcast_to(x, node.shape),
    Op.FLIP: lambda node, x: np.flip(x, _axes(node)),
    Op.SLICE: _slice,
    Op.PAD: _pad,
    Op.SUM: lambda node, x: x.sum(axis=_axes(node), keepdims=True),
    Op.MAXIMUM: lambda node, x: x.max(axis=_axes(node), keepdims=True),
    Op.MINIMUM: lambda node, x: x.min(axis=_axes(node), keepdims=True),
    Op.PRODUCT: lambda node, x: x.prod(axis=_axes(node), keepdims=True),
    Op.CUMULATE: _cumulate,
    Op.TAKE: _take,
    Op.CONCAT: lambda node, *parts: np.concatenate(parts, axis=node.attrs[0]),
}
