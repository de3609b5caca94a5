"""Keys: secret URIs, signing, verifying.

A secret URI is a phrase or `0x` seed, then junctions `//hard` and `/soft`, then `///password`. Without a
phrase the well-known development phrase stands: `//Alice`. A junction that is a number below 2**64 counts as
a number.

Sources: Substrate `primitives/core/src/{crypto,sr25519,ed25519,ecdsa}.rs` and the `substrate-bip39` crate,
whose seed is PBKDF2 over the phrase's *entropy*, not over its words as in BIP-39.

Errors: `SecretError` for URIs and secrets, never with the secret in it. `verify` answers, it never raises.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

import sr25519
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from mnemonic import Mnemonic

from primitives import ss58
from primitives.hashing import blake2_256
from primitives.scale import U64, encode

if TYPE_CHECKING:
    from coincurve import PrivateKey

DEV_PHRASE = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
"""The public phrase behind //Alice, //Bob, …: never for real money."""

_ENTROPY_BYTES = {12: 16, 15: 20, 18: 24, 21: 28, 24: 32}
_URI = re.compile(r"(?P<phrase>[\d\w ]+)?(?P<path>(//?[^/]+)*)(///(?P<password>.*))?", re.DOTALL)
_JUNCTION = re.compile(r"/(/?)([^/]+)")


class SecretError(ValueError):
    """A secret phrase, seed or URI that is malformed."""


class Scheme(IntEnum):
    """Signature schemes, numbered as the variants of MultiSignature."""

    ED25519 = 0
    SR25519 = 1
    ECDSA = 2


class Junction(NamedTuple):
    """One step of derivation: 32 bytes, and whether the parent's public key gives no hint of the child."""

    chain_code: bytes
    hard: bool


@dataclass(frozen=True, slots=True)
class Keypair:
    """A secret key and its public half: 32 bytes, for ecdsa the compressed 33.

    `seed` is None for derived sr25519 keys, which have none.
    """

    scheme: Scheme
    public: bytes
    seed: bytes | None = field(repr=False)
    _secret: bytes = field(repr=False)

    @classmethod
    def from_uri(cls, uri: str, scheme: Scheme = Scheme.SR25519) -> Keypair:
        """The key of a secret URI. ed25519 and ecdsa derive by hard junctions only."""
        seed, path = _parse(uri)
        pair = cls.from_seed(seed, scheme)
        for junction in path:
            pair = pair.derive(junction)
        return pair

    @classmethod
    def from_seed(cls, seed: bytes, scheme: Scheme = Scheme.SR25519) -> Keypair:
        """The key of a 32-byte seed (sr25519: a mini secret, expanded as Substrate does). SecretError for a
        seed that is no ecdsa key: zero, or above the order of secp256k1.
        """
        if len(seed) != 32:
            raise SecretError(f"a seed has 32 bytes, not {len(seed)}")
        if scheme == Scheme.SR25519:
            public, secret = sr25519.pair_from_seed(seed)
            return cls(scheme, public, seed, secret)
        if scheme == Scheme.ED25519:
            public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
            return cls(scheme, public, seed, seed)
        return cls(scheme, _secp256k1(seed).public_key.format(), seed, seed)

    def derive(self, junction: Junction) -> Keypair:
        """The child key behind one junction."""
        if self.scheme == Scheme.SR25519:
            step = sr25519.hard_derive_keypair if junction.hard else sr25519.derive_keypair
            _, public, secret = step((junction.chain_code, self.public, self._secret), b"")
            return Keypair(self.scheme, public, None, secret)
        if not junction.hard:
            name = self.scheme.name.lower()
            raise SecretError(f"{name} has no soft junctions: write // instead of /")
        tag = encode(str, _DERIVATION_TAGS[self.scheme])
        return Keypair.from_seed(blake2_256(tag + self._secret + junction.chain_code), self.scheme)

    @property
    def account_id(self) -> bytes:
        """The account that this key signs for: its public key, for ecdsa blake2b-256 of it."""
        return blake2_256(self.public) if self.scheme == Scheme.ECDSA else self.public

    @property
    def address(self) -> str:
        """The account as text, with the development prefix 42; `ss58.encode` takes others."""
        return ss58.encode(self.account_id)

    def sign(self, message: bytes) -> bytes:
        """64 bytes; for ecdsa r ‖ s ‖ recovery id over blake2b-256 of the message, 65 bytes. sr25519
        signatures are randomised: two of one message differ.
        """
        if self.scheme == Scheme.SR25519:
            signature: bytes = sr25519.sign((self.public, self._secret), message)
            return signature
        if self.scheme == Scheme.ED25519:
            return Ed25519PrivateKey.from_private_bytes(self._secret).sign(message)
        recoverable: bytes = _secp256k1(self._secret).sign_recoverable(blake2_256(message), hasher=None)
        return recoverable


def verify(scheme: int, signature: bytes, message: bytes, account: bytes) -> bool:
    """Whether `signature` of `message` is by the key of `account` (its `Keypair.account_id`): the public key
    itself, for ecdsa the hash of the key that the signature recovers. False, never an exception, for
    malformed input.

    Public keys of small order (the all-zero account is one) are refused: anyone can sign for them, since a
    plain zero signature then satisfies the equation.
    """
    length, check = _VERIFIERS.get(scheme, (-1, _never))
    return len(account) == 32 and len(signature) == length and check(signature, message, account)


def generate_mnemonic(words: int = 12) -> str:
    """A new secret phrase of 12, 15, 18, 21 or 24 English words, from the system's randomness."""
    if words not in _ENTROPY_BYTES:
        raise SecretError("a phrase has 12, 15, 18, 21 or 24 words")
    return _WORDS.to_mnemonic(os.urandom(_ENTROPY_BYTES[words]))


def generate_seed() -> bytes:
    """32 bytes from the system's randomness."""
    return os.urandom(32)


def mnemonic_seed(phrase: str, password: str = "") -> bytes:
    """The 32-byte seed of a phrase; SecretError if a word or the checksum is wrong."""
    words = phrase.split()
    if len(words) not in _ENTROPY_BYTES:
        raise SecretError(f"a phrase has 12, 15, 18, 21 or 24 words, not {len(words)}")
    try:
        entropy = bytes(_WORDS.to_entropy(words))
    except (ValueError, LookupError):
        raise SecretError("this is not a secret phrase: a word or the checksum is wrong") from None
    return hashlib.pbkdf2_hmac("sha512", entropy, b"mnemonic" + password.encode(), 2048)[:32]


def junction(text: str, hard: bool) -> Junction:
    """The step that `//text` (hard) or `/text` (soft) names."""
    if text.isascii() and text.isdigit() and int(text) < 1 << 64:
        code = encode(U64, int(text))
    else:
        code = encode(str, text)
    return Junction(blake2_256(code) if len(code) > 32 else code.ljust(32, b"\0"), hard)


def _parse(uri: str) -> tuple[bytes, list[Junction]]:
    match = _URI.fullmatch(uri)
    if match is None:
        raise SecretError(
            "a secret URI is a phrase or 0x seed, then //hard and /soft junctions, then ///password"
        )
    phrase, password = match["phrase"] or DEV_PHRASE, match["password"]
    path = [junction(text, bool(slash)) for slash, text in _JUNCTION.findall(match["path"])]
    if phrase == DEV_PHRASE and not password:
        return _dev_seed(), path
    if not phrase.startswith("0x"):
        return mnemonic_seed(phrase, password or ""), path
    if password is not None:
        raise SecretError("a password goes with a phrase, not with a seed")
    try:
        return bytes.fromhex(phrase[2:]), path
    except ValueError:
        raise SecretError("the seed after 0x is not hexadecimal") from None


@functools.cache
def _dev_seed() -> bytes:
    """Kept, since everybody knows it, and a dev chain has a dozen keys of it."""
    return mnemonic_seed(DEV_PHRASE)


def _verify_sr25519(signature: bytes, message: bytes, public: bytes) -> bool:
    if not any(public):  # the identity of ristretto255
        return False
    try:
        return bool(sr25519.verify(signature, message, public))
    except ValueError:
        return False


def _verify_ed25519(signature: bytes, message: bytes, public: bytes) -> bool:
    if int.from_bytes(public, "little") & _NO_SIGN in _SMALL_ORDER:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _secp256k1(seed: bytes) -> PrivateKey:
    from coincurve import PrivateKey  # only here and below: most nodes never meet an ecdsa key

    try:
        return PrivateKey(seed)
    except ValueError:
        raise SecretError("this seed is no secp256k1 key: zero, or not below the curve's order") from None


def _verify_ecdsa(signature: bytes, message: bytes, account: bytes) -> bool:
    from coincurve import PublicKey

    # Wallets write the recovery id as 0 to 3, or as Ethereum does, 27 to 30; Substrate takes both.
    recovery = signature[64] - 27 if signature[64] > 26 else signature[64]
    if recovery > 3:
        return False
    try:
        key = PublicKey.from_signature_and_message(
            signature[:64] + bytes((recovery,)), blake2_256(message), hasher=None
        )
    except ValueError:
        return False
    return blake2_256(key.format()) == account


def _never(signature: bytes, message: bytes, account: bytes) -> bool:
    return False


_P = 2**255 - 19
_NO_SIGN = 2**255 - 1
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER = frozenset({0, 1, _P - 1, _P, _P + 1, _ORDER_8, _P - _ORDER_8})
"""The y coordinates of Curve25519's points of order 1, 2, 4 and 8, also as numbers above the prime."""

_WORDS = Mnemonic("english")
_DERIVATION_TAGS = {Scheme.ED25519: "Ed25519HDKD", Scheme.ECDSA: "Secp256k1HDKD"}
_VERIFIERS = {
    int(Scheme.ED25519): (64, _verify_ed25519),
    int(Scheme.SR25519): (64, _verify_sr25519),
    int(Scheme.ECDSA): (65, _verify_ecdsa),
}
"""Scheme → length of its signatures, and how they are checked."""
