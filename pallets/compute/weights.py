"""Weights of the compute pallet, set by hand from the reads, writes and bytes of each call.

A step rewrites the job, 465 bytes at most. Its end also touches the escrow (a deal, two accounts and their
holds), the privacy ledger (and the dataset, when it closes with its last job), the blobs, the index, and on
settlement the era.
"""

from __future__ import annotations

from frame.weights import Weight, db, micros
from primitives.job import TrainingSpec

DATASET = 28_000
"""Proof bytes of one `Datasets` entry with the largest schema and policy."""
JOB = 1_000
"""Proof bytes of one `Jobs` entry and the trie nodes on the way."""
SMALL = 600
"""Proof bytes of a small entry and the trie nodes on the way."""
END = db(reads=11, writes=15) + micros(1_500, JOB + DATASET + 9 * SMALL)
"""Jobs, Now, Deals, two accounts with holds, Ledger, Datasets, two Blobs; Orders and OpenJobs are removed
unread."""


class Weights:
    """Call → weight."""

    @staticmethod
    def submit(spec: TrainingSpec) -> Weight:
        """Reads Datasets, Listings, Ledger, Blobs, Now, NextJobId, Account, Holds; writes ten items. Names
        are checked one by one."""
        names = len(spec.trainable) + len(spec.inputs)
        return db(reads=8, writes=10) + micros(2_500 + 3 * names, DATASET + 6 * SMALL)

    @staticmethod
    def cancel() -> Weight:
        """The end of a job."""
        return END

    @staticmethod
    def reject() -> Weight:
        """The end of a job."""
        return END

    @staticmethod
    def accept() -> Weight:
        """Reads Jobs, Now, Deals, Account, Holds; writes Jobs, Deals, Account, Holds."""
        return db(reads=5, writes=4) + micros(800, JOB + 3 * SMALL)

    @staticmethod
    def submit_result() -> Weight:
        """Reads Jobs, Now, Blobs, Ledger; writes Jobs, Blobs, Ledger."""
        return db(reads=4, writes=3) + micros(800, JOB + 2 * SMALL)

    @staticmethod
    def fail() -> Weight:
        """The end of a job."""
        return END

    @staticmethod
    def confirm() -> Weight:
        """The end of a job, and Eras and Fees."""
        return END + db(reads=2, writes=2) + micros(100, 2 * SMALL)

    @staticmethod
    def expire() -> Weight:
        """At most a settlement."""
        return Weights.confirm()
