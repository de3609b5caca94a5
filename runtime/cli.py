"""`gristmill benchmark pallet`: measure a pallet's calls and write its `weights.py`."""

from __future__ import annotations

import importlib
import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from frame.benchmarking import (
    Benchmark,
    Measurement,
    as_json,
    benchmarks_in,
    describe_machine,
    measure,
    render_text,
    render_weights,
)
from frame.pallet import Pallet
from frame.testing import Externalities, externalities
from primitives.command import Command
from runtime.gristmill import GristmillRuntime

STEPS = 50
REPEAT = 20


class BenchmarkError(Exception):
    """There is nothing to measure under this name, or nowhere to write it."""


@dataclass(frozen=True)
class Subject:
    """A pallet that has benchmarks."""

    name: str
    kind: type[Pallet[Any]]
    benchmarks: list[Benchmark]
    folder: Path


def subjects() -> dict[str, Subject]:
    """The runtime's pallets with benchmarks, by the name of their folder."""
    found = {}
    for pallet in GristmillRuntime.pallets:
        package = type(pallet).__module__.rpartition(".")[0]
        name = package.rpartition(".")[2]
        try:
            module = importlib.import_module(f"{package}.benchmarking")
        except ModuleNotFoundError:
            continue
        folder = Path(str(module.__file__)).parent
        found[name] = Subject(name, type(pallet), benchmarks_in(module), folder)
    return found


def configure(parser: ArgumentParser) -> None:
    """The arguments of `gristmill benchmark`."""
    pallet = parser.add_subparsers(dest="what", required=True).add_parser(
        "pallet", help="measure the calls of a pallet and write its weights"
    )
    pallet.add_argument("--pallet", metavar="NAME", help="the pallet's folder, balances say")
    pallet.add_argument(
        "--extrinsic", metavar="NAME", help="only this benchmark; writes no file without --output"
    )
    pallet.add_argument(
        "--steps", type=int, default=STEPS, help="points along a component (default: %(default)s)"
    )
    pallet.add_argument(
        "--repeat", type=int, default=REPEAT, help="timings of each point (default: %(default)s)"
    )
    pallet.add_argument(
        "--output",
        metavar="FILE",
        help="where to write (default: the pallet's own weights.py; - for nowhere)",
    )
    pallet.add_argument("--list", action="store_true", help="list the benchmarks and stop")
    pallet.add_argument("--json", action="store_true", help="print JSON instead of the report")


def run(arguments: Namespace) -> int:
    """Measure, report, write."""
    known = subjects()
    if arguments.list:
        return _list(known, arguments.json)
    if arguments.steps < 2 or arguments.repeat < 1:
        raise BenchmarkError("--steps must be at least 2 and --repeat at least 1")
    if arguments.pallet is None:
        raise BenchmarkError(f"say which pallet: --pallet {' or '.join(known)}")
    subject = known.get(arguments.pallet)
    if subject is None:
        raise BenchmarkError(f"no pallet `{arguments.pallet}` with benchmarks; there are: {', '.join(known)}")
    chosen = _chosen(subject, arguments.extrinsic)
    measurements = _measure_all(subject, chosen, arguments.steps, arguments.repeat)
    if arguments.json:
        print(json.dumps([as_json(found) for found in measurements], indent=2))
    else:
        print("\n".join(render_text(found) for found in measurements))
    target = _target(subject, arguments)
    if target is not None:
        _write(target, subject, measurements, arguments)
    return 0


def _chosen(subject: Subject, name: str | None) -> list[Benchmark]:
    chosen = [found for found in subject.benchmarks if name in (None, "*", found.name)]
    if not chosen:
        names = ", ".join(found.name for found in subject.benchmarks)
        raise BenchmarkError(f"no benchmark `{name}` in {subject.name}; there are: {names}")
    return chosen


def _target(subject: Subject, arguments: Namespace) -> Path | None:
    if arguments.output == "-":
        return None
    if arguments.output is not None:
        return Path(arguments.output)
    return None if arguments.extrinsic not in (None, "*") else subject.folder / "weights.py"


def _measure_all(subject: Subject, chosen: list[Benchmark], steps: int, repeat: int) -> list[Measurement]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    total = sum(len(found.points(steps)) for found in chosen) * repeat
    found = []
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(subject.name, total=total)
        advance: Callable[[], None] = lambda: progress.advance(task)  # noqa: E731
        for benchmark in chosen:
            progress.update(task, description=f"{subject.name}::{benchmark.name}")
            found.append(
                measure(_fresh, subject.kind, benchmark, steps=steps, repeat=repeat, progress=advance)
            )
    return found


def _fresh() -> Externalities:
    return externalities(GristmillRuntime, {})


def _write(target: Path, subject: Subject, measurements: list[Measurement], arguments: Namespace) -> None:
    command = f"gristmill benchmark pallet --pallet {subject.name}"
    header = [*describe_machine(), f"steps {arguments.steps}, repeat {arguments.repeat}"]
    try:
        target.write_text(render_weights(subject.name, measurements, command, header), encoding="utf-8")
    except OSError as error:
        raise BenchmarkError(f"{target} cannot be written: {error.strerror}") from None
    Console(stderr=True).print(f"Created file: {target}", highlight=False)


def _list(known: Mapping[str, Subject], as_data: bool) -> int:
    rows = [
        (subject.name, found.name, ", ".join(f"{n} {c.low}..{c.high}" for n, c in found.components.items()))
        for subject in known.values()
        for found in subject.benchmarks
    ]
    if as_data:
        print(json.dumps([{"pallet": p, "benchmark": b, "components": c} for p, b, c in rows], indent=2))
        return 0
    table = Table("pallet", "benchmark", "components")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    return 0


COMMANDS: Mapping[str, Command] = {
    "benchmark": Command("measure the weights of a pallet", configure, run),
}
