"""Functions that read and write one storage item in one step: what most of a block's time goes through.

They do what `Overlay.read` and `Overlay.write` do, with everything that does not change bound beforehand.
Source of none of the rules: see `frame.state` and `frame.storage`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from frame.codecs import RangeTest
from frame.errors import Corruption
from frame.generated import function
from frame.state import ABSENT, PLAIN, Decode, Encode, Overlay, kept
from primitives.scale import Codec, ScaleError, StructCodec, change_lines, changer

Absent = Callable[[], Any]
Corrupt = Callable[[ScaleError], Corruption]


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
        if type(found) in PLAIN:
            return found
        if found is None:
            return absent()
        if type(found) is not bytes:
            return found.value()
        try:
            value = decode(found)
        except ScaleError as error:
            raise corrupt(error) from error
        if keep is not None:
            view[key] = kept(value, keep)
        return value

    return get


def value_putter(
    overlay: Overlay, key: bytes, encode: Encode, test: RangeTest | None, write: Callable[[bytes, Any], None]
) -> Callable[[Any], None]:
    """Keep a value that fits; `write` does it for the others."""
    made: Callable[[Any], None] = _putter("x", (), test, _names(overlay, encode, write) | {"key": key})
    return made


def value_keeper(overlay: Overlay, key: bytes, encode: Encode, test: RangeTest) -> Callable[[Any], None]:
    """Keep a value of which the caller knows that it fits."""
    names = _names(overlay, encode, lambda key, x: None) | {"key": key}
    text = f"def put(x):\n    note((key, get(key, ABSENT)))\n    view[key] = {_found('x', test.struct)}"
    made: Callable[[Any], None] = function("put", text, names)
    return made


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
        try:
            key = known[k]
        except KeyError:
            key = key_of(k)
        try:
            found = view[key]
        except KeyError:
            found = load(key)
        if type(found) in PLAIN:
            return found
        if found is None:
            return absent()
        if type(found) is tuple:
            return found[0]
        try:
            value = decode(found)
        except ScaleError as error:
            raise corrupt(error) from error
        if keep is not None:
            view[key] = kept(value, keep)
        return value

    return get


def map_putter(
    overlay: Overlay,
    known: dict[Any, bytes],
    key_of: Callable[[Any], bytes],
    encode: Encode,
    test: RangeTest | None,
    write: Callable[[bytes, Any], None],
) -> Callable[[Any, Any], None]:
    """Keep an entry that fits; `write` does it for the others."""
    names = _names(overlay, encode, write) | {"known": known, "key_of": key_of}
    made: Callable[[Any, Any], None] = _putter("k, x", _FIND_KEY, test, names)
    return made


def map_changer(
    overlay: Overlay,
    known: dict[Any, bytes],
    key_of: Callable[[Any], bytes],
    codec: StructCodec,
    path: tuple[str, ...],
    write: Callable[[bytes, Any], None],
) -> Callable[[Any, Any, Any], None]:
    """Keep the entry `x`, which the map holds, with another value `v` of a field, if that fits; `write` does
    it for the others. Of `x` only its class is tested. `path`: the field, or that of a struct in it.
    """
    changes, names = change_lines(codec.cls, path)
    names |= _names(overlay, codec.encoder(), write) | {"known": known, "key_of": key_of}
    names |= {"change": changer(codec.cls, *path)}
    test = RangeTest.of(_part(codec, path), "v")
    lines = ["def put(k, x0, v):", *_FIND_KEY]
    if test is not None:
        names |= test.names
        lines += [
            "    try:",
            *(f"        {line}" for line in test.before),
            f"        if type(x0) is cls0 and {test.condition}:",
            *(f"            {line}" for line in changes),
            "            note((key, get(key, ABSENT)))",
            f"            view[key] = {_found('y0', codec.cls)}",
            "            return",
            "    except (AttributeError, TypeError):",
            "        pass",
        ]
    lines.append("    write(key, change(x0, v))")
    made: Callable[[Any, Any, Any], None] = function("put", "\n".join(lines), names)
    return made


def _part(codec: Codec[Any], path: tuple[str, ...]) -> Codec[Any]:
    for field in path:
        assert isinstance(codec, StructCodec)
        codec = next(f.codec for f in codec.fields if f.attribute == field)
    return codec


def key_maker(
    prefix: bytes,
    known: dict[Any, bytes],
    most: int,
    encode: Callable[[Any], bytes],
    hashed: Callable[[bytes], bytes],
) -> Callable[[Any], bytes]:
    """The full storage key of an entry; `known` holds the last ones, up to `most`."""

    def key_of(k: Any) -> bytes:
        key = known.get(k)
        if key is None:
            key = prefix + hashed(encode(k))
            if len(known) >= most:
                known.clear()
            known[k] = key
        return key

    return key_of


def _names(overlay: Overlay, encode: Encode, write: Callable[[bytes, Any], None]) -> dict[str, Any]:
    return {
        "ABSENT": ABSENT,
        "encode": encode,
        "get": overlay.view.get,
        "note": overlay.journal.extend,
        "view": overlay.view,
        "write": write,
    }


def _found(x: str, cls: type | None) -> str:
    """What stands in the view for `x`: see `frame.state.kept`."""
    return x if cls in PLAIN else f"({x}, encode)"


_FIND_KEY = ("    try: key = known[k]", "    except KeyError: key = key_of(k)")


def _putter(arguments: str, find_key: tuple[str, ...], test: RangeTest | None, names: dict[str, Any]) -> Any:
    """`put`, with the range test of `x` in its body: most of what a block writes passes here."""
    lines = [f"def put({arguments}):", *find_key]
    if test is not None:
        names = names | test.names
        lines += ["    try:", *(f"        {line}" for line in test.before)]
        lines += [
            f"        if {test.condition}:",
            "            note((key, get(key, ABSENT)))",
            f"            view[key] = {_found('x', test.struct)}",
            "            return",
            "    except (AttributeError, TypeError):",
            "        pass",
        ]
    lines.append("    write(key, x)")
    return function("put", "\n".join(lines), names)
