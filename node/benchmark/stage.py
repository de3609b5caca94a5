"""A chain on a real database, standing at the state that benchmarks have set up.

Its head is as high as the chain in memory that the set-up ran on, so that block numbers and moments which
the state holds mean the same. The blocks below the head are empty shells: nothing executes them.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median_high, median_low

from frame.backend import Backend, Delta
from frame.benchmarking.passes import plain_backend
from frame.benchmarking.reference import Reference
from frame.benchmarking.result import PICOS
from frame.benchmarking.stopwatch import steady
from frame.call import DispatchClass
from frame.runtime import Block, Runtime
from frame.state import Overlay
from frame.testing import Externalities
from frame.transaction import Invalid, InvalidTransaction
from node.chain import Chain, Imported, OpenBlock
from node.database import Database
from node.host import VerdictCache
from primitives.digest import Digest
from primitives.header import Header
from primitives.trie import EMPTY_ROOT


@dataclass(frozen=True)
class Built:
    """A block that was built: what it holds, what it used of the limits, and the times it took in ns."""

    block: Block
    declared: int
    """Picoseconds of weight that it registered, all classes together, refunds taken off."""
    taken: int
    """Extrinsics besides the inherents."""
    failed: int
    """Those of them whose call ended with an error."""
    build_times: tuple[int, ...]
    import_times: tuple[int, ...]
    speeds: tuple[float, ...] = ()
    """What the timings were multiplied with to become reference time; empty when nothing was corrected."""

    @property
    def build_ns(self) -> int:
        """The median time of building, root and commit included."""
        return median_low(self.build_times)

    @property
    def import_ns(self) -> int:
        """The median time of importing, the slower of two: execution, root, checks and commit."""
        return median_high(self.import_times)

    @property
    def ratio(self) -> float:
        """The slower of both medians, to the time declared."""
        return max(self.build_ns, self.import_ns) * PICOS / max(self.declared, 1)


class Stage:
    """A chain whose head can be built upon and imported to again and again."""

    def __init__(self, chain: Chain, now: int, reference: Reference) -> None:
        self.chain = chain
        self.now = now
        self.reference = reference

    def fill(self, extrinsics: Sequence[bytes], repeat: int) -> Built:
        """Build a block of as many of these as fit, and import it; both `repeat` times over, by turns, after
        a build that warms up.

        Signatures are verified in both: nothing is remembered between the runs.
        """
        run = _Run(self, extrinsics)
        run.build()
        run.builds.clear()
        with steady():
            for _ in range(repeat):
                run.build()
                run.take()
        return run.built()

    def challenge(self, extrinsics: Sequence[bytes], repeat: int, enough: float) -> Built:
        """Like `fill`, but no longer than until it is known whether the block takes more than `enough` times
        what it declares.

        One build and four imports are five runs of the same calls, and the median of five is at most the
        largest of any three: when the build and two imports have stayed below, more cannot lift it. What has
        not is imported, and if need be built, all `repeat` times.
        """
        run = _Run(self, extrinsics)
        with steady():
            run.build()
            most = enough * run.declared / PICOS
            first = run.builds[0]
            while len(run.imports) < repeat and (
                not run.imports or median_bound([first, *run.imports], repeat) > most
            ):
                run.take()
            while len(run.builds) < repeat and median_low(run.builds) > most:
                run.build()
        return run.built()


class _Run:
    """One block, built and imported again and again."""

    def __init__(self, stage: Stage, extrinsics: Sequence[bytes]) -> None:
        self.chain, self.now, self.reference = stage.chain, stage.now, Reference(stage.reference.recorded)
        self.extrinsics = extrinsics
        self.height = self.chain.head.number
        self.builds: list[int] = []
        self.imports: list[int] = []
        self.block: Block | None = None
        self.declared = self.taken = self.failed = 0

    def build(self) -> None:
        """Once more; of the first block it is noted what it holds and declares."""
        self.chain.verdicts = VerdictCache()
        made: list[tuple[Imported, int, int]] = []
        self.builds.append(self.reference.take(lambda: made.append(self._build())))
        if self.block is None:
            ((sealed, self.failed, self.taken),) = made
            self.block = Block(sealed.header, list(sealed.extrinsics))
            self.declared = used_weight(self.chain.runtime, self.chain.state())
        self.chain.revert_to(self.height)

    def take(self) -> None:
        """Import the block once more."""
        block = self.block
        assert block is not None
        self.chain.verdicts = VerdictCache()
        self.imports.append(self.reference.take(lambda: self.chain.import_block(block)))
        self.chain.revert_to(self.height)

    def _build(self) -> tuple[Imported, int, int]:
        block = OpenBlock(self.chain, self.now)
        failed = 0
        for raw in self.extrinsics:
            try:
                failed += block.apply(raw)[1] != 0
            except InvalidTransaction as error:
                if error.kind is not Invalid.ExhaustsResources:
                    raise
                break
        sealed = block.seal()
        return sealed, failed, len(sealed.extrinsics) - block.inherents

    def built(self) -> Built:
        """What came of it."""
        assert self.block is not None
        times = tuple(self.builds), tuple(self.imports)
        speeds = tuple(self.reference.speeds if self.reference.recorded is not None else ())
        return Built(self.block, self.declared, self.taken, self.failed, *times, speeds)


def median_bound(times: Sequence[int], count: int) -> float:
    """What the (lower) median of `count` timings is at most, of which these are the first."""
    needed = (count + 1) // 2
    return sorted(times)[needed - 1] if len(times) >= needed else math.inf


def used_weight(runtime: Runtime, state: Backend) -> int:
    """Picoseconds of weight that the block whose state this is has used."""
    system = runtime.machine(Overlay(state)).system
    return sum(system.used_weight(kind).ref_time for kind in DispatchClass)


@contextmanager
def stage(ext: Externalities, reference: Reference | None = None) -> Iterator[Stage]:
    """The state of `ext`, after its present block, as a chain in a database of its own that is removed at
    the end. `reference` corrects the timings.
    """
    now = ext.time() + 1
    ext.next_block()
    height = ext.machine.system.block_number()
    state = plain_backend(ext).top
    delta = Delta({key: state[key] for key in sorted(state)})
    with (
        tempfile.TemporaryDirectory(prefix="gristmill-benchmark-") as path,
        Database.open(Path(path), sync=False) as database,
    ):
        yield Stage(_standing(database, ext.runtime, delta, height), now, reference or Reference())


def _standing(database: Database, runtime: Runtime, delta: Delta, height: int) -> Chain:
    version = runtime.version.state_version
    header = Header(
        parent_hash=bytes(32),
        number=0,
        state_root=database.root_at(-1, delta, version),
        extrinsics_root=EMPTY_ROOT,
        digest=Digest(logs=[]),
    )
    genesis = header
    database.commit(header, header.hash, [], delta, state_version=version)
    for number in range(1, height + 1):
        header = Header(
            parent_hash=header.hash,
            number=number,
            state_root=header.state_root,
            extrinsics_root=EMPTY_ROOT,
            digest=Digest(logs=[]),
        )
        database.commit(header, header.hash, [], Delta({}), state_version=version)
    return Chain(database, runtime, genesis, delta)
