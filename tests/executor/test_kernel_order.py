"""Kernels that are moved up: each still finds what it read before, whatever overwrites what."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from executor.compiler.kernels.base import Buffer, Kernel, Lanes
from executor.compiler.kernels.rows import LanesToPanels
from executor.compiler.order import soonest
from executor.wasm.code import Code


@dataclass(frozen=True)
class Step:
    """A kernel of which only matters what it touches."""

    name: str
    reads: tuple[Buffer, ...]
    writes: tuple[Buffer, ...]

    def flops(self, blocks: int) -> int:
        return 0

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Nothing: it never runs."""


def outcome(kernels: list[Kernel]) -> dict[str, object]:
    """What lies in every buffer at the end, as the history that led to it."""
    content: dict[str, object] = {}
    for kernel in kernels:
        seen = tuple(content.get(buffer.name) for buffer in kernel.reads)
        for buffer in kernel.writes:
            before = content.get(buffer.name)
            content[buffer.name] = hash((kernel.name, seen, before))
    return content


@st.composite
def programs(draw: st.DrawFn) -> list[Kernel]:
    """Kernels over a few buffers of all kinds, some of which read another one's panels."""
    buffers = [Buffer(f"b{n}", 1, draw(st.booleans()), pinned=n < 2) for n in range(6)]
    kernels: list[Kernel] = []
    made: list[Buffer] = []
    for number in range(draw(st.integers(1, 14))):
        reads = draw(st.lists(st.sampled_from([*buffers, *made]), max_size=3))
        writes = draw(st.lists(st.sampled_from(buffers), min_size=1, max_size=2))
        if draw(st.integers(0, 3)) == 0:
            source = Buffer(f"source{number}", 1, True)
            kernels.append(Step(f"fill{number}", tuple(reads), (source,)))
            panels = Buffer(f"panels{number}", 1, False)
            kernels.append(LanesToPanels(f"panels of {number}", source, panels, 1, 1))
            made.append(panels)
            buffers.append(source)
        kernels.append(Step(f"step{number}", tuple(reads), tuple(writes)))
    return [*kernels, Step("end", tuple(made), (buffers[0],))]


@settings(max_examples=150, deadline=None)
@given(programs())
def test_no_kernel_notices_the_order(kernels: list[Kernel]) -> None:
    ordered = soonest(kernels)
    assert sorted(kernel.name for kernel in ordered) == sorted(kernel.name for kernel in kernels)
    assert outcome(ordered) == outcome(kernels)


def test_a_sum_over_the_batch_runs_right_after_what_it_sums() -> None:
    rows, other, total, weight = (
        Buffer(name, 1, name in ("rows", "other")) for name in ["rows", "other", "total", "weight"]
    )
    weight.pinned = True
    panels = Buffer("panels", 1, False)
    chain: list[Kernel] = [
        Step("rows", (), (rows,)),
        LanesToPanels("panels", rows, panels, 1, 1),
        Step("back", (rows, weight), (other,)),
        Step("more", (other,), (other,)),
        Step("sum", (rows, panels), (total,)),
        Step("update", (total,), (weight,)),
    ]
    assert [kernel.name for kernel in soonest(chain)] == ["rows", "panels", "sum", "back", "update", "more"]
