"""Migrations: how a pallet's state gets from one storage version to the next.

    @migration(3)                                  # from storage version 2 to 3
    def widen_numbers(self) -> Weight:
        \"\"\"Numbers become u64.\"\"\"
        ...                                        # returns the weight used

    @widen_numbers.before                          # optional: what to compare with afterwards
    def count(self) -> int: ...

    @widen_numbers.after                           # optional: a sentence for each thing that is wrong
    def as_many(self, before: int) -> Iterator[str]: ...

They stand in the pallet, whose class argument `storage_version` is the last of them. The first block of a new
spec version runs those that the state lacks, in order; the checks before and after run when an upgrade is
tried (`frame.try_runtime`), never in a block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from frame.declaration_error import DeclarationError
from frame.names import docs_of
from frame.storage_version import is_new, put_version, stored_version
from frame.weights import ZERO, Weight, db

if TYPE_CHECKING:
    from frame.pallet import Pallet

Before = Callable[[Any], Any]
After = Callable[[Any, Any], Iterator[str]]


class UpgradeFailed(Exception):
    """The state cannot be brought to this version of the code; the text says which pallet and migration."""


class Migration:
    """What `@migration(to)` makes of a method."""

    def __init__(self, function: Callable[[Any], Weight], to: int) -> None:
        self.function = function
        self.to = to
        self.name: str = function.__name__
        self.docs = docs_of(function)
        self.check_before: Before | None = None
        self.check_after: After | None = None

    def before(self, check: Before) -> Before:
        """Make a method `(self) -> anything` what is noted before the migration is tried."""
        self.check_before = check
        return check

    def after(self, check: After) -> After:
        """Make a method `(self, noted) -> Iterator[str]` the check after it was tried."""
        self.check_after = check
        return check


def migration(to: int) -> Callable[[Callable[[Any], Weight]], Migration]:
    """Make a method the migration from storage version `to - 1` to `to`."""
    if to < 1:
        raise DeclarationError(f"a migration leads to storage version 1 or above, not {to}")
    return lambda function: Migration(function, to)


def checked(where: str, found: Iterable[Migration], storage_version: int) -> tuple[Migration, ...]:
    """The migrations in order; DeclarationError when two lead to one version, or one beyond the pallet's."""
    by_version: dict[int, Migration] = {}
    for item in found:
        if item.to in by_version:
            raise DeclarationError(
                f"{where}: {by_version[item.to].name} and {item.name} both lead to {item.to}"
            )
        if item.to > storage_version:
            raise DeclarationError(
                f"{where}.{item.name} leads to storage version {item.to}, "
                f"but the pallet says storage_version={storage_version}"
            )
        by_version[item.to] = item
    return tuple(by_version[version] for version in sorted(by_version))


def due(pallet: Pallet[Any]) -> list[Migration]:
    """The migrations that the state of `pallet` lacks, in order. UpgradeFailed when a step has none, or when
    the state is newer than the code.
    """
    stored, version = stored_version(pallet), pallet.storage_version
    if is_new(pallet):
        return []
    if stored > version:
        raise UpgradeFailed(
            f"{pallet.name}: the state has storage version {stored}, this program knows {version}"
        )
    known = {item.to: item for item in pallet.declaration.migrations}
    for step in range(stored + 1, version + 1):
        if step not in known:
            raise UpgradeFailed(
                f"{pallet.name}: there is no migration from storage version {step - 1} to {step}"
            )
    return [known[step] for step in range(stored + 1, version + 1)]


def migrate(pallet: Pallet[Any], item: Migration) -> Weight:
    """Run one migration, whole or not at all; the weight used. UpgradeFailed."""
    try:
        with pallet.transaction():
            used = item.function(pallet)
            put_version(pallet, item.to)
    except Exception as error:
        raise UpgradeFailed(f"{pallet.name}.{item.name}: {type(error).__name__}: {error}") from error
    return used + db(1, 1)


def migrate_all(pallets: Iterable[Pallet[Any]]) -> Weight:
    """Run all that is due; a pallet that comes with the upgrade starts at its version. UpgradeFailed."""
    used = ZERO
    for pallet in pallets:
        if is_new(pallet):
            put_version(pallet, pallet.storage_version)
            used = used + db(1, 1)
        for item in due(pallet):
            used = used + migrate(pallet, item)
    return used
