"""What there is to measure: the runtime's pallets that have benchmarks."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from frame.benchmarking import Benchmark, Linear, Task, benchmarks_in
from frame.benchmarking.extensions import extension_benchmarks
from frame.pallet import Pallet
from frame.testing import Externalities, externalities
from node.benchmark.errors import BenchmarkError
from runtime import GristmillRuntime

ALL = "*"
EXTENSIONS = "extensions"


@dataclass(frozen=True)
class Subject:
    """A pallet that has benchmarks, or the runtime's extensions; `file` is where its weights live."""

    name: str
    kind: type[Pallet[Any]]
    benchmarks: tuple[Benchmark, ...]
    file: Path

    def task(self, benchmark: Benchmark) -> Task:
        """A benchmark, to be run on a fresh chain."""
        return Task(fresh, self.kind, benchmark, self.name)


def fresh() -> Externalities:
    """The node's runtime on an empty chain, in block 1."""
    return externalities(GristmillRuntime, {})


def subjects() -> dict[str, Subject]:
    """The runtime's pallets with benchmarks, by the name of their folder, and `extensions`."""
    found: dict[str, Subject] = {}
    for pallet in GristmillRuntime.pallets:
        package = type(pallet).__module__.rpartition(".")[0]
        name = package.rpartition(".")[2]
        try:
            module = importlib.import_module(f"{package}.benchmarking")
        except ModuleNotFoundError as error:
            if error.name != f"{package}.benchmarking":
                raise
            continue
        file = Path(str(module.__file__)).parent / "weights.py"
        _forget_outdated(package, benchmarks_in(module))
        found[name] = Subject(name, type(pallet), tuple(benchmarks_in(module)), file)
    found[EXTENSIONS] = _extensions()
    return found


def _extensions() -> Subject:
    import runtime

    system = type(GristmillRuntime.system)
    file = Path(str(runtime.__file__)).parent / "weights" / "extensions.py"
    return Subject(EXTENSIONS, system, extension_benchmarks(GristmillRuntime), file)


def _forget_outdated(package: str, benchmarks: Sequence[Benchmark]) -> None:
    """Weights measured over other components would be called wrongly while they are measured anew."""
    weights = getattr(importlib.import_module(f"{package}.weights"), "Weights", None)
    for found in benchmarks:
        old = vars(weights).get(found.name) if weights is not None else None
        if old is not None and list(inspect.signature(old).parameters) != list(found.components):
            delattr(weights, found.name)


def choose(pallet: str | None, extrinsic: str | None, *, extra: bool = False) -> list[Subject]:
    """The subjects named, each with the benchmarks named. Names are separated by commas, `*` is all.

    BenchmarkError for a name that does not exist.
    """
    known = subjects()
    if pallet is None:
        raise BenchmarkError(f"say which pallet: --pallet '*', or some of {', '.join(known)}")
    names = list(known) if pallet == ALL else [folder_of(name) for name in pallet.split(",")]
    for name in names:
        if name not in known:
            raise BenchmarkError(f"no pallet `{name}` with benchmarks; there are: {', '.join(known)}")
    wanted = None if extrinsic in (None, ALL) else {name.strip() for name in str(extrinsic).split(",")}
    everywhere = {found.name for name in names for found in known[name].benchmarks}
    for missing in sorted((wanted or everywhere) - everywhere):
        offered = ", ".join(sorted(everywhere))
        raise BenchmarkError(f"no benchmark `{missing}` in {', '.join(names)}; there are: {offered}")
    chosen = []
    for name in names:
        subject = known[name]
        benchmarks = tuple(
            found
            for found in subject.benchmarks
            if (found.name in wanted if wanted is not None else extra or not found.extra)
        )
        if benchmarks:
            chosen.append(replace(subject, benchmarks=benchmarks))
    return chosen


def folder_of(name: str) -> str:
    """A pallet's folder, also where it is called as Substrate calls it: `pallet_balances`, `frame-system`."""
    plain = name.strip().replace("-", "_")
    return plain.removeprefix("pallet_").removeprefix("frame_")


def narrowed(benchmark: Benchmark, low: Sequence[int], high: Sequence[int]) -> Benchmark:
    """The benchmark with other ends of its components' ranges, in their order. BenchmarkError."""
    components = list(benchmark.components.items())
    for flag, values in (("--low", low), ("--high", high)):
        if values and len(values) != len(components):
            raise BenchmarkError(
                f"{flag} has {len(values)} values, but {benchmark.name} has {len(components)} components"
            )
    try:
        ranges = {
            name: Linear(low[at] if low else found.low, high[at] if high else found.high)
            for at, (name, found) in enumerate(components)
        }
    except TypeError as error:
        raise BenchmarkError(str(error)) from None
    return replace(benchmark, components=ranges)
