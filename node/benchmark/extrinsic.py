"""`gristmill benchmark extrinsic`: how long one call takes in a block full of it, everything included."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from frame.benchmarking.reference import correction
from node.benchmark.crowd import Corner, Crowd
from node.benchmark.errors import BenchmarkError
from node.benchmark.figures import spread
from node.benchmark.machine import add_normalise, recorded_reference
from node.benchmark.pallets import show_list
from node.benchmark.stage import stage
from node.benchmark.subjects import ALL, choose, fresh
from node.benchmark.worst_case import ends, room_for

REPEAT = 10


def configure(parser: ArgumentParser) -> None:
    """Which call, how often."""
    add = parser.add_argument
    add("--pallet", metavar="NAME", default="system", help="the pallet's folder (default: %(default)s)")
    add("--extrinsic", metavar="NAME", default="remark", help="the benchmark (default: %(default)s)")
    add("--low", action="store_true", help="with its components at their lowest, not their highest")
    add("--repeat", type=int, default=REPEAT, help="blocks to be timed (default: %(default)s)")
    add("--max-ext-per-block", type=int, metavar="N", help="no more than so many (default: what fits)")
    add("--list", action="store_true", help="list the benchmarks and stop")
    add_normalise(parser)
    add("--json", action="store_true", help="print JSON")


def run(arguments: Namespace) -> int:
    """Fill blocks with it and share the time out."""
    if arguments.list:
        show_list(choose(ALL, ALL, extra=True), arguments.json)
        return 0
    if arguments.repeat < 1 or (arguments.max_ext_per_block or 1) < 1:
        raise BenchmarkError("--repeat and --max-ext-per-block are at least 1")
    chosen = choose(arguments.pallet, arguments.extrinsic, extra=True)
    if len(chosen) != 1 or len(chosen[0].benchmarks) != 1:
        raise BenchmarkError("name one benchmark by --pallet and --extrinsic")
    corner = Corner(chosen[0].task(chosen[0].benchmarks[0]), ends(chosen[0].benchmarks[0])[-arguments.low])
    crowd = Crowd(fresh())
    first = crowd.add(corner, 0)
    if first is None:
        raise BenchmarkError(f"{corner.name} is a hook or an inherent: no signed extrinsic does it")
    count = min(room_for(first.call, first.used, 100.0), arguments.max_ext_per_block or 1 << 30)
    for instance in range(1, count):
        crowd.add(corner, instance)
    with stage(crowd.ext, recorded_reference(arguments.normalise)) as standing:
        empty = standing.fill((), arguments.repeat)
        full = standing.fill(list(crowd.extrinsics()), arguments.repeat)
    if not full.taken:
        raise BenchmarkError(f"{corner.name} does not fit a block")
    base = spread(empty.import_times).median
    each = spread([max(time - base, 0) // full.taken for time in full.import_times])
    if arguments.json:
        data = {"extrinsic": corner.name, "extrinsics": full.taken, "failed": full.failed,
                "average_ns": round(each.mean), "median_ns": each.median}  # fmt: skip
        print(json.dumps(data, indent=2))
    else:
        print(f"Executing {corner.name} takes, in blocks of {full.taken} ({full.failed} failed):")
        print("\n".join(f"  {line}" for line in each.lines()))
        print(f"  {correction(full.speeds)}")
    return 0
