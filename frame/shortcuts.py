"""Functions that read and write one storage item in one step: what most of a block's time goes through.

They do what `Overlay.read` and `Overlay.write` do, with everything that does not change bound beforehand.
Source of none of the rules: see `frame.state` and `frame.storage`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from frame.errors import Corruption
from frame.state import ABSENT, Decode, Encode, Overlay
from primitives.scale import ScaleError

Absent = Callable[[], Any]
Corrupt = Callable[[ScaleError], Corruption]
Fits = Callable[[Any], bool]


def value_getter(
    overlay: Overlay, key: bytes, decode: Decode, keep: Encode | None, absent: Absent, corrupt: Corrupt
) -> Callable[[], Any]:
    """The value at one key, else what `absent` says."""
    view, load = overlay.view, overlay.load

    def get() -> Any:
        try:
            found = view[key]
        except KeyError:
            found = load(key)
        if type(found) is tuple:
            return found[0]
        if found is None:
            return absent()
        try:
            value = decode(found)  # type: ignore[arg-type]
        except ScaleError as error:
            raise corrupt(error) from error
        if keep is not None:
            view[key] = (value, keep)
        return value

    return get


def value_putter(
    overlay: Overlay, key: bytes, encode: Encode, fits: Fits | None, write: Callable[[bytes, Any], None]
) -> Callable[[Any], None]:
    """Keep a value that fits; `write` does it for the others."""
    view, note = overlay.view, overlay.journal.extend

    def put(value: Any) -> None:
        if fits is None or not fits(value):
            write(key, value)
            return
        note((key, view.get(key, ABSENT)))
        view[key] = (value, encode)

    return put


def map_getter(
    overlay: Overlay,
    known: dict[Any, bytes],
    key_of: Callable[[Any], bytes],
    decode: Decode,
    keep: Encode | None,
    absent: Absent,
    corrupt: Corrupt,
) -> Callable[[Any], Any]:
    """The entry of a map, else what `absent` says; `known` holds storage keys that were needed before."""
    view, load = overlay.view, overlay.load

    def get(k: Any) -> Any:
        key = known.get(k) or key_of(k)
        try:
            found = view[key]
        except KeyError:
            found = load(key)
        if type(found) is tuple:
            return found[0]
        if found is None:
            return absent()
        try:
            value = decode(found)  # type: ignore[arg-type]
        except ScaleError as error:
            raise corrupt(error) from error
        if keep is not None:
            view[key] = (value, keep)
        return value

    return get


def map_putter(
    overlay: Overlay,
    known: dict[Any, bytes],
    key_of: Callable[[Any], bytes],
    encode: Encode,
    fits: Fits | None,
    write: Callable[[bytes, Any], None],
) -> Callable[[Any, Any], None]:
    """Keep an entry that fits; `write` does it for the others."""
    view, note = overlay.view, overlay.journal.extend

    def put(k: Any, value: Any) -> None:
        key = known.get(k) or key_of(k)
        if fits is None or not fits(value):
            write(key, value)
            return
        note((key, view.get(key, ABSENT)))
        view[key] = (value, encode)

    return put
