"""Readers in other threads while blocks are committed: each state stays that of its block."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from frame.backend import Delta
from node.database import BlockState, Database
from primitives.digest import Digest
from primitives.header import Header

BLOCKS = 60
KEYS = [b"k%d" % index for index in range(8)]


def commit(db: Database, number: int) -> None:
    best = db.best()
    delta = Delta(dict.fromkeys(KEYS, b"%d" % number))
    header = Header(
        parent_hash=bytes(32) if best is None else best[1],
        number=number,
        state_root=db.backend().root(delta, 1),
        extrinsics_root=bytes(32),
        digest=Digest(logs=[]),
    )
    db.commit(header, header.hash, [], delta)


def agrees(state: BlockState) -> bool:
    """All keys hold the block's number, read one by one and by walking."""
    if any(state.get(key) != b"%d" % state.number for key in KEYS):
        return False
    walked, key = [], state.next_key(b"")
    while key is not None:
        walked.append(key)
        key = state.next_key(key)
    return walked == KEYS


def test_readers_see_one_block(tmp_path: Path) -> None:
    with Database.open(tmp_path, sync=False) as db, ThreadPoolExecutor(4) as pool:
        commit(db, 0)
        results = []
        for number in range(1, BLOCKS):
            results += [pool.submit(agrees, db.backend()) for _ in range(4)]
            commit(db, number)
        assert all(result.result() for result in results)
