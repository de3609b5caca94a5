"""Padding, and pooling by windows."""

from executor.compiler.ir import Node
from executor.compiler.kernels import general as loops
from executor.compiler.kernels.base import View, c_strides
from executor.compiler.kernels.elementwise import Border, border
from executor.compiler.kernels.pooling import Fill, PoolMax, PoolMaxGrad, Window
from executor.compiler.lowering.places import Places, ints, pair
from executor.compiler.op import Op
from executor.compiler.types import DType

BORDER_MAX = 1.6
"""An array that grows by padding to at most so many times its size is not filled before, only around."""


def pad(at: Places, node: Node) -> None:
    """Fill, all or what lies around, then copy the elements to their places."""
    (x,) = node.inputs
    before, after, between, value = node.attrs
    assert isinstance(value, (int, float))
    source, target = at.view(x), at.new(node)
    strides = c_strides(node.shape)
    start = sum(a * b for a, b in zip(ints(before), strides, strict=True))
    inside = View(
        target, x.shape, tuple((a + 1) * b for a, b in zip(ints(between), strides, strict=True)), start
    )
    around = not any(ints(between)) and min(ints(before) + ints(after), default=0) >= 0
    if node.dtype is DType.F32 and around and node.size <= BORDER_MAX * x.size:
        if parts := border(target, node.shape, ints(before), x.shape):
            at.add(Border(at.name("border"), parts, node.batched, value))
    elif node.dtype is DType.F32 and node.size:
        at.add(Fill(at.name("fill"), target, value))
    else:
        at.add(loops.Filled(at.name("fill"), target, value))
    at.add(at.copy("pad", source, inside))


def pool(at: Places, node: Node) -> None:
    """The largest of each window, or its gradient."""
    x = node.inputs[0]
    y = node if node.op is Op.POOL_MAX else node.inputs[1]
    window = Window(x.shape, y.shape, *(pair(item) for item in node.attrs[:3]))
    if node.op is Op.POOL_MAX:
        at.add(PoolMax(at.name("pool"), window, at.contiguous(x), at.new(node)))
        return
    assert node.op is Op.POOL_MAX_GRAD
    sources = [at.contiguous(item) for item in node.inputs]
    name, rectified = at.name("pool gradient"), bool(node.attrs[3])
    at.add(PoolMaxGrad(name, window, sources[0], sources[1], sources[2], at.new(node), rectified))
