"""The database as a chain of blocks: commits, reopening, wrong chains, locks, refusals."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from frame.backend import Delta
from node.database import (
    Database,
    DatabaseClosed,
    DatabaseCorrupt,
    DatabaseLocked,
    DatabaseUnreadable,
    FormatUnknown,
    NotNextBlock,
    StateRootMismatch,
)
from node.database.columns import META, TRIE
from node.errors import UnknownBlock, WrongChain
from primitives.digest import Digest
from primitives.hashing import blake2_256
from primitives.header import Header

BLOB = blake2_256(b"blob")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "db", sync=False) as opened:
        yield opened


def header_of(parent: bytes, number: int, root: bytes) -> Header:
    return Header(
        parent_hash=parent, number=number, state_root=root, extrinsics_root=bytes(32), digest=Digest(logs=[])
    )


def add(
    db: Database, changes: dict[bytes, bytes | None], *, pieces: tuple[tuple[bytes, int, bytes], ...] = ()
) -> bytes:
    """Commit the next block with these changes; returns its hash."""
    best = db.best()
    number, parent = (0, bytes(32)) if best is None else (best[0] + 1, best[1])
    delta = Delta(dict(sorted(changes.items())))
    root = db.backend().root(delta, 1)
    header = header_of(parent, number, root)
    block_hash = header.hash
    db.commit(header, block_hash, [b"\x04one", b"\x08two" * number], delta, pieces)
    return block_hash


def test_blocks_are_read_back(db: Database) -> None:
    assert db.best() is None
    assert db.finalized() is None
    hashes = [add(db, {b"k": bytes([n])}) for n in range(4)]
    assert db.best() == db.finalized() == (3, hashes[3])
    assert db.genesis_hash == hashes[0]
    assert [db.hash_at(n) for n in range(5)] == [*hashes, None]
    assert [db.number_of(h) for h in hashes] == [0, 1, 2, 3]
    assert db.body(hashes[2]) == [b"\x04one", b"\x08two\x08two"]
    header = db.header(hashes[3])
    assert header is not None
    assert header.parent_hash == hashes[2]
    assert db.header(bytes(32)) is None
    assert db.body(bytes(32)) is None
    assert db.number_of(bytes(32)) is None


def test_reopening_gives_the_same_head_and_state(tmp_path: Path) -> None:
    with Database.open(tmp_path) as db:
        hashes = [add(db, {b"k%d" % (n % 3): bytes([n]) * 40, b"gone%d" % n: b"x"}) for n in range(5)]
        add(db, {b"gone1": None}, pieces=((BLOB, 0, b"zero"), (BLOB, 7, b"seven")))
        head = db.best()
    with Database.open(tmp_path) as db:
        assert db.best() == db.finalized() == head
        assert db.backend().get(b"k1") == bytes([4]) * 40
        assert db.backend().get(b"gone1") is None
        assert db.backend(hashes[1]).get(b"k1") == bytes([1]) * 40
        assert db.piece(BLOB, 7) == b"seven"
        assert db.piece(BLOB, 1) is None
        add(db, {b"k1": b"more"})  # the root over nodes loaded from the disk holds
        assert db.backend().get(b"k1") == b"more"


def test_another_chain_is_refused_by_name(db: Database) -> None:
    db.check_chain(b"anything fits an empty database")
    genesis = add(db, {b"a": b"1"})
    db.check_chain(genesis)
    with pytest.raises(WrongChain, match="belongs to the chain with genesis"):
        db.check_chain(bytes(32))


def test_a_second_process_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    with Database.open(tmp_path):
        with pytest.raises(DatabaseLocked, match="in use by another node"):
            Database.open(tmp_path)
        code = f"from node.database import Database; Database.open({str(tmp_path)!r})"
        command = [sys.executable, "-c", code]
        other = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert "DatabaseLocked" in other.stderr
    Database.open(tmp_path).close()


def test_a_folder_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DatabaseUnreadable):
        Database.open(tmp_path / "file")


def test_a_damaged_database_is_not_called_locked(tmp_path: Path) -> None:
    with Database.open(tmp_path) as db:
        add(db, {b"a": b"1"})
    (tmp_path / "CURRENT").write_text("block: no such lock\n")
    with pytest.raises(DatabaseUnreadable, match="cannot open"):
        Database.open(tmp_path)


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with Database.open(tmp_path) as db:
        add(db, {b"a": b"1"})
        batch = db.storage.batch()
        batch.put(META, b"format", b"99")
        db.storage.write(batch)
    with pytest.raises(FormatUnknown, match="format 99"):
        Database.open(tmp_path)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_only_the_next_block_is_taken(db: Database, number: int) -> None:
    add(db, {b"a": b"1"})
    best = add(db, {b"a": b"2"})
    header = header_of(best, number, bytes(32))
    with pytest.raises(NotNextBlock):
        db.commit(header, bytes(32), [], Delta({}))
    wrong_parent = header_of(bytes(32), 2, bytes(32))
    with pytest.raises(NotNextBlock):
        db.commit(wrong_parent, bytes(32), [], Delta({}))
    assert db.best() == (1, best)


def test_a_wrong_state_root_changes_nothing(db: Database) -> None:
    best = add(db, {b"a": b"1"})
    header = header_of(best, 1, bytes(32))
    with pytest.raises(StateRootMismatch):
        db.commit(header, b"\1" * 32, [], Delta({b"a": b"2"}), [(BLOB, 0, b"x")])
    assert db.best() == (0, best)
    assert db.backend().get(b"a") == b"1"
    assert db.piece(BLOB, 0) is None
    assert db.header(b"\1" * 32) is None


def test_finality_may_lag_and_never_goes_back(db: Database) -> None:
    genesis = add(db, {b"a": b"1"})
    delta = Delta({b"a": b"2"})
    root = db.backend().root(delta, 1)
    header = header_of(genesis, 1, root)
    db.commit(header, b"\1" * 32, [], delta, finalized=False)
    assert db.finalized() == (0, genesis)
    db.finalize(1)
    assert db.finalized() == (1, b"\1" * 32)
    db.finalize(0)
    assert db.finalized() == (1, b"\1" * 32)
    with pytest.raises(UnknownBlock):
        db.finalize(2)


def test_notes_are_kept_with_the_block(tmp_path: Path) -> None:
    with Database.open(tmp_path) as db:
        delta = Delta({b"a": b"1"})
        header = header_of(bytes(32), 0, db.backend().root(delta, 1))
        db.commit(header, b"\7" * 32, [], delta, notes={b"best": b"mine"})
    with Database.open(tmp_path) as db:
        assert db.note(b"best") == b"mine"
        assert db.best() == (0, b"\7" * 32)


def test_a_damaged_trie_node_is_noticed(tmp_path: Path) -> None:
    with Database.open(tmp_path) as db:
        add(db, {b"%d" % n: b"v" * 40 for n in range(100)})
        batch = db.storage.batch()
        batch.put(TRIE, b"t\x00", b"\x00")
        db.storage.write(batch)
    with Database.open(tmp_path) as db, pytest.raises(DatabaseCorrupt, match="missing or changed"):
        db.backend().root(Delta({b"5": b"x"}), 1)


def test_use_after_close_has_a_name(tmp_path: Path) -> None:
    db = Database.open(tmp_path)
    add(db, {b"a": b"1"})
    state = db.backend()
    db.close()
    db.close()
    with pytest.raises(DatabaseClosed):
        state.get(b"a")
    with pytest.raises(DatabaseClosed):
        state.next_key(b"")
    with pytest.raises(DatabaseClosed):
        db.hash_at(0)


def test_an_unknown_block_has_no_state(db: Database) -> None:
    add(db, {b"a": b"1"})
    with pytest.raises(UnknownBlock):
        db.backend(b"\1" * 32)
