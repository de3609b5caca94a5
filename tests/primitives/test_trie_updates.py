"""The updatable trie against the root from scratch, in both state versions, over every kind of store."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primitives.hashing import blake2_256
from primitives.trie import (
    EMPTY_ROOT,
    HashStore,
    InvalidKey,
    Memory,
    MissingNode,
    StateVersionUnknown,
    Trie,
    make_proof,
    root,
    verify_proof,
)
from primitives.trie.codec import encode_value, is_leaf, leaf_bytes

# Few distinct bytes and short keys: many shared prefixes, keys inside other keys, splits and merges.
KEYS = st.one_of(
    st.binary(max_size=3),
    st.lists(st.sampled_from([0x00, 0x01, 0x10, 0x11, 0xFF]), max_size=6).map(bytes),
)
VALUES = st.one_of(st.binary(max_size=5), st.binary(min_size=31, max_size=34), st.just(b""))
CHANGES = st.dictionaries(KEYS, st.none() | VALUES, max_size=12)
BLOCKS = st.lists(CHANGES, max_size=6)
VERSIONS = st.sampled_from([0, 1])


class PathStore:
    """Nodes by their path, as the node's database keeps them; checks the hash of what it gives."""

    def __init__(self) -> None:
        self.nodes: dict[str, bytes] = {}

    def load(self, path: str, node_hash: bytes) -> bytes:
        node = self.nodes[path]
        assert blake2_256(node) == node_hash
        return node

    def apply(self, changes: Mapping[str, bytes | None]) -> None:
        for path, node in changes.items():
            if node is None:
                self.nodes.pop(path, None)
            else:
                self.nodes[path] = node


def after(state: Mapping[bytes, bytes], changes: Mapping[bytes, bytes | None]) -> dict[bytes, bytes]:
    merged = {**state, **changes}
    return {key: value for key, value in merged.items() if value is not None}


@given(BLOCKS, VERSIONS)
def test_updates_in_memory_give_the_root_from_scratch(
    blocks: list[dict[bytes, bytes | None]], version: int
) -> None:
    trie, state = Trie(), dict[bytes, bytes]()
    for changes in blocks:
        state = after(state, changes)
        trie = trie.update(changes, version).trie
        assert trie.root_hash == root(state.items(), version)


@given(BLOCKS, VERSIONS)
def test_path_keyed_nodes_are_exactly_those_of_a_fresh_trie(
    blocks: list[dict[bytes, bytes | None]], version: int
) -> None:
    """Each update starts from the root hash alone; nothing is left behind, nothing is missing."""
    store, state, current = PathStore(), dict[bytes, bytes](), EMPTY_ROOT
    for changes in blocks:
        state = after(state, changes)
        update = Trie(current, store).update(changes, version)
        store.apply(update.nodes)
        current = update.trie.root_hash
        assert store.nodes == {k: v for k, v in Trie().update(state, version).nodes.items() if v is not None}


@given(BLOCKS, VERSIONS, KEYS)
def test_old_tries_stay_readable_over_a_hash_keyed_store(
    blocks: list[dict[bytes, bytes | None]], version: int, stranger: bytes
) -> None:
    store, states = HashStore(), [(EMPTY_ROOT, dict[bytes, bytes]())]
    for changes in blocks:
        current, state = states[-1]
        update = Trie(current, store).update(changes, version)
        store.add(update.nodes.values())
        store.add(changes.values())
        states.append((update.trie.root_hash, after(state, changes)))
    keys = {key for changes in blocks for key in changes} | {stranger}
    for current, state in states:
        trie = Trie(current, store)
        for key in sorted(keys):
            assert trie.get(key) == state.get(key)


@given(CHANGES, CHANGES, VERSIONS)
def test_an_update_leaves_the_trie_it_started_from_alone(
    first: dict[bytes, bytes | None], second: dict[bytes, bytes | None], version: int
) -> None:
    trie = Trie().update(first, version).trie
    before = trie.root_hash
    fork = trie.update(second, version).trie
    assert trie.root_hash == before == root(after({}, first).items(), version)
    assert trie.update(second, version).trie.root_hash == fork.root_hash
    assert fork.update({}, version).trie is fork


@given(CHANGES, VERSIONS)
def test_repeating_an_update_changes_nothing(changes: dict[bytes, bytes | None], version: int) -> None:
    store = PathStore()
    first = Trie(EMPTY_ROOT, store).update(changes, version)
    store.apply(first.nodes)
    nodes = dict(store.nodes)
    again = Trie(first.trie.root_hash, store).update(changes, version)
    store.apply(again.nodes)
    assert again.trie.root_hash == first.trie.root_hash
    assert store.nodes == nodes


@given(CHANGES, CHANGES)
def test_values_keep_their_layout_until_they_change(
    old: dict[bytes, bytes | None], new: dict[bytes, bytes | None]
) -> None:
    """A chain that goes over to version 1 lays out only what it writes anew, as Substrate does."""
    trie = Trie().update(old, 0).trie.update(new, 1).trie
    state = after({}, old)
    rewritten = (
        Trie().update(after(state, new), 0).trie.update({k: v for k, v in new.items() if v is not None}, 1)
    )
    assert trie.root_hash == rewritten.trie.root_hash


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=20), VERSIONS, KEYS)
def test_proofs_hold_what_is_needed_and_no_more(
    state: dict[bytes, bytes], version: int, stranger: bytes
) -> None:
    update = Trie().update(state, version)
    everything = [node for node in update.nodes.values() if node is not None]
    everything += [value for value in state.values() if len(value) > 32]
    for key in [*state, stranger]:
        proof = make_proof(update.trie, [key], state.get)
        assert set(proof) <= set(everything)
        assert verify_proof(update.trie.root_hash, proof, key) == state.get(key)
        for left_out in range(len(proof)):
            with pytest.raises(MissingNode):
                verify_proof(update.trie.root_hash, proof[:left_out] + proof[left_out + 1 :], key)
    assert set(make_proof(update.trie, state, state.get)) <= set(everything)


class FlatStore(PathStore):
    """Branches by their path; leaves are made from the flat state, as in the database."""

    def __init__(self) -> None:
        super().__init__()
        self.flat: dict[bytes, bytes] = {}
        self.version = 0

    def load(self, path: str, node_hash: bytes) -> bytes:
        if path in self.nodes:
            return super().load(path, node_hash)
        (key,) = [key for key in self.flat if key.hex().startswith(path)]
        value, hashed = encode_value(self.flat[key], self.version)
        leaf = leaf_bytes(key, len(path), value, hashed)
        assert blake2_256(leaf) == node_hash
        return leaf


LONG = st.lists(st.sampled_from([0x00, 0x10, 0x11, 0xF0]), min_size=18, max_size=22).map(bytes)
"""Keys whose leaves are long enough to be referred to by hash."""
SPREAD = st.dictionaries(KEYS | LONG | st.binary(min_size=18, max_size=18), st.none() | VALUES, max_size=20)


@given(st.lists(SPREAD, max_size=6), VERSIONS, st.booleans(), st.data())
def test_with_a_memory_only_branches_are_kept(
    blocks: list[dict[bytes, bytes | None]], version: int, forgets: bool, data: st.DataObject
) -> None:
    """Updates over a flat state: the same roots and the same branches, also when one of them is not used."""
    store, memory, current = FlatStore(), Memory(), EMPTY_ROOT
    store.version = version
    for drawn in blocks:
        changes = dict(drawn)
        if store.flat:
            changes |= dict.fromkeys(
                data.draw(st.lists(st.sampled_from(sorted(store.flat)), max_size=8)), b"x" * 40
            )
        before = {key: store.flat.get(key) for key in changes if key not in LEFT_OUT}
        trie = Trie(current, store)
        trie.update(dict.fromkeys(store.flat), version, memory, dict(store.flat))  # a dry run
        update = trie.update(changes, version, memory, before)
        store.apply(update.nodes)
        memory.adopt(update)
        store.flat = after(store.flat, changes)
        current = update.trie.root_hash
        fresh = Trie().update(store.flat, version)
        assert current == fresh.trie.root_hash
        branches = {
            path: node for path, node in fresh.nodes.items() if node is not None and not is_leaf(node)
        }
        assert store.nodes == branches
        assert memory.nodes.items() <= branches.items()
        if forgets:
            memory.clear()
        for key in store.flat:
            found = update.trie.find(key)
            assert found is not None and (found.hashed or found.inline_value() == store.flat[key])


LEFT_OUT = (b"", b"\0", b"\x11")
"""Keys of which the update is not told the old values."""


def test_keys_that_nest_too_deeply_are_refused_by_both_ways() -> None:
    nested = {b"\0" * length: b"v" for length in range(1000)}
    with pytest.raises(InvalidKey, match="branches on one path"):
        root(nested.items(), 1)
    trie = Trie().update({b"\0" * length: b"v" for length in range(190)}, 1).trie
    with pytest.raises(InvalidKey, match="branches on one path"):
        trie.update(nested, 1)


def test_a_key_beyond_the_bound_is_refused() -> None:
    with pytest.raises(InvalidKey, match="at most 32767"):
        root([(bytes(32768), b"")], 1)
    assert root([(bytes(32767), b"")], 1) != EMPTY_ROOT


def test_an_unknown_state_version_is_refused() -> None:
    with pytest.raises(StateVersionUnknown):
        root([(b"a", b"b")], 2)


def test_the_last_of_equal_keys_counts() -> None:
    assert root([(b"a", b"1"), (b"a", b"2")], 1) == root([(b"a", b"2")], 1)
