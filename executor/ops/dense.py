"""Matrix products, and what turns features into scores."""

from executor.compiler import ir
from executor.compiler.ir import Node, const, reduce
from executor.compiler.op import Op
from executor.errors import ShapeMismatch, UnsupportedAttribute
from executor.ops.table import operator
from executor.ops.values import aligned, feature_axis, rank


@operator("Gemm", since=7)
def gemm(
    a: Node,
    b: Node,
    c: Node | None = None,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    transA: int = 0,
    transB: int = 0,
) -> Node:
    """alpha · A' · B' + beta · C."""
    if rank(a) != 2 or rank(b) != 2:
        raise ShapeMismatch("Gemm wants two matrices")
    if b.batched or (a.batched and transA):
        raise UnsupportedAttribute("Gemm across the rows of the batch")
    if a.batched:
        y = ir.dot(a, b, "ok" if transB else "ko")
    else:
        y = ir.matmul(ir.transpose(a) if transA else a, ir.transpose(b) if transB else b)
    if alpha != 1.0:
        y = y * const(alpha)
    if c is None or beta == 0.0:
        return y
    if beta != 1.0:
        c = c * const(beta)
    y, c = aligned(y, c)
    if (c.batched and not y.batched) or ir.broadcast_shape([y.shape, c.shape]) != y.shape:
        raise ShapeMismatch(f"Gemm adds {list(c.shape)} to {list(y.shape)}")
    return y + c


@operator("Gemm")
def gemm_1(
    a: Node,
    b: Node,
    c: Node,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    broadcast: int = 0,
    transA: int = 0,
    transB: int = 0,
) -> Node:
    """Before opset 7 a bias is spread only if `broadcast` says so; here it always may be."""
    return gemm(a, b, c, alpha=alpha, beta=beta, transA=transA, transB=transB)


@operator("MatMul")
def matmul(a: Node, b: Node) -> Node:
    """numpy.matmul, with the batch as first axis where an operand has one."""
    if a.batched and not b.batched:
        return _times_shared(a, b)
    if b.batched and not a.batched:
        return _shared_times(a, b)
    if min(len(a.shape), len(b.shape)) < 2:
        return _vectors(a, b)
    lead = ir.broadcast_shape([a.shape[:-2], b.shape[:-2]])
    if a.batched and len(a.shape) != len(b.shape):
        raise ShapeMismatch("batched tensors of different rank do not broadcast")
    return ir.matmul(ir.expand_to(a, (*lead, *a.shape[-2:])), ir.expand_to(b, (*lead, *b.shape[-2:])))


def _times_shared(a: Node, b: Node) -> Node:
    """Batched times a matrix (or vector) that all rows share."""
    if not a.shape or not b.shape:
        raise ShapeMismatch("MatMul wants at least vectors")
    if len(b.shape) == 1:
        return ir.reshape(ir.dot(a, ir.reshape(b, (b.shape[0], 1)), "ko"), a.shape[:-1])
    while len(b.shape) > 2 and b.shape[0] == 1 and len(b.shape) <= len(a.shape) + 1:
        b = ir.reshape(b, b.shape[1:])
    if len(b.shape) != 2:
        raise UnsupportedAttribute("MatMul with a stack of shared matrices")
    return ir.dot(a, b, "ko")


def _shared_times(a: Node, b: Node) -> Node:
    """A shared matrix times batched ones: y = (bᵀ · aᵀ)ᵀ."""
    if len(a.shape) != 2 or len(b.shape) < 2:
        raise UnsupportedAttribute("MatMul across the rows of the batch, or with a stack of shared matrices")
    return ir.transpose(ir.dot(ir.transpose(b), a, "ok"))


def _vectors(a: Node, b: Node) -> Node:
    if a.batched or not a.shape or not b.shape:
        raise UnsupportedAttribute("MatMul across the rows of the batch")
    left = ir.reshape(a, (1, *a.shape)) if len(a.shape) == 1 else a
    right = ir.reshape(b, (*b.shape, 1)) if len(b.shape) == 1 else b
    y = matmul(left, right)
    lead = y.shape[:-2]
    rows = () if len(a.shape) == 1 else y.shape[-2:-1]
    columns = () if len(b.shape) == 1 else y.shape[-1:]
    return ir.reshape(y, (*lead, *rows, *columns))


def _softmax_axes(x: Node, axis: int, flat: bool) -> list[int]:
    """One axis; before opset 13 all axes from there on."""
    first = feature_axis(x, axis)
    return list(range(first, len(x.shape))) if flat else [first]


def _softmax(x: Node, axes: list[int]) -> Node:
    powers = ir.elementwise(Op.EXP, x - reduce(Op.MAXIMUM, x, axes))
    return powers / reduce(Op.SUM, powers, axes)


def _log_softmax(x: Node, axes: list[int]) -> Node:
    shifted = x - reduce(Op.MAXIMUM, x, axes)
    total = reduce(Op.SUM, ir.elementwise(Op.EXP, shifted), axes)
    return shifted - ir.elementwise(Op.LOG, total)


@operator("Softmax")
def softmax_1(x: Node, *, axis: int = 1) -> Node:
    return _softmax(x, _softmax_axes(x, axis, True))


@operator("Softmax", since=13)
def softmax(x: Node, *, axis: int = -1) -> Node:
    return _softmax(x, _softmax_axes(x, axis, False))


@operator("LogSoftmax")
def log_softmax_1(x: Node, *, axis: int = 1) -> Node:
    return _log_softmax(x, _softmax_axes(x, axis, True))


@operator("LogSoftmax", since=13)
def log_softmax(x: Node, *, axis: int = -1) -> Node:
    return _log_softmax(x, _softmax_axes(x, axis, False))
