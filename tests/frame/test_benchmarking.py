"""Benchmarks: where they measure, how times become weights, what is written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frame import Origin, Pallet, StorageMap, StorageValue, call
from frame.benchmarking import (
    Bench,
    Linear,
    Measured,
    Measurement,
    Sample,
    StorageUse,
    benchmark,
    fit_least_squares,
    fit_median_slopes,
    measure,
    render_text,
    render_weights,
)
from frame.benchmarking.analysis import middle_half
from frame.benchmarking.measure import max_size, proof_size
from frame.benchmarking.render import as_json
from frame.runtime import Runtime
from frame.testing import externalities
from frame.weights import Weight
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

    with pytest.raises(AssertionError):
        measure(lambda: externalities(R), Counter, lies, steps=2, repeat=1)
    with pytest.raises(TypeError, match="yields exactly once"):
        measure(lambda: externalities(R), Counter, twice, steps=2, repeat=1)


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
        "counter", [result()], "gristmill benchmark pallet --pallet counter", ["a machine"]
    )
    space: dict[str, object] = {}
    exec(compile(source, "weights.py", "exec"), space)
    weights = space["Weights"]
    found = weights.count(n=10)  # type: ignore[attr-defined]
    assert found == Weight(ref_time=7_000_000 + 25_000_000 * 11 + 100_000_000 * 11, proof_size=25_274)
    assert "`Counter::Each` (r:10 w:10)" in source and "a machine" in source
    assert "weight(5_000_000 + 200_000 * n, 4 + 2_527 * n) + db(1 + n, 1 + n)" in source


def test_the_report_and_json() -> None:
    text = render_text(result())
    assert 'Pallet: "Counter", Extrinsic: "count", Lowest values: [0], Highest values: [10]' in text
    assert "Model: Time ~= 5.0 + n 0.200 µs" in text and "Reads = 1 + (1 * n)" in text
    data = as_json(result())
    assert data["time_ns"] == {"base": 5_000, "slopes": {"n": 200}} and data["quality"] == 1.0
