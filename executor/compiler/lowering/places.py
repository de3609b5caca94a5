"""Where values lie: buffers, views of them, and the kernels written so far. Every lowering works on one.

Movement nodes are views: strides on another buffer; they are copied only where a kernel needs C order.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import prod

import numpy as np

from executor.compiler import ir
from executor.compiler.fold import RULES, Array
from executor.compiler.ir import Node, Shape
from executor.compiler.kernels import general as loops
from executor.compiler.kernels import typed_rows
from executor.compiler.kernels.base import Buffer, Kernel, View, c_strides
from executor.compiler.kernels.elementwise import UNROLL, Elementwise
from executor.compiler.kernels.expression import FUNCTIONS
from executor.compiler.kernels.nest import LANES
from executor.compiler.kernels.packing import ROWS, step_floats
from executor.compiler.kernels.rows import PANEL, LanesToPanels, LoadNumber, RowsToLanes, RowWeights
from executor.compiler.kernels.turned import Turned
from executor.compiler.op import LEAVES, MOVEMENT, Op
from executor.compiler.program import MEMORY_MAX
from executor.compiler.types import DType
from executor.errors import TooLarge

STEPS = " number of the step"
"""Key of the place where the module counts its steps."""
NUMBERS = " numbers of the step"
"""Key of the host's region among `places`; a space stands first in no tensor's name that it could meet."""
CELLS = " counts of the shard"
"""Key of two i32 among `places` if a batch is cut into shards: its rows, and those of the shard."""
HELD_MAX = 128 << 20
"""Bytes of a matrix that a step packs whole, at most, and of all that are kept packed from step to step."""
APART = 2
"""Columns between rows that are kept apart: 64 bytes, a line of a cache."""
Stores = tuple[tuple[Node, View], ...]
Leaves = dict[Node, View | float]


class Constants:
    """Values that lie in the module's memory from the start."""

    def __init__(self) -> None:
        self.entries: list[tuple[Buffer, bytes]] = []
        self.size = 0

    def add(self, kind: str, data: bytes, dtype: DType = DType.F32) -> Buffer:
        """A place for one more. Raises TooLarge."""
        self.size += len(data)
        if self.size > MEMORY_MAX:
            raise TooLarge(f"constants of {self.size} bytes; {MEMORY_MAX} are allowed")
        name = f"{kind}.{len(self.entries)}"
        buffer = Buffer(name, len(data) // dtype.width, False, pinned=True, dtype=dtype)
        self.entries.append((buffer, data))
        return buffer


class Places:
    """Collects `kernels`. `places` gives the pinned buffers of inputs, targets, parameters and state by name;
    constants get theirs in `constants`."""

    def __init__(self, blocks: int, places: Mapping[str, Buffer]) -> None:
        self.blocks, self.places = blocks, places
        self.kernels: list[Kernel] = []
        self.constants = Constants()
        self.views: dict[Node, View] = {}
        self.orders: dict[Node, tuple[int, ...]] = {}
        """Axes of a value in the order in which its only user reads them, if its kernel can write them so."""
        self.apart: set[Node] = set()
        """Values whose rows lie APART: else a power of two between them, and all in few sets of a cache."""
        self.rows: dict[Node, Buffer] = {}
        self.sides: dict[tuple[Node, int], Buffer] = {}
        """Values that their kernels also write turned, by columns side by side."""
        self.parts: dict[tuple[Node, object, object], Buffer] = {}
        self.packed: dict[tuple[Node, bool, bool], Buffer] = {}
        """Constant matrices as products use them: by rows or columns, often or not."""
        self.outside: dict[Node, tuple[Places, Node]] = {}
        """Leaves of a body that are the same in every turn: what they are around it."""
        self.prefix = ""
        self.shards = 1
        """How often the kernels run until parameters change."""
        self.ahead: list[Kernel] = []
        """With several shards: what reads parameters alone and runs before them, once. What it writes
        stays."""

    def name(self, kind: str) -> str:
        """Of the next kernel, or of a buffer that it needs."""
        return f"{self.prefix}{kind}.{len(self.kernels)}"

    def add(self, kernel: Kernel) -> None:
        """Append a kernel."""
        self.kernels.append(kernel)

    def once(self, source: Buffer, target: Buffer) -> bool:
        """A kernel that makes `target` of `source` goes ahead of all shards: then `target` lives on."""
        held = sum(buffer.bytes(1) for kernel in self.ahead for buffer in kernel.writes)
        fits = self.shards > 1 and source.pinned and held + target.bytes(1) <= HELD_MAX
        target.pinned = fits
        return fits

    def new(self, node: Node) -> Buffer:
        """A buffer for a node, in C order."""
        buffer = Buffer(self.name(node.op.name.lower()), node.size, node.batched, dtype=node.dtype)
        self.views[node] = View(buffer, node.shape, c_strides(node.shape))
        return buffer

    def laid(self, node: Node) -> View:
        """A new buffer for a value, in C order of the axes as they are read."""
        if node in self.apart:
            return self._apart(node)
        buffer, axes = self.new(node), self.orders.get(node)
        if axes is not None:
            strides = [0] * len(axes)
            for axis, step in zip(axes, c_strides(tuple(node.shape[axis] for axis in axes)), strict=True):
                strides[axis] = step
            self.views[node] = View(buffer, node.shape, tuple(strides))
        return self.views[node]

    def _apart(self, node: Node) -> View:
        """A new buffer for a value whose rows lie a line of a cache further apart than they need."""
        *outer, columns = node.shape
        pitch = columns + APART
        buffer = Buffer(self.name(node.op.name.lower()), node.size // columns * pitch, node.batched)
        strides = (*(pitch * step for step in c_strides(tuple(outer))), 1)
        self.views[node] = View(buffer, node.shape, strides)
        return self.views[node]

    def slot(self, item: Node) -> Buffer:
        """A buffer for a leaf of a body."""
        buffer = Buffer(self.name("slot"), item.size, item.batched)
        self.views[item] = View(buffer, item.shape, c_strides(item.shape))
        return buffer

    def view(self, node: Node) -> View:
        """Where the value of a node lies; leaves are brought in and views are made on first use."""
        if node not in self.views:
            if node in self.outside:
                places, leaf = self.outside[node]
                self.views[node] = View(places.contiguous(leaf), node.shape, c_strides(node.shape))
            elif node.op in LEAVES:
                self._leaf(node)
            elif node.op is Op.PART:
                kind, number = node.attrs
                place = self.parts[node.inputs[0], kind, number]
                self.views[node] = View(place, node.shape, c_strides(node.shape))
            else:
                self.views[node] = self._moved(node)
        return self.views[node]

    def contiguous(self, node: Node) -> Buffer:
        """The value in C order in a buffer of its own; copied if it is a strided view."""
        view = self.view(node)
        if not view.contiguous:
            buffer = Buffer(self.name("copy"), node.size, node.batched, dtype=node.dtype)
            whole = View(buffer, node.shape, c_strides(node.shape))
            self.add(self.copy("copy", view, whole))
            self.views[node] = view = whole
        return view.buffer

    def constant(self, node: Node) -> Array | None:
        """The value of a constant, however it is moved but not spread; None of anything else."""
        if node in self.outside:
            places, leaf = self.outside[node]
            return places.constant(leaf)
        if node.op is Op.CONST:
            return ir.value_of(node)
        if node.op not in MOVEMENT or node.op is Op.EXPAND:
            return None
        value = self.constant(node.inputs[0])
        return None if value is None else np.asarray(RULES[node.op](node, value))

    def _leaf(self, node: Node) -> None:
        if node.op is Op.CONST:
            data = node.attrs[0]
            assert isinstance(data, bytes)
            buffer = self.constants.add("constant", data, node.dtype)
            self.views[node] = View(buffer, node.shape, c_strides(node.shape))
        elif node.op is Op.PARAM or (node.op is Op.INPUT and not node.batched):
            self.views[node] = View(self.places[str(node.attrs[0])], node.shape, c_strides(node.shape))
        elif node.op is Op.ROW_WEIGHT:
            self.add(RowWeights("row weights", self.new(node), self.places.get(CELLS)))
        elif node.op is Op.NUMBER:
            count, index = node.attrs
            assert isinstance(count, int) and isinstance(index, int)
            self.add(LoadNumber(self.name("number"), self.places[NUMBERS], count, index, self.new(node)))
        else:
            region = self.places[str(node.attrs[0])]
            integer = node.op is Op.TARGET and node.attrs[1] == "i32"
            if node.dtype is not DType.F32:
                self.add(typed_rows.Arrive(self.name("lanes"), region, self.new(node)))
                return
            self.add(RowsToLanes(self.name("lanes"), region, self.new(node), integer))

    def _moved(self, node: Node) -> View:
        """A movement as a view of its input's buffer."""
        (x,) = node.inputs
        if node.op is Op.RESHAPE:
            parts = split(self.view(x), node.shape)
            if parts is not None:
                return parts
            if not flat(self.view(x)):
                self.contiguous(x)
            view = self.view(x)
            return View(view.buffer, node.shape, c_strides(node.shape), view.start)
        view = self.view(x)
        steps, start = list(view.strides), view.start
        if node.op is Op.EXPAND:
            steps = [0 if a != b else step for a, b, step in zip(x.shape, node.shape, steps, strict=True)]
        elif node.op is Op.PERMUTE:
            steps = [steps[axis] for axis in ints(node.attrs[0])]
        elif node.op is Op.FLIP:
            for axis in ints(node.attrs[0]):
                start += steps[axis] * (x.shape[axis] - 1)
                steps[axis] = -steps[axis]
        else:
            assert node.op is Op.SLICE
            start += sum(a * b for a, b in zip(ints(node.attrs[0]), steps, strict=True))
            steps = [a * b for a, b in zip(ints(node.attrs[1]), steps, strict=True)]
        return View(view.buffer, node.shape, tuple(steps), start)

    def turned(self, node: Node, width: int, gap: int = 0) -> Buffer | None:
        """A batched value [*between, columns] as `Turned`, if an elementwise kernel computes it and can write
        it so, and the rows are many: packed weights are then plain vectors."""
        if (node, width) in self.sides:
            return self.sides[node, width]
        view, steps = self.view(node), LANES * self.blocks * node.size // node.shape[-1]
        if step_floats(steps) > ROWS or node.shape[-1] % PANEL or not view.contiguous:
            return None
        for number, kernel in enumerate(self.kernels):
            if not isinstance(kernel, Elementwise) or not (kernel.chain and kernel.batched):
                continue
            views = [view for _, view in kernel.stores]
            if view not in views or kernel.shape != node.shape:
                continue
            if width > UNROLL and any(item.op in FUNCTIONS for item in kernel.inner()):
                return None  # The body, long already, would be twice as long.
            size = (steps * width + gap // 4) * (node.shape[-1] // width)
            target = Buffer(self.name("turned"), size, False)
            side = Turned(views.index(view), target, node.shape, self.blocks, width, gap)
            self.kernels[number] = replace(kernel, turned=(*kernel.turned, side))
            self.sides[node, width] = target
            return target
        return None

    def panels_of(self, node: Node) -> Buffer:
        """A batched value [*between, columns] in panels of eight columns."""
        side = self.turned(node, PANEL)
        if side is not None:
            return side
        if node not in self.rows:
            source, columns = self.contiguous(node), node.shape[-1]
            between = node.size // columns
            size = LANES * self.blocks * between * PANEL * -(-columns // PANEL)
            panels = Buffer(self.name("panels"), size, False)
            self.add(LanesToPanels(self.name("panels"), source, panels, between, columns))
            self.rows[node] = panels
        return self.rows[node]

    def leaf_of(self, node: Node) -> View | float:
        """A single constant as a number, anything else as a view."""
        value = number(node)
        return self.view(node) if value is None else value

    def copy(self, kind: str, source: View, target: View) -> Kernel:
        """The elements of one view at the places of another."""
        if target.buffer.dtype is not DType.F32 or not prod(target.shape):
            return loops.Pointwise(self.name(kind), Op.IDENTITY, (source,), target)
        node = ir.make(Op.INPUT, (), target.shape, target.buffer.batched)
        return self.elementwise(node, ((node, target),), {node: source}, kind)

    def elementwise(self, like: Node, stores: Stores, leaves: Leaves, kind: str = "") -> Elementwise:
        """A kernel over the indices of `like`."""
        return Elementwise(self.name(kind or like.op.name.lower()), like.shape, like.batched, stores, leaves)


def ints(value: object) -> tuple[int, ...]:
    """An attribute that is a tuple of integers."""
    assert isinstance(value, tuple)
    return value


def pair(value: object) -> tuple[int, int]:
    """An attribute that is two integers."""
    first, second = ints(value)
    return first, second


def split(view: View, shape: Shape) -> View | None:
    """The view with its last axis cut into those that follow in `shape`, if that is all that differs."""
    *outer, columns = view.shape or (0,)
    kept = len(outer)
    if shape[:kept] != tuple(outer) or prod(shape[kept:]) != columns:
        return None
    inner = (view.strides[-1] * step for step in c_strides(shape[kept:]))
    return View(view.buffer, shape, (*view.strides[:-1], *inner), view.start)


def flat(view: View) -> bool:
    """The view's elements lie in C order without gaps; along an axis of one the stride means nothing."""
    whole = zip(view.shape, view.strides, c_strides(view.shape), strict=True)
    return all(size == 1 or stride == step for size, stride, step in whole)


def number(node: Node) -> float | None:
    """The value of a single constant, however it is spread."""
    while node.op in MOVEMENT:
        node = node.inputs[0]
    if node.op is not Op.CONST or node.size != 1 or node.dtype is not DType.F32:
        return None
    return float(ir.value_of(node).reshape(-1)[0])
