"""From the bytes of an extrinsic to a checked one: decoded, its signature verified, its sender known."""

from __future__ import annotations

from typing import Any

from frame.call import DispatchInfo, RuntimeCall
from frame.machine import Machine
from frame.transaction import BadFormat, Invalid, InvalidTransaction, Unknown, UnknownTransaction
from primitives.extrinsic import MultiAddress, MultiSignature, scheme_and_bytes, signing_payload
from primitives.scale import Codec, ScaleError, codec, decode_compact

SIGNED_V4 = 0x84
BARE = (0x04, 0x05)

_ADDRESS: Codec[Any] = codec(MultiAddress)
_SIGNATURE: Codec[Any] = codec(MultiSignature)


class Checked:
    """An extrinsic whose signature holds. `who` is None for a bare one."""

    __slots__ = ("call", "extra", "fee", "info", "length", "who")

    def __init__(self, call: RuntimeCall, who: bytes | None, extra: tuple[Any, ...], length: int) -> None:
        self.call = call
        self.who = who
        self.extra = extra
        self.length = length
        self.info: DispatchInfo = call.info()
        self.fee: int | None = None
        """The fee at the declared weight, once it has been computed."""


class Parsed:
    """An extrinsic taken apart, before its signature is verified."""

    __slots__ = ("call", "call_start", "extra", "extra_start", "raw", "scheme", "signature", "signer")

    def __init__(self, raw: bytes, call: RuntimeCall, call_start: int) -> None:
        self.raw = raw
        self.call = call
        self.call_start = call_start
        self.extra_start = call_start
        self.extra: tuple[Any, ...] = ()
        self.scheme = -1
        self.signature = b""
        self.signer: Any = None

    @property
    def is_signed(self) -> bool:
        """Whether it carries a signature."""
        return self.scheme >= 0


def parse(raw: bytes, extra_codec: Codec[tuple[Any, ...]], call_codec: Codec[RuntimeCall]) -> Parsed:
    """Take the bytes of an extrinsic (length prefix included) apart; BadFormat when they are not exactly
    one.
    """
    try:
        return _parse(raw, extra_codec, call_codec)
    except ScaleError as error:
        raise BadFormat(str(error)) from None


def _parse(raw: bytes, extra_codec: Codec[tuple[Any, ...]], call_codec: Codec[RuntimeCall]) -> Parsed:
    size, at = decode_compact(raw, 0, 32)
    if at + size != len(raw):
        raise ScaleError(f"the length prefix says {size} bytes, and {len(raw) - at} follow")
    if size == 0:
        raise ScaleError("an empty extrinsic")
    kind = raw[at]
    at += 1
    if kind in BARE:
        call, end = call_codec.decode_from(raw, at)
        _whole(raw, end)
        return Parsed(raw, call, at)
    if kind != SIGNED_V4:
        raise ScaleError(f"no extrinsic has the version byte 0x{kind:02x} here; signed ones are version 4")
    if raw[at : at + 1] == b"\0" and at + 33 <= len(raw):
        signer: Any = raw[at + 1 : at + 33]
        at += 33
    else:
        signer, at = _ADDRESS.decode_from(raw, at)
    signature, at = _SIGNATURE.decode_from(raw, at)
    extra, call_start = extra_codec.decode_from(raw, at)
    call, end = call_codec.decode_from(raw, call_start)
    _whole(raw, end)
    parsed = Parsed(raw, call, call_start)
    parsed.extra_start = at
    parsed.extra = extra
    parsed.scheme, parsed.signature = scheme_and_bytes(signature)
    parsed.signer = signer
    return parsed


def _whole(raw: bytes, end: int) -> None:
    if end != len(raw):
        raise ScaleError(f"{len(raw) - end} bytes left over after the call")


def check(machine: Machine, raw: bytes) -> Checked:
    """Decode and verify. BadFormat, InvalidTransaction(BadProof), UnknownTransaction(CannotLookup), and
    what the
    extensions say when what is signed along cannot be known (AncientBirthBlock)."""
    runtime = machine.runtime
    parsed = parse(raw, runtime.extra_codec, runtime.call_codec)
    if not parsed.is_signed:
        return Checked(parsed.call, None, (), len(raw))
    who = parsed.signer
    if not isinstance(who, bytes):
        if not isinstance(who, MultiAddress.Id):
            raise UnknownTransaction(Unknown.CannotLookup)
        who = who.value
    payload = signing_payload(
        raw[parsed.call_start :], raw[parsed.extra_start : parsed.call_start], implicit(machine, parsed.extra)
    )
    if not machine.host.verify(parsed.scheme, parsed.signature, payload, who):
        raise InvalidTransaction(Invalid.BadProof)
    return Checked(parsed.call, who, parsed.extra, len(raw))


def implicit(machine: Machine, extra: tuple[Any, ...]) -> bytes:
    """What is signed along without being sent: versions, genesis hash, birth hash, metadata hash."""
    return b"".join([e.implicit_bytes(None if e.slot < 0 else extra[e.slot]) for e in machine.signing])
