"""Metadata version 16: adds API versions, deprecation, and extensions by extrinsic version; the type of the
runtime itself is gone.
"""

from __future__ import annotations

from frame.metadata.collect import Collected
from frame.metadata.types import (
    ApiMethodV16,
    ApiTrait,
    ApiTraitV16,
    ConstantV16,
    EnumV16,
    ExtrinsicV16,
    ItemDeprecation,
    MetadataV16,
    OuterEnums,
    PalletStorage,
    PalletStorageV16,
    PalletV15,
    PalletV16,
    StorageEntryV16,
)
from primitives.extrinsic import VERSION
from primitives.scale import codec

EXTENSION_VERSION = 0
"""What version-4 extrinsics imply; general ones of version 5 name theirs."""
_CURRENT = ItemDeprecation.NotDeprecated()


def encode(found: Collected) -> bytes:
    """The SCALE bytes after magic and version byte."""
    return codec(MetadataV16).encode(
        MetadataV16(
            types=found.registry.types,
            pallets=[_pallet(p) for p in found.pallets],
            extrinsic=ExtrinsicV16(
                versions=[VERSION],
                address=found.address,
                call=found.call,
                signature=found.signature,
                extensions_by_version=[(EXTENSION_VERSION, list(range(len(found.extensions))))],
                extensions=found.extensions,
            ),
            apis=[_api(trait, found.api_versions[trait.name]) for trait in found.apis],
            outer_enums=OuterEnums(call=found.call, event=found.event, error=found.error),
            custom=[],
        )
    )


def _pallet(p: PalletV15) -> PalletV16:
    return PalletV16(
        name=p.name,
        storage=None if p.storage is None else _storage(p.storage),
        calls=_enum(p.calls),
        event=_enum(p.event),
        constants=[
            ConstantV16(name=c.name, type_=c.type_, value=c.value, docs=c.docs, deprecation=_CURRENT)
            for c in p.constants
        ],
        error=_enum(p.error),
        associated_types=[],
        view_functions=[],
        index=p.index,
        docs=p.docs,
        deprecation=_CURRENT,
    )


def _storage(storage: PalletStorage) -> PalletStorageV16:
    return PalletStorageV16(
        prefix=storage.prefix,
        entries=[
            StorageEntryV16(
                name=e.name,
                modifier=e.modifier,
                type_=e.type_,
                default=e.default,
                docs=e.docs,
                deprecation=_CURRENT,
            )
            for e in storage.entries
        ],
    )


def _enum(type_id: int | None) -> EnumV16 | None:
    return None if type_id is None else EnumV16(type_=type_id, deprecation=[])


def _api(trait: ApiTrait, version: int) -> ApiTraitV16:
    methods = [
        ApiMethodV16(name=m.name, inputs=m.inputs, output=m.output, docs=m.docs, deprecation=_CURRENT)
        for m in trait.methods
    ]
    return ApiTraitV16(
        name=trait.name, methods=methods, docs=trait.docs, version=version, deprecation=_CURRENT
    )
