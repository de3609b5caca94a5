"""A codec built from a chain's metadata: the portable registry's types, encoded and decoded by id.

How values look in Python: numbers int, text str, byte sequences and arrays bytes, other sequences list,
tuples tuple, structs with named fields dict, a struct with one unnamed field is the field itself, `Option`
None or the value, and an enum `"Name"` or `{"Name": fields}`. Values of our own `primitives` types are
accepted as they are: their bytes are used after the registry has agreed that they have this type.

Decoding is bounded by the bytes at hand. Errors: MetadataError.
"""

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any

from client.errors import MetadataError
from primitives.scale import (
    U8,
    U32,
    CompactU32,
    Enum,
    ScaleError,
    Struct,
    Variant,
    decode_compact,
    encode,
    encode_compact,
)

Docs = list[str]


class Field(Struct):
    """A field of a struct or of an enum's variant."""

    name: str | None
    type: CompactU32
    type_name: str | None
    docs: Docs


class VariantDef(Struct):
    """One alternative of an enum type."""

    name: str
    fields: list[Field]
    index: U8
    docs: Docs


class TypeParam(Struct):
    """A generic parameter."""

    name: str
    type: CompactU32 | None


class TypeDef(Enum):
    """The eight kinds of type of `scale-info`."""

    class Composite(Variant, index=0):
        fields: list[Field]

    class Alternatives(Variant, index=1):
        variants: list[VariantDef]

    class Sequence(Variant, index=2):
        type: CompactU32

    class Array(Variant, index=3):
        length: U32
        type: CompactU32

    class Tuple(Variant, index=4):
        types: list[CompactU32]

    class Primitive(Variant, index=5):
        kind: U8

    class Compact(Variant, index=6):
        type: CompactU32

    class BitSequence(Variant, index=7):
        store: CompactU32
        order: CompactU32


class Type(Struct):
    """A type: path, parameters, definition."""

    path: list[str]
    params: list[TypeParam]
    definition: TypeDef
    docs: Docs


class PortableType(Struct):
    """A type and its id."""

    id: CompactU32
    type: Type


Value = Any
Decoder = Callable[[bytes, int], tuple[Value, int]]
Encoder = Callable[[Value], bytes]

BOOL, CHAR, STR, FIRST_INT = 0, 1, 2, 3
INT_BYTES = (1, 2, 4, 8, 16, 32)
EMPTY_ITEMS_MAX = 1 << 16
"""Most items of a sequence whose items take no bytes."""


class Registry:
    """Encodes and decodes by type id; codecs are built on first use, so recursive types are fine."""

    def __init__(self, types: list[PortableType]) -> None:
        self.types = {item.id: item.type for item in types}
        self._decoders: dict[int, Decoder] = {}
        self._encoders: dict[int, Encoder] = {}

    def __getitem__(self, type_id: int) -> Type:
        if type_id not in self.types:
            raise MetadataError(f"the metadata have no type {type_id}")
        return self.types[type_id]

    def decode(self, type_id: int, data: bytes) -> Value:
        """The value of exactly these bytes."""
        value, end = self.decode_from(type_id, data, 0)
        if end != len(data):
            raise MetadataError(f"{len(data) - end} bytes are left over after a value of type {type_id}")
        return value

    def decode_from(self, type_id: int, data: bytes, offset: int) -> tuple[Value, int]:
        """A value and the offset after it."""
        decoder = self._decoders.get(type_id)
        if decoder is None:
            decoder = self._decoders[type_id] = self._decoder(type_id)
        return decoder(data, offset)

    def encode(self, type_id: int, value: Value) -> bytes:
        """SCALE bytes of `value`."""
        if isinstance(value, (Struct, Enum)):
            return self._encode_ours(type_id, value)
        encoder = self._encoders.get(type_id)
        if encoder is None:
            encoder = self._encoders[type_id] = self._encoder(type_id)
        return encoder(value)

    def slices(self, type_id: int, data: bytes) -> dict[str, bytes]:
        """The bytes of each named field of a struct, so that callers can read known fields in any order."""
        definition = self[type_id].definition
        if not isinstance(definition, TypeDef.Composite):
            raise MetadataError(f"type {type_id} is not a struct")
        found: dict[str, bytes] = {}
        offset = 0
        for field in definition.fields:
            _, end = self.decode_from(field.type, data, offset)
            found[field.name or str(len(found))] = data[offset:end]
            offset = end
        return found

    def variants(self, type_id: int) -> list[VariantDef]:
        """The alternatives of an enum type."""
        definition = self[type_id].definition
        if not isinstance(definition, TypeDef.Alternatives):
            raise MetadataError(f"type {type_id} is not an enum")
        return definition.variants

    def tuple_items(self, type_id: int) -> list[int]:
        """The item types of a tuple."""
        definition = self[type_id].definition
        if not isinstance(definition, TypeDef.Tuple):
            raise MetadataError(f"type {type_id} is not a tuple")
        return definition.types

    def _encode_ours(self, type_id: int, value: Struct | Enum) -> bytes:
        kind = type(value) if isinstance(value, Struct) else _enum_of(value)
        data = encode(kind, value)
        try:
            self.decode(type_id, data)
        except MetadataError as error:
            raise MetadataError(f"the chain's {kind.__name__} is not this client's: {error}") from None
        return data

    # --- decoding

    def _decoder(self, type_id: int) -> Decoder:
        kind = self[type_id]
        definition = kind.definition
        match definition:
            case TypeDef.Composite():
                return self._fields_decoder(definition.fields)
            case TypeDef.Alternatives():
                return self._enum_decoder(kind, definition.variants)
            case TypeDef.Sequence():
                return self._sequence_decoder(definition.type)
            case TypeDef.Array():
                return self._array_decoder(definition.type, definition.length)
            case TypeDef.Tuple():
                return self._tuple_decoder(definition.types)
            case TypeDef.Primitive():
                return _primitive_decoder(definition.kind)
            case TypeDef.Compact():
                return _decode_compact
        raise MetadataError(f"type {type_id} is of a kind that this client does not read")

    def _fields_decoder(self, fields: list[Field]) -> Decoder:
        if len(fields) == 1 and fields[0].name is None:
            inner = fields[0].type
            return lambda data, offset: self.decode_from(inner, data, offset)
        named = bool(fields) and fields[0].name is not None

        def decode(data: bytes, offset: int) -> tuple[Value, int]:
            values = []
            for field in fields:
                value, offset = self.decode_from(field.type, data, offset)
                values.append(value)
            if named:
                return {field.name: value for field, value in zip(fields, values, strict=True)}, offset
            return tuple(values), offset

        return decode

    def _enum_decoder(self, kind: Type, variants: list[VariantDef]) -> Decoder:
        payloads = {v.index: (v.name, self._fields_decoder(v.fields) if v.fields else None) for v in variants}
        option = kind.path == ["Option"]

        def decode(data: bytes, offset: int) -> tuple[Value, int]:
            tag = _take(data, offset, 1)[0]
            if tag not in payloads:
                raise MetadataError(f"{'::'.join(kind.path)} has no variant {tag}")
            name, payload = payloads[tag]
            if payload is None:
                return (None if option else name), offset + 1
            value, end = payload(data, offset + 1)
            return (value if option else {name: value}), end

        return decode

    def _sequence_decoder(self, item: int) -> Decoder:
        if self._is_u8(item):

            def decode_bytes(data: bytes, offset: int) -> tuple[Value, int]:
                length, start = _decode_compact(data, offset)
                return _take(data, start, length), start + length

            return decode_bytes

        def decode(data: bytes, offset: int) -> tuple[Value, int]:
            length, offset = _decode_compact(data, offset)
            if length > max(len(data) - offset, EMPTY_ITEMS_MAX):
                raise MetadataError("a sequence is longer than its bytes")
            values = []
            for _ in range(length):
                value, offset = self.decode_from(item, data, offset)
                values.append(value)
            return values, offset

        return decode

    def _array_decoder(self, item: int, length: int) -> Decoder:
        if self._is_u8(item):
            return lambda data, offset: (_take(data, offset, length), offset + length)
        return self._tuple_decoder([item] * length)

    def _tuple_decoder(self, types: list[int]) -> Decoder:
        def decode(data: bytes, offset: int) -> tuple[Value, int]:
            values = []
            for item in types:
                value, offset = self.decode_from(item, data, offset)
                values.append(value)
            return tuple(values), offset

        return decode

    def _is_u8(self, type_id: int) -> bool:
        definition = self[type_id].definition
        return isinstance(definition, TypeDef.Primitive) and definition.kind == FIRST_INT

    # --- encoding

    def _encoder(self, type_id: int) -> Encoder:
        kind = self[type_id]
        definition = kind.definition
        match definition:
            case TypeDef.Composite():
                return self._fields_encoder(definition.fields)
            case TypeDef.Alternatives():
                return self._enum_encoder(kind, definition.variants)
            case TypeDef.Sequence():
                return self._sequence_encoder(definition.type)
            case TypeDef.Array():
                return self._array_encoder(definition.type, definition.length)
            case TypeDef.Tuple():
                types = definition.types
                return lambda value: self._encode_all(types, value)
            case TypeDef.Primitive():
                return _primitive_encoder(definition.kind)
            case TypeDef.Compact():
                return _encode_compact
        raise MetadataError(f"type {type_id} is of a kind that this client does not write")

    def _fields_encoder(self, fields: list[Field]) -> Encoder:
        if len(fields) == 1 and fields[0].name is None:
            inner = fields[0].type
            return lambda value: self.encode(inner, value)
        types = [field.type for field in fields]

        def encode_fields(value: Value) -> bytes:
            if not isinstance(value, Mapping):
                return self._encode_all(types, value)
            names = [field.name for field in fields]
            if set(names) != set(value):
                raise MetadataError(f"the chain wants the fields {names}, not {sorted(map(str, value))}")
            return self._encode_all(types, [value[name] for name in names])

        return encode_fields

    def _enum_encoder(self, kind: Type, variants: list[VariantDef]) -> Encoder:
        by_name = {v.name: v for v in variants}
        by_index = {v.index: v for v in variants}
        option = kind.path == ["Option"]

        def encode_enum(value: Value) -> bytes:
            if option:
                return b"\0" if value is None else b"\1" + self.encode(by_index[1].fields[0].type, value)
            name, payload = _split_variant(value)
            variant = by_index.get(name) if isinstance(name, int) else by_name.get(name)
            if variant is None:
                raise MetadataError(f"{'::'.join(kind.path)} has no variant {name}")
            body = self._fields_encoder(variant.fields)(payload) if variant.fields else b""
            return bytes([variant.index]) + body

        return encode_enum

    def _sequence_encoder(self, item: int) -> Encoder:
        if self._is_u8(item):
            return lambda value: _encode_compact(len(value)) + bytes(value)
        return lambda value: _encode_compact(len(value)) + b"".join(self.encode(item, x) for x in value)

    def _array_encoder(self, item: int, length: int) -> Encoder:
        def encode_array(value: Value) -> bytes:
            if len(value) != length:
                raise MetadataError(f"the chain wants {length} items, not {len(value)}")
            return bytes(value) if self._is_u8(item) else self._encode_all([item] * length, value)

        return encode_array

    def _encode_all(self, types: list[int], values: Value) -> bytes:
        if len(values) != len(types):
            raise MetadataError(f"the chain wants {len(types)} values, not {len(values)}")
        return b"".join(self.encode(kind, value) for kind, value in zip(types, values, strict=True))


def _enum_of(value: Enum) -> type:
    """The tagged union that a variant's value belongs to."""
    return next(base for base in type(value).__bases__ if issubclass(base, Enum))


def _split_variant(value: Value) -> tuple[str | int, Value]:
    if isinstance(value, IntEnum):
        return int(value), None
    if isinstance(value, str):
        return value, None
    if isinstance(value, Mapping) and len(value) == 1:
        return next(iter(value.items()))
    raise MetadataError(f"{type(value).__name__} is not the name of a variant")


def _take(data: bytes, offset: int, length: int) -> bytes:
    if offset + length > len(data):
        raise MetadataError("the bytes end inside a value")
    return data[offset : offset + length]


def _decode_compact(data: bytes, offset: int) -> tuple[Value, int]:
    try:
        return decode_compact(data, offset)
    except ScaleError as error:
        raise MetadataError(str(error)) from None


def _encode_compact(value: Value) -> bytes:
    if not isinstance(value, int) or value < 0:
        raise MetadataError(f"{value!r} is not an unsigned integer")
    return encode_compact(value)


def _primitive_decoder(kind: int) -> Decoder:
    if kind == BOOL:
        return _decode_bool
    if kind == STR:
        return _decode_text
    size, signed = _integer(kind)

    def decode(data: bytes, offset: int) -> tuple[Value, int]:
        return int.from_bytes(_take(data, offset, size), "little", signed=signed), offset + size

    return decode


def _primitive_encoder(kind: int) -> Encoder:
    if kind == BOOL:
        return lambda value: b"\1" if value else b"\0"
    if kind == STR:
        return lambda value: _encode_compact(len(value.encode())) + value.encode()
    size, signed = _integer(kind)

    def encode_int(value: Value) -> bytes:
        try:
            return int(value).to_bytes(size, "little", signed=signed)
        except OverflowError:
            raise MetadataError(f"{value} does not fit {8 * size} bits") from None

    return encode_int


def _integer(kind: int) -> tuple[int, bool]:
    """(bytes, signed) of a primitive's tag: u8…u256 are 3…8, i8…i256 are 9…14."""
    if kind == CHAR or kind > FIRST_INT + 11:
        raise MetadataError(f"primitive {kind} is not one that this client reads")
    return INT_BYTES[(kind - FIRST_INT) % 6], kind >= FIRST_INT + 6


def _decode_bool(data: bytes, offset: int) -> tuple[Value, int]:
    byte = _take(data, offset, 1)[0]
    if byte > 1:
        raise MetadataError(f"{byte} is not a boolean")
    return byte == 1, offset + 1


def _decode_text(data: bytes, offset: int) -> tuple[Value, int]:
    length, start = _decode_compact(data, offset)
    try:
        return _take(data, start, length).decode(), start + length
    except UnicodeDecodeError:
        raise MetadataError("text is not UTF-8") from None
