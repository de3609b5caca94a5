"""A body that runs once for each element of a sequence: what recurrent layers are made of.

A `Body` is a graph over SLOT leaves: `carried` values go from one turn to the next, `scanned` ones are the
turn's element of a sequence, `shared` ones are the same in every turn. A SCAN node runs it; PART nodes are
its results: sequences of values given in each turn, and the carried values after the last. One copy of the
body's code serves all turns, so that a long sequence makes no large module.

Its gradient is a SCAN over the turns in the opposite order. What the body's gradient reads of the forward
pass is saved turn by turn. The gradient by a shared matrix is no sum of products in the loop, but one product
over all turns after it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from executor.compiler import ir
from executor.compiler.ir import Node, Shape, const, reduce
from executor.compiler.op import MOVEMENT, Op
from executor.compiler.types import DType
from executor.errors import ShapeMismatch, TooLarge

TURNS_MAX = 4096
"""Elements of a sequence."""


@dataclass(eq=False)
class Body:
    """One turn. `given` grows while gradients are derived: it holds what each turn leaves behind."""

    carried: tuple[Node, ...]
    scanned: tuple[Node, ...]
    shared: tuple[Node, ...]
    next: tuple[Node, ...] = ()
    given: list[Node] = field(default_factory=list)

    def save(self, node: Node) -> int:
        """The number of the sequence of `node`'s values."""
        if node not in self.given:
            self.given.append(node)
        return self.given.index(node)


def slot(shape: Shape, batched: bool) -> Node:
    """A leaf of a body. Each call makes a different one."""
    return ir.make(Op.SLOT, (), shape, batched, object())


Step = Callable[[Sequence[Node], Sequence[Node], Sequence[Node]], tuple[Sequence[Node], Sequence[Node]]]


def scan(
    step: Step,
    carried: Sequence[Node],
    scanned: Sequence[Node],
    shared: Sequence[Node],
    *,
    backwards: bool = False,
) -> tuple[list[Node], list[Node]]:
    """Run `step(carried, scanned, shared) → (next, given)` over sequences [turns, …].

    Gives the carried values after the last turn, and the sequences [turns, …] of what each turn gave; with
    `backwards` the turns go from the last to the first. Carried values are batched if any sequence is.
    Raises ShapeMismatch, TooLarge.
    """
    turns = scanned[0].shape[0]
    if any(not item.shape or item.shape[0] != turns for item in scanned):
        raise ShapeMismatch("sequences of different length")
    if turns > TURNS_MAX:
        raise TooLarge(f"a sequence of {turns} elements; {TURNS_MAX} are allowed")
    batched = any(item.batched for item in scanned)
    body = Body(
        tuple(slot(item.shape, batched) for item in carried),
        tuple(slot(item.shape[1:], item.batched) for item in scanned),
        tuple(slot(item.shape, item.batched) for item in shared),
    )
    following, given = step(body.carried, body.scanned, body.shared)
    for old, new in zip(body.carried, following, strict=True):
        if old.shape != new.shape:
            raise ShapeMismatch(f"a carried value of shape {list(old.shape)} becomes {list(new.shape)}")
    body.next, body.given = tuple(following), list(given)
    node = _run(body, (*carried, *scanned, *shared), turns, backwards, batched)
    return [last(node, k) for k in range(len(carried))], [sequence(node, k) for k in range(len(given))]


def _run(body: Body, inputs: tuple[Node, ...], turns: int, backwards: bool, batched: bool) -> Node:
    return ir.make(Op.SCAN, inputs, (), batched, body, turns, backwards, dtype=DType.F32)


def body_of(node: Node) -> Body:
    """The body of a SCAN."""
    body = node.attrs[0]
    assert node.op is Op.SCAN and isinstance(body, Body)
    return body


def turns_of(node: Node) -> tuple[int, bool]:
    """Turns of a SCAN, and whether they run backwards."""
    turns, backwards = node.attrs[1:]
    assert isinstance(turns, int) and isinstance(backwards, bool)
    return turns, backwards


def sequence(node: Node, number: int) -> Node:
    """What the body gave as `number`, of all turns: [turns, …] in the order of the scanned sequences."""
    value = body_of(node).given[number]
    return ir.make(Op.PART, (node,), (turns_of(node)[0], *value.shape), value.batched, "given", number)


def last(node: Node, number: int) -> Node:
    """A carried value after the last turn."""
    value = body_of(node).carried[number]
    return ir.make(Op.PART, (node,), value.shape, value.batched, "carried", number)


# --- the gradient -------------------------------------------------------------------------------------------

Sweep = Callable[[Mapping[Node, Node], Iterable[Node]], dict[Node, Node]]
"""`gradients.sweep`: (value → gradient by it, wanted) → gradients by the wanted."""


def gradient(node: Node, parts: Mapping[Node, Node], active: set[Node], sweep: Sweep) -> list[Node | None]:
    """Gradient by each input of a SCAN for gradients by its parts."""
    return _Backward(node, parts, active, sweep).inputs()


class _Backward:
    """The scan in the opposite order, being built."""

    def __init__(self, node: Node, parts: Mapping[Node, Node], active: set[Node], sweep: Sweep) -> None:
        self.node, self.body = node, body_of(node)
        self.forward = set(ir.postorder([*self.body.next, *self.body.given, *self.body.carried]))
        self.forward |= {*self.body.scanned, *self.body.shared}
        self.turns, self.backwards = turns_of(node)
        first = len(self.body.carried)
        second = first + len(self.body.scanned)
        self.sequences = dict(zip(self.body.scanned, node.inputs[first:second], strict=True))
        self.fixed = dict(zip(self.body.shared, node.inputs[second:], strict=True))
        self.scanned: dict[Node, tuple[Node, Node]] = {}
        self.shared: dict[Node, tuple[Node, Node]] = {}
        self.known: dict[Node, Node] = {}
        self.given: list[Node] = []
        self.carried = [slot(item.shape, item.batched) for item in self.body.carried]
        self.ends = [const(0.0, item.shape) for item in self.body.carried]
        seeds: dict[Node, Node] = {}
        for value, seed in zip(self.body.next, self.carried, strict=True):
            seeds[value] = seeds[value] + seed if value in seeds else seed
        for part, g in parts.items():
            kind, number = part.attrs
            assert isinstance(number, int)
            if kind == "carried":
                self.ends[number] = self.ends[number] + g
                continue
            value, seed = self.body.given[number], slot(part.shape[1:], g.batched)
            self.scanned[seed] = (seed, g)
            seeds[value] = seeds[value] + seed if value in seeds else seed
        wanted = [*self.body.carried]
        wanted += [item for item in self.body.scanned if self.sequences[item] in active]
        wanted += [item for item in self.body.shared if self.fixed[item] in active]
        self.found = sweep(seeds, wanted)

    def inputs(self) -> list[Node | None]:
        following = [
            self._moved(self.found[item]) if item in self.found else const(0.0, item.shape)
            for item in self.body.carried
        ]
        by_scanned = [
            self._give(self.found[item]) if item in self.found else None for item in self.body.scanned
        ]
        # Sums over the turns may save more of the forward pass: write them down before the body is complete.
        sums = [self._plan(self.found[item]) if item in self.found else None for item in self.body.shared]
        body = Body(
            tuple(self.carried),
            tuple(inside for inside, _ in self.scanned.values()),
            tuple(inside for inside, _ in self.shared.values()),
            tuple(following),
            self.given,
        )
        inputs = (
            *self.ends,
            *(outside for _, outside in self.scanned.values()),
            *(outside for _, outside in self.shared.values()),
        )
        scanned = _run(body, inputs, self.turns, not self.backwards, self.node.batched)
        return [
            *(last(scanned, number) for number in range(len(self.carried))),
            *(None if number is None else sequence(scanned, number) for number in by_scanned),
            *(None if plan is None else plan(scanned) for plan in sums),
        ]

    # --- values of a turn

    def _moved(self, node: Node) -> Node:
        """A value of the gradient's body: what belongs to the forward pass becomes a slot."""
        stack = [(node, False)]
        while stack:
            item, ready = stack.pop()
            if item in self.known:
                continue
            if ready or self._ends(item):
                self.known[item] = self._replaced(item)
            else:
                stack.append((item, True))
                stack += [(part, False) for part in reversed(item.inputs)]
        return self.known[node]

    def _ends(self, node: Node) -> bool:
        """What lies behind the node is not looked at: it is saved, or shared."""
        saved = node in self.forward and node.op not in MOVEMENT and node.op is not Op.CONST
        return saved or node in self.fixed

    def _replaced(self, node: Node) -> Node:
        if node in self.fixed:
            self.shared[node] = (slot(node.shape, node.batched), self.fixed[node])
            return self.shared[node][0]
        if self._ends(node):
            self.scanned[node] = (slot(node.shape, node.batched), self._saved(node))
            return self.scanned[node][0]
        inputs = tuple(self.known[item] for item in node.inputs)
        return node if inputs == node.inputs else ir.rebuilt(node, inputs)

    def _saved(self, node: Node) -> Node:
        """The sequence of a value of the forward pass."""
        if node in self.sequences:
            return self.sequences[node]
        return sequence(self.node, self.body.save(node))

    def _give(self, node: Node) -> int:
        """Let each turn leave a value of the gradient's body; its number."""
        value = self._moved(node)
        if value not in self.given:
            self.given.append(value)
        return self.given.index(value)

    # --- sums over the turns

    def _plan(self, node: Node) -> Callable[[Node], Node]:
        """How Σ over the turns of `node` is computed once the scan stands: linear steps come after it."""
        if node.op is Op.ADD and node not in self.forward:
            a, b = (self._plan(item) for item in node.inputs)
            return lambda scanned: a(scanned) + b(scanned)
        if node.op in (Op.RESHAPE, Op.PERMUTE) and node not in self.forward:
            inner = self._plan(node.inputs[0])
            return lambda scanned: ir.rebuilt(node, (inner(scanned),))
        if node.op is Op.OUTER:
            left, right = (self._over_turns(item) for item in node.inputs)
            return lambda scanned: ir.outer(left(scanned), right(scanned))
        if node.op is Op.BATCH_SUM:
            whole = self._over_turns(node.inputs[0])
            shape = node.shape
            return lambda scanned: ir.batch_sum(ir.reshape(reduce(Op.SUM, whole(scanned), [0]), shape))
        values, shape = self._over_turns(node), node.shape
        return lambda scanned: ir.reshape(reduce(Op.SUM, values(scanned), [0]), shape)

    def _over_turns(self, node: Node) -> Callable[[Node], Node]:
        if node in self.forward:
            saved = self._saved(node)
            return lambda scanned: saved
        number = self._give(node)
        return lambda scanned: sequence(scanned, number)
