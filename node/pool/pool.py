"""The transaction pool: what waits to be in a block, as Substrate's pool keeps it.

A transaction is verified by the runtime against the best block, which gives its tags, priority and
longevity. With all required tags provided it is *ready*, else *future*. A new block prunes by the tags that
it provided, promotes futures, and throws out what has expired.

Source of the rules: `substrate/client/transaction-pool/src/graph/`.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from frame.extrinsic import Checked
from frame.forms import Admitted, KnownForm
from node.pool.errors import (
    AlreadyImported,
    Banned,
    ImmediatelyDropped,
    Invalid,
    NoTags,
    PoolError,
    VerificationFailed,
)
from node.pool.future import Future
from node.pool.ready import Best, Ready
from node.pool.transaction import FINAL, Hash, Phase, Status, Tag, Transaction
from primitives.hashing import blake2_256

MAX_BLOCK_NUMBER = 2**32 - 1

FINALITY_TIMEOUT = 512
"""Blocks that may wait for finality with watched transactions in them; those before are given up on."""
REVALIDATED_AFTER = 20
"""Blocks after which a transaction that still waits is verified anew."""
REVALIDATED = 256
"""Transactions that are verified anew at one block, so that no block is held up long."""


class Verdict(NamedTuple):
    """What the runtime says of a valid transaction; `longevity` in blocks."""

    priority: int
    requires: tuple[Tag, ...]
    provides: tuple[Tag, ...]
    longevity: int
    checked: Checked | None = None
    """The transaction taken apart, its signature verified; None if nobody did."""


Verify = Callable[[bytes], Verdict]
"""The runtime's word on an encoded extrinsic at the best block, else a `PoolError`."""

Watcher = Callable[[Status], None]


@dataclass(frozen=True)
class Limits:
    """Bounds of one queue."""

    count: int
    bytes: int


@dataclass(frozen=True)
class PoolConfig:
    """Substrate's defaults; `ban_seconds` is 0 on a development chain."""

    ready: Limits = Limits(8192, 20480 * 1024)
    future: Limits = Limits(819, 2048 * 1024)
    ban_seconds: float = 1800.0
    bans: int = 4096


class Pool:
    """The pool over one chain. Not thread-safe: it lives in the node's event loop.

    `verify` is asked once per submission. `on_ready` is called after a change that may let a block be made.
    """

    def __init__(
        self,
        verify: Verify,
        config: PoolConfig | None = None,
        on_ready: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._verify = verify
        self._config = config or PoolConfig()
        self._clock = clock
        self.on_ready = on_ready
        self.ready = Ready()
        self.future = Future()
        self.number = 0
        self.expected = 0
        """How many workers are in the middle of verifying more."""
        self._insertions = itertools.count()
        self._recent: list[frozenset[Tag]] = [frozenset(), frozenset()]
        self._banned: dict[Hash, float] = {}
        self._watchers: dict[Hash, list[Watcher]] = {}
        self._in_block: dict[Hash, list[Hash]] = {}
        """Blocks that are not final yet, with the watched transactions in each."""

    # ------------------------------------------------------------------ in

    def submit(self, data: bytes, watcher: Watcher | None = None, digest: Hash | None = None) -> Hash:
        """Verify and add an encoded extrinsic; returns its hash, or raises a `PoolError` and leaves the pool
        as it was.

        `watcher` hears every status from now on, the first one included. `digest` is the hash, if known.
        """
        digest = digest or blake2_256(data)
        if digest in self.ready.known or digest in self.future.known or digest in self._banned:
            self._refuse_known(digest)
        try:
            tx = self._checked(digest, data)
        except (Invalid, VerificationFailed):
            self._ban(digest)
            raise
        if watcher is not None:
            self._watchers.setdefault(digest, []).append(watcher)
        try:
            self._import(tx)
        except PoolError:
            self._watchers.pop(digest, None)
            raise
        if self._is_too_long() and not self._enforce_limits(digest):
            raise ImmediatelyDropped
        if digest in self.ready.known:
            self.on_ready()
        return digest

    def _refuse_known(self, digest: Hash) -> None:
        until = self._banned.get(digest)
        if until is not None:
            if self._clock() < until:
                raise Banned
            del self._banned[digest]
        if digest in self.ready or digest in self.future:
            raise AlreadyImported(digest)

    def _checked(self, digest: Hash, data: bytes) -> Transaction:
        priority, requires, provides, longevity, checked = self._verify(data)
        if len(provides) != 1:
            if not provides:
                raise NoTags
            provides = tuple(dict.fromkeys(provides))
        if len(requires) > 1:
            requires = tuple(dict.fromkeys(requires))
        number = self.number
        till = number + longevity
        till = min(till, MAX_BLOCK_NUMBER)
        insertion = next(self._insertions)
        return Transaction(
            digest, data, priority, requires, provides, till, insertion, (), 0, number, checked
        )

    def submit_row(
        self, data: Sequence[bytes], digests: Iterable[Hash], judged: Iterable[Admitted | None]
    ) -> dict[int, Exception]:
        """`submit` of each of these, whose hashes are known, and nobody watches. Those that are `judged` at
        the best block already are not verified again.

        Returns by its place in the row why one was refused: what `submit` raises.
        """
        refused, is_ready = dict[int, Exception](), False
        number, insertions, banned = self.number, self._insertions, self._banned
        waiting, early = self.ready.known, self.future.known
        last: KnownForm | None = None
        till, priority = 0, 0
        is_tight = self._may_get_too_long(data)
        for at, (raw, digest, found) in enumerate(zip(data, digests, judged, strict=False)):
            try:
                if found is None or digest in waiting or digest in early or digest in banned:
                    self.submit(raw, None, digest)
                    continue
                known, requires, provides = found
                if known is not last:
                    last, priority = known, known.priority
                    till = min(number + known.longevity, MAX_BLOCK_NUMBER)
                insertion = next(insertions)
                tx = Transaction(
                    digest, raw, priority, requires, provides, till, insertion, (), 0, number, known
                )
                is_ready = self._import(tx) or is_ready
                if is_tight and self._is_too_long() and not self._enforce_limits(digest):
                    raise ImmediatelyDropped
            except Exception as error:
                refused[at] = error
        if is_ready:
            self.on_ready()
        return refused

    def _import(self, tx: Transaction) -> bool:
        """Put it where it belongs; whether it is ready."""
        if tx.requires and not self.ready.provides_all(tx.requires):
            missing = [tag for tag in tx.requires if not self._is_provided(tag)]
            if missing:
                self.future.insert(tx, missing)
                self._tell(tx.hash, Status(Phase.FUTURE))
                return False
        self._insert_ready(tx)
        if self.future.known:
            unlocked = self.future.satisfy(tx.provides)
            if unlocked:
                self._promote(unlocked)
        return True

    def _is_provided(self, tag: Tag) -> bool:
        return self.ready.provides(tag) or any(tag in tags for tags in self._recent)

    def _insert_ready(self, tx: Transaction) -> None:
        replaced = self.ready.insert(tx)
        if self._watchers:
            for old in replaced:
                self._tell(old.hash, Status(Phase.USURPED, tx.hash))
            self._tell(tx.hash, Status(Phase.READY))

    def _promote(self, unlocked: list[Transaction]) -> None:
        """Move futures that wait for nothing more to ready, and those that they unlock in turn."""
        queue = list(unlocked)
        for tx in queue:
            try:
                self._insert_ready(tx)
            except PoolError:
                self._tell(tx.hash, Status(Phase.DROPPED))
                continue
            queue += self.future.satisfy(tx.provides)

    def _is_too_long(self) -> bool:
        """Whether a queue exceeds its limits: asked at every submission."""
        ready, future, most, later = self.ready, self.future, self._config.ready, self._config.future
        return (
            len(ready.known) > most.count
            or ready.bytes > most.bytes
            or len(future.known) > later.count
            or future.bytes > later.bytes
        )

    def _may_get_too_long(self, row: Sequence[bytes]) -> bool:
        """Whether so many more could exceed a limit, wherever they go; futures may become ready by them."""
        ready, future, most, later = self.ready, self.future, self._config.ready, self._config.future
        count, size = len(row) + len(future.known), sum(map(len, row)) + future.bytes
        return (
            len(ready.known) + count > most.count
            or ready.bytes + size > most.bytes
            or count > later.count
            or size > later.bytes
        )

    def _enforce_limits(self, newcomer: Hash = b"") -> bool:
        """Let the least worth go while a queue is too long; False if `newcomer` was among them."""
        kept = True
        while _exceeds(self.ready, self._config.ready):
            for tx in self.ready.remove_subtree([self.ready.worst().hash]):
                kept &= tx.hash != newcomer
                self._tell(tx.hash, Status(Phase.DROPPED))
        while _exceeds(self.future, self._config.future):
            tx = self.future.oldest()
            self.future.remove(tx.hash)
            kept &= tx.hash != newcomer
            self._tell(tx.hash, Status(Phase.DROPPED))
        return kept

    # ------------------------------------------------------------------ blocks

    def best_first(self) -> Best:
        """The ready transactions in the order in which a block should take them."""
        return self.ready.best_first()

    def report_invalid(self, digests: Iterable[Hash]) -> None:
        """Block building found these invalid: they leave, with all that depend on them."""
        for tx in self.ready.remove_subtree(digests):
            self._ban(tx.hash)
            self._tell(tx.hash, Status(Phase.INVALID))

    def remove(self, digests: Iterable[Hash]) -> list[Hash]:
        """Throw these out, with all that depend on them, and ban them; the hashes of those that went."""
        wanted = list(digests)
        gone = list(self.ready.remove_subtree(wanted))
        gone += [tx for tx in map(self.future.remove, wanted) if tx is not None]
        for tx in gone:
            self._ban(tx.hash)
            self._tell(tx.hash, Status(Phase.INVALID))
        return [tx.hash for tx in gone]

    def on_block(self, number: int, block: Hash, digests: Iterable[Hash]) -> None:
        """The best block is now `block`, with extrinsics of these hashes; `on_finalized` says when it is
        final.
        """
        self.number = number
        self.ready.forget_worth()
        included = dict.fromkeys(digests)
        pruned = self._prune(included)
        watched = [digest for digest in included if digest in self._watchers] if self._watchers else []
        for digest in watched:
            self._tell(digest, Status(Phase.IN_BLOCK, block))
        if watched:
            self._in_block[block] = watched
            self._time_out()
        for tx in pruned:
            if tx.hash not in included:
                self._submit_again(tx.hash, tx.data)
        self._enforce_limits()
        self._expire()
        self._revalidate()
        if len(self.ready):
            self.on_ready()

    def _time_out(self) -> None:
        while len(self._in_block) > FINALITY_TIMEOUT:
            block = next(iter(self._in_block))
            for digest in self._in_block.pop(block):
                self._tell(digest, Status(Phase.FINALITY_TIMEOUT, block))

    def _revalidate(self) -> None:
        """Verify anew what has waited long: the payer may be poor by now. Futures are verified when the tag
        that they wait for has come, by the block that wants to take them.
        """
        due = (tx for tx in self.ready if tx.judged + REVALIDATED_AFTER <= self.number)
        for tx in list(itertools.islice(due, REVALIDATED)):
            try:
                self._verify(tx.data)
            except PoolError:
                self.report_invalid([tx.hash])
            else:
                tx.judged = self.number

    def on_finalized(self, block: Hash) -> None:
        """A block that `on_block` told of is final."""
        for digest in self._in_block.pop(block, ()):
            self._tell(digest, Status(Phase.FINALIZED, block))

    def on_revert(self, number: int, retracted: Iterable[Hash], extrinsics: Iterable[bytes] = ()) -> None:
        """The best block is block `number` again, and the `retracted` ones are gone; `extrinsics` is what
        they held.

        As in Substrate, that comes back, and is verified anew like all that waits here, since nonces and
        balances went back too. It makes no block by itself: whoever moves the head back wants to be there,
        so nobody is told that something is ready until the next submission or block.
        """
        lost: dict[Hash, None] = {}
        for block in retracted:
            for digest in self._in_block.pop(block, ()):
                self._tell(digest, Status(Phase.RETRACTED, block))
                lost[digest] = None
        self.number = number
        self._recent = [frozenset(), frozenset()]
        waiting = sorted([*self.ready, *self.future], key=lambda tx: tx.insertion)
        self.ready, self.future = Ready(), Future()
        for data in extrinsics:
            self._submit_again(blake2_256(data), data)
        for tx in waiting:
            self._submit_again(tx.hash, tx.data)
        for digest in lost:
            if self._get(digest) is None:
                self._tell(digest, Status(Phase.DROPPED))
        self._enforce_limits()

    def _prune(self, included: Iterable[Hash]) -> list[Transaction]:
        if not self.future.known:
            all_tags = self.ready.take_all(list(included))
            if all_tags is not None:
                self._recent = [self._recent[1], all_tags]
                return []
        known = [tx for tx in map(self._get, included) if tx is not None]
        tags = list(dict.fromkeys([tag for tx in known for tag in tx.provides]))
        self._recent = [self._recent[1], frozenset(tags)]
        if not len(self.future):
            return self.ready.prune(tags)
        for tx in known:
            self.future.remove(tx.hash)
        unlocked = self.future.satisfy(tags)
        pruned = self.ready.prune(tags)
        self._promote(unlocked)
        return pruned

    def _submit_again(self, digest: Hash, data: bytes) -> None:
        """The state that this one was verified against is another now: ask the runtime again."""
        if digest in self.ready.known or digest in self.future.known:
            return
        try:
            self._import(self._checked(digest, data))
        except PoolError:
            self._ban(digest)
            self._tell(digest, Status(Phase.INVALID))

    def _expire(self) -> None:
        number = self.number
        self.report_invalid([tx.hash for tx in self.ready if tx.valid_till < number])
        for digest in [tx.hash for tx in self.future if tx.valid_till < number]:
            self.future.remove(digest)
            self._tell(digest, Status(Phase.INVALID))

    # ------------------------------------------------------------------ out

    def pending(self) -> list[Transaction]:
        """Ready ones in the order of the next blocks, then futures by age."""
        return [*self.best_first(), *self.future]

    def next_index(self, account: bytes, nonce: int) -> int:
        """The first nonce, from the state's `nonce` on, that no ready transaction of `account` uses.

        The tag of a nonce is the SCALE pair (account, u32), as `CheckNonce` provides it.
        """
        while self.ready.provides(account + nonce.to_bytes(4, "little")):
            nonce += 1
        return nonce

    def unwatch(self, digest: Hash, watcher: Watcher) -> None:
        """Stop telling `watcher`."""
        watchers = self._watchers.get(digest, [])
        if watcher in watchers:
            watchers.remove(watcher)
            if not watchers:
                del self._watchers[digest]

    def _get(self, digest: Hash) -> Transaction | None:
        return self.ready.get(digest) or self.future.get(digest)

    def _tell(self, digest: Hash, status: Status) -> None:
        watchers = self._watchers.get(digest)
        if watchers is None:
            return
        if status.phase in FINAL:
            del self._watchers[digest]
        for watcher in list(watchers):
            watcher(status)

    def _ban(self, digest: Hash) -> None:
        if not self._config.ban_seconds:
            return
        if len(self._banned) >= self._config.bans:
            del self._banned[next(iter(self._banned))]
        self._banned[digest] = self._clock() + self._config.ban_seconds


def _exceeds(queue: Ready | Future, limits: Limits) -> bool:
    return len(queue) > limits.count or queue.bytes > limits.bytes
