"""Blobs as readers see them: the chain's state says which are complete, the content column has the pieces."""

from __future__ import annotations

from node.chain import Chain
from primitives.scale import U64, decode


class BlobReader:
    """The complete blobs of the best block."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def length(self, digest: bytes) -> int | None:
        """Bytes of a complete blob; None if the chain has none of this hash."""
        return decode(U64 | None, self._chain.call("BlobsApi_length", digest))

    def piece(self, digest: bytes, index: int) -> bytes | None:
        """The bytes of one piece."""
        return self._chain.database.piece(digest, index)
