"""From the bytes of an extrinsic to a checked one: decoded, its signature verified, its sender known."""

from __future__ import annotations

from typing import Any

from frame.call import DispatchInfo, RuntimeCall
from frame.machine import Machine
from frame.transaction import BadFormat, Invalid, InvalidTransaction, Unknown, UnknownTransaction
from primitives.extrinsic import MultiAddress, Parsed, scheme_and_bytes, signing_payload
from primitives.scale import ScaleError

_REMEMBERED = 1024


class Checked:
    """An extrinsic whose signature holds. `who` is None for a bare one."""

    __slots__ = ("call", "extra", "fee", "info", "length", "who")

    def __init__(self, call: RuntimeCall, who: bytes | None, extra: tuple[Any, ...], length: int) -> None:
        self.call = call
        self.who = who
        self.extra = extra
        self.length = length
        self.info: DispatchInfo = call.known_info or call.info()
        self.fee: int | None = None
        """The fee at the declared weight, once it has been computed."""


def parse(machine: Machine, raw: bytes) -> Parsed:
    """Take an extrinsic's bytes (length prefix included) apart; BadFormat when they are not exactly one."""
    try:
        return machine.runtime.extrinsic_codec.parse(raw)
    except ScaleError as error:
        raise BadFormat(str(error)) from None


def check(machine: Machine, raw: bytes, parsed: Parsed | None = None) -> Checked:
    """Decode, unless it is `parsed` already, and verify.

    BadFormat, InvalidTransaction(BadProof), UnknownTransaction(CannotLookup), and what the extensions say
    when what is signed along cannot be known (AncientBirthBlock).
    """
    (call, signed, _), extra_start, call_start = parsed or parse(machine, raw)
    if signed is None:
        return Checked(call, None, (), len(raw))
    if not isinstance(signed.address, MultiAddress.Id):
        raise UnknownTransaction(Unknown.CannotLookup)
    who: bytes = signed.address.value
    scheme, signature = scheme_and_bytes(signed.signature)
    payload = signing_payload(raw[call_start:], raw[extra_start:call_start], implicit(machine, signed.extra))
    if not machine.host.verify(scheme, signature, payload, who):
        raise InvalidTransaction(Invalid.BadProof)
    return Checked(call, who, signed.extra, len(raw))


def implicit(machine: Machine, extra: tuple[Any, ...]) -> bytes:
    """What is signed along without being sent: versions, genesis hash, birth hash, metadata hash."""
    decides = tuple([extra[slot] for slot in machine.signing_slots])
    found = machine.signed_along.get(decides)
    if found is None:
        if len(machine.signed_along) >= _REMEMBERED:
            machine.signed_along.clear()
        parts = [e.implicit_bytes(None if e.slot < 0 else extra[e.slot]) for e in machine.signing]
        found = machine.signed_along[decides] = b"".join(parts)
    return found
