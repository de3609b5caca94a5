"""Reading and writing at indices that are data, for every type. No index leaves its tensor."""

from dataclasses import dataclass
from math import prod

from executor.compiler.kernels.base import Buffer, Lanes, View, c_strides
from executor.compiler.kernels.general import laned, over, walk
from executor.compiler.kernels.nest import LANES, Nest
from executor.compiler.kernels.pointwise import compute
from executor.compiler.kernels.scalar import Scalar, Value, moving, static
from executor.compiler.op import Op
from executor.compiler.types import DType
from executor.wasm.code import Code


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
