"""What the Python client scripts share: the task, the people, what was seen, and the check of read proofs.

The scripts run on their own, each in the environment of its client; of this repository they use only what an
account holder needs (keys) and what a light client would bring (the trie).
"""

from __future__ import annotations

import json
import sys
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from primitives.keys import Keypair, Scheme
from primitives.trie import MissingNode, TrieError, verify_proof

TASK: dict[str, Any] = json.loads(sys.argv[1])
GRIST = 10**12
SEEN: dict[str, Any] = {}


@dataclass(frozen=True)
class Signer:
    """A key as both clients want it. Their own key pairs know no ecdsa account of Substrate's kind."""

    pair: Keypair
    ss58_format = 42

    @property
    def crypto_type(self) -> int:
        return int(self.pair.scheme)

    @property
    def public_key(self) -> bytes:
        return self.pair.account_id

    @property
    def ss58_address(self) -> str:
        return self.pair.address

    def sign(self, data: Any) -> bytes:
        raw = data if isinstance(data, bytes) else bytes(getattr(data, "data", data))
        return self.pair.sign(raw)


def signer(uri: str, scheme: Scheme = Scheme.SR25519) -> Signer:
    return Signer(Keypair.from_uri(uri, scheme))


ALICE, BOB, NOBODY = signer("//Alice"), signer("//Bob"), signer("//Nobody")
ED25519, ECDSA = (signer(f"//{TASK['name']}", scheme) for scheme in (Scheme.ED25519, Scheme.ECDSA))


@contextmanager
def can(name: str) -> Any:
    """Each capability runs by itself: what one cannot do is an error in its place, and the others go on."""
    found: dict[str, Any] = {}
    try:
        yield found
    except Exception as error:
        found["error"], found["stack"] = repr(error), traceback.format_exc()
    SEEN[name] = found


def finish() -> None:
    print(json.dumps(SEEN))


def low(name: str) -> str:
    """`TransactionPayment` and `transfer_keep_alive` as JavaScript writes them."""
    head, *rest = name.split("_")
    text = head + "".join(part.title() for part in rest)
    return text[:1].lower() + text[1:]


def check_proof(root: str, proof: list[str]) -> dict[str, Any]:
    """The proof of the task's key, checked; then the same one with a changed byte, which must not pass."""
    raw = [bytes.fromhex(item[2:]) for item in proof]

    def proven(items: list[bytes], key: str) -> str | None:
        value = verify_proof(bytes.fromhex(root[2:]), items, bytes.fromhex(key[2:]))
        return None if value is None else "0x" + value.hex()

    try:
        proven([item[:-1] + bytes([item[-1] ^ 1]) for item in raw], TASK["proofKey"])
        refused = False
    except (MissingNode, TrieError):
        refused = True
    return {
        "value": proven(raw, TASK["proofKey"]),
        "absent": proven(raw, TASK["absentKey"]),
        "refused": refused,
    }
