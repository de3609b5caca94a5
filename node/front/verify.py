"""Verifying signatures outside of the node's process.

What is signed depends on the chain: the genesis hash, the versions, the hash of the block in which the
signature's life begins. A worker knows these from the node and composes the payload with the runtime's own
extensions. Where it knows too little it says nothing, and the node verifies by itself.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from frame.backend import MemoryBackend
from frame.extrinsic import implicit
from frame.forms import Form, FormFinder
from frame.host import Question
from frame.runtime import Runtime
from primitives import keys
from primitives.digest import Digest
from primitives.extrinsic import USUAL_EXTRA, MultiAddress, scheme_and_bytes, signing_payload

KEPT_HASHES = 4096
"""A mortal transaction lives at most so many blocks, but for very long eras."""


class Verdict(NamedTuple):
    """What was asked of a signature, and whether it holds."""

    question: Question
    good: bool
    form: tuple[int, Form] | None = None
    """Nonce and form of an extrinsic that the node need not take apart (`frame.forms`)."""


class Verifier:
    """Knows the hashes of the last blocks, and nothing else of the state."""

    def __init__(self, runtime: Runtime, genesis: bytes) -> None:
        self._codec = runtime.extrinsic_codec
        self._machine = runtime.machine()
        self._forms = FormFinder(self._machine)
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

    def verdict(self, extrinsic: bytes) -> Verdict | None:
        """Whether the signature of an extrinsic holds; None if that cannot be said here."""
        try:
            question, form = self._usual(extrinsic) or (self._any(extrinsic), None)
        except Exception:  # whatever it is, the node meets it too, and answers
            return None
        return None if question is None else Verdict(question, keys.verify(*question), form)

    def _usual(self, extrinsic: bytes) -> tuple[Question, tuple[int, Form] | None] | None:
        """What is asked of an extrinsic whose parts stand in known places, and its form; None for others."""
        found = self._forms.find(extrinsic)
        if found is None:
            return None
        start, along, nonce, form = found
        payload = signing_payload(extrinsic[start:], extrinsic[USUAL_EXTRA:start], along)
        question = extrinsic[36], extrinsic[37:USUAL_EXTRA], payload, extrinsic[4:36]
        return question, None if form is None else (nonce, form)

    def _any(self, extrinsic: bytes) -> Question | None:
        (_, signed, _), extra_start, call_start = self._codec.parse(extrinsic)
        if signed is None or not isinstance(signed.address, MultiAddress.Id):
            return None
        scheme, signature = scheme_and_bytes(signed.signature)
        payload = signing_payload(
            extrinsic[call_start:],
            extrinsic[extra_start:call_start],
            implicit(self._machine, signed.extra),
        )
        return scheme, signature, payload, signed.address.value
