"""What values were before each block that changed them, and how what is too old goes away cheaply.

Entries lie by *epoch* (so many blocks), then place, then block. So a state is read with one seek for each
epoch since, and all entries of an epoch go with one range deletion, whatever blocks held. An archive has one
epoch for ever.
"""

from __future__ import annotations

from node.database.columns import CHANGES, HISTORY, be64, join_list, split_list
from node.database.errors import DatabaseCorrupt
from node.database.storage import Batch, Reader, Storage

LAST_EPOCH = 2**32 - 1


def before(entry: bytes) -> bytes | None:
    """The value that an entry recorded."""
    if not entry:
        raise DatabaseCorrupt("an empty history entry")
    return entry[1:] if entry[0] else None


def recorded(value: bytes | None) -> bytes:
    """An entry for a value that was there before."""
    return b"\x00" if value is None else b"\x01" + value


class History:
    """The columns `history` and `changes`. `epoch` is the blocks of an epoch; 0: one for ever."""

    def __init__(self, storage: Storage, epoch: int) -> None:
        self._storage = storage
        self._epoch = epoch

    def _of(self, number: int) -> int:
        return min(number // self._epoch, LAST_EPOCH) if self._epoch else 0

    def key(self, place: bytes, number: int) -> bytes:
        """Where the entry of a place that block `number` changed lies."""
        return self._of(number).to_bytes(4, "big") + place + be64(number)

    def entry(self, place: bytes, number: int, source: Reader | None = None) -> bytes | None:
        """What block `number` recorded of a place, or None."""
        return (source or self._storage).get(HISTORY, self.key(place, number))

    def first_after(self, place: bytes, number: int, best: int) -> bytes | None:
        """What the first block after `number` that changed the place recorded; None if none did."""
        wanted = place + be64(number + 1)
        for epoch in range(self._of(number + 1), self._of(best) + 1):
            head = epoch.to_bytes(4, "big")
            found = self._storage.seek(HISTORY, head + wanted)
            if found is not None and found[0].startswith(head + place):
                return found[1]
        return None

    def next_place(self, place: bytes, number: int, best: int) -> bytes | None:
        """The first place at or after `place` with an entry that may be of a block after `number`."""
        found: bytes | None = None
        for epoch in range(self._of(number + 1), self._of(best) + 1):
            head = epoch.to_bytes(4, "big")
            key = self._storage.seek_key(HISTORY, head + place)
            if key is not None and key.startswith(head) and (found is None or key[4:] < found):
                found = key[4:]
        return found

    def places(self, number: int, source: Reader | None = None) -> list[bytes]:
        """What block `number` changed."""
        return list(split_list((source or self._storage).get(CHANGES, be64(number)) or b""))

    def put(self, batch: Batch, number: int, places: list[bytes], before: list[bytes | None]) -> None:
        """Note what block `number` changed: places, and what was there before."""
        if places:
            head, tail = self._of(number).to_bytes(4, "big"), be64(number)
            keys = [head + place + tail for place in places]
            batch.put_all(HISTORY, zip(keys, map(recorded, before), strict=True))
            batch.put(CHANGES, tail, join_list(places))

    def drop(self, batch: Batch, number: int) -> None:
        """Forget block `number`, which is the best one: the chain goes back."""
        for place in self.places(number):
            batch.delete(HISTORY, self.key(place, number))
        batch.delete(CHANGES, be64(number))

    def prune(self, batch: Batch, first: int, last: int) -> None:
        """Forget what the blocks `first` to `last` recorded, so that the state of `last` is the oldest.

        Entries go by whole epochs, a little later than they could.
        """
        for number in range(first, last + 1):
            batch.delete(CHANGES, be64(number))
        gone, now = self._of(first), self._of(last + 1)
        if gone < now:
            batch.delete_range(HISTORY, gone.to_bytes(4, "big"), now.to_bytes(4, "big"))
