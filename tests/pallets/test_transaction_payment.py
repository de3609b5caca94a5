"""Fees: the multiplier, what a transaction costs, taking it, giving back."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frame import DispatchClass, DispatchInfo, Pays, PostInfo, Token
from frame.extensions import standard
from frame.runtime import Runtime
from frame.testing import Chain, Externalities, externalities, sign
from frame.transaction import Invalid, InvalidTransaction
from frame.weights import weight
from pallets.balances import Balances
from pallets.system import System
from pallets.transaction_payment import Adjustment, TransactionPayment
from pallets.transaction_payment.multiplier import MAX, ONE, times
from primitives.keys import Keypair
from tests.pallets.money import ALICE, BOB, CAROL, Bank, at, bank, refused

MOST = weight(10**12, 5 * 2**20)
GRIST = 10**12
KEY = Keypair.from_uri("//Alice")
PURSE = b"\x77" * 32
GENESIS = {"balances": Balances.Genesis(balances=[(KEY.account_id, GRIST), (BOB, GRIST), (PURSE, 1_000)])}


# -- the multiplier --------------------------------------------


@given(
    previous=st.integers(ONE // 10**6, 10**6 * ONE),
    time=st.integers(0, 2 * MOST.ref_time),
    proof=st.integers(0, 2 * MOST.proof_size),
)
def test_the_multiplier_follows_the_formula(previous: int, time: int, proof: int) -> None:
    """Against the formula in exact fractions: the rounding of each step loses less than 10⁻¹²."""
    rule = Adjustment()
    used = weight(time, proof).min(MOST)
    fullness = max(Fraction(used.ref_time, MOST.ref_time), Fraction(used.proof_size, MOST.proof_size))
    v, d = Fraction(1, 100_000), abs(fullness - Fraction(1, 4))
    change = v * d + (v * d) ** 2 / 2 if fullness >= Fraction(1, 4) else -(v * d - (v * d) ** 2 / 2)
    exact = Fraction(previous, ONE) * (1 + change)
    found = Fraction(rule.next(previous, weight(time, proof), MOST), ONE)
    assert abs(found - exact) <= exact * Fraction(1, 10**11)


def test_the_multiplier_rests_at_the_target_and_stays_in_its_bounds() -> None:
    rule = Adjustment(minimum=ONE // 2, maximum=2 * ONE)
    quarter = weight(MOST.ref_time // 4, 0)
    assert rule.next(ONE, quarter, MOST) == ONE
    assert rule.next(ONE, weight(0), MOST) < ONE < rule.next(ONE, MOST, MOST)
    assert rule.next(ONE // 2, weight(0), MOST) == ONE // 2
    assert rule.next(2 * ONE, MOST, MOST) == 2 * ONE
    assert rule.next(1, quarter, MOST) == ONE // 2, "a value below the minimum recovers"
    assert Adjustment().next(MAX, MOST, MOST) == MAX


def test_golden_multipliers() -> None:
    """Full and empty blocks by hand: v·d = 7.5·10⁻⁶ and 2.5·10⁻⁶."""
    assert Adjustment().next(ONE, MOST, MOST) == ONE + 7_500_000_000_000 + 28_125_000
    assert Adjustment().next(ONE, weight(0), MOST) == ONE - 2_500_000_000_000 + 3_125_000
    assert times(ONE // 3, 10) == 3 and times(MAX, MAX) == MAX


def test_an_empty_block_makes_weight_cheaper() -> None:
    ext = bank()
    payment = ext.of(Bank.transaction_payment)
    assert payment.multiplier() == ONE
    ext.next_block()
    assert ONE - 2_600_000_000_000 < payment.multiplier() < ONE
    payment.integrity_test()


# -- how much --------------------------------------------


def info(ref_time: int, kind: DispatchClass = DispatchClass.Normal, pays: Pays = Pays.Yes) -> DispatchInfo:
    return DispatchInfo(weight(ref_time, 1000), kind, pays)


def test_the_fee_has_its_parts() -> None:
    ext = bank()
    payment = ext.of(Bank.transaction_payment)
    base = ext.of(Bank.system).block_weights().of(DispatchClass.Normal).base_extrinsic.ref_time
    payment.next_fee_multiplier.put(type(payment.next_fee_multiplier.get())(value=2 * ONE))
    assert payment.fee_details(info(5_000), 100, 0) == (base, 1_000, 10_000)
    assert payment.compute_fee(info(5_000), 100, 7) == base + 1_000 + 10_000 + 7
    assert payment.fee_details(info(5_000, pays=Pays.No), 100, 7) is None
    assert payment.compute_fee(info(5_000, pays=Pays.No), 100, 7) == 7
    assert payment.actual_fee(info(5_000), PostInfo(weight(3_000)), 100, 0) == base + 1_000 + 6_000
    assert payment.actual_fee(info(5_000), PostInfo(weight(9_000)), 100, 0) == base + 1_000 + 10_000
    assert payment.actual_fee(info(5_000), PostInfo(pays=Pays.No), 100, 3) == 3


def test_a_fee_that_is_kept_is_that_of_the_same_question() -> None:
    """The last fee is remembered: for this weight, length, tip and multiplier only."""
    payment = bank().of(Bank.transaction_payment)
    first = payment.compute_fee(info(5_000), 100, 7)
    assert payment.compute_fee(info(5_000), 100, 7) == first
    assert payment.compute_fee(info(5_000), 100, 8) == first + 1
    assert payment.compute_fee(info(5_000), 101, 7) == first + 10
    assert payment.compute_fee(info(5_001), 100, 7) == first + 1
    payment.next_fee_multiplier.put(type(payment.next_fee_multiplier.get())(value=2 * ONE))
    assert payment.compute_fee(info(5_001), 100, 7) == first + 1 + 5_001


def test_half_a_unit_of_the_target_is_rounded_down() -> None:
    assert Adjustment().next(ONE, weight(0), weight(2)) == ONE
    assert Adjustment().next(ONE, weight(0), weight(3)) < ONE


def test_a_weight_counts_for_at_most_a_block() -> None:
    payment = bank().of(Bank.transaction_payment)
    limit = payment.system.block_weights().max_block.ref_time
    assert payment.weight_fee(10 * limit, 0) == limit


def test_priority_prefers_tips_small_calls_and_operational_ones() -> None:
    payment = bank().of(Bank.transaction_payment)
    plain = payment.priority(info(10**9), 100, 0, 500)
    assert payment.priority(info(10**9), 100, 1, 500) == 2 * plain
    assert payment.priority(info(10**10), 100, 0, 500) < plain
    assert payment.priority(info(10**9), 10**6, 0, 500) < plain
    assert payment.priority(info(10**9, DispatchClass.Operational), 100, 0, 500) > 2_000 * plain
    assert payment.priority(info(0), 0, MAX, MAX) == 2**64 - 1


# -- taking it --------------------------------------------


def rich(beneficiary: bytes | None = None) -> tuple[Externalities, type[Runtime]]:
    class Payer(Runtime, spec_name="payer", spec_version=1):
        system = System(index=0)
        balances = Balances(index=2, existential_deposit=1_000)
        transaction_payment = TransactionPayment(index=3, currency=balances, beneficiary=beneficiary)
        extensions = standard(transaction_payment)

    return externalities(Payer, GENESIS), Payer


@pytest.mark.parametrize("beneficiary", [None, PURSE])
def test_a_transaction_pays_its_fee(beneficiary: bytes | None) -> None:
    ext, _ = rich(beneficiary)
    balances, payment = ext.pallet(Balances), ext.pallet(TransactionPayment)
    total = balances.total_issuance()
    call = balances.transfer_allow_death.new(at(BOB), 12_345)
    raw = sign(ext.runtime, KEY, call, genesis_hash=ext.genesis_header.hash, tip=77)
    fee = payment.compute_fee(call.info(), len(raw), 77)
    assert ext.apply(raw) == b"\0"
    assert balances.free_balance(KEY.account_id) == GRIST - 12_345 - fee
    paid = next(event for event in ext.events() if isinstance(event, payment.TransactionFeePaid))
    assert paid == payment.TransactionFeePaid(who=KEY.account_id, actual_fee=fee, tip=77)
    assert ext.events()[0] == balances.Withdraw(who=KEY.account_id, amount=fee)
    if beneficiary is None:
        assert balances.total_issuance() == total - fee, "the fee is burned"
    else:
        assert balances.total_issuance() == total and balances.free_balance(PURSE) == 1_000 + fee
    ext.try_state()


def test_who_gets_the_fees_gets_nothing_of_what_is_given_back() -> None:
    ext, _ = rich(PURSE)
    balances, payment, who = ext.pallet(Balances), ext.pallet(TransactionPayment), KEY.account_id
    total, info = balances.total_issuance(), DispatchInfo(weight(1_000_000))
    used = PostInfo(weight(400_000))
    withdrawn, due = payment.compute_fee(info, 10, 5), payment.actual_fee(info, used, 10, 5)
    assert withdrawn == due + 600_000
    payment.withdraw(who, withdrawn)
    payment.settle(who, withdrawn, info, used, 10, 5)
    assert balances.free_balance(who) == GRIST - due and balances.free_balance(PURSE) == 1_000 + due
    assert balances.total_issuance() == total
    ext.try_state()


def test_a_failed_call_pays_and_changes_nothing_else() -> None:
    ext, _ = rich()
    balances, payment = ext.pallet(Balances), ext.pallet(TransactionPayment)
    call = balances.transfer_allow_death.new(at(BOB), 2 * GRIST)
    raw = sign(ext.runtime, KEY, call, genesis_hash=ext.genesis_header.hash)
    assert ext.apply(raw) == b"\1\7\0"
    fee = payment.compute_fee(call.info(), len(raw), 0)
    assert balances.free_balance(KEY.account_id) == GRIST - fee and balances.free_balance(BOB) == GRIST


def test_who_cannot_pay_is_refused_and_nothing_changes() -> None:
    ext, _ = rich()
    balances = ext.pallet(Balances)
    call = balances.transfer_allow_death.new(at(BOB), 1)
    poor = Keypair.from_uri("//Bob")
    balances.mint_into(poor.account_id, 1_000)
    for key, tip in ((poor, 0), (KEY, GRIST)):
        raw = sign(ext.runtime, key, call, genesis_hash=ext.genesis_header.hash, tip=tip)
        before = ext.root()
        with pytest.raises(InvalidTransaction) as caught:
            ext.apply(raw)
        assert caught.value.kind == Invalid.Payment and ext.root() == before
        with pytest.raises(InvalidTransaction):
            ext.validate(raw)


def test_what_was_not_used_comes_back() -> None:
    ext = bank()
    payment, balances = ext.of(Bank.transaction_payment), ext.of(Bank.balances)
    total, fee = balances.total_issuance(), 9_000
    payment.withdraw(ALICE, fee)
    payment.settle(ALICE, fee, info(0, pays=Pays.No), PostInfo(), 100, 40)
    assert ext.events()[-2:] == [
        balances.Deposit(who=ALICE, amount=fee - 40),
        payment.TransactionFeePaid(who=ALICE, actual_fee=40, tip=40),
    ]
    assert balances.total_issuance() == total - 40
    ext.try_state()


def test_a_reaped_payer_gets_no_refund() -> None:
    ext = bank()
    payment, balances = ext.of(Bank.transaction_payment), ext.of(Bank.balances)
    payment.withdraw(CAROL, 9_000)
    balances.transfer(CAROL, BOB, balances.free_balance(CAROL), keep_alive=False)
    total = balances.total_issuance()
    payment.settle(CAROL, 9_000, info(0, pays=Pays.No), PostInfo(), 100, 40)
    assert balances.total_issuance() == total and not balances.total_balance(CAROL)
    ext.try_state()


def test_fees_never_reap() -> None:
    ext = bank()
    payment, balances = ext.of(Bank.transaction_payment), ext.of(Bank.balances)
    free = balances.free_balance(CAROL)
    assert payment.can_withdraw(CAROL, free - 1_000) and not payment.can_withdraw(CAROL, free - 999)
    with refused(ext, Token.FundsUnavailable):
        payment.withdraw(CAROL, free - 999)


def test_blocks_of_transfers_build_and_execute_alike() -> None:
    _, kind = rich()
    chain = Chain(kind(), GENESIS)
    balances = next(p for p in chain.runtime.pallets if isinstance(p, Balances))
    for nonce in range(3):
        chain.block(chain.sign(KEY, balances.transfer_keep_alive.new(at(BOB), 5), nonce=nonce))
    assert isinstance(chain.events()[-1], System.ExtrinsicSuccess)
