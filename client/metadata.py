"""A chain's metadata (V14 or V15): pallets, their storage, calls, events, errors and constants, by name.

Layout: repo paritytech/frame-metadata. V15 adds pallet docs and describes the extrinsic differently;
everything that this client asks for is in both.
"""

from dataclasses import dataclass, field
from typing import Any, TypeVar

from client.errors import MetadataError
from client.registry import PortableType, Registry, VariantDef
from primitives.hashing import blake2_128, blake2_256, twox_64, twox_128, twox_256
from primitives.scale import U8, Bytes, Codec, CompactU32, Enum, ScaleError, Struct, Variant, codec

MAGIC = b"meta"

T = TypeVar("T")


class EntryType(Enum):
    """A single value or a map."""

    class Plain(Variant, index=0):
        value: CompactU32

    class Map(Variant, index=1):
        hashers: list[U8]
        key: CompactU32
        value: CompactU32


class StorageEntry(Struct):
    """A storage item; modifier 0 is optional, 1 has a default."""

    name: str
    modifier: U8
    type: EntryType
    default: Bytes
    docs: list[str]


class PalletStorage(Struct):
    """A pallet's storage under its prefix."""

    prefix: str
    entries: list[StorageEntry]


class Constant(Struct):
    """A constant of a pallet."""

    name: str
    type: CompactU32
    value: Bytes
    docs: list[str]


class PalletV14(Struct):
    """A pallet as V14 describes it."""

    name: str
    storage: PalletStorage | None
    calls: CompactU32 | None
    event: CompactU32 | None
    constants: list[Constant]
    error: CompactU32 | None
    index: U8


class PalletV15(Struct):
    """A pallet as V15 describes it."""

    name: str
    storage: PalletStorage | None
    calls: CompactU32 | None
    event: CompactU32 | None
    constants: list[Constant]
    error: CompactU32 | None
    index: U8
    docs: list[str]


class SignedExtension(Struct):
    """A transaction extension: the type of what is signed and sent, and of what is signed only."""

    identifier: str
    type: CompactU32
    additional_signed: CompactU32


class ExtrinsicV14(Struct):
    """The extrinsic as V14 describes it."""

    type: CompactU32
    version: U8
    extensions: list[SignedExtension]


class ExtrinsicV15(Struct):
    """The extrinsic as V15 describes it."""

    version: U8
    address: CompactU32
    call: CompactU32
    signature: CompactU32
    extra: CompactU32
    extensions: list[SignedExtension]


LAYOUTS: dict[int, tuple[Codec[Any], Codec[Any]]] = {
    14: (codec(list[PalletV14]), codec(ExtrinsicV14)),
    15: (codec(list[PalletV15]), codec(ExtrinsicV15)),
}
"""Metadata version → codecs of its pallets and of its extrinsic."""

HASHERS: tuple[Any, ...] = (
    (blake2_128, False),
    (blake2_256, False),
    (blake2_128, True),
    (twox_128, False),
    (twox_256, False),
    (twox_64, True),
    (None, True),
)
"""Storage hashers by their tag: (hash function, whether the key itself follows)."""


@dataclass(frozen=True)
class Pallet:
    """One pallet, its items by name."""

    name: str
    index: int
    prefix: str
    storage: dict[str, StorageEntry]
    calls: dict[str, VariantDef]
    errors: dict[int, VariantDef]
    constants: dict[str, Constant]


@dataclass(frozen=True)
class Metadata:
    """Parsed metadata. Lookups raise MetadataError naming what is missing."""

    version: int
    registry: Registry
    pallets: dict[str, Pallet]
    extensions: list[SignedExtension]
    by_index: dict[int, Pallet] = field(default_factory=dict)

    def pallet(self, name: str) -> Pallet:
        """The pallet of that name."""
        return _found(self.pallets, name, "pallet")

    def entry(self, pallet: str, item: str) -> StorageEntry:
        """A storage item."""
        return _found(self.pallet(pallet).storage, item, f"storage item in {pallet}")

    def call(self, pallet: str, name: str, arguments: dict[str, Any]) -> bytes:
        """The SCALE bytes of a call. Every argument must be given by name."""
        owner = self.pallet(pallet)
        variant = _found(owner.calls, name, f"call in {pallet}")
        names = [item.name or "" for item in variant.fields]
        if set(names) != set(arguments):
            raise MetadataError(f"{pallet}.{name} takes {names}, not {sorted(arguments)}")
        body = b"".join(self.registry.encode(f.type, arguments[f.name or ""]) for f in variant.fields)
        return bytes([owner.index, variant.index]) + body

    def key(self, pallet: str, item: str, *keys: Any) -> bytes:
        """The storage key of an item; of a map with too few keys, the prefix of its entries."""
        entry = self.entry(pallet, item)
        prefix = twox_128(self.pallet(pallet).prefix.encode()) + twox_128(item.encode())
        return prefix + b"".join(
            _hash_key(hasher, self.registry.encode(kind, key))
            for (hasher, kind), key in zip(self._key_parts(entry), keys, strict=False)
        )

    def keys_of(self, pallet: str, item: str, storage_key: bytes) -> tuple[Any, ...]:
        """The map keys inside a storage key. Only for hashers that keep the key."""
        entry = self.entry(pallet, item)
        offset, keys = 32, []
        for hasher, kind in self._key_parts(entry):
            function, keeps = HASHERS[hasher]
            if not keeps:
                raise MetadataError(f"the keys of {pallet}.{item} cannot be read back")
            offset += len(function(b"")) if function else 0
            key, offset = self.registry.decode_from(kind, storage_key, offset)
            keys.append(key)
        return tuple(keys)

    def value_type(self, pallet: str, item: str) -> int:
        """The type id of a storage item's value."""
        kind = self.entry(pallet, item).type
        assert isinstance(kind, (EntryType.Plain, EntryType.Map))
        return kind.value

    def constant(self, pallet: str, name: str) -> Any:
        """A constant's value."""
        found = _found(self.pallet(pallet).constants, name, f"constant in {pallet}")
        return self.registry.decode(found.type, found.value)

    def error(self, pallet_index: int, code: int) -> tuple[str, str]:
        """A module error as (`Pallet.Error`, docs)."""
        pallet = self.by_index.get(pallet_index)
        variant = pallet.errors.get(code) if pallet else None
        if pallet is None or variant is None:
            return f"Module{pallet_index}.Error{code}", ""
        return f"{pallet.name}.{variant.name}", " ".join(line.strip() for line in variant.docs).strip()

    def _key_parts(self, entry: StorageEntry) -> list[tuple[int, int]]:
        kind = entry.type
        if isinstance(kind, EntryType.Plain):
            return []
        assert isinstance(kind, EntryType.Map)
        if len(kind.hashers) == 1:
            return [(kind.hashers[0], kind.key)]
        return list(zip(kind.hashers, self.registry.tuple_items(kind.key), strict=True))


def parse_metadata(data: bytes) -> Metadata:
    """Decode `meta` ‖ version ‖ body. Raises MetadataError."""
    if data[:4] != MAGIC or len(data) < 6:
        raise MetadataError("the node's metadata do not start with `meta`")
    version = data[4]
    if version not in LAYOUTS:
        raise MetadataError(f"metadata version {version} is not one that this client reads")
    pallets_codec, extrinsic_codec = LAYOUTS[version]
    try:
        types, offset = codec(list[PortableType]).decode_from(data, 5)
        pallets, offset = pallets_codec.decode_from(data, offset)
        extrinsic, _ = extrinsic_codec.decode_from(data, offset)
    except ScaleError as error:
        raise MetadataError(f"the node's metadata do not decode: {error}") from None
    registry = Registry(types)
    named = [_pallet(registry, item) for item in pallets]
    by_name, by_index = {p.name: p for p in named}, {p.index: p for p in named}
    return Metadata(version, registry, by_name, extrinsic.extensions, by_index)


def _pallet(registry: Registry, item: Any) -> Pallet:
    storage = item.storage.entries if item.storage else []
    calls = registry.variants(item.calls) if item.calls is not None else []
    errors = registry.variants(item.error) if item.error is not None else []
    return Pallet(
        name=item.name,
        index=item.index,
        prefix=item.storage.prefix if item.storage else item.name,
        storage={entry.name: entry for entry in storage},
        calls={call.name: call for call in calls},
        errors={error.index: error for error in errors},
        constants={constant.name: constant for constant in item.constants},
    )


def _hash_key(hasher: int, encoded: bytes) -> bytes:
    function, keeps = HASHERS[hasher]
    return (function(encoded) if function else b"") + (encoded if keeps else b"")


def _found(items: dict[str, T], name: str, what: str) -> T:
    if name not in items:
        raise MetadataError(f"the chain has no {what} named {name}")
    return items[name]
