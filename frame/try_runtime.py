"""Trying a runtime on a state, as `try-runtime` does: the invariants, and an upgrade with its checks.

Pure functions of (runtime, state): nothing is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from frame.backend import Backend
from frame.invariants import Violation, violations
from frame.machine import Machine
from frame.migrations import Migration, UpgradeFailed, due, migrate, migrate_all
from frame.pallet import Pallet
from frame.runtime import Runtime
from frame.state import Overlay
from frame.storage_version import is_new, put_version
from frame.weights import ZERO, Weight


@dataclass(frozen=True)
class Tried:
    """A migration that was tried."""

    pallet: str
    name: str
    to: int
    weight: Weight


@dataclass(frozen=True)
class UpgradeReport:
    """What the first block of the new spec version would do to a state, and what is wrong with that."""

    old_version: int | None
    """The state's spec version; None for a state that names none."""
    new_version: int
    is_due: bool
    migrations: list[Tried] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    weight: Weight = ZERO


def try_state(runtime: Runtime, state: Backend) -> list[Violation]:
    """Every invariant of every pallet on `state`; empty when all hold."""
    machine = runtime.borrow(state)
    try:
        return violations(machine)
    finally:
        runtime.release(machine)


def try_upgrade(runtime: Runtime, state: Backend) -> UpgradeReport:
    """Run what the upgrade would run, with each migration's checks before and after, then all invariants."""
    machine = runtime.machine(Overlay(state))
    system = machine.system
    old, new = system.last_spec_version(), runtime.version.spec_version
    report = UpgradeReport(old_version=old, new_version=new, is_due=system.is_upgrade_due())
    if old is not None and old > new:
        report.problems.append(f"the state was left by spec version {old}, this program is {new}")
        return report
    if not report.is_due:
        return report
    used = ZERO
    try:
        for pallet in machine.pallets:
            used = used + _try_migrations(pallet, report)
        for pallet in machine.pallets:
            used = used + _try_hook(pallet)
    except UpgradeFailed as error:
        report.problems.append(str(error))
        return report
    report.problems.extend(map(str, violations(machine)))
    limit = _limit(machine)
    if not used.fits(limit):
        report.problems.append(
            f"the migrations weigh {used.ref_time} ps and {used.proof_size} bytes, "
            f"a block has {limit.ref_time} and {limit.proof_size}"
        )
    return UpgradeReport(
        old_version=old,
        new_version=new,
        is_due=True,
        migrations=report.migrations,
        problems=report.problems,
        weight=used,
    )


def check_upgrade(runtime: Runtime, state: Backend) -> bool:
    """Whether the next block on `state` upgrades it. UpgradeFailed when it could not, or when the state was
    left by a newer program.
    """
    machine = runtime.borrow(state)
    try:
        old, new = machine.system.last_spec_version(), runtime.version.spec_version
        if old is not None and old > new:
            raise UpgradeFailed(
                f"the chain's state was left by spec version {old}, this program is {new}: "
                "use a newer program"
            )
        if not machine.system.is_upgrade_due():
            return False
        migrate_all(machine.pallets)
        for pallet in machine.pallets:
            _try_hook(pallet)
        return True
    finally:
        runtime.release(machine)


def _try_migrations(pallet: Pallet[Any], report: UpgradeReport) -> Weight:
    if is_new(pallet):
        put_version(pallet, pallet.storage_version)
    used = ZERO
    for item in due(pallet):
        noted = _noted(pallet, item)
        weight = migrate(pallet, item)
        used = used + weight
        report.migrations.append(Tried(pallet.name, item.name, item.to, weight))
        report.problems.extend(f"{pallet.name}.{item.name}: {text}" for text in _after(pallet, item, noted))
    return used


def _after(pallet: Pallet[Any], item: Migration, noted: object) -> list[str]:
    if item.check_after is None:
        return []
    try:
        return list(item.check_after(pallet, noted))
    except Exception as error:
        return [f"after it: {type(error).__name__}: {error}"]


def _noted(pallet: Pallet[Any], item: Migration) -> object:
    if item.check_before is None:
        return None
    try:
        return item.check_before(pallet)
    except Exception as error:
        raise UpgradeFailed(
            f"{pallet.name}.{item.name}: before it: {type(error).__name__}: {error}"
        ) from error


def _try_hook(pallet: Pallet[Any]) -> Weight:
    try:
        return pallet.on_runtime_upgrade()
    except Exception as error:
        raise UpgradeFailed(f"{pallet.name}.on_runtime_upgrade: {type(error).__name__}: {error}") from error


def _limit(machine: Machine) -> Weight:
    return machine.system.block_weights().max_block
