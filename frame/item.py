"""What storage items have in common before they stand on a state: names, hashers, codecs, defaults. Keys are
Substrate's: twox128(pallet) ‖ twox128(item) ‖ hasher(key)…
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from frame.codecs import RangeTest, compiled_decoder, hint_codec, is_shareable
from frame.declaration_error import DeclarationError
from frame.names import camel
from frame.state import PLAIN
from primitives.hashing import twox_64, twox_128
from primitives.scale import Codec, ScaleError, StructCodec

if TYPE_CHECKING:
    from frame.pallet import Pallet

_REMEMBERED: Final = 4096


@dataclass(frozen=True)
class Hasher:
    """How a map key becomes part of a storage key; all three kinds keep the key readable at the end."""

    name: str
    code: int
    skip: int
    hash: Callable[[bytes], bytes]


def _blake(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest() + data


def _twox(data: bytes) -> bytes:
    return twox_64(data) + data


Blake2_128Concat: Final = Hasher("Blake2_128Concat", 2, 16, _blake)
Twox64Concat: Final = Hasher("Twox64Concat", 5, 8, _twox)
Identity: Final = Hasher("Identity", 6, 0, bytes)


class Missing:
    """No default was declared."""

    __slots__ = ()


MISSING: Final = Missing()


class Coders(NamedTuple):
    """The compiled ways of a value: bytes in, bytes out.

    Immutable values that a range test covers stay decoded in the overlay, where `keep` will encode them;
    other immutable composites remember recent pairs. So what a block writes and reads again is not decoded
    twice.
    """

    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]
    test: RangeTest | None
    keep: Callable[[Any], bytes] | None


class Item:
    """What all storage items have in common: name, documentation, codec of the value, default."""

    counted = False

    def __init__(self, default: object, name: str | None, doc: str) -> None:
        self.attribute = ""
        self.name = name or ""
        self.doc = doc
        self.default = default
        self.key_codecs: tuple[Codec[Any], ...] = ()
        self.hashers: tuple[Hasher, ...] = ()
        self.value_hint: Any = None

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name
        self.name = self.name or camel(name)

    def resolve(self, where: str) -> None:
        """Find the codecs of the type arguments; a mistake ends with a sentence that names `where`."""
        arguments = getattr(self, "__orig_class__", None)
        if arguments is None:
            raise DeclarationError(f"{where}: say the types, e.g. {type(self).__name__}[U32]()")
        hints = self.hints(arguments.__args__, where)
        self.key_codecs = tuple(hint_codec(hint, where) for hint in hints[:-1])
        self.value_hint = hints[-1]
        self.codec: Codec[Any] = hint_codec(hints[-1], where)
        if self.default is not MISSING:
            try:
                self.default_bytes = self.codec.encode(self.default)
            except ScaleError as error:
                raise DeclarationError(f"{where}: the default does not fit: {error}") from None

    def hints(self, arguments: tuple[Any, ...], where: str) -> tuple[Any, ...]:
        """The types of the keys and, last, of the value."""
        return arguments

    def coders(self) -> Coders:
        """How the value is decoded, encoded, and kept between the two."""
        decode, encode = compiled_decoder(self.codec), self.codec.encoder()
        test = RangeTest.of(self.codec)
        if test is not None and isinstance(self.codec, StructCodec) and not self.codec.arguments:
            PLAIN[self.codec.cls] = encode
        if test is None and is_shareable(self.codec):
            decode, encode = _remembering(decode, encode)
        return Coders(decode, encode, test, None if test is None else encode)

    def prefix(self, pallet: Pallet[Any]) -> bytes:
        """The key, or for a map the prefix of all keys."""
        return twox_128(pallet.name.encode()) + twox_128(self.name.encode())


def _remembering(
    decode: Callable[[bytes], Any], encode: Callable[[Any], bytes]
) -> tuple[Callable[[bytes], Any], Callable[[Any], bytes]]:
    values: dict[bytes, Any] = {}

    def decode_once(raw: bytes) -> Any:
        value = values.get(raw)
        if value is None:
            value = decode(raw)
            if len(values) >= _REMEMBERED:
                values.clear()
            values[raw] = value
        return value

    def encode_and_remember(value: Any) -> bytes:
        raw = encode(value)
        if len(values) >= _REMEMBERED:
            values.clear()
        values[raw] = value
        return raw

    return decode_once, encode_and_remember
