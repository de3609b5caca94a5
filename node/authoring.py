"""Filling a block from the pool: all that is ready, best first, up to the runtime's limits."""

from __future__ import annotations

import logging
import time
from typing import Protocol

from frame.machine import Trap
from frame.transaction import Invalid, InvalidTransaction, UnknownTransaction
from node.chain import Chain, Head, Imported, OpenBlock
from node.errors import BadBlock, behind
from node.log import short
from node.metrics.figures import Figures
from node.pool import Pool

log = logging.getLogger("sealing")

MAX_SKIPPED = 8
"""After so many that did not fit, the block counts as full."""

PATIENCE = 0.5
"""Seconds for filling one block: requests wait meanwhile. What is left goes into the next block."""

END = {
    "no_more_transactions": "NoMoreTransactions",
    "hit_deadline": "HitDeadline",
    "hit_block_weight_limit": "HitBlockWeightLimit",
}
"""Why a block takes no more: Substrate's word in metrics, and in the log."""


class HasPool(Protocol):
    """What an author needs of a node."""

    chain: Chain
    pool: Pool
    figures: Figures


class Author:
    """Makes blocks out of a node's pool. After `patience` seconds, one that holds something takes no more."""

    def __init__(self, node: HasPool, patience: float = PATIENCE) -> None:
        self._node = node
        self._patience = patience

    def seal(
        self, now: int, *, empty: bool = False, parent: bytes | None = None, finalize: bool = True
    ) -> Imported | None:
        """One block at wall-clock time `now` (ms), committed and, with `finalize`, final. None, and nothing
        done, if it would hold nothing but inherents and `empty` is false.

        `parent` is the hash of the block to build on, by default the best one. An older one makes the chain
        go back to it first, which finality forbids: then `BadBlock`; `UnknownBlock` if there is none.
        """
        began = time.perf_counter()
        block = OpenBlock(self._node.chain, now, self._parent(parent))
        self._node.figures.inherents.observe(time.perf_counter() - began)
        invalid, reason = self._fill(block)
        taken = len(block.extrinsics) - block.inherents
        self._node.pool.report_invalid(invalid)
        self._node.figures.invalid += len(invalid)
        if not taken and not empty:
            block.abandon()
            return None
        built = time.perf_counter() - began
        imported = block.seal(finalize=finalize)
        took = time.perf_counter() - began
        self._node.figures.proposed(taken, built, took, reason)
        before = short(imported.header.parent_hash)
        log.info(
            "🎁 Prepared block for proposing at %d (%d ms) hash: %s; parent_hash: %s; end: %s; "
            "extrinsics_count: %d",
            imported.number,
            took * 1000,
            short(imported.hash),
            before,
            END[reason],
            len(imported.extrinsics),
        )
        log.info("🏆 Imported #%d (%s → %s)", imported.number, before, short(imported.hash))
        return imported

    def _parent(self, digest: bytes | None) -> Head | None:
        if digest is None:
            return None
        chain = self._node.chain
        parent = chain.block(digest)
        if parent.number < chain.finalized_number:
            raise BadBlock(
                f"a block on #{parent.number} would take back the finalized block #{chain.finalized_number}"
            )
        return parent

    def _fill(self, block: OpenBlock) -> tuple[list[bytes], str]:
        """Apply the ready transactions; returns the hashes of those found invalid, and why it ended."""
        invalid: list[bytes] = []
        skipped = 0
        deadline = time.perf_counter() + self._patience
        best = self._node.pool.best_first()
        for tx in best:
            try:
                block.apply(tx.data, tx.checked, tx.hash)
            except (InvalidTransaction, UnknownTransaction, Trap) as error:
                best.skip()
                if isinstance(error, Trap):
                    found = behind(error)
                    if found is not None:  # not the transaction's fault, nor the runtime's
                        block.abandon()
                        raise found from error
                    log.error("the runtime has a defect: %s", error, exc_info=error)
                if not _does_not_fit(error, block):
                    invalid.append(tx.hash)
                    continue
                skipped += 1
            if skipped > MAX_SKIPPED:
                return invalid, "hit_block_weight_limit"
            if time.perf_counter() > deadline and _holds_something(block):
                return invalid, "hit_deadline"
        return invalid, "no_more_transactions"


def _does_not_fit(error: Exception, block: OpenBlock) -> bool:
    """True for one that a later block can hold; what an empty block cannot hold, none can."""
    exhausts = isinstance(error, InvalidTransaction) and error.kind is Invalid.ExhaustsResources
    return exhausts and _holds_something(block)


def _holds_something(block: OpenBlock) -> bool:
    return len(block.extrinsics) > block.inherents
