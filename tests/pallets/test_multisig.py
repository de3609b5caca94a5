"""Every call of the pallet multisig: what it does, each way it fails, its weight and its events."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import pytest
from scalecodec.base import RuntimeConfigurationObject
from scalecodec.type_registry import load_type_registry_preset

from frame import BadOrigin, DispatchError, Pays, RuntimeCall, Token, TokenError
from frame.testing import Externalities
from frame.weights import MAX, ZERO, weight
from pallets.multisig import Multisig, multi_account_id
from pallets.multisig.types import Timepoint
from pallets.multisig.weights import Weights
from primitives.hashing import blake2_256
from primitives.scale import Err, Ok, replace
from tests.pallets.money import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    ENDOWED,
    EVE,
    ROOT,
    Bank,
    at,
    bank,
    refused,
    signed,
)

DEPOSIT = 100 + 2 * 10
NOW = Timepoint(height=1, index=0)
OWNERS = sorted([ALICE, BOB, CAROL])
SHARED = multi_account_id(OWNERS, 2)


@pytest.fixture
def ext() -> Iterator[Externalities]:
    """A fresh chain, on which ALICE, BOB and CAROL own money together, any two of them."""
    chain = bank()
    chain.dispatch(chain.of(Bank.balances).transfer_allow_death.new(at(SHARED), 50_000), signed(ALICE))
    chain.clear_events()
    yield chain
    chain.try_state()


def others(who: bytes) -> list[bytes]:
    return [owner for owner in OWNERS if owner != who]


def pay(ext: Externalities, amount: int = 500) -> RuntimeCall:
    return ext.of(Bank.balances).transfer_allow_death.new(at(DAVE), amount)


def hash_of(call: RuntimeCall) -> bytes:
    return blake2_256(call.encode())


def approve(ext: Externalities, who: bytes, call: RuntimeCall, when: Timepoint | None) -> RuntimeCall:
    made = ext.of(Bank.multisig).as_multi.new(2, others(who), when, call, MAX)
    ext.dispatch(made, signed(who))
    return made


def held(ext: Externalities, who: bytes) -> int:
    multisig = ext.of(Bank.multisig)
    return ext.of(Bank.balances).held(multisig.reason(multisig.HoldReason.Deposit), who)


def test_account_ids_are_those_of_substrate() -> None:
    config = RuntimeConfigurationObject()
    config.update_type_registry(load_type_registry_preset("core"))
    oracle = config.get_decoder_class("MultiAccountId").create_from_account_list
    keys = [bytes((n * 37 % 256,)) * 32 for n in range(1, 7)]
    for size in (2, 3, 6):
        for group in combinations(keys, size):
            for threshold in range(1, size + 1):
                theirs = oracle(["0x" + key.hex() for key in group], threshold)
                ours = multi_account_id(sorted(group), threshold)
                assert theirs.value == "0x" + ours.hex()


def test_two_of_three_pay(ext: Externalities) -> None:
    m, b = ext.of(Bank.multisig), ext.of(Bank.balances)
    call = pay(ext)
    named = {"multisig": SHARED, "call_hash": hash_of(call)}
    approve(ext, ALICE, call, None)
    assert ext.last_event() == m.NewMultisig(approving=ALICE, **named)
    assert held(ext, ALICE) == DEPOSIT
    operation = m.multisigs[SHARED, hash_of(call)]
    assert (operation.when, operation.approvals, operation.deposit) == (NOW, [ALICE], DEPOSIT)
    ext.clear_events()
    approve(ext, CAROL, call, NOW)
    assert [type(event).__name__ for event in ext.events()] == ["Released", "Transfer", "MultisigExecuted"]
    assert ext.last_event() == m.MultisigExecuted(approving=CAROL, timepoint=NOW, result=Ok(()), **named)
    assert b.free_balance(DAVE) == ENDOWED[DAVE] + 500
    assert held(ext, ALICE) == 0 and m.multisigs.get(SHARED, hash_of(call)) is None


def test_all_approve_by_hash_before_the_call_comes(ext: Externalities) -> None:
    m = ext.of(Bank.multisig)
    call, account = pay(ext), multi_account_id(OWNERS, 3)
    ext.dispatch(ext.of(Bank.balances).transfer_allow_death.new(at(account), 5_000), signed(ALICE))
    by_hash = lambda who, when: m.approve_as_multi.new(3, others(who), when, hash_of(call), ZERO)  # noqa: E731
    ext.dispatch(by_hash(BOB, None), signed(BOB))
    ext.dispatch(by_hash(CAROL, NOW), signed(CAROL))
    assert ext.last_event() == m.MultisigApproval(
        approving=CAROL, timepoint=NOW, multisig=account, call_hash=hash_of(call)
    )
    assert m.multisigs[account, hash_of(call)].approvals == sorted([BOB, CAROL])
    ext.dispatch(by_hash(ALICE, NOW), signed(ALICE))
    with refused(ext, m.AlreadyApproved):  # nothing is left to approve by hash
        ext.dispatch(by_hash(ALICE, NOW), signed(ALICE))
    # Any of them brings the call, though all have approved.
    post = ext.dispatch(m.as_multi.new(3, others(BOB), NOW, call, MAX), signed(BOB))
    assert post.actual_weight is None
    assert isinstance(ext.last_event(), m.MultisigExecuted) and held(ext, BOB) == 0


def test_a_call_that_fails_is_told_of_and_undone(ext: Externalities) -> None:
    m = ext.of(Bank.multisig)
    call = pay(ext, 10**9)
    approve(ext, ALICE, call, None)
    approve(ext, BOB, call, NOW)
    executed = ext.last_event()
    assert isinstance(executed, m.MultisigExecuted)
    assert executed.result == Err(TokenError(Token.FundsUnavailable))
    assert held(ext, ALICE) == 0


def test_the_carried_call_may_open_the_operation_anew(ext: Externalities) -> None:
    """The operation is closed before its call runs; an account may be an owner of others, too."""
    m, u = ext.of(Bank.multisig), ext.of(Bank.utility)
    outer = sorted([SHARED, DAVE])
    inner = m.approve_as_multi.new(2, [DAVE], None, hash_of(pay(ext)), ZERO)
    call = u.batch_all.new([inner, pay(ext)])
    approve(ext, ALICE, call, None)
    approve(ext, BOB, call, NOW)
    assert m.multisigs[multi_account_id(outer, 2), hash_of(pay(ext))].depositor == SHARED
    assert held(ext, SHARED) == DEPOSIT


def test_an_owner_alone(ext: Externalities) -> None:
    m, b = ext.of(Bank.multisig), ext.of(Bank.balances)
    account = multi_account_id(OWNERS, 1)
    ext.dispatch(b.transfer_allow_death.new(at(account), 5_000), signed(ALICE))
    call = m.as_multi_threshold_1.new(others(CAROL), pay(ext))
    post = ext.dispatch(call, signed(CAROL))
    assert ext.last_event() == b.Transfer(from_=account, to=DAVE, amount=500)
    assert post.actual_weight is None and call.info().weight.ref_time > pay(ext).info().weight.ref_time
    with refused(ext, Token.FundsUnavailable):
        ext.dispatch(m.as_multi_threshold_1.new(others(CAROL), pay(ext, 10**9)), signed(CAROL))
    for wrong, error in ((others(CAROL)[::-1], m.SignatoriesOutOfOrder), ([], m.TooFewSignatories)):
        with refused(ext, error):
            ext.dispatch(m.as_multi_threshold_1.new(wrong, pay(ext)), signed(CAROL))
    with refused(ext, BadOrigin()):
        ext.dispatch(call, ROOT)


def test_used_weights_are_told(ext: Externalities) -> None:
    m, u = ext.of(Bank.multisig), ext.of(Bank.utility)
    call = u.batch.new([pay(ext, 10**9), pay(ext)])  # stops at the first: uses less than declared
    first = ext.dispatch(m.as_multi.new(2, others(ALICE), None, call, MAX), signed(ALICE))
    size = len(call.encode())
    assert first.actual_weight == Weights.as_multi_create(2, size)
    last = ext.dispatch(m.as_multi.new(2, others(BOB), NOW, call, MAX), signed(BOB))
    assert last.actual_weight is not None
    spent = last.actual_weight - Weights.as_multi_complete(2, size)
    assert 0 < spent.ref_time < call.info().weight.ref_time
    alone = m.as_multi_threshold_1.new(others(BOB), call)
    used = ext.dispatch(alone, signed(BOB)).actual_weight
    assert used is not None and used.ref_time < alone.info().weight.ref_time
    failing = m.as_multi_threshold_1.new(others(BOB), u.batch_all.new([pay(ext, 10**9), pay(ext)]))
    with pytest.raises(DispatchError) as caught:
        ext.dispatch(failing, signed(BOB))
    assert caught.value.actual_weight is not None
    assert caught.value.actual_weight.ref_time < failing.info().weight.ref_time


def test_lists_of_signatories(ext: Externalities) -> None:
    m = ext.of(Bank.multisig)
    call = pay(ext)
    many = sorted(bytes((n,)) * 32 for n in range(20, 24))
    cases = [
        (1, others(ALICE), m.MinimumThreshold),
        (0, others(ALICE), m.MinimumThreshold),
        (2, [], m.TooFewSignatories),
        (2, many, m.TooManySignatories),
        (2, others(ALICE)[::-1], m.SignatoriesOutOfOrder),
        (2, [BOB, BOB], m.SignatoriesOutOfOrder),
        (2, [ALICE, BOB], m.SenderInSignatories),
    ]
    for threshold, listed, error in cases:
        for made in (
            m.as_multi.new(threshold, listed, None, call, MAX),
            m.approve_as_multi.new(threshold, listed, None, hash_of(call), ZERO),
            m.cancel_as_multi.new(threshold, listed, NOW, hash_of(call)),
            m.poke_deposit.new(threshold, listed, hash_of(call)),
        ):
            with refused(ext, error):
                ext.dispatch(made, signed(ALICE))
    for made in (
        m.as_multi.new(2, others(ALICE), None, call, MAX),
        m.approve_as_multi.new(2, others(ALICE), None, hash_of(call), ZERO),
        m.cancel_as_multi.new(2, others(ALICE), NOW, hash_of(call)),
        m.poke_deposit.new(2, others(ALICE), hash_of(call)),
    ):
        with refused(ext, BadOrigin()):
            ext.dispatch(made, ROOT)


def test_timepoints(ext: Externalities) -> None:
    m = ext.of(Bank.multisig)
    call = pay(ext)
    with refused(ext, m.UnexpectedTimepoint):
        approve(ext, ALICE, call, NOW)
    approve(ext, ALICE, call, None)
    with refused(ext, m.NoTimepoint):
        approve(ext, BOB, call, None)
    with refused(ext, m.WrongTimepoint):
        approve(ext, BOB, call, Timepoint(height=1, index=1))
    with refused(ext, m.AlreadyApproved):
        approve(ext, ALICE, call, NOW)


def test_a_call_heavier_than_said(ext: Externalities) -> None:
    m = ext.of(Bank.multisig)
    call = pay(ext)
    approve(ext, ALICE, call, None)
    with refused(ext, m.MaxWeightTooLow):
        ext.dispatch(m.as_multi.new(2, others(BOB), NOW, call, weight(1)), signed(BOB))
    ext.dispatch(m.as_multi.new(2, others(BOB), NOW, call, call.info().weight), signed(BOB))


def test_who_cannot_pay_the_deposit_opens_nothing(ext: Externalities) -> None:
    poor = sorted([DAVE, ALICE])
    made = ext.of(Bank.multisig).as_multi.new(2, [ALICE], None, pay(ext), MAX)
    assert poor and ENDOWED[DAVE] < DEPOSIT + 1_000
    with refused(ext, Token.FundsUnavailable):
        ext.dispatch(made, signed(DAVE))
    with refused(ext, Token.CannotCreateHold):
        ext.dispatch(made, signed(EVE))


def test_calling_off(ext: Externalities) -> None:
    m = ext.of(Bank.multisig)
    call = pay(ext)
    off = lambda who, when=NOW: m.cancel_as_multi.new(2, others(who), when, hash_of(call))  # noqa: E731
    with refused(ext, m.NotFound):
        ext.dispatch(off(ALICE), signed(ALICE))
    approve(ext, ALICE, call, None)
    with refused(ext, m.NotOwner):
        ext.dispatch(off(BOB), signed(BOB))
    with refused(ext, m.WrongTimepoint):
        ext.dispatch(off(ALICE, Timepoint(height=0, index=0)), signed(ALICE))
    ext.dispatch(off(ALICE), signed(ALICE))
    assert ext.last_event() == m.MultisigCancelled(
        cancelling=ALICE, timepoint=NOW, multisig=SHARED, call_hash=hash_of(call)
    )
    assert held(ext, ALICE) == 0 and list(m.multisigs.items()) == []


def test_a_deposit_follows_the_rates(ext: Externalities) -> None:
    m, b = ext.of(Bank.multisig), ext.of(Bank.balances)
    call = pay(ext)
    poke = m.poke_deposit.new(2, others(ALICE), hash_of(call))
    with refused(ext, m.NotFound):
        ext.dispatch(poke, signed(ALICE))
    approve(ext, ALICE, call, None)
    with refused(ext, m.NotOwner):
        ext.dispatch(m.poke_deposit.new(2, others(BOB), hash_of(call)), signed(BOB))
    assert ext.dispatch(poke, signed(ALICE)).pays == Pays.Yes
    reason = m.reason(m.HoldReason.Deposit)
    for old in (DEPOSIT - 7, DEPOSIT + 7):  # taken when rates were others
        operation = m.multisigs[SHARED, hash_of(call)]
        m.multisigs[SHARED, hash_of(call)] = replace(operation, deposit=old)
        if old < DEPOSIT:
            b.release(reason, ALICE, DEPOSIT - old)
        else:
            b.hold(reason, ALICE, old - DEPOSIT)
        assert ext.dispatch(poke, signed(ALICE)).pays == Pays.No
        assert ext.last_event() == m.DepositPoked(
            who=ALICE, call_hash=hash_of(call), old_deposit=old, new_deposit=DEPOSIT
        )
        assert held(ext, ALICE) == DEPOSIT


def test_calls_events_and_errors_stand_where_substrate_has_them() -> None:
    declared = Multisig.declaration
    assert [c.name for c in declared.calls] == [
        "as_multi_threshold_1", "as_multi", "approve_as_multi", "cancel_as_multi", "poke_deposit",
    ]  # fmt: skip
    assert [e.__name__ for e in declared.events] == [
        "NewMultisig", "MultisigApproval", "MultisigExecuted", "MultisigCancelled", "DepositPoked",
    ]  # fmt: skip
    errors = (
        "MinimumThreshold AlreadyApproved NoApprovalsNeeded TooFewSignatories TooManySignatories "
        "SignatoriesOutOfOrder SenderInSignatories NotFound NotOwner NoTimepoint WrongTimepoint "
        "UnexpectedTimepoint MaxWeightTooLow AlreadyStored"
    )
    assert " ".join(e.__name__ for e in declared.errors) == errors


def test_the_state_is_checked(ext: Externalities) -> None:
    m = ext.of(Bank.multisig)
    call = pay(ext)
    approve(ext, ALICE, call, None)
    good = m.multisigs[SHARED, hash_of(call)]
    for wrong, message in (
        ({"approvals": [CAROL, ALICE]}, "approvals out of order"),
        ({"approvals": [BOB]}, "its depositor has not approved"),
        ({"when": Timepoint(height=9, index=0)}, "began in the future"),
        ({"approvals": sorted([ALICE, *(bytes((n,)) * 32 for n in range(20, 24))])}, "too many approvals"),
    ):
        m.multisigs[SHARED, hash_of(call)] = replace(good, **wrong)
        with pytest.raises(AssertionError, match=message):
            m.try_state()
    m.multisigs[SHARED, hash_of(call)] = good
