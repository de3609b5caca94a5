"""When the pieces of a blob go: not before the last state that is kept and holds the blob.

A blob is held where the state says so, under the key of pallet `blobs`. The block that takes it out of the
state notes that in the same batch, in `meta`. When the state of that block's parent is no longer kept, the
note is taken up: if no later state holds the blob either, its pieces are deleted, in the batch that prunes
the states. A note is only a hint, and the state decides: what a crash leaves is always whole, and an archive
keeps all.

Going back deletes what the lost blocks brought, unless an older state that is kept holds it too.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from typing import Final

from frame.backend import Delta
from node.database import columns as at
from node.database.storage import Batch, Storage
from primitives.hashing import blake2_128, twox_128

Piece = tuple[bytes, int, bytes]
"""(blob hash, index, bytes)."""

HELD: Final = 2 * twox_128(b"Blobs")
"""What the keys of `Blobs.Blobs` begin with; blake2-128 of the blob's hash and the hash itself follow."""
_HASH = 32
MOST = 2**64 - 1
_BY_BLOCK, _BY_BLOB = b"dropped:", b"dropped-of:"
"""A note has two keys: u64 block ‖ blob hash, and blob hash ‖ u64 block."""


def held_key(blob: bytes) -> bytes:
    """The state's key that is there as long as the chain holds a blob."""
    return HELD + blake2_128(blob) + blob


class Content:
    """The pieces in a database."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def put(self, batch: Batch, number: int, pieces: Iterable[Piece], delta: Delta) -> dict[bytes, None]:
        """Keep the pieces that block `number` brings, and note which blobs `delta` drops; returns those."""
        for blob, index, data in pieces:
            batch.put(at.CONTENT, at.piece_key(blob, index), data)
        dropped = dict.fromkeys(
            key[-_HASH:] for key, value in delta.top.items() if value is None and key.startswith(HELD)
        )
        for blob in dropped:
            for key in _keys(number, blob):
                batch.put(at.META, key, b"")
        return dropped

    def prune(
        self,
        batch: Batch,
        oldest: int,
        is_held: Callable[[bytes], bool],
        dropped: Container[bytes] = (),
    ) -> None:
        """`oldest` is the oldest state from here on. `is_held` tells whether the best state, this batch
        included, has a key; `dropped` are the blobs that this batch notes.
        """
        for number, blob in self._notes(0, oldest):
            self._forget(batch, number, blob)
            again = blob in dropped or is_held(held_key(blob)) or self._is_noted(blob, number + 1, MOST)
            if not again:
                self._delete(batch, blob)

    def revert(self, batch: Batch, number: int, undone: Delta) -> None:
        """Block `number` is the best again, and `undone` is what that changes in the state."""
        for height, blob in self._notes(number + 1, MOST):
            self._forget(batch, height, blob)
        for key, value in undone.top.items():
            if value is None and key.startswith(HELD) and not self._is_noted(key[-_HASH:], 0, number):
                self._delete(batch, key[-_HASH:])

    def _notes(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        """(block, blob) of the notes of blocks `first` to `last`."""
        key = self._storage.seek_key(at.META, _BY_BLOCK + at.be64(first))
        end = _BY_BLOCK + at.be64(last)
        while key is not None and key[: len(end)] <= end:
            yield int.from_bytes(key[len(_BY_BLOCK) : -_HASH], "big"), key[-_HASH:]
            key = self._storage.seek_key(at.META, key + b"\0")

    def _is_noted(self, blob: bytes, first: int, last: int) -> bool:
        """Whether a block from `first` to `last` drops the blob."""
        prefix = _BY_BLOB + blob
        key = self._storage.seek_key(at.META, prefix + at.be64(first))
        return key is not None and key.startswith(prefix) and key <= prefix + at.be64(last)

    def _forget(self, batch: Batch, number: int, blob: bytes) -> None:
        for key in _keys(number, blob):
            batch.delete(at.META, key)

    def _delete(self, batch: Batch, blob: bytes) -> None:
        key = self._storage.seek_key(at.CONTENT, at.piece_key(blob, 0))
        while key is not None and key.startswith(blob):
            batch.delete(at.CONTENT, key)
            key = self._storage.seek_key(at.CONTENT, key + b"\0")


def _keys(number: int, blob: bytes) -> tuple[bytes, bytes]:
    return _BY_BLOCK + at.be64(number) + blob, _BY_BLOB + blob + at.be64(number)
