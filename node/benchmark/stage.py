"""A chain on a real database, standing at the state that benchmarks have set up.

Its head is as high as the chain in memory that the set-up ran on, so that block numbers and moments which
the state holds mean the same. The blocks below the head are empty shells: nothing executes them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low

from frame.benchmarking.passes import plain_backend
from frame.benchmarking.result import PICOS
from frame.benchmarking.stopwatch import nanoseconds, steady
from frame.call import DispatchClass
from frame.runtime import Block, Runtime
from frame.state import Backend, Delta, Overlay
from frame.testing import Externalities
from frame.transaction import Invalid, InvalidTransaction
from node.chain import Chain, OpenBlock
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

    @property
    def build_ns(self) -> int:
        """The median time of building, root and commit included."""
        return median_low(self.build_times)

    @property
    def import_ns(self) -> int:
        """The median time of importing: execution, root, checks and commit."""
        return median_low(self.import_times)

    @property
    def ratio(self) -> float:
        """The slower of both medians, to the time declared."""
        return max(self.build_ns, self.import_ns) * PICOS / max(self.declared, 1)


class Stage:
    """A chain whose head can be built upon and imported to again and again."""

    def __init__(self, chain: Chain, now: int) -> None:
        self.chain = chain
        self.now = now

    def fill(self, extrinsics: Sequence[bytes], repeat: int) -> Built:
        """Build a block of as many of these as fit, and import it; both `repeat` times over.

        Signatures are verified in both: nothing is remembered between the runs.
        """
        chain, height = self.chain, self.chain.head.number
        builds, imports = [], []
        block, failed, taken = self._build(extrinsics)
        declared = used_weight(chain.runtime, chain.state())
        chain.revert_to(height)
        with steady():
            for _ in range(repeat):
                chain.verdicts = VerdictCache()
                builds.append(nanoseconds(lambda: self._build(extrinsics)))
                chain.revert_to(height)
                chain.verdicts = VerdictCache()
                imports.append(nanoseconds(lambda: chain.import_block(block)))
                chain.revert_to(height)
        return Built(block, declared, taken, failed, tuple(builds), tuple(imports))

    def _build(self, extrinsics: Sequence[bytes]) -> tuple[Block, int, int]:
        block = OpenBlock(self.chain, self.now)
        failed = 0
        for raw in extrinsics:
            try:
                failed += block.apply(raw)[1] != 0
            except InvalidTransaction as error:
                if error.kind is not Invalid.ExhaustsResources:
                    raise
                break
        sealed = block.seal()
        return Block(sealed.header, list(sealed.extrinsics)), failed, len(sealed.extrinsics) - block.inherents


def used_weight(runtime: Runtime, state: Backend) -> int:
    """Picoseconds of weight that the block whose state this is has used."""
    system = runtime.machine(Overlay(state)).system
    return sum(system.used_weight(kind).ref_time for kind in DispatchClass)


@contextmanager
def stage(ext: Externalities) -> Iterator[Stage]:
    """The state of `ext`, after its present block, as a chain in a database of its own that is removed at
    the end.
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
        yield Stage(_standing(database, ext.runtime, delta, height), now)


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
