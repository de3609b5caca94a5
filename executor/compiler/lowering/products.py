"""Contractions: products of matrices and convolutions, and the elementwise chain that is their epilogue."""

from collections.abc import Callable
from dataclasses import fields, replace
from math import prod

from executor.compiler.ir import Node
from executor.compiler.kernels.base import Buffer, Kernel, View, c_strides
from executor.compiler.kernels.contraction import COLUMNS, Band, Contraction
from executor.compiler.kernels.convolution import ConvWeight
from executor.compiler.kernels.inner import InnerConv, Span
from executor.compiler.kernels.nest import BLOCK, LANES
from executor.compiler.kernels.packing import (
    GAP,
    ROWS,
    Operand,
    Pack,
    Weights,
    packed,
    packed_floats,
    packed_strides,
)
from executor.compiler.kernels.rows import PANEL
from executor.compiler.kernels.winograd import SUMMED, Strips, WinogradConv, WinogradWeight
from executor.compiler.kernels.winograd import fits as fits_winograd
from executor.compiler.lowering.places import HELD_MAX, Leaves, Places, Stores, ints, pair
from executor.compiler.op import Op

BANDS_MAX, BANDS_SHARE, INNER_SHARE = 12, 0.85, 0.75
"""A padded convolution is cut into at most so many bands, if so small a share of the products remains; into
lines and columns, without the zeros, if so small a one does."""
PACK_DOT, PACK_OUTER, PACK_CONV = 2, 2, 8
"""Weights are packed that are used by more than so many tiles."""
CACHED = 128 << 10
"""Bytes of an operand that is read again and again: they fit the second cache of a core."""
SAME_SET = 4096
"""Lines so many bytes apart have the same place in the first cache, of which it has eight."""
PACKED, TALL = 150 << 10, 16
"""Bytes of weights that are packed together, which fit it too, and at most how many times four rows."""


def contract(at: Places, node: Node, stores: Stores | None, leaves: Leaves) -> None:
    """A contraction; without `stores` its result is stored as it is."""
    if stores is None:
        stores = ((node, at.laid(node)),)
    at.add(BUILD[node.op](at, node, stores, leaves))


def fits(host: Node, leaves: Leaves) -> bool:
    """Columns are loaded as vectors: a leaf must be contiguous or constant along them."""
    views = [leaf for leaf in leaves.values() if isinstance(leaf, View)]
    return host.batched or all(view.strides[-1] in (0, 1) for view in views)


def dot(at: Places, node: Node, stores: Stores, leaves: Leaves) -> Kernel:
    """Rows times a matrix, the rows in the lanes."""
    x, w = node.inputs
    source = at.contiguous(x)
    counts = (at.blocks, *node.shape)
    steps = tuple(BLOCK * step for step in c_strides(x.shape))
    inner, last = x.shape[-1], len(counts) - 1
    along, many = node.attrs[0] == "ok", last > 1
    again = prod(node.shape[:-1]) if many else at.blocks
    height = together(node.shape[-1], inner) if BLOCK * inner * counts[last - 1] > CACHED else ROWS
    held = packed_constant(at, w, along, again > PACK_DOT) or packed_around(at, w, along)
    turns = (at.blocks if many else 1) * (at.shards if 4 * w.size > CACHED else 1)
    anew = turns > 1 and turns * again > PACK_DOT
    if held is None and 4 * w.size <= HELD_MAX and (anew or in_one_set(w, along)):
        # Else it would be packed anew for each block and shard, or read in its own order.
        held = packed_once(at, w, along, many or again > PACK_DOT)
    if held is not None:
        weights, kind, room = held, Weights.PACKED, None
    else:
        weights, kind = matrix(at, w, along), Weights.ALONG_REDUCTION if along else Weights.ALONG_ROWS
        room = scratch(at, inner, again, PACK_DOT if along else 1, height)
        height = height if room else ROWS
    return Contraction(
        name=at.name("dot"),
        counts=counts,
        reduction=(inner,),
        x=Operand(source, (source.block_stride(), *steps[:-1], 0, BLOCK)),
        w=replace(weights, strides=(*(0,) * last, *weights.strides)),
        weights=kind,
        scratch=room,
        outside=(0,) if many else (),
        row_axis=last,
        inside=tuple(range(1, last - 1)) if many else (),
        vector_axis=last - 1,
        columns=False,
        result=node,
        stores=stores,
        leaves=leaves,
        height=height,
    )


def matrix(at: Places, node: Node, along: bool) -> Operand:
    """A matrix by (row, step) where it lies, if its columns are neighbours; the product's rows are its rows
    or its columns."""
    view = at.view(node)
    if view.strides[1] != 1 or view.strides[0] < 0:
        view = View(at.contiguous(node), node.shape, c_strides(node.shape))
    between = 4 * view.strides[0]
    return Operand(view.buffer, (between, 4) if along else (4, between), 4 * view.start)


def in_one_set(w: Node, along: bool) -> bool:
    """A product would read a large matrix down its columns, and their elements evict each other."""
    return not along and 4 * w.shape[1] % SAME_SET == 0 and 4 * w.size > CACHED


def packed_constant(at: Places, node: Node, along: bool, often: bool) -> Operand | None:
    """A matrix that never changes as a constant in the order in which it is used: packed once, not in each
    step."""
    key = (node, along, often)
    if key not in at.packed:
        value = at.constant(node)
        if value is None:
            return None
        floats = packed(value if along else value.T, often)
        at.packed[key] = at.constants.add("weights", floats.astype("<f4").tobytes())
    return Operand(at.packed[key], packed_strides(node.shape[along], often))


def packed_around(at: Places, node: Node, along: bool) -> Operand | None:
    """A matrix from around the loop whose body uses it: packed once, before the loop, not in each turn."""
    return packed_once(*at.outside[node], along) if node in at.outside else None


def packed_once(at: Places, node: Node, along: bool, often: bool = True) -> Operand:
    """A matrix packed by a kernel of its own, for all blocks and all products of the step that use it so. One
    that does not stay in the second cache anyway, for all shards."""
    rows, steps = node.shape if along else node.shape[::-1]
    key = (node, along, often)
    if key not in at.packed:
        fours = -(-rows // ROWS)
        room = Buffer(at.name("packed"), fours * packed_floats(steps, often), False)
        weights = matrix(at, node, along)
        weights = replace(weights, strides=(0, *weights.strides))
        kind = Weights.ALONG_REDUCTION if along else Weights.ALONG_ROWS
        pack = Pack(at.name("pack"), rows, steps, weights, kind, room, often)
        ahead = 4 * node.size > CACHED and at.once(weights.buffer, room)
        (at.ahead if ahead else at.kernels).append(pack)
        at.packed[key] = room
    return Operand(at.packed[key], packed_strides(steps, often))


def outer(at: Places, node: Node, stores: Stores, leaves: Leaves) -> Kernel:
    """The gradient by a matrix: a sum over the rows of the batch."""
    a, b = node.inputs
    x = at.panels_of(b)
    rows, columns = node.shape
    between = prod(a.shape[:-1])
    line, steps = 4 * PANEL, at.blocks * between * LANES
    height = together(rows, steps) if 4 * steps * columns > CACHED else ROWS
    room, kind = scratch(at, steps, -(-columns // COLUMNS), PACK_OUTER, height), Weights.ALONG_REDUCTION
    w = at.turned(a, ROWS, GAP) if room else None
    if w is not None:
        room, kind = None, Weights.PACKED
        row, step = packed_strides(steps)
        places = (row, 0, between * LANES * step, LANES * step, step)
    else:
        w = at.contiguous(a)
        places = (BLOCK, 0, w.block_stride(), rows * BLOCK, 4)
    return Contraction(
        name=at.name("outer"),
        counts=(1, rows, columns),
        reduction=(at.blocks, between, LANES),
        scratch=room,
        # Eight columns further lies the next panel.
        x=Operand(x, (0, 0, 4 * steps, between * LANES * line, LANES * line, line)),
        w=Operand(w, (0, *places)),
        weights=kind,
        outside=(),
        row_axis=1,
        inside=(),
        vector_axis=2,
        columns=True,
        result=node,
        stores=stores,
        leaves=leaves,
        height=height,
    )


def matmul(at: Places, node: Node, stores: Stores, leaves: Leaves) -> Kernel:
    """A batched product of two values, read where they lie: heads taken apart or turned are not copied."""
    (a, b), rank = node.inputs, len(node.shape) - 2
    unit = BLOCK if node.batched else 4
    w, x = (_strided(at, item, node.batched) for item in (a, b))
    (*step_a, row, inner_a), (*step_b, inner_b, column) = (
        [unit * step for step in view.strides] for view in (w, x)
    )
    return Contraction(
        name=at.name("matmul"),
        counts=(at.blocks if node.batched else 1, *node.shape),
        reduction=(a.shape[-1],),
        x=Operand(x.buffer, (x.buffer.block_stride(), *step_b, 0, column, inner_b), unit * x.start),
        w=Operand(w.buffer, (w.buffer.block_stride(), *step_a, row, 0, inner_a), unit * w.start),
        weights=Weights.LANES if node.batched else Weights.ALONG_REDUCTION,
        outside=tuple(range(rank + 1)),
        row_axis=rank + 1,
        inside=(),
        vector_axis=rank + 2,
        columns=not node.batched,
        result=node,
        stores=stores,
        leaves=leaves,
    )


def _strided(at: Places, node: Node, batched: bool) -> View:
    """Where a value lies; unbatched columns must be neighbours, and pointers only run upwards."""
    view = at.view(node)
    if batched and min(view.strides, default=0) >= 0:
        return view
    return View(at.contiguous(node), node.shape, c_strides(node.shape))


def conv(at: Places, node: Node, stores: Stores, leaves: Leaves) -> Kernel:
    """A convolution: by Winograd's filtering where that fits, else the direct sum."""
    x, w = node.inputs
    strides, dilations, groups = node.attrs
    assert isinstance(groups, int)
    if fits_winograd(x.shape, w.shape, strides, dilations, groups):
        return winograd(at, node, stores, leaves)
    (sy, sx), (dy, dx) = pair(strides), pair(dilations)
    inner_part = inner_of(node)
    image = x.inputs[0] if inner_part else x
    source, weights = at.contiguous(image), at.contiguous(w)
    _, height, width = image.shape
    outputs, inner, kh, kw = w.shape
    plane, line, taps = height * width * BLOCK, width * BLOCK, 4 * inner * kh * kw
    each = outputs // groups
    steps = (inner * plane, 0, sy * line, sx * BLOCK, plane, dy * line, dx * BLOCK)

    def split(view: View) -> View:
        """Channels as (group, channel)."""
        step, *rest = view.strides
        shape = (groups, each, *view.shape[1:])
        return View(view.buffer, shape, (step * each, step, *rest), view.start)

    direct = Contraction(
        name=at.name("conv"),
        counts=(at.blocks, groups, each, *node.shape[1:]),
        reduction=(inner, kh, kw),
        x=Operand(source, (source.block_stride(), *steps)),
        w=Operand(weights, (0, each * taps, taps, 0, 0, 4 * kh * kw, 4 * kw, 4)),
        weights=Weights.ALONG_REDUCTION,
        outside=(0, 1),
        row_axis=2,
        inside=(3,),
        vector_axis=4,
        columns=False,
        result=node,
        stores=tuple((root, split(view)) for root, view in stores),
        leaves={item: split(leaf) if isinstance(leaf, View) else leaf for item, leaf in leaves.items()},
        scratch=scratch(at, inner * kh * kw, prod(node.shape[1:]), PACK_CONV),
    )
    if not inner_part:
        return replace(direct, bands=bands_of(x, node.shape[1], kh, sy, dy))
    along, across = inner_part
    _, above, left = ints(x.attrs[0])
    start = -line * above - BLOCK * left
    given = {item.name: getattr(direct, item.name) for item in fields(direct)}
    return InnerConv(**{**given, "x": replace(direct.x, start=start)}, along=along, across=across)


def inner_of(node: Node) -> tuple[tuple[Band, ...], tuple[Band, ...]] | None:
    """Of a convolution of an image padded with zeros that pays without them: bands of lines and
    strips of columns."""
    if node.op is not Op.CONV or node.inputs[0].op is not Op.PAD:
        return None
    (x, w), (strides, dilations, groups) = node.inputs, node.attrs
    before, after, between, value = x.attrs
    low, high = ints(before), ints(after)
    if value != 0.0 or any(ints(between)) or min(low + high) < 0 or low[0] or high[0]:
        return None
    assert isinstance(groups, int)
    if prod(node.shape[1:]) <= PACK_CONV or fits_winograd(x.shape, w.shape, strides, dilations, groups):
        return None
    lines, columns = (
        Span(low[1 + axis], x.inputs[0].shape[1 + axis], pair(strides)[axis], pair(dilations)[axis])
        for axis in range(2)
    )
    along, across = lines.bands(node.shape[1], w.shape[2]), columns.bands(node.shape[2], w.shape[3])
    if not along or not across or len(across) > BANDS_MAX or w.shape[2] > BANDS_MAX:
        return None
    met = prod(sum(band.lines * band.taps for band in bands) for bands in (along, across))
    return (along, across) if met < INNER_SHARE * prod(node.shape[1:]) * prod(w.shape[2:]) else None


def winograd(at: Places, node: Node, stores: Stores, leaves: Leaves) -> Kernel:
    """The transforms, and room for what they give."""
    x, w = node.inputs
    strips = Strips(node.shape[1], node.shape[2])
    kernels, images, products = (
        Buffer(at.name("scratch"), size, False)
        for size in (
            strips.weights_scratch(w.shape[0], w.shape[1]),
            strips.scratch(x.shape[0]),
            strips.scratch(node.shape[0]),
        )
    )
    name, source, weights = at.name("winograd"), at.contiguous(x), at.view(w)
    return WinogradConv(name, source, weights, x.shape, node, stores, leaves, kernels, images, products)


def conv_weight(at: Places, node: Node) -> None:
    """The gradient by a convolution's weights."""
    x, dy = node.inputs
    strides, dilations, groups, kernel = node.attrs
    assert isinstance(groups, int)
    places = (at.contiguous(x), at.contiguous(dy), at.new(node))
    if not node.batched and fits_winograd(x.shape, node.shape, strides, dilations, groups):
        winograd_weight(at, node, *places)
        return
    steps = (pair(kernel), pair(strides), pair(dilations))
    at.add(ConvWeight(at.name("conv weight"), *places, x.shape, dy.shape, *steps, groups=groups))


def winograd_weight(at: Places, node: Node, x: Buffer, dy: Buffer, target: Buffer) -> None:
    """The same by Winograd's filtering."""
    x_shape, dy_shape = (item.shape for item in node.inputs)
    strips = Strips(dy_shape[1], dy_shape[2], SUMMED)
    images, gradients = (
        Buffer(at.name("scratch"), strips.scratch(shape[0]), False) for shape in (x_shape, dy_shape)
    )
    sums = Buffer(at.name("scratch"), strips.sums_scratch(dy_shape[0], x_shape[0]), False)
    name = at.name("winograd weight")
    at.add(WinogradWeight(name, x, dy, target, x_shape, dy_shape, images, gradients, sums))


def together(rows: int, steps: int) -> int:
    """How many of the rows are packed together: blocks of equal size, where the rows allow it."""
    most = max(1, min(TALL, PACKED // (4 * packed_floats(steps))))
    fours = -(-rows // ROWS)
    return ROWS * -(-fours // -(-fours // most))


def scratch(at: Places, steps: int, uses: int, more_than: int, height: int = ROWS) -> Buffer | None:
    """Room for the packed weights of `height` rows, if they are used often enough."""
    size = packed_floats(steps) * height // ROWS
    return Buffer(at.name("scratch"), size, False) if uses > more_than else None


def bands_of(x: Node, lines: int, taps: int, stride: int, dilation: int) -> tuple[Band, ...]:
    """Which kernel rows each line of a convolution's result needs, if `x` is padded so much that it pays."""
    if x.op is not Op.PAD or x.attrs[3] != 0.0 or taps > BANDS_MAX:
        return ()
    low, high = ints(x.attrs[0])[1], x.shape[1] - ints(x.attrs[1])[1]
    bands: list[Band] = []
    for line in range(lines):
        inside = [tap for tap in range(taps) if low <= line * stride + tap * dilation < high] or [0]
        if bands and (bands[-1].first, bands[-1].taps) == (inside[0], len(inside)):
            bands[-1] = Band(bands[-1].lines + 1, inside[0], len(inside))
        else:
            bands.append(Band(1, inside[0], len(inside)))
    share = sum(band.lines * band.taps for band in bands) / (lines * taps)
    return tuple(bands) if len(bands) <= BANDS_MAX and share < BANDS_SHARE else ()


BUILD: dict[Op, Callable[[Places, Node, Stores, Leaves], Kernel]] = {
    Op.DOT: dot,
    Op.OUTER: outer,
    Op.MATMUL: matmul,
    Op.CONV: conv,
}
