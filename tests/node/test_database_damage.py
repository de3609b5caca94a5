"""A database that something damaged: a sentence that says so, or the right answers; never a wrong one, and
never the blame on a block or a transaction.
"""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from chain_spec import resolve
from frame.backend import Delta
from node.authoring import Author
from node.database import Database, DatabaseCorrupt, DatabaseError, DatabaseUnreadable
from node.run import open_node
from primitives.trie import state_root
from runtime import GristmillRuntime
from tests.crash.ledger import flat_state
from tests.signing import Signer, remark

NOW = 1_800_000_000_000
BLOCKS = 30
TRIES = 60


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, gristmill: GristmillRuntime) -> Path:
    """A closed database with some files of each kind."""
    folder = tmp_path_factory.mktemp("original") / "db"
    for start in (0, BLOCKS // 2):
        with Database.open(folder, sync=False) as database:
            node = open_node(resolve("dev"), database, gristmill)
            alice = Signer("//Alice", node.chain.genesis_hash)
            alice.nonce = start
            for i in range(start, start + BLOCKS // 2):
                node.submit(alice.sign(remark(bytes(3000 * (i % 3)))))
                assert Author(node).seal(NOW + i) is not None
    return folder


def damage(folder: Path, rng: random.Random) -> str:
    """Spoil one file as disks and people do; what was done to which."""
    file = rng.choice(sorted(path for path in folder.iterdir() if path.stat().st_size))
    data, how = bytearray(file.read_bytes()), rng.choice(["flip", "flip", "cut", "gone", "zeros", "other"])
    at = rng.randrange(len(data))
    if how == "flip":
        data[at] ^= 1 << rng.randrange(8)
    elif how == "cut":
        del data[at:]
    elif how == "zeros":
        data[at : at + 512] = bytes(len(data[at : at + 512]))
    elif how == "other":
        data = bytearray(rng.randbytes(100))
    file.unlink()
    if how != "gone":
        file.write_bytes(data)
    return f"{how} {file.name}"


def use(folder: Path, gristmill: GristmillRuntime) -> None:
    """Everything that a node does; asserts that what it answers is right."""
    with Database.open(folder, sync=False) as database:
        node = open_node(resolve("dev"), database, gristmill)
        assert node.chain.head.number == BLOCKS
        alice = Signer("//Alice", node.chain.genesis_hash)
        alice.nonce = int.from_bytes(
            node.chain.call("AccountNonceApi_account_nonce", alice.account), "little"
        )
        assert alice.nonce == BLOCKS
        for number in range(0, BLOCKS, 7):
            digest = node.chain.hash_at(number)
            assert digest is not None and node.chain.block(digest).number == number
            assert node.chain.body(digest) is not None
            assert node.chain.state(digest).root(Delta({}), 1) == node.chain.block(digest).header.state_root
        node.submit(alice.sign(remark()))
        block = Author(node).seal(NOW + BLOCKS)
        assert block is not None and len(block.extrinsics) == 2
        assert state_root(*flat_state(database), 1) == block.header.state_root


@pytest.mark.parametrize("seed", range(3))
def test_damage_is_said_in_a_sentence_or_does_not_matter(
    original: Path, tmp_path: Path, gristmill: GristmillRuntime, seed: int
) -> None:
    outcomes: dict[str, int] = {}
    for turn in range(TRIES // 3):
        folder = tmp_path / str(turn)
        shutil.copytree(original, folder)
        done = damage(folder, random.Random(f"{seed} {turn}"))
        try:
            use(folder, gristmill)
            outcome = "right"
        except DatabaseError as error:
            outcome = type(error).__name__
            assert "gristmill purge-chain" in str(error), f"{done}: {error}"
        except AssertionError as error:
            raise AssertionError(f"{done}: {error}") from error
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        shutil.rmtree(folder)
    assert {"right", "DatabaseUnreadable"} <= outcomes.keys(), outcomes


def test_damage_below_the_runtime_is_nobodys_fault_but_the_databases(
    original: Path, tmp_path: Path, gristmill: GristmillRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that meets it while a block is built is neither banned nor lost."""
    folder = tmp_path / "db"
    shutil.copytree(original, folder)
    with Database.open(folder, sync=False) as database:
        node = open_node(resolve("dev"), database, gristmill)
        alice = Signer("//Alice", node.chain.genesis_hash)
        alice.nonce = BLOCKS
        bob = Signer("//Bob", node.chain.genesis_hash)
        node.submit(alice.sign(remark()))
        database.cache.clear()

        def broken(column: str, key: bytes) -> bytes | None:
            raise DatabaseCorrupt("a sector is gone")

        with monkeypatch.context() as patch:
            patch.setattr(database.storage, "get", broken)
            for attempt in (
                lambda: Author(node).seal(NOW + BLOCKS),
                lambda: node.chain.call("AccountNonceApi_account_nonce", bob.account),
                lambda: node.submit(bob.sign(remark())),
            ):
                with pytest.raises(DatabaseCorrupt, match="a sector is gone"):
                    attempt()
        assert len(node.pool.ready) == 1
        block = Author(node).seal(NOW + BLOCKS)
        assert block is not None and len(block.extrinsics) == 2


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "CURRENT").write_text("shopping list\n")
    with pytest.raises(DatabaseUnreadable, match="cannot open the database in"):
        Database.open(tmp_path)
