"""What depends on the order of elements along an axis: running sums, the largest, ranks. For every type."""

from dataclasses import dataclass
from math import prod

from executor.compiler.kernels.base import Buffer, Folding, Lanes, View, Viewing, c_strides
from executor.compiler.kernels.general import laned, over, walk
from executor.compiler.kernels.nest import LANES, Nest
from executor.compiler.kernels.pointwise import compute
from executor.compiler.kernels.scalar import Scalar, static
from executor.compiler.op import Op
from executor.compiler.types import DType
from executor.wasm.code import Code


@dataclass(frozen=True)
class Arg(Folding):
    """Index of the largest element along an axis: the first of equals, or the last."""

    name: str
    source: View
    axis: int
    last: bool
    target: Buffer

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
class Cumulate(Folding):
    """Running sums or products along an axis."""

    name: str
    op: Op
    source: View
    axis: int
    exclusive: bool
    target: Buffer

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
class Rank(Viewing):
    """Place of each element of a row (last axis) when the largest comes first; equals keep their order."""

    name: str
    source: View
    target: Buffer

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
