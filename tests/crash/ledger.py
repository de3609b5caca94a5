"""What must hold of a database after any crash, checked from its bytes: not by asking the node.

Blocks checked once are only looked at again by their hash, so that a hundred rounds stay cheap.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

from frame.backend import Delta
from node.database import Database
from node.database.columns import CHILD, STATE, unescaped
from primitives.hashing import blake2_256, twox_128
from primitives.scale import decode_compact
from primitives.trie import CHILD_PREFIX, ordered_root, state_root, verify_proof

ACCOUNTS = twox_128(b"System") + twox_128(b"Account")
ISSUANCE = twox_128(b"Balances") + twox_128(b"TotalIssuance")
NUMBER = twox_128(b"System") + twox_128(b"Number")
OLD_STATES = 3

Space = dict[bytes, bytes]


class Ledger:
    """The chain in a database folder, as far as it was checked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hashes: list[bytes] = []
        self.nonces: Counter[bytes] = Counter()
        """Account → how many extrinsics it has in the blocks."""
        self.seen: set[bytes] = set()
        """Hashes of all signed extrinsics in the blocks."""

    def check(self, said: int, rng: random.Random) -> int:
        """Everything, after a crash; `said` is the highest block that the node called final. The head."""
        with Database.open(self.folder) as db:
            best = db.best()
            assert best is not None and best == db.finalized(), "a sealed block is final"
            number, _ = best
            assert number >= said, f"block {said} was final, the head is {number}"
            assert number >= len(self.hashes) - 1, "blocks went away"
            assert db.hash_at(number + 1) is None
            for height, known in enumerate(self.hashes):
                assert db.hash_at(height) == known, f"block {height} changed"
            for height in range(len(self.hashes), number + 1):
                self._check_block(db, height)
            self._check_state(db, rng)
            for height in rng.choices(range(db.oldest_state, number + 1), k=OLD_STATES):
                self._check_old(db, height)
        return number

    def _check_block(self, db: Database, number: int) -> None:
        digest = db.hash_at(number)
        assert digest is not None
        header, body = db.header(digest), db.body(digest)
        assert header is not None and body is not None and header.hash == digest
        assert db.number_of(digest) == number == header.number
        assert header.parent_hash == (self.hashes[-1] if self.hashes else bytes(32))
        assert header.extrinsics_root == ordered_root(body, 0)
        self.hashes.append(digest)
        for extrinsic in body:
            self._count(extrinsic)

    def _count(self, extrinsic: bytes) -> None:
        """Nonces run 0, 1, 2, … for each account, over all blocks."""
        _, at = decode_compact(extrinsic, 0, 32)
        if extrinsic[at] != 0x84:
            return
        account = extrinsic[at + 2 : at + 34]
        assert extrinsic[at + 34] in (0, 1), "64 bytes of signature"
        assert extrinsic[at + 99] == 0, "immortal"
        nonce, _ = decode_compact(extrinsic, at + 100, 32)
        assert nonce == self.nonces[account], "nonces are continuous"
        self.nonces[account] += 1
        digest = blake2_256(extrinsic)
        assert digest not in self.seen, "no extrinsic is in two blocks"
        self.seen.add(digest)

    def _check_state(self, db: Database, rng: random.Random) -> None:
        """The flat state against the header's root, its own sums, and the stored trie."""
        number, digest = len(self.hashes) - 1, self.hashes[-1]
        header = db.header(digest)
        assert header is not None
        top, children = flat_state(db)
        root = state_root(top, children, 1)
        assert root == header.state_root, "the trie root recomputed from the flat state"
        assert int.from_bytes(top.get(NUMBER, bytes(4)), "little") == number
        total = 0
        for key, value in top.items():
            if key.startswith(ACCOUNTS):
                account = key[-32:]
                total += int.from_bytes(value[16:32], "little") + int.from_bytes(value[32:48], "little")
                assert int.from_bytes(value[:4], "little") == self.nonces[account]
        assert total == int.from_bytes(top[ISSUANCE], "little"), "balances sum up to what was issued"
        self._check_trie(db, top, children, rng)

    def _check_trie(self, db: Database, top: Space, children: dict[bytes, Space], rng: random.Random) -> None:
        """The stored nodes: proofs of some keys, and the root after any next change."""
        backend, root = db.backend(), state_root(top, children, 1)
        keys = rng.sample(sorted(top), min(8, len(top)))
        proof = backend.proof([*keys, b"nothing here"])
        assert all(verify_proof(root, proof, key) == top[key] for key in keys)
        assert verify_proof(root, proof, b"nothing here") is None
        changes: dict[bytes, bytes | None] = {b"new" + rng.randbytes(4): b"value"}
        changes |= dict.fromkeys(key for key in keys[:4] if not key.startswith(CHILD_PREFIX))
        after = {key: value for key, value in {**top, **changes}.items() if value is not None}
        assert backend.root(Delta(dict(sorted(changes.items()))), 1) == state_root(after, children, 1)

    def _check_old(self, db: Database, number: int) -> None:
        header = db.header(self.hashes[number])
        assert header is not None
        backend, top = db.backend(self.hashes[number]), {}
        key = backend.next_key(b"")
        while key is not None:
            value = backend.get(key)
            assert value is not None
            top[key] = value
            key = backend.next_key(key)
        assert state_root(top, {}, 1) == header.state_root, f"the state of block {number}, looked back at"


def flat_state(db: Database) -> tuple[Space, dict[bytes, Space]]:
    """Every key and value of the best state, straight from the columns."""
    top: Space = {}
    found = db.storage.seek(STATE, b"")
    while found is not None:
        top[found[0]] = found[1]
        found = db.storage.seek(STATE, found[0] + b"\0")
    children: dict[bytes, Space] = {}
    found = db.storage.seek(CHILD, b"")
    while found is not None:
        name, key = unescaped(found[0])
        children.setdefault(name, {})[key] = found[1]
        found = db.storage.seek(CHILD, found[0] + b"\0")
    return top, children
