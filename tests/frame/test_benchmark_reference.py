"""Reference time: the machine's present speed is measured beside what is measured, and taken out."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

from frame import Origin, Pallet, call
from frame.benchmarking import Bench, Linear, Measured, Result, as_json, benchmark, render_text
from frame.benchmarking.passes import Task, run_all
from frame.benchmarking.reference import Reference, correction, loop
from frame.runtime import Runtime
from frame.testing import externalities
from pallets.system import System
from primitives.scale import U32


class Drift:
    """A machine whose clock runs `slow` times as fast: all that is timed takes longer by that."""

    slow = 1.0
    now = 0


class Slowly(Pallet[None]):
    """A pallet whose call takes 50,000 + 300 n nanoseconds of work."""

    @call(0)
    def work(self, origin: Origin, n: U32) -> None:
        """Let the clock run."""
        Drift.now += round((50_000 + 300 * n) * Drift.slow)


class D(Runtime, spec_name="d", spec_version=1):
    """A runtime on that machine."""

    system = System(index=0)
    slowly = Slowly(index=1)


@benchmark(n=Linear(0, 1000))
def work(b: Bench[Slowly], n: int) -> Iterator[Measured]:
    """So much of it."""
    yield b.extrinsic(b.caller(), b.pallet.work.new(n))


@pytest.fixture
def drifting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop takes a microsecond on the recorded machine; this one slows down in the course of a round."""
    turns = 0

    def nanoseconds(thunk: Callable[[], object]) -> int:
        nonlocal turns
        turns += 1
        Drift.slow = 1 + turns // 9 % 3 * 0.4
        before = Drift.now
        thunk()
        return Drift.now - before

    monkeypatch.setattr("frame.benchmarking.passes.nanoseconds", nanoseconds)
    monkeypatch.setattr("frame.benchmarking.passes.OVERHEAD", 0)
    monkeypatch.setattr("frame.benchmarking.reference.loop_ns", lambda: round(1000 * Drift.slow))


def measured(reference: Reference) -> Result:
    (found,) = run_all([Task(lambda: externalities(D), Slowly, work)], steps=9, repeat=9, reference=reference)
    return Result(found)


@pytest.mark.usefixtures("drifting")
def test_a_machine_that_slows_down_gives_the_same_weights() -> None:
    found = measured(Reference(1000))
    assert found.time.base == pytest.approx(50_000_000, rel=0.02)
    assert found.time.slopes["n"] == pytest.approx(300_000, rel=0.02)
    uncorrected = measured(Reference())
    assert uncorrected.time.base > 55_000_000 and uncorrected.speeds == []


@pytest.mark.usefixtures("drifting")
def test_the_correction_is_shown() -> None:
    found = measured(Reference(1000))
    assert "Time is reference time: timings × 0." in render_text(found)
    shown = as_json(found)["correction"]
    assert isinstance(shown, dict) and 0.5 < shown["lowest"] < shown["median"] <= shown["highest"] == 1
    uncorrected = measured(Reference())
    assert as_json(uncorrected)["correction"] is None and "reference time" not in render_text(uncorrected)
    assert correction([0.5, 1.0, 0.9]) == "reference time: timings × 0.90 (0.50 to 1.00)"


def test_a_long_run_is_looked_at_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine is as recorded before and after, and half as fast in between: the looks in between count,
    and the time they take does not.
    """
    monkeypatch.setattr("frame.benchmarking.reference.EVERY", 0.001)
    before = signal.getsignal(signal.SIGPROF)
    found = Reference(1000)
    inside = False
    looks = 0

    def loop_ns() -> int:
        nonlocal looks
        looks += inside
        return 2000 if inside else 1000

    def busy() -> None:
        nonlocal inside
        inside = True
        while looks < 40:
            loop()
        inside = False

    monkeypatch.setattr("frame.benchmarking.reference.loop_ns", loop_ns)
    assert found.take(busy) > 0
    assert found.speeds == [pytest.approx(0.5, rel=0.05)]
    assert signal.getsignal(signal.SIGPROF) is before
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


def test_the_timer_stops_when_the_work_fails() -> None:
    def broken() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        Reference(1000).take(broken)
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


def test_the_loop_is_fixed() -> None:
    """Whoever changes what it does makes recorded machines worthless."""
    assert loop() == loop() and len(loop()) == 32 * 52
