"""From the bytes of an extrinsic to a checked one: decoded, its signature verified, its sender known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from frame.call import DispatchInfo, RuntimeCall
from frame.transaction import BadFormat, Invalid, InvalidTransaction, Unknown, UnknownTransaction
from primitives.extrinsic import (
    USUAL_EXTRA,
    MultiAddress,
    Parsed,
    Usual,
    scheme_and_bytes,
    signing_payload,
)
from primitives.scale import ScaleError

if TYPE_CHECKING:
    from frame.machine import Machine

_REMEMBERED = 1024


class Checked:
    """An extrinsic whose signature holds. `who` is None for a bare one."""

    __slots__ = ("along", "call", "decides", "extra", "fee", "info", "length", "who")

    def __init__(
        self,
        call: RuntimeCall,
        who: bytes | None,
        extra: tuple[Any, ...],
        length: int,
        along: bytes = b"",
        decides: Any = None,
    ) -> None:
        self.call = call
        self.who = who
        self.extra = extra
        self.length = length
        self.along = along
        """What was signed along without being sent."""
        self.decides = decides
        """The part of `extra` that decides it, besides the block."""
        self.info: DispatchInfo = call.known_info or call.info()
        self.fee: int | None = None
        """The fee at the declared weight, once it has been computed."""


class Vouched:
    """What is left of checking an extrinsic, for who checks it again: its signature holds, if the same is
    signed along.
    """

    __slots__ = ("along",)

    def __init__(self, along: bytes) -> None:
        self.along = along

    def again(self, machine: Machine, raw: bytes) -> Checked | None:
        """See `checked_again`."""
        usual = _usual(machine, raw)
        if usual is None:
            return None
        extra = usual.extra
        decides = machine.decides(extra)
        along = machine.signed_along.get(decides) or implicit(machine, extra)
        if along != self.along:
            return None
        return Checked(usual.call, usual.who, extra, len(raw), along, decides)


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
    usual = _usual(machine, raw) if parsed is None else None
    if usual is not None:
        call, who, scheme, proof, extra, call_start = usual
        extra_start = USUAL_EXTRA
    else:
        (call, signed, _), extra_start, call_start = parsed or parse(machine, raw)
        if signed is None:
            return Checked(call, None, (), len(raw))
        address, signature, extra = signed
        if type(address) is not MultiAddress.Id:
            raise UnknownTransaction(Unknown.CannotLookup)
        who = address.value
        scheme, proof = scheme_and_bytes(signature)
    decides = machine.decides(extra)
    along = machine.signed_along.get(decides) or implicit(machine, extra)
    payload = signing_payload(raw[call_start:], raw[extra_start:call_start], along)
    if not machine.host.verify(scheme, proof, payload, who):
        raise InvalidTransaction(Invalid.BadProof)
    return Checked(call, who, extra, len(raw), along, decides)


def _usual(machine: Machine, raw: bytes) -> Usual | None:
    try:
        return machine.runtime.extrinsic_codec.usual(raw)
    except ScaleError as error:
        raise BadFormat(str(error)) from None


def checked_again(machine: Machine, raw: bytes, before: Checked | Vouched) -> Checked | None:
    """What `check` makes of `raw`, which was checked before, here or on another block: the signature is not
    verified again. None when something else is signed along now. Raises what `check` raises when that cannot
    be known.
    """
    if isinstance(before, Vouched):
        return before.again(machine, raw)
    return before if holds(machine, before) else None


def holds(machine: Machine, tx: Checked) -> bool:
    """Whether `tx`, checked elsewhere, is checked here too: what it signed along is the same bytes here, and
    so is all that its signature covers. Raises what `check` raises when that cannot be known.
    """
    if tx.who is None or (machine.signed_along.get(tx.decides) or implicit(machine, tx.extra)) != tx.along:
        return False
    tx.fee = None  # that of the block where it was judged
    return True


def implicit(machine: Machine, extra: tuple[Any, ...]) -> bytes:
    """What is signed along without being sent: versions, genesis hash, birth hash, metadata hash."""
    decides = machine.decides(extra)
    found = machine.signed_along.get(decides)
    if found is None:
        if len(machine.signed_along) >= _REMEMBERED:
            machine.signed_along.clear()
        parts = [e.implicit_bytes(None if e.slot < 0 else extra[e.slot]) for e in machine.signing]
        found = machine.signed_along[decides] = b"".join(parts)
    return found
