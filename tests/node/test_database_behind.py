"""The trie column some blocks behind the head: what opening finds after the node was cut off."""

from __future__ import annotations

import contextlib
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from frame.backend import Delta
from node.database import Database, Pruning, tries
from node.database.behind import MOST_BLOCKS
from node.database.pruning import Mode
from primitives.header import Header
from primitives.trie import EMPTY_ROOT, NodeChanges, state_root, verify_child_proof, verify_proof
from primitives.trie.wasm.arena import Arena, GaveUp
from tests.crash.ledger import flat_state
from tests.node.test_database_history import commit

PREFIX = b"a pallet's item "


@pytest.fixture(autouse=True, params=[1, 10**9], ids=["program", "plain"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """The trie in its program from the first block on, or never."""
    monkeypatch.setattr(tries, "MANY", request.param)
    return bool(request.param == 1)


def random_delta(rng: random.Random, known: list[bytes]) -> Delta:
    """New, changed and deleted keys, here and in a child."""
    fresh = [PREFIX + rng.randbytes(rng.choice([2, 16])) for _ in range(20)]
    keys = sorted({*fresh, *rng.sample(known, min(len(known), 30))})
    known[:] = sorted({*known, *fresh})

    def value() -> bytes | None:
        return rng.choice([None, rng.randbytes(4), rng.randbytes(40), rng.randbytes(80)])

    child = {key: value() for key in sorted({rng.randbytes(1) for _ in range(8)})}
    return Delta({key: value() for key in keys}, {b"child": child})


def cut_off(folder: Path, to: Path) -> None:
    """What a kill now leaves of the open database: everything but a goodbye.

    RocksDB goes on compacting in threads of its own, so a copy counts only if no file came or went meanwhile.
    """
    for _ in range(100):
        to.mkdir()
        with contextlib.suppress(FileNotFoundError):
            before = sorted((file.name, file.stat().st_size) for file in folder.iterdir())
            for name, _ in before:
                shutil.copy2(folder / name, to / name)
            if before == sorted((file.name, file.stat().st_size) for file in folder.iterdir()):
                return
        shutil.rmtree(to)
    raise AssertionError("the database never came to rest")


def root_of(database: Database) -> bytes:
    best = database.best()
    assert best is not None
    header = database.header(best[1])
    assert isinstance(header, Header)
    return header.state_root


@pytest.mark.parametrize("blocks", [1, 7, MOST_BLOCKS - 1, MOST_BLOCKS, MOST_BLOCKS + 9])
def test_a_node_that_is_cut_off_goes_on_where_it_was(tmp_path: Path, blocks: int) -> None:
    rng, known = random.Random(blocks), list[bytes]()
    with Database.open(tmp_path / "db", sync=False) as database:
        for _ in range(blocks + 1):
            commit(database, random_delta(rng, known))
        cut_off(tmp_path / "db", tmp_path / "cut off")
        root = root_of(database)
    for name in ("cut off", "db"):
        with Database.open(tmp_path / name, sync=False) as opened:
            assert root_of(opened) == root == state_root(*flat_state(opened), 1)
            assert opened.backend().root(Delta({}), 1) == root
            state = opened.backend()
            for key in rng.sample(known, 20):
                assert verify_proof(root, state.proof([key]), key) == state.get(key)
            for byte in range(0, 256, 16):
                key = bytes((byte,))
                proof = state.proof([key], b"child")
                assert verify_child_proof(root, proof, b"child", key) == state.get(key, b"child")
            after = random_delta(rng, list(known))
            commit(opened, after)
            assert root_of(opened) == state_root(*flat_state(opened), 1)


def test_cut_off_again_and_again(tmp_path: Path) -> None:
    """Also where states are pruned as soon as they can be: the way forward must still be there."""
    rng, known, folder = random.Random(3), list[bytes](), tmp_path / "0"
    for turn in range(6):
        pruning = Pruning(Mode("constrained", rng.choice([1, 3, 40])))
        with Database.open(folder, sync=False, pruning=pruning) as database:
            for _ in range(rng.choice([1, 5, 50])):
                commit(database, random_delta(rng, known))
            assert root_of(database) == state_root(*flat_state(database), 1) != EMPTY_ROOT
            folder = tmp_path / str(turn + 1)
            cut_off(tmp_path / str(turn), folder)


def test_going_back_over_blocks_that_are_held(tmp_path: Path) -> None:
    rng, known = random.Random(4), list[bytes]()
    with Database.open(tmp_path / "db", sync=False) as database:
        roots = []
        for _ in range(20):
            commit(database, random_delta(rng, known))
            roots.append(root_of(database))
        for number in (17, 9, 2):
            database.revert(number)
            assert root_of(database) == roots[number] == state_root(*flat_state(database), 1)
            assert database.backend().root(Delta({}), 1) == roots[number]
            commit(database, Delta({b"after": bytes(40)}))
            assert root_of(database) == state_root(*flat_state(database), 1)


def test_a_program_that_gives_up_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: bool
) -> None:
    """Then the plain pass makes the block, and nothing that was not written yet is lost."""
    if not way:
        return
    rng, known, update = random.Random(5), list[bytes](), Arena.update

    def moody(self: Arena, *given: Any) -> tuple[bytes, NodeChanges]:
        made = update(self, *given)
        if rng.random() < 0.3:
            raise GaveUp
        return made

    monkeypatch.setattr(Arena, "update", moody)
    with Database.open(tmp_path / "db", sync=False) as database:
        for number in range(MOST_BLOCKS + 20):
            delta = random_delta(rng, known)
            if number and rng.random() < 0.3:  # computed, and then something else comes
                database.backend().root(delta, 1)
                delta = random_delta(rng, known)
            commit(database, delta)
            key = rng.choice(known)
            state = database.backend()
            assert verify_proof(root_of(database), state.proof([key]), key) == state.get(key)
        cut_off(tmp_path / "db", tmp_path / "cut off")
        root = root_of(database)
        assert root == state_root(*flat_state(database), 1)
    for name in ("cut off", "db"):
        with Database.open(tmp_path / name, sync=False) as opened:
            assert root_of(opened) == root == state_root(*flat_state(opened), 1)
            commit(opened, random_delta(rng, list(known)))
            assert root_of(opened) == state_root(*flat_state(opened), 1)
