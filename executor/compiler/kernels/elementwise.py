"""Fused elementwise chains, and copies between layouts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from executor.compiler.ir import Node, Shape, make
from executor.compiler.kernels.base import Buffer, Lanes, View, c_strides
from executor.compiler.kernels.expression import VECTOR, Evaluator, Expression, Store, Unit
from executor.compiler.kernels.nest import Access, Nest
from executor.compiler.kernels.turned import Turned
from executor.compiler.op import Op
from executor.wasm.code import Code

UNROLL = 4
"""Items an iteration: eight vectors of a batched chain, four of any other."""


@dataclass(frozen=True)
class Elementwise:
    """Evaluate `stores` (value → view) at every index of `shape`; leaves are views or immediate numbers."""

    name: str
    shape: Shape
    batched: bool
    stores: tuple[tuple[Node, View], ...]
    leaves: dict[Node, View | float]
    chain: bool = False
    """Its results are new values in buffers of their own."""
    turned: tuple[Turned, ...] = ()
    """Results that are also written in the order in which a sum over rows reads them."""

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """Buffers of the leaves."""
        return tuple(leaf.buffer for leaf in self.leaves.values() if isinstance(leaf, View))

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """Buffers of the stores."""
        return (*(view.buffer for _, view in self.stores), *(item.target for item in self.turned))

    def expression(self, lanes: Lanes) -> Expression:
        """The stores and leaves as accesses over (block, features…)."""
        return bind(self.stores, self.leaves, lanes, self.batched)

    def inner(self) -> list[Node]:
        """Nodes that are computed."""
        return self.expression(Lanes(1)).inner()

    def flops(self, blocks: int) -> int:
        """One for each computed node, index and row."""
        rows = 8 * blocks if self.batched else 1
        return rows * prod(self.shape) * max(1, len(self.inner()))

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Loops over the merged axes; the innermost is unrolled."""
        counts = (lanes.blocks if self.batched else 1, *self.shape)
        sides = [item.access() for item in self.turned]
        counts, expression, sides = merged(counts, self.expression(lanes), lanes.single, sides)
        items, step = counts[-1], max((UNROLL, *(item.width for item in self.turned)))
        tail = 0
        if self.batched:
            pattern: tuple[tuple[int, int], ...] = ((0, VECTOR), (16, VECTOR))
        elif items >= VECTOR and all(step in (0, 4) for step in last_strides(expression)):
            expression, pattern = in_vectors(expression), ((0, VECTOR),)
            items, tail = divmod(items, VECTOR)
        else:
            expression, pattern = one_by_one(expression), ((0, 1),)
        nest = Nest(code, [*expression.accesses, *sides])
        lanes.begin(nest)
        evaluator = Evaluator(code, nest, expression)
        rank = len(counts)

        def group(count: int, live: int = 0) -> None:
            shifts = [(*(0,) * (rank - 1), item) for item in range(count)]
            evaluator.write([Unit(shift, byte, live or lane) for shift in shifts for byte, lane in pattern])
            for item, target in zip(self.turned, sides, strict=True):
                item.write(nest, expression.stores[item.store].access, target, shifts)

        def innermost() -> None:
            turns, rest = divmod(items, step)
            if turns:
                with nest.loop(rank - 1, turns, step):
                    group(step)
            group(rest)
            if tail:
                nest.advance(rank - 1, rest)
                group(1, tail)
            if rank > 1:
                nest.rewind(rank - 1, turns * step + (rest if tail else 0))

        loops(nest, counts[:-1], innermost, 1 if lanes.single else 0)


@dataclass(frozen=True)
class Border:
    """`value` in the parts of a buffer: what lies around a padded array."""

    name: str
    parts: tuple[View, ...]
    batched: bool
    value: float
    reads: tuple[Buffer, ...] = ()

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The buffer."""
        return (self.parts[0].buffer,)

    def flops(self, blocks: int) -> int:
        """None: stores only."""
        return 0

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Part by part."""
        for view in self.parts:
            node = make(Op.INPUT, (), view.shape, self.batched)
            Elementwise(self.name, view.shape, self.batched, ((node, view),), {node: self.value}).emit(
                code, lanes
            )


def border(target: Buffer, shape: Shape, before: Sequence[int], inner: Shape) -> tuple[View, ...]:
    """The parts of an array of `shape` in C order outside of its `inner` one, which begins at `before`."""
    strides, parts = c_strides(shape), []
    for axis, (low, size) in enumerate(zip(before, inner, strict=True)):
        for first, count in ((0, low), (low + size, shape[axis] - low - size)):
            start = sum(step * at for step, at in zip(strides, before[:axis], strict=False))
            if count:
                part = (*inner[:axis], count, *shape[axis + 1 :])
                parts.append(View(target, part, strides, start + first * strides[axis]))
    return tuple(parts)


def loops(nest: Nest, counts: tuple[int, ...], body: Callable[[], None], axis: int = 0) -> None:
    """`body` inside a loop for each axis from `axis` on; indices are back at their start afterwards."""
    if axis == len(counts):
        body()
        return
    with nest.loop(axis, counts[axis]):
        loops(nest, counts, body, axis + 1)
    nest.rewind(axis, counts[axis])


def bind(
    stores: tuple[tuple[Node, View], ...], leaves: Mapping[Node, View | float], lanes: Lanes, batched: bool
) -> Expression:
    """Views as accesses over the axes (block, features…)."""
    bound = tuple(Store(root, lanes.access(view, batched)) for root, view in stores)
    return Expression(
        bound,
        {
            node: leaf if isinstance(leaf, float) else lanes.access(leaf, batched)
            for node, leaf in leaves.items()
        },
    )


def rewritten(expression: Expression, change: Callable[[Access], Access]) -> Expression:
    """The expression with every access changed."""
    return Expression(
        tuple(Store(store.root, change(store.access)) for store in expression.stores),
        {n: change(leaf) if isinstance(leaf, Access) else leaf for n, leaf in expression.leaves.items()},
    )


def merged(
    counts: tuple[int, ...], expression: Expression, single: bool = False, more: Sequence[Access] = ()
) -> tuple[tuple[int, ...], Expression, list[Access]]:
    """Drop axes of size 1 and join neighbours over which every access is contiguous, those of the expression
    and `more`. The first axis stays as it is if a nest begins at a `single` index of it."""
    keep = [axis for axis, count in enumerate(counts) if count > 1 and (axis or not single)]
    keep = keep or [len(counts) - 1]
    groups: list[list[int]] = [[0]] if single else []
    first = len(groups)
    for axis in keep:
        last = groups[-1][-1] if groups else -1
        if len(groups) > first and all(
            a.strides[last] == a.strides[axis] * counts[axis] for a in (*expression.accesses, *more)
        ):
            groups[-1].append(axis)
        else:
            groups.append([axis])

    def change(access: Access) -> Access:
        return Access(access.base, tuple(access.strides[group[-1]] for group in groups), access.splat)

    joined = tuple(prod(counts[axis] for axis in group) for group in groups)
    return joined, rewritten(expression, change), [change(access) for access in more]


def last_strides(expression: Expression) -> list[int]:
    """Stride of each access along the innermost axis."""
    return [access.strides[-1] for access in expression.accesses]


def in_vectors(expression: Expression) -> Expression:
    """Four neighbours of the innermost axis at a time."""
    return rewritten(
        expression,
        lambda access: Access(
            access.base, (*access.strides[:-1], access.strides[-1] * VECTOR), access.strides[-1] == 0
        ),
    )


def one_by_one(expression: Expression) -> Expression:
    """One element at a time, loaded into all lanes."""
    return rewritten(expression, lambda access: Access(access.base, access.strides, True))
