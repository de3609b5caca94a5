"""Every invariant of every pallet notices a state that breaks it, and says its own name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from frame.invariants import invariants_of
from frame.storage_version import put_version
from frame.testing import Externalities
from frame.weights import MAX
from pallets.balances.types import Freeze, Hold
from pallets.compute.types import Role
from pallets.multisig import multi_account_id
from pallets.multisig.types import Timepoint
from pallets.proxy import ProxyType
from pallets.proxy.types import PureDeposit
from pallets.transaction_payment.pallet import FixedU128
from primitives.data import DatasetState
from primitives.job import JobState
from primitives.scale import U128, encode, replace
from runtime import GristmillRuntime
from tests.pallets.money import ALICE, BOB, CAROL, EVE, STAKE, VOTE, Bank, at, bank, signed
from tests.pallets.samples import ALICE as PROVIDER
from tests.pallets.samples import BOB as BUYER
from tests.pallets.samples import seal_key, spec
from tests.pallets.world import MODEL, World

STRANGER = b"\x77" * 32


def busy_bank() -> Externalities:
    """Accounts with freezes, an open operation of a multisig, proxies, a pure account, an announcement."""
    ext = bank()
    b, m, p = ext.of(Bank.balances), ext.of(Bank.multisig), ext.of(Bank.proxy)
    b.set_freeze(VOTE, BOB, 50)
    b.set_lock(b"an old 1", BOB, 70)
    ext.dispatch(m.as_multi.new(2, [BOB, CAROL], None, b.burn.new(1, True), MAX), signed(ALICE))
    ext.dispatch(p.add_proxy.new(at(BOB), ProxyType.Any, 0), signed(ALICE))
    ext.dispatch(p.add_proxy.new(at(CAROL), ProxyType.Any, 1), signed(ALICE))
    ext.dispatch(p.create_pure.new(ProxyType.Any, 0, 0), signed(BOB))
    ext.dispatch(p.announce.new(at(ALICE), bytes(32)), signed(BOB))
    assert ext.violations() == []
    return ext


def busy_market() -> World:
    """A job in Alice's dataset that is open and accepted, a blob with a piece missing, fees of an era."""
    world = World()
    world.offer(PROVIDER)
    model = world.upload(BUYER, MODEL)
    world.declare(BUYER, b"incomplete" * 100_000)
    order = world.compute.submit.new(0, model, 10**9, spec(), 10**15, seal_key(9))
    world.do(order, BUYER)
    world.next_block()
    world.do(world.compute.accept.new(0, None), PROVIDER)
    world.rewards.burned(0, 1_000)
    world.check()
    return world


def _pure(ext: Externalities) -> bytes:
    return next(iter(ext.of(Bank.proxy).pure_deposits))


def _paid(ext: Externalities, pure: bytes, amount: int) -> None:
    ext.of(Bank.proxy).pure_deposits[pure] = PureDeposit(spawner=BOB, amount=amount)


def _operation(ext: Externalities, **changes: Any) -> None:
    multisigs = ext.of(Bank.multisig).multisigs
    key, found = next(multisigs.items())
    assert key[0] == multi_account_id(sorted([ALICE, BOB, CAROL]), 2)
    multisigs[key] = replace(found, **changes)


def _account(ext: Externalities, who: bytes, **changes: Any) -> None:
    system = ext.of(Bank.system)
    system.account_info[who] = replace(system.account_info[who], **changes)


def _money(ext: Externalities, who: bytes, **changes: Any) -> None:
    system = ext.of(Bank.system)
    account = system.account_info[who]
    system.account_info[who] = replace(account, data=replace(account.data, **changes))


def _raw(ext: Externalities, key: bytes, value: bytes) -> None:
    ext.overlay.put(key, value)


def _proxies(ext: Externalities, change: Callable[[Any, int], Any]) -> None:
    p = ext.of(Bank.proxy)
    p.proxies[ALICE] = change(*p.proxies[ALICE])


def _announcements(ext: Externalities, change: Callable[[Any, int], Any]) -> None:
    p = ext.of(Bank.proxy)
    p.announcements[BOB] = change(*p.announcements[BOB])


def _left_over(ext: Externalities) -> None:
    system = ext.of(Bank.system)
    system.execution_phase.kill()
    system.extrinsic_count.put(1)


def _from_the_future(ext: Externalities) -> None:
    item = ext.of(Bank.system).last_runtime_upgrade
    item.put(replace(item.get(), spec_version=99))


def _record(ext: Externalities, who: bytes, freezes: list[Freeze]) -> None:
    ext.of(Bank.balances).freezes[who] = freezes


def _multiplier(ext: Externalities) -> None:
    ext.of(Bank.transaction_payment).next_fee_multiplier.put(FixedU128(value=0))


IN_THE_BANK: list[tuple[str, Callable[[Externalities], Any]]] = [
    ("System.accounts_are_referenced", lambda e: _account(e, ALICE, providers=0, sufficients=0)),
    ("System.accounts_are_referenced", lambda e: _account(e, ALICE, consumers=17)),
    ("System.events_are_counted", lambda e: e.of(Bank.system).event_count.put(3)),
    ("System.events_are_counted", lambda e: _raw(e, e.of(Bank.system).events.key, b"\x04\0")),
    ("System.block_hashes_are_kept", lambda e: e.of(Bank.system).parent.put(bytes(32))),
    ("System.block_hashes_are_kept", lambda e: e.of(Bank.system).block_hashes.__setitem__(9, bytes(32))),
    ("System.nothing_of_a_block_stays", _left_over),
    ("System.the_code_is_not_older", _from_the_future),
    ("System.storage_decodes", lambda e: _raw(e, e.of(Bank.system).account_info.key_of(ALICE), b"short")),
    ("System.storage_decodes", lambda e: _raw(e, e.of(Bank.system).account_info.key + b"?" * 48, bytes(80))),
    ("Balances.storage_version_is_the_codes", lambda e: put_version(e.of(Bank.balances), 0)),
    ("Balances.issuance_is_the_sum", lambda e: e.of(Bank.balances).total_issuance_value.put(1)),
    ("Balances.inactive_issuance_is_a_part", lambda e: e.of(Bank.balances).inactive_issuance.put(10**20)),
    ("Balances.reserved_is_the_holds", lambda e: _money(e, CAROL, reserved=5)),
    ("Balances.frozen_is_the_largest", lambda e: _money(e, CAROL, frozen=5)),
    ("Balances.money_has_a_provider", lambda e: _account(e, ALICE, providers=0, sufficients=1)),
    ("Balances.reserved_money_has_a_consumer", lambda e: _account(e, BOB, consumers=0)),
    ("Balances.no_dust", lambda e: _money(e, CAROL, free=3)),
    ("Balances.records_have_accounts", lambda e: _record(e, EVE, [Freeze(id=VOTE, amount=1)])),
    ("Balances.records_have_accounts", lambda e: _record(e, CAROL, [])),
    ("Balances.records_have_accounts", lambda e: _record(e, CAROL, [Freeze(id=VOTE, amount=0)])),
    ("Balances.records_have_accounts", lambda e: _record(e, CAROL, [Freeze(id=STAKE, amount=1)] * 2)),
    ("TransactionPayment.the_multiplier_is_in_its_range", _multiplier),
    ("Multisig.operations_are_well_formed", lambda e: _operation(e, approvals=[CAROL, ALICE])),
    ("Multisig.operations_are_well_formed", lambda e: _operation(e, approvals=[BOB])),
    ("Multisig.operations_began_in_the_past", lambda e: _operation(e, when=Timepoint(height=9, index=0))),
    ("Multisig.deposits_are_held", lambda e: _operation(e, deposit=1)),
    ("Multisig.deposits_are_held", lambda e: _operation(e, depositor=BOB)),
    ("Proxy.deposits_are_held", lambda e: _proxies(e, lambda listed, deposit: (listed, deposit - 1))),
    ("Proxy.deposits_are_held", lambda e: _announcements(e, lambda listed, deposit: (listed, deposit + 1))),
    ("Proxy.proxies_are_well_formed", lambda e: _proxies(e, lambda listed, deposit: (listed[::-1], deposit))),
    ("Proxy.proxies_are_well_formed", lambda e: _proxies(e, lambda listed, deposit: ([], deposit))),
    ("Proxy.announcements_are_well_formed", lambda e: _announcements(e, lambda listed, deposit: ([], 0))),
    (
        "Proxy.spawners_paid_no_more_than_is_due",
        lambda e: e.of(Bank.proxy).pure_deposits.__setitem__(
            _pure(e), PureDeposit(spawner=BOB, amount=10**9)
        ),
    ),
    (
        "Proxy.spawners_paid_no_more_than_is_due",
        lambda e: e.of(Bank.proxy).pure_deposits.__setitem__(EVE, PureDeposit(spawner=BOB, amount=1)),
    ),
]


def _job(world: World, **changes: Any) -> None:
    world.compute.jobs[0] = replace(world.compute.jobs[0], **changes)


def _dataset(world: World, **changes: Any) -> None:
    world.datasets.datasets[0] = replace(world.datasets.datasets[0], **changes)


def _blob(world: World, whole: bool, **changes: Any) -> None:
    hash, blob = next((h, b) for h, b in world.blobs.blobs.items() if b.complete is whole)
    world.blobs.blobs[hash] = replace(blob, **changes)


def _deal(world: World, **changes: Any) -> None:
    world.market.deals[0] = replace(world.market.deals[0], **changes)


def _ledger(world: World, **changes: Any) -> None:
    world.datasets.ledger[0] = replace(world.datasets.ledger[0], **changes)


def _era(world: World, **changes: Any) -> None:
    era, record = next(world.rewards.eras.items())
    world.rewards.eras[era] = replace(record, **changes)


def _unheld(world: World) -> None:
    """Somebody is held to a deposit that no record knows."""
    reason = world.datasets.reason(world.datasets.HoldReason.Deposit)
    world.balances.holds[STRANGER] = [Hold(id=reason, amount=5)]


IN_THE_MARKET: list[tuple[str, Callable[[World], Any]]] = [
    ("Blobs.deposits_are_held", lambda w: _blob(w, True, deposit=1)),
    ("Blobs.complete_means_nothing_missing", lambda w: _blob(w, False, complete=True)),
    ("Blobs.complete_means_nothing_missing", lambda w: w.blobs.missing.__setitem__(bytes(32), [bytes(32)])),
    ("Blobs.received_counts_the_pieces", lambda w: _blob(w, False, received=2)),
    ("Blobs.received_counts_the_pieces", lambda w: _blob(w, True, len=10**7)),
    ("Blobs.only_complete_blobs_are_retained", lambda w: _blob(w, False, references=1)),
    ("Datasets.deposits_are_held", lambda w: _dataset(w, deposit=1)),
    ("Datasets.deposits_are_held", _unheld),
    ("Datasets.ids_are_given_in_order", lambda w: w.datasets.next_dataset_id.put(0)),
    ("Datasets.ledgers_have_datasets", lambda w: w.datasets.ledger.__setitem__(7, w.datasets.ledger[0])),
    ("Datasets.ledgers_have_datasets", lambda w: _ledger(w, reserved=5, open_jobs=0)),
    ("Datasets.states_follow_the_jobs", lambda w: _dataset(w, state=DatasetState.Closed)),
    ("Datasets.commitments_fit_the_schema", lambda w: _dataset(w, schema_hash=bytes(32))),
    ("Datasets.commitments_fit_the_schema", lambda w: _dataset(w, rows=10**6)),
    ("Rewards.fees_add_up", lambda w: _era(w, unclaimed=1)),
    ("Rewards.promises_add_up", lambda w: w.rewards.promised.put(7)),
    ("Rewards.promises_add_up", lambda w: _era(w, left=5)),
    ("Rewards.promises_are_covered", lambda w: w.rewards.promised.put(10**30)),
    ("Market.deposits_are_held", lambda w: _deal(w, price=10**12 + 1)),
    ("Market.deposits_are_held", lambda w: _deal(w, bond=0)),
    ("Market.listings_are_the_owners", lambda w: _dataset(w, owner=STRANGER)),
    ("Market.deals_can_be_paid_out", lambda w: _deal(w, price=1)),
    ("Market.deals_can_be_paid_out", lambda w: _deal(w, provider=BUYER)),
    ("Compute.ids_are_given_in_order", lambda w: w.compute.next_job_id.put(0)),
    ("Compute.open_jobs_have_order_and_deal", lambda w: w.compute.orders.remove(0)),
    ("Compute.open_jobs_have_order_and_deal", lambda w: w.market.deals.remove(0)),
    ("Compute.open_jobs_have_order_and_deal", lambda w: _job(w, state=JobState.Settled)),
    ("Compute.orders_are_what_was_agreed", lambda w: _job(w, spec_hash=bytes(32))),
    ("Compute.the_index_holds_the_open_jobs", lambda w: w.compute.open_jobs.remove(BUYER, 0)),
    (
        "Compute.the_index_holds_the_open_jobs",
        lambda w: w.compute.open_jobs.__setitem__((STRANGER, 0), Role.Buyer),
    ),
    ("Compute.ledgers_reserve_what_jobs_may_cost", lambda w: _ledger(w, reserved=5)),
    ("Compute.ledgers_reserve_what_jobs_may_cost", lambda w: _ledger(w, open_jobs=2)),
    ("Compute.blobs_of_open_jobs_are_retained", lambda w: _blob(w, True, references=2)),
    ("Compute.blobs_of_open_jobs_are_retained", lambda w: _job(w, model=bytes(32))),
]


def reported(ext: Externalities) -> set[str]:
    return {f"{found.pallet}.{found.invariant}" for found in ext.violations()}


@pytest.mark.parametrize(("name", "corrupt"), IN_THE_BANK, ids=[name for name, _ in IN_THE_BANK])
def test_a_corrupted_bank_is_reported(name: str, corrupt: Callable[[Externalities], Any]) -> None:
    ext = busy_bank()
    corrupt(ext)
    assert name in reported(ext)
    with pytest.raises(AssertionError, match=name):
        ext.try_state()


@pytest.mark.parametrize(("name", "corrupt"), IN_THE_MARKET, ids=[name for name, _ in IN_THE_MARKET])
def test_a_corrupted_market_is_reported(name: str, corrupt: Callable[[World], Any]) -> None:
    world = busy_market()
    corrupt(world)
    assert name in reported(world.ext)


def test_no_invariant_is_without_a_corruption() -> None:
    declared = {f"{p.name}.{i.name}" for p in GristmillRuntime.pallets for i in p.declaration.invariants}
    assert declared <= {name for name, _ in (*IN_THE_BANK, *IN_THE_MARKET)}
    pallets_with_deposits = {p.name for p in GristmillRuntime.pallets if p.declaration.hold_reasons}
    assert all(p.keeps_deposits() for p in GristmillRuntime.pallets if p.declaration.hold_reasons)
    assert {f"{name}.deposits_are_held" for name in pallets_with_deposits} <= {
        name for name, _ in (*IN_THE_BANK, *IN_THE_MARKET)
    }


def test_every_invariant_says_what_it_says() -> None:
    for pallet in GristmillRuntime.pallets:
        for name, docs in invariants_of(pallet):
            assert docs.endswith("."), f"{pallet.name}.{name}"


def test_a_broken_rule_is_not_told_of_a_thousand_times() -> None:
    ext = busy_bank()
    for number in range(100):
        ext.of(Bank.balances).freezes[number.to_bytes(32, "big")] = []
    found = [v for v in ext.violations() if v.invariant == "records_have_accounts"]
    assert len(found) == 21 and found[-1].text == "and more"


def test_a_state_that_cannot_be_read_is_reported_not_raised() -> None:
    world = busy_market()
    key = world.compute.jobs.key_of(0)
    world.overlay.put(key, encode(U128, 5))
    assert {"Compute.storage_decodes", "Compute.open_jobs_have_order_and_deal"} <= reported(world.ext)
    assert any("cannot be read" in found.text for found in world.ext.violations())
