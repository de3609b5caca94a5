"""Weights of the rewards pallet, set by hand from the reads, writes and bytes of each call."""

from __future__ import annotations

from frame.weights import Weight, db, micros

DATASET = 28_000
"""Proof bytes of one `Datasets` entry with the largest schema and policy."""
SMALL = 600
"""Proof bytes of a small entry and the trie nodes on the way."""


class Weights:
    """Call → weight."""

    @staticmethod
    def claim() -> Weight:
        """Reads Now, Fees, Datasets, Eras, Promised and two accounts; writes Eras, Fees, Promised and two
        accounts."""
        return db(reads=7, writes=5) + micros(1_000, DATASET + 6 * SMALL)
