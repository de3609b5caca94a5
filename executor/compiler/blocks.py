"""Which kernels run block by block: runs of those that see no other rows than their own, in little code.

Products with a matrix stay outside: their code is long, and it would have to come into the first cache once a
block. What stands between the kernels of a run moves before it or behind it, where nothing hinders that. A
buffer that only one run touches holds one block.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from executor.compiler.kernels.base import Buffer, Kernel
from executor.compiler.kernels.blocks import ByBlock
from executor.compiler.kernels.contraction import Contraction
from executor.compiler.kernels.elementwise import Elementwise
from executor.compiler.kernels.reduction import Reduce
from executor.compiler.op import Op

CACHED = 256 << 10
"""Bytes: what a shorter run touches stays in the second cache anyway."""
RUN_MIN = 4
"""Kernels of a run: a shorter one gains little, and keeps memory for longer."""


def by_block(kernels: Iterable[Kernel], blocks: int) -> list[Kernel]:
    """The kernels with each such run made into one `ByBlock`. None computes anything else than before."""
    if blocks == 1:
        return list(kernels)
    found: list[Kernel] = []
    run = Run()
    for kernel in kernels:
        if _alone(kernel) and run.behind.meets(kernel):
            found += run.kernels(f"by block.{len(found)}", blocks)
            run = Run()
        run.add(kernel)
    found += run.kernels(f"by block.{len(found)}", blocks)
    _shrink(found)
    return found


class Stretch:
    """Kernels that stay in their order, and what they touch."""

    def __init__(self) -> None:
        self.kernels: list[Kernel] = []
        self.read: set[Buffer] = set()
        self.written: set[Buffer] = set()

    def add(self, kernel: Kernel) -> None:
        """Append one."""
        self.kernels.append(kernel)
        self.read.update(kernel.reads)
        self.written.update(kernel.writes)

    def meets(self, kernel: Kernel) -> bool:
        """The kernel must not run before these."""
        return not self.written.isdisjoint((*kernel.reads, *kernel.writes)) or not self.read.isdisjoint(
            kernel.writes
        )


class Run:
    """Kernels that run block by block, and those that moved out of their way."""

    def __init__(self) -> None:
        self.all: list[Kernel] = []
        self.before, self.inner, self.behind = Stretch(), Stretch(), Stretch()

    def add(self, kernel: Kernel) -> None:
        """The next kernel of the schedule; one that runs by block meets none of those behind."""
        self.all.append(kernel)
        if _alone(kernel):
            self.inner.add(kernel)
        elif self.inner.meets(kernel) or self.behind.meets(kernel):
            self.behind.add(kernel)
        else:
            self.before.add(kernel)

    def kernels(self, name: str, blocks: int) -> list[Kernel]:
        """The run between the others; all as they were if that gains nothing."""
        inner = tuple(self.inner.kernels)
        size = sum(buffer.bytes(blocks) for buffer in self.inner.read | self.inner.written if buffer.batched)
        if len(inner) < RUN_MIN or size <= CACHED:
            return self.all
        return [*self.before.kernels, ByBlock(name, inner, blocks), *self.behind.kernels]


def _alone(kernel: Kernel) -> bool:
    """Rows of one block see no others."""
    if isinstance(kernel, Contraction):
        return kernel.result.op is Op.MATMUL and kernel.result.batched
    if isinstance(kernel, Reduce):
        return kernel.value.batched
    return isinstance(kernel, Elementwise) and kernel.batched


def _shrink(kernels: Sequence[Kernel]) -> None:
    """Mark the buffers that live within one run."""
    users = Counter(buffer for kernel in kernels for buffer in {*kernel.reads, *kernel.writes})
    for kernel in kernels:
        if isinstance(kernel, ByBlock):
            for buffer in kernel.writes:
                buffer.brief = users[buffer] == 1 and not (buffer.pinned or buffer.hosted)
