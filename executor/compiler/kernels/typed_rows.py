"""Rows of other types than float32 between the host's regions and the lanes."""

from dataclasses import dataclass
from math import prod

from executor.compiler.ir import Shape
from executor.compiler.kernels.base import Buffer, Lanes, Moving, View, Viewing, c_strides
from executor.compiler.kernels.general import laned, walk
from executor.compiler.kernels.nest import LANES, Access, Nest
from executor.compiler.kernels.rows import LIVE, ROW0
from executor.compiler.kernels.scalar import Scalar, moving, static
from executor.wasm.code import Code


@dataclass(frozen=True)
class Arrive(Moving):
    """Rows written by the host, of any type, from row ROW0 on → [blocks][features][8]. Rows beyond the live
    ones repeat the last live row."""

    name: str
    source: Buffer
    target: Buffer

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
class Leave(Viewing):
    """[blocks][features][8] of any type → rows of an output region, from ROW0 on."""

    name: str
    source: View
    target: Buffer

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
