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


_SIGNED_BY_ID = b"\x84\0"
"""Behind the length: signed, version 4; `MultiAddress::Id`."""
_EXTRA = 2 + 2 + 32 + 1 + 64
"""Where the extra begins, behind length, version and address, account, scheme and signature."""


class Verifier:
    """Knows the hashes of the last blocks, and nothing else of the state."""

    def __init__(self, runtime: Runtime, genesis: bytes) -> None:
        self._parse = runtime.extrinsic_codec
        self._extra = runtime.extra_codec.decode_from
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
        """Whether the signature of an extrinsic holds; None if that cannot be said here. Whether its call can
        be read, the node finds out.
        """
        try:
            question = self._usual(extrinsic) or self._any(extrinsic)
        except Exception:  # whatever it is, the node meets it too, and answers
            return None
        return None if question is None else (question, keys.verify(*question))

    def _usual(self, extrinsic: bytes) -> Question | None:
        """What is asked of an extrinsic of 64 to 16,383 bytes signed by an account's own sr25519 or ed25519
        key, whose parts stand in known places; None for all others.
        """
        if extrinsic[2:4] != _SIGNED_BY_ID or extrinsic[36] > 1 or len(extrinsic) - 2 != _length(extrinsic):
            return None
        extra, call_start = self._extra(extrinsic, _EXTRA)
        payload = signing_payload(
            extrinsic[call_start:], extrinsic[_EXTRA:call_start], implicit(self._machine, extra)
        )
        return extrinsic[36], extrinsic[37:_EXTRA], payload, extrinsic[4:36]

    def _any(self, extrinsic: bytes) -> Question | None:
        (_, signed, _), extra_start, call_start = self._parse.parse(extrinsic)
        if signed is None or not isinstance(signed.address, MultiAddress.Id):
            return None
        scheme, signature = scheme_and_bytes(signed.signature)
        payload = signing_payload(
            extrinsic[call_start:],
            extrinsic[extra_start:call_start],
            implicit(self._machine, signed.extra),
        )
        return scheme, signature, payload, signed.address.value


def _length(extrinsic: bytes) -> int:
    """The length that a prefix of two bytes says; -1 for one of another size."""
    return (extrinsic[0] | extrinsic[1] << 8) >> 2 if extrinsic[0] & 3 == 1 else -1
