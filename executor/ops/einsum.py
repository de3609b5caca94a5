"""Einstein sums: pairs of operands, as matrix products where they are some."""

from math import prod

from executor.compiler import ir
from executor.compiler.ir import Node
from executor.compiler.op import Op
from executor.errors import ShapeMismatch, UnsupportedAttribute
from executor.ops.table import operator
from executor.ops.values import rank


@operator("Einsum", since=12)
def einsum(*xs: Node, equation: str) -> Node:
    terms, result = _parsed(equation.replace(" ", ""), [rank(x) for x in xs])
    if any(x.batched for x in xs):
        terms, result = _without_rows(list(xs), terms, result)
    y, labels = _once(xs[0], terms[0])
    for number, (x, term) in enumerate(zip(xs[1:], terms[1:], strict=True), 2):
        later = result + "".join(terms[number:])
        y, labels = _pair(y, labels, *_once(x, term), later)
    gone = [place for place, label in enumerate(labels) if label not in result]
    y = ir.reduce(Op.SUM, y, gone)
    labels_left = "".join(label for label in labels if label in result)
    y = ir.reshape(y, [size for place, size in enumerate(y.shape) if place not in gone])
    if sorted(labels_left) != sorted(result):
        raise ShapeMismatch(f"the result of {equation!r} has a label that no operand has")
    return ir.permute(y, [labels_left.index(label) for label in result])


def _parsed(equation: str, ranks: list[int]) -> tuple[list[str], str]:
    """Labels of operands and result, ellipses written out by private labels. Raises UnsupportedAttribute,
    ShapeMismatch."""
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ShapeMismatch(f"{equation!r} for {len(ranks)} operands")
    if any(not label.isalpha() for label in (left + right).replace("...", "").replace(",", "")):
        raise UnsupportedAttribute(f"the equation {equation[:80]!r}")
    extra = [size - len(term.replace("...", "")) for term, size in zip(terms, ranks, strict=True)]
    for term, more in zip(terms, extra, strict=True):
        if more < 0 or (more and "..." not in term):
            raise ShapeMismatch(f"{equation!r} does not fit its operands")
    most = max([more for term, more in zip(terms, extra, strict=True) if "..." in term], default=0)
    private = [chr(0x2460 + number) for number in range(most)]
    found = [
        term.replace("...", "".join(private[most - more :])) for term, more in zip(terms, extra, strict=True)
    ]
    if not arrow:
        every = "".join(found)
        single = sorted(label for label in set(every) if every.count(label) == 1 and label not in private)
        return found, "".join(private) + "".join(single)
    return found, right.replace("...", "".join(private))


def _without_rows(xs: list[Node], terms: list[str], result: str) -> tuple[list[str], str]:
    """Terms of one row: the first label of every operand of the batch is the batch's."""
    rows = {term[0] for x, term in zip(xs, terms, strict=True) if x.batched}
    if len(rows) != 1 or result[:1] not in rows:
        raise UnsupportedAttribute("an Einsum across the rows of the batch")
    row = rows.pop()
    left = [term[1:] if x.batched else term for x, term in zip(xs, terms, strict=True)]
    if any(row in term for term in left) or row in result[1:]:
        raise UnsupportedAttribute("an Einsum across the rows of the batch")
    return left, result[1:]


def _once(x: Node, labels: str) -> tuple[Node, str]:
    """The diagonal where a label stands twice."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            rest = [axis for axis in range(len(labels)) if axis not in (first, second)]
            size = x.shape[first]
            if x.shape[second] != size:
                raise ShapeMismatch(f"the label {label!r} has two sizes")
            moved = ir.permute(x, [first, second, *rest])
            shape = moved.shape[2:]
            flat = ir.reshape(moved, (size * size, *shape))
            x = ir.take_slice(flat, [0] * len(flat.shape), (size, *shape), [size + 1] + [1] * len(shape))
            labels = label + "".join(labels[axis] for axis in rest)
    return x, labels


def _pair(a: Node, left: str, b: Node, right: str, later: str) -> tuple[Node, str]:
    """The product of two, summed over what nobody needs later."""
    a, left = _summed(a, left, right + later)
    b, right = _summed(b, right, left + later)
    both = [label for label in left if label in right]
    for label in both:
        if a.shape[left.index(label)] != b.shape[right.index(label)]:
            raise ShapeMismatch(f"the label {label!r} has two sizes")
    kept, summed = [k for k in both if k in later], [k for k in both if k not in later]
    own, other = [k for k in left if k not in both], [k for k in right if k not in both]
    sizes = {k: a.shape[left.index(k)] for k in left} | {k: b.shape[right.index(k)] for k in right}
    lead = [sizes[k] for k in kept]
    rows, columns, inner = (prod(sizes[k] for k in labels) for labels in (own, other, summed))
    x = ir.reshape(ir.permute(a, [left.index(k) for k in kept + own + summed]), (*lead, rows, inner))
    y = ir.reshape(ir.permute(b, [right.index(k) for k in kept + summed + other]), (*lead, inner, columns))
    if a.batched == b.batched:
        product = ir.matmul(x, y)
    elif a.batched and not kept:
        product = ir.dot(x, y, "ko")
    else:
        wide = ir.reshape(x, (*lead, rows, inner, 1)) * ir.reshape(y, (*lead, 1, inner, columns))
        product = ir.reshape(ir.reduce(Op.SUM, wide, [len(lead) + 1]), (*lead, rows, columns))
    labels = "".join(kept + own + other)
    return ir.reshape(product, [sizes[k] for k in labels]), labels


def _summed(x: Node, labels: str, needed: str) -> tuple[Node, str]:
    """Without the labels that only this operand has."""
    gone = [place for place, label in enumerate(labels) if label not in needed]
    if not gone:
        return x, labels
    y = ir.reduce(Op.SUM, x, gone)
    shape = [size for place, size in enumerate(y.shape) if place not in gone]
    return ir.reshape(y, shape), "".join(label for label in labels if label in needed)
