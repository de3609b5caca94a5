"""The shapes of metadata V14 and V15 (repository `paritytech/frame-metadata`, `frame-metadata/src/v14.rs`,
`v15.rs`).
"""

from __future__ import annotations

from typing import Annotated

from primitives.scale import U8, U32, Bytes, Compact, CompactU32, Enum, Struct, Text, Variant

TypeId = Annotated[int, Compact(32)]


class TypeParameter(Struct):
    """A named parameter of a type."""

    name: Text
    type_: TypeId | None


class FieldInfo(Struct):
    """A field of a composite or of a variant."""

    name: Text | None
    type_: TypeId
    type_name: Text | None
    docs: list[Text]


class VariantShape(Struct):
    """One variant of a tagged union."""

    name: Text
    fields: list[FieldInfo]
    index: U8
    docs: list[Text]


class TypeDef(Enum):
    """What a type is made of."""

    class Composite(Variant, index=0):
        fields: list[FieldInfo]

    class Union(Variant, index=1):
        variants: list[VariantShape]

    class Sequence(Variant, index=2):
        type_: TypeId

    class Array(Variant, index=3):
        length: U32
        type_: TypeId

    class Tuple(Variant, index=4):
        types: list[TypeId]

    class Primitive(Variant, index=5):
        kind: U8

    class Compact(Variant, index=6):
        type_: TypeId


class PortableType(Struct):
    """An entry of the type registry."""

    id: CompactU32
    path: list[Text]
    params: list[TypeParameter]
    def_: TypeDef
    docs: list[Text]


class StorageType(Enum):
    """A value, or a map."""

    class Plain(Variant, index=0):
        value: TypeId

    class Map(Variant, index=1):
        hashers: list[U8]
        key: TypeId
        value: TypeId


class StorageEntry(Struct):
    """A storage item; modifier 0 is optional, 1 has a default."""

    name: Text
    modifier: U8
    type_: StorageType
    default: Bytes
    docs: list[Text]


class PalletStorage(Struct):
    """The storage of a pallet."""

    prefix: Text
    entries: list[StorageEntry]


class ConstantInfo(Struct):
    """A constant of a pallet."""

    name: Text
    type_: TypeId
    value: Bytes
    docs: list[Text]


class SignedExtension(Struct):
    """A transaction extension: what it carries and what it signs along."""

    identifier: Text
    type_: TypeId
    additional_signed: TypeId


class PalletV14(Struct):
    """A pallet; the three types are its enums of calls, events and errors."""

    name: Text
    storage: PalletStorage | None
    calls: TypeId | None
    event: TypeId | None
    constants: list[ConstantInfo]
    error: TypeId | None
    index: U8


class PalletV15(Struct):
    """A pallet with its documentation."""

    name: Text
    storage: PalletStorage | None
    calls: TypeId | None
    event: TypeId | None
    constants: list[ConstantInfo]
    error: TypeId | None
    index: U8
    docs: list[Text]


class ExtrinsicV14(Struct):
    """The form of extrinsics."""

    type_: TypeId
    version: U8
    signed_extensions: list[SignedExtension]


class ExtrinsicV15(Struct):
    """The form of extrinsics, with its parts named."""

    version: U8
    address: TypeId
    call: TypeId
    signature: TypeId
    extra: TypeId
    signed_extensions: list[SignedExtension]


class ApiInput(Struct):
    """A parameter of a runtime API's method."""

    name: Text
    type_: TypeId


class ApiMethod(Struct):
    """A method of a runtime API."""

    name: Text
    inputs: list[ApiInput]
    output: TypeId
    docs: list[Text]


class ApiTrait(Struct):
    """A runtime API."""

    name: Text
    methods: list[ApiMethod]
    docs: list[Text]


class OuterEnums(Struct):
    """The enums over all pallets."""

    call: TypeId
    event: TypeId
    error: TypeId


class CustomValue(Struct):
    """A value of the runtime's own."""

    type_: TypeId
    value: Bytes


class MetadataV14(Struct):
    """Version 14."""

    types: list[PortableType]
    pallets: list[PalletV14]
    extrinsic: ExtrinsicV14
    runtime: TypeId


class MetadataV15(Struct):
    """Version 15."""

    types: list[PortableType]
    pallets: list[PalletV15]
    extrinsic: ExtrinsicV15
    runtime: TypeId
    apis: list[ApiTrait]
    outer_enums: OuterEnums
    custom: list[tuple[Text, CustomValue]]
