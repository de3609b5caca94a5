"""The state of block 0 from plain values: the JSON of a chain spec, or `Genesis` objects in tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final

from frame.backend import Delta, MemoryBackend
from frame.codecs import hint_codec
from frame.errors import DispatchError
from frame.machine import Machine
from frame.names import lower_camel
from frame.pallet import Pallet
from frame.storage_version import put_version
from primitives import ss58
from primitives.hints import type_hints
from primitives.scale import (
    ArrayCodec,
    BytesCodec,
    Codec,
    CompactCodec,
    EnumCodec,
    FixedBytesCodec,
    IntCodec,
    IntEnumCodec,
    OptionCodec,
    ScaleError,
    SequenceCodec,
    StructCodec,
    TupleCodec,
)

EMPTY: Final = MemoryBackend()


class GenesisError(ValueError):
    """A genesis configuration that does not fit the runtime; the text says where."""


def build(machine: Machine, config: Mapping[str, Any]) -> Delta:
    """What every pallet's `build_genesis` writes. Unknown pallets and fields are refused."""
    known = {lower_camel(pallet.name): pallet for pallet in machine.pallets} | {
        pallet.attribute: pallet for pallet in machine.pallets
    }
    for name in config:
        if name not in known:
            raise GenesisError(
                f"no pallet `{name}`; there are: {', '.join(p.attribute for p in machine.pallets)}"
            )
    for pallet in machine.pallets:
        given = config.get(lower_camel(pallet.name), config.get(pallet.attribute, {}))
        put_version(pallet, pallet.storage_version)
        values = genesis_of(pallet, given)
        try:
            pallet.build_genesis(values)
        except (ValueError, DispatchError) as error:
            raise GenesisError(f"{pallet.attribute}: {error}") from None
    return machine.overlay.delta()


def genesis_of(pallet: Pallet[Any], given: Any) -> Any:
    """The pallet's `Genesis` from JSON; None for a pallet without one."""
    kind = pallet.declaration.genesis
    if kind is None:
        if given:
            raise GenesisError(f"{pallet.attribute}: the pallet has no genesis")
        return None
    if isinstance(given, kind):
        return given
    if not isinstance(given, Mapping):
        raise GenesisError(f"{pallet.attribute}: an object is expected")
    hints = type_hints(kind, dict(vars(type(pallet))))
    names = {lower_camel(f.name): f.name for f in dataclasses.fields(kind)} | {
        f.name: f.name for f in dataclasses.fields(kind)
    }
    values = {}
    for key, value in given.items():
        if key not in names:
            raise GenesisError(f"{pallet.attribute}.{key}: there is no such field")
        where = f"{pallet.attribute}.{key}"
        values[names[key]] = from_json(hint_codec(hints[names[key]], where), value, where)
    try:
        return kind(**values)
    except TypeError as error:
        raise GenesisError(f"{pallet.attribute}: {error}") from None


def from_json(codec: Codec[Any], value: Any, where: str) -> Any:
    """A value of `codec`'s type from JSON: accounts as SS58 or hex, bytes as hex, the rest as itself."""
    found = _convert(codec, value, where)
    try:
        codec.encode(found)
    except ScaleError as error:
        raise GenesisError(f"{where}: {error}") from None
    return found


def _convert(codec: Codec[Any], value: Any, where: str) -> Any:
    match codec:
        case FixedBytesCodec() | BytesCodec() if isinstance(value, str):
            return _bytes(codec, value, where)
        case SequenceCodec() | ArrayCodec() if isinstance(value, list | tuple):
            return [_convert(codec.item, item, f"{where}[{i}]") for i, item in enumerate(value)]
        case TupleCodec() if isinstance(value, list | tuple) and len(value) == len(codec.items):
            pairs = zip(codec.items, value, strict=True)
            return tuple(_convert(item, part, f"{where}[{i}]") for i, (item, part) in enumerate(pairs))
        case OptionCodec():
            return None if value is None else _convert(codec.item, value, where)
        case StructCodec() if isinstance(value, Mapping):
            return _struct(codec, value, where)
        case IntEnumCodec() if isinstance(value, str):
            return _member(codec.cls, value, where)
        case EnumCodec():
            return _variant(codec, value, where)
        case IntCodec() | CompactCodec() if isinstance(value, bool):  # Python counts true as 1
            raise GenesisError(f"{where}: an integer is expected, not {str(value).lower()}")
        case _:
            return value


def _struct(codec: StructCodec, value: Mapping[str, Any], where: str) -> Any:
    fields = {lower_camel(f.attribute): f for f in codec.fields} | {f.attribute: f for f in codec.fields}
    found = {}
    for key, part in value.items():
        if key not in fields:
            raise GenesisError(f"{where}.{key}: there is no such field")
        found[fields[key].attribute] = _convert(fields[key].codec, part, f"{where}.{key}")
    try:
        return codec.cls(**found)
    except TypeError as error:
        raise GenesisError(f"{where}: {error}") from None


def _variant(codec: EnumCodec, value: Any, where: str) -> Any:
    name: Any = value
    fields: Any = {}
    if isinstance(value, Mapping) and len(value) == 1:
        name, fields = next(iter(value.items()))
    found = next((variant for variant in codec.variants if variant.name == name), None)
    if found is None or not isinstance(fields, Mapping):
        raise GenesisError(f"{where}: no variant `{name}`")
    inner = {
        f.attribute: _convert(f.codec, fields[f.attribute], f"{where}.{f.attribute}")
        for f in found.fields
        if f.attribute in fields
    }
    try:
        return found.cls(**inner)
    except TypeError as error:
        raise GenesisError(f"{where}: {error}") from None


def _member(cls: type[IntEnum], name: str, where: str) -> IntEnum:
    try:
        return cls[name]
    except KeyError:
        raise GenesisError(f"{where}: no variant `{name}`") from None


def _bytes(codec: FixedBytesCodec | BytesCodec, text: str, where: str) -> bytes:
    if text.startswith("0x"):
        try:
            return bytes.fromhex(text[2:])
        except ValueError:
            raise GenesisError(f"{where}: {text!r} is not hex") from None
    if isinstance(codec, FixedBytesCodec) and codec.length == 32:
        try:
            return ss58.decode(text)[0]
        except ss58.Ss58Error as error:
            raise GenesisError(f"{where}: {error}") from None
    raise GenesisError(f"{where}: bytes are written as 0x…")
