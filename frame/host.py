"""What a runtime may ask of the world around it: deterministic answers only."""

from __future__ import annotations

from typing import Protocol

Question = tuple[int, bytes, bytes, bytes]
"""What `Host.verify` is asked: scheme, signature, message and public key, all that a verdict depends on."""


class Host(Protocol):
    """The node gives one to every runtime call."""

    def verify(self, scheme: int, signature: bytes, message: bytes, public: bytes) -> bool:
        """Whether `signature` of `message` is by the account `public`; scheme 0 ed25519, 1 sr25519,
        2 ecdsa (whose account is the hash of the key).
        """
        ...

    def index_blob(self, hash: bytes, piece: int, data: bytes) -> None:
        """Remember a piece of a blob; the node writes it when, and only when, the block is committed."""
        ...

    def replay_step(self, request: bytes) -> bytes:
        """Run one training step again, to settle a dispute."""
        ...


class PlainHost:
    """A host that verifies in place and keeps blob pieces in a list: for tests, genesis and benchmarks."""

    def __init__(self) -> None:
        self.blobs: list[tuple[bytes, int, bytes]] = []

    def verify(self, scheme: int, signature: bytes, message: bytes, public: bytes) -> bool:
        from primitives.keys import verify

        return verify(scheme, signature, message, public)

    def index_blob(self, hash: bytes, piece: int, data: bytes) -> None:
        self.blobs.append((hash, piece, data))

    def replay_step(self, request: bytes) -> bytes:
        raise NotImplementedError("this host settles no disputes")
