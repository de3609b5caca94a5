"""Which runtime this is (`sp_version::RuntimeVersion`)."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from primitives.hashing import blake2_64
from primitives.scale import U8, U32, FixedBytes, Struct, Text, codec

ApiId = Annotated[bytes, FixedBytes(8)]


class RuntimeVersion(Struct, path="sp_version::RuntimeVersion"):
    """Names and numbers that clients and signatures depend on."""

    spec_name: Text
    impl_name: Text
    authoring_version: U32
    spec_version: U32
    """Grows with every change of what a block does."""
    impl_version: U32
    apis: list[tuple[ApiId, U32]]
    transaction_version: U32
    """Grows when calls change their place or their arguments."""
    system_version: U8
    """0: state V0; 1: state V1, extrinsics root V0; 2: both V1."""

    @property
    def state_version(self) -> int:
        """The trie layout of the state."""
        return min(self.system_version, 1)

    @property
    def extrinsics_root_version(self) -> int:
        """The trie layout of the extrinsics root."""
        return 1 if self.system_version >= 2 else 0

    def encode(self) -> bytes:
        """The SCALE bytes."""
        return codec(RuntimeVersion).encode(self)


class Token(NamedTuple):
    """How wallets show the chain's money: part of the metadata's digest."""

    symbol: str
    decimals: int


def api_id(name: str) -> bytes:
    """The id of a runtime API: blake2b-64 of its name."""
    return blake2_64(name.encode())
