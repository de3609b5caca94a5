"""SCALE, the encoding of everything on the chain. Type hints are the schema; values are plain Python.

    class Point(Struct):
        x: U32
        y: U32

    codec(Point).encode(Point(x=1, y=2))            # b"\\x01\\0\\0\\0\\x02\\0\\0\\0"
    codec(list[Point]).decode(data)                 # exact length, else ScaleError

| hint | SCALE |
|---|---|
| `U8`…`U256`, `I8`…`I128` | fixed-width little-endian; range-checked on encode |
| `CompactU8`…`CompactU256` | compact; only the shortest form decodes |
| `bool`, `str` / `Text`, `bytes` / `Bytes` | one byte; UTF-8 and bytes behind their length |
| `H256`, `AccountId`, `Annotated[bytes, FixedBytes(n)]` | `[u8; n]` |
| `list[T]`, `Annotated[list[T], MaxLen(n)]`, `Annotated[list[T], Length(n)]` | `Vec<T>`, bounded, `[T; n]` |
| `tuple[A, B]`, `tuple[()]`, `T | None`, `Result[T, E]` | tuple, unit, `Option`, `Result` |
| `Struct`, `Enum` of `Variant`s, `enum.IntEnum` | fields in order; index byte and fields; index byte |

The rules are those of parity-scale-codec (so compact integers decode in their shortest form only); nesting is
limited to `MAX_DEPTH`.
"""

from __future__ import annotations

from typing import Annotated

from primitives.scale.base import Codec
from primitives.scale.composites import (
    Doc,
    EnumCodec,
    Field,
    StructCodec,
    TypeName,
    VariantInfo,
    change_lines,
    changer,
    fields_encoder,
)
from primitives.scale.emit import MAX_DEPTH, compact_len, decode_compact, encode_compact
from primitives.scale.errors import ScaleError
from primitives.scale.hints import (
    Array,
    BoundedBytes,
    BoundedList,
    Compact,
    FixedBytes,
    Length,
    MaxLen,
    codec,
    decode,
    encode,
)
from primitives.scale.leaves import (
    U8_CODEC,
    BoolCodec,
    BytesCodec,
    CompactCodec,
    FixedBytesCodec,
    IntCodec,
    IntEnumCodec,
    PrimitiveCodec,
    TextCodec,
)
from primitives.scale.records import (
    Enum,
    Struct,
    Variant,
    make_enum,
    make_struct,
    make_variant,
    replace,
)
from primitives.scale.sequences import ArrayCodec, OptionCodec, ResultCodec, SequenceCodec, TupleCodec
from primitives.scale.values import Err, Ok, Result

U8 = Annotated[int, U8_CODEC]
U16 = Annotated[int, IntCodec(16)]
U32 = Annotated[int, IntCodec(32)]
U64 = Annotated[int, IntCodec(64)]
U128 = Annotated[int, IntCodec(128)]
U256 = Annotated[int, IntCodec(256)]
I8 = Annotated[int, IntCodec(8, signed=True)]
I16 = Annotated[int, IntCodec(16, signed=True)]
I32 = Annotated[int, IntCodec(32, signed=True)]
I64 = Annotated[int, IntCodec(64, signed=True)]
I128 = Annotated[int, IntCodec(128, signed=True)]
CompactU8 = Annotated[int, Compact(8)]
CompactU16 = Annotated[int, Compact(16)]
CompactU32 = Annotated[int, Compact(32)]
CompactU64 = Annotated[int, Compact(64)]
CompactU128 = Annotated[int, Compact(128)]
CompactU256 = Annotated[int, Compact(256)]
Bytes = bytes
Text = str
H256 = Annotated[bytes, FixedBytes(32, "primitive_types::H256")]
AccountId = Annotated[bytes, FixedBytes(32, "sp_core::crypto::AccountId32")]

__all__ = [
    "H256",
    "I8",
    "I16",
    "I32",
    "I64",
    "I128",
    "MAX_DEPTH",
    "U8",
    "U16",
    "U32",
    "U64",
    "U128",
    "U256",
    "AccountId",
    "Array",
    "ArrayCodec",
    "BoolCodec",
    "BoundedBytes",
    "BoundedList",
    "Bytes",
    "BytesCodec",
    "Codec",
    "Compact",
    "CompactCodec",
    "CompactU8",
    "CompactU16",
    "CompactU32",
    "CompactU64",
    "CompactU128",
    "CompactU256",
    "Doc",
    "Enum",
    "EnumCodec",
    "Err",
    "Field",
    "FixedBytes",
    "FixedBytesCodec",
    "IntCodec",
    "IntEnumCodec",
    "Length",
    "MaxLen",
    "Ok",
    "OptionCodec",
    "PrimitiveCodec",
    "Result",
    "ResultCodec",
    "ScaleError",
    "SequenceCodec",
    "Struct",
    "StructCodec",
    "Text",
    "TextCodec",
    "TupleCodec",
    "TypeName",
    "Variant",
    "VariantInfo",
    "change_lines",
    "changer",
    "codec",
    "compact_len",
    "decode",
    "decode_compact",
    "encode",
    "encode_compact",
    "fields_encoder",
    "make_enum",
    "make_struct",
    "make_variant",
    "replace",
]  # fmt: skip
