"""The rewards pallet: what a fee brings back, once, and never to those who hire themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pallets.samples import ALICE, BOB, DAVE, GRIST, MILLI
from tests.pallets.world import ED, ERA, ERA_POOL, World


@pytest.fixture
def used(world: World) -> World:
    """Alice's dataset 0 burned three parts of the fees of the first era, Bob's dataset 1 one part."""
    world.offer(ALICE)
    world.offer(BOB)
    world.rewards.burned(0, 30 * MILLI)
    world.rewards.burned(1, 10 * MILLI)
    world.check()
    return world


def past(world: World) -> int:
    """Let the era end; returns its number."""
    era = world.rewards.era()
    world.wait(ERA)
    return era


def test_a_claim_pays_the_owner_whoever_makes_it(used: World) -> None:
    world = used
    era = past(world)
    alice, issuance = world.total(ALICE), world.issuance()
    events = world.do(world.rewards.claim.new(era, 0), DAVE)
    assert events[-1] == world.rewards.Claimed(era=era, dataset=0, owner=ALICE, amount=27 * MILLI)
    assert world.total(ALICE) == alice + 27 * MILLI
    assert world.issuance() == issuance
    world.check()


def test_a_claim_is_paid_once(used: World) -> None:
    world = used
    era = past(world)
    world.do(world.rewards.claim.new(era, 0), ALICE)
    world.refused(world.rewards.claim.new(era, 0), ALICE, "NothingToClaim")
    world.do(world.rewards.claim.new(era, 1), ALICE)
    world.refused(world.rewards.claim.new(era, 1), ALICE, "NothingToClaim")
    assert not dict(world.rewards.eras.items())
    assert world.rewards.promised.get() == 0


def test_claim_refuses(used: World) -> None:
    world = used
    era = world.rewards.era()
    world.refused(world.rewards.claim.new(era, 0), ALICE, "EraNotOver")
    world.refused(world.rewards.claim.new(era + 1, 0), ALICE, "EraNotOver")
    past(world)
    world.refused(world.rewards.claim.new(era - 1, 0), ALICE, "NothingToClaim")
    world.refused(world.rewards.claim.new(era, 2), ALICE, "NothingToClaim")


def test_the_pool_of_an_era_is_shared_by_fees(world: World) -> None:
    world.offer(ALICE)
    world.offer(BOB)
    world.rewards.burned(0, 3 * ERA_POOL)
    world.rewards.burned(1, 1 * ERA_POOL)
    era = past(world)
    alice, bob = world.total(ALICE), world.total(BOB)
    world.do(world.rewards.claim.new(era, 0), DAVE)
    world.check()
    world.do(world.rewards.claim.new(era, 1), DAVE)
    assert world.total(ALICE) - alice == ERA_POOL * 3 // 4
    assert world.total(BOB) - bob == ERA_POOL // 4


def test_an_empty_pool_keeps_the_claim(used: World) -> None:
    world = used
    pool = world.rewards.config.pool_account
    era = past(world)
    world.empty(pool)
    world.refused(world.rewards.claim.new(era, 0), ALICE, "PoolEmpty")
    world.give(pool, GRIST)
    world.do(world.rewards.claim.new(era, 0), ALICE)


def test_an_era_is_promised_what_no_other_era_was(world: World) -> None:
    """A pool that is nearly dry never promises the same money twice."""
    world.offer(ALICE)
    world.offer(BOB)
    pool = world.rewards.config.pool_account
    world.empty(pool)
    world.give(pool, 100 * MILLI)
    eras = []
    for _ in range(2):
        world.rewards.burned(0, 100 * MILLI)
        world.rewards.burned(1, 100 * MILLI)
        eras.append(past(world))
    world.do(world.rewards.claim.new(eras[0], 0), DAVE)
    world.check()
    world.refused(world.rewards.claim.new(eras[1], 0), DAVE, "PoolEmpty")
    world.do(world.rewards.claim.new(eras[0], 1), DAVE)
    world.check()


def test_a_reward_too_small_for_a_gone_owner_waits(world: World) -> None:
    world.offer(ALICE)
    world.rewards.burned(0, ED)
    era = past(world)
    world.do(world.datasets.close.new(0), ALICE)
    world.reap(ALICE)
    world.refused(world.rewards.claim.new(era, 0), DAVE, "OwnerGone")
    world.give(ALICE, ED)
    world.do(world.rewards.claim.new(era, 0), DAVE)


def test_a_reward_may_bring_an_owner_to_the_existential_deposit(world: World) -> None:
    world.offer(ALICE)
    world.rewards.burned(0, 10 * ED // 9)
    world.rewards.burned(0, 1)
    era = past(world)
    world.do(world.datasets.close.new(0), ALICE)
    world.reap(ALICE)
    world.do(world.rewards.claim.new(era, 0), DAVE)
    assert world.total(ALICE) == ED


def test_the_last_claim_frees_what_rounding_left(world: World) -> None:
    """Two rewards of 4½ units are two of 4: the ninth is promised to nobody any more."""
    for owner, dataset in ((ALICE, 0), (BOB, 1)):
        world.offer(owner)
        world.rewards.burned(dataset, 5)
    era = past(world)
    for dataset, left in ((0, 5), (1, 0)):
        events = world.do(world.rewards.claim.new(era, dataset), DAVE)
        assert isinstance(events[-1], world.rewards.Claimed) and events[-1].amount == 4
        assert world.rewards.promised.get() == left
        world.check()


def test_a_saturated_era_still_lets_jobs_settle(world: World) -> None:
    world.offer(ALICE)
    world.rewards.burned(0, 2**128 - 1)
    world.rewards.burned(0, 2**128 - 1)
    assert world.rewards.fees[world.rewards.era(), 0] == 2**128 - 1


@given(fees=st.lists(st.integers(1, 10**18), min_size=1, max_size=6), pool=st.integers(0, 10**15))
def test_nobody_gains_by_hiring_themselves(fees: list[int], pool: int) -> None:
    """However the fees of an era are split among datasets, each gets less than it burned."""
    world = World()
    account = world.rewards.config.pool_account
    world.empty(account)
    world.give(account, pool + ED)
    for index, burned in enumerate(fees):
        world.datasets.datasets[index] = world.sample_dataset(ALICE)
        world.rewards.burned(index, burned)
    era = past(world)
    paid = 0
    for index, burned in enumerate(fees):
        before = world.total(ALICE)
        world.attempt(world.rewards.claim.new(era, index), DAVE)
        reward = world.total(ALICE) - before
        assert 10 * reward <= 9 * burned
        paid += reward
    assert paid <= min(pool, ERA_POOL)
