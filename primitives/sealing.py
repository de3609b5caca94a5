"""Sealing bytes to a ristretto255 key: how models reach a provider and results reach a buyer.

    R = r·G,  k = H("gm/seal" ‖ genesis ‖ context ‖ R ‖ pk ‖ r·pk)
    sealed = R ‖ ChaCha20-Poly1305 pieces of 64 KiB, nonce = u64 index ‖ u32 last flag

A piece that is changed, dropped, added, moved, or taken from another message fails its tag. The context names
the purpose and what it belongs to, so a sealed message cannot be replayed into another job.

Keys are one type for the whole chain, so that a delivery can later be disputed by opening r·pk with a DLEQ
proof. 32 zero bytes are refused by comparison, because libsodium calls the identity a valid point.
"""

import os
from functools import cache
from types import ModuleType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from primitives.hashing import tagged

POINT_SIZE = 32
PIECE_SIZE = 65_536
TAG_SIZE = 16
IDENTITY = bytes(POINT_SIZE)
ORDER = 2**252 + 27742317777372353535851937790883648493


class SealError(ValueError):
    """Sealing or opening failed. `name`: BadKey (point or scalar), NotSealedToYou (key, context, bytes)."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def model_context(dataset: int, buyer: bytes) -> bytes:
    """Context of a sealed model. It binds the buyer: nobody can submit another buyer's sealed model."""
    return _context("job-model", dataset.to_bytes(4, "little") + buyer)


def result_context(job: int) -> bytes:
    """Context of a result sealed to a job's buyer."""
    return _context("job-result", job.to_bytes(4, "little"))


def sale_context(sale: int) -> bytes:
    """Context of a key sealed in a sale."""
    return _context("sale", sale.to_bytes(4, "little"))


def _context(purpose: str, subject: bytes) -> bytes:
    return bytes([len(purpose) << 2]) + purpose.encode() + subject


def generate_keypair() -> tuple[bytes, bytes]:
    """A fresh (secret scalar, public point), from the system's entropy."""
    secret = _random_scalar()
    return secret, public_key(secret)


def public_key(secret: bytes) -> bytes:
    """The point of a secret scalar. Raises SealError BadKey unless 0 < scalar < group order."""
    _check_scalar(secret)
    return bytes(_ristretto().crypto_scalarmult_ristretto255_base(secret))


def validate_public(public: bytes) -> None:
    """Refuse a wrong length, the identity, no point, and non-canonical encodings (SealError BadKey)."""
    if len(public) != POINT_SIZE:
        raise SealError("BadKey", f"an encryption key has {POINT_SIZE} bytes")
    if public == IDENTITY:
        raise SealError("BadKey", "the identity point is no encryption key")
    if not _ristretto().crypto_core_ristretto255_is_valid_point(public):
        raise SealError("BadKey", "the encryption key is not a point of the group")
    if bytes(_ristretto().crypto_core_ristretto255_add(public, IDENTITY)) != public:
        raise SealError("BadKey", "the encryption key is not in its canonical encoding")


def sealed_length(length: int) -> int:
    """Bytes of the sealed form of `length` bytes."""
    return POINT_SIZE + length + TAG_SIZE * max(1, -(-length // PIECE_SIZE))


def seal(public: bytes, context: bytes, genesis: bytes, data: bytes, scalar: bytes | None = None) -> bytes:
    """Seal `data` to `public`. `scalar` is for test vectors: two messages under one betray each other."""
    validate_public(public)
    ephemeral = _random_scalar() if scalar is None else scalar
    point = public_key(ephemeral)
    cipher = _cipher(genesis, context, point, public, _multiply(ephemeral, public))
    cuts = range(0, max(1, len(data)), PIECE_SIZE)
    sealed = [
        cipher.encrypt(
            _nonce(i, last=start + PIECE_SIZE >= len(data)), data[start : start + PIECE_SIZE], None
        )
        for i, start in enumerate(cuts)
    ]
    return b"".join([point, *sealed])


def open_sealed(secret: bytes, context: bytes, genesis: bytes, sealed: bytes) -> bytes:
    """The bytes inside, or SealError: BadKey (secret or R refused), NotSealedToYou (anything else)."""
    point, body = sealed[:POINT_SIZE], sealed[POINT_SIZE:]
    validate_public(point)
    cipher = _cipher(genesis, context, point, public_key(secret), _multiply(secret, point))
    step = PIECE_SIZE + TAG_SIZE
    cuts = range(0, max(1, len(body)), step)
    try:
        opened = [
            cipher.decrypt(_nonce(i, last=start + step >= len(body)), body[start : start + step], None)
            for i, start in enumerate(cuts)
        ]
    except InvalidTag:
        raise SealError(
            "NotSealedToYou", "the sealed bytes do not open with this key in this context"
        ) from None
    if len(opened) > 1 and not opened[-1]:
        raise SealError("NotSealedToYou", "the sealed bytes end in an empty piece")
    return b"".join(opened)


@cache
def _ristretto() -> ModuleType:
    """libsodium's ristretto255. Loading it takes a tenth of a second, so only those who seal pay for it."""
    import rbcl

    module: ModuleType = rbcl
    return module


def _cipher(genesis: bytes, context: bytes, point: bytes, public: bytes, shared: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(tagged("seal", genesis, context, point, public, shared))


def _nonce(index: int, last: bool) -> bytes:
    return index.to_bytes(8, "little") + int(last).to_bytes(4, "little")


def _multiply(scalar: bytes, point: bytes) -> bytes:
    _check_scalar(scalar)
    return bytes(_ristretto().crypto_scalarmult_ristretto255(scalar, point))


def _check_scalar(scalar: bytes) -> None:
    if len(scalar) != POINT_SIZE or not 0 < int.from_bytes(scalar, "little") < ORDER:
        raise SealError("BadKey", "a secret encryption key is a scalar between 1 and the group's order")


def _random_scalar() -> bytes:
    """Uniform in 1 .. order − 1: 64 random bytes reduced, zero drawn again."""
    while True:
        number = int.from_bytes(os.urandom(64), "little") % ORDER
        if number:
            return number.to_bytes(POINT_SIZE, "little")
