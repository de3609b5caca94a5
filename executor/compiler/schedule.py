"""From IR to kernels: what is computed where, what is fused into what, in which order.

- Elementwise nodes with a single elementwise user of the same shape are computed inside it, never stored.
- A contraction with a single elementwise user of its shape takes that chain as its epilogue; a weight
gradient takes the
  optimizer's update.
- Zeros around an image that only a convolution reads are not stored where it can do without.
- A short elementwise chain that only a sum reads is computed inside the sum.
- A value times a number, or with what is spread from a small array, is computed in each user.
- An update of a parameter runs as soon as every kernel that reads the old value has run.

What kernels a node becomes stands in `lowering/`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from executor.compiler import ir
from executor.compiler.blocks import by_block
from executor.compiler.ir import Node, Shape
from executor.compiler.kernels import typed_rows
from executor.compiler.kernels.base import Buffer, Kernel, View, c_strides
from executor.compiler.kernels.elementwise import Elementwise
from executor.compiler.kernels.expression import FUNCTIONS
from executor.compiler.kernels.nest import BLOCK
from executor.compiler.kernels.rows import LanesToRows, StoreLoss
from executor.compiler.kernels.scan import TurnCopy
from executor.compiler.lowering.general import general
from executor.compiler.lowering.places import Leaves, Places, ints, number
from executor.compiler.lowering.products import contract, conv_weight, fits, inner_of
from executor.compiler.lowering.sums import batch_sum, grid_sum, noised, reduce
from executor.compiler.lowering.turns import scan
from executor.compiler.lowering.windows import pad, pool
from executor.compiler.op import CONTRACTION, ELEMENTWISE, LEAVES, MOVEMENT, Op
from executor.compiler.order import soonest
from executor.compiler.types import DType

TREE_MAX = 48
"""Nodes of one fused chain: bounds the emitter's recursion and the registers in use."""
CHEAP = frozenset({Op.NEG, Op.ADD, Op.SUB, Op.MUL})
"""With a number, or what is spread from a much smaller array: computed again in each user rather than
stored."""
AGAIN_MAX = 3
"""Nodes of a chain that is computed again."""
SPREAD = 8
"""How many times smaller."""
ORDERED = ELEMENTWISE | {Op.DOT, Op.MATMUL}
"""What writes its values in any order of axes."""
SAME_SETS = 1024
"""Rows a multiple of so many bytes apart are moved further apart: a column would else lie in a sixteenth of
the first cache, or less."""
VIEWS = MOVEMENT | LEAVES | {Op.PART}
"""What no kernel computes: places that others fill."""
LOWERINGS: dict[Op, Callable[[Places, Node], None]] = {
    Op.PAD: pad,
    Op.CONV_WEIGHT: conv_weight,
    Op.GRID_SUM: grid_sum,
    Op.GRID_OUTER: grid_sum,
    Op.NOISED: noised,
    Op.POOL_MAX: pool,
    Op.POOL_MAX_GRAD: pool,
}
"""Of float32 primitives that are neither elementwise nor contractions."""
SUMS: dict[Op, Callable[[Places, Node, Leaves], None]] = {
    Op.SUM: reduce,
    Op.MAXIMUM: reduce,
    Op.BATCH_SUM: batch_sum,
}
"""What takes an elementwise chain as it adds up."""
SUMMED_MAX = 6
"""Nodes of such a chain: it is computed for one vector after the other."""


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
        return [node for node in self.ends if node.op not in LEAVES]


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


class Scheduler(Places):
    """Turns nodes into `kernels`."""

    def __init__(self, blocks: int, places: Mapping[str, Buffer]) -> None:
        super().__init__(blocks, places)
        self.uses: Counter[Node] = Counter()
        self.users: dict[Node, list[Node]] = {}
        self.fused: set[Node] = set()
        self.again: set[Node] = set()

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
        self.orders = {node: axes for node in order if (axes := self._read_order(node))}
        self.apart = {node for node in order if self._heads(node)}.difference(kept)
        for node in order:
            if node not in self.fused and node.op not in VIEWS:
                self._realise(node)
        for node, region in sinks.outputs:
            if node.dtype is not DType.F32:
                self.add(typed_rows.Leave(self.name("rows"), self.view(node), region))
                continue
            source = self.contiguous(node)
            self.add(LanesToRows(self.name("rows"), source, region, source.elements, at_row0=True))
        for node, region in sinks.values:
            view = View(region, node.shape, c_strides(node.shape))
            self.add(self.copy("value", self.view(node), view))
        start, pitch = 0, sum(node.size for node, _ in sinks.slots)
        for node, region in sinks.slots:
            self.add(TurnCopy(self.name("slot"), region, self.contiguous(node), True, start, pitch))
            start += node.size
        if sinks.loss:
            self.add(StoreLoss("loss", self.contiguous(sinks.loss[0]), sinks.loss[1]))
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
        heavy: set[Node] = set()
        for node in order:
            if (
                node.op not in ELEMENTWISE
                or node.op in FUNCTIONS
                or any(item in heavy for item in node.inputs if item in self.fused)
            ):
                heavy.add(node)
            size[node] = 1 + sum(size[item] for item in node.inputs if item in self.fused and item in size)
            if node in roots:
                continue
            if self.uses[node] != 1:
                if node not in updated and size[node] <= AGAIN_MAX and self._again(node):
                    self.fused.add(node)
                    self.again.add(node)
                continue
            if node in updated:
                if node.op is Op.OUTER and node in hosts:
                    self.fused.add(node)
                continue
            (user,) = self.users[node]
            if node.op is Op.PAD and inner_of(user):
                self.fused.add(node)
                continue
            if user.op in SUMS:
                if node not in heavy and size[node] <= SUMMED_MAX and _sums(node, user):
                    self.fused.add(node)
                continue
            if not _alike(node, user) or size[node] > TREE_MAX:
                continue
            if node.op in ELEMENTWISE or node.op in CONTRACTION:
                self.fused.add(node)
                if node.op in CONTRACTION:
                    size[node] = 1

    def _read_order(self, node: Node) -> tuple[int, ...] | None:
        """The order of axes in which the only user of a value reads it, if its kernel can write it so."""
        if node.op not in ORDERED or not node.batched or self.uses[node] != 1 or ir.general(node):
            return None
        (user,) = self.users.get(node, [node])
        if user.op is not Op.PERMUTE:
            return None
        ends = _boundary([node], lambda item: item in self.fused and item.op in ELEMENTWISE)
        if any(item in self.fused and item.op not in ORDERED for item in ends):
            return None
        return ints(user.attrs[0])

    def _heads(self, node: Node) -> bool:
        """Batched products read the value, cut into heads or turned, and nothing else needs it in C order."""
        if not node.batched or node.op not in ORDERED or ir.general(node):
            return False
        if len(node.shape) < 2 or node.shape[-1] * BLOCK % SAME_SETS or node in self.orders:
            return False
        found, moved = False, [node]
        while moved:
            item = moved.pop()
            for user in self.users.get(item, []):
                if user.op is Op.PERMUTE or (user.op is Op.RESHAPE and _cut(item.shape, user.shape)):
                    moved.append(user)
                elif user.op is Op.MATMUL:
                    found = True
                elif user.op not in ELEMENTWISE and user.op not in SUMS:
                    return False
        return found

    def _again(self, node: Node) -> bool:
        """A stored value times a number, or the like, is computed in each of its users: that is cheaper than
        to store it."""
        if node.op not in CHEAP:
            return False
        values = [item for item in node.inputs if number(item) is None and not _spread(item, node.batched)]
        return (
            len(values) == 1
            and (values[0] not in self.fused or values[0] in self.again)
            and all(_alike(node, user) or _sums(node, user) for user in self.users[node])
        )

    def _updated(self, updates: Sequence[Update]) -> list[Kernel]:
        """Append the updates, then move what can run sooner."""
        for update in updates:
            for end in update.ends:
                if end in self.fused:
                    a, b = end.inputs
                    self.contiguous(a)
                    self.panels_of(b)
                else:
                    self.view(end)
        for update in updates:
            self._update(update)
        return soonest(by_block(self.kernels, self.blocks))

    def _update(self, update: Update) -> None:
        ends, gradient = set(update.ends), update.gradient
        stores = tuple((value, self.view(old)) for value, old in update.stores)
        leaves: Leaves = {value: self.view(value) for value, _ in update.stores if value in ends}
        inner = [value for value, _ in update.stores if value not in ends]
        fused = gradient in self.fused
        for item in _boundary(inner, lambda node: node.op in ELEMENTWISE and node not in ends):
            if not (fused and item is gradient):
                leaves[item] = self.leaf_of(item)
        if fused and gradient is not None:
            contract(self, gradient, stores, leaves)
        else:
            self.add(self.elementwise(update.stores[-1][1], stores, leaves, "update"))

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

    def _realise(self, node: Node) -> None:
        """Write the kernel that computes and stores `node`."""
        if node.op is Op.SCAN:
            inner = Scheduler(self.blocks, self.places)
            scan(self, inner, inner.body, node)
        elif ir.general(node):
            general(self, node)
        elif node.op in ELEMENTWISE:
            self._chain(node)
        elif node.op in CONTRACTION:
            contract(self, node, None, {})
        elif node.op in SUMS:
            SUMS[node.op](self, node, self._fed(node.inputs[0]))
        else:
            LOWERINGS[node.op](self, node)

    def _fed(self, value: Node) -> Leaves:
        """What a sum reads: the value, or the ends of the chain that computes it."""
        if value not in self.fused:
            return {value: self.view(value)}
        return {item: self.leaf_of(item) for item in _boundary([value], lambda item: item in self.fused)}

    def _chain(self, node: Node) -> None:
        """An elementwise chain, inside the contraction that feeds it if there is one."""
        leaves: Leaves = {}
        contractions = []
        for item in _boundary([node], lambda item: item in self.fused and item.op in ELEMENTWISE):
            if item in self.fused:
                contractions.append(item)
            else:
                leaves[item] = self.leaf_of(item)
        host = contractions[0] if contractions else None
        for item in contractions[1:]:
            contract(self, item, None, {})
            leaves[item] = self.view(item)
        if host is not None and not fits(host, leaves):
            contract(self, host, None, {})
            leaves[host] = self.view(host)
            host = None
        stores = ((node, self.laid(node)),)
        if host is None:
            kernel = replace(self.elementwise(node, stores, leaves), chain=True)
            if self.kernels and (both := _joined(self.kernels[-1], kernel)):
                self.kernels[-1] = both
            else:
                self.add(kernel)
        else:
            contract(self, host, stores, leaves)


def _renewed(update: Update, new: Iterator[Node]) -> Update:
    """The update with the next of the new nodes in place of its own."""
    stores = tuple((next(new), next(new)) for _ in update.stores)
    ends = tuple(next(new) for _ in update.ends)
    place = None if update.gradient is None else update.ends.index(update.gradient)
    return Update(stores, ends, None if place is None else ends[place])


def _joined(first: Kernel, second: Elementwise) -> Elementwise | None:
    """One kernel that does what two neighbours do, if both go over the same indices and the second reads of
    the first's results only what lies at its own index."""
    if not isinstance(first, Elementwise) or not first.chain or first.turned:
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
    return user.op in ELEMENTWISE and same and not _typed(node, user)


def _sums(node: Node, user: Node) -> bool:
    """The user adds up the node, a value of each row, and may compute it on the way."""
    return user.op in SUMS and node.batched and not _typed(node, user)


def _cut(before: Shape, after: Shape) -> bool:
    """Only the last axis became several."""
    return after[: len(before) - 1] == before[:-1]


def _spread(node: Node, batched: bool) -> bool:
    """A value of rows gets the node from an array that is much smaller."""
    source = node
    while source.op in MOVEMENT:
        source = source.inputs[0]
    return batched and SPREAD * source.size <= node.size


def _typed(*nodes: Node) -> bool:
    """One of them takes a general kernel."""
    return any(ir.general(node) for node in nodes)


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
