"""Measuring what calls weigh.

A pallet's `benchmarking.py` holds one function a call:

    @benchmark(n=Linear(1, 100))
    def add_many(b: Bench[Template], n: int) -> Iterator[Measured]:
        who = b.caller()
        b.pallet.something.put(1)                       # code before the yield sets up
        yield lambda: b.pallet.add_many(who, n)         # the yielded thunk is measured
        assert b.pallet.something.get() == 1 + n        # code after it verifies

`measure` runs them, `fit_least_squares` fits a line to the times, `render_weights` writes the pallet's
`weights.py`. A database pass (which items are read and written, how large their proof may be) is apart from
the passes that take the time.

The method: Substrate `frame/benchmarking/src/analysis.rs`, `utils/frame/benchmarking-cli/src/pallet/`.
"""

from __future__ import annotations

from frame.benchmarking.analysis import Fit, fit_least_squares, fit_median_slopes
from frame.benchmarking.bench import Bench, Benchmark, Linear, Measured, benchmark, benchmarks_in
from frame.benchmarking.machine import describe_machine
from frame.benchmarking.measure import Measurement, Sample, StorageUse, measure
from frame.benchmarking.render import as_json, render_text, render_weights

__all__ = [
    "Bench",
    "Benchmark",
    "Fit",
    "Linear",
    "Measured",
    "Measurement",
    "Sample",
    "StorageUse",
    "as_json",
    "benchmark",
    "benchmarks_in",
    "describe_machine",
    "fit_least_squares",
    "fit_median_slopes",
    "measure",
    "render_text",
    "render_weights",
]
