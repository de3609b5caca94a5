"""The pool under any mix of submissions and blocks: its two queues never contradict themselves."""

from dataclasses import dataclass, field

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from node.pool import Limits, Phase, Pool, PoolConfig, Status, Verdict
from node.pool.errors import PoolError
from node.pool.ready import ByHeap
from node.pool.transaction import FINAL, Transaction
from primitives.hashing import blake2_256

TAGS = [bytes([letter]) for letter in b"abcdef"]
tags = st.lists(st.sampled_from(TAGS), max_size=2, unique=True)
LIMITS = PoolConfig(ready=Limits(8, 600), future=Limits(4, 300), ban_seconds=0)


@dataclass
class Known:
    """A transaction that was submitted, and what its watcher heard."""

    verdict: Verdict
    heard: list[Status] = field(default_factory=list)


MAX_LONGEVITY = 2**64 - 1


class PoolMachine(RuleBasedStateMachine):
    """Submits, seals prefixes of the best order, and blocks by others."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[bytes, Known] = {}
        self.pool = Pool(lambda data: self.known[data].verdict, LIMITS)
        self.number = 0

    @rule(
        requires=tags,
        provides=st.lists(st.sampled_from(TAGS), min_size=1, max_size=2, unique=True),
        priority=st.one_of(st.just(5), st.integers(0, 9)),
        longevity=st.one_of(st.just(MAX_LONGEVITY), st.integers(0, 6)),
        size=st.integers(8, 120),
    )
    def submit(
        self, requires: list[bytes], provides: list[bytes], priority: int, longevity: int, size: int
    ) -> None:
        data = len(self.known).to_bytes(8, "big").ljust(size, b".")
        known = self.known[data] = Known(Verdict(priority, tuple(requires), tuple(provides), longevity))
        before = ({tx.hash for tx in self.pool.ready}, {tx.hash for tx in self.pool.future})
        try:
            self.pool.submit(data, known.heard.append)
        except PoolError as error:
            if error.code != 1016:  # to make room, and then be too poor, may cost others their place
                after = ({tx.hash for tx in self.pool.ready}, {tx.hash for tx in self.pool.future})
                assert before == after and not known.heard

    @rule(count=st.integers(0, 5))
    def seal(self, count: int) -> None:
        taken = [tx.data for tx, _ in zip(self.pool.best_first(), range(count), strict=False)]
        self.number += 1
        self.pool.on_block(self.number, self.number.to_bytes(32, "big"), map(blake2_256, taken))
        for data in taken:
            assert self.known[data].heard[-1].phase is Phase.IN_BLOCK
        self.pool.on_finalized(self.number.to_bytes(32, "big"))
        for data in taken:
            assert self.known[data].heard[-1].phase is Phase.FINALIZED

    @rule(count=st.integers(0, 5), returned=st.integers(0, 5))
    def seal_and_go_back(self, count: int, returned: int) -> None:
        taken = [tx.data for tx, _ in zip(self.pool.best_first(), range(count), strict=False)]
        block = b"\xff" * 28 + self.number.to_bytes(4, "big")
        self.pool.on_block(self.number + 1, block, map(blake2_256, taken))
        self.pool.on_revert(self.number, [block], taken[:returned])
        for data in taken:
            assert Status(Phase.RETRACTED, block) in self.known[data].heard
        for data in taken[returned:]:
            assert self.known[data].heard[-1].phase is Phase.DROPPED

    @rule(index=st.integers(0, 20))
    def invalid(self, index: int) -> None:
        everything = [tx.hash for tx in self.pool.ready]
        self.pool.report_invalid(everything[index : index + 1])

    @invariant()
    def the_order_is_that_of_the_heap(self) -> None:
        ready = self.pool.ready
        for skipped in (0, 1, 0b1010):
            orders = []
            for best in (ready.best_first(), ByHeap(ready._all, ready._roots)):
                order = []
                for i, tx in enumerate(best):
                    order.append(tx.hash)
                    if skipped >> i & 1:
                        best.skip()
                orders.append(order)
            assert orders[0] == orders[1]

    @invariant()
    def the_order_respects_tags_and_holds_everything(self) -> None:
        order = list(self.pool.best_first())
        assert {tx.hash for tx in order} == {tx.hash for tx in self.pool.ready}, "nothing is stuck"
        place = {tx.hash: i for i, tx in enumerate(order)}
        for tx in order:  # a tag that a block provided needs nobody in the queue
            assert all(place[child] > place[tx.hash] for child in tx.unlocks)
            assert tx.satisfied + sum(self._provided_by_others(tx)) == len(tx.requires)

    def _provided_by_others(self, tx: Transaction) -> list[int]:
        others = [other for other in self.pool.ready if tx.hash in other.unlocks]
        return [sum(tag in other.provides for other in others) for tag in tx.requires]

    @invariant()
    def one_provider_for_each_tag(self) -> None:
        provided = [tag for tx in self.pool.ready for tag in tx.provides]
        assert len(provided) == len(set(provided))
        assert all(self.pool.ready.provides(tag) for tag in provided)

    @invariant()
    def the_limits_hold(self) -> None:
        for queue, limits in ((self.pool.ready, LIMITS.ready), (self.pool.future, LIMITS.future)):
            assert queue.bytes == sum(len(tx.data) for tx in queue)
            assert len(queue) <= limits.count and queue.bytes <= limits.bytes

    @invariant()
    def a_watcher_hears_the_end_once(self) -> None:
        here = {tx.data for tx in [*self.pool.ready, *self.pool.future]}
        for data, known in self.known.items():
            ends = [status for status in known.heard if status.phase in FINAL]
            assert len(ends) <= 1
            if known.heard and not ends:
                assert data in here


PoolMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestPool = PoolMachine.TestCase
