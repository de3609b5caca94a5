"""Normalisation: over the batch, a layer, an instance, groups, neighbours."""

from executor.compiler import ir
from executor.compiler.ir import Node, const, reduce
from executor.compiler.op import Op
from executor.compiler.types import BY_ONNX
from executor.errors import ShapeMismatch, UnsupportedAttribute, UnsupportedType
from executor.ops.table import operator
from executor.ops.values import Values, feature_axes, feature_axis

Ones = tuple[int, ...] | None


def _mean(x: Node, axes: list[int]) -> Node:
    y = reduce(Op.SUM, x, axes)
    return y * const(y.size / x.size)


def _normal(x: Node, axes: list[int], epsilon: float) -> tuple[Node, Node, Node]:
    """((x − mean) / √(variance + ε), mean, 1 / √(variance + ε))."""
    mean = _mean(x, axes)
    apart = x - mean
    inverse = const(1.0) / ir.elementwise(Op.SQRT, _mean(apart * apart, axes) + const(epsilon))
    return apart * inverse, mean, inverse


def _channels(x: Node, value: Node) -> Node:
    """A number for each channel, under a tensor [batch, channels, …]. Raises ShapeMismatch."""
    places = len(x.shape) + x.batched - 2
    if len(value.shape) != 1 or value.batched or places < 0:
        raise ShapeMismatch("a normalisation has one number for each channel")
    if value.shape[0] != x.shape[len(x.shape) - places - 1]:
        raise ShapeMismatch(f"{value.shape[0]} numbers for the channels of {list(x.shape)}")
    return ir.reshape(value, (value.shape[0], *(1,) * places))


def _inference(x: Node, scale: Node, bias: Node, mean: Node, variance: Node, epsilon: float) -> Node:
    """With the statistics that the model brings: they are not trained."""
    mean, variance = (_channels(x, ir.stopped(value)) for value in (mean, variance))
    spread = ir.elementwise(Op.SQRT, ir.cast(variance, x.dtype) + const(epsilon))
    factor = _channels(x, ir.cast(scale, x.dtype)) / spread
    return (x - ir.cast(mean, x.dtype)) * factor + _channels(x, ir.cast(bias, x.dtype))


@operator("BatchNormalization")
def batch_normalization_1(
    x: Node,
    scale: Node,
    bias: Node,
    mean: Node,
    variance: Node,
    *,
    epsilon: float = 1e-5,
    momentum: float = 0.9,
    spatial: int = 1,
    is_test: int = 1,
    consumed_inputs: Ones = None,
    training_mode: int = 0,
) -> Values:
    """As opset 14's; the mode is marked by executor/graph/parse.py."""
    if not spatial:
        raise UnsupportedAttribute("BatchNormalization of each element on its own")
    return batch_normalization(
        x, scale, bias, mean, variance, epsilon=epsilon, momentum=momentum, training_mode=training_mode
    )


@operator("BatchNormalization", since=14)
def batch_normalization(
    x: Node,
    scale: Node,
    bias: Node,
    mean: Node,
    variance: Node,
    *,
    epsilon: float = 1e-5,
    momentum: float = 0.9,
    training_mode: int = 0,
) -> Values:
    """In training mode by the batch's own statistics, with the running ones as further outputs."""
    if not training_mode:
        return (_inference(x, scale, bias, mean, variance, epsilon),)
    own_mean, apart, own_variance = _statistics(x)
    spread = ir.elementwise(Op.SQRT, own_variance + const(epsilon))
    y = apart / spread * _channels(x, scale) + _channels(x, bias)
    old, new = const(momentum), const(1.0 - momentum)
    flat = mean.shape
    return (
        y,
        mean * old + ir.cast(ir.reshape(own_mean, flat), mean.dtype) * new,
        variance * old + ir.cast(ir.reshape(own_variance, flat), variance.dtype) * new,
    )


def _statistics(x: Node) -> tuple[Node, Node, Node]:
    """(mean, x − mean, variance) of each channel over batch and places."""
    places = len(x.shape) + x.batched - 2
    channel = len(x.shape) - places - 1
    axes = [axis for axis in range(len(x.shape)) if axis != channel]
    if not x.batched:
        mean = _mean(x, axes)
        apart = x - mean
        return (
            ir.reshape(mean, mean.shape[channel:]),
            apart,
            ir.reshape(_mean(apart * apart, axes), mean.shape[channel:]),
        )
    mean = _over_rows(_mean(x, axes))
    apart = x - mean
    return mean, apart, _over_rows(_mean(apart * apart, axes))


def _over_rows(x: Node) -> Node:
    """The mean over the rows of the batch; those that only pad it count nothing."""
    return ir.batch_sum(x * ir.make(Op.ROW_WEIGHT, (), (), True))


@operator("InstanceNormalization")
def instance_normalization(
    x: Node, scale: Node, bias: Node, *, epsilon: float = 1e-5, consumed_inputs: Ones = None
) -> Node:
    first = 2 - x.batched
    y, _, _ = _normal(x, list(range(first, len(x.shape))), epsilon)
    return y * _channels(x, scale) + _channels(x, bias)


def _grouped(x: Node, groups: int, epsilon: float) -> Node:
    first = 1 - x.batched
    channels = x.shape[first]
    if groups < 1 or channels % groups:
        raise ShapeMismatch(f"{channels} channels in {groups} groups")
    split = ir.reshape(x, (*x.shape[:first], groups, channels // groups, *x.shape[first + 1 :]))
    y, _, _ = _normal(split, list(range(first + 1, len(split.shape))), epsilon)
    return ir.reshape(y, x.shape)


@operator("GroupNormalization", since=18)
def group_normalization_18(
    x: Node, scale: Node, bias: Node, *, epsilon: float = 1e-5, num_groups: int
) -> Node:
    """Scale and bias for each group."""
    each = x.shape[1 - x.batched] // max(num_groups, 1)
    return group_normalization(
        x, _repeated(scale, each), _repeated(bias, each), epsilon=epsilon, num_groups=num_groups
    )


def _repeated(value: Node, times: int) -> Node:
    size = value.size
    return ir.reshape(ir.expand_to(ir.reshape(value, (size, 1)), (size, times)), (size * times,))


@operator("GroupNormalization", since=21)
def group_normalization(
    x: Node, scale: Node, bias: Node, *, epsilon: float = 1e-5, num_groups: int, stash_type: int = 1
) -> Node:
    """Scale and bias for each channel."""
    wide = _stashed(x, stash_type)
    y = ir.cast(_grouped(wide, num_groups, epsilon), x.dtype)
    return y * _channels(x, scale) + _channels(x, bias)


def _stashed(x: Node, stash_type: int) -> Node:
    """In the type in which the statistics are computed."""
    kind = BY_ONNX.get(stash_type)
    if kind is None or not kind.floating:
        raise UnsupportedType(f"statistics of the type {stash_type}")
    return ir.cast(x, kind) if kind.width > x.dtype.width else x


def _from(x: Node, axis: int) -> list[int]:
    return list(range(feature_axis(x, axis), len(x.shape)))


@operator("LayerNormalization", since=17)
def layer_normalization(
    x: Node,
    scale: Node,
    bias: Node | None = None,
    *,
    axis: int = -1,
    epsilon: float = 1e-5,
    stash_type: int = 1,
) -> Values:
    y, mean, inverse = _normal(_stashed(x, stash_type), _from(x, axis), epsilon)
    y = ir.cast(y, x.dtype) * scale
    return (y if bias is None else y + bias), mean, inverse


@operator("RMSNormalization", since=23)
def rms_normalization(
    x: Node, scale: Node, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1
) -> Node:
    wide = _stashed(x, stash_type)
    spread = ir.elementwise(Op.SQRT, _mean(wide * wide, _from(x, axis)) + const(epsilon))
    return ir.cast(wide / spread, x.dtype) * scale


@operator("MeanVarianceNormalization", since=9)
def mean_variance_normalization(x: Node, *, axes: tuple[int, ...] = (0, 2, 3)) -> Node:
    """(x − mean) / (deviation + 1e-9)."""
    places = feature_axes(x, list(axes))
    apart = x - _mean(x, places)
    return apart / (ir.elementwise(Op.SQRT, _mean(apart * apart, places)) + const(1e-9))


@operator("LRN")
def lrn(x: Node, *, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0, size: int) -> Node:
    """x / (bias + alpha / size · Σ of squares of neighbouring channels) ^ beta."""
    place = 1 - x.batched
    if not 1 <= size <= ir.KERNEL_MAX:
        raise ShapeMismatch(f"LRN over {size} channels")
    before, after = [0] * len(x.shape), [0] * len(x.shape)
    before[place], after[place] = (size - 1) // 2, size - 1 - (size - 1) // 2
    squares = ir.pad(x * x, before, after)
    total = None
    for shift in range(size):
        starts = [0] * len(x.shape)
        starts[place] = shift
        part = ir.take_slice(squares, starts, x.shape, [1] * len(x.shape))
        total = part if total is None else total + part
    assert total is not None
    base = total * const(alpha / size) + const(bias)
    return x / ir.elementwise(Op.POW, base, const(beta))


@operator("LpNormalization")
def lp_normalization(x: Node, *, axis: int = -1, p: int = 2) -> Node:
    """x over its norm along an axis; zeros stay zeros."""
    place = feature_axis(x, axis)
    if p not in (1, 2):
        raise UnsupportedAttribute(f"LpNormalization with p = {p}")
    if p == 1:
        norm = reduce(Op.SUM, ir.elementwise(Op.ABS, x), [place])
    else:
        norm = ir.elementwise(Op.SQRT, reduce(Op.SUM, x * x, [place]))
    zero = ir.elementwise(Op.EQ, norm, const(0.0))
    return x / ir.select(zero, ir.scalar(1, x.dtype), norm)
