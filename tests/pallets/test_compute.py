"""The compute pallet: every step of the job table, by the right and the wrong party, in time and late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from frame import RuntimeCall
from primitives.data import DatasetState, GivenWeights, Tariff, WithoutDp
from primitives.job import FailReason, JobState, RejectReason
from primitives.spec import Init, InputMap, LossSpec, OptimizerSpec, Schedule, Target, Tick, float_bits
from tests.pallets.samples import (
    ALICE,
    BOB,
    CAROL,
    DP,
    EVE,
    GRIST,
    HOUR,
    MILLI,
    SPEC,
    WINDOWS,
    blob_hash,
    policy,
    rent,
    seal_key,
    spec,
)
from tests.pallets.world import DATASET_DEPOSIT, ED, MIN_STAY, MODEL, RESULT, World

WORK = 5 * 10**9
PRICE = 10 * MILLI + 5 * MILLI
FEE = 3 * 10**8
BOND = 15 * 10**8
PROVIDER, BUYER, STRANGER = ALICE, BOB, EVE
LATE = 10**9
"""Milliseconds after which every deadline has passed."""


def submit(world: World, **changes: Any) -> RuntimeCall:
    """The call with valid arguments, save for changes."""
    arguments = {
        "dataset": 0,
        "model": blob_hash(MODEL),
        "work": WORK,
        "spec": SPEC,
        "max_price": GRIST,
        "seal_pk": seal_key(9),
    }
    return world.compute.submit.new(**{**arguments, **changes})


def result(world: World, job: int = 0) -> RuntimeCall:
    """The call that delivers RESULT."""
    return world.compute.submit_result.new(job, blob_hash(RESULT), len(RESULT), b"\7" * 32)


@pytest.fixture
def offered(world: World) -> World:
    """Alice's dataset 0 is for rent, and Bob's model is on the chain."""
    world.offer(PROVIDER)
    world.upload(BUYER, MODEL)
    world.upload(PROVIDER, RESULT)
    return world


@pytest.fixture
def submitted(offered: World) -> World:
    """Bob has submitted job 0, in the block before this one."""
    offered.do(submit(offered), BUYER)
    offered.next_block()
    return offered


@pytest.fixture
def accepted(submitted: World) -> World:
    """Alice has accepted it."""
    submitted.do(submitted.compute.accept.new(0, None), PROVIDER)
    return submitted


@pytest.fixture
def delivered(accepted: World) -> World:
    """And delivered."""
    accepted.do(result(accepted), PROVIDER)
    return accepted


def assert_over(world: World, state: JobState) -> None:
    """Job 0 is in this terminal state and nothing of it is left behind."""
    assert world.compute.jobs[0].state == state
    assert world.market_holds() == 0
    assert not dict(world.compute.open_jobs.items())
    assert 0 not in world.compute.orders
    assert world.datasets.in_use(0) == (0, 0)
    assert all(not blob.references for blob in world.blobs.blobs.values())
    world.check()


# --- the table, step by step --------------------------------------------------------------------------


def test_submit_holds_price_and_fee_and_snapshots_the_agreement(offered: World) -> None:
    world = offered
    held = world.held(BUYER)
    events = world.do(submit(world), BUYER)
    assert events[-1] == world.compute.Submitted(
        job=0, dataset=0, buyer=BUYER, provider=PROVIDER, price=PRICE, fee=FEE, rho=0
    )
    assert world.held(BUYER) - held == PRICE + FEE
    job = world.compute.jobs[0]
    assert (job.price, job.fee, job.bond, job.state) == (PRICE, FEE, BOND, JobState.Submitted)
    assert (job.root, job.rows) == (world.datasets.datasets[0].root, 1_000)
    assert job.spec_hash == SPEC.hash
    assert job.accept_by == world.now() + WINDOWS.accept_ms
    assert world.compute.orders[0].spec == SPEC
    assert dict(world.compute.open_jobs.items_prefix(PROVIDER)) == {0: 1}
    assert dict(world.compute.open_jobs.items_prefix(BUYER)) == {0: 0}
    world.check()


def test_cancel(submitted: World) -> None:
    world = submitted
    assert world.do(world.compute.cancel.new(0), BUYER)[-1] == world.compute.Cancelled(job=0)
    assert_over(world, JobState.Cancelled)


def test_reject(submitted: World) -> None:
    world = submitted
    call = world.compute.reject.new(0, RejectReason.WorkMismatch)
    assert world.do(call, PROVIDER)[-1] == world.compute.Rejected(job=0, reason=RejectReason.WorkMismatch)
    assert world.compute.jobs[0].reject_reason == RejectReason.WorkMismatch
    assert_over(world, JobState.Rejected)


def test_accept_holds_the_bond_and_stores_the_beacon(submitted: World) -> None:
    world = submitted
    held = world.held(PROVIDER)
    world.do(world.compute.accept.new(0, None), PROVIDER)
    job = world.compute.jobs[0]
    assert world.held(PROVIDER) - held == BOND
    assert job.beacon == world.parent_hash() != bytes(32)
    assert job.result_by == world.now() + WINDOWS.result_ms
    assert job.state == JobState.Accepted
    world.check()


def test_submit_result(accepted: World) -> None:
    world = accepted
    world.do(result(world), PROVIDER)
    job = world.compute.jobs[0]
    assert (job.sealed_hash, job.sealed_len, job.commitment) == (blob_hash(RESULT), len(RESULT), b"\7" * 32)
    assert job.confirm_by == world.now() + WINDOWS.confirm_ms
    assert world.blobs.blobs[blob_hash(RESULT)].references == 1
    world.check()


def test_fail_gives_the_bond_back(accepted: World) -> None:
    world = accepted
    before = world.total(BUYER), world.total(PROVIDER)
    world.do(world.compute.fail.new(0, FailReason.OutOfFuel), PROVIDER)
    assert (world.total(BUYER), world.total(PROVIDER)) == before
    assert world.compute.jobs[0].fail_reason == FailReason.OutOfFuel
    assert_over(world, JobState.Failed)


def test_confirm_pays(delivered: World) -> None:
    world = delivered
    issuance, provider, buyer = world.issuance(), world.total(PROVIDER), world.total(BUYER)
    events = world.do(world.compute.confirm.new(0), BUYER)
    assert events[-1] == world.compute.Settled(job=0, provider=PROVIDER, price=PRICE, fee=FEE)
    assert world.total(PROVIDER) == provider + PRICE
    assert world.total(BUYER) == buyer - PRICE - FEE
    assert world.issuance() == issuance - FEE
    assert_over(world, JobState.Settled)


def test_an_unanswered_job_expires(submitted: World) -> None:
    world = submitted
    before = world.total(BUYER), world.total(PROVIDER)
    world.wait(LATE)
    assert world.do(world.compute.expire.new(0), STRANGER)[-1] == world.compute.Expired(job=0, slashed=0)
    assert (world.total(BUYER), world.total(PROVIDER)) == before
    assert_over(world, JobState.Expired)


def test_no_result_in_time_costs_half_the_bond(accepted: World) -> None:
    world = accepted
    buyer, provider = world.total(BUYER), world.total(PROVIDER)
    world.wait(LATE)
    events = world.do(world.compute.expire.new(0), STRANGER)
    assert events[-1] == world.compute.Expired(job=0, slashed=BOND // 2)
    assert world.total(BUYER) == buyer + BOND // 2
    assert world.total(PROVIDER) == provider - BOND // 2
    assert_over(world, JobState.Expired)


def test_half_of_an_odd_bond_is_rounded_down(offered: World) -> None:
    """The unit that cannot be halved stays with the provider."""
    world = offered
    odd = Tariff(base=10 * PRICE + 10, per_gwork=0, per_rho=0)
    world.do(world.market.list.new(0, rent(tariff=odd)), PROVIDER)
    world.do(submit(world), BUYER)
    world.next_block()
    world.do(world.compute.accept.new(0, None), PROVIDER)
    bond = world.compute.jobs[0].bond
    assert bond == PRICE + 1 and bond % 2
    world.wait(LATE)
    assert world.compute.Expired(job=0, slashed=PRICE // 2) in world.do(world.compute.expire.new(0), STRANGER)
    assert_over(world, JobState.Expired)


@pytest.mark.parametrize("late", [False, True])
def test_rewards_hear_of_the_fee_of_a_settled_job(delivered: World, late: bool) -> None:
    world = delivered
    if late:
        world.wait(LATE)
        world.do(world.compute.expire.new(0), STRANGER)
    else:
        world.do(world.compute.confirm.new(0), BUYER)
    assert dict(world.rewards.fees.items()) == {(world.rewards.era(), 0): FEE}


@pytest.mark.parametrize("path", [("cancel",), ("reject",), ("accept", "fail"), ("accept",), ()])
def test_rewards_hear_nothing_of_a_job_that_was_not_settled(submitted: World, path: tuple[str, ...]) -> None:
    world = submitted
    for step in path:
        call, who, _ = STEPS[step]
        world.do(call(world), who)
    world.wait(LATE)
    world.attempt(world.compute.expire.new(0), STRANGER)
    assert world.compute.jobs[0].state > JobState.Delivered
    assert not dict(world.rewards.fees.items())


def test_silence_settles_a_delivered_job(delivered: World) -> None:
    world = delivered
    provider = world.total(PROVIDER)
    world.wait(LATE)
    world.do(world.compute.expire.new(0), STRANGER)
    assert world.total(PROVIDER) == provider + PRICE
    assert_over(world, JobState.Settled)


# --- who, when, in which order ------------------------------------------------------------------------

STEPS: dict[str, tuple[Callable[[World], RuntimeCall], bytes, JobState]] = {
    "cancel": (lambda w: w.compute.cancel.new(0), BUYER, JobState.Submitted),
    "reject": (lambda w: w.compute.reject.new(0, RejectReason.Busy), PROVIDER, JobState.Submitted),
    "accept": (lambda w: w.compute.accept.new(0, None), PROVIDER, JobState.Submitted),
    "submit_result": (result, PROVIDER, JobState.Accepted),
    "fail": (lambda w: w.compute.fail.new(0, FailReason.Provider), PROVIDER, JobState.Accepted),
    "confirm": (lambda w: w.compute.confirm.new(0), BUYER, JobState.Delivered),
}
PATHS: dict[JobState, tuple[str, ...]] = {
    JobState.Submitted: (),
    JobState.Accepted: ("accept",),
    JobState.Delivered: ("accept", "submit_result"),
    JobState.Settled: ("accept", "submit_result", "confirm"),
    JobState.Cancelled: ("cancel",),
    JobState.Rejected: ("reject",),
    JobState.Failed: ("accept", "fail"),
}


def bring(world: World, state: JobState) -> None:
    """Take job 0 from Submitted to `state`."""
    for step in PATHS[state]:
        call, who, _ = STEPS[step]
        world.do(call(world), who)


@pytest.mark.parametrize("state", PATHS)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_belongs_to_one_party_and_one_state(submitted: World, step: str, state: JobState) -> None:
    world = submitted
    bring(world, state)
    call, who, begins = STEPS[step]
    for other in {BUYER, PROVIDER, STRANGER} - {who}:
        world.refused(call(world), other, "NotYourJob")
    if state != begins:
        world.refused(call(world), who, "WrongState")
    else:
        world.do(call(world), who)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_on_time_to_the_millisecond_and_then_late(submitted: World, step: str) -> None:
    world = submitted
    call, who, begins = STEPS[step]
    bring(world, begins)
    deadline = world.compute.jobs[0].deadline()
    world.wait(deadline - world.now())
    world.refused(world.compute.expire.new(0), STRANGER, "TooEarly")
    with world.rehearsal():
        world.do(call(world), who)
    world.wait(1)
    world.refused(call(world), who, "TooLate")
    world.do(world.compute.expire.new(0), STRANGER)


@pytest.mark.parametrize("state", [s for s in PATHS if s > JobState.Delivered])
def test_nothing_moves_a_job_that_is_over(submitted: World, state: JobState) -> None:
    world = submitted
    bring(world, state)
    world.wait(LATE)
    world.refused(world.compute.expire.new(0), STRANGER, "WrongState")
    for call, who, _ in STEPS.values():
        world.refused(call(world), who, "WrongState")


def test_no_step_knows_a_job_that_is_not_there(offered: World) -> None:
    for call, who, _ in STEPS.values():
        offered.refused(call(offered), who, "NoSuchJob")
    offered.refused(offered.compute.expire.new(0), STRANGER, "NoSuchJob")


def test_accept_waits_for_a_block_after_submit(offered: World) -> None:
    """Else the provider, or whoever makes the block, would know the beacon before the order."""
    world = offered
    world.do(submit(world), BUYER)
    world.refused(world.compute.accept.new(0, None), PROVIDER, "TooEarly")
    world.next_block()
    world.do(world.compute.accept.new(0, None), PROVIDER)


def test_there_is_one_result(delivered: World) -> None:
    world = delivered
    world.refused(result(world), PROVIDER, "WrongState")
    world.do(world.compute.confirm.new(0), BUYER)
    world.refused(result(world), PROVIDER, "WrongState")


def test_a_result_needs_its_blob_complete(accepted: World) -> None:
    world = accepted
    other = b"another result"
    call = world.compute.submit_result.new(0, blob_hash(other), len(other), bytes(32))
    world.refused(call, PROVIDER, "BlobMissing")
    world.declare(PROVIDER, other)
    world.refused(call, PROVIDER, "BlobMissing")
    for length in (len(RESULT) - 1, len(RESULT) + 1):
        wrong = world.compute.submit_result.new(0, blob_hash(RESULT), length, bytes(32))
        world.refused(wrong, PROVIDER, "LengthMismatch")
    world.put(PROVIDER, other)
    world.do(call, PROVIDER)


def test_blobs_of_an_open_job_stay(delivered: World) -> None:
    world = delivered
    world.wait(MIN_STAY)
    for who, data in ((BUYER, MODEL), (PROVIDER, RESULT)):
        world.refused(world.blobs.remove.new(blob_hash(data)), who, "BlobInUse")
    world.do(world.compute.confirm.new(0), BUYER)
    world.do(world.blobs.remove.new(blob_hash(MODEL)), BUYER)
    world.wait(MIN_STAY)
    world.do(world.blobs.remove.new(blob_hash(RESULT)), PROVIDER)


@pytest.mark.parametrize("later", [WINDOWS.confirm_ms, 40 * 24 * HOUR])
def test_nobody_pulls_a_result_away_from_who_has_just_paid_for_it(delivered: World, later: int) -> None:
    """A short window, silence, `expire` and `remove` in one block: the provider had money and deposit back,
    the buyer nothing to fetch. So may a stranger clear no result that is past its time."""
    world = delivered
    world.wait(later + 1)
    world.do(world.compute.expire.new(0), PROVIDER)
    for milliseconds in (0, MIN_STAY - 1):
        world.wait(milliseconds)
        world.refused(world.blobs.remove.new(blob_hash(RESULT)), PROVIDER, "TooEarly")
        world.refused(world.blobs.expire.new(blob_hash(RESULT)), STRANGER, "TooEarly")
        assert world.blobs.length(blob_hash(RESULT)) == len(RESULT)
    world.wait(1)
    world.do(world.blobs.remove.new(blob_hash(RESULT)), PROVIDER)
    world.check()


def test_one_blob_may_serve_several_jobs(offered: World) -> None:
    world = offered
    world.do(submit(world), BUYER)
    world.do(submit(world), BUYER)
    assert world.blobs.blobs[blob_hash(MODEL)].references == 2
    world.do(world.compute.cancel.new(0), BUYER)
    assert world.blobs.blobs[blob_hash(MODEL)].references == 1
    world.check()


# --- what submit refuses ------------------------------------------------------------------------------

NAN = 0x7FC0_0000
IDENTITY = bytes(32)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"dataset": 1}, "DatasetUnavailable"),
        ({"seal_pk": IDENTITY}, "BadSealKey"),
        ({"seal_pk": b"\xff" * 32}, "BadSealKey"),
        ({"seal_pk": (2**255 - 19).to_bytes(32, "little")}, "BadSealKey"),
        ({"spec": spec(version=2)}, "UnknownVersion"),
        ({"spec": spec(numerics=9999)}, "UnknownNumerics"),
        ({"spec": spec(epochs=0)}, "BadBatch"),
        ({"spec": spec(batch=0)}, "BadBatch"),
        ({"spec": spec(shards=3)}, "BadBatch"),
        ({"spec": spec(optimizer=OptimizerSpec.Sgd(rate=NAN, momentum=0))}, "BadRate"),
        ({"spec": spec(optimizer=OptimizerSpec.Sgd(rate=0, momentum=0))}, "BadRate"),
        ({"spec": spec(inputs=[])}, "BadName"),
        ({"spec": spec(trainable=[b"w", b"w"])}, "BadName"),
        ({"spec": spec(target=Target(column=b"label", tensor=b""))}, "BadName"),
        ({"spec": spec(dp=type(DP)(clip_num=1, clip_den=0, sigma_milli=4_000))}, "BadDp"),
        ({"spec": spec(target=Target(column=b"nothing", tensor=b"y"))}, "UnknownColumn"),
        ({"spec": spec(inputs=[InputMap(column=b"no", tensor=b"x", affine=None)])}, "UnknownColumn"),
        ({"spec": spec(init=Init.Registered(model=bytes(32)))}, "NoBaseModel"),
        ({"spec": spec(init=Init.Given())}, "GivenWeightsForbidden"),
        ({"spec": spec(dp=type(DP)(clip_num=1, clip_den=1, sigma_milli=1_999))}, "DpRequired"),
        ({"spec": spec(loss=LossSpec.MeanSquaredError())}, "PolicyForbids"),
        ({"spec": spec(epochs=51)}, "PolicyForbids"),
        ({"spec": spec(optimizer=OptimizerSpec.Sgd(rate=float_bits(1.5), momentum=0))}, "PolicyForbids"),
        ({"spec": spec(optimizer=OptimizerSpec.Sgd(rate=float_bits(1e-6), momentum=0))}, "PolicyForbids"),
        ({"spec": spec(epochs=40, dp=DP)}, "PrivacyBudgetExceeded"),
        ({"model": bytes(32)}, "BlobMissing"),
        ({"work": 0}, "NoWork"),
        ({"max_price": PRICE - 1}, "MaxPriceTooLow"),
        ({"work": 2**64 - 1}, "MaxPriceTooLow"),
    ],
)
def test_submit_refuses(offered: World, changes: dict[str, Any], error: str) -> None:
    offered.refused(submit(offered, **changes), BUYER, error)


def test_submit_refuses_oneself(offered: World) -> None:
    offered.refused(submit(offered), PROVIDER, "OwnDataset")


def test_submit_refuses_an_incomplete_model(offered: World) -> None:
    world = offered
    world.declare(BUYER, b"half a model")
    world.refused(submit(world, model=blob_hash(b"half a model")), BUYER, "BlobMissing")


def test_submit_refuses_what_is_not_for_rent(offered: World) -> None:
    world = offered
    world.do(world.market.unlist.new(0), PROVIDER)
    world.refused(submit(world), BUYER, "NotListed")
    world.do(world.datasets.close.new(0), PROVIDER)
    world.refused(submit(world), BUYER, "DatasetUnavailable")


def test_submit_refuses_a_price_that_could_not_be_paid_out(offered: World) -> None:
    world = offered
    world.do(world.market.list.new(0, rent(tariff=Tariff(base=ED - 1, per_gwork=0, per_rho=0))), PROVIDER)
    world.refused(submit(world), BUYER, "PriceTooLow")
    world.do(world.market.list.new(0, rent(tariff=Tariff(base=ED, per_gwork=0, per_rho=0))), PROVIDER)
    world.do(submit(world), BUYER)
    assert world.compute.jobs[0].bond == ED


def test_submit_refuses_who_cannot_pay(offered: World) -> None:
    world = offered
    world.empty(BUYER)
    world.refused(submit(world), BUYER, "CannotPay")


def test_submit_survives_the_largest_numbers(offered: World) -> None:
    world = offered
    most = 2**128 - 1
    world.do(world.market.list.new(0, rent(tariff=Tariff(base=most, per_gwork=most, per_rho=most))), PROVIDER)
    world.refused(submit(world, max_price=most), BUYER, "MaxPriceTooLow")
    world.do(world.market.list.new(0, rent(tariff=Tariff(base=most, per_gwork=0, per_rho=0))), PROVIDER)
    world.refused(submit(world, max_price=most), BUYER, "CannotPay")


def test_submit_stops_before_the_numbers_run_out(offered: World) -> None:
    offered.compute.next_job_id.put(2**32 - 1)
    offered.refused(submit(offered), BUYER, "NoIdsLeft")


def test_the_policy_may_trust_some_buyers(offered: World) -> None:
    world = offered
    trusted = policy(
        without_dp=WithoutDp.Trusted(accounts=[BUYER]), given_weights=GivenWeights.Trusted(accounts=[BUYER])
    )
    world.do(world.datasets.set_policy.new(0, trusted), PROVIDER)
    world.refused(submit(world), CAROL, "DpRequired")
    world.do(submit(world, spec=spec(init=Init.Given())), BUYER)


def test_too_few_rows(offered: World) -> None:
    world = offered
    world.do(world.datasets.set_policy.new(0, policy(min_rows=1_001)), PROVIDER)
    world.refused(submit(world), BUYER, "TooFewRows")


def test_accept_refuses_a_provider_without_the_bond(submitted: World) -> None:
    world = submitted
    world.empty(PROVIDER)
    world.refused(world.compute.accept.new(0, None), PROVIDER, "CannotBond")


# --- privacy ------------------------------------------------------------------------------------------

RHO = 312_500_000
PRIVATE = spec(epochs=10, dp=DP)


@pytest.mark.parametrize(
    ("path", "late", "spent"),
    [
        (("cancel",), False, 0),
        (("reject",), False, 0),
        ((), True, 0),
        (("accept", "fail"), False, RHO),
        (("accept",), True, RHO),
        (("accept", "submit_result", "confirm"), False, RHO),
        (("accept", "submit_result"), True, RHO),
    ],
)
def test_privacy_is_spent_once_a_provider_may_have_trained(
    offered: World, path: tuple[str, ...], late: bool, spent: int
) -> None:
    world = offered
    world.do(submit(world, spec=PRIVATE), BUYER)
    world.next_block()
    assert world.datasets.in_use(0) == (RHO, 1)
    assert world.compute.jobs[0].price == PRICE + RHO * 1_000
    for step in path:
        call, who, _ = STEPS[step]
        world.do(world.compute.accept.new(0, b"\1" * 32) if step == "accept" else call(world), who)
        world.check()
    if late:
        world.wait(LATE)
        world.do(world.compute.expire.new(0), STRANGER)
    assert world.datasets.in_use(0) == (0, 0)
    assert world.datasets.ledger[0].spent == spent
    world.check()


def test_a_private_job_needs_a_commitment_to_its_noise(offered: World) -> None:
    world = offered
    world.do(submit(world, spec=PRIVATE), BUYER)
    world.next_block()
    world.refused(world.compute.accept.new(0, None), PROVIDER, "NoiseCommitMissing")
    world.do(world.compute.accept.new(0, b"\1" * 32), PROVIDER)
    assert world.compute.jobs[0].noise_commit == b"\1" * 32


def test_reserved_privacy_counts_against_the_budget(offered: World) -> None:
    world = offered
    for _ in range(3):
        world.do(submit(world, spec=PRIVATE), BUYER)
    world.refused(submit(world, spec=PRIVATE), BUYER, "PrivacyBudgetExceeded")
    world.do(world.compute.cancel.new(1), BUYER)
    world.do(submit(world, spec=PRIVATE), BUYER)


def test_the_budget_may_be_used_to_the_last_unit(offered: World) -> None:
    world = offered
    for budget, error in ((RHO - 1, "PrivacyBudgetExceeded"), (RHO, None)):
        world.do(world.datasets.set_policy.new(0, policy(rho_budget=budget)), PROVIDER)
        assert world.attempt(submit(world, spec=PRIVATE), BUYER) == error
    assert world.datasets.rho_left(0) == 0
    world.refused(submit(world, spec=PRIVATE), BUYER, "PrivacyBudgetExceeded")
    world.do(submit(world), BUYER)  # without noise it costs none


# --- changes around open jobs -------------------------------------------------------------------------


def test_changes_never_touch_open_jobs(submitted: World) -> None:
    world = submitted
    before, order = world.compute.jobs[0], world.compute.orders[0]
    expensive = rent(tariff=Tariff(base=GRIST, per_gwork=0, per_rho=0))
    world.do(world.market.list.new(0, expensive), PROVIDER)
    world.do(world.datasets.set_policy.new(0, policy(epochs_max=1)), PROVIDER)
    world.do(world.datasets.update.new(0, b"\5" * 32, 200, 2), PROVIDER)
    world.do(world.market.unlist.new(0), PROVIDER)
    world.do(world.datasets.close.new(0), PROVIDER)
    assert (world.compute.jobs[0], world.compute.orders[0]) == (before, order)
    world.do(world.compute.accept.new(0, None), PROVIDER)
    world.do(result(world), PROVIDER)
    world.do(world.compute.confirm.new(0), BUYER)
    assert world.datasets.datasets[0].state == DatasetState.Closed


def test_a_closing_dataset_closes_with_its_last_job(submitted: World) -> None:
    world = submitted
    held = world.held(PROVIDER)
    world.do(world.datasets.close.new(0), PROVIDER)
    assert world.datasets.datasets[0].state == DatasetState.Closing
    world.refused(submit(world), BUYER, "DatasetUnavailable")
    events = world.do(world.compute.reject.new(0, RejectReason.DatasetUnavailable), PROVIDER)
    assert world.datasets.Closed(id=0) in events
    assert world.held(PROVIDER) == held - DATASET_DEPOSIT
    assert_over(world, JobState.Rejected)


# --- the other party's account ------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", ["empty", "freeze", "lock"])
@pytest.mark.parametrize("party", ["buyer", "provider"])
@pytest.mark.parametrize("state", [JobState.Submitted, JobState.Accepted, JobState.Delivered])
def test_a_job_ends_whatever_became_of_the_accounts(
    submitted: World, state: JobState, party: str, trouble: str
) -> None:
    """Emptied as far as the chain lets them, frozen over everything, or held elsewhere to the last unit."""
    world = submitted
    bring(world, state)
    getattr(world, trouble)(BUYER if party == "buyer" else PROVIDER)
    issuance = world.issuance()
    world.wait(LATE)
    world.do(world.compute.expire.new(0), STRANGER)
    burned = FEE if state == JobState.Delivered else 0
    assert world.issuance() == issuance - burned
    assert_over(world, JobState.Settled if burned else JobState.Expired)


def test_the_weights_follow_the_specification(world: World) -> None:
    small = world.weight(submit(world))
    large = world.weight(submit(world, spec=spec(trainable=[f"w{i}".encode() for i in range(500)])))
    assert large.ref_time > small.ref_time


def test_every_word_against_a_specification_is_an_error_of_the_chain(offered: World) -> None:
    """A name that the pallet does not know was a defect of the runtime in the eyes of the node: no fee, no
    error for the buyer, and the same again for whoever wished to keep a node busy."""
    import inspect
    import re

    from pallets.compute.pallet import SPEC_ERRORS
    from primitives import spec as source

    assert set(re.findall(r'SpecError\(\s*"(\w+)"', inspect.getsource(source))) <= SPEC_ERRORS.keys()
    still = Schedule.Step(every=0, gamma=0, warm_up=None, tick=Tick.Step)
    for wrong in ({"schedule": still}, {"loss": LossSpec.Huber(delta=0)}):
        offered.refused(submit(offered, spec=spec(**wrong)), BUYER, "BadRate")
