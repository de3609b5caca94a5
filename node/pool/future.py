"""Transactions that wait for a tag that nobody has provided yet."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from node.pool.transaction import Hash, Tag, Transaction


class Future:
    """The waiting room: who waits for which tag. Bounded by the pool, in number and bytes."""

    def __init__(self) -> None:
        self._waiting: dict[Hash, Transaction] = {}  # in order of arrival: the oldest leaves first
        self.known: Collection[Hash] = self._waiting
        self._missing: dict[Hash, set[Tag]] = {}
        self._wanted: dict[Tag, dict[Hash, None]] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, digest: Hash) -> bool:
        return digest in self._waiting

    def __iter__(self) -> Iterator[Transaction]:
        return iter(self._waiting.values())

    def get(self, digest: Hash) -> Transaction | None:
        return self._waiting.get(digest)

    def insert(self, tx: Transaction, missing: Collection[Tag]) -> None:
        """Let `tx` wait until every tag of `missing` is provided."""
        self._waiting[tx.hash] = tx
        self._missing[tx.hash] = set(missing)
        for tag in missing:
            self._wanted.setdefault(tag, {})[tx.hash] = None
        self.bytes += len(tx.data)

    def satisfy(self, tags: Collection[Tag]) -> list[Transaction]:
        """Note that `tags` are provided now. Returns, and lets go, those that wait for nothing more."""
        unlocked: list[Transaction] = []
        if not self._wanted:
            return unlocked
        for tag in tags:
            for digest in self._wanted.pop(tag, ()):
                missing = self._missing[digest]
                missing.discard(tag)
                if not missing:
                    unlocked.append(self._take(digest))
        return unlocked

    def remove(self, digest: Hash) -> Transaction | None:
        """Forget one transaction, if it waits here."""
        if digest not in self._waiting:
            return None
        for tag in self._missing[digest]:
            waiters = self._wanted[tag]
            del waiters[digest]
            if not waiters:
                del self._wanted[tag]
        return self._take(digest)

    def oldest(self) -> Transaction:
        return next(iter(self._waiting.values()))

    def _take(self, digest: Hash) -> Transaction:
        del self._missing[digest]
        tx = self._waiting.pop(digest)
        self.bytes -= len(tx.data)
        return tx
