"""Benchmarks: where they measure, how times become weights, what is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frame import Origin, Pallet, StorageMap, StorageValue, call
from frame.benchmarking import (
    Bench,
    BenchmarkFailed,
    Linear,
    Measured,
    Measurement,
    Result,
    Sample,
    StorageUse,
    as_json,
    benchmark,
    check_edges,
    fit_least_squares,
    fit_median_slopes,
    measure,
    render_text,
    render_weights,
)
from frame.benchmarking.analysis import findings, middle_half
from frame.benchmarking.proof import max_size, proof_size, recorded_proof
from frame.call import RuntimeCall
from frame.runtime import Runtime
from frame.testing import externalities
from frame.weights import MAX, Weight, WeightTable, db, weight
from pallets.system import System
from primitives.scale import U32, AccountId, Bytes


class Counter(Pallet[None]):
    """Counts."""

    total = StorageValue[U32](default=0)
    each = StorageMap[AccountId, U32](default=0)
    notes = StorageValue[Bytes](default=b"")

    @call(0)
    def count(self, origin: Origin, n: U32) -> None:
        """Add one for `n` accounts."""
        origin.signed()
        for i in range(n):
            self.each[i.to_bytes(32, "big")] += 1
        self.total.put(self.total.get() + n)


class R(Runtime, spec_name="r", spec_version=1):
    """A runtime with a counter."""

    system = System(index=0)
    counter = Counter(index=1)


@benchmark(n=Linear(0, 10))
def count(b: Bench[Counter], n: int) -> Iterator[Measured]:
    """All new accounts."""
    b.pallet.total.put(5)
    yield lambda: b.pallet.count(b.caller(), n)
    assert b.pallet.total.get() == 5 + n


def test_points_cover_the_range() -> None:
    assert Linear(1, 100).points(3) == [1, 50, 100]
    assert Linear(0, 2).points(50) == [0, 1, 2]
    assert Linear(7, 7).points(50) == [7]
    with pytest.raises(TypeError, match="0 ≤ low ≤ high"):
        Linear(2, 1)
    assert count.points(2) == [{"n": 0}, {"n": 10}]


def test_a_component_that_is_no_parameter_is_noticed() -> None:
    with pytest.raises(TypeError, match=r"its components are \['m'\]"):

        @benchmark(m=Linear(0, 1))
        def wrong(b: Bench[Counter], n: int) -> Iterator[Measured]:
            yield lambda: None


@given(
    base=st.integers(0, 10**9),
    slope=st.integers(0, 10**6),
    noise=st.lists(st.integers(0, 10**12), min_size=2, max_size=2),
)
def test_a_line_is_found_in_spite_of_outliers(base: int, slope: int, noise: list[int]) -> None:
    points = [({"n": n}, [base + slope * n] * 6 + noise) for n in range(1, 12)]
    fit = fit_least_squares(points, ["n"])
    assert (fit.base, fit.slopes, fit.quality) == (base, {"n": slope}, 1000)
    assert fit_median_slopes(points, ["n"]).slopes == {"n": slope}


def test_noise_in_proportion_does_not_drown_the_base() -> None:
    """Ten per cent of a long run are a thousand times the base, which is found all the same."""
    points = [
        ({"n": n}, [(50 + 1000 * n) * part // 20 for part in (19, 20, 20, 21)]) for n in range(0, 1000, 50)
    ]
    points = [(p, [v * (22 if i % 2 else 20) // 21 for v in vs]) for i, (p, vs) in enumerate(points)]
    fit = fit_least_squares(points, ["n"], relative=True)
    assert 40 < fit.base < 60 and 950 < fit.slopes["n"] < 1050
    assert fit.errors[""] < 10
    assert fit_least_squares(points, ["n"]).errors[""] > 1000, "plain least squares could not tell"
    exact = [({"n": n}, [50 + 1000 * n] * 4) for n in range(20)]
    assert fit_least_squares(exact, ["n"], relative=True).slopes == {"n": 1000}


def test_two_components() -> None:
    points = [({"a": a, "b": 9}, [100 + 3 * a + 63]) for a in range(5)]
    points += [({"a": 4, "b": b}, [100 + 12 + 7 * b]) for b in range(10)]
    assert fit_least_squares(points, ["a", "b"]).slopes == {"a": 3, "b": 7}
    assert fit_least_squares(points, ["a", "b"]).base == 100
    assert fit_median_slopes(points, ["a", "b"]).slopes == {"a": 3, "b": 7}


def test_negative_results_are_mended() -> None:
    falling = fit_least_squares([({"n": n}, [100 - n]) for n in range(10)], ["n"])
    assert falling.slopes == {"n": 0}
    steep = fit_least_squares([({"n": n}, [n * n]) for n in range(1, 10)], ["n"])
    assert steep.base == 1 and steep.slopes["n"] > 0, "a negative base becomes the smallest value"
    assert fit_least_squares([({}, [5, 1, 9])], []).base == 5
    assert fit_least_squares([({"n": 3}, [5, 5])], ["n"]).slopes == {"n": 0}, "one point has no slope"
    assert middle_half([9, 1, 5, 7, 3, 2, 8, 4]) == [3, 4, 5, 7] and middle_half([2, 1]) == [1, 2]


def test_storage_is_counted_apart_from_time() -> None:
    found = measure(lambda: externalities(R), Counter, count, steps=3, repeat=2)
    assert [sample.components for sample in found.samples] == [{"n": 0}, {"n": 5}, {"n": 10}]
    last = {use.name: use for use in found.samples[-1].storage}
    assert set(last) == {"Counter::Each", "Counter::Total"}
    assert last["Counter::Each"] == StorageUse("Counter::Each", 10, 10, 52, 10 * (495 * 5 + 52))
    assert last["Counter::Total"] == StorageUse("Counter::Total", 1, 1, 4, 4)
    assert all(len(sample.times) == 2 and min(sample.times) > 0 for sample in found.samples)


def test_sizes_for_proofs() -> None:
    assert max_size(System.declaration.storage[0]) == 128, "System.Account, as in Substrate's weights"
    assert proof_size(System.declaration.storage[0], 128) == 2603
    assert max_size(Counter.declaration.storage[2]) is None


def test_a_benchmark_that_fails_its_own_check() -> None:
    @benchmark()
    def lies(b: Bench[Counter]) -> Iterator[Measured]:
        yield lambda: b.pallet.count(b.caller(), 1)
        assert b.pallet.total.get() == 7

    @benchmark()
    def twice(b: Bench[Counter]) -> Iterator[Measured]:
        yield lambda: None
        yield lambda: None

    @benchmark()
    def refused(b: Bench[Counter]) -> Iterator[Measured]:
        yield b.extrinsic(b.root(), b.pallet.count.new(1))

    @benchmark(n=Linear(0, 3))
    def only_small(b: Bench[Counter], n: int) -> Iterator[Measured]:
        yield b.extrinsic(b.caller(), b.pallet.count.new(n))
        assert n < 3, "three is too many"

    for wrong, text in (
        (lies, r"Counter::lies\(\): its own check failed"),
        (twice, "yields exactly once"),
        (refused, r"Counter::refused\(\): the call failed with BadOrigin"),
        (only_small, r"Counter::only_small\(n = 3\): its own check failed: three is too many"),
    ):
        with pytest.raises(BenchmarkFailed, match=text):
            check_edges(lambda: externalities(R), Counter, wrong)
    measure(lambda: externalities(R), Counter, lies, steps=2, repeat=1, verify=False)


def test_the_same_seed_gives_the_same_storage() -> None:
    def run(seed: int) -> list[tuple[tuple[StorageUse, ...], int]]:
        found = measure(lambda: externalities(R), Counter, signed, steps=4, repeat=1, seed=seed)
        return [(sample.storage, sample.recorded) for sample in found.samples]

    @benchmark(n=Linear(0, 10))
    def signed(b: Bench[Counter], n: int) -> Iterator[Measured]:
        for number in range(n):
            b.pallet.each[b.account("one", number)] = 1
        yield lambda: [b.pallet.each.take(b.account("one", number)) for number in range(n)]

    assert run(1) == run(1)
    assert [use for use, _ in run(1)] == [use for use, _ in run(2)]


def test_the_recorded_proof_is_a_real_one() -> None:
    """On the state of the benchmark, and growing with what is read."""
    found = measure(lambda: externalities(R), Counter, count, steps=3, repeat=1)
    assert [sample.recorded for sample in found.samples] == sorted(s.recorded for s in found.samples)
    ext = externalities(R)
    state = ext.backend.after(ext.overlay.delta())
    assert recorded_proof(state, []) == 0
    keys = sorted(state.top)
    assert 0 < recorded_proof(state, keys[:1]) < recorded_proof(state, keys)


class Meter(Pallet[None]):
    """A pallet whose call takes 40,000 + 700 n + 1,900 m + curve n² nanoseconds of a clock of its own."""

    now = 0
    curve = 0

    @call(0)
    def work(self, origin: Origin, n: U32, m: U32) -> None:
        """Let the clock run."""
        Meter.now += 40_000 + 700 * n + 1_900 * m + Meter.curve * n * n


class M(Runtime, spec_name="m", spec_version=1):
    """A runtime with a meter."""

    system = System(index=0)
    meter = Meter(index=1)


@benchmark(n=Linear(1, 100), m=Linear(0, 50))
def work(b: Bench[Meter], n: int, m: int) -> Iterator[Measured]:
    """As much as is asked for."""
    yield b.extrinsic(b.caller(), b.pallet.work.new(n, m))


def measured(monkeypatch: pytest.MonkeyPatch, curve: int) -> Result:
    """The real passes on that clock, whose readings scatter and now and then jump by a millisecond."""
    readings = 0

    def nanoseconds(thunk: Callable[[], object]) -> int:
        nonlocal readings
        readings += 1
        before = Meter.now
        thunk()
        return Meter.now - before + readings % 7 * 50 + (10**6 if readings % 11 == 0 else 0)

    monkeypatch.setattr("frame.benchmarking.passes.nanoseconds", nanoseconds)
    monkeypatch.setattr("frame.benchmarking.passes.TRIES", 1)
    monkeypatch.setattr("frame.benchmarking.passes.OVERHEAD", 0)
    monkeypatch.setattr(Meter, "curve", curve)
    return Result(measure(lambda: externalities(M), Meter, work, steps=20, repeat=10))


def test_a_known_cost_of_two_components_comes_back_within_a_tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    found = measured(monkeypatch, curve=0)
    for fit in (found.time, found.median_slopes):
        assert fit.slopes["n"] == pytest.approx(700_000, rel=0.1)
        assert fit.slopes["m"] == pytest.approx(1_900_000, rel=0.1)
    assert found.time.errors["n"] < 70_000 and found.time.errors["m"] < 190_000
    assert not found.findings


def test_a_planted_quadratic_cost_is_flagged(monkeypatch: pytest.MonkeyPatch) -> None:
    found = measured(monkeypatch, curve=20)
    assert [note.kind for note in found.findings] == ["curved"]
    assert "faster than in proportion to `n`" in found.findings[0].text
    assert "curved: grows faster" in render_text(found)
    line = [({"n": n}, [int(1000 * n**0.5)] * 4) for n in range(1, 40)]
    (note,) = findings(line, ["n"], fit_least_squares(line, ["n"]))
    assert "slower than in proportion" in note.text


def test_scattered_timings_are_flagged() -> None:
    points = [({"n": n}, [100 * n, 300 * n] * 5) for n in range(1, 10)]
    assert "noisy" in {note.kind for note in findings(points, ["n"], fit_least_squares(points, ["n"]))}


def result() -> Measurement:
    samples = tuple(
        Sample(
            {"n": n},
            (5_000 + 200 * n,) * 4,
            (StorageUse("Counter::Each", n, n, 52, n * 2527), StorageUse("Counter::Total", 1, 1, 4, 4)),
        )
        for n in range(11)
    )
    return Measurement("Counter", count, samples)


def test_the_written_weights_are_python_and_right() -> None:
    source = render_weights(
        "counter", [Result(result())], "gristmill benchmark pallet --pallet counter", ["a machine"]
    )
    space: dict[str, object] = {}
    exec(compile(source, "weights.py", "exec"), space)
    weights = space["Weights"]
    found = weights.count(n=10)  # type: ignore[attr-defined]
    assert found == weight(7_000_000, 25_274) + db(reads=11, writes=11)
    assert "`Counter::Each` (r:10 w:10)" in source and "a machine" in source
    assert "weight(5_000_000 + 200_000 * n, 4 + 2_527 * n) + db(1 + n, 1 + n)" in source


def test_the_report_and_json() -> None:
    found = Result(result())
    text = render_text(found)
    assert 'Pallet: "Counter", Extrinsic: "count", Lowest values: [0], Highest values: [10]' in text
    assert "Storage: `Counter::Each` (r:10 w:10)" in text
    for section in ("Raw Storage Info", "Median Slopes Analysis", "Min Squares Analysis"):
        assert f"{section}\n========\n" in text
    assert "Data points distribution:" in text and "Quality and confidence:" in text
    assert "Time ~=     5.00\n    + n   0.2000\n              µs" in text
    assert "Reads = 1 + (1 * n)" in text and "Writes = 1 + (1 * n)" in text
    data = as_json(found)
    assert data["time_ps"] == {"base": 5_000_000, "slopes": {"n": 200_000}} and data["quality"] == 1.0
    assert data["findings"] == []


def test_weights_are_wired_by_the_names_of_arguments() -> None:
    """A component with the name of an argument is that argument, or its length; a missing weight is legal
    here and refused for a node, also one that only a lambda names."""

    class Weights(WeightTable):
        @staticmethod
        def fill(count: int, items: int) -> Weight:
            return weight(1_000 * count + items)

    class Wired(Pallet[None], weights=Weights):
        """Calls with weights."""

        @call(0)
        def fill(self, origin: Origin, items: Bytes, who: AccountId, count: U32) -> None:
            """Measured."""

        @call(1, weight=lambda items: Weights.late(len(items)))
        def later(self, origin: Origin, items: Bytes) -> None:
            """Not measured yet."""

        @call(2)
        def never(self, origin: Origin) -> None:
            """Not measured yet."""

    class Half(Runtime, spec_name="half", spec_version=1):
        """Not ready."""

        system = System(index=0)
        wired = Wired(index=1)

    assert RuntimeCall(Half.wired.entry("fill"), (b"abc", bytes(32), 7)).info().weight == weight(7_003)
    assert RuntimeCall(Half.wired.entry("later"), (b"abc",)).info().weight == weight(0)
    assert Half().missing_weights() == [
        "Wired.later, Wired.never: no weight; run `gristmill benchmark pallet --pallet wired`"
    ]
    with pytest.raises(TypeError, match="never: no weight"):
        Half().require_weights()
    assert Weights.late(5) == MAX, "as the weight used, an unmeasured one refunds nothing"

    class Other(WeightTable):
        @staticmethod
        def only(b: int) -> Weight:
            return weight(b)

    with pytest.raises(TypeError, match="names `b`, which is not an argument"):

        class Unwired(Pallet[None], weights=Other):
            """Its weight's component has another name."""

            @call(0)
            def only(self, origin: Origin, items: Bytes) -> None:
                """Not wired."""
