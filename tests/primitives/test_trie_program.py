"""The trie's WebAssembly program against its plain twin, `one_pass.py`: the same roots, the same branches."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Mapping
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primitives.trie import EMPTY_ROOT, Trie, ordered_root, plain_ordered_root, root
from primitives.trie.codec import encode_value, is_leaf, leaf_bytes
from primitives.trie.wasm import machine as program
from primitives.trie.wasm.arena import Arena, GaveUp
from primitives.trie.wasm.machine import IN, OUT, Machine
from primitives.trie.wasm.roots import list_root

KEYS = st.one_of(
    st.binary(max_size=3),
    st.lists(st.sampled_from([0x00, 0x01, 0x10, 0x11, 0xFF]), max_size=6).map(bytes),
    st.tuples(st.sampled_from([b"", b"\x11" * 20, b"\x11" * 90]), st.binary(max_size=2)).map(b"".join),
)
VALUES = st.one_of(
    st.binary(max_size=5),
    st.binary(min_size=31, max_size=34),
    st.just(b""),
    st.sampled_from([b"x" * 63, b"x" * 64, b"y" * 1025, b"z" * 20_000]),
)
CHANGES = st.dictionaries(KEYS, st.none() | VALUES, min_size=1, max_size=12)
STEPS = st.lists(
    st.tuples(CHANGES, st.sampled_from(["adopt", "adopt", "adopt", "abandon", "write", "forget", "restart"])),
    max_size=8,
)
NOT_TOLD = (b"", b"\0", b"\x11")
"""Keys of which an update is not told the old values."""


class Disk:
    """A flat state, and the branches of its trie under their paths, as a database holds them."""

    def __init__(self) -> None:
        self.flat: dict[bytes, bytes] = {}
        self.versions: dict[bytes, int] = {}
        self.column: dict[bytes, bytes] = {}
        self.loads = 0

    def load(self, path: str, node_hash: bytes) -> bytes:
        self.loads += 1
        node = self.column.get(packed(path))
        if node is None or blake2_256(node) != node_hash:
            key = next(key for key in sorted(self.flat) if key.hex().startswith(path))
            node = leaf_bytes(key, len(path), *encode_value(self.flat[key], self.versions[key]))
        assert blake2_256(node) == node_hash
        return node

    def change(self, changes: Mapping[bytes, bytes | None], version: int) -> None:
        for key, value in changes.items():
            if value is None:
                self.flat.pop(key, None)
            else:
                self.flat[key], self.versions[key] = value, version

    def remove(self, gone: Mapping[str, None] | Mapping[str, bytes | None]) -> None:
        for path in gone:
            self.column.pop(packed(path), None)

    def write(self, arena: Arena) -> None:
        self.column.update(arena.unwritten(updated=False))
        arena.written()
        assert not list(arena.unwritten(updated=False))


def blake2_256(data: bytes) -> bytes:
    return blake2b(data, digest_size=32).digest()


def packed(path: str) -> bytes:
    half = len(path) & 1
    return bytes.fromhex(path + "0" * half) + bytes((half,))


def branches(nodes: Mapping[str, bytes | None]) -> dict[bytes, bytes]:
    return {packed(path): node for path, node in nodes.items() if node is not None and not is_leaf(node)}


@given(STEPS, st.sampled_from([(0,), (1,), (0, 1)]), st.data())
def test_the_program_does_what_the_plain_pass_does(
    steps: list[tuple[dict[bytes, bytes | None], str]], versions: tuple[int, ...], data: st.DataObject
) -> None:
    disk, arena, plain = Disk(), Arena(EMPTY_ROOT), Trie()
    plain_nodes: dict[str, bytes | None] = {}
    stale: dict[bytes, bytes] = {}
    for drawn, then in steps:
        changes = dict(drawn)
        if disk.flat:
            kept = st.lists(st.sampled_from(sorted(disk.flat)), max_size=8)
            changes |= dict.fromkeys(data.draw(kept), data.draw(st.none() | VALUES))
        version = data.draw(st.sampled_from(versions))
        before = {key: disk.flat.get(key) for key in changes if key not in NOT_TOLD}
        expected = plain.update(changes, version)
        found, gone = arena.update(disk, changes, version, before)
        assert found == expected.trie.root_hash
        if then == "abandon":
            assert arena.root == plain.root_hash
            continue
        pending = dict(arena.unwritten(updated=True))
        arena.adopt()
        assert dict(arena.unwritten(updated=False)) == pending
        assert len(pending) == arena.unwritten_count()
        disk.change(changes, version)
        disk.remove(gone)
        plain = expected.trie
        plain_nodes |= expected.nodes
        if then in ("write", "restart", "forget"):
            disk.write(arena)
            assert disk.column == branches(plain_nodes)
        if then == "restart":
            arena = Arena(plain.root_hash)
            if arena.update(disk, {b"not there": None}, version, {})[0] == plain.root_hash:
                arena.offer([*stale.items(), *disk.column.items()])
            stale = dict(disk.column)
        if then == "forget":
            for quarter in range(4):
                arena.forget(quarter)
        for path, node in plain_nodes.items():
            # At a path where there is none it may find another, which the hash would tell.
            assert node is None or arena.node(path) in (None, node)
    disk.write(arena)
    assert disk.column == branches(plain_nodes)


def test_a_state_of_accounts_through_many_blocks() -> None:
    chance = random.Random(7)
    disk, arena, current = Disk(), Arena(EMPTY_ROOT), EMPTY_ROOT
    accounts = [b"\x26" * 32 + chance.randbytes(48) for _ in range(3000)]
    for block in range(12):
        changes: dict[bytes, bytes | None] = {
            accounts[chance.randrange(300 * block, 300 * block + 600) % 3000]: chance.randbytes(80)
            for _ in range(500)
        }
        changes |= dict.fromkeys(chance.sample(sorted(disk.flat), len(disk.flat) // 5))
        changes[b"\x26" * 16 + b"number".ljust(16)] = block.to_bytes(4, "little")
        changes[b"\x26" * 16 + b"events".ljust(16)] = chance.randbytes(20_000)
        before = {key: disk.flat.get(key) for key in changes}
        current, gone = arena.update(disk, changes, 1, before)
        disk.change(changes, 1)
        arena.adopt()
        disk.remove(gone)
        if block % 3 == 2:
            disk.write(arena)
        if block == 5:
            arena, loads = Arena(current), disk.loads
            arena.update(disk, {b"not there": None}, 1, {})
            arena.offer(disk.column.items())
            arena.update(disk, dict.fromkeys(disk.flat, b"x"), 1, disk.flat)
            assert disk.loads < loads + 5  # the root, and leaves of which it is not told
    fresh = Trie().update(disk.flat, 1)
    disk.write(arena)
    assert (current, disk.column) == (fresh.trie.root_hash, branches(fresh.nodes))


def test_a_full_memory_gives_up_and_leaves_the_trie_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "MOST", program.PAGE)
    program._module.cache_clear()
    try:
        arena, disk, chance = Arena(EMPTY_ROOT), Disk(), random.Random(3)
        few: dict[bytes, bytes | None] = {chance.randbytes(32): b"x" * 40 for _ in range(100)}
        current, _ = arena.update(disk, few, 1, {})
        arena.adopt()
        many: dict[bytes, bytes | None] = {chance.randbytes(32): b"x" * 40 for _ in range(5000)}
        with pytest.raises(GaveUp):
            arena.update(disk, many, 1, {})
        assert arena.root == current == root([(key, b"x" * 40) for key in few], 1)
        assert dict(arena.unwritten(updated=False)) == branches(Trie().update(few, 1).nodes)
    finally:
        program._module.cache_clear()


def test_keys_that_nest_too_deeply_or_are_too_long_are_given_up() -> None:
    nested: dict[bytes, bytes | None] = {b"\0" * length: b"v" for length in range(1000)}
    for changes in (nested, {b"k" * 40_000: b"v"}, {b"k": b"v" * (40 << 20)}):
        arena = Arena(EMPTY_ROOT)
        with pytest.raises(GaveUp):
            arena.update(Disk(), changes, 0, {})
        assert arena.root == EMPTY_ROOT
        assert arena.update(Disk(), {b"k": b"v"}, 0, {})[0] == root([(b"k", b"v")], 0)


@pytest.mark.parametrize("length", [0, 1, 33, 127, 128, 129, 255, 256, 257, 1000])
def test_blake2b_is_that_of_hashlib(length: int) -> None:
    """Seen through a trie of one leaf whose value is hashed."""
    value = bytes(range(256)) * 4
    assert list_root([value[:length]], 1) == root([(b"\0", value[:length])], 1)
    assert list_root([value[:length]], 0) == root([(b"\0", value[:length])], 0)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=200), st.sampled_from([0, 1]))
def test_the_root_over_a_list(values: list[bytes], version: int) -> None:
    assert list_root(values, version) == plain_ordered_root(values, version)


def test_the_root_over_a_long_list() -> None:
    values = [index.to_bytes(3, "little") * 45 for index in range(16_384)]
    assert ordered_root(values, 0) == list_root(values, 0) == plain_ordered_root(values, 0)
    values.append(b"")
    assert list_root(values, 0) is None
    assert ordered_root(values, 0) == plain_ordered_root(values, 0)


def test_regions_of_memory_do_not_overlap() -> None:
    assert OUT < IN < program.NODES
    with pytest.raises(AssertionError):
        Machine().write(program.NODES - 1, b"xx")


def test_where_address_space_is_short_the_plain_way_is_taken() -> None:
    """The program's memory wants some gigabytes of addresses, as wasmtime lays it out."""
    code = """if True:
        import resource
        from primitives.trie import EMPTY_ROOT, ordered_root, plain_ordered_root
        from primitives.trie.wasm.arena import Arena, GaveUp
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
        values = [b"a value"] * 100
        assert ordered_root(values, 0) == plain_ordered_root(values, 0)
        try:
            Arena(EMPTY_ROOT)
        except GaveUp:
            print("gave up")
        """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "gave up\n"
