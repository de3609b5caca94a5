"""Weights of the blobs pallet, set by hand from the reads, writes and bytes of each call."""

from __future__ import annotations

from frame.weights import Weight, db, micros

BLOB = 600
"""Proof bytes of one `Blobs` entry: its 85 bytes and the trie nodes on the way."""
MISSING = 8_800
"""Proof bytes of one `Missing` entry of 256 hashes."""
ACCOUNT = 1_200
"""Proof bytes of an account and its holds."""


class Weights:
    """Call → weight."""

    @staticmethod
    def declare(pieces: list[bytes]) -> Weight:
        """Reads and writes Blobs, Account and Holds; writes Missing; hashes 32 bytes a piece."""
        return db(reads=4, writes=4) + micros(120 + len(pieces) // 2, BLOB + ACCOUNT)

    @staticmethod
    def put(data: bytes) -> Weight:
        """Reads and writes Blobs and Missing; hashes the piece and gives it to the host (about 2 ns a
        byte)."""
        return db(reads=2, writes=2) + micros(120 + len(data) // 500, BLOB + MISSING)

    @staticmethod
    def remove() -> Weight:
        """Reads Blobs, Now, Account, Holds; writes Blobs, Missing, Account, Holds."""
        return db(reads=5, writes=4) + micros(120, BLOB + ACCOUNT)

    @staticmethod
    def expire() -> Weight:
        """As `remove`."""
        return Weights.remove()
