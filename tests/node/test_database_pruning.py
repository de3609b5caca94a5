"""Old states within the window are whole, beyond it they are refused in Substrate's words, and nothing of
them stays on the disk.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from frame.backend import Delta
from node.database import ARCHIVE, CANONICAL, Database, Mode, Pruning, PruningMismatch
from node.database.columns import BODIES, CHANGES, HISTORY
from node.errors import BadOption, UnknownBlock
from primitives.digest import Digest
from primitives.header import Header
from primitives.trie import state_root, verify_proof

State = dict[bytes, bytes]


class Ledger:
    """A database with random blocks, and what the state was after each."""

    def __init__(self, db: Database, seed: int = 1) -> None:
        self.db, self.rng = db, random.Random(seed)
        self.states: list[State] = []
        self.hashes: list[bytes] = []

    def grow(self, blocks: int, *, finalized: bool = True) -> None:
        for _ in range(blocks):
            number = len(self.hashes)
            changes = {b"k%02d" % self.rng.randrange(30): self.rng.randbytes(3) for _ in range(4)}
            delta = Delta(
                dict(sorted({**changes, b"gone%d" % (number % 7): None, b"n": b"%d" % number}.items()))
            )
            if number % 2:
                delta.top[b"gone%d" % (number % 5)] = b"here"
                delta = Delta(dict(sorted(delta.top.items())))
            root = self.db.backend().root(delta, 1)
            parent = self.hashes[-1] if self.hashes else bytes(32)
            header = Header(
                parent_hash=parent,
                number=number,
                state_root=root,
                extrinsics_root=bytes(32),
                digest=Digest(logs=[]),
            )
            self.db.commit(header, header.hash, [b"x"], delta, finalized=finalized)
            before = self.states[-1] if self.states else {}
            after = {**before, **delta.top}
            self.states.append({key: value for key, value in after.items() if value is not None})
            self.hashes.append(header.hash)

    def check(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            backend, state = self.db.backend(self.hashes[number]), self.states[number]
            found, key = {}, backend.next_key(b"")
            while key is not None:
                found[key] = backend.get(key)
                key = backend.next_key(key)
            assert found == state, number
            root = state_root(state, {}, 1)
            assert backend.root(Delta({}), 1) == root
            proof = backend.proof([b"n", b"k00"])
            assert verify_proof(root, proof, b"n") == b"%d" % number

    def check_gone(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            text = f"UnknownBlock: State already discarded for 0x{self.hashes[number].hex()}"
            with pytest.raises(UnknownBlock, match=f"^{re.escape(text)}$"):
                self.db.backend(self.hashes[number])


def entries(db: Database, column: str) -> int:
    return len(list(db.storage._columns[column].keys()))


@pytest.mark.parametrize("keep", [1, 5, 100])
def test_the_last_states_are_kept_and_the_rest_is_gone_from_the_disk(tmp_path: Path, keep: int) -> None:
    pruning = Pruning(Mode.parse(str(keep), "--state-pruning"))
    with Database.open(tmp_path, sync=False, pruning=pruning) as db:
        ledger = Ledger(db)
        held = None
        for blocks in (1, 3, 70, 150):
            ledger.grow(blocks)
            best = len(ledger.hashes) - 1
            oldest = max(0, best - keep + 1)
            assert db.oldest_state == oldest
            ledger.check({oldest, (oldest + best) // 2, best})
            ledger.check_gone({0, oldest - 1} if oldest else set())
            if held is not None and held.number < oldest:
                with pytest.raises(UnknownBlock, match="State already discarded"):
                    held.get(b"n")
            held = db.backend(ledger.hashes[oldest]) if keep < 70 else None
        assert entries(db, CHANGES) == keep - 1 or keep == 1
        assert entries(db, HISTORY) <= (keep + 64) * 8, "whole epochs go, at most one is left over"
        assert all(db.body(block) == [b"x"] and db.header(block) for block in ledger.hashes)
        ledger.db.revert(oldest)
        with pytest.raises(UnknownBlock, match="State already discarded"):
            ledger.db.revert(oldest - 1)
    with Database.open(tmp_path, sync=False) as db:
        assert db.state_pruning == pruning.state and db.oldest_state == oldest


def test_what_is_not_final_is_not_pruned(tmp_path: Path) -> None:
    with Database.open(tmp_path, sync=False, pruning=Pruning(Mode("constrained", 3))) as db:
        ledger = Ledger(db)
        ledger.grow(1)
        ledger.grow(200, finalized=False)
        assert db.oldest_state == 0
        ledger.check((0, 1, 100, 200))
        db.finalize(150)
        ledger.check((148, 150, 200))
        ledger.check_gone((0, 147))
        db.finalize(200)
        assert db.oldest_state == 198


def test_a_pinned_state_stays_until_it_is_released(tmp_path: Path) -> None:
    with Database.open(tmp_path, sync=False, pruning=Pruning(Mode("constrained", 2))) as db:
        ledger = Ledger(db)
        ledger.grow(10)
        release, again = db.pin(9), db.pin(9)
        ledger.grow(100)
        ledger.check((9, 50, 109))
        ledger.check_gone((8,))
        release()
        release()
        ledger.grow(1)
        ledger.check((9,))
        again()
        ledger.grow(1)
        ledger.check_gone((9, 109))
        for number in (9, 112):
            with pytest.raises(UnknownBlock):
                db.pin(number)


def test_bodies_go_when_asked_and_headers_stay(tmp_path: Path) -> None:
    with Database.open(tmp_path, sync=False, pruning=Pruning(ARCHIVE, Mode("constrained", 4))) as db:
        ledger = Ledger(db)
        ledger.grow(20)
        assert [db.body(block) is not None for block in ledger.hashes] == [False] * 16 + [True] * 4
        assert entries(db, BODIES) == 4 and all(map(db.header, ledger.hashes))
        ledger.check(range(20))


def test_the_kind_of_pruning_belongs_to_the_database_and_the_number_to_the_run(tmp_path: Path) -> None:
    for name, mode in (("a", ARCHIVE), ("c", CANONICAL), ("n", None)):
        with Database.open(tmp_path / name, pruning=Pruning(mode)) as db:
            Ledger(db).grow(3)
            assert db.state_pruning == (mode or Mode("constrained", 256))
    refusals = {
        "a": (
            Mode("constrained", 9),
            "[stored: ArchiveAll; requested: Constrained(Constraints { max_blocks: Some(9) })]",
        ),
        "c": (ARCHIVE, "[stored: ArchiveCanonical; requested: ArchiveAll]"),
        "n": (
            CANONICAL,
            "[stored: Constrained(Constraints { max_blocks: Some(256) }); requested: ArchiveCanonical]",
        ),
    }
    for name, (mode, text) in refusals.items():
        with pytest.raises(PruningMismatch, match=re.escape(f"Incompatible pruning modes {text}")):
            Database.open(tmp_path / name, pruning=Pruning(mode))
    with Database.open(tmp_path / "n", pruning=Pruning(Mode("constrained", 2))):
        pass
    with Database.open(tmp_path / "n") as db:
        assert db.state_pruning.keep == 2, "the number is remembered"


@pytest.mark.parametrize("text", ["", "0", "-1", "all", "4294967296", "1e3", "²"])
def test_a_mode_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadOption, match="--state-pruning takes archive"):
        Mode.parse(text, "--state-pruning")
