"""Calls that carry calls: sudo and batches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from frame import BadOrigin, CannotLookup, DispatchClass, Pays, Token, TokenError
from frame.testing import Externalities
from frame.weights import ZERO, weight
from pallets.sudo import Sudo
from pallets.utility import Utility
from pallets.utility.pallet import derivative_account
from pallets.utility.weights import Weights
from primitives.extrinsic import MultiAddress
from primitives.scale import Err, Ok, ScaleError
from tests.pallets.money import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    ED,
    ENDOWED,
    EVE,
    ROOT,
    Bank,
    at,
    bank,
    refused,
    signed,
)

TOO_MUCH = ENDOWED[ALICE] * 10
FUNDS = TokenError(Token.FundsUnavailable)


@pytest.fixture
def ext() -> Iterator[Externalities]:
    """A fresh chain, whose state must be sound after the test."""
    chain = bank()
    yield chain
    chain.try_state()


# -- sudo --------------------------------------------


def test_sudo_runs_as_root_and_free_of_charge(ext: Externalities) -> None:
    sudo, b = ext.of(Bank.sudo), ext.of(Bank.balances)
    inner = b.force_set_balance.new(at(EVE), 5_000)
    for call in (sudo.sudo.new(inner), sudo.sudo_unchecked_weight.new(inner, weight(1))):
        assert ext.dispatch(call, signed(ALICE)).pays == Pays.No
        assert ext.last_event() == sudo.Sudid(sudo_result=Ok(()))
    assert b.free_balance(EVE) == 5_000
    assert ext.dispatch(sudo.sudo.new(inner), ROOT).pays == Pays.No


def test_sudo_tells_of_a_failure_and_keeps_nothing_of_it(ext: Externalities) -> None:
    sudo, b = ext.of(Bank.sudo), ext.of(Bank.balances)
    ext.dispatch(sudo.sudo.new(b.force_transfer.new(at(EVE), at(BOB), 5)), signed(ALICE))
    assert ext.events() == [sudo.Sudid(sudo_result=Err(FUNDS))]
    ext.dispatch(sudo.sudo.new(b.transfer_allow_death.new(at(BOB), 5)), signed(ALICE))
    assert ext.last_event() == sudo.Sudid(sudo_result=Err(BadOrigin()))


def test_sudo_as(ext: Externalities) -> None:
    sudo, b = ext.of(Bank.sudo), ext.of(Bank.balances)
    ext.dispatch(sudo.sudo_as.new(at(BOB), b.transfer_allow_death.new(at(CAROL), 5)), signed(ALICE))
    assert ext.events() == [b.Transfer(from_=BOB, to=CAROL, amount=5), sudo.SudoAsDone(sudo_result=Ok(()))]
    with refused(ext, CannotLookup()):
        ext.dispatch(sudo.sudo_as.new(MultiAddress.Index(value=1), b.burn.new(1, True)), signed(ALICE))


def test_the_key_moves_and_goes(ext: Externalities) -> None:
    sudo = ext.of(Bank.sudo)
    assert ext.dispatch(sudo.set_key.new(at(BOB)), signed(ALICE)).pays == Pays.No
    assert ext.last_event() == sudo.KeyChanged(old=ALICE, new=BOB)
    with refused(ext, sudo.RequireSudo):
        ext.dispatch(sudo.set_key.new(at(ALICE)), signed(ALICE))
    with refused(ext, CannotLookup()):
        ext.dispatch(sudo.set_key.new(MultiAddress.Index(value=1)), signed(BOB))
    ext.dispatch(sudo.remove_key.new(), signed(BOB))
    assert ext.last_event() == sudo.KeyRemoved() and sudo.key.try_get() is None
    with refused(ext, sudo.RequireSudo):
        ext.dispatch(sudo.remove_key.new(), signed(BOB))
    ext.dispatch(sudo.set_key.new(at(CAROL)), ROOT)
    assert ext.last_event() == sudo.KeyChanged(old=None, new=CAROL)


def test_strangers_are_refused(ext: Externalities) -> None:
    sudo, b = ext.of(Bank.sudo), ext.of(Bank.balances)
    inner = b.force_set_balance.new(at(EVE), 5_000)
    calls = [
        sudo.sudo.new(inner),
        sudo.sudo_unchecked_weight.new(inner, ZERO),
        sudo.set_key.new(at(BOB)),
        sudo.sudo_as.new(at(ALICE), inner),
        sudo.remove_key.new(),
    ]
    for call in calls:
        for origin in (signed(BOB), ROOT.NONE):
            with refused(ext, sudo.RequireSudo):
                ext.dispatch(call, origin)


def test_sudo_weights(ext: Externalities) -> None:
    sudo, b, system = ext.of(Bank.sudo), ext.of(Bank.balances), ext.of(Bank.system)
    inner = b.force_set_balance.new(at(EVE), 5_000)
    assert sudo.sudo.new(inner).info().weight.ref_time > inner.info().weight.ref_time
    assert sudo.sudo_unchecked_weight.new(inner, weight(5, 6)).info().weight == weight(5, 6)
    operational = system.set_heap_pages.new(8)
    assert sudo.sudo.new(operational).info().dispatch_class == DispatchClass.Operational
    assert {c.name: c.index for c in Sudo.declaration.calls} == {
        "sudo": 0,
        "sudo_unchecked_weight": 1,
        "set_key": 2,
        "sudo_as": 3,
        "remove_key": 4,
    }


# -- utility --------------------------------------------


def test_a_batch_runs_all(ext: Externalities) -> None:
    u, b = ext.of(Bank.utility), ext.of(Bank.balances)
    first, second = (b.transfer_allow_death.new(at(who), 10) for who in (BOB, CAROL))
    overheads = (Weights.batch, Weights.batch_all, Weights.force_batch)
    for make, overhead in zip((u.batch, u.batch_all, u.force_batch), overheads, strict=True):
        ext.clear_events()
        post = ext.dispatch(make.new([first, second]), signed(ALICE))
        assert ext.events() == [
            b.Transfer(from_=ALICE, to=BOB, amount=10),
            u.ItemCompleted(),
            b.Transfer(from_=ALICE, to=CAROL, amount=10),
            u.ItemCompleted(),
            u.BatchCompleted(),
        ]
        used = first.info().weight + second.info().weight + overhead(2)
        assert post.actual_weight == used == make.new([first, second]).info().weight
    assert b.free_balance(BOB) == ENDOWED[BOB] + 30


def test_a_batch_stops_at_the_first_failure_and_keeps_what_came_before(ext: Externalities) -> None:
    u, b = ext.of(Bank.utility), ext.of(Bank.balances)
    good, bad = (b.transfer_allow_death.new(at(BOB), amount) for amount in (10, TOO_MUCH))
    post = ext.dispatch(u.batch.new([good, bad, good]), signed(ALICE))
    assert ext.last_event() == u.BatchInterrupted(index=1, error=FUNDS)
    assert b.free_balance(BOB) == ENDOWED[BOB] + 10
    assert post.actual_weight == good.info().weight + bad.info().weight + Weights.batch(2)


def test_batch_all_is_all_or_nothing(ext: Externalities) -> None:
    u, b = ext.of(Bank.utility), ext.of(Bank.balances)
    good, bad = (b.transfer_allow_death.new(at(BOB), amount) for amount in (10, TOO_MUCH))
    with refused(ext, FUNDS):
        ext.dispatch(u.batch_all.new([good, bad, good]), signed(ALICE))
    with pytest.raises(TokenError) as caught:
        ext.dispatch(u.batch_all.new([good, bad, good]), signed(ALICE))
    assert caught.value.actual_weight == good.info().weight + bad.info().weight + Weights.batch_all(2)


def test_force_batch_goes_on(ext: Externalities) -> None:
    u, b = ext.of(Bank.utility), ext.of(Bank.balances)
    good, bad = (b.transfer_allow_death.new(at(BOB), amount) for amount in (10, TOO_MUCH))
    ext.dispatch(u.force_batch.new([bad, good]), signed(ALICE))
    assert [type(event) for event in ext.events()] == [
        u.ItemFailed,
        b.Transfer,
        u.ItemCompleted,
        u.BatchCompletedWithErrors,
    ]


def test_batches_refuse(ext: Externalities) -> None:
    u, b = ext.of(Bank.utility), ext.of(Bank.balances)
    call = b.transfer_allow_death.new(at(BOB), 1)
    for make in (u.batch, u.batch_all, u.force_batch):
        with refused(ext, u.TooManyCalls):
            ext.dispatch(make.new([call] * 6), signed(ALICE))
        with refused(ext, BadOrigin()):
            ext.dispatch(make.new([call]), ROOT.NONE)
        ext.dispatch(make.new([call] * 5), signed(ALICE))
        assert ext.last_event() == u.BatchCompleted()
    ext.dispatch(u.batch.new([]), signed(ALICE))
    assert ext.last_event() == u.BatchCompleted()


def test_errors_of_pallets_keep_their_index_in_batches(ext: Externalities) -> None:
    u, sudo = ext.of(Bank.utility), ext.of(Bank.sudo)
    ext.dispatch(u.batch.new([sudo.remove_key.new()]), signed(BOB))
    interrupted = ext.last_event()
    assert isinstance(interrupted, u.BatchInterrupted) and interrupted.error.encode().hex() == "030400000000"


def test_as_derivative(ext: Externalities) -> None:
    u, b = ext.of(Bank.utility), ext.of(Bank.balances)
    sub = derivative_account(ALICE, 7)
    ext.dispatch(b.transfer_allow_death.new(at(sub), 5_000), signed(ALICE))
    ext.dispatch(u.as_derivative.new(7, b.transfer_allow_death.new(at(BOB), 100)), signed(ALICE))
    assert ext.last_event() == b.Transfer(from_=sub, to=BOB, amount=100)
    with refused(ext, Token.FundsUnavailable):
        ext.dispatch(u.as_derivative.new(8, b.transfer_allow_death.new(at(BOB), 100)), signed(ALICE))
    with refused(ext, BadOrigin()):
        ext.dispatch(u.as_derivative.new(7, b.transfer_allow_death.new(at(BOB), 100)), ROOT)


def test_with_weight(ext: Externalities) -> None:
    u, b = ext.of(Bank.utility), ext.of(Bank.balances)
    call = u.with_weight.new(b.force_set_balance.new(at(EVE), 2 * ED), weight(9, 9))
    assert call.info().weight == weight(9, 9)
    ext.dispatch(call, ROOT)
    assert b.free_balance(EVE) == 2 * ED
    with refused(ext, BadOrigin()):
        ext.dispatch(call, signed(ALICE))
    with refused(ext, FUNDS):
        ext.dispatch(u.with_weight.new(b.force_transfer.new(at(DAVE), at(BOB), 2 * ED), ZERO), ROOT)


def test_batch_all_inside_batch_all_is_filtered(ext: Externalities) -> None:
    u, b, system = ext.of(Bank.utility), ext.of(Bank.balances), ext.of(Bank.system)
    pay = b.transfer_allow_death.new(at(BOB), 1)
    inner = u.batch_all.new([pay])
    for nested in (u.batch_all.new([inner]), u.batch_all.new([u.as_derivative.new(0, inner)])):
        with refused(ext, system.CallFiltered):
            ext.dispatch(nested, signed(ALICE))
    # Substrate does the same: a batch inside takes the filter along, and tells of the failure.
    ext.dispatch(u.batch_all.new([u.batch.new([inner])]), signed(ALICE))
    interrupted = next(event for event in ext.events() if isinstance(event, u.BatchInterrupted))
    assert interrupted.error.encode().hex() == "030005000000"
    ext.dispatch(u.batch_all.new([u.batch_all.new([b.force_transfer.new(at(ALICE), at(BOB), 1)])]), ROOT)


def test_dispatch_as(ext: Externalities) -> None:
    u, b = ext.of(Bank.utility), ext.of(Bank.balances)
    pay, broken = (b.transfer_allow_death.new(at(CAROL), amount) for amount in (5, TOO_MUCH))
    for make in (u.dispatch_as, u.dispatch_as_fallible):
        ext.clear_events()
        ext.dispatch(make.new(signed(BOB), pay), ROOT)
        assert ext.events() == [b.Transfer(from_=BOB, to=CAROL, amount=5), u.DispatchedAs(result=Ok(()))]
        with refused(ext, BadOrigin()):
            ext.dispatch(make.new(signed(BOB), pay), signed(BOB))
    ext.dispatch(u.dispatch_as.new(signed(BOB), broken), ROOT)
    assert ext.last_event() == u.DispatchedAs(result=Err(FUNDS))
    ext.dispatch(u.dispatch_as.new(ROOT.NONE, pay), ROOT)
    assert ext.last_event() == u.DispatchedAs(result=Err(BadOrigin()))
    with refused(ext, FUNDS):
        ext.dispatch(u.dispatch_as_fallible.new(signed(BOB), broken), ROOT)


def test_an_origin_as_an_argument(ext: Externalities) -> None:
    u, b, codec = ext.of(Bank.utility), ext.of(Bank.balances), ext.runtime.call_codec
    inner = b.transfer_allow_death.new(at(CAROL), 5)
    bodies = {ROOT: "0000", ROOT.NONE: "0002", signed(BOB): "0001" + BOB.hex()}
    for origin, body in bodies.items():
        call = u.dispatch_as.new(origin, inner)
        assert call.encode() == bytes.fromhex("0503" + body) + inner.encode()
        assert codec.decode(call.encode()) == call
    for wrong in ("0003", "0100", "0001" + "11" * 31, "00", ""):
        with pytest.raises(ScaleError, match="no origin"):
            codec.decode(bytes.fromhex("0503" + wrong))
    with pytest.raises(ScaleError):
        u.dispatch_as.new("root", inner).encode()  # type: ignore[arg-type]


def test_if_else(ext: Externalities) -> None:
    u, b = ext.of(Bank.utility), ext.of(Bank.balances)
    good, bad = (b.transfer_allow_death.new(at(BOB), amount) for amount in (10, TOO_MUCH))
    transfer = b.Transfer(from_=ALICE, to=BOB, amount=10)
    post = ext.dispatch(u.if_else.new(good, bad), signed(ALICE))
    assert ext.events() == [transfer, u.IfElseMainSuccess()]
    assert post.actual_weight is not None
    assert post.actual_weight.ref_time < u.if_else.new(good, bad).info().weight.ref_time
    ext.clear_events()
    post = ext.dispatch(u.if_else.new(bad, good), signed(ALICE))
    assert ext.events() == [transfer, u.IfElseFallbackCalled(main_error=FUNDS)]
    assert post.actual_weight == u.if_else.new(bad, good).info().weight
    with refused(ext, FUNDS):
        ext.dispatch(u.if_else.new(bad, bad), signed(ALICE))
    with refused(ext, BadOrigin()):
        ext.dispatch(u.if_else.new(good, good), ROOT.NONE)


def test_the_calls_of_utility_stand_where_substrate_has_them() -> None:
    assert {c.name: c.index for c in Utility.declaration.calls} == {
        "batch": 0,
        "as_derivative": 1,
        "batch_all": 2,
        "dispatch_as": 3,
        "force_batch": 4,
        "with_weight": 5,
        "if_else": 6,
        "dispatch_as_fallible": 7,
    }
    assert [event.__name__ for event in Utility.declaration.events] == [
        "BatchInterrupted",
        "BatchCompleted",
        "BatchCompletedWithErrors",
        "ItemCompleted",
        "ItemFailed",
        "DispatchedAs",
        "IfElseMainSuccess",
        "IfElseFallbackCalled",
    ]


def test_the_class_of_a_batch(ext: Externalities) -> None:
    u, b, system = ext.of(Bank.utility), ext.of(Bank.balances), ext.of(Bank.system)
    normal, operational = b.burn.new(1, True), system.set_heap_pages.new(8)
    assert u.batch.new([operational, operational]).info().dispatch_class == DispatchClass.Operational
    assert u.batch.new([operational, normal]).info().dispatch_class == DispatchClass.Normal
    assert u.batch.new([]).info().dispatch_class == DispatchClass.Normal


def test_nesting_is_bounded_by_decoding(ext: Externalities) -> None:
    u, b, codec = ext.of(Bank.utility), ext.of(Bank.balances), ext.runtime.call_codec
    call = b.transfer_allow_death.new(at(BOB), 1)
    for _ in range(8):
        call = u.batch.new([call])
    assert codec.decode(call.encode()) == call
    ext.dispatch(call, signed(ALICE))
    assert ext.last_event() == u.BatchCompleted() and b.free_balance(BOB) == ENDOWED[BOB] + 1
    for _ in range(20):
        call = u.batch.new([call])
    with pytest.raises(ScaleError, match="nested too deeply"):
        codec.decode(call.encode())
    with pytest.raises(ScaleError, match="nested too deeply"):
        codec.decode(b"\5\0\4" * 100_000 + b"\2\0")
