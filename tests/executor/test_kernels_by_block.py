"""Kernels that run block by block: the same bits and exact fuel, and nothing notices the new order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.compiler import blocks as grouping
from executor.compiler.blocks import by_block
from executor.compiler.compile import compile_training
from executor.compiler.ir import make
from executor.compiler.kernels.base import Buffer, Kernel, View
from executor.compiler.kernels.blocks import ByBlock
from executor.compiler.kernels.elementwise import Elementwise
from executor.compiler.machine import Machine
from executor.compiler.op import Op
from primitives.spec import NUMERICS
from tests.executor.compile_cases import FUEL, training_spec
from tests.executor.test_kernel_order import Step, outcome
from tests.executor.test_numerics import BATCH, KERNELS, ROWS, attention, digest, golden


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are made however little they touch."""
    monkeypatch.setattr(grouping, "CACHED", 0)
    monkeypatch.setattr(grouping, "RUN_MIN", 1)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("name", KERNELS)
def test_weights_are_the_golden_ones_by_block_too(name: str) -> None:
    assert digest(name) == golden()[str(NUMERICS)]["weights"][name]


@pytest.mark.usefixtures("always")
def test_the_quote_is_what_runs_by_block_use() -> None:
    case = attention()
    plan = compile_training(case.bytes(), training_spec(BATCH, trainable=list(case.parameters)), ROWS)
    assert any(name.startswith("by block") for name, _, _ in plan.kernels)
    machine = Machine(plan, FUEL)
    machine.run(3, ROWS - 2 * BATCH)
    machine.finish()
    assert FUEL - machine.fuel_left() == plan.fuel


def chain(name: str, source: Buffer, target: Buffer) -> Elementwise:
    """A kernel that may run by block: source → target."""
    node = make(Op.INPUT, (), (1,), True, name)
    return Elementwise(
        name, (1,), True, ((node, View(target, (1,), (1,))),), {node: View(source, (1,), (1,))}
    )


@st.composite
def programs(draw: st.DrawFn) -> list[Kernel]:
    """Elementwise kernels over a few buffers of rows, and others over those and sums."""
    rows = [Buffer(f"rows{n}", 1, True, pinned=n == 0) for n in range(6)]
    every = [*rows, *(Buffer(f"sum{n}", 1, False) for n in range(3))]
    kernels: list[Kernel] = []
    for number in range(draw(st.integers(1, 16))):
        if draw(st.booleans()):
            source, target = draw(st.sampled_from(rows)), draw(st.sampled_from(rows))
            kernels.append(chain(f"chain{number}", source, target))
            continue
        reads = draw(st.lists(st.sampled_from(every), max_size=3))
        writes = draw(st.lists(st.sampled_from(every), min_size=1, max_size=2))
        kernels.append(Step(f"step{number}", tuple(reads), tuple(writes)))
    return kernels


@settings(max_examples=150, deadline=None)
@given(programs())
def test_no_kernel_notices_what_runs_by_block(kernels: list[Kernel]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "CACHED", 0)
        patch.setattr(grouping, "RUN_MIN", 1)
        grouped = by_block(kernels, 2)
    flat = [
        item for kernel in grouped for item in (kernel.inner if isinstance(kernel, ByBlock) else [kernel])
    ]
    assert sorted(kernel.name for kernel in flat) == sorted(kernel.name for kernel in kernels)
    assert outcome(flat) == outcome(kernels)
    for kernel in grouped:
        for buffer in (*kernel.reads, *kernel.writes):
            others = [
                item for item in grouped if item is not kernel and buffer in (*item.reads, *item.writes)
            ]
            assert not (buffer.brief and (others or buffer.pinned))


def test_one_block_needs_no_runs() -> None:
    a, *others = (Buffer(name, 1 << 20, True) for name in "abcde")
    kernels: list[Kernel] = [chain(x.name, y, x) for x, y in zip(others, [a, *others[:-1]], strict=True)]
    assert by_block(kernels, 1) == kernels
    (run,) = by_block(kernels, 4)
    assert isinstance(run, ByBlock) and run.inner == tuple(kernels)
    assert all(buffer.brief for buffer in others) and not a.brief
    assert by_block(kernels[:3], 4) == kernels[:3], "too short"
