"""`gristmill benchmark block`: what real blocks have declared, and what executing them takes.

Blocks of a database are executed again on their parents' states, roots included, every signature verified.
Writing them is not measured: the database stays as it is. Times are set against weights as reference time;
what this machine took is printed beside.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

from frame.benchmarking.reference import Reference
from frame.benchmarking.result import PICOS
from frame.benchmarking.stopwatch import steady
from frame.runtime import IDLE_MACHINES, Block
from node.benchmark.errors import BenchmarkError
from node.benchmark.figures import spread
from node.benchmark.machine import add_normalise, recorded_reference
from node.benchmark.stage import used_weight
from node.chain import Chain
from node.commands import flags
from node.host import NodeHost, VerdictCache

REPEAT = 5


@dataclass(frozen=True)
class Measured:
    """One block: its extrinsics, picoseconds declared, nanoseconds taken (the median): in reference time,
    and here.
    """

    number: int
    extrinsics: int
    declared: int
    taken: int
    here: int

    @property
    def share(self) -> float:
        """Time taken to time declared."""
        return self.taken * PICOS / max(self.declared, 1)


def configure(parser: ArgumentParser) -> None:
    """Which blocks of which chain."""
    add = parser.add_argument
    add("--from", dest="first", type=int, default=1, metavar="BLOCK", help="the first one: 1")
    add("--to", dest="last", type=int, metavar="BLOCK", help="the last one: the best")
    add("--repeat", type=int, default=REPEAT, help="the median of so many runs (default: %(default)s)")
    add_normalise(parser)
    add("--json", action="store_true", help="print JSON")
    flags.add_chain(parser)


def run(arguments: Namespace) -> int:
    """Measure and print; 1 when a block takes longer than it has declared."""
    if arguments.repeat < 1:
        raise BenchmarkError("--repeat is at least 1")
    with flags.open_chain(arguments) as chain:
        last = chain.head.number if arguments.last is None else arguments.last
        if not 1 <= arguments.first <= last <= chain.head.number:
            wanted = f"{arguments.first} to {last}" if arguments.last is not None else f"{arguments.first}"
            raise BenchmarkError(f"the database has blocks 1 to {chain.head.number}, and no block {wanted}")
        reference = recorded_reference(arguments.normalise)
        numbers = range(arguments.first, last + 1)
        measure(chain, arguments.first, IDLE_MACHINES, Reference())  # they are made, which takes milliseconds
        found = [measure(chain, number, arguments.repeat, reference) for number in numbers]
    if arguments.json:
        rows = [
            {"block": m.number, "extrinsics": m.extrinsics, "declared_ns": m.declared // PICOS,
             "taken_ns": m.taken, "taken_here_ns": m.here, "share": round(m.share, 4)}
            for m in found
        ]  # fmt: skip
        print(json.dumps(rows, indent=2))
    else:
        show(found)
    return 0 if all(m.share <= 1 for m in found) else 1


def show(found: Sequence[Measured]) -> None:
    """A line a block, and one for all."""
    for m in found:
        late = " - OVER WEIGHT!" if m.share > 1 else ""
        print(
            f"Block {m.number} with {m.extrinsics:>5} tx used {100 * m.share:>6.2f}% of its weight "
            f"({m.taken:>13,} of {m.declared // PICOS:>13,} ns; here {m.here:,} ns){late}"
        )
    over = sum(m.share > 1 for m in found)
    shares = sorted(m.share for m in found)
    middle, most = 100 * median_low(shares), 100 * shares[-1]
    print(f"{len(found)} blocks: median {middle:.2f}%, highest {most:.2f}%; {over} over weight")


def measure(chain: Chain, number: int, repeat: int, reference: Reference) -> Measured:
    """Execute a block so many times, after once that warms up. UnknownBlock when its body is gone."""
    head = chain.block(chain.hash_at(number) or b"")
    body = chain.body(head.hash)
    if body is None:
        raise BenchmarkError(f"the body of block {number} is not kept: see --blocks-pruning")
    block = Block(head.header, body)

    def execute() -> None:
        state = chain.state(head.header.parent_hash)
        chain.runtime.execute_block(state, block, NodeHost(VerdictCache()))

    execute()
    here, taken = [], []
    with steady():
        for _ in range(repeat):
            taken.append(reference.take(execute))
            here.append(round(taken[-1] / reference.speeds[-1]))
    declared = used_weight(chain.runtime, chain.state(head.hash))
    return Measured(number, len(body), declared, spread(taken).median, spread(here).median)
