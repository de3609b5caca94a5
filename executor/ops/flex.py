"""FlexAttention of the preview domain: attention whose scores and probabilities pass through sub-graphs."""

from math import sqrt

from executor.compiler import ir
from executor.compiler.ir import Node, const
from executor.compiler.op import Op
from executor.compiler.types import BY_ONNX, DType
from executor.errors import MalformedGraph, ShapeMismatch, UnsupportedType
from executor.ops.table import Body, operator
from executor.ops.values import tensor


@operator("ai.onnx.preview.FlexAttention")
def flex_attention(
    q: Node,
    k: Node,
    v: Node,
    *,
    scale: float | None = None,
    score_mod: Body | None = None,
    prob_mod: Body | None = None,
    softmax_precision: int | None = None,
) -> Node:
    """softmax(score_mod(q · kᵀ · scale)), through prob_mod, times v: each [batch, heads, length, size]."""
    first = 1 - q.batched
    if any(len(x.shape) != first + 3 or x.batched != q.batched for x in (q, k, v)):
        raise ShapeMismatch("FlexAttention wants [batch, heads, length, size]")
    heads, shared = q.shape[first], k.shape[first]
    if not shared or heads % shared or v.shape[first] != shared:
        raise ShapeMismatch(f"{heads} heads of queries for {shared} of keys")
    k, v = (_repeated(x, first, heads // shared) for x in (k, v))
    wide = DType.F64 if q.dtype is DType.F64 else DType.F32
    kind = wide if softmax_precision is None else BY_ONNX.get(softmax_precision)
    if kind is None or not kind.floating:
        raise UnsupportedType(f"a softmax in the type {softmax_precision}")
    factor = 1 / sqrt(q.shape[-1]) if scale is None else scale
    scores = ir.matmul(ir.cast(q, kind), ir.transpose(ir.cast(k, kind))) * const(factor)
    scores = _modified(scores, score_mod)
    powers = ir.elementwise(Op.EXP, scores - ir.reduce(Op.MAXIMUM, scores, [first + 2]))
    shares = _modified(powers / ir.reduce(Op.SUM, powers, [first + 2]), prob_mod)
    return ir.cast(ir.matmul(shares, ir.cast(v, kind)), q.dtype)


def _repeated(x: Node, place: int, times: int) -> Node:
    """Each head for so many neighbours."""
    shape = x.shape
    wide = ir.reshape(x, (*shape[: place + 1], 1, *shape[place + 1 :]))
    wide = ir.expand_to(wide, (*shape[: place + 1], times, *shape[place + 1 :]))
    return ir.reshape(wide, (*shape[:place], shape[place] * times, *shape[place + 1 :]))


def _modified(x: Node, body: Body | None) -> Node:
    if body is None:
        return x
    found = body(x)
    if len(found) != 1 or tensor(found[0]).shape != x.shape or tensor(found[0]).dtype is not x.dtype:
        raise MalformedGraph("a modifier of attention changes the shape or type")
    return tensor(found[0])
