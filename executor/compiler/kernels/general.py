"""Kernels for every element type, one element at a time: correct first. They read and write strided views,
of a batch in lanes or of a whole tensor, empty ones included.

Floats are added in the order of the loops, halves in f32; float32 sums of the fast kernels are ordered
differently (executor/compiler/kernels/reduction.py). All order is part of NUMERICS.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from executor.compiler.ir import Op, Shape
from executor.compiler.kernels.base import Buffer, Lanes, View, c_strides
from executor.compiler.kernels.nest import LANES, Access, Nest
from executor.compiler.kernels.pointwise import compute
from executor.compiler.kernels.rows import LIVE, ROW0
from executor.compiler.kernels.scalar import Scalar, Value, moving, static
from executor.compiler.types import DType
from executor.wasm.code import Code

Axes = tuple[int, ...]


def laned(view: View, steps: Sequence[int] | None = None) -> Access:
    """An access over (block, lane, axes…); `steps` are the axes' strides in elements if not the view's."""
    unit, dtype = view.buffer.unit(), view.buffer.dtype
    lane = dtype.width if view.buffer.batched else 0
    strides = view.strides if steps is None else steps
    start = view.buffer.offset + unit * view.start
    return Access(start, (view.buffer.block_stride(), lane, *(unit * step for step in strides)))


def over(batched: bool, lanes: Lanes, shape: Sequence[int]) -> tuple[int, ...]:
    """Counts of (block, lane, axes…)."""
    return (lanes.blocks, LANES, *shape) if batched else (1, 1, *shape)


def joined(counts: tuple[int, ...], accesses: Sequence[Access]) -> tuple[tuple[int, ...], list[Access]]:
    """Without axes of size 1, and with neighbours joined over which every access is contiguous."""
    groups: list[list[int]] = []
    for axis in [axis for axis, count in enumerate(counts) if count != 1]:
        last = groups[-1][-1] if groups else -1
        if groups and all(a.strides[last] == a.strides[axis] * counts[axis] for a in accesses):
            groups[-1].append(axis)
        else:
            groups.append([axis])
    changed = [Access(a.base, tuple(a.strides[group[-1]] for group in groups)) for a in accesses]
    return tuple(prod(counts[axis] for axis in group) for group in groups), changed


def walk(nest: Nest, counts: tuple[int, ...], body: Callable[[], None], first: int = 0) -> None:
    """`body` at every index of the axes from `first` on; the pointers are back at their start afterwards."""
    if not counts:
        body()
        return
    if not prod(counts):
        return
    with nest.loop(first, counts[0]):
        walk(nest, counts[1:], body, first + 1)
    nest.rewind(first, counts[0])


@dataclass(frozen=True)
class Pointwise:
    """target[i…] = op(sources[i…]); views of one shape."""

    name: str
    op: Op
    sources: tuple[View, ...]
    target: View

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The sources."""
        return tuple(view.buffer for view in self.sources)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The target."""
        return (self.target.buffer,)

    def flops(self, blocks: int) -> int:
        """One for each element."""
        return prod(self.target.shape) * (LANES * blocks if self.target.buffer.batched else 1)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """One loop an axis."""
        counts = over(self.target.buffer.batched, lanes, self.target.shape)
        if not prod(counts):
            return
        counts, accesses = joined(counts, [laned(view) for view in (*self.sources, self.target)])
        nest, s = Nest(code, accesses), Scalar(code)
        kinds = [view.buffer.dtype for view in self.sources]
        target = self.target.buffer.dtype

        def body() -> None:
            values = [
                s.load(kind, static(nest, access)) for kind, access in zip(kinds, accesses, strict=False)
            ]
            found = compute(s, lanes, self.op, values, kinds, target)
            s.store(target, static(nest, accesses[-1]), found)

        walk(nest, counts, body)


@dataclass(frozen=True)
class Filled:
    """Every element of a buffer is one number."""

    name: str
    target: Buffer
    value: float | int

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """Nothing."""
        return ()

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The buffer."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """None."""
        return 0

    def emit(self, code: Code, lanes: Lanes) -> None:
        """One loop."""
        count = self.target.bytes(lanes.blocks) // self.target.dtype.width
        access = Access(self.target.offset, (self.target.dtype.width,))
        nest, s = Nest(code, [access]), Scalar(code)
        value = s.bound(self.target.dtype, self.value)
        walk(nest, (count,), lambda: s.store(self.target.dtype, static(nest, access), value))


STARTS: dict[Op, Callable[[DType], float | int]] = {
    Op.SUM: lambda dtype: 0,
    Op.PRODUCT: lambda dtype: 1,
    Op.MAXIMUM: lambda dtype: dtype.lowest,
    Op.MINIMUM: lambda dtype: dtype.highest,
}
FOLDS = {Op.SUM: Op.ADD, Op.PRODUCT: Op.MUL, Op.MAXIMUM: Op.MAX, Op.MINIMUM: Op.MIN}


@dataclass(frozen=True)
class Fold:
    """A reduction over `axes`, kept as size 1 in the target; of an empty set the operation's neutral
    number."""

    name: str
    op: Op
    source: View
    axes: Axes
    target: Buffer

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The source."""
        return (self.source.buffer,)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The result."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """One for each element of the source."""
        return prod(self.source.shape) * (LANES * blocks if self.target.batched else 1)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """The reduced axes are the inner loops; the total is kept in a local."""
        shape = self.source.shape
        inner = sorted(self.axes)
        outer = [axis for axis in range(len(shape)) if axis not in inner]
        kept = tuple(1 if axis in inner else size for axis, size in enumerate(shape))
        steps = c_strides(kept)
        order = [*outer, *inner]
        view = View(self.target, kept, steps)
        source = laned(self.source, [self.source.strides[axis] for axis in order])
        target = laned(view, [steps[axis] for axis in order])
        nest, s = Nest(code, [source, target]), Scalar(code)
        dtype = self.source.buffer.dtype
        counts = over(self.target.batched, lanes, [shape[axis] for axis in outer])
        reduced = tuple(shape[axis] for axis in inner)

        def body() -> None:
            total = s.variable(s.bound(dtype, STARTS[self.op](dtype)))

            def step() -> None:
                value = s.load(dtype, static(nest, source))
                total.set(compute(s, lanes, FOLDS[self.op], [total.value, value], [dtype, dtype], dtype))

            walk(nest, reduced, step, len(counts))
            s.store(dtype, static(nest, target), total.value)

        walk(nest, counts, body)


@dataclass(frozen=True)
class RowSum:
    """target[i…] = Σ over the rows of the batch of source[i…]."""

    name: str
    source: View
    target: Buffer

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The source."""
        return (self.source.buffer,)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The result."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """One for each element."""
        return prod(self.source.shape) * LANES * blocks

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Rows in order."""
        shape = self.source.shape
        source, dtype = laned(self.source), self.source.buffer.dtype
        target = laned(View(self.target, shape, c_strides(shape)))
        nest, s = Nest(code, [source, target]), Scalar(code)

        def body() -> None:
            total = s.variable(s.bound(dtype, 0))
            walk(
                nest,
                (lanes.blocks, LANES),
                lambda: total.set(total.value + s.load(dtype, static(nest, source))),
            )
            s.store(dtype, static(nest, target), total.value)

        walk(nest, shape, body, 2)


@dataclass(frozen=True)
class Arg:
    """Index of the largest element along an axis: the first of equals, or the last."""

    name: str
    source: View
    axis: int
    last: bool
    target: Buffer

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The source."""
        return (self.source.buffer,)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The result."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """One for each element."""
        return prod(self.source.shape) * (LANES * blocks if self.target.batched else 1)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """The best so far and its index, in locals."""
        shape = self.source.shape
        counts = over(
            self.target.batched, lanes, [1 if a == self.axis else size for a, size in enumerate(shape)]
        )
        source = laned(self.source)
        target = laned(View(self.target, shape, c_strides(counts[2:])))
        nest, s = Nest(code, [source, target]), Scalar(code)
        dtype, place = self.source.buffer.dtype, self.axis + 2

        def body() -> None:
            best = s.variable(s.load(dtype, static(nest, source)))
            found, index = s.variable(s.number("i64", 0)), s.variable(s.number("i64", 0))

            def step() -> None:
                value = s.let(s.load(dtype, static(nest, source)))
                better = s.let(value.compare("ge" if self.last else "gt", best.value, dtype.signed))
                found.set(s.select(better, index.value, found.value))
                best.set(s.select(better, value, best.value))
                index.set(index.value + 1)

            with nest.loop(place, shape[self.axis]):
                step()
            nest.rewind(place, shape[self.axis])
            s.store(DType.I64, static(nest, target), found.value)

        walk(nest, counts, body)


@dataclass(frozen=True)
class Cumulate:
    """Running sums or products along an axis."""

    name: str
    op: Op
    source: View
    axis: int
    exclusive: bool
    target: Buffer

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The source."""
        return (self.source.buffer,)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The result."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """One for each element."""
        return prod(self.source.shape) * (LANES * blocks if self.target.batched else 1)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """The axis is the inner loop."""
        shape = self.source.shape
        counts = over(
            self.target.batched, lanes, [1 if a == self.axis else size for a, size in enumerate(shape)]
        )
        source = laned(self.source)
        target = laned(View(self.target, shape, c_strides(shape)))
        nest, s = Nest(code, [source, target]), Scalar(code)
        dtype = self.source.buffer.dtype

        def body() -> None:
            total = s.variable(s.bound(dtype, 0 if self.op is Op.ADD else 1))

            def step() -> None:
                if self.exclusive:
                    s.store(dtype, static(nest, target), total.value)
                value = s.load(dtype, static(nest, source))
                total.set(
                    s.rounded(dtype, compute(s, lanes, self.op, [total.value, value], [dtype, dtype], dtype))
                )
                if not self.exclusive:
                    s.store(dtype, static(nest, target), total.value)

            walk(nest, (shape[self.axis],), step, self.axis + 2)

        if prod(shape):
            walk(nest, counts, body)


@dataclass(frozen=True)
class Rank:
    """Place of each element of a row (last axis) when the largest comes first; equals keep their order."""

    name: str
    source: View
    target: Buffer

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The source."""
        return (self.source.buffer,)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The result."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """Every element is compared with every one of its row."""
        shape = self.source.shape
        return prod(shape) * shape[-1] * (LANES * blocks if self.target.batched else 1)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """rank(i) = #{j: x(j) > x(i), or equal and j < i}: two loops over the row."""
        shape, dtype = self.source.shape, self.source.buffer.dtype
        *steps, step = self.source.strides
        x, y = laned(self.source, [*steps, step, 0]), laned(self.source, [*steps, 0, step])
        target = laned(View(self.target, shape, c_strides(shape)), [*c_strides(shape), 0])
        counts = over(self.target.batched, lanes, shape[:-1])
        nest, s = Nest(code, [x, y, target]), Scalar(code)
        row, rank = shape[-1], len(counts)

        def line() -> None:
            i = s.variable(s.number("i32", 0))

            def element() -> None:
                value = s.let(s.load(dtype, static(nest, x)))
                place, j = s.variable(s.number("i32", 0)), s.variable(s.number("i32", 0))

                def compare() -> None:
                    other = s.let(s.load(dtype, static(nest, y)))
                    larger = other.compare("gt", value, dtype.signed)
                    same = other.compare("eq", value) & j.value.compare("lt", i.value)
                    place.set(place.value + (larger | same))
                    j.set(j.value + 1)

                walk(nest, (row,), compare, rank + 1)
                s.store(
                    DType.I64,
                    static(nest, target),
                    s.op("i64.extend_i32_u", place.value, kind="i64"),
                )
                i.set(i.value + 1)

            walk(nest, (row,), element, rank)

        if prod(shape):
            walk(nest, counts, line)


@dataclass(frozen=True)
class Product:
    """target [*g, m, n] = a [*g, m, k] · b [*g, k, n], in C order; any of them of a batch."""

    name: str
    a: View
    b: View
    target: Buffer

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The factors."""
        return (self.a.buffer, self.b.buffer)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The product."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """Two for each product."""
        return 2 * prod(self.a.shape) * self.b.shape[-1] * (LANES * blocks if self.target.batched else 1)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """One sum an element of the result."""
        *groups, rows, inner = self.a.shape
        columns = self.b.shape[-1]
        shape = (*groups, rows, columns)
        sa, sb, st = self.a.strides, self.b.strides, c_strides(shape)
        a = laned(self.a, [*sa[:-2], sa[-2], 0, sa[-1]])
        b = laned(self.b, [*sb[:-2], 0, sb[-1], sb[-2]])
        target = laned(View(self.target, shape, st), [*st, 0])
        nest, s = Nest(code, [a, b, target]), Scalar(code)
        dtype = self.target.dtype
        counts = over(self.target.batched, lanes, shape)

        def body() -> None:
            total = s.variable(s.bound(dtype, 0))

            def step() -> None:
                left = s.load(self.a.buffer.dtype, static(nest, a))
                total.set(total.value + left * s.load(self.b.buffer.dtype, static(nest, b)))

            walk(nest, (inner,), step, len(counts))
            s.store(dtype, static(nest, target), total.value)

        walk(nest, counts, body)


def place_of(s: Scalar, dtype: DType, raw: Value, size: int) -> tuple[Value, Value]:
    """(index between 0 and size − 1, 1 if it was inside) of an index that may count from the end."""
    raw = s.let(raw)
    kind = raw.kind
    index = s.let(s.select(raw.compare("lt", 0, dtype.signed), raw + size, raw)) if dtype.signed else raw
    low = s.select(index.compare("lt", 0), s.number(kind, 0), index) if dtype.signed else index
    low = s.let(low)
    clamped = s.select(low.compare("lt", size, dtype.signed), low, s.number(kind, size - 1))
    inside = s.let(index.compare("lt", size, False))
    if kind == "i64":
        clamped = s.op("i32.wrap_i64", clamped, kind="i32")
    return s.let(clamped), inside


@dataclass(frozen=True)
class Take:
    """target [*m, *inner] = x [n, *inner] at index [*m]."""

    name: str
    x: View
    index: View
    target: Buffer

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """Values and indices."""
        return (self.x.buffer, self.index.buffer)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The result."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """One for each element of the result."""
        return self.target.elements * (LANES * blocks if self.target.batched else 1)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """One index, then its slice."""
        many, inner = self.index.shape, self.x.shape[1:]
        shape = (*many, *inner)
        target = laned(View(self.target, shape, c_strides(shape)))
        index = laned(self.index, [*self.index.strides, *(0,) * len(inner)])
        x = laned(self.x, [*(0,) * len(many), *self.x.strides[1:]])
        nest, s = Nest(code, [target, index, x]), Scalar(code)
        counts = over(self.target.batched, lanes, many)
        kind, dtype = self.index.buffer.dtype, self.x.buffer.dtype
        step = self.x.buffer.unit() * self.x.strides[0]

        def body() -> None:
            place, _ = place_of(s, kind, s.load(kind, static(nest, index)), self.x.shape[0])
            by = s.let(place * step)
            walk(
                nest,
                inner,
                lambda: s.store(dtype, static(nest, target), s.load(dtype, moving(nest, x, by))),
                len(counts),
            )

        if prod(shape):
            walk(nest, counts, body)


@dataclass(frozen=True)
class Put:
    """target [n, *inner] ← combined, at index [*m] in C order, with updates [*m, *inner]. `total`: the target
    is one for the whole batch."""

    name: str
    op: Op
    index: View
    updates: View
    target: Buffer
    size: int

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """Also the target, which holds its first values."""
        return (self.index.buffer, self.updates.buffer, self.target)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The target."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """One for each update."""
        batched = self.target.batched or self.updates.buffer.batched
        return prod(self.updates.shape) * (LANES * blocks if batched else 1)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """One index, then its slice; outside the tensor nothing changes."""
        many = self.index.shape
        inner = self.updates.shape[len(many) :]
        shape = (self.size, *inner)
        whole = View(self.target, shape, c_strides(shape))
        target = laned(whole, [*(0,) * len(many), *whole.strides[1:]])
        index = laned(self.index, [*self.index.strides, *(0,) * len(inner)])
        updates = laned(self.updates)
        nest, s = Nest(code, [target, index, updates]), Scalar(code)
        batched = any(b.batched for b in (self.target, self.index.buffer, self.updates.buffer))
        counts = over(batched, lanes, many)
        kind, dtype = self.index.buffer.dtype, self.target.dtype
        step = self.target.unit() * prod(inner)

        def body() -> None:
            place, inside = place_of(s, kind, s.load(kind, static(nest, index)), self.size)
            by = s.let(place * step)

            def element() -> None:
                old = s.let(s.load(dtype, moving(nest, target, by)))
                value = s.load(dtype, static(nest, updates))
                if self.op is not Op.IDENTITY:
                    value = compute(s, lanes, self.op, [old, value], [dtype, dtype], dtype)
                s.store(dtype, moving(nest, target, by), s.select(inside, value, old))

            walk(nest, inner, element, len(counts))

        if prod(shape) and prod(many):
            walk(nest, counts, body)


@dataclass(frozen=True)
class Arrive:
    """Rows written by the host, of any type, from row ROW0 on → [blocks][features][8]. Rows beyond the live
    ones repeat the last live row."""

    name: str
    source: Buffer
    target: Buffer

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The host's region."""
        return (self.source,)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The lanes."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """None: moves only."""
        return 0

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Row by row."""
        features, dtype = self.target.elements, self.target.dtype
        source = Access(self.source.offset, (0, 0, dtype.width))
        target = laned(View(self.target, (features,), (1,)))
        nest, s = Nest(code, [source, target]), Scalar(code)
        row, live = s.variable(s.number("i32", 0)), s.local(LIVE, "i32")

        def body() -> None:
            last = s.select(row.value.compare("lt", live), row.value, live - 1)
            by = s.let((last + s.local(ROW0, "i32")) * (features * dtype.width))
            walk(
                nest,
                (features,),
                lambda: s.store(dtype, static(nest, target), s.load(dtype, moving(nest, source, by))),
                2,
            )
            row.set(row.value + 1)

        walk(nest, (lanes.blocks, LANES), body)


@dataclass(frozen=True)
class Leave:
    """[blocks][features][8] of any type → rows of an output region, from ROW0 on."""

    name: str
    source: View
    target: Buffer

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The lanes."""
        return (self.source.buffer,)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The rows."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """None: moves only."""
        return 0

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Row by row."""
        shape: Shape = self.source.shape
        dtype = self.source.buffer.dtype
        width, row = dtype.width, prod(shape) * dtype.width
        target = Access(self.target.offset, (LANES * row, row, *(width * step for step in c_strides(shape))))
        source = laned(self.source)
        nest, s = Nest(code, [source, target]), Scalar(code)
        by = s.let(s.local(ROW0, "i32") * row)
        walk(
            nest,
            (lanes.blocks, LANES, *shape),
            lambda: s.store(dtype, moving(nest, target, by), s.load(dtype, static(nest, source))),
        )
