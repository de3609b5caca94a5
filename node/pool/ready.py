"""Transactions that can go into the next block, as a graph of tags.

A transaction provides tags and requires tags. One that requires a tag of another follows it. Best first:
dependencies, then priority, then the sooner to expire, then the older.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from node.pool.errors import CycleDetected, TooLowPriority
from node.pool.transaction import Hash, Tag, Transaction


class Ready:
    """The graph of ready transactions. Bounded by the pool, in number and bytes."""

    def __init__(self) -> None:
        self._all: dict[Hash, Transaction] = {}
        self._provider: dict[Tag, Hash] = {}
        self._roots: dict[Hash, None] = {}  # those that wait for nobody in the queue
        self._worth: list[tuple[tuple[int, int], Hash]] = []  # a heap, with entries of the gone still in it
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, digest: Hash) -> bool:
        return digest in self._all

    def __iter__(self) -> Iterator[Transaction]:
        return iter(self._all.values())

    def get(self, digest: Hash) -> Transaction | None:
        return self._all.get(digest)

    def provides(self, tag: Tag) -> bool:
        return tag in self._provider

    def insert(self, tx: Transaction) -> list[Transaction]:
        """Add `tx`; returns what it replaced.

        It replaces every transaction that provides one of its tags, and needs a priority above the sum of
        theirs, else `TooLowPriority` and nothing changes.
        """
        replaced = self._replace(tx)
        tx.satisfied = 0
        for tag in tx.requires:
            provider = self._provider.get(tag)
            if provider is None:
                tx.satisfied += 1
            else:
                self._all[provider].unlocks[tx.hash] = None
        for tag in tx.provides:
            self._provider[tag] = tx.hash
        if tx.satisfied == len(tx.requires):
            self._roots[tx.hash] = None
        self._all[tx.hash] = tx
        self.bytes += len(tx.data)
        self._remember_worth(tx)
        return replaced

    def _replace(self, tx: Transaction) -> list[Transaction]:
        old = {self._provider[tag]: None for tag in tx.provides if tag in self._provider}
        if not old:
            return []
        worth = sum(self._all[digest].priority for digest in old)
        if worth >= tx.priority:
            raise TooLowPriority(worth, tx.priority)
        kept_tags = frozenset(tx.provides)
        followers = self._subtree(old, frozenset())
        if any(self._provider.get(tag) in followers for tag in tx.requires):
            raise CycleDetected
        doomed = self._subtree(old, kept_tags)
        heirs = {child: None for digest in old for child in self._all[digest].unlocks if child not in doomed}
        removed = [self._drop(digest, kept_tags) for digest in doomed]
        tx.unlocks = heirs
        return removed

    def remove_subtree(self, digests: Iterable[Hash]) -> list[Transaction]:
        """Remove these and all that need their tags."""
        present = [digest for digest in digests if digest in self._all]
        return [self._drop(digest, frozenset()) for digest in self._subtree(present, frozenset())]

    def _subtree(self, digests: Iterable[Hash], keep_tags: frozenset[Tag]) -> dict[Hash, None]:
        """`digests` and, over tags that are not kept, all that need them."""
        stack, found = list(digests), dict[Hash, None]()
        while stack:
            digest = stack.pop()
            if digest in found:
                continue
            found[digest] = None
            tx = self._all[digest]
            lost = frozenset(tx.provides) - keep_tags
            stack += [child for child in tx.unlocks if lost.intersection(self._all[child].requires)]
        return found

    def _drop(self, digest: Hash, keep_tags: frozenset[Tag]) -> Transaction:
        tx = self._all.pop(digest)
        self.bytes -= len(tx.data)
        self._roots.pop(digest, None)
        for tag in tx.provides:
            if tag not in keep_tags:
                self._provider.pop(tag, None)
        for tag in tx.requires:
            before = self._all.get(self._provider.get(tag, b""))
            if before is not None:
                before.unlocks.pop(digest, None)
        return tx

    def prune(self, tag: Tag) -> list[Transaction]:
        """A block provided `tag`: remove its provider, and whatever came before it and leads nowhere else."""
        stack, pruned = [tag], []
        while stack:
            digest = self._provider.pop(stack.pop(), None)
            tx = self._all.pop(digest, None) if digest is not None else None
            if tx is None:
                continue
            self.bytes -= len(tx.data)
            self._roots.pop(tx.hash, None)
            for required in tx.requires:
                before = self._all.get(self._provider.get(required, b""))
                if before is not None:
                    before.unlocks.pop(tx.hash, None)
                    if not before.unlocks:
                        stack += before.provides
            for other in tx.provides:
                self._provider.pop(other, None)
            self._unlock(tx)
            pruned.append(tx)
        return pruned

    def _unlock(self, tx: Transaction) -> None:
        provided = frozenset(tx.provides)
        for child_hash in tx.unlocks:
            child = self._all.get(child_hash)
            if child is None:
                continue
            child.satisfied += sum(tag in provided for tag in child.requires)
            if child.satisfied >= len(child.requires):
                self._roots[child_hash] = None

    def best_first(self) -> Best:
        """All, in the order in which a block takes them; the queue must not change meanwhile."""
        return Best(self._all, self._roots)

    def worst(self) -> Transaction:
        """The first to leave when the pool is full."""
        while True:
            _, digest = self._worth[0]
            tx = self._all.get(digest)
            if tx is not None and tx.worth == self._worth[0][0]:
                return tx
            heapq.heappop(self._worth)

    def _remember_worth(self, tx: Transaction) -> None:
        if len(self._worth) > 2 * len(self._all) + 64:
            self._worth = [(other.worth, other.hash) for other in self._all.values()]
            heapq.heapify(self._worth)
        else:
            heapq.heappush(self._worth, (tx.worth, tx.hash))


class Best(Iterator[Transaction]):
    """Ready transactions best first. `skip(tx)` leaves out all that depend on `tx`."""

    def __init__(self, everything: dict[Hash, Transaction], roots: Iterable[Hash]) -> None:
        self._all = everything
        self._heap = [(everything[digest].order, digest) for digest in roots]
        heapq.heapify(self._heap)
        self._met: dict[Hash, int] = {}
        self._last: Transaction | None = None

    def __next__(self) -> Transaction:
        if self._last is not None:
            self._release(self._last)
            self._last = None
        if not self._heap:
            raise StopIteration
        _, digest = heapq.heappop(self._heap)
        self._last = self._all[digest]
        return self._last

    def skip(self) -> None:
        """The last one given did not fit: nothing that needs it follows."""
        self._last = None

    def _release(self, tx: Transaction) -> None:
        provided = frozenset(tx.provides)
        for digest in tx.unlocks:
            child = self._all.get(digest)
            if child is None:
                continue
            met = self._met.get(digest, child.satisfied) + sum(tag in provided for tag in child.requires)
            self._met[digest] = met
            if met >= len(child.requires):
                heapq.heappush(self._heap, (child.order, digest))
