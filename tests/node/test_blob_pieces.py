"""The pieces of a blob are there exactly as long as a state that is kept holds it: after pruning, going back,
and kill -9.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain_spec import resolve
from frame.backend import Delta
from node.authoring import Author
from node.database import Database, Mode, Pruning
from node.database.content import held_key
from node.run import open_node
from primitives.data import blob_hash, piece_hash, pieces
from primitives.digest import Digest
from primitives.header import Header
from primitives.scale import H256, U32, U64, Bytes, encode
from runtime import GristmillRuntime
from tests.signing import Signer

DECLARE, PUT, REMOVE = b"\x09\x00", b"\x09\x01", b"\x09\x02"
BLOBS = [bytes([letter]) * 32 for letter in b"abc"]
NOW, HOUR = 1_800_000_000_000, 3_600_000


def extend(db: Database, held: dict[bytes, None], put: set[bytes], drop: set[bytes]) -> None:
    """One block that puts two pieces of each blob of `put`, and drops those of `drop`."""
    best = db.best()
    number, parent = (0, bytes(32)) if best is None else (best[0] + 1, best[1])
    changes: dict[bytes, bytes | None] = {b"number": b"%d" % number}
    for blob in put:
        held[blob] = None
        changes[held_key(blob)] = b"held since %d" % number
    for blob in drop - put:
        if held.pop(blob, 0) is None:
            changes[held_key(blob)] = None
    delta = Delta(dict(sorted(changes.items())))
    header = Header(
        parent_hash=parent,
        number=number,
        state_root=db.backend().root(delta, 1),
        extrinsics_root=bytes(32),
        digest=Digest(logs=[]),
    )
    db.commit(
        header, header.hash, [], delta, [(blob, i, blob + bytes([i])) for blob in put for i in (0, 255)]
    )


def check(db: Database) -> None:
    """What the kept states say is what the content column has."""
    needed = set()
    for number in range(db.oldest_state, db.best_number + 1):
        state = db.backend(db.hash_at(number))
        needed |= {blob for blob in BLOBS if state.get(held_key(blob)) is not None}
    for blob in BLOBS:
        for index in (0, 255):
            assert db.piece(blob, index) == (blob + bytes([index]) if blob in needed else None)


some = st.sets(st.sampled_from(BLOBS), max_size=2)
step = st.one_of(st.tuples(some, some), st.integers(1, 4), st.just("reopen"))


@settings(max_examples=15, deadline=None)
@given(keep=st.sampled_from([2, 3, 5, None]), steps=st.lists(step, max_size=25))
def test_pieces_stay_as_long_as_a_kept_state_needs_them(
    tmp_path_factory: pytest.TempPathFactory, keep: int | None, steps: list[object]
) -> None:
    folder = tmp_path_factory.mktemp("pieces")
    pruning = Pruning(Mode("archive" if keep is None else "constrained", keep))
    db = Database.open(folder, sync=False, pruning=pruning)
    states = [dict[bytes, None]()]
    extend(db, states[0], set(), set())
    for each in steps:
        if each == "reopen":
            db.close()
            db = Database.open(folder, sync=False, pruning=pruning)
        elif isinstance(each, int):
            number = max(db.oldest_state, db.best_number - each)
            db.revert(number)
            del states[number + 1 :]
        else:
            assert isinstance(each, tuple)
            states.append(dict(states[-1]))
            extend(db, states[-1], *each)
        check(db)
    db.close()


def write_blocks(folder: str, seed: int) -> None:
    """Blocks, and now and then some taken back, until killed."""
    chance = random.Random(seed)
    with Database.open(folder, pruning=Pruning(Mode("constrained", 3))) as db:
        while True:
            held = {blob: None for blob in BLOBS if db.backend().get(held_key(blob)) is not None}
            extend(db, held, set(chance.sample(BLOBS, 1)), set(chance.sample(BLOBS, 2)))
            if chance.random() < 0.2:
                db.revert(max(db.oldest_state, db.best_number - chance.randrange(3)))
            os.write(1, b".")


def test_a_kill_leaves_no_piece_too_few_or_too_many(tmp_path: Path) -> None:
    chance = random.Random(5)
    for turn in range(2):
        code = f"import runpy; runpy.run_path({__file__!r})['write_blocks']({str(tmp_path / 'db')!r}, {turn})"
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert child.stdout is not None and child.stdout.read(1) == b"."
        time.sleep(chance.random() * 0.3)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        with Database.open(tmp_path / "db") as db:
            assert db.best_number >= 0
            check(db)


def test_the_state_key_is_that_of_the_pallet(gristmill: GristmillRuntime) -> None:
    blobs = gristmill.machine().of(GristmillRuntime.blobs).blobs
    assert all(blobs.key_of(blob) == held_key(blob) for blob in BLOBS)


def test_a_removed_blob_is_deleted_once_no_state_has_it(tmp_path: Path, gristmill: GristmillRuntime) -> None:
    data = bytes(300_000)
    digest, parts = blob_hash(data), list(enumerate(pieces(data)))
    with Database.open(tmp_path / "db", sync=False, pruning=Pruning(Mode("constrained", 3))) as db:
        node = open_node(resolve("dev"), db, gristmill)
        author, alice = Author(node), Signer("//Alice", node.chain.genesis_hash)

        def have() -> list[bool]:
            return [db.piece(digest, i) is not None for i, _ in parts]

        def seal(*calls: bytes, after: int = 0) -> None:
            for call in calls:
                node.submit(alice.sign(call))
            made = author.seal(NOW + after, empty=True)
            assert made is not None and len(made.extrinsics) == 1 + len(calls)

        hashes = encode(list[H256], [piece_hash(i, part) for i, part in parts])
        puts = [PUT + digest + encode(U32, i) + encode(Bytes, part) for i, part in parts]
        seal(DECLARE + encode(U64, len(data)) + hashes)
        seal(*puts)
        assert have() == [True, True] and node.blobs.length(digest) == len(data)
        node.chain.revert_to(0)
        assert have() == [False, False] and len(node.pool.ready) == 3
        assert author.seal(NOW) is not None and author.seal(NOW + 1, empty=True) is not None
        assert have() == [True, True], "what the lost block held came back from the pool"
        seal(REMOVE + digest, after=2 * HOUR)
        assert node.blobs.length(digest) is None
        seal(after=2 * HOUR + 1)
        assert have() == [True, True], "an older state is kept that has the blob"
        node.chain.revert_to(2)
        assert node.blobs.length(digest) == len(data) and have() == [True, True]
        node.pool.remove([tx.hash for tx in node.pool.pending()])
        alice.nonce -= 1
        seal(REMOVE + digest, after=2 * HOUR)
        for i in range(2):
            assert have() == [True, True]
            seal(after=2 * HOUR + 1 + i)
        assert have() == [False, False]
