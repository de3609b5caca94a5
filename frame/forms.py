"""Extrinsics by their form: what is alike in many signed ones is taken apart and judged once for all of them.

A form is all of a usual signed extrinsic (`ExtrinsicCodec.usual`) besides signer, signature, nonce and the
call's arguments, with what its signer has signed along: plain values, which one process of a node may pass to
another. What the extensions say of a form in one state is a `KnownForm`; for each extrinsic of that form
there is left what they ask of signer and nonce.

This is a short way only: whatever is not known here, or is refused, takes the long one, `executive.judge`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from frame import executive
from frame.call import DispatchClass, RuntimeCall
from frame.extensions.base import Ask, Extension
from frame.extrinsic import Checked, implicit
from frame.host import Question
from frame.rows import Pattern, free_nonce
from frame.transaction import MAX_U64, Judgement, TransactionValidityError
from primitives.extrinsic import USUAL_EXTRA, ExtrinsicCodec, signing_payload
from primitives.scale import ScaleError, encode_compact

if TYPE_CHECKING:
    from frame.machine import Machine
    from frame.runtime import Runtime

Form = tuple[bytes, bytes, int, bytes]
"""Extra with the nonce zero, as SCALE; indices of pallet and call; length of the extrinsic; what is signed
along."""

_REMEMBERED = 1024


class Shape(Pattern):
    """How to read an extrinsic of a form."""

    __slots__ = ("form",)

    def __init__(self, runtime: Runtime, form: Form) -> None:
        encoded, prefix, length, along = form
        codec, nonce = runtime.extra_codec, runtime.nonce_slot
        extra = codec.decode(encoded)
        with_one = codec.encode((*extra[:nonce], 1, *extra[nonce + 1 :]))
        at = next(i for i, (a, b) in enumerate(zip(encoded, with_one, strict=True)) if a != b)
        ends = encode_compact(length - 2) + b"\x84\0", encoded[:at], encoded[at + 1 :] + prefix
        others = extra[:nonce], extra[nonce + 1 :]
        super().__init__(ends, runtime.call_codec.entries[_place(prefix)], others, length, along)
        self.form = form


class KnownForm(Shape):
    """What a state's extensions say of all extrinsics of a form; for a block, that their signatures hold."""

    __slots__ = ("asks", "longevity", "priority")

    def __init__(self, runtime: Runtime, form: Form, found: Judgement, asks: tuple[Ask, ...]) -> None:
        super().__init__(runtime, form)
        self.asks = asks
        """What each extrinsic is still asked."""
        self.longevity = found.longevity
        self.priority = found.priority if found.priority < MAX_U64 else MAX_U64


class Admitted(NamedTuple):
    """A valid extrinsic, for the pool."""

    known: KnownForm
    requires: tuple[bytes, ...]
    provides: tuple[bytes, ...]


class Found(NamedTuple):
    """What `FormFinder` says of an extrinsic."""

    call_start: int
    along: bytes
    nonce: int
    form: Form | None
    """None where what it weighs depends on the call's arguments: the nonce is of no use then."""


class FormFinder:
    """From extrinsics to their forms, for who knows of the state only what is signed along: `machine` stands
    in the next block.
    """

    def __init__(self, machine: Machine) -> None:
        runtime = machine.runtime
        self._machine, self._runtime, self._nonce = machine, runtime, free_nonce(machine)
        slots = [e.slot for e in runtime.extensions if e.slot >= 0 and e.slot != self._nonce]
        self._others: Callable[[tuple[Any, ...]], Any] = itemgetter(*slots) if slots else lambda extra: ()
        self._shapes: dict[Any, Shape] = {}
        self._last: dict[int, Shape] = {}
        """The last shape of each length: many extrinsics in a row are alike."""

    def find(self, raw: bytes) -> Found | None:
        """The parts of a usual extrinsic; None for others. ScaleError, and what `implicit` raises."""
        size = len(raw)
        shape = self._last.get(size)
        if shape is not None:
            found = shape.take_apart(raw)
            if found is not None and shape.is_signed_along(self._machine, found[0]):
                return Found(found[1], shape.along, found[0], shape.form)
        usual = self._runtime.extrinsic_codec.usual(raw)
        if usual is None:
            return None
        entry, extra = usual.call.entry, usual.extra
        along = implicit(self._machine, extra)
        if self._nonce < 0 or entry.constant_info is None:
            return Found(usual.call_start, along, 0, None)
        alike = (self._others(extra), entry.prefix, size, along)
        shape = self._shapes.get(alike)
        if shape is None:
            shape = self._shapes[alike] = self._shape(entry.prefix, extra, size, along)
        self._last[size] = shape
        return Found(usual.call_start, along, extra[self._nonce], shape.form)

    def _shape(self, prefix: bytes, extra: tuple[Any, ...], size: int, along: bytes) -> Shape:
        if len(self._shapes) >= _REMEMBERED:
            self._shapes.clear()
            self._last.clear()
        at = self._nonce
        encoded = self._runtime.extra_codec.encode((*extra[:at], 0, *extra[at + 1 :]))
        return Shape(self._runtime, (encoded, prefix, size, along))


def judged_alone(extensions: Iterable[Extension]) -> list[str]:
    """The extensions that do not claim `judges_forms`: with one of them, each extrinsic is judged by itself,
    which takes longer.
    """
    return [
        e.identifier for e in extensions if e.defines("validate") and not e.says("judges_forms", _METHODS)
    ]


class FormJudge:
    """Judges extrinsics by their forms, on a machine that stands where `executive.judge` is asked."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._known: dict[Form, KnownForm | None] = {}
        self._is_possible = machine.runtime.nonce_slot >= 0 and not judged_alone(machine.extensions)

    def forget(self) -> None:
        """The state is another one now."""
        self._known.clear()

    def judge(
        self, extrinsics: Iterable[bytes], nonces: Iterable[int], forms: Iterable[Form]
    ) -> Iterator[Admitted | None]:
        """Of each extrinsic, whose form and nonce these are and whose signature holds, what the pool must
        know; None for those that have to be judged by themselves.
        """
        account_of, last, known = self._machine.system.account, None, None
        requires: tuple[bytes, ...]
        for extrinsic, nonce, form in zip(extrinsics, nonces, forms, strict=True):
            if form is not last:
                last, known = form, self._find(form)
            if known is None:
                yield None
                continue
            who = extrinsic[4:36]
            account = account_of(who)
            for ask in known.asks:
                if not ask(who, account, nonce):
                    yield None
                    break
            else:
                provides = (who + nonce.to_bytes(4, "little"),)
                requires = () if nonce == account.nonce else (who + (nonce - 1).to_bytes(4, "little"),)
                yield _make(Admitted, (known, requires, provides))

    def _find(self, form: Form) -> KnownForm | None:
        try:
            return self._known[form]
        except KeyError:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[form] = self._judge_form(form) if self._is_possible else None
            return found

    def _judge_form(self, form: Form) -> KnownForm | None:
        """What is known of a form; None if one of its extrinsics might not be valid, whatever it asks."""
        machine = self._machine
        encoded, prefix, length, along = form
        entry = machine.runtime.call_codec.entries.get(_place(prefix))
        if entry is None or entry.constant_info is None:
            return None
        overlay, found, asks = machine.overlay, Judgement(), list[Ask]()
        overlay.begin()
        try:
            extra = machine.runtime.extra_codec.decode(encoded)
            if entry.constant_info.dispatch_class is DispatchClass.Mandatory:
                return None
            if implicit(machine, extra) != along:
                return None
            tx = Checked(RuntimeCall(entry, ()), None, extra, length, along)
            for e in machine.extensions:
                if e.defines("validate"):
                    ask = e.judge_form(tx, None if e.slot < 0 else extra[e.slot], found)
                    if ask is not None:
                        asks.append(ask)
            if found.requires or found.provides or not found.propagate:  # somebody makes tags of its own
                return None
            return KnownForm(machine.runtime, form, found, tuple(asks))
        except (TransactionValidityError, ScaleError):
            return None
        except Exception as error:
            raise executive.as_trap(error) from error
        finally:
            overlay.rollback()


_METHODS = ("check", "validate", "prepare", "judge_form")
_make = tuple.__new__


def _place(prefix: bytes) -> int:
    return int.from_bytes(prefix, "big")


def questions(
    codec: ExtrinsicCodec, extrinsics: Iterable[bytes], forms: Iterable[Form]
) -> Iterator[Question]:
    """What their signatures asked."""
    for extrinsic, form in zip(extrinsics, forms, strict=True):
        usual = codec.usual(extrinsic)
        if usual is not None:
            extra, call = extrinsic[USUAL_EXTRA : usual.call_start], extrinsic[usual.call_start :]
            yield usual.scheme, usual.signature, signing_payload(call, extra, form[3]), usual.who
