"""When kernels run: what gathers over the batch runs as soon as it can.

The schedule lists the whole backward pass first, then what it leaves behind for each parameter: sums over the
batch, products of rows, updates. These move up to just after the last kernel that they must follow: values
that they read lie in a cache then, and give their memory back earlier. No kernel computes anything else than
before, so no bit depends on the order.
"""

from collections.abc import Sequence

from executor.compiler.kernels.base import Buffer, Kernel
from executor.compiler.kernels.contraction import Contraction
from executor.compiler.kernels.rows import LanesToPanels
from executor.compiler.op import Op

Place = tuple[int, int]
"""(number of the kernel that is followed, place among those that follow it)."""


def soonest(kernels: Sequence[Kernel]) -> list[Kernel]:
    """The kernels in an order in which each still finds what it reads and overwrites nothing that is read
    later. Panels are made just before they are used first, or what they are made of is overwritten."""
    order: list[tuple[Place, Kernel]] = []
    written: dict[Buffer, Place] = {}
    touched: dict[Buffer, Place] = {}
    panels: dict[Buffer, LanesToPanels] = {}
    for number, kernel in enumerate(kernels):
        if isinstance(kernel, LanesToPanels):
            panels[kernel.target] = kernel
            continue
        due = [
            target
            for target, item in panels.items()
            if target in kernel.reads or target in kernel.writes or item.source in kernel.writes
        ]
        group: list[Kernel] = [*(panels.pop(target) for target in due), kernel]
        follows = number
        if _gathers(kernel):
            places = [written.get(buffer, (-1, 0)) for item in group for buffer in item.reads]
            places += [touched.get(buffer, (-1, 0)) for item in group for buffer in item.writes]
            follows = max(places)[0]
        for item in group:
            place = (follows, len(order))
            order.append((place, item))
            for buffer in item.writes:
                written[buffer] = max(place, written.get(buffer, place))
            for buffer in (*item.reads, *item.writes):
                touched[buffer] = max(place, touched.get(buffer, place))
    return [kernel for _, kernel in sorted(order, key=lambda item: item[0])]


def _gathers(kernel: Kernel) -> bool:
    """It leaves nothing for single rows: a sum over the batch, or new values of what outlives the step."""
    if isinstance(kernel, Contraction) and kernel.result.op is Op.OUTER:
        return True
    if any(buffer.batched for buffer in kernel.writes):
        return False
    return any(buffer.batched for buffer in kernel.reads) or any(buffer.pinned for buffer in kernel.writes)
