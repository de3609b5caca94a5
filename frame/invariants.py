"""Invariants: what is true of a state between any two blocks, each under a name.

A pallet declares one as a method that yields a sentence for every place where it does not hold:

    @invariant
    def issuance_is_the_sum(self) -> Iterator[str]:
        \"\"\"The total issuance is the sum of all balances.\"\"\"
        if ...:
            yield f"{found} in accounts, {said} issued"

`violations` asks all of them, and for every pallet also what the frame can know by itself: that its storage
decodes, counters count, its storage version is the code's, and what it has on hold is what its records say.
Nothing here runs in a block; nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from frame.codecs import needs_runtime
from frame.errors import DispatchError
from frame.item import Item
from frame.names import docs_of
from frame.storage_version import stored_version
from primitives.hashing import twox_128
from primitives.scale import ScaleError

if TYPE_CHECKING:
    from frame.machine import Machine
    from frame.pallet import Declaration, Pallet

Check = Callable[[Any], Iterator[str]]

_SHOWN: Final = 20
"""Sentences of one invariant that are reported; a broken rule tends to be broken everywhere."""


class Invariant:
    """What `@invariant` makes of a method."""

    def __init__(self, function: Check) -> None:
        self.function = function
        self.name: str = function.__name__


def invariant(function: Check) -> Invariant:
    """Make a method `(self) -> Iterator[str]` an invariant of its pallet."""
    return Invariant(function)


@dataclass(frozen=True)
class Violation:
    """An invariant that does not hold, and where."""

    pallet: str
    invariant: str
    text: str

    def __str__(self) -> str:
        return f"{self.pallet}.{self.invariant}: {self.text}"


class HoldBook(Protocol):
    """The pallet that knows all that is on hold."""

    def all_holds(self) -> Iterator[tuple[bytes, bytes, int]]:
        """(reason, account, amount) of every hold."""
        ...


def violations(machine: Machine) -> list[Violation]:
    """All that is wrong with the state that `machine` stands on, pallet by pallet."""
    return [found for pallet in machine.pallets for found in pallet_violations(pallet)]


def pallet_violations(pallet: Pallet[Any]) -> Iterator[Violation]:
    """What is wrong with the state of one pallet."""
    for name, check in _checks(pallet):
        for text in _sentences(check, pallet):
            yield Violation(pallet.name, name, text)


def _checks(pallet: Pallet[Any]) -> list[tuple[str, Check]]:
    return [*_BUILT_IN, *((found.name, found.function) for found in pallet.declaration.invariants)]


def invariants_of(pallet: Pallet[Any]) -> list[tuple[str, str]]:
    """(name, what it says) of all that is checked of a pallet."""
    return [(name, docs_of(check)) for name, check in _checks(pallet)]


def _sentences(check: Check, pallet: Pallet[Any]) -> list[str]:
    found: list[str] = []
    try:
        for text in check(pallet):
            if len(found) == _SHOWN:
                return [*found, "and more"]
            found.append(text)
    except (DispatchError, ScaleError, ValueError, LookupError) as error:
        found.append(f"the state cannot be read: {type(error).__name__}: {error}")
    return found


# -- what the frame knows of every pallet --------------------------------------------


def _storage_decodes(pallet: Pallet[Any]) -> Iterator[str]:
    """Every key and value in the pallet's storage is exactly one of its declared type."""
    overlay = pallet.machine.overlay
    for item in _readable_items(pallet.declaration):
        prefix = item.prefix(pallet)
        for key in overlay.keys(prefix):
            raw = overlay.get(key)
            try:
                _check_key(item, key, len(prefix))
                item.codec.decode(raw or b"")
            except ScaleError as error:
                yield f"{item.name} at 0x{key.hex()}: {error}"


@cache
def _readable_items(declaration: Declaration) -> tuple[Item, ...]:
    return tuple(item for item in declaration.storage if not needs_runtime(item.codec))


def _check_key(item: Item, key: bytes, at: int) -> None:
    for codec, hasher in zip(item.key_codecs, item.hashers, strict=True):
        start = at + hasher.skip
        _, end = codec.decode_from(key, start)
        if hasher.hash(key[start:end]) != key[at:end]:
            raise ScaleError("the hash in the key is not that of the key")
        at = end
    if at != len(key):
        raise ScaleError(f"{len(key) - at} bytes left over after the key")


def _counters_count(pallet: Pallet[Any]) -> Iterator[str]:
    """A counted map has as many entries as its counter says."""
    overlay = pallet.machine.overlay
    for item in pallet.declaration.storage:
        if item.counted:
            entries = sum(1 for _ in overlay.keys(item.prefix(pallet)))
            raw = overlay.get(twox_128(pallet.name.encode()) + twox_128(f"CounterFor{item.name}".encode()))
            counted = int.from_bytes(raw or b"", "little")
            if counted != entries:
                yield f"{item.name} has {entries} entries, its counter says {counted}"


def _storage_version_is_the_codes(pallet: Pallet[Any]) -> Iterator[str]:
    """The stored storage version is that of the code: all migrations have run."""
    stored = stored_version(pallet)
    if stored != pallet.storage_version:
        yield f"the storage has version {stored}, the code version {pallet.storage_version}"


def _deposits_are_held(pallet: Pallet[Any]) -> Iterator[str]:
    """What is on hold for the pallet's reasons is, account by account, what its records say."""
    book = next((other for other in pallet.machine.pallets if hasattr(other, "all_holds")), None)
    if book is None or not pallet.keeps_deposits():
        return
    expected: dict[tuple[bytes, bytes], int] = {}
    for member, who, amount in pallet.held_deposits():
        if amount:
            key = pallet.reason(member), who
            expected[key] = expected.get(key, 0) + amount
    held = {(reason, who): amount for reason, who, amount in book.all_holds() if reason[0] == pallet.index}
    names = {int(member): member.name for member in pallet.declaration.hold_reasons}
    for reason, who in sorted(expected.keys() | held.keys()):
        said, found = expected.get((reason, who), 0), held.get((reason, who), 0)
        if said != found:
            name = names.get(reason[1], "an unknown reason")
            yield f"{name} of {who.hex()}: the records say {said}, {found} is on hold"


_BUILT_IN: Final[tuple[tuple[str, Check], ...]] = (
    ("storage_decodes", _storage_decodes),
    ("counters_count", _counters_count),
    ("storage_version_is_the_codes", _storage_version_is_the_codes),
    ("deposits_are_held", _deposits_are_held),
)
