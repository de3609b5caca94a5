"""From a type hint to its codec."""

from __future__ import annotations

import enum
import types
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, overload

from primitives.scale.base import Codec
from primitives.scale.composites import EnumCodec, StructCodec
from primitives.scale.errors import ScaleError
from primitives.scale.leaves import (
    BoolCodec,
    BytesCodec,
    CompactCodec,
    FixedBytesCodec,
    IntCodec,
    IntEnumCodec,
    TextCodec,
)
from primitives.scale.records import Enum, Struct, Variant, docs_of
from primitives.scale.sequences import ArrayCodec, OptionCodec, ResultCodec, SequenceCodec, TupleCodec
from primitives.scale.values import Err, Ok

T = TypeVar("T")


@dataclass(frozen=True)
class MaxLen:
    """`Annotated[list[T], MaxLen(n)]`, also on bytes and str: at most n items (for str: bytes)."""

    max: int


@dataclass(frozen=True)
class Length:
    """`Annotated[list[T], Length(n)]` is the array `[T; n]`; also on bytes."""

    length: int


@dataclass(frozen=True)
class Compact:
    """`Annotated[int, Compact(64)]` is a compact u64."""

    bits: int


@dataclass(frozen=True)
class FixedBytes:
    """`Annotated[bytes, FixedBytes(32)]` is `[u8; 32]`; a `path` names the newtype in metadata."""

    length: int
    path: str = ""


_BOOL, _TEXT, _BYTES, _UNIT = BoolCodec(), TextCodec(), BytesCodec(), TupleCodec(())
_PLAIN: dict[Any, Codec[Any]] = {bool: _BOOL, str: _TEXT, bytes: _BYTES, type(None): _UNIT, None: _UNIT}
_cache: dict[Any, Codec[Any]] = {}


@overload
def codec(hint: type[T]) -> Codec[T]: ...
@overload
def codec(hint: object) -> Codec[Any]: ...
def codec(hint: Any) -> Codec[Any]:
    """The codec of a type hint; one object for each hint."""
    if isinstance(hint, Codec):
        return hint
    try:
        found = _cache.get(hint)
    except TypeError:
        return _make(hint)
    if found is None:
        found = _cache[hint] = _make(hint)
    return found


def encode(hint: Any, value: Any) -> bytes:
    """The SCALE bytes of `value` as a `hint`."""
    return codec(hint).encode(value)


@overload
def decode(hint: type[T], data: bytes) -> T: ...
@overload
def decode(hint: object, data: bytes) -> Any: ...
def decode(hint: Any, data: bytes) -> Any:
    """The value of type `hint` whose encoding is exactly `data`."""
    return codec(hint).decode(data)


def _make(hint: Any) -> Codec[Any]:
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(hint, type) and not isinstance(hint, types.GenericAlias):
        return _of_class(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _of_annotated(arguments[0], arguments[1:])
    if origin is list:
        return SequenceCodec(codec(arguments[0]))
    if origin is tuple and Ellipsis not in arguments:
        return TupleCodec(tuple(codec(item) for item in arguments))
    if origin in (Union, types.UnionType):
        return _of_union(hint, arguments)
    if isinstance(origin, type) and issubclass(origin, Struct):
        return StructCodec(origin, arguments)
    raise _no_codec(hint)


def _of_class(cls: type) -> Codec[Any]:
    if issubclass(cls, Enum) and not issubclass(cls, Variant):
        return EnumCodec(
            cls.__scale_path__ or cls.__name__, cls.__scale_variants__, cls.__scale_params__, docs_of(cls)
        )
    if issubclass(cls, Struct):
        return StructCodec(cls)
    if issubclass(cls, enum.IntEnum):
        return IntEnumCodec(cls)
    raise _no_codec(cls)


def _of_annotated(base: Any, extras: tuple[Any, ...]) -> Codec[Any]:
    for extra in extras:
        found = _of_marker(base, extra)
        if found is not None:
            return found
    return codec(base)  # Doc, TypeName, and marks of others


def _of_marker(base: Any, extra: Any) -> Codec[Any] | None:
    match extra:
        case Codec():
            return extra
        case Compact(bits):
            return CompactCodec(IntCodec(bits))
        case FixedBytes(length, path):
            return FixedBytesCodec(length, path)
        case Length(length):
            return FixedBytesCodec(length) if base is bytes else ArrayCodec(_item(base), length)
        case MaxLen(maximum):
            if base is bytes:
                return BytesCodec(maximum)
            return TextCodec(maximum) if base is str else SequenceCodec(_item(base), maximum)
        case _:
            return None


def _item(hint: Any) -> Codec[Any]:
    if get_origin(hint) is not list:
        raise _no_codec(hint)
    return codec(get_args(hint)[0])


def _of_union(hint: Any, arguments: tuple[Any, ...]) -> Codec[Any]:
    origins = tuple(get_origin(argument) for argument in arguments)
    if origins == (Ok, Err):
        return ResultCodec(codec(get_args(arguments[0])[0]), codec(get_args(arguments[1])[0]))
    values = [argument for argument in arguments if argument is not type(None)]
    if len(values) == 1 and len(arguments) == 2:
        return OptionCodec(codec(values[0]))
    if len(values) == 2 and len(arguments) == 3 and origins[:2] == (Ok, Err):
        return OptionCodec(_of_union(hint, tuple(values)))
    raise ScaleError(f"no SCALE codec for {hint}: a union is written as an Enum")


def _no_codec(hint: Any) -> ScaleError:
    return ScaleError(f"no SCALE codec for {hint}: annotate it, e.g. U32")


def BoundedBytes(max: int) -> Any:
    """The hint of a byte vector of at most `max` bytes, where the bound is computed."""
    return Annotated[bytes, MaxLen(max)]


def BoundedList(item: Any, max: int) -> Any:
    """The hint of a vector of at most `max` items, where the bound is computed."""
    return Annotated[list[item], MaxLen(max)]


def Array(item: Any, length: int) -> Any:
    """The hint of the array `[item; length]`, where the length is computed."""
    return Annotated[list[item], Length(length)]
