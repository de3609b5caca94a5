"""GridSample: a tensor read between its elements, at places that are data."""

from itertools import product

from executor.compiler import ir
from executor.compiler.ir import Node, const, elementwise
from executor.compiler.op import Op
from executor.compiler.types import DType
from executor.errors import ShapeMismatch, UnsupportedAttribute
from executor.ops.movement import part
from executor.ops.shapes import iota
from executor.ops.table import operator

CUBIC = -0.75
MODES = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "cubic": "cubic", "bicubic": "cubic"}
PADDINGS = ("zeros", "border", "reflection")
Neighbours = list[tuple[Node, Node]]
"""(whole-numbered place, share) along one dimension."""


@operator("GridSample", since=16)
def grid_sample(
    x: Node, grid: Node, *, align_corners: int = 0, mode: str = "linear", padding_mode: str = "zeros"
) -> Node:
    """x [batch, channels, sizes…] at grid [batch, places…, dimensions], −1 and 1 its borders."""
    spatial = grid.shape[-1] if grid.shape else 0
    first = 1 - x.batched
    sizes = x.shape[first + 1 :]
    if spatial != len(sizes) or x.batched != grid.batched or (not x.batched and x.shape[0] != grid.shape[0]):
        raise ShapeMismatch(f"a grid {list(grid.shape)} for a tensor {list(x.shape)}")
    if mode not in MODES or padding_mode not in PADDINGS:
        raise UnsupportedAttribute(f"GridSample in the mode {mode!r} with {padding_mode!r} around")
    places = grid.shape[:-1]
    lines: list[Neighbours] = []
    for axis, size in enumerate(sizes):
        # The grid's last number is the first dimension's.
        at = ir.reshape(part(grid, len(places), spatial - 1 - axis, 1), places)
        lines.append(_neighbours(at, size, bool(align_corners), MODES[mode], padding_mode))
    order = [*range(first), *range(first + 1, len(x.shape)), first]
    table = ir.permute(x, order)
    rows = x.size // x.shape[first]
    flat = ir.reshape(table, (rows, x.shape[first]))
    total = None
    for corner in product(*lines):
        value = _value(flat, corner, sizes, places, first, padding_mode == "zeros")
        total = value if total is None else total + value
    assert total is not None
    back = [*range(first), len(places), *range(first, len(places))]
    return ir.permute(total, back)


def _value(
    flat: Node, corner: tuple[tuple[Node, Node], ...], sizes: tuple[int, ...], places: tuple[int, ...],
    first: int, zeros: bool,
) -> Node:  # fmt: skip
    """One neighbour's channels times its share; nothing outside if there are zeros around."""
    index: Node = ir.expand_to(ir.scalar(0, DType.I64), places)
    if first:
        index = iota(places, 0)
    share = None
    for (at, weight), size in zip(corner, sizes, strict=True):
        inside = elementwise(
            Op.MAX, elementwise(Op.MIN, at, ir.scalar(size - 1, at.dtype)), ir.scalar(0, at.dtype)
        )
        index = index * ir.scalar(size, DType.I64) + ir.cast(inside, DType.I64)
        if zeros:
            weight = ir.select(elementwise(Op.EQ, inside, at), weight, ir.scalar(0, weight.dtype))  # noqa: PLW2901
        share = weight if share is None else share * weight
    assert share is not None
    return ir.take(flat, index) * ir.reshape(share, (*places, 1))


def _neighbours(at: Node, size: int, align: bool, mode: str, padding: str) -> Neighbours:
    """Which elements count at a place between −1 and 1, and how much."""
    half = const((size - 1) / 2 if align else size / 2)
    x = (at + const(1.0)) * half
    low, high = (0.0, size - 1.0) if align else (-0.5, size - 0.5)
    if not align:
        x = x - const(0.5)
    if mode == "nearest":
        x = elementwise(Op.ROUND, x)
    if padding == "border":
        x = _bounded(x, size)
    elif padding == "reflection":
        x = _reflected(x, low, high)
    if mode == "nearest":
        return [(_kept(x, low, high, padding), ir.expand_to(ir.scalar(1, x.dtype), x.shape))]
    left = elementwise(Op.FLOOR, x)
    ratio = x - ir.stopped(left)
    if mode == "linear":
        shares = [const(1.0) - ratio, ratio]
    else:
        shares = [_cubic(elementwise(Op.ABS, ratio - const(float(k)))) for k in (-1, 0, 1, 2)]
    start = 0 if mode == "linear" else -1
    return [
        (_kept(left + const(float(start + k)), low, high, padding), share) for k, share in enumerate(shares)
    ]


def _kept(x: Node, low: float, high: float, padding: str) -> Node:
    """A neighbour's own place, brought inside as the padding says."""
    if padding != "reflection":
        return x
    return elementwise(Op.TRUNC, _reflected(x, low, high))


def _bounded(x: Node, size: int) -> Node:
    return elementwise(Op.MAX, elementwise(Op.MIN, x, const(size - 1.0)), const(0.0))


def _reflected(x: Node, low: float, high: float) -> Node:
    """Folded at the borders, as often as it takes."""
    span = high - low
    if span == 0:
        return ir.expand_to(ir.scalar(0, x.dtype), x.shape)
    away = elementwise(Op.REMAINDER, elementwise(Op.ABS, x - const(low)), const(2 * span))
    folded = elementwise(Op.MIN, away, const(2 * span) - away)
    return folded + const(low)


def _cubic(x: Node) -> Node:
    """Keys' kernel of a distance."""
    a = CUBIC
    square, cube = x * x, x * x * x
    near = cube * const(a + 2) - square * const(a + 3) + const(1.0)
    far = cube * const(a) - square * const(5 * a) + x * const(8 * a) - const(4 * a)
    return ir.select(elementwise(Op.GT, x, const(1.0)), far, near)
