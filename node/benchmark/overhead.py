"""`gristmill benchmark overhead`: what a block and an extrinsic cost before any call does something.

An empty block, and a block full of empty remarks by as many signers, are built and imported on a real
database. The slower of building and importing counts; of the full block each extrinsic's share, with its
signature verified, all extensions, its sender's account read and written, its events, its part of the roots.
The proof that the extensions need at most goes into the extrinsic's base weight too.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from frame.benchmarking import Result, run_all
from frame.benchmarking.constants_file import render_constants
from frame.benchmarking.machine import describe_machine
from frame.benchmarking.reference import Reference, correction
from node.benchmark.crowd import Corner, Crowd
from node.benchmark.errors import BenchmarkError
from node.benchmark.figures import METRICS, Spread, spread, write_file
from node.benchmark.machine import add_normalise, recorded_reference
from node.benchmark.progress import progress
from node.benchmark.stage import Built, stage
from node.benchmark.subjects import EXTENSIONS, choose, fresh, subjects

REPEAT = 20
EXTRINSICS = 1_000


def configure(parser: ArgumentParser) -> None:
    """Sizes, and what becomes of the figures."""
    add = parser.add_argument
    add("--repeat", type=int, default=REPEAT, help="blocks of each kind (default: %(default)s)")
    add("--extrinsics", type=int, default=EXTRINSICS, help="remarks in a block (default: %(default)s)")
    add("--weight-metric", choices=METRICS, default="median", help="what becomes the weight (median)")
    add("--mul", type=float, default=1.0, help="the weight is the metric times this …")
    add("--add", type=int, default=0, metavar="NS", help="… and this many nanoseconds more")
    add("--output", metavar="FOLDER", help="where to write (default: runtime/weights; - for nowhere)")
    add_normalise(parser)
    add("--json", action="store_true", help="print JSON")


def run(arguments: Namespace) -> int:
    """Measure, print, write."""
    if arguments.repeat < 1 or arguments.extrinsics < 1 or arguments.mul < 0 or arguments.add < 0:
        raise BenchmarkError("--repeat and --extrinsics are at least 1, --mul and --add not below 0")
    with progress(2, "overhead") as advance:
        reference = recorded_reference(arguments.normalise)
        empty, full = measure(arguments.extrinsics, arguments.repeat, reference)
        advance("blocks")
        proof = extensions_proof()
        advance("extensions")
    block = slower(empty)
    base = block.metric(arguments.weight_metric)
    each = spread([max(taken - base, 0) // full.taken for taken in slower(full).values])
    weights = {
        "block": round(base * arguments.mul) + arguments.add,
        "extrinsic": round(each.metric(arguments.weight_metric) * arguments.mul) + arguments.add,
    }
    if arguments.json:
        print(json.dumps({f"{name}_ns": value for name, value in weights.items()} | {"proof_bytes": proof}))
    else:
        for title, found in (("An empty block", block), ("An empty extrinsic", each)):
            print("\n".join([title, *(f"  {line}" for line in found.lines())]))
    if arguments.output != "-":
        folder = Path(arguments.output) if arguments.output else subjects()[EXTENSIONS].file.parent
        speeds = [*empty.speeds, *full.speeds]
        how = correction(speeds)
        _write(folder, arguments, weights, proof, {"block": block, "extrinsic": each}, how)
    return 0


def measure(extrinsics: int, repeat: int, reference: Reference) -> tuple[Built, Built]:
    """An empty block, and one of so many remarks. BenchmarkError when they do not fit."""
    (system,) = choose("system", "remark")
    crowd = Crowd(fresh())
    corner = Corner(system.task(system.benchmarks[0]), {"remark": 0})
    for instance in range(extrinsics):
        crowd.add(corner, instance)
    signed = list(crowd.extrinsics())
    with stage(crowd.ext, reference) as standing:
        empty, full = standing.fill((), repeat), standing.fill(signed, repeat)
    if full.taken < extrinsics or full.failed:
        raise BenchmarkError(
            f"only {full.taken} of {extrinsics} remarks fit a block: give fewer --extrinsics"
        )
    return empty, full


def slower(built: Built) -> Spread:
    """The times of building or of importing, whichever took longer by its median."""
    later = built.build_times if built.build_ns >= built.import_ns else built.import_times
    return spread(later)


def extensions_proof() -> int:
    """Bytes of proof that the extensions need at most: each item counts once."""
    subject = subjects()[EXTENSIONS]
    found = run_all([subject.task(one) for one in subject.benchmarks], steps=2, repeat=1)
    items = {use.name: use.proof for one in found for use in Result(one).storage}
    return sum(items.values())


def _write(
    folder: Path,
    arguments: Namespace,
    weights: dict[str, int],
    proof: int,
    spreads: dict[str, Spread],
    how: str,
) -> None:
    what = {
        "block": (
            "BASE_BLOCK",
            "An empty block: opening and closing it, its roots, its place in the database.",
        ),
        "extrinsic": ("BASE_EXTRINSIC", "An empty extrinsic: signature, extensions, account, events, roots."),
    }
    for name, (constant, about) in what.items():
        size = proof if name == "extrinsic" else 0
        count = arguments.extrinsics if name == "extrinsic" else 0
        notes = [
            *describe_machine(),
            f"blocks of {count} remarks; {arguments.weight_metric} · {arguments.mul:g} + {arguments.add} ns",
            how,
            *spreads[name].lines(),
        ]
        expression = f"weight({weights[name] * 1000:_}, {size:_})"
        text = render_constants(
            f"The base weight of {'a block' if name == 'block' else 'an extrinsic'}",
            "gristmill benchmark overhead",
            notes,
            ["from frame.weights import weight"],
            {constant: (expression, about)},
        )
        write_file(folder / f"{name}.py", text)
