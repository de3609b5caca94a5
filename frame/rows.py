"""The signed extrinsics of a block in a row: one that is like the last of its length is compared with it, and
only its nonce and the call's arguments are decoded.

Alike are those with the same bytes but for signer, scheme, signature, nonce and arguments. This is a short
way only: whatever differs takes the long one, `frame.extrinsic.check`, which says what is wrong with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from frame.call import NESTING, CallEntry, RuntimeCall
from frame.extrinsic import Checked, Vouched, check, implicit
from frame.transaction import Invalid, InvalidTransaction
from primitives.extrinsic import USUAL_EXTRA, signing_payload
from primitives.scale import ScaleError, codec, decode_compact
from primitives.scale.emit import MAX_DEPTH

if TYPE_CHECKING:
    from frame.machine import Machine

_DEPTH = MAX_DEPTH - 1 - NESTING
"""Levels that the arguments of an extrinsic's call may take."""


class Pattern(Vouched):
    """How to read the usual extrinsics (`ExtrinsicCodec.usual`) that are alike."""

    __slots__ = ("_after", "_before", "_begins", "_decides", "_entry", "_length", "_nonce_at", "_others")

    def __init__(
        self,
        ends: tuple[bytes, bytes, bytes],
        entry: CallEntry,
        others: tuple[tuple[Any, ...], tuple[Any, ...]],
        length: int,
        along: bytes,
        decides: Any = None,
    ) -> None:
        """`ends`: the first four bytes, what is between signature and nonce, and what is between nonce and
        arguments; `others`: the parts of the extra before the nonce, and those behind it.
        """
        super().__init__(along)
        self._begins, self._before, self._after = ends
        self._nonce_at = USUAL_EXTRA + len(self._before)
        self._entry, self._others, self._length, self._decides = entry, others, length, decides

    def take_apart(self, raw: bytes) -> tuple[int, int, Any] | None:
        """Nonce, where the call begins, and its arguments, if these are the bytes of such an extrinsic: all
        but nonce and arguments is compared, not decoded.
        """
        after, at = self._after, self._nonce_at
        if (
            len(raw) != self._length
            or raw[:4] != self._begins
            or raw[36] > 1
            or raw[USUAL_EXTRA:at] != self._before
        ):
            return None
        try:
            nonce = raw[at]
            if not nonce & 3:
                nonce >>= 2
                at += 1
            elif nonce & 3 == 1 and raw[at + 1]:  # more than one byte would hold
                nonce = (nonce | raw[at + 1] << 8) >> 2
                at += 2
            else:
                nonce, at = decode_compact(raw, at, 32)
            if not raw.startswith(after, at):
                return None
            at += len(after)
            args, end = self._entry.decode(raw, at, _DEPTH)
        except (IndexError, ScaleError):
            return None
        return (nonce, at - 2, args) if end == self._length else None

    def is_signed_along(self, machine: Machine, nonce: int) -> bool:
        """Whether `along` is what is signed along on this machine's block."""
        along = machine.signed_along.get(self)
        if along is None:
            first, rest = self._others
            along = machine.signed_along[self] = implicit(machine, (*first, nonce, *rest))
        return along == self.along

    def again(self, machine: Machine, raw: bytes) -> Checked | None:
        """See `frame.extrinsic.checked_again`."""
        found = self.take_apart(raw)
        if found is None:
            return super().again(machine, raw)
        nonce, _, args = found
        return self.checked(raw, nonce, args) if self.is_signed_along(machine, nonce) else None

    def checked(self, raw: bytes, nonce: int, args: Any) -> Checked:
        """An extrinsic that was taken apart, and whose signature holds."""
        first, rest = self._others
        call, extra = RuntimeCall(self._entry, args), (*first, nonce, *rest)
        return Checked(call, raw[4:36], extra, self._length, self.along, self._decides)


def free_nonce(machine: Machine) -> int:
    """The place of the nonce in the extra; -1 without one, or where it decides what is signed along."""
    slot = machine.runtime.nonce_slot
    return -1 if any(e.slot == slot for e in machine.signing) else slot


class Row:
    """Checks the extrinsics of one block, one after the other."""

    def __init__(self, machine: Machine) -> None:
        runtime = machine.runtime
        self._machine, self._nonce = machine, free_nonce(machine)
        self._last: dict[int, Pattern] = {}
        """The last pattern of each length: many extrinsics in a row are alike."""
        slotted = [e for e in runtime.extensions if e.slot >= 0]
        self._before = [codec(e.extra).decoder() for e in slotted[: max(self._nonce, 0)]]

    def check(self, raw: bytes) -> Checked:
        """What `frame.extrinsic.check` makes of an extrinsic, and raises."""
        pattern = self._last.get(len(raw))
        if pattern is not None:
            found = pattern.take_apart(raw)
            if found is not None and pattern.is_signed_along(self._machine, found[0]):
                nonce, start, args = found
                payload = signing_payload(raw[start:], raw[USUAL_EXTRA:start], pattern.along)
                if not self._machine.host.verify(raw[36], raw[37:USUAL_EXTRA], payload, raw[4:36]):
                    raise InvalidTransaction(Invalid.BadProof)
                return pattern.checked(raw, nonce, args)
        tx = check(self._machine, raw)
        if self._nonce >= 0 and tx.who is not None and raw[0] & 3 == 1 and raw[36] < 2:
            self._last[len(raw)] = self._pattern(raw, tx)
        return tx

    def _pattern(self, raw: bytes, tx: Checked) -> Pattern:
        """That of a signed extrinsic, which is checked: its address is an account, its length two bytes."""
        at, slot, entry = USUAL_EXTRA, self._nonce, tx.call.entry
        for decode in self._before:
            _, at = decode(raw, at, MAX_DEPTH)
        _, behind = decode_compact(raw, at, 32)
        _, start = self._machine.runtime.extra_codec.decoder()(raw, USUAL_EXTRA, MAX_DEPTH)
        ends = raw[:4], raw[USUAL_EXTRA:at], raw[behind:start] + entry.prefix
        others = tx.extra[:slot], tx.extra[slot + 1 :]
        return Pattern(ends, entry, others, len(raw), tx.along, tx.decides)
