"""`gristmill benchmark worst-case`: denial of service, tried.

For each call, with the dearest arguments that its weight allows for (its benchmark, where the components are
highest and where they are lowest), a block is filled to its limits, built and imported on a real database,
and the time that took is set against the time that the block has declared. So are blocks of all calls in
turn, and of the ten that came off worst: the worst mix, which has to be done within the time of a block.

The verdict is about the median of five runs of each block. Those that can change it are taken: a block whose
first three runs, a build and two imports, stay below the highest ratio so far cannot have a higher median.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from frame.benchmarking import Benchmark
from frame.benchmarking.reference import Reference, correction
from frame.benchmarking.result import PICOS
from frame.call import DispatchClass, RuntimeCall
from node.benchmark.crowd import OVERHEAD, Corner, Crowd
from node.benchmark.errors import BenchmarkError
from node.benchmark.figures import write_file
from node.benchmark.machine import add_normalise, recorded_reference
from node.benchmark.progress import progress
from node.benchmark.stage import Built, stage
from node.benchmark.subjects import ALL, EXTENSIONS, choose, fresh
from runtime import GristmillRuntime

LIMIT = 1.5
"""A block may take so many times what it declares."""
REPEAT = 5
WORST = 10
"""Calls in the worst mix."""
BLOCK_NS = GristmillRuntime.system.config.block_weights.max_block.ref_time // PICOS
"""What a block may take to be built, and to be imported."""
LONG_CALL = 100_000
"""Bytes from which a call is no part of a mix."""


@dataclass(frozen=True)
class Trial:
    """A filled block; `built` is None for what no signed extrinsic does: hooks and inherents."""

    name: str
    built: Built | None
    note: str = ""
    mix: bool = False

    @property
    def ratio(self) -> float:
        """Time taken to time declared."""
        return 0.0 if self.built is None else self.built.ratio


def configure(parser: ArgumentParser) -> None:
    """What is tried, and how hard."""
    add = parser.add_argument
    add("--pallet", metavar="NAME|*", default=ALL, help="only these pallets (default: all)")
    add("--extrinsic", metavar="NAME|*", default=ALL, help="only these benchmarks")
    add("--repeat", type=int, default=REPEAT, help="the median of so many blocks (default: %(default)s)")
    add("--fill", type=float, default=100.0, metavar="PERCENT", help="fill so much of a block (default: 100)")
    add_normalise(parser)
    add("--limit", type=float, default=LIMIT, help="the highest ratio allowed (default: %(default)s)")
    add("--no-mix", action="store_true", help="only blocks of one call")
    add("--json", action="store_true", help="print JSON")
    add("--output", type=Path, metavar="FILE", help="also write the JSON there, for `pallet --worst-case`")


def run(arguments: Namespace) -> int:
    """Try, report; 1 when a ratio is above the limit."""
    if arguments.repeat < 1 or not 0 < arguments.fill <= 100:
        raise BenchmarkError("--repeat is at least 1, and --fill above 0 and at most 100")
    corners = find_corners(arguments.pallet, arguments.extrinsic)
    reference = recorded_reference(arguments.normalise)
    trials: list[Trial] = []
    highest = 0.0
    with progress(len(corners) + 2 * (not arguments.no_mix), "trying") as advance:
        for corner in corners:
            trials.append(alone(corner, arguments.fill, arguments.repeat, reference, highest))
            highest = max(highest, trials[-1].ratio)
            advance(corner.name)
        if not arguments.no_mix:
            trials += mixes(corners, trials, arguments.fill, arguments.repeat, reference, advance)
    trials.sort(key=lambda trial: -trial.ratio)
    data = as_json(trials)
    if arguments.output is not None:
        write_file(arguments.output, json.dumps(data, indent=2) + "\n")
    if arguments.json:
        print(json.dumps(data, indent=2))
    else:
        show(trials, arguments.limit)
    return 0 if trials[0].ratio <= arguments.limit and all(map(in_time, trials)) else 1


def in_time(trial: Trial) -> bool:
    """Whether a mix was built and imported within the time of a block; true of other trials."""
    built = trial.built
    return built is None or not trial.mix or max(built.build_ns, built.import_ns) <= BLOCK_NS


def find_corners(pallet: str, extrinsic: str) -> list[Corner]:
    """The benchmarks chosen, each where all its components are highest and where all are lowest."""
    return [
        Corner(subject.task(found), components)
        for subject in choose(pallet, extrinsic)
        if subject.name != EXTENSIONS
        for found in subject.benchmarks
        for components in ends(found)
    ]


def ends(found: Benchmark) -> list[dict[str, int]]:
    """All components at their highest, and all at their lowest; only one for a benchmark without."""
    if not found.components:
        return [{}]
    return [
        {name: component.high for name, component in found.components.items()},
        {name: component.low for name, component in found.components.items()},
    ]


def alone(corner: Corner, fill: float, repeat: int, reference: Reference, enough: float) -> Trial:
    """A block of one call, each instance with accounts and things of its own; timed until it is known not to
    be above `enough`, the highest ratio so far.
    """
    crowd = Crowd(fresh())
    first = crowd.add(corner, 0)
    if first is None:
        return Trial(corner.name, None, "a hook or an inherent: once in a block, and not anybody's")
    for instance in range(1, room_for(first.call, first.used, fill)):
        crowd.add(corner, instance)
    with stage(crowd.ext, reference) as standing:
        return Trial(corner.name, standing.challenge(list(crowd.extrinsics()), repeat, enough))


def room_for(call: RuntimeCall, used: int, fill: float) -> int:
    """How many such calls fill so many percent of a block, by weight or by length."""
    config = GristmillRuntime.system.config
    info = call.info()
    limits = config.block_weights.of(info.dispatch_class)
    most = (limits.max_total or config.block_weights.max_block).ref_time
    longest = config.block_length.of(info.dispatch_class)
    by_weight = most * fill / 100 / (used + limits.base_extrinsic.ref_time)
    by_length = longest * fill / 100 / (len(call.encode()) + OVERHEAD)
    return max(int(min(by_weight, by_length)) + 1, 1)


def mixes(
    corners: Sequence[Corner],
    trials: Sequence[Trial],
    fill: float,
    repeat: int,
    reference: Reference,
    advance: Callable[[str], None],
) -> list[Trial]:
    """Blocks of all calls in turn, and of the worst ones in turn."""
    by_name = {trial.name: trial for trial in trials}
    signed = [corner for corner in corners if by_name[corner.name].built is not None]
    worst = sorted(signed, key=lambda corner: -by_name[corner.name].ratio)[:WORST]
    found = []
    for name, group in (("all calls in turn", signed), (f"the {len(worst)} worst in turn", worst)):
        found.append(mixed(name, group, fill, repeat, reference))
        advance(name)
    return found


def mixed(name: str, group: Sequence[Corner], fill: float, repeat: int, reference: Reference) -> Trial:
    """A block of many calls by turns. Those that stand in each other's way are left out."""
    corners = list(group)
    crowd = Crowd(fresh())
    most = GristmillRuntime.system.config.block_weights.of(DispatchClass.Normal)
    left = (most.max_total.ref_time if most.max_total else 0) * fill / 100
    instance = 0
    while left > 0:
        before = left
        for corner in list(corners):
            member = crowd.add(corner, instance)
            instance += 1
            if member is not None and len(member.call.encode()) > LONG_CALL:
                corners.remove(corner)  # a few of these fill a block by length alone
                crowd.members.remove(member)
            elif member is not None:
                left -= member.used + most.base_extrinsic.ref_time
        if left == before:
            break
    able = crowd.able()
    note = (
        f"{len(crowd.members) - len(able)} of {len(crowd.members)} left out, since others undo what they need"
    )
    with stage(crowd.ext, reference) as standing:
        built = standing.fill(list(crowd.extrinsics(able)), repeat)
    return Trial(name, built, note if len(able) < len(crowd.members) else "", mix=True)


def as_json(trials: Sequence[Trial]) -> list[dict[str, object]]:
    """Trials as plain values; times in ns, and `correction` what they were multiplied with."""
    return [
        {"name": trial.name, "ratio": round(trial.ratio, 4), "note": trial.note}
        | (
            {}
            if trial.built is None
            else {
                "extrinsics": trial.built.taken,
                "failed": trial.built.failed,
                "declared_ns": trial.built.declared // 1000,
                "build_ns": trial.built.build_ns,
                "import_ns": trial.built.import_ns,
                "builds": len(trial.built.build_times),
                "imports": len(trial.built.import_times),
                "correction": round(median(trial.built.speeds), 4) if trial.built.speeds else None,
            }
            | ({"mix": True, "block_ns": BLOCK_NS, "in_time": in_time(trial)} if trial.mix else {})
        )
        for trial in trials
    ]


def show(trials: Sequence[Trial], limit: float) -> None:
    """A table, slowest first, and the verdict."""
    table = Table("block of", "calls", "failed", "declared ms", "build ms", "import ms", "ratio")
    for trial in trials:
        if trial.built is None:
            continue
        built = trial.built
        times = (built.declared / 1e9, built.build_ns / 1e6, built.import_ns / 1e6)
        shown = (f"{time:.1f}" for time in times)
        table.add_row(trial.name, str(built.taken), str(built.failed), *shown, f"{trial.ratio:.2f}")
    Console(width=None if sys.stdout.isatty() else 140).print(table)
    for trial in trials:
        if trial.note:
            print(f"{trial.name}: {trial.note}")
    speeds = [speed for trial in trials if trial.built for speed in trial.built.speeds]
    if speeds:
        print(f"Times are {correction(speeds)}")
    for trial in trials:
        if trial.mix and trial.built is not None:
            print(mix_line(trial, trial.built))
    verdict = "within" if trials[0].ratio <= limit else "ABOVE"
    print(f"Slowest measured to declared: {trials[0].ratio:.2f}, {trials[0].name}: {verdict} {limit}")


def mix_line(trial: Trial, built: Built) -> str:
    """`Block of the 10 worst in turn: …`: whether it is done in the time of a block."""
    verdict = "within" if in_time(trial) else "LONGER THAN"
    times = f"built in {built.build_ns / 1e9:.2f} s and imported in {built.import_ns / 1e9:.2f} s"
    return f"A block of {trial.name}: {built.taken:,} calls, {times}, {verdict} its {BLOCK_NS / 1e9:g} s"
