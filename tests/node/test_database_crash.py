"""kill -9 in the middle of commits: the head is the old or the new one, whole; nothing said is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from frame.backend import Delta
from node.database import Database
from primitives.digest import Digest
from primitives.header import Header
from primitives.trie import root

KEYS = 200
EACH = 60
"""Keys that a block changes."""
BLOB = b"\7" * 32


def delta_of(number: int) -> Delta:
    """Changes and deletions that follow from the block number alone."""
    rng = random.Random(number)
    changes: dict[bytes, bytes | None] = {
        b"key%03d" % rng.randrange(KEYS): rng.choice([None, rng.randbytes(rng.randrange(100))])
        for _ in range(EACH)
    }
    changes[b"number"] = b"%d" % number
    return Delta(dict(sorted(changes.items())))


def state_at(number: int) -> dict[bytes, bytes]:
    state: dict[bytes, bytes] = {}
    for height in range(number + 1):
        for key, value in delta_of(height).top.items():
            if value is None:
                state.pop(key, None)
            else:
                state[key] = value
    return state


def write_blocks(folder: str) -> None:
    """Commit blocks until killed, saying so after each."""
    db = Database.open(folder)
    while True:
        best = db.best()
        number, parent = (0, bytes(32)) if best is None else (best[0] + 1, best[1])
        delta = delta_of(number)
        header = Header(
            parent_hash=parent,
            number=number,
            state_root=db.backend().root(delta, 1),
            extrinsics_root=bytes(32),
            digest=Digest(logs=[]),
        )
        db.commit(header, header.hash, [b"%d" % number] * 3, delta, [(BLOB, number, bytes(50_000))])
        os.write(1, b"%d\n" % number)


def check(folder: Path, said: int) -> int:
    with Database.open(folder) as db:
        best = db.best()
        assert best is not None
        number, block_hash = best
        assert said <= number <= said + 1  # what was said is there; one more may have been on its way
        header = db.header(block_hash)
        assert header is not None
        state = state_at(number)
        backend = db.backend()
        assert all(backend.get(key) == value for key, value in state.items())
        assert header.state_root == root(state.items(), 1) == backend.root(Delta({}), 1)
        old = state_at(number // 2)
        old_hash = db.hash_at(number // 2)
        assert old_hash is not None
        assert {key: db.backend(old_hash).get(key) for key in old} == old
        assert db.body(block_hash) == [b"%d" % number] * 3
        assert db.piece(BLOB, number) == bytes(50_000)
        assert db.finalized() == best
        assert db.hash_at(number + 1) is None
        assert db.piece(BLOB, number + 1) is None
        # any next change gives the right root: the trie on the disk is that of the state
        assert backend.root(delta_of(number + 1), 1) == root(state_at(number + 1).items(), 1)
    return number


def run_and_kill(folder: Path, seconds: float) -> int:
    """Let a child write for a while, kill it, and return the last block that it said was committed."""
    code = f"import runpy; runpy.run_path({__file__!r})['write_blocks']({str(folder)!r})"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        said = [first, *child.stdout.read().splitlines()]
    return int(said[-1])


@pytest.mark.parametrize("seed", [1, 2])
def test_kill_9_in_the_middle_of_commits(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    last = -1
    for _ in range(3):
        said = run_and_kill(tmp_path, rng.uniform(0.0, 0.15))
        number = check(tmp_path, said)
        assert number > last
        last = number
