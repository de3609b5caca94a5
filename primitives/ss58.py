"""SS58, accounts as text: base58(prefix ‖ bytes ‖ checksum).

The checksum is the first two bytes of blake2b-512("SS58PRE" ‖ prefix ‖ bytes).

Prefix 0..63 is one byte, 64..16383 two. Source: Substrate `primitives/core/src/crypto.rs` (Ss58Codec).
"""

from __future__ import annotations

from hashlib import blake2b

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
DEV_PREFIX = 42
_DIGIT = {character: value for value, character in enumerate(ALPHABET)}
_LONGEST = 64  # characters; an account with a two-byte prefix takes 49 or 50


class Ss58Error(ValueError):
    """Text that is no SS58 address, or an account or prefix that has none."""


def encode(account: bytes, prefix: int = DEV_PREFIX) -> str:
    """The address of a 32-byte account on the network with this prefix."""
    if len(account) != 32:
        raise Ss58Error(f"an account has 32 bytes, not {len(account)}")
    body = _prefix_bytes(prefix) + account
    return base58(body + _checksum(body))


def decode(text: str) -> tuple[bytes, int]:
    """(account, prefix) of an address; the checksum must hold."""
    raw = _from_base58(text)
    width = 2 if raw and raw[0] & 0x40 else 1
    body, checksum = raw[:-2], raw[-2:]
    if len(raw) != width + 34:
        raise Ss58Error(f"{text!r} is not the address of a 32-byte account")
    if _checksum(body) != checksum:
        raise Ss58Error(f"the checksum of {text!r} does not hold: a typing error?")
    prefix = _prefix_of(body, width)
    if _prefix_bytes(prefix) != body[:width]:
        raise Ss58Error(f"{text!r} writes a small network prefix in two bytes")
    return body[width:], prefix


def _checksum(body: bytes) -> bytes:
    return blake2b(b"SS58PRE" + body).digest()[:2]


def _prefix_bytes(prefix: int) -> bytes:
    if not 0 <= prefix < 1 << 14 or prefix in (46, 47):
        raise Ss58Error(f"{prefix} is not a network prefix")
    if prefix < 64:
        return bytes([prefix])
    return bytes([(prefix & 0b1111_1100) >> 2 | 0x40, prefix >> 8 | (prefix & 0b11) << 6])


def _prefix_of(body: bytes, width: int) -> int:
    if body[0] & 0x80:
        raise Ss58Error("this address starts with a reserved prefix")
    if width == 1:
        return body[0]
    return (body[0] << 2 & 0xFC) | body[1] >> 6 | (body[1] & 0x3F) << 8


def base58(data: bytes) -> str:
    """Bytes in base 58, a `1` for each leading zero byte."""
    number = int.from_bytes(data, "big")
    digits = []
    while number:
        number, digit = divmod(number, 58)
        digits.append(ALPHABET[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(digits))


def _from_base58(text: str) -> bytes:
    if not 0 < len(text) <= _LONGEST:
        raise Ss58Error(f"an address has 1 to {_LONGEST} characters, not {len(text)}")
    number = 0
    for character in text:
        if character not in _DIGIT:
            raise Ss58Error(f"{character!r} does not occur in an address")
        number = number * 58 + _DIGIT[character]
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
