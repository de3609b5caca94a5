"""Weights of the datasets pallet, set by hand from the reads, writes and bytes of each call."""

from __future__ import annotations

from frame.weights import Weight, db, micros

DATASET = 28_000
"""Proof bytes of one `Datasets` entry with the largest schema and policy."""
SMALL = 600
"""Proof bytes of a small entry and the trie nodes on the way."""
ACCOUNT = 1_200
"""Proof bytes of an account and its holds."""


class Weights:
    """Call → weight."""

    @staticmethod
    def register() -> Weight:
        """Reads NextDatasetId, Account, Holds; writes them and Datasets. A full schema takes 1 ms to decode
        and check."""
        return db(reads=3, writes=4) + micros(1_500, SMALL + ACCOUNT)

    @staticmethod
    def update() -> Weight:
        """Reads and writes Datasets."""
        return db(reads=1, writes=1) + micros(1_000, DATASET)

    @staticmethod
    def set_policy() -> Weight:
        """Reads and writes Datasets."""
        return db(reads=1, writes=1) + micros(1_000, DATASET)

    @staticmethod
    def close() -> Weight:
        """Reads Datasets, Ledger, Account, Holds; writes Datasets, Account, Holds."""
        return db(reads=4, writes=3) + micros(1_000, DATASET + SMALL + ACCOUNT)
