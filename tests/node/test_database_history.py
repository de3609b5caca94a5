"""State at every block, child tries included, against a plain model; going back; reopening in between."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frame.backend import Delta
from node.database import BlockState, Database
from node.errors import UnknownBlock
from primitives.digest import Digest
from primitives.header import Header
from primitives.trie import CHILD_PREFIX, EMPTY_ROOT, state_root, verify_proof

Space = dict[bytes, bytes]
State = tuple[Space, dict[bytes, Space]]

# Zero bytes and keys within keys: where the order of escaped keys could go wrong.
KEYS = st.lists(st.sampled_from([0x00, 0x01, 0x61, 0xFF]), max_size=4).map(bytes)
VALUES = st.sampled_from([b"", b"\0", b"one", b"long" * 20])
CHANGES = st.dictionaries(KEYS, st.none() | VALUES, max_size=6)
CHILDREN = st.dictionaries(st.sampled_from([b"", b"a", b"a\0", b"b"]), CHANGES, max_size=2)
STEPS = st.lists(st.tuples(CHANGES, CHILDREN), min_size=1, max_size=8)


def ordered(changes: dict[bytes, bytes | None]) -> dict[bytes, bytes | None]:
    return dict(sorted(changes.items()))


def after(state: State, delta: Delta) -> State:
    def merged(space: Space, changes: object) -> Space:
        assert isinstance(changes, dict)
        return {key: value for key, value in {**space, **changes}.items() if value is not None}

    children = dict(state[1])
    for name, changes in delta.children.items():
        children[name] = merged(children.get(name, {}), changes)
    return merged(state[0], delta.top), children


def commit(db: Database, delta: Delta) -> bytes:
    best = db.best()
    number, parent = (0, bytes(32)) if best is None else (best[0] + 1, best[1])
    header = Header(
        parent_hash=parent,
        number=number,
        state_root=db.backend().root(delta, 1),
        extrinsics_root=bytes(32),
        digest=Digest(logs=[]),
    )
    db.commit(header, header.hash, [], delta)
    return header.hash


def all_keys(state: BlockState, child: bytes | None) -> list[bytes]:
    found = [b""] if state.get(b"", child) is not None else []
    key = state.next_key(b"", child)
    while key is not None:
        found.append(key)
        key = state.next_key(key, child)
    return found


def check(backend: BlockState, state: State) -> None:
    roots = {
        b":child_storage:default:" + name: state_root(space, {}, 1)
        for name, space in state[1].items()
        if space
    }
    spaces: list[tuple[bytes | None, Space]] = [(None, {**state[0], **roots}), *state[1].items()]
    for child, space in spaces:
        assert all_keys(backend, child) == sorted(space)
        for key, value in space.items():
            assert backend.get(key, child) == value
        keys = [*space, b"never there"]
        proof = backend.proof(keys, child)
        top_root = backend.root(Delta({}), 1)
        child_root = (
            None if child is None else verify_proof(top_root, proof, CHILD_PREFIX + child) or EMPTY_ROOT
        )
        for key in keys:
            assert verify_proof(child_root or top_root, proof, key) == space.get(key)
    assert backend.get(b"never there") is None
    assert backend.root(Delta({}), 1) == state_root(*state, 1)


@settings(max_examples=15)
@given(STEPS, st.integers(0, 7), st.integers(0, 7))
def test_every_block_keeps_its_state(
    steps: list[tuple[dict[bytes, bytes | None], dict[bytes, dict[bytes, bytes | None]]]],
    reopen: int,
    back: int,
) -> None:
    with TemporaryDirectory() as folder:
        db = Database.open(folder, sync=False)
        states: list[State] = [({}, {})]
        hashes: list[bytes] = []
        held: list[BlockState] = []
        for number, (top, children) in enumerate(steps):
            delta = Delta(
                ordered(top), {name: ordered(changes) for name, changes in sorted(children.items())}
            )
            states.append(after(states[-1], delta))
            hashes.append(commit(db, delta))
            held.append(db.backend())
            if number == reopen:
                db.close()
                db, held = Database.open(folder, sync=False), []
        for state, block_hash in zip(states[1:], hashes, strict=True):
            check(db.backend(block_hash), state)
        for backend in held:  # made when their block was the best
            check(backend, states[backend.number + 1])
        target = min(back, len(hashes) - 1)
        db.revert(target)
        assert db.best() == (target, hashes[target])
        check(db.backend(), states[target + 1])
        delta = Delta({b"after": b"going back"})
        commit(db, delta)
        check(db.backend(), after(states[target + 1], delta))
        check(db.backend(hashes[target]), states[target + 1])
        db.close()


def test_a_root_on_an_old_block_is_that_of_its_own_state(tmp_path: Path) -> None:
    with Database.open(tmp_path, sync=False) as db:
        hashes = [commit(db, Delta({b"k%02d" % (n % 5): b"%d" % n, b"n%d" % n: b"x" * n})) for n in range(30)]
        extra = Delta({b"extra": b"1", b"k00": None})
        for number in (29, 0, 13, 28):
            state = {b"n%d" % n: b"x" * n for n in range(number + 1)}
            state |= {b"k%02d" % (n % 5): b"%d" % n for n in range(number + 1)}
            state.pop(b"k00")
            state[b"extra"] = b"1"
            assert db.backend(hashes[number]).root(extra, 1) == state_root(state, {}, 1)
        assert db.backend().get(b"extra") is None


def test_reverted_blocks_are_gone_and_content_stays(tmp_path: Path) -> None:
    with Database.open(tmp_path, sync=False) as db:
        hashes = [commit(db, Delta({b"k": b"%d" % n})) for n in range(5)]
        db.revert(2)
        assert db.hash_at(3) is None
        assert db.header(hashes[4]) is None
        assert db.body(hashes[3]) is None
        assert db.finalized() == (2, hashes[2])
        with pytest.raises(UnknownBlock):
            db.backend(hashes[4])
        with pytest.raises(UnknownBlock):
            db.revert(3)
        db.revert(2)
        commit(db, Delta({b"k": b"other"}))
        assert db.backend(hashes[1]).get(b"k") == b"1"
        assert db.backend().get(b"k") == b"other"
