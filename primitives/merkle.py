"""The salted Merkle tree over a dataset's chunks: a public root, and proofs for single chunks.

    salt_i = first 16 bytes of H("gm/salt" ‖ dataset_secret ‖ u32 i)      (zero for common data)
    leaf_i = H("gm/leaf" ‖ u32 i ‖ salt_i ‖ chunk_i)
    node   = H("gm/node" ‖ left ‖ right), an odd last node is promoted unchanged
    root   = H("gm/root" ‖ schema_hash ‖ u64 rows ‖ u32 chunks ‖ top)

Leaves, nodes and roots have domains of their own, so none can pass for another. Salts keep a public leaf from
confirming a guessed row. A proof is the siblings bottom-up; sides and length follow from (index, chunks), so
a proof has exactly one valid form.
"""

from collections.abc import Sequence
from typing import NamedTuple

from primitives.hashing import tagged

SALT_SIZE = 16
SECRET_SIZE = 32
COMMON_SALT = bytes(SALT_SIZE)
"""Salt of data that are public anyway."""


def salt(secret: bytes, index: int) -> bytes:
    """Salt of chunk `index` under a dataset's 32-byte secret."""
    if len(secret) != SECRET_SIZE:
        raise ValueError(f"a dataset secret has {SECRET_SIZE} bytes")
    return tagged("salt", secret, index.to_bytes(4, "little"))[:SALT_SIZE]


def leaf(index: int, chunk_salt: bytes, chunk: bytes) -> bytes:
    """Leaf hash of one chunk."""
    if len(chunk_salt) != SALT_SIZE:
        raise ValueError(f"a salt has {SALT_SIZE} bytes")
    return tagged("leaf", index.to_bytes(4, "little"), chunk_salt, chunk)


def node(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return tagged("node", left, right)


def root(schema_hash: bytes, rows: int, chunks: int, top_hash: bytes) -> bytes:
    """The public commitment: binds the schema and both counts to the tree."""
    return tagged("root", schema_hash, rows.to_bytes(8, "little"), chunks.to_bytes(4, "little"), top_hash)


class Tree:
    """All levels of the tree over `leaves` (at least one): `top`, and proofs in O(log n)."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        if not leaves:
            raise ValueError("a tree has at least one leaf")
        self.levels = [list(leaves)]
        while len(self.levels[-1]) > 1:
            self.levels.append(_next_level(self.levels[-1]))

    @property
    def top(self) -> bytes:
        return self.levels[-1][0]

    def proof(self, index: int) -> list[bytes]:
        """Siblings of leaf `index`, bottom-up."""
        if not 0 <= index < len(self.levels[0]):
            raise IndexError(f"there is no leaf {index}")
        siblings = []
        for level in self.levels[:-1]:
            if index ^ 1 < len(level):
                siblings.append(level[index ^ 1])
            index >>= 1
        return siblings


def _next_level(level: list[bytes]) -> list[bytes]:
    pairs = [node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return pairs + level[-1:] if len(level) % 2 else pairs


def proof_top(index: int, chunks: int, leaf_hash: bytes, siblings: Sequence[bytes]) -> bytes | None:
    """The top that a proof leads to; None when index or the number of siblings do not fit `chunks`."""
    if not 0 <= index < chunks:
        return None
    current, width, rest = leaf_hash, chunks, list(reversed(siblings))
    while width > 1:
        if index ^ 1 < width:
            if not rest:
                return None
            sibling = rest.pop()
            current = node(sibling, current) if index & 1 else node(current, sibling)
        index, width = index >> 1, (width + 1) >> 1
    return None if rest else current


class Commitment(NamedTuple):
    """What the public knows of a dataset: enough to check any chunk's proof."""

    root: bytes
    schema_hash: bytes
    rows: int
    chunks: int


def verify_proof(commitment: Commitment, index: int, leaf_hash: bytes, siblings: Sequence[bytes]) -> bool:
    """Whether `leaf_hash` is leaf `index` of the committed dataset. Never raises on hostile siblings."""
    if any(len(sibling) != 32 for sibling in siblings):
        return False
    found = proof_top(index, commitment.chunks, leaf_hash, siblings)
    if found is None:
        return False
    return root(commitment.schema_hash, commitment.rows, commitment.chunks, found) == commitment.root
