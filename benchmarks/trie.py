"""The trie: what a block's updates cost on a large state."""

from collections.abc import Iterator

from benchmarks.figure import Figure, seconds_each
from primitives.hashing import blake2_256
from primitives.trie import Trie

ACCOUNTS = 100_000
CHANGED = 1_000


def figures() -> Iterator[Figure]:
    """Microseconds for each of a thousand changed keys among a hundred thousand, new root included."""
    state = {blake2_256(n.to_bytes(4, "little")): n.to_bytes(80, "little") for n in range(ACCOUNTS)}
    built = Trie().update(state, 1)
    changes = {key: value[::-1] for key, value in list(state.items())[:CHANGED]}
    seconds = seconds_each(lambda: built.trie.update(changes, 1), runs=3)
    yield Figure("trie_update_us_per_key", seconds / CHANGED * 1e6, "µs")
