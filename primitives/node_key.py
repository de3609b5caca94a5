"""The key that names a node: an ed25519 seed, and the peer id that libp2p derives from it.

Source: libp2p specification `peer-ids/peer-ids.md` (an identity multihash of the protobuf public key, in
base58), Substrate `client/cli/src/params/node_key_params.rs`.
"""

from __future__ import annotations

import os

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from primitives.keys import SecretError
from primitives.ss58 import base58

_HEAD = bytes.fromhex("002408011220")
"""Identity multihash of 36 bytes ‖ protobuf: type Ed25519, 32 bytes of data."""


def generate() -> bytes:
    """A new seed of 32 bytes, from the system's randomness."""
    return os.urandom(32)


def peer_id(seed: bytes) -> str:
    """The peer id of a seed, `12D3KooW…`."""
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return base58(_HEAD + public)


def parse(data: bytes) -> bytes:
    """The seed in a key file: its 32 bytes, or their 64 hex digits. SecretError, without what it read."""
    if len(data) == 32:
        return data
    try:
        seed = bytes.fromhex(data.decode("ascii").strip().removeprefix("0x"))
    except ValueError:
        seed = b""
    if len(seed) != 32:
        raise SecretError("a node key is 32 bytes, or 64 hex digits")
    return seed
