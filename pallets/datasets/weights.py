"""Weights of the datasets pallet, set by hand from the reads, writes and bytes of each call."""

from __future__ import annotations

from frame.weights import Weight, db, micros
from primitives.data import Schema

DATASET = 28_000
"""Proof bytes of one `Datasets` entry with the largest schema and policy."""
SMALL = 600
"""Proof bytes of a small entry and the trie nodes on the way."""
ACCOUNT = 1_200
"""Proof bytes of an account and its holds."""


class Weights:
    """Call → weight."""

    @staticmethod
    def register(schema: Schema) -> Weight:
        """Reads NextDatasetId, Account, Holds; writes them and Datasets. Columns are checked and hashed."""
        return db(reads=3, writes=4) + micros(500 + 20 * len(schema.columns), SMALL + ACCOUNT)

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
