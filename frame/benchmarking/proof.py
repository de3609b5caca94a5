"""How large the proof of a call's reads is: recorded on a real trie, and at most by the types."""

from __future__ import annotations

from collections.abc import Iterable

from frame.backend import MemoryBackend
from frame.item import Item
from primitives.trie import Trie, make_proof

PROOF_NODE = 495
"""Bytes of a full branch of the base-16 trie: 15 sibling hashes."""
UNBOUNDED_ENTRIES = 1_000_000
"""Entries that a map without a bound is taken to have, as Substrate does."""


def recorded_proof(backend: MemoryBackend, keys: Iterable[bytes]) -> int:
    """The bytes of a read proof of `keys` in this state, state version 1."""
    trie = Trie().update(backend.top, 1).trie
    return sum(len(node) for node in make_proof(trie, keys, backend.top.get))


def max_size(item: Item) -> int | None:
    """The bytes of the largest entry: hashes, key and value; None without a bound."""
    value = item.codec.max_len
    keys = [codec.max_len for codec in item.key_codecs]
    if value is None or any(length is None for length in keys):
        return None
    return value + sum(length or 0 for length in keys) + sum(hasher.skip for hasher in item.hashers)


def proof_size(item: Item | None, largest: int) -> int:
    """The most that the proof of one entry takes: a branch for each level of the trie, and the entry.

    A map is taken to have `UNBOUNDED_ENTRIES` entries: ⌈log₁₆⌉ of that is 5 levels.
    """
    entries = UNBOUNDED_ENTRIES if item is None or item.key_codecs else 1
    levels = 0
    while 16**levels < entries:
        levels += 1
    return PROOF_NODE * levels + largest
