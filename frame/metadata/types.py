"""The shapes of metadata V14, V15 and V16 (repository `paritytech/frame-metadata`,
`frame-metadata/src/v14.rs`, `v15.rs`, `v16.rs`).
"""

from __future__ import annotations

from typing import Annotated

from primitives.scale import U8, U32, Bytes, Compact, CompactU32, Enum, FixedBytes, Struct, Text, Variant

TypeId = Annotated[int, Compact(32)]
H256Bytes = Annotated[bytes, FixedBytes(32)]


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


class ItemDeprecation(Enum):
    """Whether an item should not be used any more (V16)."""

    class NotDeprecated(Variant, index=0): ...

    class DeprecatedWithoutNote(Variant, index=1): ...

    class Deprecated(Variant, index=2):
        note: Text
        since: Text | None


class VariantDeprecation(Enum):
    """Why a call, event or error should not be used any more (V16); those that may be used are not listed."""

    class DeprecatedWithoutNote(Variant, index=1): ...

    class Deprecated(Variant, index=2):
        note: Text
        since: Text | None


class EnumV16(Struct):
    """The type of a pallet's calls, events or errors, and which of its variants are deprecated, by index."""

    type_: TypeId
    deprecation: list[tuple[U8, VariantDeprecation]]


class StorageEntryV16(Struct):
    """A storage item; modifier 0 is optional, 1 has a default."""

    name: Text
    modifier: U8
    type_: StorageType
    default: Bytes
    docs: list[Text]
    deprecation: ItemDeprecation


class PalletStorageV16(Struct):
    """The storage of a pallet."""

    prefix: Text
    entries: list[StorageEntryV16]


class ConstantV16(Struct):
    """A constant of a pallet."""

    name: Text
    type_: TypeId
    value: Bytes
    docs: list[Text]
    deprecation: ItemDeprecation


class AssociatedType(Struct):
    """A type that the runtime gives to a pallet's configuration."""

    name: Text
    type_: TypeId
    docs: list[Text]


class ViewFunction(Struct):
    """A question that a pallet answers by itself."""

    id: H256Bytes
    name: Text
    inputs: list[ApiInput]
    output: TypeId
    docs: list[Text]
    deprecation: ItemDeprecation


class PalletV16(Struct):
    """A pallet with its associated types and view functions."""

    name: Text
    storage: PalletStorageV16 | None
    calls: EnumV16 | None
    event: EnumV16 | None
    constants: list[ConstantV16]
    error: EnumV16 | None
    associated_types: list[AssociatedType]
    view_functions: list[ViewFunction]
    index: U8
    docs: list[Text]
    deprecation: ItemDeprecation


class ExtrinsicV16(Struct):
    """The form of extrinsics: their versions, and which extensions each extension version carries."""

    versions: list[U8]
    address: TypeId
    call: TypeId
    signature: TypeId
    extensions_by_version: list[tuple[U8, list[CompactU32]]]
    extensions: list[SignedExtension]


class ApiMethodV16(Struct):
    """A method of a runtime API."""

    name: Text
    inputs: list[ApiInput]
    output: TypeId
    docs: list[Text]
    deprecation: ItemDeprecation


class ApiTraitV16(Struct):
    """A runtime API with its version."""

    name: Text
    methods: list[ApiMethodV16]
    docs: list[Text]
    version: CompactU32
    deprecation: ItemDeprecation


class MetadataV16(Struct):
    """Version 16."""

    types: list[PortableType]
    pallets: list[PalletV16]
    extrinsic: ExtrinsicV16
    apis: list[ApiTraitV16]
    outer_enums: OuterEnums
    custom: list[tuple[Text, CustomValue]]
