"""Every call of the pallet proxy: what it does, each way it fails, its weight and its events."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from frame import BadOrigin, CannotLookup, DispatchClass, Pays, RuntimeCall, Token
from frame.testing import Externalities
from pallets.multisig import multi_account_id
from pallets.proxy import Proxy, ProxyType, pure_account
from pallets.proxy.types import Announcement, DepositKind, ProxyDefinition, PureDeposit
from pallets.system.pallet import System
from primitives.extrinsic import MultiAddress
from primitives.hashing import blake2_256
from primitives.scale import Err, Ok, replace
from runtime import GristmillRuntime
from runtime.proxy_rules import CALLS, Rules
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

ANY, NON_TRANSFER = ProxyType.Any, ProxyType.NonTransfer
NOWHERE = MultiAddress.Index(value=1)


@pytest.fixture
def ext() -> Iterator[Externalities]:
    """A fresh chain, whose state must be sound after the test, deposits included."""
    chain = bank()
    yield chain
    chain.try_state()
    balances, proxy = chain.of(Bank.balances), chain.of(Bank.proxy)
    expected: dict[tuple[bytes, bytes], int] = {}
    for reason, who, amount in proxy.held_deposits():
        key = proxy.reason(reason), who
        expected[key] = expected.get(key, 0) + amount
    for who in (ALICE, BOB, CAROL, DAVE, EVE):
        for reason in proxy.HoldReason:
            key = proxy.reason(reason), who
            assert balances.held(*key) == expected.get(key, 0)


def held(ext: Externalities, who: bytes, announcements: bool = False) -> int:
    reasons = Proxy.HoldReason
    reason = reasons.Announcements if announcements else reasons.Proxies
    return ext.of(Bank.balances).held(ext.of(Bank.proxy).reason(reason), who)


def pay(ext: Externalities, amount: int = 500) -> RuntimeCall:
    return ext.of(Bank.balances).transfer_allow_death.new(at(DAVE), amount)


def act(ext: Externalities, who: bytes, call: RuntimeCall, kind: ProxyType | None = None) -> object:
    """`who` acts for ALICE; what became of the call."""
    proxy = ext.of(Bank.proxy)
    ext.dispatch(proxy.proxy.new(at(ALICE), kind, call), signed(who))
    executed = ext.last_event()
    assert isinstance(executed, proxy.ProxyExecuted)
    return executed.result


def add(
    ext: Externalities, delegate: bytes, kind: ProxyType = ANY, delay: int = 0, who: bytes = ALICE
) -> None:
    ext.dispatch(ext.of(Bank.proxy).add_proxy.new(at(delegate), kind, delay), signed(who))


FILTERED = Err(System.CallFiltered())


def filtered(result: object) -> bool:
    return result == FILTERED or (isinstance(result, Err) and result.error.encode().hex() == "030005000000")


# -- acting --------------------------------------------


def test_a_delegate_acts(ext: Externalities) -> None:
    p, b = ext.of(Bank.proxy), ext.of(Bank.balances)
    add(ext, BOB)
    assert ext.last_event() == p.ProxyAdded(delegator=ALICE, delegatee=BOB, proxy_type=ANY, delay=0)
    assert held(ext, ALICE) == 110
    ext.clear_events()
    assert act(ext, BOB, pay(ext)) == Ok(())
    assert ext.events()[0] == b.Transfer(from_=ALICE, to=DAVE, amount=500)
    assert act(ext, BOB, pay(ext, 10**9)) != Ok(())
    assert act(ext, BOB, pay(ext), ANY) == Ok(())
    for who, kind in ((CAROL, None), (BOB, NON_TRANSFER)):
        with refused(ext, p.NotProxy):
            ext.dispatch(p.proxy.new(at(ALICE), kind, pay(ext)), signed(who))
    with refused(ext, BadOrigin()):
        ext.dispatch(p.proxy.new(at(ALICE), None, pay(ext)), ROOT)
    with refused(ext, CannotLookup()):
        ext.dispatch(p.proxy.new(NOWHERE, None, pay(ext)), signed(BOB))


def test_the_filter_goes_along_into_carried_calls(ext: Externalities) -> None:
    u, system = ext.of(Bank.utility), ext.of(Bank.system)
    add(ext, BOB, NON_TRANSFER)
    remark = system.remark.new(b"")
    assert act(ext, BOB, remark) == Ok(())
    assert filtered(act(ext, BOB, pay(ext)))
    before = ext.of(Bank.balances).free_balance(DAVE)
    act(ext, BOB, u.batch.new([remark, pay(ext)]))
    assert any(isinstance(event, u.BatchInterrupted) for event in ext.events())
    assert filtered(act(ext, BOB, u.batch_all.new([remark, pay(ext)])))
    assert filtered(act(ext, BOB, u.as_derivative.new(0, pay(ext))))
    act(ext, BOB, u.force_batch.new([u.batch.new([pay(ext)]), u.if_else.new(pay(ext), pay(ext))]))
    assert ext.of(Bank.balances).free_balance(DAVE) == before


def test_a_composite_account_behind_a_proxy_is_another_account(ext: Externalities) -> None:
    """As in Substrate: the multisig's own origin carries no filter, since its owners have approved."""
    m, b = ext.of(Bank.multisig), ext.of(Bank.balances)
    shared = multi_account_id(sorted([ALICE, CAROL]), 1)
    ext.dispatch(b.transfer_allow_death.new(at(shared), 5_000), signed(ALICE))
    add(ext, BOB, NON_TRANSFER)
    assert act(ext, BOB, m.as_multi_threshold_1.new([CAROL], pay(ext))) == Ok(())
    assert b.free_balance(shared) == 4_500


def test_no_rule_of_a_runtime_lets_a_delegate_end_the_proxies(
    ext: Externalities, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only one for everything may, whatever the runtime's rules say of its kind."""
    monkeypatch.setattr(Rules, "allows", lambda self, kind, call: True)
    p = ext.of(Bank.proxy)
    add(ext, BOB, NON_TRANSFER)
    for call in (p.remove_proxies.new(), p.kill_pure.new(at(BOB), ANY, 0, 1, 0)):
        assert filtered(act(ext, BOB, call)), call
    assert act(ext, BOB, pay(ext)) == Ok(())


def test_a_delegate_cannot_give_itself_more(ext: Externalities) -> None:
    p = ext.of(Bank.proxy)
    add(ext, BOB, NON_TRANSFER)
    for call in (
        p.add_proxy.new(at(CAROL), ANY, 0),
        p.remove_proxy.new(at(BOB), ANY, 0),
        p.remove_proxies.new(),
        p.kill_pure.new(at(BOB), ANY, 0, 1, 0),
        p.create_pure.new(ANY, 0, 0),
    ):
        assert filtered(act(ext, BOB, call)), call
    assert act(ext, BOB, p.add_proxy.new(at(CAROL), ProxyType.Provider, 0)) == Ok(())
    assert act(ext, BOB, p.remove_proxy.new(at(CAROL), ProxyType.Provider, 0)) == Ok(())
    add(ext, CAROL)
    assert act(ext, CAROL, p.remove_proxies.new()) == Ok(())
    assert ALICE not in p.proxies and held(ext, ALICE) == 0


def test_weight_and_class_of_a_proxied_call(ext: Externalities) -> None:
    p, system = ext.of(Bank.proxy), ext.of(Bank.system)
    inner = system.set_heap_pages.new(8)
    for made in (p.proxy.new(at(ALICE), None, inner), p.proxy_announced.new(at(BOB), at(ALICE), None, inner)):
        assert made.info().dispatch_class == DispatchClass.Operational
        assert made.info().weight.ref_time > inner.info().weight.ref_time


# -- naming delegates --------------------------------------------


def test_adding_and_removing(ext: Externalities) -> None:
    p = ext.of(Bank.proxy)
    add(ext, CAROL, NON_TRANSFER, 5)
    add(ext, BOB)
    add(ext, BOB, NON_TRANSFER)
    listed, deposit = p.proxies[ALICE]
    assert [(d.delegate, d.proxy_type, d.delay) for d in listed] == [
        (BOB, ANY, 0),
        (BOB, NON_TRANSFER, 0),
        (CAROL, NON_TRANSFER, 5),
    ]
    assert deposit == held(ext, ALICE) == 130
    for delegate, kind, delay, error in (
        (ALICE, ANY, 0, p.NoSelfProxy),
        (BOB, ANY, 0, p.Duplicate),
    ):
        with refused(ext, error):
            add(ext, delegate, kind, delay)
    add(ext, BOB, ANY, 9)
    with refused(ext, p.TooMany):
        add(ext, DAVE)
    with refused(ext, p.NotFound):
        ext.dispatch(p.remove_proxy.new(at(CAROL), NON_TRANSFER, 6), signed(ALICE))
    with refused(ext, p.NotFound):
        ext.dispatch(p.remove_proxy.new(at(CAROL), ANY, 0), signed(BOB))
    ext.dispatch(p.remove_proxy.new(at(CAROL), NON_TRANSFER, 5), signed(ALICE))
    assert ext.last_event() == p.ProxyRemoved(
        delegator=ALICE, delegatee=CAROL, proxy_type=NON_TRANSFER, delay=5
    )
    assert held(ext, ALICE) == 130
    ext.dispatch(p.remove_proxies.new(), signed(ALICE))
    ext.dispatch(p.remove_proxies.new(), signed(ALICE))
    assert held(ext, ALICE) == 0 and p.proxies[ALICE] == ([], 0)
    with refused(ext, Token.FundsUnavailable):
        add(ext, BOB, who=DAVE)
    for call in (p.add_proxy, p.remove_proxy):
        with refused(ext, CannotLookup()):
            ext.dispatch(call.new(NOWHERE, ANY, 0), signed(ALICE))
        with refused(ext, BadOrigin()):
            ext.dispatch(call.new(at(BOB), ANY, 0), ROOT)
    with refused(ext, BadOrigin()):
        ext.dispatch(p.remove_proxies.new(), ROOT)


# -- pure accounts --------------------------------------------


def test_a_pure_account_lives_and_ends(ext: Externalities) -> None:
    p, b = ext.of(Bank.proxy), ext.of(Bank.balances)
    ext.dispatch(p.create_pure.new(ANY, 0, 7), signed(ALICE))
    pure = pure_account(ALICE, 1, 0, ANY, 7)
    assert ext.last_event() == p.PureCreated(
        pure=pure, who=ALICE, proxy_type=ANY, disambiguation_index=7, at=1, extrinsic_index=0
    )
    assert held(ext, ALICE) == 110
    with refused(ext, p.Duplicate):
        ext.dispatch(p.create_pure.new(ANY, 0, 7), signed(ALICE))
    ext.dispatch(p.create_pure.new(ANY, 0, 8), signed(ALICE))
    ext.dispatch(b.transfer_allow_death.new(at(pure), 20_000), signed(ALICE))
    as_pure = lambda call: ext.dispatch(p.proxy.new(at(pure), None, call), signed(ALICE))  # noqa: E731
    as_pure(p.add_proxy.new(at(BOB), ANY, 0))
    assert held(ext, pure) == 10 and p.pure_deposits[pure] == PureDeposit(spawner=ALICE, amount=110)
    for wrong in (
        p.kill_pure.new(at(ALICE), ANY, 7, 1, 1),
        p.kill_pure.new(at(BOB), ANY, 7, 1, 0),
        p.kill_pure.new(at(ALICE), NON_TRANSFER, 7, 1, 0),
    ):
        with refused(ext, p.NoPermission):
            ext.dispatch(wrong, signed(pure))
    with refused(ext, p.NoPermission):
        ext.dispatch(p.kill_pure.new(at(ALICE), ANY, 7, 1, 0), signed(ALICE))
    as_pure(p.kill_pure.new(at(ALICE), ANY, 7, 1, 0))
    assert p.PureKilled(pure=pure, spawner=ALICE, proxy_type=ANY, disambiguation_index=7) in ext.events()
    assert pure not in p.proxies and pure not in p.pure_deposits
    assert held(ext, pure) == 0 and held(ext, ALICE) == 110, "the other pure account's deposit"
    for call in (p.create_pure.new(ANY, 0, 0), p.kill_pure.new(at(ALICE), ANY, 7, 1, 0)):
        with refused(ext, BadOrigin()):
            ext.dispatch(call, ROOT)


def test_account_ids_of_pure_accounts() -> None:
    """The recipe by hand: blake2b-256 over tag ‖ who ‖ height ‖ extrinsic ‖ kind ‖ index."""
    raw = b"modlpy/proxy____" + ALICE + b"\7\0\0\0" + b"\2\0\0\0" + b"\1" + b"\3\0"
    assert pure_account(ALICE, 7, 2, NON_TRANSFER, 3) == blake2_256(raw)


def test_a_spawner_gets_the_deposit_back_however_the_account_ends(ext: Externalities) -> None:
    p, b = ext.of(Bank.proxy), ext.of(Bank.balances)
    pures = [pure_account(ALICE, 1, 0, ANY, index) for index in range(2)]
    for index, pure in enumerate(pures):
        ext.dispatch(p.create_pure.new(ANY, 0, index), signed(ALICE))
        ext.dispatch(b.transfer_allow_death.new(at(pure), 20_000), signed(ALICE))
        ext.dispatch(p.proxy.new(at(pure), None, p.add_proxy.new(at(BOB), ANY, 0)), signed(ALICE))
    assert held(ext, ALICE) == 220
    ext.dispatch(p.proxy.new(at(pures[0]), None, p.remove_proxies.new()), signed(BOB))
    assert held(ext, ALICE) == 110 and held(ext, pures[0]) == 0
    for who in (ALICE, BOB):
        gone = p.remove_proxy.new(at(who), ANY, 0)
        ext.dispatch(p.proxy.new(at(pures[1]), None, gone), signed(BOB))
    assert held(ext, ALICE) == 0 and held(ext, pures[1]) == 0
    with refused(ext, Token.FundsUnavailable):
        ext.dispatch(p.create_pure.new(ANY, 0, 0), signed(DAVE))


# -- announcements --------------------------------------------


def test_an_announced_call(ext: Externalities) -> None:
    p, b = ext.of(Bank.proxy), ext.of(Bank.balances)
    call = pay(ext)
    digest = blake2_256(call.encode())
    add(ext, BOB, ANY, 2)
    with refused(ext, p.Unannounced):
        ext.dispatch(p.proxy.new(at(ALICE), None, call), signed(BOB))
    announced = p.proxy_announced.new(at(BOB), at(ALICE), None, call)
    with refused(ext, p.Unannounced):
        ext.dispatch(announced, signed(CAROL))
    ext.dispatch(p.announce.new(at(ALICE), digest), signed(BOB))
    assert ext.last_event() == p.Announced(real=ALICE, proxy=BOB, call_hash=digest)
    assert p.announcements[BOB] == ([Announcement(real=ALICE, call_hash=digest, height=1)], 55)
    assert held(ext, BOB, announcements=True) == 55
    ext.next_block()
    with refused(ext, p.Unannounced):
        ext.dispatch(announced, signed(CAROL))
    ext.next_block()
    with refused(ext, p.Unannounced):  # another call than announced
        ext.dispatch(p.proxy_announced.new(at(BOB), at(ALICE), None, pay(ext, 501)), signed(CAROL))
    with refused(ext, p.NotProxy):
        ext.dispatch(p.proxy_announced.new(at(CAROL), at(ALICE), None, call), signed(CAROL))
    ext.dispatch(announced, signed(CAROL))
    assert ext.last_event() == p.ProxyExecuted(result=Ok(()))
    assert b.free_balance(DAVE) == ENDOWED[DAVE] + 500
    assert held(ext, BOB, announcements=True) == 0 and BOB not in p.announcements
    with refused(ext, p.Unannounced):  # once only
        ext.dispatch(announced, signed(CAROL))
    with refused(ext, BadOrigin()):
        ext.dispatch(announced, ROOT)


def test_announcements_are_taken_back_and_rejected(ext: Externalities) -> None:
    p = ext.of(Bank.proxy)
    one, two, three = (bytes((n,)) * 32 for n in range(3))
    add(ext, BOB, ANY, 2)
    with refused(ext, p.NotProxy):
        ext.dispatch(p.announce.new(at(ALICE), one), signed(CAROL))
    for digest in (one, two):
        ext.dispatch(p.announce.new(at(ALICE), digest), signed(BOB))
    with refused(ext, p.TooMany):
        ext.dispatch(p.announce.new(at(ALICE), three), signed(BOB))
    assert held(ext, BOB, announcements=True) == 60
    with refused(ext, p.NotFound):
        ext.dispatch(p.remove_announcement.new(at(ALICE), three), signed(BOB))
    with refused(ext, p.NotFound):
        ext.dispatch(p.reject_announcement.new(at(BOB), one), signed(CAROL))
    with refused(ext, p.NotFound):
        ext.dispatch(p.reject_announcement.new(at(CAROL), one), signed(ALICE))
    ext.dispatch(p.remove_announcement.new(at(ALICE), one), signed(BOB))
    assert held(ext, BOB, announcements=True) == 55
    ext.dispatch(p.reject_announcement.new(at(BOB), two), signed(ALICE))
    assert held(ext, BOB, announcements=True) == 0 and p.announcements[BOB] == ([], 0)
    for call in (p.announce, p.remove_announcement, p.reject_announcement):
        with refused(ext, CannotLookup()):
            ext.dispatch(call.new(NOWHERE, one), signed(BOB))
        with refused(ext, BadOrigin()):
            ext.dispatch(call.new(at(ALICE), one), ROOT)
    add(ext, DAVE)
    with refused(ext, Token.FundsUnavailable):
        ext.dispatch(p.announce.new(at(ALICE), one), signed(DAVE))


def test_deposits_follow_the_rates(ext: Externalities) -> None:
    p, b = ext.of(Bank.proxy), ext.of(Bank.balances)
    assert ext.dispatch(p.poke_deposit.new(), signed(BOB)).pays == Pays.Yes
    add(ext, CAROL, who=BOB)
    add(ext, BOB, ANY, 1)
    ext.dispatch(p.announce.new(at(ALICE), bytes(32)), signed(BOB))
    assert ext.dispatch(p.poke_deposit.new(), signed(BOB)).pays == Pays.Yes
    for records, reason, kind, due in (
        (p.proxies, p.HoldReason.Proxies, DepositKind.Proxies, 110),
        (p.announcements, p.HoldReason.Announcements, DepositKind.Announcements, 55),
    ):
        for old in (due - 9, due + 9):  # taken when the rates were others
            records[BOB] = records[BOB][0], old  # type: ignore[index, assignment]
            change = old - due
            if change > 0:
                b.hold(p.reason(reason), BOB, change)
            else:
                b.release(p.reason(reason), BOB, -change)
            assert ext.dispatch(p.poke_deposit.new(), signed(BOB)).pays == Pays.No
            assert ext.last_event() == p.DepositPoked(who=BOB, kind=kind, old_deposit=old, new_deposit=due)
            assert b.held(p.reason(reason), BOB) == due
    with refused(ext, BadOrigin()):
        ext.dispatch(p.poke_deposit.new(), ROOT)


# -- the declaration, the rules, the state --------------------------------------------


def test_calls_events_and_errors_stand_where_substrate_has_them() -> None:
    declared = Proxy.declaration
    calls = (
        "proxy add_proxy remove_proxy remove_proxies create_pure kill_pure announce "
        "remove_announcement reject_announcement proxy_announced poke_deposit"
    )
    assert " ".join(c.name for c in declared.calls) == calls
    assert [c.index for c in declared.calls] == list(range(11))
    events = "ProxyExecuted PureCreated PureKilled Announced ProxyAdded ProxyRemoved DepositPoked"
    assert " ".join(e.__name__ for e in declared.events) == events
    errors = "TooMany NotFound NotProxy Unproxyable Duplicate NoPermission Unannounced NoSelfProxy"
    assert " ".join(e.__name__ for e in declared.errors) == errors


def test_the_rules_name_calls_that_exist() -> None:
    known = {f"{p.name}.{c.name}" for p in GristmillRuntime.pallets for c in p.declaration.calls}
    assert set(CALLS) == set(ProxyType) - {ANY}
    for kind, calls in CALLS.items():
        assert calls <= known, kind


def test_a_superset_may_do_all_that_the_other_may() -> None:
    rules = Rules()
    assert all(rules.is_superset(ANY, kind) for kind in ProxyType)
    assert all(rules.is_superset(kind, kind) for kind in ProxyType)
    assert not any(rules.is_superset(kind, ANY) for kind in CALLS)
    assert rules.is_superset(NON_TRANSFER, ProxyType.Provider)
    assert rules.is_superset(NON_TRANSFER, ProxyType.CancelProxy)
    assert not rules.is_superset(NON_TRANSFER, ProxyType.Buyer)
    assert not rules.is_superset(ProxyType.Provider, NON_TRANSFER)


def test_who_may_do_what() -> None:
    spends = {"Balances.transfer_allow_death", "Compute.submit", "Sudo.sudo", "Balances.burn"}
    assert not spends & CALLS[NON_TRANSFER] and not spends & CALLS[ProxyType.Provider]
    assert "Compute.accept" in CALLS[ProxyType.Provider] and "Compute.accept" not in CALLS[ProxyType.Buyer]
    assert "Compute.submit" in CALLS[ProxyType.Buyer] and "Sudo.sudo" in CALLS[ProxyType.Governance]
    assert all("Proxy.reject_announcement" in CALLS[kind] for kind in (NON_TRANSFER, ProxyType.CancelProxy))


def test_the_state_is_checked(ext: Externalities) -> None:
    p = ext.of(Bank.proxy)
    add(ext, CAROL)
    add(ext, BOB)
    ext.dispatch(p.announce.new(at(ALICE), bytes(32)), signed(BOB))
    listed, deposit = p.proxies[ALICE]
    pending, _ = p.announcements[BOB]
    own = ProxyDefinition(delegate=ALICE, proxy_type=ANY, delay=0)
    for proxies, message in (
        ([], "an empty list"),
        (listed[::-1], "out of order"),
        ([own], "its own proxy"),
        ([replace(own, delegate=BOB, delay=n) for n in range(5)], "too many"),
    ):
        p.proxies[ALICE] = proxies, deposit
        with pytest.raises(AssertionError, match=message):
            p.try_state()
    p.proxies[ALICE] = listed, deposit
    for announcements, message in (
        ([], "an empty list"),
        (pending * 3, "too many"),
        ([replace(pending[0], height=2)], "from the future"),
    ):
        p.announcements[BOB] = announcements, 55
        with pytest.raises(AssertionError, match=message):
            p.try_state()
    p.announcements[BOB] = pending, 55
    p.pure_deposits[EVE] = PureDeposit(spawner=BOB, amount=1)
    with pytest.raises(AssertionError, match="a deposit without proxies"):
        p.try_state()
    p.pure_deposits.remove(EVE)
    p.pure_deposits[ALICE] = PureDeposit(spawner=BOB, amount=deposit + 1)
    with pytest.raises(AssertionError, match="paid more than is due"):
        p.try_state()
    p.pure_deposits.remove(ALICE)
