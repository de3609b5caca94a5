"""Values in the order in which a product that sums over the rows of a batch reads them.

A weight gradient takes some columns side by side, row after row: eight of one factor as a panel, four of the
other as packed weights. The kernel that computes a value can write it so while it is in the first cache.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from executor.compiler.ir import Shape
from executor.compiler.kernels.base import Buffer, c_strides
from executor.compiler.kernels.nest import BLOCK, LANES, Access, Nest
from executor.compiler.kernels.rows import CHUNK, transpose4


@dataclass(frozen=True)
class Turned:
    """Result number `store` of a kernel, [blocks][*between][columns][8 lanes], once more as target
    [columns / width][blocks][*between][8 lanes][width], with `gap` bytes behind each `width` columns."""

    store: int
    target: Buffer
    shape: Shape
    """Of a row: (*between, columns)."""
    blocks: int
    width: int
    gap: int = 0

    def access(self) -> Access:
        """The target over (block, *between, columns); only every `width` columns an address has a meaning."""
        *between, columns = self.shape
        line = 4 * self.width * LANES
        steps = (line * step for step in c_strides(tuple(between)))
        column = (self.blocks * prod(between) * line + self.gap) // self.width
        return Access(self.target.offset, (prod(between) * line, *steps, column if columns > 1 else 0))

    def write(self, nest: Nest, source: Access, target: Access, shifts: Sequence[tuple[int, ...]]) -> None:
        """Turn the columns at `shifts`, whole groups of `width` that were just stored."""
        code, line = nest.code, 4 * self.width
        for first, half in product(range(0, len(shifts), CHUNK), (0, 1)):
            features = []
            for shift in shifts[first : first + CHUNK]:
                nest.push(source)
                code.memory("v128.load", source.shifted(shift) + BLOCK // 2 * half)
                features.append(code.local())
                code.set(features[-1])
            rows = transpose4(code, features)
            group, side = first - first % self.width, 4 * (first % self.width)
            for lane, row in enumerate(rows, CHUNK * half):
                nest.push(target)
                code.get(row)
                code.memory("v128.store", target.shifted(shifts[group]) + lane * line + side)
            code.release(*features, *rows)
