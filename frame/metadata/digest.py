"""The metadata's digest, which wallets show and sign (RFC 78, "Merkleized Metadata").

The types that an extrinsic can contain become the leaves of a binary tree, in the order of their ids, an
enumeration one leaf a variant; primitives and compacts stand in place and have no leaf. The digest commits
to the root of that tree, to the form of extrinsics, and to what a wallet shows: version, name, SS58 prefix,
decimals, symbol. All hashes are blake3-256. A wallet without room for the metadata checks a call against the
digest by the few leaves that the call touches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from frame.metadata.collect import Collected
from frame.metadata.types import FieldInfo, PortableType, SignedExtension, TypeDef, VariantShape
from frame.version import RuntimeVersion, Token
from primitives.extrinsic import VERSION
from primitives.scale import U8, U16, U32, Text, codec, encode_compact

_U8, _U256 = 3, 8
_COMPACT_U8, _VOID, _PER_ID = 15, 21, 22
"""Numbers of type references: 0 to 14 are the primitives, 15 to 20 the compacts of u8 to u256."""
_COMPOSITE, _ENUMERATION, _SEQUENCE, _ARRAY, _TUPLE = range(5)
"""Numbers of type definitions; bit sequences, the sixth, this chain has none of."""
_DIGEST_V1: Final = b"\x01"
_NO_LEAVES: Final = bytes(32)

_text = codec(Text).encode


def metadata_digest(found: Collected, version: RuntimeVersion, ss58_prefix: int, token: Token) -> bytes:
    """The 32-byte digest that `CheckMetadataHash` signs along in mode Enabled."""
    types = _Types(found)
    info = b"".join(
        (
            codec(U32).encode(version.spec_version),
            _text(version.spec_name),
            codec(U16).encode(ss58_prefix),
            codec(U8).encode(token.decimals),
            _text(token.symbol),
        )
    )
    extrinsic = _hash(types.extrinsic(found))
    return _hash(_DIGEST_V1 + merkle_root(types.leaves()) + extrinsic + info)


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root over the hashes of `leaves`, in a complete binary tree whose last rows stand first."""
    if not leaves:
        return _NO_LEAVES
    # A heap of 2n - 1 nodes: the children of node i are 2i + 1 and 2i + 2, the leaves its last n.
    heap = [b""] * (len(leaves) - 1) + [_hash(leaf) for leaf in leaves]
    for i in range(len(leaves) - 2, -1, -1):
        heap[i] = _hash(heap[2 * i + 1] + heap[2 * i + 2])
    return heap[0]


class _Types:
    """The types that an extrinsic can reach, renumbered by the order of their ids in the registry."""

    def __init__(self, found: Collected) -> None:
        self._all = found.registry.types
        reached = self._reached(
            [
                found.call,
                found.address,
                found.signature,
                *(id for e in found.extensions for id in (e.type_, e.additional_signed)),
            ]
        )
        self._ids = {old: new for new, old in enumerate(sorted(reached))}

    def _reached(self, roots: Iterable[int]) -> set[int]:
        reached: set[int] = set()
        waiting = list(roots)
        while waiting:
            number = waiting.pop()
            inner = _inner(self._all[number].def_)
            if number not in reached and inner is not None:
                reached.add(number)
                waiting += inner
        return reached

    def leaves(self) -> list[bytes]:
        """The encoded leaves: path, definition, id; enumerations by the index of their variants."""
        return [
            _vector(_text(part) for part in self._all[old].path) + body + encode_compact(new)
            for old, new in self._ids.items()
            for body in self._bodies(self._all[old].def_)
        ]

    def _bodies(self, definition: TypeDef) -> list[bytes]:
        match definition:
            case TypeDef.Composite(fields=fields):
                return [bytes((_COMPOSITE,)) + self._fields(fields)]
            case TypeDef.Union(variants=variants):
                return [self._variant(v) for v in sorted(variants, key=lambda v: v.index)]
            case TypeDef.Sequence(type_=item):
                return [bytes((_SEQUENCE,)) + self.ref(item)]
            case TypeDef.Array(length=length, type_=item):
                return [bytes((_ARRAY,)) + codec(U32).encode(length) + self.ref(item)]
            case TypeDef.Tuple(types=items):
                return [bytes((_TUPLE,)) + _vector(self.ref(item) for item in items)]
        raise TypeError(f"{definition!r} has no leaf")

    def _variant(self, v: VariantShape) -> bytes:
        return bytes((_ENUMERATION,)) + _text(v.name) + self._fields(v.fields) + encode_compact(v.index)

    def _fields(self, fields: Iterable[FieldInfo]) -> bytes:
        return _vector(_option(f.name) + self.ref(f.type_) + _option(f.type_name) for f in fields)

    def ref(self, number: int) -> bytes:
        """How a leaf refers to a type."""
        match self._all[number].def_:
            case TypeDef.Primitive(kind=kind):
                return bytes((kind,))
            case TypeDef.Compact(type_=inner):
                unsigned = self._primitive(self._all[inner])
                return bytes((_VOID if unsigned is None else unsigned - _U8 + _COMPACT_U8,))
        new = self._ids.get(number)
        return bytes((_VOID,)) if new is None else bytes((_PER_ID,)) + encode_compact(new)

    def _primitive(self, found: PortableType) -> int | None:
        """The unsigned primitive inside a wrapper, None for one around nothing."""
        match found.def_:
            case TypeDef.Primitive(kind=kind) if _U8 <= kind <= _U256:
                return kind
            case TypeDef.Composite(fields=[]) | TypeDef.Tuple(types=[]):
                return None
            case TypeDef.Composite(fields=[only]):
                return self._primitive(self._all[only.type_])
            case TypeDef.Tuple(types=[inner]):
                return self._primitive(self._all[inner])
        raise TypeError(f"a compact of type {found.id} has no primitive inside")

    def extrinsic(self, found: Collected) -> bytes:
        """The form of signed extrinsics."""
        parts = b"".join(self.ref(part) for part in (found.address, found.call, found.signature))
        return bytes((VERSION,)) + parts + _vector(self._extension(e) for e in found.extensions)

    def _extension(self, e: SignedExtension) -> bytes:
        return _text(e.identifier) + self.ref(e.type_) + self.ref(e.additional_signed)


def _inner(definition: TypeDef) -> list[int] | None:
    """The types inside a type; None for one that has no leaf: primitives, compacts, and what is empty."""
    match definition:
        case TypeDef.Composite(fields=fields) if fields:
            return [field.type_ for field in fields]
        case TypeDef.Union(variants=variants) if variants:
            return [field.type_ for v in variants for field in v.fields]
        case TypeDef.Sequence(type_=item) | TypeDef.Array(type_=item):
            return [item]
        case TypeDef.Tuple(types=items) if items:
            return items
    return None


def _hash(data: bytes) -> bytes:
    from blake3 import blake3  # here, since few chains' users ever need it and a node's start need not wait

    return bytes(blake3(data).digest())


def _vector(items: Iterable[bytes]) -> bytes:
    listed = list(items)
    return encode_compact(len(listed)) + b"".join(listed)


def _option(text: str | None) -> bytes:
    return b"\0" if text is None else b"\1" + _text(text)
