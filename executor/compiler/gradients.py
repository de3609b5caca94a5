"""Reverse-mode gradients: one rule for each primitive, and the sweep that applies them.

A rule takes the node and the gradient `g` of the loss by its value, and gives the gradient by each input,
None where there is none. Where PyTorch makes a choice at a kink, the rule makes the same one (relu at 0:
zero; clip at a bound: through; two equal operands of max: half each; equal maxima of a pool: the first in
row-major order).
"""

from collections.abc import Callable, Iterable, Mapping

from executor.compiler import ir, scan
from executor.compiler.gradients_general import GENERAL_RULES
from executor.compiler.ir import Node, const, reduce, reshape, where
from executor.compiler.op import LEAVES, Op

Rule = Callable[[Node, Node], tuple[Node | None, ...]]


def _zero() -> Node:
    return const(0.0)


def _binary(
    da: Callable[[Node, Node, Node, Node], Node], db: Callable[[Node, Node, Node, Node], Node]
) -> Rule:
    """Rules by (a, b, y, g)."""

    def rule(node: Node, g: Node) -> tuple[Node | None, ...]:
        a, b = node.inputs
        return da(a, b, node, g), db(a, b, node, g)

    return rule


def _unary(da: Callable[[Node, Node, Node], Node]) -> Rule:
    """A rule by (x, y, g)."""
    return lambda node, g: (da(node.inputs[0], node, g),)


def _where(node: Node, g: Node) -> tuple[Node | None, ...]:
    a, b = node.inputs[:2]
    return None, None, where(node.op, a, b, g, _zero()), where(node.op, a, b, _zero(), g)


def _larger(a: Node, b: Node, g: Node) -> Node:
    """g where a > b, half of it where they are equal."""
    return where(Op.WHERE_GT, a, b, g, where(Op.WHERE_EQ, a, b, g * const(0.5), _zero()))


def _expand(node: Node, g: Node) -> tuple[Node | None, ...]:
    return (reduce(Op.SUM, g, [k for k, size in enumerate(node.inputs[0].shape) if size == 1]),)


def _permute(node: Node, g: Node) -> tuple[Node | None, ...]:
    (axes,) = node.attrs
    assert isinstance(axes, tuple)
    return (ir.permute(g, [axes.index(axis) for axis in range(len(axes))]),)


def _flip(node: Node, g: Node) -> tuple[Node | None, ...]:
    (axes,) = node.attrs
    assert isinstance(axes, tuple)
    return (ir.flip(g, axes),)


def _slice(node: Node, g: Node) -> tuple[Node | None, ...]:
    starts, steps = node.attrs
    assert isinstance(starts, tuple) and isinstance(steps, tuple)
    whole = node.inputs[0].shape
    after = [n - s - (k - 1) * d - 1 for n, s, k, d in zip(whole, starts, node.shape, steps, strict=True)]
    return (ir.pad(g, starts, after, [step - 1 for step in steps]),)


def _pad(node: Node, g: Node) -> tuple[Node | None, ...]:
    before, between = node.attrs[0], node.attrs[2]
    assert isinstance(before, tuple) and isinstance(between, tuple)
    if not any(between):
        return (_crop(g, before, node.inputs[0].shape),)
    return (ir.take_slice(g, before, node.inputs[0].shape, [gap + 1 for gap in between]),)


def _crop(x: Node, starts: tuple[int, ...], shape: tuple[int, ...]) -> Node:
    """A piece of x without gaps. A convolution computes no more than that piece: the gradient of padding
    drops the border of a gradient by an image, which would be computed for nothing."""
    if tuple(shape) == x.shape:
        return x
    if x.op is Op.CONV and x.attrs[0] == (1, 1) and shape[0] == x.shape[0]:
        image, w = x.inputs
        reach = [a - b for a, b in zip(image.shape[1:], x.shape[1:], strict=True)]
        size = [n + more for n, more in zip(shape[1:], reach, strict=True)]
        dilations, groups = x.attrs[1:]
        assert isinstance(dilations, tuple) and isinstance(groups, int)
        return ir.conv(_crop(image, starts, (image.shape[0], *size)), w, (1, 1), dilations, groups)
    if x.op is Op.PAD and not any(_ints(x.attrs[2])):
        (source,) = x.inputs
        low = [b - start for b, start in zip(_ints(x.attrs[0]), starts, strict=True)]
        high = [n - lo - m for n, lo, m in zip(shape, low, source.shape, strict=True)]
        kept = [m + min(lo, 0) + min(hi, 0) for m, lo, hi in zip(source.shape, low, high, strict=True)]
        fill = x.attrs[3]
        assert isinstance(fill, float)
        if min(kept) > 0:
            inside = _crop(source, tuple(max(-lo, 0) for lo in low), tuple(kept))
            return ir.pad(inside, [max(lo, 0) for lo in low], [max(hi, 0) for hi in high], None, fill)
    return ir.take_slice(x, starts, shape, [1] * len(shape))


def _ints(value: object) -> tuple[int, ...]:
    assert isinstance(value, tuple)
    return value


def _maximum(node: Node, g: Node) -> tuple[Node | None, ...]:
    """Equal maxima share the gradient, as torch.amax does."""
    x = node.inputs[0]
    ties = where(Op.WHERE_EQ, x, node, const(1.0), _zero())
    (axes,) = node.attrs
    assert isinstance(axes, tuple)
    return (ties * (g / reduce(Op.SUM, ties, axes)),)


def _dot(node: Node, g: Node) -> tuple[Node | None, ...]:
    x, w = node.inputs
    if node.attrs[0] == "ok":
        return ir.dot(g, w, "ko"), ir.outer(g, x)
    return ir.dot(g, w, "ok"), ir.outer(x, g)


def _outer_is_last(node: Node, g: Node) -> tuple[Node | None, ...]:
    raise AssertionError(f"{node.op} appears only in gradients")


def _matmul(node: Node, g: Node) -> tuple[Node | None, ...]:
    a, b = node.inputs
    return ir.matmul(g, ir.transpose(b)), ir.matmul(ir.transpose(a), g)


def _conv(node: Node, g: Node) -> tuple[Node | None, ...]:
    """By the image: a convolution of the spread and padded gradient with the flipped, transposed kernel."""
    x, w = node.inputs
    strides, dilations, groups = node.attrs
    assert isinstance(strides, tuple) and isinstance(dilations, tuple) and isinstance(groups, int)
    kernel = (w.shape[2], w.shape[3])
    reach = [d * (k - 1) for d, k in zip(dilations, kernel, strict=True)]
    spread = [(n - 1) * s + 1 for n, s in zip(g.shape[1:], strides, strict=True)]
    missing = [n - r - m for n, r, m in zip(x.shape[1:], reach, spread, strict=True)]
    padded = ir.pad(
        g,
        (0, *reach),
        (0, *(r + m for r, m in zip(reach, missing, strict=True))),
        (0, *(s - 1 for s in strides)),
    )
    outputs, inner = w.shape[:2]
    split = reshape(w, (groups, outputs // groups, inner, *kernel))
    turned = reshape(ir.permute(split, (0, 2, 1, 3, 4)), (groups * inner, outputs // groups, *kernel))
    dx = ir.conv(padded, ir.flip(turned, (2, 3)), (1, 1), dilations, groups)
    return dx, ir.conv_weight(x, g, kernel, strides, dilations, groups)


def _pool_max(node: Node, g: Node) -> tuple[Node | None, ...]:
    x = node.inputs[0]
    return (ir.make(Op.POOL_MAX_GRAD, (x, node, g), x.shape, x.batched, *node.attrs, False),)


def _relu(y: Node, g: Node) -> Node:
    """A window's gradient goes to its largest element, which is positive if and only if the largest is: the
    pool's kernel can compare once a window."""
    if g.op is Op.POOL_MAX_GRAD and g.inputs[0] is y:
        return ir.make(Op.POOL_MAX_GRAD, g.inputs, g.shape, g.batched, *g.attrs[:-1], True)
    return where(Op.WHERE_GT, y, _zero(), g, _zero())


RULES: Mapping[Op, Rule] = {
    Op.NEG: _unary(lambda x, y, g: -g),
    Op.ABS: _unary(
        lambda x, y, g: where(Op.WHERE_GT, x, _zero(), g, where(Op.WHERE_EQ, x, _zero(), _zero(), -g))
    ),
    Op.EXP: _unary(lambda x, y, g: g * y),
    Op.LOG: _unary(lambda x, y, g: g / x),
    Op.SQRT: _unary(lambda x, y, g: g / (y + y)),
    Op.TANH: _unary(lambda x, y, g: g * (const(1.0) - y * y)),
    Op.SIGMOID: _unary(lambda x, y, g: g * (y * (const(1.0) - y))),
    Op.RELU: _unary(lambda x, y, g: _relu(y, g)),
    Op.ADD: _binary(lambda a, b, y, g: g, lambda a, b, y, g: g),
    Op.SUB: _binary(lambda a, b, y, g: g, lambda a, b, y, g: -g),
    Op.MUL: _binary(lambda a, b, y, g: g * b, lambda a, b, y, g: g * a),
    Op.DIV: _binary(lambda a, b, y, g: g / b, lambda a, b, y, g: -(g * y) / b),
    Op.MAX: _binary(lambda a, b, y, g: _larger(a, b, g), lambda a, b, y, g: _larger(b, a, g)),
    Op.MIN: _binary(lambda a, b, y, g: _larger(b, a, g), lambda a, b, y, g: _larger(a, b, g)),
    Op.WHERE_GT: _where,
    Op.WHERE_GE: _where,
    Op.WHERE_EQ: _where,
    Op.RESHAPE: lambda node, g: (reshape(g, node.inputs[0].shape),),
    Op.EXPAND: _expand,
    Op.PERMUTE: _permute,
    Op.FLIP: _flip,
    Op.SLICE: _slice,
    Op.PAD: _pad,
    Op.SUM: lambda node, g: (ir.expand_to(g, node.inputs[0].shape),),
    Op.MAXIMUM: _maximum,
    Op.BATCH_SUM: lambda node, g: (g,),
    Op.DOT: _dot,
    Op.OUTER: _outer_is_last,
    Op.MATMUL: _matmul,
    Op.CONV: _conv,
    Op.CONV_WEIGHT: _outer_is_last,
    Op.POOL_MAX: _pool_max,
    Op.POOL_MAX_GRAD: _outer_is_last,
    **GENERAL_RULES,
}


def _softmax(node: Node, g: Node) -> tuple[Node, Node] | None:
    """x and the gradient by x if the node is y = softmax x or y = ln softmax x, however a model writes it:
    eˣ⁻ᵐ / Σ eˣ⁻ᵐ, or x − m − ln Σ eˣ⁻ᵐ, with the maximum m of x over the axes of the sum.

    y·(g − Σ g·y), and g − eʸ·Σ g: to shift x by m changes no value, so that nothing goes through m.
    """
    if node.op is Op.DIV:
        total = _unspread(node.inputs[1])
        x = _summed_powers(total)
        if x is None or node.inputs[0] is not total.inputs[0]:
            return None
        return x, node * (g - reduce(Op.SUM, g * node, _ints(total.attrs[0])))
    if node.op is Op.SUB and (logarithm := _unspread(node.inputs[1])).op is Op.LOG:
        total = logarithm.inputs[0]
        x = _summed_powers(total)
        if x is None or node.inputs[0] is not total.inputs[0].inputs[0]:
            return None
        return x, g - ir.elementwise(Op.EXP, node) * reduce(Op.SUM, g, _ints(total.attrs[0]))
    return None


def _summed_powers(total: Node) -> Node | None:
    """x if the node is Σ eˣ⁻ᵐ with the maximum m of x over the same axes."""
    if total.op is not Op.SUM or total.inputs[0].op is not Op.EXP:
        return None
    (shifted,) = total.inputs[0].inputs
    if shifted.op is not Op.SUB:
        return None
    x, largest = shifted.inputs[0], _unspread(shifted.inputs[1])
    fits = largest.op is Op.MAXIMUM and largest.inputs[0] is x and largest.attrs == total.attrs
    return x if fits else None


def _unspread(node: Node) -> Node:
    return node.inputs[0] if node.op is Op.EXPAND else node


def gradients(output: Node, seed: Node, wanted: Iterable[Node]) -> dict[Node, Node]:
    """Gradient by each wanted node of the loss whose gradient by `output` is `seed`; those not reached are
    absent.

    Contributions to one node are added in reverse topological order of its users: the order is part of
    NUMERICS.
    """
    return sweep({output: seed}, wanted)


def sweep(seeds: Mapping[Node, Node], wanted: Iterable[Node]) -> dict[Node, Node]:
    """The same for several outputs, each with the gradient by it."""
    order = ir.postorder(seeds)
    wanted = set(wanted)
    active = set(wanted)
    for node in order:
        if any(item in active for item in node.inputs):
            active.add(node)
    found: dict[Node, Node] = dict(seeds)
    parts: dict[Node, dict[Node, Node]] = {}
    contributions: Iterable[tuple[Node, Node | None]]
    for node in reversed(order):
        g = found.get(node)
        if node.op is Op.SCAN and node in active and node in parts:
            contributions = zip(node.inputs, scan.gradient(node, parts[node], active, sweep), strict=True)
        elif g is None or node not in active or node.op in LEAVES:
            continue
        elif node.op is Op.PART:
            parts.setdefault(node.inputs[0], {})[node] = g
            continue
        elif softmax := _softmax(node, g):
            contributions = [softmax]
        else:
            contributions = zip(node.inputs, RULES[node.op](node, g), strict=True)
        for item, part in contributions:
            if part is None or item not in active:
                continue
            whole = ir.batch_sum(part) if part.batched and not item.batched else part
            assert whole.shape == item.shape, (node.op, whole.shape, item.shape)
            found[item] = found[item] + whole if item in found else whole
    return {node: found[node] for node in order if node in wanted and node in found}
