"""The pool's rules, each alone, with a runtime that says what the test wants."""

import pytest

from frame.transaction import Invalid as Kind
from node.pool import Limits, Phase, Pool, PoolConfig, Status, Verdict
from node.pool.errors import (
    AlreadyImported,
    Banned,
    CycleDetected,
    ImmediatelyDropped,
    Invalid,
    NoTags,
    PoolError,
    TooLowPriority,
)
from node.pool.pool import FINALITY_TIMEOUT, REVALIDATED_AFTER
from node.pool.ready import Ready
from primitives.hashing import blake2_256

FOREVER = 2**64 - 1


class Fixture:
    """A pool whose verdicts are written down beforehand."""

    def __init__(self, config: PoolConfig | None = None) -> None:
        self.verdicts: dict[bytes, Verdict | PoolError] = {}
        self.now = 0.0
        self.wakes = 0
        self.pool = Pool(self.verify, config, self.wake, lambda: self.now)
        self.heard: dict[bytes, list[Status]] = {}

    def verify(self, data: bytes) -> Verdict:
        verdict = self.verdicts[data]
        if isinstance(verdict, PoolError):
            raise verdict
        return verdict

    def wake(self) -> None:
        self.wakes += 1

    def tx(
        self,
        name: str,
        requires: str = "",
        provides: str = "",
        priority: int = 1,
        longevity: int = FOREVER,
        size: int = 0,
    ) -> bytes:
        """Bytes of a transaction; tags are the letters of the strings."""
        data = name.encode().ljust(size, b".")
        tags = tuple(bytes([c]) for c in (provides or name).encode())
        self.verdicts[data] = Verdict(priority, tuple(bytes([c]) for c in requires.encode()), tags, longevity)
        return data

    def submit(self, *args: object, **kwargs: object) -> bytes:
        data = self.tx(*args, **kwargs)  # type: ignore[arg-type]
        heard = self.heard.setdefault(data, [])
        self.pool.submit(data, heard.append)
        return data

    def order(self) -> list[str]:
        return [tx.data.decode().rstrip(".") for tx in self.pool.best_first()]

    def phases(self, data: bytes) -> list[Phase]:
        return [status.phase for status in self.heard[data]]

    def block(self, number: int, *extrinsics: bytes) -> None:
        self.pool.on_block(number, number.to_bytes(32, "big"), map(blake2_256, extrinsics))
        self.pool.on_finalized(number.to_bytes(32, "big"))


@pytest.fixture
def it() -> Fixture:
    return Fixture()


def test_best_first_follows_dependencies_then_priority_then_expiry_then_age(it: Fixture) -> None:
    it.submit("a", priority=1)
    it.submit("b", priority=5)
    it.submit("c", requires="b", priority=100)
    it.submit("d", priority=5, longevity=10)
    it.submit("e", priority=1)
    assert it.order() == ["d", "b", "c", "a", "e"]


def test_a_future_waits_for_its_tag_and_takes_its_followers_along(it: Fixture) -> None:
    c = it.submit("c", requires="b")
    b = it.submit("b", requires="a")
    assert it.order() == [] and it.phases(b) == [Phase.FUTURE] and it.wakes == 0
    it.submit("a")
    assert it.order() == ["a", "b", "c"]
    assert it.phases(c) == [Phase.FUTURE, Phase.READY]
    assert len(it.pool.future) == 0 and it.wakes == 1


@pytest.mark.parametrize("taken", ["abcd", "abc", "bacd", "bcd", "abcdx"])
def test_a_block_of_all_that_is_ready_prunes_as_any_other(
    monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    left = []
    for is_short in (True, False):
        if not is_short:
            monkeypatch.setattr(Ready, "take_all", lambda self, digests: None)
        it = Fixture()
        made = {
            name: it.submit(name, requires, provides)
            for name, requires, provides in (("a", "", "ae"), ("b", "a", ""), ("c", "", ""), ("d", "cb", "d"))
        }
        made |= {"x": it.tx("x", "d")}
        it.block(1, it.tx("inherent"), *(made[name] for name in taken))
        f, g = it.submit("f", requires="d"), it.submit("g", requires="z")
        pool = it.pool
        state = it.order(), pool.ready.bytes, len(pool.future), pool._recent
        left.append((*state, it.heard, it.phases(f), it.phases(g), sorted(pool.ready._provider)))
    assert left[0] == left[1]


def test_a_block_prunes_and_promotes_and_tells(it: Fixture) -> None:
    a = it.submit("a")
    it.submit("b", requires="a")
    far = it.submit("d", requires="c")
    c = it.tx("c")
    it.block(1, a, c)  # c came from elsewhere: the pool does not know its tags
    assert it.order() == ["b"]
    assert it.heard[a] == [
        Status(Phase.READY),
        Status(Phase.IN_BLOCK, b"\0" * 31 + b"\1"),
        Status(Phase.FINALIZED, b"\0" * 31 + b"\1"),
    ]
    assert it.phases(far) == [Phase.FUTURE]
    assert it.wakes == 3  # a, b, and what is left after the block


def test_a_tag_of_the_last_blocks_counts_as_provided(it: Fixture) -> None:
    a = it.submit("a")
    it.block(1, a)
    b = it.submit("b", requires="a")
    assert it.phases(b) == [Phase.READY]


def test_replacement_needs_more_priority_than_the_sum_of_the_replaced(it: Fixture) -> None:
    first, second = it.submit("x", provides="x", priority=5), it.submit("y", provides="y", priority=5)
    child = it.submit("z", requires="y", priority=1)
    with pytest.raises(TooLowPriority, match=r"\(10 vs 10\)"):
        it.submit("w", provides="xy", priority=10)
    assert it.order() == ["x", "y", "z"]
    winner = it.submit("v", provides="xy", priority=11)
    assert it.order() == ["v", "z"], "what needs a tag that is still provided stays"
    assert it.heard[first][-1] == it.heard[second][-1] == Status(Phase.USURPED, blake2_256(winner))
    assert it.phases(child) == [Phase.READY]


def test_what_needs_a_lost_tag_goes_with_the_replaced(it: Fixture) -> None:
    it.submit("x", provides="xy", priority=1)
    child = it.submit("c", requires="y")
    it.submit("w", provides="x", priority=2)
    assert it.order() == ["w"]
    assert it.phases(child)[-1] is Phase.USURPED


def test_one_that_needs_what_it_replaces_is_a_cycle_and_changes_nothing(it: Fixture) -> None:
    it.submit("a", provides="a")
    it.submit("b", requires="a", provides="b")
    with pytest.raises(CycleDetected):
        it.submit("c", requires="b", provides="a", priority=9)
    assert it.order() == ["a", "b"]


def test_twice_is_already_imported(it: Fixture) -> None:
    data = it.submit("a")
    with pytest.raises(AlreadyImported) as caught:
        it.pool.submit(data)
    assert caught.value.data == "0x" + blake2_256(data).hex() and caught.value.code == 1013
    waiting = it.submit("b", requires="z")
    with pytest.raises(AlreadyImported):
        it.pool.submit(waiting)


def test_no_tags_is_refused(it: Fixture) -> None:
    it.verdicts[b"n"] = Verdict(1, (), (), 5)
    with pytest.raises(NoTags):
        it.pool.submit(b"n")


def test_an_invalid_one_is_banned_for_a_while(it: Fixture) -> None:
    it.verdicts[b"i"] = Invalid(Kind.Payment)
    with pytest.raises(Invalid):
        it.pool.submit(b"i")
    with pytest.raises(Banned):
        it.pool.submit(b"i")
    it.now = 1801
    it.tx("i")
    it.pool.submit(b"i")
    assert it.order() == ["i"]


def test_a_dev_chain_bans_nobody() -> None:
    it = Fixture(PoolConfig(ban_seconds=0))
    it.verdicts[b"i"] = Invalid(Kind.Stale)
    for _ in range(2):
        with pytest.raises(Invalid) as caught:
            it.pool.submit(b"i")
    assert caught.value.data == "Transaction is outdated"


def test_a_full_pool_drops_the_least_priority_and_the_older_of_equals() -> None:
    it = Fixture(PoolConfig(ready=Limits(3, 1000)))
    a, b = it.submit("a", priority=2), it.submit("b", priority=2)
    it.submit("c", priority=5)
    with pytest.raises(ImmediatelyDropped):
        it.submit("d", priority=1)
    it.submit("e", priority=9)
    assert it.order() == ["e", "c", "b"]
    assert it.phases(a)[-1] is Phase.DROPPED and it.phases(b) == [Phase.READY]


def test_bytes_are_bounded_too() -> None:
    it = Fixture(PoolConfig(ready=Limits(100, 250), future=Limits(100, 100)))
    for i, name in enumerate("abc"):
        it.submit(name, priority=i + 1, size=100)
    assert it.order() == ["c", "b"] and it.pool.ready.bytes == 200
    old = it.submit("f", requires="z", size=60)
    it.submit("g", requires="z", size=60)
    assert it.phases(old)[-1] is Phase.DROPPED and it.pool.future.bytes == 60


def test_what_is_past_its_longevity_leaves_with_its_followers(it: Fixture) -> None:
    short = it.submit("a", longevity=2)
    child = it.submit("b", requires="a")
    late = it.submit("f", requires="z", longevity=2)
    it.block(2)
    assert it.order() == ["a", "b"]
    it.block(3)
    assert it.order() == [] and len(it.pool.future) == 0
    assert all(it.phases(data)[-1] is Phase.INVALID for data in (short, child, late))


def test_building_a_block_throws_out_the_invalid_with_its_followers(it: Fixture) -> None:
    bad = it.submit("a")
    child = it.submit("b", requires="a")
    it.submit("c")
    it.pool.report_invalid([blake2_256(bad)])
    assert it.order() == ["c"]
    assert it.phases(bad)[-1] is it.phases(child)[-1] is Phase.INVALID
    with pytest.raises(Banned):
        it.pool.submit(bad)


def test_skipping_while_building_leaves_out_the_followers(it: Fixture) -> None:
    it.submit("a", priority=9)
    it.submit("b", requires="a", priority=9)
    it.submit("c")
    best = it.pool.best_first()
    assert next(best).data == b"a"
    best.skip()
    assert [tx.data for tx in best] == [b"c"]


def test_next_index_counts_what_is_ready(it: Fixture) -> None:
    account = b"\x07" * 32
    for nonce in (3, 4, 6):
        data = b"n%d" % nonce
        it.verdicts[data] = Verdict(1, (), (account + nonce.to_bytes(4, "little"),), FOREVER)
        it.pool.submit(data)
    assert it.pool.next_index(account, 3) == 5
    assert it.pool.next_index(b"\x08" * 32, 3) == 3


def test_who_no_longer_watches_hears_nothing(it: Fixture) -> None:
    heard: list[Status] = []
    data = it.tx("a")
    digest = it.pool.submit(data, heard.append)
    it.pool.unwatch(digest, heard.append)  # bound methods of one list are equal
    it.block(1, data)
    assert [status.phase for status in heard] == [Phase.READY]


def test_going_back_verifies_anew_what_waits_and_what_lost_blocks_held(it: Fixture) -> None:
    a, b, c = it.submit("a"), it.submit("b"), it.submit("c", requires="b")
    it.pool.on_block(1, b"\1" * 32, map(blake2_256, [a]))
    assert it.phases(a) == [Phase.READY, Phase.IN_BLOCK]
    it.verdicts[c] = Verdict(1, (b"z",), (b"c",), FOREVER)
    it.verdicts[b] = Invalid(Kind.Payment)
    d = it.submit("d")
    it.pool.on_block(2, b"\2" * 32, map(blake2_256, [d]))
    it.verdicts[d] = Invalid(Kind.Payment)
    lost = it.submit("e")
    it.pool.on_block(3, b"\3" * 32, map(blake2_256, [lost]))
    it.pool.on_revert(0, [bytes([i]) * 32 for i in (1, 2, 3)], [a, d])
    assert it.heard[a][-2:] == [Status(Phase.RETRACTED, b"\1" * 32), Status(Phase.READY)]
    assert it.heard[d][-2:] == [Status(Phase.RETRACTED, b"\2" * 32), Status(Phase.INVALID)]
    assert it.heard[lost][-2:] == [Status(Phase.RETRACTED, b"\3" * 32), Status(Phase.DROPPED)]
    assert it.phases(b)[-1] is Phase.INVALID
    assert it.phases(c)[-1] is Phase.FUTURE and it.order() == ["a"]
    it.submit("z")
    assert it.order() == ["a", "z", "c"]


def test_finality_that_does_not_come_is_given_up_on(it: Fixture) -> None:
    watched = [it.submit("first", provides="f")]
    it.pool.on_block(1, (1).to_bytes(32, "big"), map(blake2_256, watched))
    for number in range(2, FINALITY_TIMEOUT + 2):
        tx = it.tx(f"t{number}")
        it.pool._watchers[blake2_256(tx)] = [lambda status: None]
        assert it.phases(watched[0]) == [Phase.READY, Phase.IN_BLOCK]
        it.pool.on_block(number, number.to_bytes(32, "big"), map(blake2_256, [tx]))
    assert it.heard[watched[0]][-1] == Status(Phase.FINALITY_TIMEOUT, (1).to_bytes(32, "big"))
    it.pool.on_finalized((1).to_bytes(32, "big"))
    assert it.phases(watched[0]) == [Phase.READY, Phase.IN_BLOCK, Phase.FINALITY_TIMEOUT]


def test_what_waits_long_is_verified_anew(it: Fixture) -> None:
    rich, poor = it.submit("r"), it.submit("p")
    after_poor = it.submit("q", requires="p")
    it.verdicts[poor] = Invalid(Kind.Payment)
    for number in range(1, REVALIDATED_AFTER):
        it.block(number)
    assert it.order() == ["r", "p", "q"]
    it.block(REVALIDATED_AFTER)
    assert it.order() == ["r"] and it.phases(rich) == [Phase.READY]
    assert it.phases(poor) == it.phases(after_poor) == [Phase.READY, Phase.INVALID]
    with pytest.raises(Banned):
        it.pool.submit(poor)


def test_the_limits_hold_when_the_head_went_back() -> None:
    it = Fixture(PoolConfig(ready=Limits(8, 600), future=Limits(4, 300), ban_seconds=0))
    it.submit("d")
    waiting = [
        it.submit(f"w{i}", requires="bx", provides="w", size=size) for i, size in enumerate((63, 59, 100))
    ]
    after = it.submit("a", requires="d", size=79)
    it.pool.on_block(1, bytes(32), map(blake2_256, [it.tx("d")]))
    it.pool.on_revert(0, [bytes(32)])
    assert it.pool.future.bytes <= 300 and it.phases(waiting[0])[-1] is Phase.DROPPED
    assert it.phases(after)[-1] is Phase.FUTURE
