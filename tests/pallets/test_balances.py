"""Every call of the pallet balances: what it does, each way it fails, its weight and its events."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from frame import (
    Arithmetic,
    ArithmeticFailure,
    BadOrigin,
    CannotLookup,
    ConsumerRemaining,
    NoProviders,
    Pays,
    RuntimeCall,
    Token,
)
from frame.accounts import NEW_LOGIC, AccountData
from frame.testing import Externalities
from pallets.balances.types import AdjustmentDirection, BalanceLock, Reasons
from pallets.balances.weights import Weights
from primitives.extrinsic import MultiAddress
from primitives.scale import replace
from tests.pallets.money import (
    ALICE,
    BOB,
    BOND,
    CAROL,
    DAVE,
    ED,
    ENDOWED,
    EVE,
    RENT,
    ROOT,
    STAKE,
    VOTE,
    Bank,
    at,
    bank,
    refused,
    signed,
)

TOTAL = sum(ENDOWED.values())
MAX = (1 << 128) - 1


@pytest.fixture
def ext() -> Iterator[Externalities]:
    """A fresh chain, whose state must be sound after the test."""
    chain = bank()
    yield chain
    chain.try_state()


def free(ext: Externalities, who: bytes) -> int:
    return ext.of(Bank.balances).free_balance(who)


# -- transfers --------------------------------------------


def test_transfer_to_an_existing_account(ext: Externalities) -> None:
    b = ext.of(Bank.balances)
    ext.dispatch(b.transfer_allow_death.new(at(BOB), 100), signed(ALICE))
    assert (free(ext, ALICE), free(ext, BOB)) == (ENDOWED[ALICE] - 100, ENDOWED[BOB] + 100)
    assert ext.events() == [b.Transfer(from_=ALICE, to=BOB, amount=100)]


def test_transfer_creates_an_account(ext: Externalities) -> None:
    b, system = ext.of(Bank.balances), ext.of(Bank.system)
    ext.dispatch(b.transfer_allow_death.new(at(EVE), ED), signed(ALICE))
    assert ext.events() == [
        system.NewAccount(account=EVE),
        b.Endowed(account=EVE, free_balance=ED),
        b.Transfer(from_=ALICE, to=EVE, amount=ED),
    ]
    assert system.providers(EVE) == 1 and system.account(EVE).data.flags == NEW_LOGIC


def test_transfer_reaps_the_sender_and_burns_its_dust(ext: Externalities) -> None:
    b, system = ext.of(Bank.balances), ext.of(Bank.system)
    ext.dispatch(b.transfer_allow_death.new(at(BOB), 1), signed(DAVE))
    assert ext.events() == [
        system.KilledAccount(account=DAVE),
        b.DustLost(account=DAVE, amount=ED - 1),
        b.Transfer(from_=DAVE, to=BOB, amount=1),
    ]
    assert not system.account_exists(DAVE) and b.total_issuance() == TOTAL - (ED - 1)


def test_transfer_of_everything_leaves_no_dust(ext: Externalities) -> None:
    b = ext.of(Bank.balances)
    ext.dispatch(b.transfer_allow_death.new(at(BOB), ED), signed(DAVE))
    assert b.total_issuance() == TOTAL and b.DustLost not in [type(e) for e in ext.events()]


def test_what_stays_beside_held_money_is_no_dust(ext: Externalities) -> None:
    b, system = ext.of(Bank.balances), ext.of(Bank.system)
    system.inc_providers(CAROL)  # something else keeps the account, so nearly all may leave it
    b.hold(BOND, CAROL, ED)
    ext.dispatch(b.transfer_allow_death.new(at(BOB), free(ext, CAROL) - 1), signed(CAROL))
    assert free(ext, CAROL) == 1 and b.total_issuance() == TOTAL
    b.release(BOND, CAROL, ED)
    assert free(ext, CAROL) == ED + 1


def test_transfer_to_oneself_and_of_nothing(ext: Externalities) -> None:
    b = ext.of(Bank.balances)
    ext.dispatch(b.transfer_allow_death.new(at(ALICE), 100), signed(ALICE))
    assert ext.events() == [] and free(ext, ALICE) == ENDOWED[ALICE]
    with refused(ext, Token.FundsUnavailable):
        ext.dispatch(b.transfer_allow_death.new(at(ALICE), ENDOWED[ALICE] + 1), signed(ALICE))
    ext.dispatch(b.transfer_allow_death.new(at(EVE), 0), signed(ALICE))
    assert not ext.of(Bank.system).account_exists(EVE)


@pytest.mark.parametrize("name", ["transfer_allow_death", "transfer_keep_alive"])
def test_transfers_refuse(ext: Externalities, name: str) -> None:
    b = ext.of(Bank.balances)
    transfer = getattr(b, name).new
    with refused(ext, Token.FundsUnavailable):
        ext.dispatch(transfer(at(BOB), ENDOWED[ALICE] + 1), signed(ALICE))
    with refused(ext, Token.FundsUnavailable):
        ext.dispatch(transfer(at(BOB), 1), signed(EVE))
    with refused(ext, Token.BelowMinimum):
        ext.dispatch(transfer(at(EVE), ED - 1), signed(ALICE))
    for origin in (ROOT, ROOT.NONE):
        with refused(ext, BadOrigin()):
            ext.dispatch(transfer(at(BOB), 1), origin)
    for address in (
        MultiAddress.Index(value=0),
        MultiAddress.Raw(value=BOB),
        MultiAddress.Address32(value=BOB),
        MultiAddress.Address20(value=BOB[:20]),
    ):
        with refused(ext, CannotLookup()):
            ext.dispatch(transfer(address, 1), signed(ALICE))


def test_transfer_overflow(ext: Externalities) -> None:
    b = ext.of(Bank.balances)
    ext.dispatch(b.force_set_balance.new(at(BOB), MAX - TOTAL), ROOT)
    ext.dispatch(b.force_set_balance.new(at(EVE), ENDOWED[BOB]), ROOT)
    with refused(ext, ArithmeticFailure(Arithmetic.Overflow)):
        b.mint_into(EVE, TOTAL)


def test_keep_alive(ext: Externalities) -> None:
    b = ext.of(Bank.balances)
    with refused(ext, Token.NotExpendable):
        ext.dispatch(b.transfer_keep_alive.new(at(BOB), 1), signed(DAVE))
    ext.dispatch(b.transfer_keep_alive.new(at(BOB), ENDOWED[CAROL] - ED), signed(CAROL))
    assert free(ext, CAROL) == ED


def test_a_needed_account_cannot_go(ext: Externalities) -> None:
    b = ext.of(Bank.balances)
    b.hold(RENT, CAROL, 10_000)
    ext.clear_events()
    with refused(ext, Token.Frozen):  # the deposit cannot be touched: the account is consumed
        ext.dispatch(b.transfer_allow_death.new(at(BOB), 40_000), signed(CAROL))
    ext.dispatch(b.transfer_allow_death.new(at(BOB), 39_000), signed(CAROL))
    assert free(ext, CAROL) == ED and b.held(RENT, CAROL) == 10_000


def test_force_transfer(ext: Externalities) -> None:
    b = ext.of(Bank.balances)
    ext.dispatch(b.force_transfer.new(at(BOB), at(CAROL), 5), ROOT)
    assert ext.events() == [b.Transfer(from_=BOB, to=CAROL, amount=5)]
    with refused(ext, BadOrigin()):
        ext.dispatch(b.force_transfer.new(at(BOB), at(CAROL), 5), signed(BOB))
    with refused(ext, Token.FundsUnavailable):
        ext.dispatch(b.force_transfer.new(at(EVE), at(CAROL), 5), ROOT)
    with refused(ext, CannotLookup()):
        ext.dispatch(b.force_transfer.new(MultiAddress.Index(value=1), at(CAROL), 5), ROOT)


def test_transfer_all(ext: Externalities) -> None:
    b, system = ext.of(Bank.balances), ext.of(Bank.system)
    ext.dispatch(b.transfer_all.new(at(BOB), True), signed(CAROL))
    assert free(ext, CAROL) == ED
    ext.dispatch(b.transfer_all.new(at(BOB), False), signed(CAROL))
    assert not system.account_exists(CAROL) and free(ext, BOB) == ENDOWED[BOB] + ENDOWED[CAROL]
    b.set_freeze(VOTE, ALICE, 400_000)
    ext.dispatch(b.transfer_all.new(at(BOB), False), signed(ALICE))
    assert free(ext, ALICE) == 400_000
    with refused(ext, BadOrigin()):
        ext.dispatch(b.transfer_all.new(at(BOB), False), ROOT)
    with refused(ext, CannotLookup()):
        ext.dispatch(b.transfer_all.new(MultiAddress.Index(value=1), False), signed(ALICE))


# -- root's calls --------------------------------------------


def test_force_set_balance(ext: Externalities) -> None:
    b, system = ext.of(Bank.balances), ext.of(Bank.system)
    ext.dispatch(b.force_set_balance.new(at(EVE), 7_000), ROOT)
    assert free(ext, EVE) == 7_000 and b.total_issuance() == TOTAL + 7_000
    assert ext.last_event() == b.BalanceSet(who=EVE, free=7_000)
    ext.dispatch(b.force_set_balance.new(at(EVE), ED), ROOT)
    assert free(ext, EVE) == ED and b.total_issuance() == TOTAL + ED
    ext.dispatch(b.force_set_balance.new(at(EVE), ED - 1), ROOT)
    assert not system.account_exists(EVE) and b.total_issuance() == TOTAL
    assert ext.last_event() == b.BalanceSet(who=EVE, free=0)
    assert not any(isinstance(event, b.DustLost) for event in ext.events())
    with refused(ext, BadOrigin()):
        ext.dispatch(b.force_set_balance.new(at(EVE), 7_000), signed(ALICE))
    with refused(ext, CannotLookup()):
        ext.dispatch(b.force_set_balance.new(MultiAddress.Index(value=1), 7_000), ROOT)
    with refused(ext, ArithmeticFailure(Arithmetic.Overflow)):
        ext.dispatch(b.force_set_balance.new(at(EVE), MAX), ROOT)


def test_force_set_balance_cannot_reap_who_is_needed(ext: Externalities) -> None:
    b = ext.of(Bank.balances)
    b.hold(RENT, BOB, 100)
    with refused(ext, ConsumerRemaining()):
        ext.dispatch(b.force_set_balance.new(at(BOB), 0), ROOT)


def test_force_unreserve_leaves_holds_alone(ext: Externalities) -> None:
    b, system = ext.of(Bank.balances), ext.of(Bank.system)
    b.hold(RENT, BOB, 100)
    ext.clear_events()
    ext.dispatch(b.force_unreserve.new(at(BOB), 100), ROOT)
    assert b.held(RENT, BOB) == 100 and ext.events() == []
    data = system.account(BOB).data
    system.set_account_data(BOB, replace(data, free=data.free - 50, reserved=data.reserved + 50))
    ext.dispatch(b.force_unreserve.new(at(BOB), 1_000), ROOT)
    assert ext.events() == [b.Unreserved(who=BOB, amount=50)] and system.account(BOB).data == data
    with refused(ext, BadOrigin()):
        ext.dispatch(b.force_unreserve.new(at(BOB), 1), signed(BOB))


def test_upgrade_accounts(ext: Externalities) -> None:
    b, system = ext.of(Bank.balances), ext.of(Bank.system)
    for who in (BOB, CAROL):
        system.set_account_data(who, replace(system.account(who).data, flags=0))
    post = ext.dispatch(b.upgrade_accounts.new([BOB, CAROL]), signed(ALICE))
    assert post.pays == Pays.No and ext.events() == [b.Upgraded(who=BOB), b.Upgraded(who=CAROL)]
    assert ext.dispatch(b.upgrade_accounts.new([BOB, EVE]), signed(ALICE)).pays == Pays.Yes
    assert ext.dispatch(b.upgrade_accounts.new([]), signed(ALICE)).pays == Pays.Yes
    with refused(ext, BadOrigin()):
        ext.dispatch(b.upgrade_accounts.new([BOB]), ROOT)


def test_force_adjust_total_issuance(ext: Externalities) -> None:
    b = ext.of(Bank.balances)
    ext.dispatch(b.force_adjust_total_issuance.new(AdjustmentDirection.Increase, 5), ROOT)
    assert ext.last_event() == b.TotalIssuanceForced(old=TOTAL, new=TOTAL + 5)
    ext.dispatch(b.force_adjust_total_issuance.new(AdjustmentDirection.Decrease, 5), ROOT)
    assert b.total_issuance() == TOTAL
    with refused(ext, b.DeltaZero):
        ext.dispatch(b.force_adjust_total_issuance.new(AdjustmentDirection.Increase, 0), ROOT)
    with refused(ext, BadOrigin()):
        ext.dispatch(b.force_adjust_total_issuance.new(AdjustmentDirection.Increase, 1), signed(ALICE))
    b.inactive_issuance.put(10)
    with refused(ext, b.IssuanceDeactivated):
        ext.dispatch(b.force_adjust_total_issuance.new(AdjustmentDirection.Decrease, TOTAL), ROOT)


def test_burn(ext: Externalities) -> None:
    b = ext.of(Bank.balances)
    ext.dispatch(b.burn.new(300, True), signed(ALICE))
    assert ext.events() == [b.Burned(who=ALICE, amount=300)] and b.total_issuance() == TOTAL - 300
    with refused(ext, Token.FundsUnavailable):
        ext.dispatch(b.burn.new(1, True), signed(DAVE))
    with refused(ext, Token.FundsUnavailable):
        ext.dispatch(b.burn.new(ED + 1, False), signed(DAVE))
    ext.dispatch(b.burn.new(1, False), signed(DAVE))
    assert free(ext, DAVE) == 0 and b.total_issuance() == TOTAL - 300 - ED
    with refused(ext, BadOrigin()):
        ext.dispatch(b.burn.new(1, False), ROOT)


def test_weights(ext: Externalities) -> None:
    b = ext.of(Bank.balances)
    expected: list[tuple[RuntimeCall, object]] = [
        (b.transfer_allow_death.new(at(BOB), 1), Weights.transfer_allow_death()),
        (b.force_transfer.new(at(BOB), at(BOB), 1), Weights.force_transfer()),
        (b.transfer_keep_alive.new(at(BOB), 1), Weights.transfer_keep_alive()),
        (b.transfer_all.new(at(BOB), True), Weights.transfer_all()),
        (b.force_unreserve.new(at(BOB), 1), Weights.force_unreserve()),
        (b.upgrade_accounts.new([BOB] * 3), Weights.upgrade_accounts(3)),
        (
            b.force_set_balance.new(at(BOB), 1),
            Weights.force_set_balance_creating().max(Weights.force_set_balance_killing()),
        ),
        (
            b.force_adjust_total_issuance.new(AdjustmentDirection.Increase, 1),
            Weights.force_adjust_total_issuance(),
        ),
        (b.burn.new(1, True), Weights.burn_keep_alive()),
        (b.burn.new(1, False), Weights.burn_allow_death()),
    ]
    for call, weight in expected:
        assert call.info().weight == weight and weight.ref_time > 0, call.name  # type: ignore[attr-defined]


def test_calls_have_the_bytes_of_substrate(ext: Externalities) -> None:
    b = ext.of(Bank.balances)
    assert b.transfer_allow_death.new(at(BOB), 1).encode().hex() == "020000" + "02" * 32 + "04"
    assert b.transfer_keep_alive.new(at(BOB), 1).encode().hex() == "020300" + "02" * 32 + "04"
    assert b.transfer_all.new(at(BOB), True).encode().hex() == "020400" + "02" * 32 + "01"
    assert b.force_set_balance.new(at(BOB), 1).encode().hex() == "020800" + "02" * 32 + "04"
    assert b.burn.new(1, False).encode().hex() == "020a0400"


# -- holds --------------------------------------------


def test_hold_and_release(ext: Externalities) -> None:
    b, system = ext.of(Bank.balances), ext.of(Bank.system)
    b.hold(RENT, BOB, 1_000)
    b.hold(BOND, BOB, 200)
    b.hold(RENT, BOB, 1)
    assert (b.held(RENT, BOB), b.held(BOND, BOB)) == (1_001, 200)
    assert b.free_balance(BOB) == ENDOWED[BOB] - 1_201 and b.total_balance(BOB) == ENDOWED[BOB]
    assert system.consumers(BOB) == 1
    assert ext.events()[0] == b.Held(reason=RENT, who=BOB, amount=1_000)
    assert b.release(RENT, BOB, 1_001) == 1_001
    assert ext.last_event() == b.Released(reason=RENT, who=BOB, amount=1_001)
    with refused(ext, Token.FundsUnavailable):
        b.release(BOND, BOB, 201)
    assert b.release(BOND, BOB, 500, exact=False) == 200
    assert system.consumers(BOB) == 0 and BOB not in b.holds
    assert b.release(BOND, BOB, 5, exact=False) == 0


def test_hold_keeps_the_existential_deposit_free(ext: Externalities) -> None:
    b = ext.of(Bank.balances)
    most = ENDOWED[CAROL] - ED
    assert b.can_hold(RENT, CAROL, most) and not b.can_hold(RENT, CAROL, most + 1)
    with refused(ext, Token.FundsUnavailable):
        b.hold(RENT, CAROL, most + 1)
    b.hold(RENT, CAROL, most)
    assert free(ext, CAROL) == ED
    with refused(ext, Token.CannotCreateHold):
        b.hold(RENT, EVE, 1)
    assert not b.can_hold(RENT, EVE, 1)


def test_frozen_money_can_be_held_and_held_money_counts_as_frozen(ext: Externalities) -> None:
    b = ext.of(Bank.balances)
    b.set_freeze(VOTE, CAROL, 40_000)
    b.hold(RENT, CAROL, 30_000)
    assert b.reducible_balance(CAROL, keep_alive=True) == 10_000
    with refused(ext, Token.Frozen):
        b.transfer(CAROL, BOB, 10_001, keep_alive=False)
    b.transfer(CAROL, BOB, 10_000, keep_alive=False)
    assert b.burn_held(RENT, CAROL, 30_000) == 30_000, "frozen money settles too"


def test_transfer_on_hold(ext: Externalities) -> None:
    b, system = ext.of(Bank.balances), ext.of(Bank.system)
    b.hold(RENT, BOB, 10_000)
    assert b.transfer_on_hold(RENT, BOB, CAROL, 4_000) == 4_000
    assert free(ext, CAROL) == ENDOWED[CAROL] + 4_000 and b.held(RENT, BOB) == 6_000
    assert ext.last_event() == b.TransferOnHold(reason=RENT, source=BOB, dest=CAROL, amount=4_000)
    b.transfer_on_hold(RENT, BOB, CAROL, 1_000, on_hold=True)
    assert b.held(RENT, CAROL) == 1_000 and system.consumers(CAROL) == 1
    b.transfer_on_hold(RENT, BOB, EVE, ED)
    assert free(ext, EVE) == ED, "the money of a settled job revives a reaped provider"
    with refused(ext, Token.FundsUnavailable):
        b.transfer_on_hold(RENT, BOB, CAROL, 4_001)
    ext.dispatch(b.transfer_all.new(at(ALICE), False), signed(EVE))
    with refused(ext, Token.BelowMinimum):
        b.transfer_on_hold(RENT, BOB, EVE, ED - 1)
    with refused(ext, Token.CannotCreateHold):
        b.transfer_on_hold(RENT, BOB, EVE, ED, on_hold=True)
    assert b.transfer_on_hold(RENT, BOB, BOB, 4_000) == 4_000
    assert b.held(RENT, BOB) == 0 and system.consumers(BOB) == 0


def test_burn_held(ext: Externalities) -> None:
    b = ext.of(Bank.balances)
    b.hold(BOND, BOB, 10_000)
    assert b.burn_held(BOND, BOB, 3_000) == 3_000
    assert b.total_issuance() == TOTAL - 3_000 and b.held(BOND, BOB) == 7_000
    assert ext.last_event() == b.BurnedHeld(reason=BOND, who=BOB, amount=3_000)
    with refused(ext, Token.FundsUnavailable):
        b.burn_held(BOND, BOB, 7_001)


def test_an_account_with_sixteen_consumers_takes_no_first_hold(ext: Externalities) -> None:
    b, system = ext.of(Bank.balances), ext.of(Bank.system)
    for _ in range(16):
        system.inc_consumers(BOB)
    assert not b.can_hold(RENT, BOB, 1)
    with refused(ext, Token.CannotCreateHold):
        b.hold(RENT, BOB, 1)


# -- freezes and locks --------------------------------------------


def test_freezes_are_extended_raised_and_lowered(ext: Externalities) -> None:
    b = ext.of(Bank.balances)
    all_of_it = ENDOWED[BOB]
    assert b.freezable(BOB) == all_of_it
    b.extend_freeze(VOTE, BOB, 300)
    b.extend_freeze(VOTE, BOB, 200)
    b.extend_freeze(STAKE, BOB, 0)
    assert b.frozen(VOTE, BOB) == 300 and b.frozen(STAKE, BOB) == 0
    b.ensure_frozen(VOTE, BOB, 400)
    b.increase_frozen(VOTE, BOB, 100)
    b.decrease_frozen(VOTE, BOB, 150)
    assert b.frozen(VOTE, BOB) == 350 == ext.of(Bank.system).account(BOB).data.frozen
    b.set_frozen(STAKE, BOB, all_of_it)
    assert ext.events() == [
        b.Frozen(who=BOB, amount=300),
        b.Frozen(who=BOB, amount=100),
        b.Frozen(who=BOB, amount=100),
        b.Thawed(who=BOB, amount=150),
        b.Frozen(who=BOB, amount=all_of_it - 350),
    ]
    for more in (b.set_frozen, b.ensure_frozen):
        with refused(ext, Token.FundsUnavailable):
            more(VOTE, BOB, all_of_it + 1)
    with refused(ext, Token.FundsUnavailable):
        b.increase_frozen(STAKE, BOB, 1)
    with refused(ext, ArithmeticFailure(Arithmetic.Underflow)):
        b.decrease_frozen(VOTE, BOB, 351)
    b.set_freeze(VOTE, BOB, (1 << 128) - 1)  # more than there is
    with refused(ext, ArithmeticFailure(Arithmetic.Overflow)):
        b.increase_frozen(VOTE, BOB, 1)
    with refused(ext, Token.Frozen):
        ext.dispatch(b.transfer_allow_death.new(at(ALICE), 1), signed(BOB))


def test_a_freeze_keeps_its_place_and_counts(ext: Externalities) -> None:
    b = ext.of(Bank.balances)
    for n in range(8):
        assert b.can_freeze(bytes((9, n)), BOB)
        b.set_freeze(bytes((9, n)), BOB, n + 1)
    assert b.can_freeze(VOTE, BOB) and not b.can_freeze(b"\x09\x63", BOB)
    b.set_freeze(STAKE, BOB, 50)
    assert [freeze.amount for freeze in b.freezes[BOB]] == [1, 50, 3, 4, 5, 6, 7, 8]


def test_locks_and_freezes_overlap(ext: Externalities) -> None:
    b, system = ext.of(Bank.balances), ext.of(Bank.system)
    b.set_lock(b"staking ", BOB, 500)
    b.set_freeze(VOTE, BOB, 300)
    b.extend_lock(b"staking ", BOB, 400, Reasons.Fee)
    assert system.account(BOB).data.frozen == 500 and system.consumers(BOB) == 1
    b.set_freeze(VOTE, BOB, 600)
    b.remove_lock(b"staking ", BOB)
    b.set_lock(b"vesting ", BOB, 700, Reasons.Misc)
    b.extend_lock(b"vesting ", BOB, 750, Reasons.Fee)
    assert b.locks[BOB] == [BalanceLock(id=b"vesting ", amount=750, reasons=Reasons.All)]
    b.thaw(VOTE, BOB)
    b.set_lock(b"vesting ", BOB, 0)
    assert ext.events() == [
        b.Locked(who=BOB, amount=500),
        b.Frozen(who=BOB, amount=100),
        b.Locked(who=BOB, amount=100),
        b.Locked(who=BOB, amount=50),
        b.Unlocked(who=BOB, amount=750),
    ]
    assert BOB not in b.locks and BOB not in b.freezes and system.consumers(BOB) == 0
    for n in range(50):
        b.set_lock(bytes((n,)) * 8, BOB, 1)
    with refused(ext, b.LiquidityRestrictions):
        b.set_lock(b"too many", BOB, 1)
    b.set_lock(bytes(8), BOB, 2)


# -- minting, fees, genesis --------------------------------------------


def test_freezes(ext: Externalities) -> None:
    b, system = ext.of(Bank.balances), ext.of(Bank.system)
    b.set_freeze(VOTE, BOB, 100)
    b.set_freeze(STAKE, BOB, 300)
    assert system.account(BOB).data.frozen == 300 and b.frozen(VOTE, BOB) == 100
    b.thaw(STAKE, BOB)
    b.thaw(VOTE, BOB)
    assert ext.events() == [
        b.Frozen(who=BOB, amount=100),
        b.Frozen(who=BOB, amount=200),
        b.Thawed(who=BOB, amount=200),
        b.Thawed(who=BOB, amount=100),
    ]
    assert BOB not in b.freezes and system.consumers(BOB) == 0
    for n in range(8):
        b.set_freeze(bytes((9, n)), BOB, 1)
    with refused(ext, b.TooManyFreezes):
        b.set_freeze(b"\x09\x63", BOB, 1)
    with refused(ext, NoProviders()):
        b.set_freeze(VOTE, EVE, 1)


def test_mint_and_burn(ext: Externalities) -> None:
    b = ext.of(Bank.balances)
    b.mint_into(EVE, ED)
    assert ext.last_event() == b.Minted(who=EVE, amount=ED) and b.total_issuance() == TOTAL + ED
    with refused(ext, Token.FundsUnavailable):
        b.burn_from(EVE, ED + 1)
    b.burn_from(EVE, ED)
    assert ext.last_event() == b.Burned(who=EVE, amount=ED) and b.total_issuance() == TOTAL
    with refused(ext, Token.BelowMinimum):
        b.mint_into(EVE, ED - 1)
    with refused(ext, ArithmeticFailure(Arithmetic.Overflow)):
        b.mint_into(BOB, MAX)


def test_fees_leave_the_account_alive(ext: Externalities) -> None:
    b = ext.of(Bank.balances)
    b.withdraw_fee(CAROL, ENDOWED[CAROL] - ED)
    assert ext.events() == [b.Withdraw(who=CAROL, amount=ENDOWED[CAROL] - ED)]
    assert b.total_issuance() == TOTAL - (ENDOWED[CAROL] - ED)
    with refused(ext, Token.FundsUnavailable):
        b.withdraw_fee(CAROL, 1)
    b.deposit_fee(CAROL, 10)
    assert ext.last_event() == b.Deposit(who=CAROL, amount=10)
    b.deposit_fee(CAROL, 0)
    assert ext.last_event() == b.Deposit(who=CAROL, amount=10)


def test_genesis(ext: Externalities) -> None:
    b, system = ext.of(Bank.balances), ext.of(Bank.system)
    assert b.total_issuance() == TOTAL and system.providers(ALICE) == 1
    assert system.account(DAVE).data == AccountData(free=ED, reserved=0, frozen=0, flags=NEW_LOGIC)
    assert b.minimum_balance() == ED
    for wrong in ([(EVE, ED - 1)], [(ALICE, ED)]):
        with pytest.raises(ValueError, match=r"below the existential deposit|two balances"):
            b.build_genesis(b.Genesis(balances=wrong))


def test_try_state_notices() -> None:
    ext = bank()
    b = ext.of(Bank.balances)
    b.total_issuance_value.put(1)
    with pytest.raises(AssertionError, match="issued"):
        ext.try_state()


def test_the_declaration_is_substrates() -> None:
    declared = Bank.balances.declaration
    assert " ".join(event.__name__ for event in declared.events[:22]) == (
        "Endowed DustLost Transfer BalanceSet Reserved Unreserved ReserveRepatriated Deposit Withdraw "
        "Slashed Minted Burned Suspended Restored Upgraded Issued Rescinded Locked Unlocked Frozen Thawed "
        "TotalIssuanceForced"
    )
    assert " ".join(error.__name__ for error in declared.errors) == (
        "VestingBalance LiquidityRestrictions InsufficientBalance ExistentialDeposit Expendability "
        "ExistingVestingSchedule DeadAccount TooManyReserves TooManyHolds TooManyFreezes "
        "IssuanceDeactivated DeltaZero"
    )
    assert {c.name: c.index for c in declared.calls} == {
        "transfer_allow_death": 0,
        "force_transfer": 2,
        "transfer_keep_alive": 3,
        "transfer_all": 4,
        "force_unreserve": 5,
        "upgrade_accounts": 6,
        "force_set_balance": 8,
        "force_adjust_total_issuance": 9,
        "burn": 10,
    }
    assert [item.name for item in declared.storage] == [
        "TotalIssuance",
        "InactiveIssuance",
        "Locks",
        "Reserves",
        "Holds",
        "Freezes",
    ]
