"""The storage version of a pallet: how its state is laid out, a u16 at twox128(pallet) ‖
twox128(":__STORAGE_VERSION__:") (`frame_support::traits::StorageVersion`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from primitives.hashing import twox_128

if TYPE_CHECKING:
    from frame.pallet import Pallet

_ITEM = twox_128(b":__STORAGE_VERSION__:")


def version_key(pallet: Pallet[Any]) -> bytes:
    """Where the version is stored."""
    return twox_128(pallet.name.encode()) + _ITEM


def stored_version(pallet: Pallet[Any]) -> int:
    """The version that the state has; 0 when none is stored, as Substrate takes it."""
    return int.from_bytes(pallet.machine.overlay.get(version_key(pallet)) or b"", "little")


def put_version(pallet: Pallet[Any], version: int) -> None:
    """Say that the state has this version."""
    pallet.machine.overlay.put(version_key(pallet), version.to_bytes(2, "little"))


def is_new(pallet: Pallet[Any]) -> bool:
    """Whether the state holds nothing of this pallet: it comes with this upgrade."""
    prefix = twox_128(pallet.name.encode())
    overlay = pallet.machine.overlay
    key = overlay.next_key(prefix)
    return key is None or not key.startswith(prefix)
