"""Upgrades: a new program on an old state, from the migration's declaration to the node's database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chain_spec import code as spec_code
from frame import Error, Origin, Pallet, RuntimeCall, StorageMap, StorageValue, Weight, call, migration
from frame.backend import Delta
from frame.manifest import CODE_KEY
from frame.migrations import UpgradeFailed
from frame.runtime import Block, Runtime
from frame.storage_version import stored_version
from frame.testing import Chain
from frame.try_runtime import check_upgrade, try_state, try_upgrade
from frame.weights import MAX, ZERO, weight
from node.chain import Chain as NodeChain
from node.chain import OpenBlock
from node.database import Database
from node.errors import BadOption
from node.run import _check_upgrade
from pallets.system import System
from pallets.timestamp import Timestamp
from primitives.digest import DigestItem
from primitives.scale import U32, U64
from tests.frame.template_runtime import ALICE

NOW = 1_800_000_000_000


class OldStore(Pallet[None], storage_version=1):
    """Numbers, as the first program kept them."""

    numbers = StorageMap[U32, U32]()

    @call(0, weight=weight(1))
    def keep(self, origin: Origin, place: U32, number: U32) -> None:
        """Keep a number."""
        origin.signed()
        self.numbers[place] = number


class Store(Pallet[None], storage_version=3):
    """Numbers, wider, and how many."""

    numbers = StorageMap[U32, U64]()
    count = StorageValue[U32](default=0)

    class TooMany(Error):
        """A migration met more than it can do."""

    @call(0, weight=weight(1))
    def keep(self, origin: Origin, place: U32, number: U64) -> None:
        """Keep a number."""
        origin.signed()
        self.numbers[place] = number

    @migration(2)
    def widen(self) -> Weight:
        """Numbers become u64."""
        overlay = self.machine.overlay
        for key in list(overlay.keys(self.numbers.key)):
            raw = overlay.get(key) or b""
            overlay.put(key, raw.ljust(8, b"\0"))
        return weight(1_000)

    @widen.before
    def sum_before(self) -> int:
        """The sum, in the old layout."""
        overlay = self.machine.overlay
        return sum(
            int.from_bytes(overlay.get(key) or b"", "little") for key in overlay.keys(self.numbers.key)
        )

    @widen.after
    def sum_after(self, before: int) -> Iterator[str]:
        """The sum is the same."""
        found = sum(self.numbers.values())
        if found != before:
            yield f"the numbers add up to {found}, before it was {before}"

    @migration(3)
    def count_them(self) -> Weight:
        """The number of entries is kept."""
        entries = len(list(self.numbers.keys()))
        self.count.put(entries)
        if entries > 5:
            raise self.TooMany()
        return weight(2_000)


class Extra(Pallet[None], storage_version=4):
    """Comes with the upgrade."""

    value = StorageValue[U32](default=7)


class First(Runtime, spec_name="grain", spec_version=1):
    """The first program."""

    system = System(index=0)
    timestamp = Timestamp(index=1)
    store = OldStore(index=5, name="Store")


class Second(Runtime, spec_name="grain", spec_version=2):
    """The next one."""

    system = System(index=0)
    timestamp = Timestamp(index=1)
    store = Store(index=5)
    extra = Extra(index=6)


class Forgetful(Pallet[None], storage_version=3):
    """Lacks the step from 2 to 3."""

    @migration(2)
    def nothing(self) -> Weight:
        """Nothing changes."""
        return ZERO


class Third(Runtime, spec_name="grain", spec_version=3):
    """A program that nobody should have released."""

    system = System(index=0)
    timestamp = Timestamp(index=1)
    store = Forgetful(index=5, name="Store")


def old_chain(numbers: int = 3) -> Chain:
    """A chain that the first program has made."""
    chain = Chain(First())
    machine = chain.runtime.machine()
    machine.overlay.reset(chain.state)
    machine.system.inc_providers(ALICE.account_id)
    chain.state = chain.state.after(machine.overlay.delta())
    keep = First.store.entry("keep")
    chain.block(*(chain.sign(ALICE, RuntimeCall(keep, (n, 10 * n)), nonce=n) for n in range(numbers)))
    return chain


def test_the_first_block_of_a_new_program_upgrades_the_state() -> None:
    chain = old_chain()
    before = chain.state.get(CODE_KEY)
    chain.runtime = Second()
    outcome = chain.block()  # built, then executed again by whoever imports it
    logs = [type(item) for item in outcome.header.digest.logs]
    assert logs == [DigestItem.RuntimeEnvironmentUpdated]
    machine = chain.runtime.machine()
    machine.overlay.reset(chain.state)
    store, extra = machine.of(Second.store), machine.of(Second.extra)
    assert dict(store.numbers.items()) == {0: 0, 1: 10, 2: 20} and store.count.get() == 3
    assert (stored_version(store), stored_version(extra), extra.value.get()) == (3, 4, 7)
    assert machine.system.last_spec_version() == 2
    code = chain.state.get(CODE_KEY)
    assert code is not None and code != before
    assert spec_code.code_version(code).spec_version == 2
    names = [type(event).__name__ for event in chain.events()]
    assert names.count("CodeUpdated") == 1
    assert try_state(chain.runtime, chain.state) == []
    following = chain.block()
    assert following.header.digest.logs == [] and chain.state.get(CODE_KEY) == code


def test_the_used_weight_counts_as_the_block_s() -> None:
    chain = old_chain()
    chain.runtime = Second()
    used = []
    for _ in range(2):
        builder = chain.open()
        used.append(builder.machine.system.used_weight(2))  # type: ignore[arg-type]
        chain.close(builder)
    assert used[0].ref_time - used[1].ref_time >= 3_000


def test_what_fails_is_named_and_leaves_the_state_alone() -> None:
    chain = old_chain(numbers=6)
    before = dict(chain.state.top)
    chain.runtime = Second()
    with pytest.raises(UpgradeFailed, match=r"Store.count_them: TooMany"):
        chain.open()
    chain.runtime = Third()
    with pytest.raises(UpgradeFailed, match="no migration from storage version 2 to 3"):
        chain.open()
    assert chain.state.top == before
    chain.runtime = First()
    chain.block()


def test_an_upgrade_is_tried_before_it_is_made() -> None:
    state = old_chain().state
    report = try_upgrade(Second(), state)
    assert (report.old_version, report.new_version, report.is_due) == (1, 2, True)
    assert [(m.pallet, m.name, m.to) for m in report.migrations] == [
        ("Store", "widen", 2),
        ("Store", "count_them", 3),
    ]
    assert report.problems == [] and report.weight.ref_time > 3_000
    assert check_upgrade(Second(), state)
    assert stored_version_of(state) == 1, "nothing was kept"
    assert not try_upgrade(First(), state).is_due and not check_upgrade(First(), state)


def stored_version_of(state: object) -> int:
    machine = First().machine()
    machine.overlay.reset(state)  # type: ignore[arg-type]
    return stored_version(machine.of(First.store))


def test_the_checks_around_a_migration_report(monkeypatch: pytest.MonkeyPatch) -> None:
    state = old_chain().state
    widen, count_them = Store.declaration.migrations
    monkeypatch.setattr(widen, "function", lambda store: ZERO)  # forgets to widen
    report = try_upgrade(Second(), state)
    assert any("Store" in problem for problem in report.problems)
    monkeypatch.setattr(widen, "function", _loses_one)
    assert "Store.widen: the numbers add up to 10, before it was 30" in try_upgrade(Second(), state).problems
    monkeypatch.undo()
    monkeypatch.setattr(count_them, "function", lambda store: MAX)
    assert any("a block has" in problem for problem in try_upgrade(Second(), state).problems)


def _loses_one(store: Store) -> Weight:
    overlay = store.machine.overlay
    for key in list(overlay.keys(store.numbers.key)):
        overlay.put(key, (overlay.get(key) or b"").ljust(8, b"\0"))
    store.numbers.remove(2)
    return ZERO


def test_an_older_program_is_refused() -> None:
    chain = old_chain()
    chain.runtime = Second()
    chain.block()
    with pytest.raises(UpgradeFailed, match="left by spec version 2, this program is 1: use a newer"):
        check_upgrade(First(), chain.state)
    assert "left by spec version 2" in try_upgrade(First(), chain.state).problems[0]
    assert "System.the_code_is_not_older" in {
        f"{v.pallet}.{v.invariant}" for v in try_state(First(), chain.state)
    }


def test_declarations_of_migrations_are_checked() -> None:
    with pytest.raises(TypeError, match="leads to storage version 2, but the pallet says storage_version=1"):

        class Beyond(Pallet[None], storage_version=1):
            @migration(2)
            def ahead(self) -> Weight:
                """Too far."""
                return ZERO

    with pytest.raises(TypeError, match="one and two both lead to 1"):

        class Twice(Pallet[None], storage_version=1):
            @migration(1)
            def one(self) -> Weight:
                """To 1."""
                return ZERO

            @migration(1)
            def two(self) -> Weight:
                """To 1, too."""
                return ZERO

    with pytest.raises(TypeError, match="version 1 or above"):
        migration(0)


# -- on a database --------------------------------------------


def genesis() -> tuple[object, Delta]:
    chain = Chain(First())
    return chain.header, Delta(dict(sorted(chain.state.top.items())))


def opened(database: Database, runtime: Runtime) -> NodeChain:
    header, delta = genesis()
    return NodeChain(database, runtime, header, delta)  # type: ignore[arg-type]


def seal(chain: NodeChain, number: int) -> Block:
    imported = OpenBlock(chain, NOW + number).seal()
    return Block(header=imported.header, extrinsics=list(imported.extrinsics))


def test_a_node_goes_on_with_a_newer_program(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Database.open(tmp_path / "a", sync=False) as database:
        chain = opened(database, First())
        blocks = [seal(chain, n) for n in range(3)]
    with Database.open(tmp_path / "a", sync=False) as database:
        chain = opened(database, Second())
        with caplog.at_level("INFO", "node"):
            _check_upgrade(chain)
        assert "upgrades the state to spec version 2" in caplog.text
        upgraded = seal(chain, 3)
        blocks += [upgraded, seal(chain, 4)]
        assert upgraded.header.digest.logs == [DigestItem.RuntimeEnvironmentUpdated()]
        assert try_state(chain.runtime, chain.state()) == []
        # At an old block the state is as the old program left it.
        assert try_upgrade(chain.runtime, chain.state(blocks[2].header.hash)).is_due
    with Database.open(tmp_path / "a", sync=False) as database, pytest.raises(BadOption, match="use a newer"):
        _check_upgrade(opened(database, First()))
    with Database.open(tmp_path / "b", sync=False) as database:
        chain = opened(database, First())
        for block in blocks[:3]:
            chain.import_block(block)
    with Database.open(tmp_path / "b", sync=False) as database:
        chain = opened(database, Second())
        for block in blocks[3:]:
            chain.import_block(block)
        assert chain.head.hash == blocks[-1].header.hash


def test_a_node_refuses_to_start_where_the_upgrade_fails(tmp_path: Path) -> None:
    with Database.open(tmp_path / "a", sync=False) as database:
        seal(opened(database, First()), 0)
    with Database.open(tmp_path / "a", sync=False) as database:
        chain = opened(database, Third())
        with pytest.raises(BadOption, match=r"no migration .* `gristmill try-upgrade` says more"):
            _check_upgrade(chain)
        assert chain.head.number == 1
