"""What the node gives to a runtime: signature verdicts, and a place for the pieces of blobs."""

from __future__ import annotations

from node.database import Piece
from node.errors import RuntimeFailed
from primitives import keys

Question = tuple[int, bytes, bytes, bytes]


class VerdictCache:
    """Signatures known to be good, so that a block does not verify again what the pool has verified.

    The key is everything that the verdict depends on: scheme, signature, signed message, public key. Only
    good ones are kept, at most `size`; the oldest leave first. With an empty cache the outcome is the same,
    only slower.
    """

    def __init__(self, size: int = 32_768) -> None:
        self._size = size
        self._good: dict[Question, None] = {}

    def verify(self, scheme: int, signature: bytes, message: bytes, public: bytes) -> bool:
        """True if the signature holds."""
        question = (scheme, signature, message, public)
        if question in self._good:
            return True
        if not keys.verify(scheme, signature, message, public):
            return False
        if len(self._good) >= self._size:
            del self._good[next(iter(self._good))]
        self._good[question] = None
        return True


class NodeHost:
    """The `Host` of one block, or of one validation; satisfies `frame.runtime.Host`.

    `pieces` holds what the block put into blobs; the importer commits it with the block, or drops it with
    this host.
    """

    def __init__(self, verdicts: VerdictCache) -> None:
        self.verify = verdicts.verify
        self.pieces: list[Piece] = []

    def index_blob(self, hash: bytes, piece: int, data: bytes) -> None:
        """Keep a piece until the block is committed."""
        self.pieces.append((hash, piece, data))

    def replay_step(self, request: bytes) -> bytes:
        """Disputes are not part of this version; no pallet asks."""
        raise RuntimeFailed("this node replays no training steps")
