"""What the node gives to a runtime: signature verdicts, and a place for the pieces of blobs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from frame.host import Question
from node.database import Piece
from node.errors import RuntimeFailed
from primitives import keys


class VerdictCache:
    """Signatures known to be good, so that a block does not verify again what the pool has verified.

    The key is everything that the verdict depends on: scheme, signature, signed message, public key. Only
    good ones are kept, between `size` / 2 and `size` of the latest; one that a worker found bad is kept until
    it is asked for. With an empty cache the outcome is the same, only slower.

    What a worker says of many signatures is put away as it comes (`tell_row`), and made keys of when a
    signature is asked for that is not known otherwise: the pool and its blocks ask for none of them.

    `verified` counts the signatures that were verified here, `told` those that workers have verified.
    """

    def __init__(self, size: int = 65_536) -> None:
        self._size = size
        self._good: dict[Question, None] = {}
        self._older: dict[Question, None] = {}
        self._bad: Question | None = None
        self._rows: deque[tuple[int, Callable[[], Iterable[Question]]]] = deque()
        self._in_rows = 0
        self.verified = 0
        self.told = 0

    def verify(self, scheme: int, signature: bytes, message: bytes, public: bytes) -> bool:
        """True if the signature holds."""
        question = (scheme, signature, message, public)
        if question in self._good or question in self._older:
            return True
        if question == self._bad:
            return False
        if self._rows:
            self._read_rows()
            if question in self._good or question in self._older:
                return True
        self.verified += 1
        if not keys.verify(scheme, signature, message, public):
            return False
        self._keep(question)
        return True

    def tell(self, question: Question, good: bool) -> None:
        """A worker has verified this signature."""
        self.told += 1
        if good:
            self._keep(question)
        else:
            self._bad = question

    def tell_row(self, count: int, questions: Callable[[], Iterable[Question]]) -> None:
        """A worker has found so many signatures good; `questions` says which, when someone wants to know."""
        self.told += count
        self._rows.append((count, questions))
        self._in_rows += count
        while self._in_rows > self._size // 2:
            self._in_rows -= self._rows.popleft()[0]

    def _read_rows(self) -> None:
        while self._rows:
            for question in self._rows.popleft()[1]():
                self._keep(question)
        self._in_rows = 0

    def _keep(self, question: Question) -> None:
        if len(self._good) >= self._size // 2:
            self._older, self._good = self._good, {}
        self._good[question] = None


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
