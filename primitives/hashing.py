"""The hashes of the chain: blake2b and xxHash64 as Substrate uses them, and our tagged hash.

Source: Substrate `primitives/core/hashing`, `frame/support/src/hash.rs` (storage hashers).
"""

from __future__ import annotations

from functools import cache
from hashlib import blake2b

import xxhash

from primitives.scale import encode_compact


def blake2_256(data: bytes) -> bytes:
    """blake2b with a 32-byte digest: blocks, extrinsics, trie nodes."""
    return blake2b(data, digest_size=32).digest()


def blake2_128(data: bytes) -> bytes:
    """blake2b with a 16-byte digest."""
    return blake2b(data, digest_size=16).digest()


def blake2_64(data: bytes) -> bytes:
    """blake2b with an 8-byte digest: ids of runtime APIs."""
    return blake2b(data, digest_size=8).digest()


def twox_64(data: bytes) -> bytes:
    """xxHash64 with seed 0, little-endian. Not collision-resistant: only for keys that nobody chooses."""
    return xxhash.xxh64_intdigest(data).to_bytes(8, "little")


def twox_128(data: bytes) -> bytes:
    """xxHash64 with seeds 0 and 1: names in storage keys."""
    return twox_64(data) + xxhash.xxh64_intdigest(data, 1).to_bytes(8, "little")


def twox_256(data: bytes) -> bytes:
    """xxHash64 with seeds 0 to 3."""
    return b"".join(xxhash.xxh64_intdigest(data, seed).to_bytes(8, "little") for seed in range(4))


def blake2_128_concat(data: bytes) -> bytes:
    """Storage hasher: `blake2_128(data)` followed by the data, so that keys can be listed."""
    return blake2b(data, digest_size=16).digest() + data


def twox_64_concat(data: bytes) -> bytes:
    """Storage hasher: `twox_64(data)` followed by the data; for keys that nobody chooses."""
    return twox_64(data) + data


def identity(data: bytes) -> bytes:
    """Storage hasher for keys that are hashes already."""
    return data


@cache
def _tag(name: str) -> bytes:
    text = f"gm/{name}/1".encode()
    return encode_compact(len(text)) + text


def tagged(name: str, *parts: bytes) -> bytes:
    """blake2_256(SCALE string "gm/<name>/1" ‖ parts): a hash that cannot pass for one of another purpose.

    The parts are joined without lengths: the caller's format must say where each ends.
    """
    state = blake2b(_tag(name), digest_size=32)
    for part in parts:
        state.update(part)
    return state.digest()
