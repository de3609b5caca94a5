"""From IR to kernels: what is computed where, what is fused into what, in which order.

- Elementwise nodes with a single elementwise user of the same shape are computed inside it, never stored.
- Movement nodes are views: strides on somebody else's buffer; they are copied only where a kernel needs C
order.
- A contraction with a single elementwise user of its shape takes that chain as its epilogue; a weight
gradient takes the
  optimizer's update.
- An update of a parameter runs as soon as every kernel that reads the old value has run.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from executor.compiler import ir
from executor.compiler.ir import Node, Op
from executor.compiler.kernels import general as loops
from executor.compiler.kernels import indexing, scans, typed_rows
from executor.compiler.kernels.base import Buffer, Kernel, View, c_strides
from executor.compiler.kernels.contraction import COLUMNS, Band, Contraction, Operand, Weights, packed_floats
from executor.compiler.kernels.convolution import ConvWeight
from executor.compiler.kernels.elementwise import Border, Elementwise, border
from executor.compiler.kernels.grid import GridOuter, GridSum, Lines, Noised
from executor.compiler.kernels.nest import BLOCK, LANES
from executor.compiler.kernels.pooling import Fill, PoolMax, PoolMaxGrad, Window
from executor.compiler.kernels.random import Tick, Uniform
from executor.compiler.kernels.reduction import BatchSum, Reduce
from executor.compiler.kernels.rows import (
    PANEL,
    LanesToPanels,
    LanesToRows,
    LoadNumber,
    RowsToLanes,
    RowWeights,
    StoreLoss,
)
from executor.compiler.kernels.scan import Loop, TurnCopy
from executor.compiler.kernels.winograd import SUMMED, Strips, WinogradConv, WinogradWeight
from executor.compiler.kernels.winograd import fits as fits_winograd
from executor.compiler.scan import Body, body_of, turns_of
from executor.compiler.types import DType
from executor.errors import UnsupportedType

TREE_MAX = 48
"""Nodes of one fused chain: bounds the emitter's recursion and the registers in use."""
CHEAP = frozenset({Op.NEG, Op.ADD, Op.SUB, Op.MUL})
"""With a number: computed again in each user rather than stored."""
BANDS_MAX, BANDS_SHARE = 12, 0.85
"""A padded convolution is cut into at most so many bands, if so small a share of the products remains."""
BORDER_MAX = 1.6
"""An array that grows by padding to at most so many times its size is not filled before, only around."""
PACK_DOT, PACK_OUTER, PACK_CONV = 2, 2, 8
"""Weights are packed that are used by more than so many tiles."""
CACHED = 128 << 10
"""Bytes of an operand that is read again and again: they fit the second cache of a core."""
STEPS = " number of the step"
"""Key of the place where the module counts its steps."""
NUMBERS = " numbers of the step"
"""Key of the host's region among `places`; a space stands first in no tensor's name that it could meet."""
CELLS = " counts of the shard"
"""Key of two i32 among `places` if a batch is cut into shards: its rows, and those of the shard."""
VIEWS = ir.MOVEMENT | ir.LEAVES | {Op.PART}
"""What no kernel computes: places that others fill."""
Stores = tuple[tuple[Node, View], ...]
Leaves = dict[Node, View | float]


@dataclass(frozen=True)
class Update:
    """New values of leaves, written when nothing reads the old ones any more: an optimizer's step on a
    parameter and its state, or running statistics. Between `ends` and the new values lies only elementwise
    work of one shape, done in one kernel."""

    stores: tuple[tuple[Node, Node], ...]
    """(new value, the leaf that it replaces), in the order in which they are written."""
    ends: tuple[Node, ...]
    """What the kernel reads: the old values, the gradient, numbers. All but leaves are computed before."""
    gradient: Node | None = None
    """Of the ends, the one whose kernel may take the update as its epilogue."""

    @property
    def computed(self) -> list[Node]:
        """Ends that other kernels must leave behind."""
        return [node for node in self.ends if node.op not in ir.LEAVES]


@dataclass(frozen=True)
class Sinks:
    """What a step must leave behind."""

    outputs: Sequence[tuple[Node, Buffer]] = ()
    """Batched values → row-major regions."""
    values: Sequence[tuple[Node, Buffer]] = ()
    """Unbatched values → regions of their shape."""
    loss: tuple[Node, Buffer] | None = None
    updates: Sequence[Update] = ()
    slots: Sequence[tuple[Node, Buffer]] = ()
    """Unbatched values → side by side in line STEP of a region [lines, all their elements]."""


class Scheduler:
    """Turns nodes into `kernels`. `places` gives the pinned buffers of inputs, targets, parameters and state
    by name; constants get theirs in `constants`."""

    def __init__(self, blocks: int, places: Mapping[str, Buffer]) -> None:
        self.blocks, self.places = blocks, places
        self.kernels: list[Kernel] = []
        self.constants: list[tuple[Buffer, bytes]] = []
        self.views: dict[Node, View] = {}
        self.rows: dict[Node, Buffer] = {}
        self.uses: Counter[Node] = Counter()
        self.users: dict[Node, list[Node]] = {}
        self.fused: set[Node] = set()
        self.parts: dict[tuple[Node, object, object], Buffer] = {}
        self.prefix = ""

    # --- the whole
    # --------------------------------------------------------------------------------------------

    def run(self, sinks: Sinks) -> list[Kernel]:
        """Schedule everything the sinks need, in order of execution."""
        sinks = self._numbered(sinks)
        roots = [node for node, _ in (*sinks.outputs, *sinks.values, *sinks.slots)]
        roots += [sinks.loss[0]] if sinks.loss else []
        kept = [*roots, *(node for update in sinks.updates for node in update.computed)]
        order = ir.postorder(kept)
        for node in order:
            self.uses.update(node.inputs)
            for item in node.inputs:
                self.users.setdefault(item, []).append(node)
        self.uses.update(kept)
        self._choose_fused(order, set(roots), kept[len(roots) :], {u.gradient for u in sinks.updates})
        for node in order:
            if node not in self.fused and node.op not in VIEWS:
                self._realise(node)
        for node, region in sinks.outputs:
            if node.dtype is not DType.F32:
                self._add(typed_rows.Leave(self._name("rows"), self.view(node), region))
                continue
            source = self.contiguous(node)
            self._add(LanesToRows(self._name("rows"), source, region, source.elements, at_row0=True))
        for node, region in sinks.values:
            view = View(region, node.shape, c_strides(node.shape))
            self._add(self._copy("value", self.view(node), view))
        start, pitch = 0, sum(node.size for node, _ in sinks.slots)
        for node, region in sinks.slots:
            self._add(TurnCopy(self._name("slot"), region, self.contiguous(node), True, start, pitch))
            start += node.size
        if sinks.loss:
            self._add(StoreLoss("loss", self.contiguous(sinks.loss[0]), sinks.loss[1]))
        return self._updated(sinks.updates)

    def _numbered(self, sinks: Sinks) -> Sinks:
        """Merge equal subexpressions over all sinks."""
        nodes = [node for node, _ in (*sinks.outputs, *sinks.values, *sinks.slots)]
        nodes += [sinks.loss[0]] if sinks.loss else []
        for u in sinks.updates:
            nodes += [*(node for pair in u.stores for node in pair), *u.ends]
        new = iter(ir.number(nodes))
        outputs = [(next(new), region) for _, region in sinks.outputs]
        values = [(next(new), region) for _, region in sinks.values]
        slots = [(next(new), region) for _, region in sinks.slots]
        loss = (next(new), sinks.loss[1]) if sinks.loss else None
        updates = [_renewed(u, new) for u in sinks.updates]
        return Sinks(outputs, values, loss, updates, slots)

    def _choose_fused(
        self, order: Sequence[Node], roots: set[Node], ends: Sequence[Node], hosts: set[Node | None]
    ) -> None:
        """Nodes that live only inside their single user (or inside the update that they are the gradient
        of)."""
        updated = set(ends)
        size: dict[Node, int] = {}
        for node in order:
            size[node] = 1 + sum(size[item] for item in node.inputs if item in self.fused and item in size)
            if node in roots:
                continue
            if self.uses[node] != 1:
                if node not in updated and self._again(node):
                    self.fused.add(node)
                continue
            if node in updated:
                if node.op is Op.OUTER and node in hosts:
                    self.fused.add(node)
                continue
            (user,) = self.users[node]
            if not _alike(node, user) or size[node] > TREE_MAX:
                continue
            if node.op in ir.ELEMENTWISE or node.op in ir.CONTRACTION:
                self.fused.add(node)
                if node.op in ir.CONTRACTION:
                    size[node] = 1

    def _again(self, node: Node) -> bool:
        """A stored value times a number, or the like, is computed in each of its users: that is cheaper than
        to store it."""
        if node.op not in CHEAP:
            return False
        values = [item for item in node.inputs if _number(item) is None]
        return (
            len(values) == 1
            and values[0] not in self.fused
            and all(_alike(node, user) for user in self.users[node])
        )

    def _updated(self, updates: Sequence[Update]) -> list[Kernel]:
        """Append the updates, then move each to just after the last kernel that it must follow."""
        for update in updates:
            for end in update.ends:
                if end in self.fused:
                    a, b = end.inputs
                    self.contiguous(a)
                    self._panels_of(b)
                else:
                    self.view(end)
        before = self.kernels
        written: dict[Buffer, int] = {}
        touched: dict[Buffer, int] = {}
        for index, kernel in enumerate(before):
            written.update((buffer, index) for buffer in kernel.writes)
            touched.update((buffer, index) for buffer in (*kernel.reads, *kernel.writes))
        after: dict[int, list[Kernel]] = {}
        for update in updates:
            self.kernels = []
            self._update(update)
            for kernel in self.kernels:
                last = max(
                    *(written.get(buffer, -1) for buffer in kernel.reads),
                    *(touched.get(buffer, -1) for buffer in kernel.writes),
                )
                after.setdefault(last, []).append(kernel)
        order = after.pop(-1, [])
        for index, kernel in enumerate(before):
            order += [kernel, *after.get(index, [])]
        return order

    def _update(self, update: Update) -> None:
        ends, gradient = set(update.ends), update.gradient
        stores = tuple((value, self.view(old)) for value, old in update.stores)
        leaves: Leaves = {value: self.view(value) for value, _ in update.stores if value in ends}
        inner = [value for value, _ in update.stores if value not in ends]
        fused = gradient in self.fused
        for item in _boundary(inner, lambda node: node.op in ir.ELEMENTWISE and node not in ends):
            if not (fused and item is gradient):
                leaves[item] = self._leaf_of(item)
        if fused and gradient is not None:
            self._contract(gradient, stores, leaves)
        else:
            self._add(self._elementwise(update.stores[-1][1], stores, leaves, "update"))

    def _leaf_of(self, node: Node) -> View | float:
        """A single constant as a number, anything else as a view."""
        value = _number(node)
        return self.view(node) if value is None else value

    # --- places
    # -----------------------------------------------------------------------------------------------

    def _name(self, kind: str) -> str:
        return f"{self.prefix}{kind}.{len(self.kernels)}"

    def _add(self, kernel: Kernel) -> None:
        self.kernels.append(kernel)

    def _new(self, node: Node) -> Buffer:
        """A buffer for a node, in C order."""
        buffer = Buffer(self._name(node.op.name.lower()), node.size, node.batched, dtype=node.dtype)
        self.views[node] = View(buffer, node.shape, c_strides(node.shape))
        return buffer

    def view(self, node: Node) -> View:
        """Where the value of a node lies; leaves are brought in and views are made on first use."""
        if node not in self.views:
            if node.op in ir.LEAVES:
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
            buffer = Buffer(self._name("copy"), node.size, node.batched, dtype=node.dtype)
            whole = View(buffer, node.shape, c_strides(node.shape))
            self._add(self._copy("copy", view, whole))
            self.views[node] = view = whole
        return view.buffer

    def _leaf(self, node: Node) -> None:
        if node.op is Op.CONST:
            data = node.attrs[0]
            assert isinstance(data, bytes)
            buffer = Buffer(
                f"constant.{len(self.constants)}", node.size, False, pinned=True, dtype=node.dtype
            )
            self.constants.append((buffer, data))
            self.views[node] = View(buffer, node.shape, c_strides(node.shape))
        elif node.op is Op.PARAM or (node.op is Op.INPUT and not node.batched):
            self.views[node] = View(self.places[str(node.attrs[0])], node.shape, c_strides(node.shape))
        elif node.op is Op.ROW_WEIGHT:
            self._add(RowWeights("row weights", self._new(node), self.places.get(CELLS)))
        elif node.op is Op.NUMBER:
            count, index = node.attrs
            assert isinstance(count, int) and isinstance(index, int)
            self._add(LoadNumber(self._name("number"), self.places[NUMBERS], count, index, self._new(node)))
        else:
            region = self.places[str(node.attrs[0])]
            integer = node.op is Op.TARGET and node.attrs[1] == "i32"
            if node.dtype is not DType.F32:
                self._add(typed_rows.Arrive(self._name("lanes"), region, self._new(node)))
                return
            self._add(RowsToLanes(self._name("lanes"), region, self._new(node), integer))

    def _moved(self, node: Node) -> View:
        """A movement as a view of its input's buffer."""
        (x,) = node.inputs
        if node.op is Op.RESHAPE:
            if not _flat(self.view(x)):
                self.contiguous(x)
            view = self.view(x)
            return View(view.buffer, node.shape, c_strides(node.shape), view.start)
        view = self.view(x)
        steps, start = list(view.strides), view.start
        if node.op is Op.EXPAND:
            steps = [0 if a != b else step for a, b, step in zip(x.shape, node.shape, steps, strict=True)]
        elif node.op is Op.PERMUTE:
            steps = [steps[axis] for axis in _ints(node.attrs[0])]
        elif node.op is Op.FLIP:
            for axis in _ints(node.attrs[0]):
                start += steps[axis] * (x.shape[axis] - 1)
                steps[axis] = -steps[axis]
        else:
            assert node.op is Op.SLICE
            start += sum(a * b for a, b in zip(_ints(node.attrs[0]), steps, strict=True))
            steps = [a * b for a, b in zip(_ints(node.attrs[1]), steps, strict=True)]
        return View(view.buffer, node.shape, tuple(steps), start)

    def _panels_of(self, node: Node) -> Buffer:
        """A batched value [*between, columns] in panels of eight columns."""
        if node not in self.rows:
            source, columns = self.contiguous(node), node.shape[-1]
            between = node.size // columns
            size = LANES * self.blocks * between * PANEL * -(-columns // PANEL)
            panels = Buffer(self._name("panels"), size, False)
            self._add(LanesToPanels(self._name("panels"), source, panels, between, columns))
            self.rows[node] = panels
        return self.rows[node]

    # --- kernels
    # ----------------------------------------------------------------------------------------------

    def _copy(self, kind: str, source: View, target: View) -> Kernel:
        """The elements of one view at the places of another."""
        if target.buffer.dtype is not DType.F32 or not prod(target.shape):
            return loops.Pointwise(self._name(kind), Op.IDENTITY, (source,), target)
        node = ir.make(Op.INPUT, (), target.shape, target.buffer.batched)
        return self._elementwise(node, ((node, target),), {node: source}, kind)

    def _elementwise(self, like: Node, stores: Stores, leaves: Leaves, kind: str = "") -> Elementwise:
        return Elementwise(self._name(kind or like.op.name.lower()), like.shape, like.batched, stores, leaves)

    def _realise(self, node: Node) -> None:
        """Write the kernel that computes and stores `node`."""
        if node.op is Op.SCAN:
            self._scan(node)
        elif ir.general(node):
            self._general(node)
        elif node.op in ir.ELEMENTWISE:
            self._chain(node)
        elif node.op in ir.CONTRACTION:
            self._contract(node, None, {})
        elif node.op is Op.PAD:
            self._pad(node)
        elif node.op in (Op.SUM, Op.MAXIMUM):
            source = self.view(node.inputs[0])
            self._add(
                Reduce(
                    self._name("reduce"), node.op, source, _ints(node.attrs[0]), self._new(node), node.batched
                )
            )
        elif node.op is Op.BATCH_SUM:
            self._add(BatchSum(self._name("batch sum"), self.view(node.inputs[0]), self._new(node)))
        elif node.op is Op.CONV_WEIGHT:
            x, dy = node.inputs
            strides, dilations, groups, kernel = node.attrs
            assert isinstance(groups, int)
            places = (self.contiguous(x), self.contiguous(dy), self._new(node))
            if not node.batched and fits_winograd(x.shape, node.shape, strides, dilations, groups):
                self._winograd_weight(node, *places)
                return
            steps = (_pair(kernel), _pair(strides), _pair(dilations))
            self._add(
                ConvWeight(self._name("conv weight"), *places, x.shape, dy.shape, *steps, groups=groups)
            )
        elif node.op in (Op.GRID_SUM, Op.GRID_OUTER):
            kind = GridSum if node.op is Op.GRID_SUM else GridOuter
            left, right = (self.contiguous(item) for item in node.inputs)
            self._add(kind(self._name(node.op.name.lower()), left, right, self._new(node)))
        elif node.op is Op.NOISED:
            self._noised(node)
        else:
            self._pool(node)

    def _general(self, node: Node) -> None:
        """The same by loops over single elements. Raises UnsupportedType."""
        if node.op is Op.PAD:
            self._pad(node)
            return
        if node.op is Op.RANDOM:
            self._random(node)
            return
        if node.op in (Op.PUT, Op.CONCAT):
            (self._put if node.op is Op.PUT else self._concat)(node)
            return
        sources = tuple(self.view(item) for item in node.inputs)
        name, target = self._name(node.op.name.lower()), self._new(node)
        if node.op in ir.POINTWISE:
            self._add(loops.Pointwise(name, node.op, sources, self.views[node]))
        elif node.op in loops.STARTS:
            self._add(loops.Fold(name, node.op, sources[0], _ints(node.attrs[0]), target))
        elif node.op is Op.BATCH_SUM:
            self._add(loops.RowSum(name, sources[0], target))
        elif node.op is Op.MATMUL:
            self._add(loops.Product(name, sources[0], sources[1], target))
        elif node.op is Op.DOT:
            self._add(loops.Product(name, *_as_matrices(node, *sources), target))
        elif node.op is Op.ARG:
            axis, last = node.attrs
            assert isinstance(axis, int)
            self._add(scans.Arg(name, sources[0], axis, bool(last), target))
        elif node.op is Op.CUMULATE:
            op, axis, exclusive = node.attrs
            assert isinstance(op, Op) and isinstance(axis, int)
            self._add(scans.Cumulate(name, op, sources[0], axis, bool(exclusive), target))
        elif node.op is Op.RANK:
            self._add(scans.Rank(name, sources[0], target))
        elif node.op is Op.TAKE:
            self._add(indexing.Take(name, sources[0], sources[1], target))
        elif node.op is Op.PUT_SUM:
            self._add(loops.Filled(self._name("fill"), target, 0))
            self._add(indexing.Put(name, Op.ADD, sources[0], sources[1], target, node.shape[0]))
        else:
            raise UnsupportedType(f"{node.op.name} of {node.dtype.value}")

    def _random(self, node: Node) -> None:
        """Random numbers of the step, whose number is kept in the module from step to step."""
        key, number = node.attrs
        assert isinstance(key, bytes) and isinstance(number, int)
        counter = self.places[STEPS]
        if not any(isinstance(kernel, Tick) for kernel in self.kernels):
            self._add(Tick("tick", counter))
        name, target = self._name("random"), self._new(node)
        self._add(Uniform(name, key, number, counter, target, node.shape))

    def _concat(self, node: Node) -> None:
        (axis,) = node.attrs
        assert isinstance(axis, int)
        target, strides, start = self._new(node), c_strides(node.shape), 0
        for item in node.inputs:
            place = View(target, item.shape, strides, start * strides[axis])
            self._add(self._copy("concat", self.view(item), place))
            start += item.shape[axis]

    def _put(self, node: Node) -> None:
        x, index, updates = (self.view(item) for item in node.inputs)
        (op,) = node.attrs
        assert isinstance(op, Op)
        target = self._new(node)
        self._add(loops.Pointwise(self._name("copy"), Op.IDENTITY, (x,), self.views[node]))
        self._add(indexing.Put(self._name("put"), op, index, updates, target, node.shape[0]))

    def _noised(self, node: Node) -> None:
        name, place, factor, parts = node.attrs
        assert isinstance(factor, float)
        (item,), noise = node.inputs, self.places[str(name)]
        lines, start = _pair(parts)
        summed = Lines(self.contiguous(item), lines, item.size // lines, start)
        self._add(Noised(self._name("noised"), summed, noise, _pair(place), factor, self._new(node)))

    def _scan(self, node: Node) -> None:
        """Sequences for what the turns give, slots for what one turn sees, and the loop over the body's
        kernels."""
        body, (turns, backwards) = body_of(node), turns_of(node)
        first = len(body.carried)
        second = first + len(body.scanned)
        starts, sequences, shared = node.inputs[:first], node.inputs[first:second], node.inputs[second:]
        inner = Scheduler(self.blocks, self.places)
        inner.constants, inner.prefix = self.constants, self._name("scan") + "."
        for item, outside in zip(body.shared, shared, strict=True):
            place = self.contiguous(outside)
            inner.views[item] = View(place, item.shape, c_strides(item.shape))
        carried = [inner.slot(item) for item in body.carried]
        for item, start, place in zip(body.carried, starts, carried, strict=True):
            whole = View(place, item.shape, c_strides(item.shape))
            leaf = self._leaf_of(start)
            value = ir.make(Op.SLOT, (), item.shape, item.batched, "start")
            self._add(self._elementwise(value, ((value, whole),), {value: leaf}, "start"))
        before: list[Kernel] = []
        for item, outside in zip(body.scanned, sequences, strict=True):
            whole_sequence, place = self.contiguous(outside), inner.slot(item)
            before.append(TurnCopy(self._name("turn"), whole_sequence, place, False))
        found = inner.body((*body.next, *body.given))
        after: list[Kernel] = []
        for number, (value, part) in enumerate(zip(body.given, found[first:], strict=True)):
            buffer = Buffer(self._name("sequence"), turns * value.size, value.batched)
            self.parts[node, "given", number] = buffer
            after.append(TurnCopy(self._name("turn"), buffer, part, True))
        kernels = [*before, *inner.kernels, *after, *inner.moves(body, found[:first], carried)]
        self.parts.update(((node, "carried", number), place) for number, place in enumerate(carried))
        self._add(Loop(self._name("scan"), tuple(kernels), turns, backwards))

    def moves(self, body: Body, found: Sequence[Buffer], carried: Sequence[Buffer]) -> list[Kernel]:
        """New carried values into their slots, once nothing reads the old ones; what lies in a slot itself is
        taken out first."""
        self.kernels = []

        def copy(source: Buffer, target: Buffer, like: Node) -> None:
            mark = ir.make(Op.SLOT, (), like.shape, like.batched, "next")
            from_, to = (View(buffer, like.shape, c_strides(like.shape)) for buffer in (source, target))
            self._add(self._elementwise(mark, ((mark, to),), {mark: from_}, "next"))

        changed = [
            (a, b, like) for a, b, like in zip(found, carried, body.carried, strict=True) if a is not b
        ]
        sources = []
        for source, _, like in changed:
            if source in carried:
                held = Buffer(self._name("held"), like.size, like.batched)
                copy(source, held, like)
                sources.append(held)
            else:
                sources.append(source)
        for source, (_, target, like) in zip(sources, changed, strict=True):
            copy(source, target, like)
        return self.kernels

    def body(self, outs: Sequence[Node]) -> list[Buffer]:
        """Schedule a body; where its results lie."""
        outs = ir.number(outs)
        order = ir.postorder(outs)
        for node in order:
            self.uses.update(node.inputs)
            for item in node.inputs:
                self.users.setdefault(item, []).append(node)
        self.uses.update(outs)
        self._choose_fused(order, set(outs), (), set())
        for node in order:
            if node not in self.fused and node.op not in VIEWS:
                self._realise(node)
        return [self.contiguous(node) for node in outs]

    def slot(self, item: Node) -> Buffer:
        """A buffer for a leaf of a body."""
        buffer = Buffer(self._name("slot"), item.size, item.batched)
        self.views[item] = View(buffer, item.shape, c_strides(item.shape))
        return buffer

    def _pool(self, node: Node) -> None:
        x = node.inputs[0]
        y = node if node.op is Op.POOL_MAX else node.inputs[1]
        window = Window(x.shape, y.shape, *(_pair(item) for item in node.attrs))
        if node.op is Op.POOL_MAX:
            self._add(PoolMax(self._name("pool"), window, self.contiguous(x), self._new(node)))
            return
        assert node.op is Op.POOL_MAX_GRAD
        places = [self.contiguous(item) for item in node.inputs]
        self._add(
            PoolMaxGrad(self._name("pool gradient"), window, places[0], places[1], places[2], self._new(node))
        )

    def _pad(self, node: Node) -> None:
        """Fill, all or what lies around, then copy the elements to their places."""
        (x,) = node.inputs
        before, after, between, value = node.attrs
        assert isinstance(value, (int, float))
        source, target = self.view(x), self._new(node)
        strides = c_strides(node.shape)
        start = sum(a * b for a, b in zip(_ints(before), strides, strict=True))
        inside = View(
            target, x.shape, tuple((a + 1) * b for a, b in zip(_ints(between), strides, strict=True)), start
        )
        around = not any(_ints(between)) and min(_ints(before) + _ints(after), default=0) >= 0
        if node.dtype is DType.F32 and around and node.size <= BORDER_MAX * x.size:
            if parts := border(target, node.shape, _ints(before), x.shape):
                self._add(Border(self._name("border"), parts, node.batched, value))
        elif node.dtype is DType.F32 and node.size:
            self._add(Fill(self._name("fill"), target, value))
        else:
            self._add(loops.Filled(self._name("fill"), target, value))
        self._add(self._copy("pad", source, inside))

    def _chain(self, node: Node) -> None:
        """An elementwise chain, inside the contraction that feeds it if there is one."""
        leaves: Leaves = {}
        contractions = []
        for item in _boundary([node], lambda item: item in self.fused and item.op in ir.ELEMENTWISE):
            if item in self.fused:
                contractions.append(item)
            else:
                leaves[item] = self._leaf_of(item)
        host = contractions[0] if contractions else None
        for item in contractions[1:]:
            self._contract(item, None, {})
            leaves[item] = self.view(item)
        if host is not None and not self._fits(host, leaves):
            self._contract(host, None, {})
            leaves[host] = self.view(host)
            host = None
        stores = ((node, View(self._new(node), node.shape, c_strides(node.shape))),)
        if host is None:
            kernel = replace(self._elementwise(node, stores, leaves), chain=True)
            if self.kernels and (both := _joined(self.kernels[-1], kernel)):
                self.kernels[-1] = both
            else:
                self._add(kernel)
        else:
            self._contract(host, stores, leaves)

    @staticmethod
    def _fits(host: Node, leaves: Leaves) -> bool:
        """Columns are loaded as vectors: a leaf must be contiguous or constant along them."""
        views = [leaf for leaf in leaves.values() if isinstance(leaf, View)]
        return host.batched or all(view.strides[-1] in (0, 1) for view in views)

    def _contract(self, node: Node, stores: Stores | None, leaves: Leaves) -> None:
        """A contraction; without `stores` its result is stored as it is."""
        if stores is None:
            stores = ((node, View(self._new(node), node.shape, c_strides(node.shape))),)
        build = {Op.DOT: self._dot, Op.OUTER: self._outer, Op.MATMUL: self._matmul, Op.CONV: self._conv}
        self._add(build[node.op](node, stores, leaves))

    def _dot(self, node: Node, stores: Stores, leaves: Leaves) -> Kernel:
        x, w = node.inputs
        source, weights = self.contiguous(x), self.contiguous(w)
        counts = (self.blocks, *node.shape)
        steps = tuple(BLOCK * step for step in c_strides(x.shape))
        inner, last = x.shape[-1], len(counts) - 1
        along = node.attrs[0] == "ok"
        wide = w.shape[1]
        many = last > 1
        again = prod(node.shape[:-1]) if many else self.blocks
        group = max(1, CACHED // (BLOCK * inner))
        packs = -(-node.shape[-1] // 4) if group < counts[last - 1] else 1
        return Contraction(
            name=self._name("dot"),
            counts=counts,
            reduction=(inner,),
            x=Operand(source, (source.block_stride(), *steps[:-1], 0, BLOCK)),
            w=Operand(weights, (*(0,) * last, *((4 * wide, 4) if along else (4, 4 * wide)))),
            weights=Weights.ALONG_REDUCTION if along else Weights.ALONG_ROWS,
            scratch=self._scratch(inner, again, PACK_DOT if along else 1, packs),
            outside=(0,) if many else (),
            row_axis=last,
            inside=tuple(range(1, last - 1)) if many else (),
            vector_axis=last - 1,
            columns=False,
            result=node,
            stores=stores,
            leaves=leaves,
            group=group,
        )

    def _scratch(self, steps: int, uses: int, more_than: int, packs: int = 1) -> Buffer | None:
        """Room for the packed weights of `packs` times four rows, if they are used often enough."""
        size = packed_floats(steps) * steps * packs
        return Buffer(self._name("scratch"), size, False) if uses > more_than else None

    def _outer(self, node: Node, stores: Stores, leaves: Leaves) -> Kernel:
        a, b = node.inputs
        w, x = self.contiguous(a), self._panels_of(b)
        rows, columns = node.shape
        between = prod(a.shape[:-1])
        line, steps = 4 * PANEL, self.blocks * between * LANES
        group = PANEL * max(1, CACHED // (line * steps))
        packs = -(-rows // 4) if group < columns else 1
        return Contraction(
            name=self._name("outer"),
            counts=(1, rows, columns),
            reduction=(self.blocks, between, LANES),
            scratch=self._scratch(steps, -(-columns // COLUMNS), PACK_OUTER, packs),
            # Eight columns further lies the next panel.
            x=Operand(x, (0, 0, 4 * steps, between * LANES * line, LANES * line, line)),
            w=Operand(w, (0, BLOCK, 0, w.block_stride(), rows * BLOCK, 4)),
            weights=Weights.ALONG_REDUCTION,
            outside=(),
            row_axis=1,
            inside=(),
            vector_axis=2,
            columns=True,
            result=node,
            stores=stores,
            leaves=leaves,
            group=group,
        )

    def _matmul(self, node: Node, stores: Stores, leaves: Leaves) -> Kernel:
        a, b = node.inputs
        w, x = self.contiguous(a), self.contiguous(b)
        *groups, rows, columns = node.shape
        inner, unit = a.shape[-1], BLOCK if node.batched else 4
        lead = range(len(groups))
        step_a = [unit * prod(groups[axis + 1 :]) * rows * inner for axis in lead]
        step_b = [unit * prod(groups[axis + 1 :]) * inner * columns for axis in lead]
        rank = len(groups)
        return Contraction(
            name=self._name("matmul"),
            counts=(self.blocks if node.batched else 1, *node.shape),
            reduction=(inner,),
            x=Operand(x, (x.block_stride(), *step_b, 0, unit, unit * columns)),
            w=Operand(w, (w.block_stride(), *step_a, unit * inner, 0, unit)),
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

    def _winograd_weight(self, node: Node, x: Buffer, dy: Buffer, target: Buffer) -> None:
        x_shape, dy_shape = (item.shape for item in node.inputs)
        strips = Strips(dy_shape[1], dy_shape[2], SUMMED)
        images, gradients = (
            Buffer(self._name("scratch"), strips.scratch(shape[0]), False) for shape in (x_shape, dy_shape)
        )
        sums = Buffer(self._name("scratch"), strips.sums_scratch(dy_shape[0], x_shape[0]), False)
        name = self._name("winograd weight")
        self._add(WinogradWeight(name, x, dy, target, x_shape, dy_shape, images, gradients, sums))

    def _winograd(self, node: Node, stores: Stores, leaves: Leaves) -> Kernel:
        x, w = node.inputs
        strips = Strips(node.shape[1], node.shape[2])
        kernels, images, products = (
            Buffer(self._name("scratch"), size, False)
            for size in (
                strips.weights_scratch(w.shape[0], w.shape[1]),
                strips.scratch(x.shape[0]),
                strips.scratch(node.shape[0]),
            )
        )
        name, source, weights = self._name("winograd"), self.contiguous(x), self.view(w)
        return WinogradConv(name, source, weights, x.shape, node, stores, leaves, kernels, images, products)

    def _conv(self, node: Node, stores: Stores, leaves: Leaves) -> Kernel:
        x, w = node.inputs
        strides, dilations, groups = node.attrs
        assert isinstance(groups, int)
        if fits_winograd(x.shape, w.shape, strides, dilations, groups):
            return self._winograd(node, stores, leaves)
        (sy, sx), (dy, dx) = _pair(strides), _pair(dilations)
        source, weights = self.contiguous(x), self.contiguous(w)
        _, height, width = x.shape
        outputs, inner, kh, kw = w.shape
        plane, line, taps = height * width * BLOCK, width * BLOCK, 4 * inner * kh * kw
        each = outputs // groups

        def split(view: View) -> View:
            """Channels as (group, channel)."""
            step, *rest = view.strides
            shape = (groups, each, *view.shape[1:])
            return View(view.buffer, shape, (step * each, step, *rest), view.start)

        return Contraction(
            name=self._name("conv"),
            counts=(self.blocks, groups, each, *node.shape[1:]),
            reduction=(inner, kh, kw),
            x=Operand(
                source,
                (
                    source.block_stride(),
                    inner * plane,
                    0,
                    sy * line,
                    sx * BLOCK,
                    plane,
                    dy * line,
                    dx * BLOCK,
                ),
            ),
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
            scratch=self._scratch(inner * kh * kw, prod(node.shape[1:]), PACK_CONV),
            bands=_bands(x, node.shape[1], kh, sy, dy),
        )


def _renewed(update: Update, new: Iterator[Node]) -> Update:
    """The update with the next of the new nodes in place of its own."""
    stores = tuple((next(new), next(new)) for _ in update.stores)
    ends = tuple(next(new) for _ in update.ends)
    place = None if update.gradient is None else update.ends.index(update.gradient)
    return Update(stores, ends, None if place is None else ends[place])


def _as_matrices(node: Node, x: View, w: View) -> tuple[View, View]:
    """Operands of a DOT as those of a product: x [*m, k], w [*1, k, n]."""
    if node.attrs[0] == "ok":
        w = View(w.buffer, w.shape[::-1], w.strides[::-1], w.start)
    lead = len(x.shape) - 2
    if lead < 0:
        x = View(x.buffer, (1, *x.shape), (0, *x.strides), x.start)
    shape, zeros = (*x.shape[:-2], *w.shape), (0,) * max(lead, 0)
    return x, View(w.buffer, shape, (*zeros, *w.strides), w.start)


def _joined(first: Kernel, second: Elementwise) -> Elementwise | None:
    """One kernel that does what two neighbours do, if both go over the same indices and the second reads of
    the first's results only what lies at its own index."""
    if not isinstance(first, Elementwise) or not first.chain:
        return None
    if (first.shape, first.batched) != (second.shape, second.batched):
        return None
    computed = dict(first.stores)
    for node, leaf in second.leaves.items():
        if isinstance(leaf, View) and leaf.buffer in first.writes and computed.get(node) != leaf:
            return None
    leaves = {node: leaf for node, leaf in second.leaves.items() if node not in computed}
    if any(node in leaves for node in first.inner()) or any(node in first.leaves for node in second.inner()):
        return None
    both = Elementwise(
        second.name,
        second.shape,
        second.batched,
        first.stores + second.stores,
        {**first.leaves, **leaves},
        True,
    )
    return both if len(both.inner()) <= TREE_MAX else None


def _alike(node: Node, user: Node) -> bool:
    """The user computes elementwise on an array of the node's shape, in float32."""
    same = user.shape == node.shape and user.batched == node.batched
    return user.op in ir.ELEMENTWISE and same and not ir.general(user) and not ir.general(node)


def _ints(value: object) -> tuple[int, ...]:
    assert isinstance(value, tuple)
    return value


def _pair(value: object) -> tuple[int, int]:
    first, second = _ints(value)
    return first, second


def _flat(view: View) -> bool:
    """The view's elements lie in C order without gaps."""
    return view.strides == c_strides(view.shape)


def _boundary(roots: Iterable[Node], inside: Callable[[Node], bool]) -> list[Node]:
    """Where expressions end: what the roots read through nodes that are `inside`, in order of first use."""
    found: dict[Node, None] = {}
    seen: set[Node] = set()
    stack = [item for root in roots for item in reversed(root.inputs)]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if inside(node):
            stack += reversed(node.inputs)
        else:
            found[node] = None
    return list(found)


def _bands(x: Node, lines: int, taps: int, stride: int, dilation: int) -> tuple[Band, ...]:
    """Which kernel rows each line of a convolution's result needs, if `x` is padded so much that it pays."""
    if x.op is not Op.PAD or x.attrs[3] != 0.0 or taps > BANDS_MAX:
        return ()
    low, high = _ints(x.attrs[0])[1], x.shape[1] - _ints(x.attrs[1])[1]
    bands: list[Band] = []
    for line in range(lines):
        inside = [tap for tap in range(taps) if low <= line * stride + tap * dilation < high] or [0]
        if bands and (bands[-1].first, bands[-1].taps) == (inside[0], len(inside)):
            bands[-1] = Band(bands[-1].lines + 1, inside[0], len(inside))
        else:
            bands.append(Band(1, inside[0], len(inside)))
    share = sum(band.lines * band.taps for band in bands) / (lines * taps)
    return tuple(bands) if len(bands) <= BANDS_MAX and share < BANDS_SHARE else ()


def _number(node: Node) -> float | None:
    """The value of a single constant, however it is spread."""
    while node.op in ir.MOVEMENT:
        node = node.inputs[0]
    if node.op is not Op.CONST or node.size != 1 or node.dtype is not DType.F32:
        return None
    return float(ir.value_of(node).reshape(-1)[0])
