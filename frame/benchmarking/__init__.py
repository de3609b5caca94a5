"""Measuring what calls weigh.

A pallet's `benchmarking.py` holds one function a call:

    @benchmark(step=Linear(1, 100))
    def add_many(b: Bench[Template], step: int) -> Iterator[Measured]:
        who = b.caller()
        b.pallet.something.put(1)                                   # code before the yield sets up
        yield b.extrinsic(who, b.pallet.add_many.new(step))         # what it yields is measured
        assert b.pallet.something.get() == 1 + step                 # code after it verifies

`run_all` runs them, `Result` fits a line to the times, `render_weights` writes the pallet's `weights.py`. A
database pass (which items are read and written, how large the proof is) is apart from the passes that take
the time. Any callable can be yielded; `extrinsic` makes one that does with a call what a block does.

The method: Substrate `frame/benchmarking/src/analysis.rs`, `utils/frame/benchmarking-cli/src/pallet/`.
"""

from __future__ import annotations

from frame.benchmarking.analysis import Finding, Fit, fit_least_squares, fit_median_slopes
from frame.benchmarking.bench import Bench, Benchmark, Dispatched, Linear, Measured, benchmark, benchmarks_in
from frame.benchmarking.machine import describe_machine
from frame.benchmarking.passes import (
    BenchmarkFailed,
    Measurement,
    Point,
    Sample,
    StorageUse,
    Task,
    check_edges,
    measure,
    run_all,
)
from frame.benchmarking.result import Result, as_json
from frame.benchmarking.text import render_text
from frame.benchmarking.weights_file import render_weights

__all__ = [
    "Bench",
    "Benchmark",
    "BenchmarkFailed",
    "Dispatched",
    "Finding",
    "Fit",
    "Linear",
    "Measured",
    "Measurement",
    "Point",
    "Result",
    "Sample",
    "StorageUse",
    "Task",
    "as_json",
    "benchmark",
    "benchmarks_in",
    "check_edges",
    "describe_machine",
    "fit_least_squares",
    "fit_median_slopes",
    "measure",
    "render_text",
    "render_weights",
    "run_all",
]
