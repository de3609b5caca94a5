"""The block header. Source: Substrate `primitives/runtime/src/generic/header.rs`."""

from __future__ import annotations

from primitives.digest import Digest
from primitives.hashing import blake2_256
from primitives.scale import H256, CompactU32, Struct, codec


class Header(Struct, path="sp_runtime::generic::header::Header"):
    """What is hashed into a block's hash. The number is compact."""

    parent_hash: H256
    number: CompactU32
    state_root: H256
    extrinsics_root: H256
    digest: Digest

    def encode(self) -> bytes:
        """The SCALE bytes."""
        return codec(Header).encode(self)

    @property
    def hash(self) -> bytes:
        """The block hash: blake2b-256 of the encoding."""
        return blake2_256(codec(Header).encode(self))
