"""Transactions that can go into the next block, as a graph of tags.

A transaction provides tags and requires tags. One that requires a tag of another follows it. Best first:
dependencies, then priority, then the sooner to expire, then the older.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Sequence

from node.pool.errors import CycleDetected, TooLowPriority
from node.pool.transaction import Hash, Tag, Transaction


class Ready:
    """The graph of ready transactions. Bounded by the pool, in number and bytes."""

    def __init__(self) -> None:
        self._all: dict[Hash, Transaction] = {}
        self.known: Collection[Hash] = self._all
        self._provider: dict[Tag, Transaction] = {}
        self._roots: dict[Hash, None] = {}  # those that wait for nobody in the queue
        self._worth: list[tuple[tuple[int, int], Hash]] | None = None
        """A heap, with entries of the gone still in it; None as long as nobody asks who is worth least."""
        self._last: Transaction | None = None
        self._in_order = True
        """Whether they stand in the order in which a block takes them, as they came in: `_last` is the last
        one then."""
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

    def provides_all(self, tags: Iterable[Tag]) -> bool:
        return all(map(self._provider.__contains__, tags))

    def insert(self, tx: Transaction) -> list[Transaction]:
        """Add `tx`; returns what it replaced.

        It replaces every transaction that provides one of its tags, and needs a priority above the sum of
        theirs, else `TooLowPriority` and nothing changes.
        """
        digest, provider_of, satisfied = tx.hash, self._provider, 0
        replaced: list[Transaction] = []
        for tag in tx.provides:
            if tag in provider_of:
                replaced = self._replace(tx)
                break
        for tag in tx.requires:
            before = provider_of.get(tag)
            if before is None:
                satisfied += 1
            elif digest not in before.unlocks:
                before.unlocks = (*before.unlocks, digest)
                if before.provides == tx.requires:  # as a rule: one of them in memory is enough
                    tx.requires = before.provides
        tx.satisfied = satisfied
        for tag in tx.provides:
            provider_of[tag] = tx
        if satisfied == len(tx.requires):
            self._roots[digest] = None
        self._note_order(tx)
        self._all[digest] = tx
        self.bytes += len(tx.data)
        if self._worth is not None:
            self._remember_worth(self._worth, tx)
        return replaced

    def _note_order(self, tx: Transaction) -> None:
        """Most come in the order in which they go: as many as pay alike, each after those that it needs."""
        last, self._last = self._last, tx
        if not self._all:
            self._in_order = True
        elif self._in_order:
            assert last is not None
            self._in_order = (
                tx.priority == last.priority
                and tx.valid_till == last.valid_till
                and tx.insertion > last.insertion
                and not tx.unlocks  # it took the place of one that others have waited for
            )

    def _replace(self, tx: Transaction) -> list[Transaction]:
        provider_of = self._provider
        old = {provider_of[tag].hash: None for tag in tx.provides if tag in provider_of}
        worth = sum(self._all[digest].priority for digest in old)
        if worth >= tx.priority:
            raise TooLowPriority(worth, tx.priority)
        kept_tags = frozenset(tx.provides)
        followers = self._subtree(old, frozenset())
        needed = (provider_of[tag] for tag in tx.requires if tag in provider_of)
        if any(before.hash in followers for before in needed):
            raise CycleDetected
        doomed = self._subtree(old, kept_tags)
        heirs = {child: None for digest in old for child in self._all[digest].unlocks if child not in doomed}
        removed = [self._drop(digest, kept_tags) for digest in doomed]
        tx.unlocks = tuple(heirs)
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
            before = self._provider.get(tag)
            if before is not None:
                before.unlocks = _without(before.unlocks, digest)
        return tx

    def prune(self, tags: Iterable[Tag]) -> list[Transaction]:
        """A block provided `tags`, in this order: remove the provider of each, and whatever came before it
        and leads nowhere else.
        """
        everything, provider_of, roots = self._all, self._provider, self._roots
        stack, pruned = list[Tag](), list[Transaction]()
        for tag in tags:
            stack.append(tag)
            while stack:
                tx = provider_of.pop(stack.pop(), None)
                if tx is None or everything.pop(tx.hash, None) is None:
                    continue
                self.bytes -= len(tx.data)
                roots.pop(tx.hash, None)
                for required in tx.requires:
                    before = provider_of.get(required)
                    if before is not None and before.hash in everything:
                        before.unlocks = _without(before.unlocks, tx.hash)
                        if not before.unlocks:
                            stack += before.provides
                if len(tx.provides) > 1:
                    for other in tx.provides:
                        provider_of.pop(other, None)
                if tx.unlocks:
                    self._unlock(tx)
                pruned.append(tx)
        return pruned

    def take_all(self, digests: Sequence[Hash]) -> frozenset[Tag] | None:
        """Where these end with all that is here, in the order in which it is taken, remove it and return the
        tags that it provided; else None, and nothing changes.
        """
        everything = self._all
        if not everything or list(everything) != digests[-len(everything) :]:
            return None
        tags = frozenset(self._provider)
        everything.clear()
        self._provider.clear()
        self._roots.clear()
        self._last = None
        self.bytes = 0
        return tags

    def _unlock(self, tx: Transaction) -> None:
        for child_hash in tx.unlocks:
            child = self._all.get(child_hash)
            if child is None:
                continue
            child.satisfied += _met(child, tx.provides)
            if child.satisfied >= len(child.requires):
                self._roots[child_hash] = None

    def best_first(self) -> Best:
        """All, in the order in which a block takes them; the queue must not change meanwhile."""
        if self._in_order:
            return InOrder(self._all.values())
        return ByHeap(self._all, self._roots)

    def worst(self) -> Transaction:
        """The first to leave when the pool is full."""
        worth = self._worth
        if worth is None:
            worth = self._worth = self._all_by_worth()
        while True:
            tx = self._all.get(worth[0][1])
            if tx is not None and tx.worth == worth[0][0]:
                return tx
            heapq.heappop(worth)

    def forget_worth(self) -> None:
        """There is room again: who is worth least is worked out anew when it matters."""
        self._worth = None

    def _all_by_worth(self) -> list[tuple[tuple[int, int], Hash]]:
        worth = [(tx.worth, tx.hash) for tx in self._all.values()]
        heapq.heapify(worth)
        return worth

    def _remember_worth(self, worth: list[tuple[tuple[int, int], Hash]], tx: Transaction) -> None:
        if len(worth) > 2 * len(self._all) + 64:
            self._worth = self._all_by_worth()
        else:
            heapq.heappush(worth, (tx.worth, tx.hash))


def _without(hashes: tuple[Hash, ...], gone: Hash) -> tuple[Hash, ...]:
    return tuple(digest for digest in hashes if digest != gone)


def _met(tx: Transaction, provided: tuple[Tag, ...]) -> int:
    """How many of the tags that `tx` requires are among these."""
    requires = tx.requires
    return len(requires) if requires is provided else sum(tag in provided for tag in requires)


class Best(Iterator[Transaction]):
    """Ready transactions best first."""

    def skip(self) -> None:
        """The last one given did not fit: nothing that needs it follows."""
        raise NotImplementedError


class InOrder(Best):
    """Those that stand in this order already."""

    def __init__(self, transactions: Iterable[Transaction]) -> None:
        self._rest = iter(transactions)
        self._last: Transaction | None = None
        self._lost: set[Tag] = set()

    def __next__(self) -> Transaction:
        for tx in self._rest:
            if self._lost and not self._lost.isdisjoint(tx.requires):
                self._lost.update(tx.provides)
                continue
            self._last = tx
            return tx
        raise StopIteration

    def skip(self) -> None:
        if self._last is not None:
            self._lost.update(self._last.provides)


class ByHeap(Best):
    """By dependencies and `Transaction.order`."""

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
        self._last = None

    def _release(self, tx: Transaction) -> None:
        if not tx.unlocks:
            return
        for digest in tx.unlocks:
            child = self._all.get(digest)
            if child is None:
                continue
            met = self._met.get(digest, child.satisfied) + _met(child, tx.provides)
            self._met[digest] = met
            if met >= len(child.requires):
                heapq.heappush(self._heap, (child.order, digest))
