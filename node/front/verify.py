"""Verifying signatures outside of the node's process.

What is signed depends on the chain: the genesis hash, the versions, the hash of the block in which the
signature's life begins. A worker knows these from the node and composes the payload with the runtime's own
extensions. Where it knows too little it says nothing, and the node verifies by itself.
"""

from __future__ import annotations

from collections import deque

from frame.extrinsic import implicit
from frame.runtime import Runtime
from frame.state import MemoryBackend
from primitives import keys
from primitives.digest import Digest
from primitives.extrinsic import MultiAddress, scheme_and_bytes, signing_payload

Question = tuple[int, bytes, bytes, bytes]
"""Scheme, signature, payload, public key: all that a verdict depends on."""

KEPT_HASHES = 4096
"""A mortal transaction lives at most so many blocks, but for very long eras."""


class Verifier:
    """Knows the hashes of the last blocks, and nothing else of the state."""

    def __init__(self, runtime: Runtime, genesis: bytes) -> None:
        self._parse = runtime.extrinsic_codec
        self._machine = runtime.machine()
        self._genesis = genesis
        self._blocks: deque[tuple[int, bytes]] = deque(maxlen=KEPT_HASHES)
        self._noted = 0
        self._note(0, genesis)

    def learn(self, number: int, digest: bytes) -> None:
        """The best block is this one now: what is signed is judged in the next."""
        self._blocks.append((number, digest))
        if self._noted > 2 * KEPT_HASHES:  # forget the oldest
            self._noted = 0
            self._machine.overlay.reset(MemoryBackend())
            self._note(0, self._genesis)
            for block in self._blocks:
                self._note(*block)
        else:
            self._note(number, digest)

    def _note(self, number: int, digest: bytes) -> None:
        self._noted += 1
        self._machine.system.initialize(number + 1, digest, Digest(logs=[]))

    def verdict(self, extrinsic: bytes) -> tuple[Question, bool] | None:
        """Whether the signature of an extrinsic holds; None if that cannot be said here."""
        try:
            (_, signed, _), extra_start, call_start = self._parse.parse(extrinsic)
            if signed is None or not isinstance(signed.address, MultiAddress.Id):
                return None
            who: bytes = signed.address.value
            scheme, signature = scheme_and_bytes(signed.signature)
            payload = signing_payload(
                extrinsic[call_start:],
                extrinsic[extra_start:call_start],
                implicit(self._machine, signed.extra),
            )
        except Exception:  # whatever it is, the node meets it too, and answers
            return None
        return (scheme, signature, payload, who), keys.verify(scheme, signature, payload, who)
