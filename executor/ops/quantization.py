"""Quantised tensors: scales, zero points, and products of 8-bit integers."""

from executor.compiler import ir
from executor.compiler.ir import Node, const
from executor.compiler.op import Op
from executor.compiler.types import BY_ONNX, DType
from executor.errors import ShapeMismatch, UnsupportedType
from executor.ops.dense import matmul
from executor.ops.spatial import Ones, centred, conv
from executor.ops.table import operator
from executor.ops.values import feature_axis, whole

TYPES = (DType.I8, DType.U8, DType.I16, DType.U16)


def _spread(x: Node, value: Node, axis: int, block: int) -> Node:
    """A scale or zero point under its tensor: one number, one for each slice, or one for each block."""
    if value.size == 1 and len(value.shape) <= 1:
        return ir.reshape(value, ())
    place = feature_axis(x, axis)
    if len(value.shape) == 1:
        return ir.reshape(value, (*value.shape, *(1,) * (len(x.shape) - place - 1)))
    if block < 1 or len(value.shape) != len(x.shape):
        raise ShapeMismatch(f"scales of shape {list(value.shape)} for {list(x.shape)}")
    shape = value.shape
    wide = ir.reshape(value, (*shape[: place + 1], 1, *shape[place + 1 :]))
    wide = ir.expand_to(wide, (*shape[: place + 1], block, *shape[place + 1 :]))
    long = ir.reshape(wide, (*shape[:place], shape[place] * block, *shape[place + 1 :]))
    return ir.take_slice(long, (0,) * len(x.shape), x.shape, (1,) * len(x.shape))


def _quantised(y: Node, zero: Node | None, kind: DType) -> Node:
    """Rounded to even, moved by the zero point, held inside the type."""
    whole_ = ir.elementwise(Op.ROUND, ir.cast(y, DType.F32))
    if zero is not None:
        whole_ = whole_ + ir.cast(zero, DType.F32)
    low, high = const(float(kind.lowest)), const(float(kind.highest))
    bounded = ir.elementwise(Op.MAX, ir.elementwise(Op.MIN, whole_, high), low)
    return ir.cast(ir.cast(bounded, DType.I32), kind)


@operator("QuantizeLinear", since=10)
def quantize_linear(
    x: Node,
    scale: Node,
    zero: Node | None = None,
    *,
    axis: int = 1,
    block_size: int = 0,
    output_dtype: int = 0,
    precision: int = 0,
    saturate: int = 1,
) -> Node:
    kind = zero.dtype if zero is not None else BY_ONNX.get(output_dtype or DType.U8.onnx)
    if kind not in TYPES:
        raise UnsupportedType("QuantizeLinear to another type than 8 or 16-bit integers")
    if scale.dtype is not x.dtype:
        scale = ir.cast(scale, x.dtype)
    point = None if zero is None else _spread(x, zero, axis, block_size)
    return _quantised(x / _spread(x, scale, axis, block_size), point, kind)


@operator("DequantizeLinear", since=10)
def dequantize_linear(
    x: Node,
    scale: Node,
    zero: Node | None = None,
    *,
    axis: int = 1,
    block_size: int = 0,
    output_dtype: int = 0,
) -> Node:
    kind = BY_ONNX.get(output_dtype) if output_dtype else scale.dtype
    if kind is None or x.dtype not in (*TYPES, DType.I32):
        raise UnsupportedType(f"DequantizeLinear of {x.dtype.value}")
    wide = ir.cast(x, DType.I32)
    if zero is not None:
        wide = wide - ir.cast(_spread(x, zero, axis, block_size), DType.I32)
    step = ir.cast(_spread(x, scale, axis, block_size), DType.F32)
    return ir.cast(ir.cast(wide, DType.F32) * step, kind)


@operator("DynamicQuantizeLinear", since=11)
def dynamic_quantize_linear(x: Node) -> tuple[Node, Node, Node]:
    """To u8, with the scale and zero point that hold 0 and every element."""
    axes = list(range(len(whole(x).shape)))
    zero = const(0.0)
    high = ir.elementwise(Op.MAX, ir.reshape(ir.reduce(Op.MAXIMUM, x, axes), ()), zero)
    low = ir.elementwise(Op.MIN, ir.reshape(ir.reduce(Op.MINIMUM, x, axes), ()), zero)
    scale = (high - low) / const(255.0)
    point = _quantised(-low / scale, None, DType.U8)
    return _quantised(x / scale, point, DType.U8), scale, point


def _rows(value: Node, x: Node, axis: int) -> Node:
    """A number for each row (axis −2) or column (axis −1) of a matrix, or one."""
    if value.size == 1:
        return ir.reshape(value, ())
    if len(value.shape) == 1:
        return ir.reshape(value, (*value.shape, 1)) if axis == -2 else value
    return value


@operator("MatMulInteger", since=10)
def matmul_integer(a: Node, b: Node, a_zero: Node | None = None, b_zero: Node | None = None) -> Node:
    left, right = ir.cast(a, DType.I32), ir.cast(b, DType.I32)
    if a_zero is not None:
        left = left - ir.cast(_rows(a_zero, a, -2), DType.I32)
    if b_zero is not None:
        right = right - ir.cast(_rows(b_zero, b, -1), DType.I32)
    return matmul(left, right)


@operator("QLinearMatMul", since=10)
def qlinear_matmul(
    a: Node,
    a_scale: Node,
    a_zero: Node,
    b: Node,
    b_scale: Node,
    b_zero: Node,
    y_scale: Node,
    y_zero: Node,
) -> Node:
    product = ir.cast(matmul_integer(a, b, a_zero, b_zero), DType.F32)
    scale = ir.cast(_rows(a_scale, a, -2), DType.F32) * ir.cast(_rows(b_scale, b, -1), DType.F32)
    step = scale / ir.cast(_rows(y_scale, a, -2), DType.F32)
    return _quantised(product * step, _rows(y_zero, a, -2), y_zero.dtype)


@operator("QLinearConv", since=10)
def qlinear_conv(
    x: Node,
    x_scale: Node,
    x_zero: Node,
    w: Node,
    w_scale: Node,
    w_zero: Node,
    y_scale: Node,
    y_zero: Node,
    b: Node | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: Ones = None,
    group: int = 1,
    kernel_shape: Ones = None,
    pads: Ones = None,
    strides: Ones = None,
) -> Node:
    total = conv(
        centred(x, x_zero, 1), centred(w, w_zero, 0), b, auto_pad=auto_pad, dilations=dilations, group=group,
        kernel_shape=kernel_shape, pads=pads, strides=strides,
    )  # fmt: skip
    spatial = len(w.shape) - 2
    channels = w_scale if w_scale.size == 1 else ir.reshape(w_scale, (w_scale.size, *(1,) * spatial))
    if channels.size == 1:
        channels = ir.reshape(channels, ())
    step = ir.reshape(x_scale, ()) * channels / ir.reshape(y_scale, ())
    return _quantised(ir.cast(total, DType.F32) * step, ir.reshape(y_zero, ()), y_zero.dtype)
