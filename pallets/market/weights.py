"""Weights of the market pallet, set by hand from the reads, writes and bytes of each call."""

from __future__ import annotations

from frame.weights import Weight, db, micros

DATASET = 28_000
"""Proof bytes of one `Datasets` entry with the largest schema and policy."""
SMALL = 700
"""Proof bytes of a listing and the trie nodes on the way."""


class Weights:
    """Call → weight."""

    @staticmethod
    def list() -> Weight:
        """Reads Datasets; writes Listings."""
        return db(reads=1, writes=1) + micros(1_000, DATASET)

    @staticmethod
    def unlist() -> Weight:
        """Reads Datasets and Listings; writes Listings."""
        return db(reads=2, writes=1) + micros(1_000, DATASET + SMALL)
