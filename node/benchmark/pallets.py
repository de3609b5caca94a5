"""`gristmill benchmark pallet`: measure calls, report, and write each pallet's `weights.py`."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from frame.benchmarking import Result, as_json, describe_machine, render_text, render_weights, run_all
from frame.benchmarking.page import render_page
from frame.benchmarking.reference import correction
from frame.benchmarking.worst import read_worst
from frame.weights import MAX
from node.benchmark.errors import BenchmarkError
from node.benchmark.figures import write_file
from node.benchmark.machine import add_normalise, recorded_reference
from node.benchmark.progress import progress
from node.benchmark.subjects import ALL, Subject, choose, narrowed
from runtime import GristmillRuntime

STEPS = 50
REPEAT = 20
NOWHERE = "-"


def configure(parser: ArgumentParser) -> None:
    """The flags, with Substrate's names."""
    add = parser.add_argument
    add(
        "--pallet",
        "--pallets",
        metavar="NAME|*",
        help="the pallet's folder, balances say; several with commas",
    )
    add(
        "--extrinsic",
        "--extrinsics",
        metavar="NAME|*",
        help="only these benchmarks; then no file without --output",
    )
    add("--steps", type=int, default=STEPS, help="points along a component (default: %(default)s)")
    add("--repeat", type=int, default=REPEAT, help="timings of each point (default: %(default)s)")
    add("--low", metavar="N,…", help="other lowest values of the components, in their order")
    add("--high", metavar="N,…", help="other highest values")
    add("--seed", type=int, default=0, help="mixed into every account's name (default: %(default)s)")
    add(
        "--output",
        metavar="PATH",
        help="a folder for one file a pallet, or a .py file (default: each pallet's own weights.py; "
        "- for nowhere)",
    )
    add("--header", type=Path, metavar="FILE", help="a text whose lines begin every file, as comments")
    add("--list", action="store_true", help="list the benchmarks and stop")
    add("--json", action="store_true", help="print JSON instead of the report")
    add("--extra", action="store_true", help="also run benchmarks that give no weight")
    add("--no-verify", action="store_true", help="skip the benchmarks' own checks")
    add_normalise(parser)
    add("--report", type=Path, metavar="FILE", help="write one HTML page with all plots")
    add("--worst-case", type=Path, metavar="FILE", help="what `worst-case --output` wrote, for the page")
    add("--plots", type=Path, metavar="FOLDER", help="write a PNG a benchmark (needs the extra `plot`)")


def run(arguments: Namespace) -> int:
    """Measure, report, write."""
    if arguments.list:
        show_list(choose(arguments.pallet or ALL, arguments.extrinsic, extra=True), arguments.json)
        return 0
    if arguments.steps < 2 or arguments.repeat < 1:
        raise BenchmarkError("--steps must be at least 2 and --repeat at least 1")
    chosen = _narrow(choose(arguments.pallet, arguments.extrinsic, extra=arguments.extra), arguments)
    targets = _targets(chosen, arguments)
    header = _header(arguments.header)
    results = _measure(chosen, arguments)
    if arguments.json:
        print(json.dumps([as_json(result) for result in results], indent=2))
    else:
        print("\n".join(render_text(result) for result in results))
    for subject, target in targets:
        write_file(target, _weights(subject, results, header, arguments))
    if arguments.report is not None:
        _report(arguments, results)
    if arguments.plots is not None:
        from node.benchmark.plots import write_plots

        write_plots(arguments.plots, results)
    return 0


def _report(arguments: Namespace, results: Sequence[Result]) -> None:
    worst = []
    if arguments.worst_case is not None:
        try:
            worst = read_worst(arguments.worst_case.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise BenchmarkError(f"{arguments.worst_case} cannot be read: {error}") from None
    limits = GristmillRuntime.system.config.block_weights.per_class.normal
    page = render_page(
        results,
        describe_machine(),
        arguments.steps,
        arguments.repeat,
        block=(limits.max_total or MAX).ref_time,
        worst=worst,
    )
    write_file(arguments.report, page)


def _narrow(chosen: list[Subject], arguments: Namespace) -> list[Subject]:
    low, high = _numbers("--low", arguments.low), _numbers("--high", arguments.high)
    if not low and not high:
        return chosen
    if len(chosen) != 1 or len(chosen[0].benchmarks) != 1:
        raise BenchmarkError("--low and --high are for one benchmark: name it by --pallet and --extrinsic")
    (subject,) = chosen
    return [replace(subject, benchmarks=(narrowed(subject.benchmarks[0], low, high),))]


def _numbers(flag: str, text: str | None) -> list[int]:
    try:
        return [int(part) for part in text.split(",")] if text else []
    except ValueError:
        raise BenchmarkError(f"{flag} is a list of numbers like 1,20, not {text!r}") from None


def _targets(chosen: Sequence[Subject], arguments: Namespace) -> list[tuple[Subject, Path]]:
    """Where each pallet's weights go, known before anything is measured."""
    output = arguments.output
    if output == NOWHERE:
        return []
    if output is None:
        partly = arguments.extrinsic not in (None, ALL) or arguments.low or arguments.high
        return [] if partly else [(subject, subject.file) for subject in chosen]
    path = Path(output)
    if path.suffix == ".py":
        if len(chosen) > 1:
            raise BenchmarkError(f"{path} is one file, and {len(chosen)} pallets were chosen: name a folder")
        return [(chosen[0], path)]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be written: {error.strerror}") from None
    return [(subject, path / f"{subject.name}.py") for subject in chosen]


def _header(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BenchmarkError(f"the header {path} cannot be read: {error}") from None
    return "".join(f"# {line.removeprefix('# ')}".rstrip() + "\n" for line in lines)


def _measure(chosen: Sequence[Subject], arguments: Namespace) -> list[Result]:
    tasks = [subject.task(found) for subject in chosen for found in subject.benchmarks]
    total = sum(len(task.benchmark.points(arguments.steps)) for task in tasks) * (arguments.repeat + 1)
    with progress(total, "measuring") as advance:
        found = run_all(
            tasks,
            steps=arguments.steps,
            repeat=arguments.repeat,
            seed=arguments.seed,
            verify=not arguments.no_verify,
            progress=advance,
            reference=recorded_reference(arguments.normalise),
        )
    return [Result(measurement) for measurement in found]


def _weights(subject: Subject, results: Sequence[Result], header: str, arguments: Namespace) -> str:
    own = [
        result
        for result in results
        if result.measurement.folder == subject.name and not result.measurement.benchmark.extra
    ]
    notes = [*describe_machine(), f"steps {arguments.steps}, repeat {arguments.repeat}; {_speed(own)}"]
    command = f"gristmill benchmark pallet --pallet {subject.name}"
    return header + render_weights(subject.name, own, command, notes)


def _speed(results: Sequence[Result]) -> str:
    speeds = [speed for result in results for speed in result.speeds]
    return correction(speeds)


def show_list(chosen: Sequence[Subject], as_data: bool) -> None:
    """Print what there is to measure."""
    rows = [(subject.name, found) for subject in chosen for found in subject.benchmarks]
    if as_data:
        data = [
            {
                "pallet": name,
                "benchmark": found.name,
                "components": {part: [c.low, c.high] for part, c in found.components.items()},
                "extra": found.extra,
            }
            for name, found in rows
        ]
        print(json.dumps(data, indent=2))
        return
    table = Table("pallet", "benchmark", "components")
    for name, found in rows:
        ranges = ", ".join(f"{part} {c.low}..{c.high}" for part, c in found.components.items())
        table.add_row(name, found.name + (" (extra)" if found.extra else ""), ranges)
    Console().print(table)
