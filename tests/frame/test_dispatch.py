"""Dispatching calls: layers, errors, nested calls, refunds, defects."""

from __future__ import annotations

from typing import Any

import pytest

from frame import (
    ArithmeticFailure,
    BadOrigin,
    DispatchError,
    ModuleError,
    Origin,
    PostInfo,
    Token,
    TokenError,
)
from frame.call import CallEntry, DispatchInfo, Pays
from frame.codecs import DISPATCH_ERROR
from frame.errors import DispatchErrorInfo
from frame.machine import Trap
from frame.runtime import BlockBuilder
from frame.testing import Externalities
from frame.weights import weight
from primitives.scale import ScaleError, codec
from tests.frame.template_runtime import ALICE, Template, TemplateRuntime

ALICE_SAYS = Origin.of(ALICE.account_id)


def test_a_call_writes_and_tells(ext: Externalities, template: Template) -> None:
    assert ext.dispatch(template.store.new(5), ALICE_SAYS) == PostInfo()
    assert template.something.get() == 5
    assert template.changes[ALICE.account_id] == 1
    assert ext.events() == [Template.Stored(something=5, who=ALICE.account_id)]


def test_an_error_changes_nothing(ext: Externalities, template: Template) -> None:
    before = ext.state()
    with pytest.raises(Template.Refused) as caught:
        ext.dispatch(template.store_then_fail.new(5), ALICE_SAYS)
    assert caught.value.encode() == bytes((3, 7, 1, 0, 0, 0))
    assert caught.value.actual_weight == weight(2_000_000)
    assert ext.runtime.named_error(7, caught.value.error) == "Template.Refused"
    assert ext.state() == before
    assert ext.events() == []


def test_origins(ext: Externalities, template: Template) -> None:
    for origin in (Origin.ROOT, Origin.NONE):
        with pytest.raises(BadOrigin):
            ext.dispatch(template.store.new(5), origin)
    with pytest.raises(BadOrigin):
        ALICE_SAYS.root()
    with pytest.raises(BadOrigin):
        Origin.ROOT.none()
    with pytest.raises(BadOrigin):
        Origin.NONE.signed_or_root()
    assert Origin.ROOT.signed_or_root() is None
    assert Origin.of(b"x") == Origin.of(b"x") != Origin.ROOT


def test_refund_by_return_value(ext: Externalities, template: Template) -> None:
    call = template.steps.new(40, taken=3)
    assert call.info() == DispatchInfo(weight(40_000_000))
    assert ext.dispatch(call, ALICE_SAYS) == PostInfo(weight(3_000_000))
    assert PostInfo(weight(99)).weight_of(DispatchInfo(weight(5))) == weight(5)
    with pytest.raises(Template.StepTooLarge, match="more than `max_step`"):
        ext.dispatch(template.steps.new(51, 0), ALICE_SAYS)


def test_nested_calls_have_layers_of_their_own(ext: Externalities, template: Template) -> None:
    good, bad = template.store.new(5), template.store_then_fail.new(6)
    post = ext.dispatch(template.attempt.new([good, bad, template.nested.new(good)]), ALICE_SAYS)
    assert post == PostInfo(pays=Pays.No)
    assert template.something.get() == 5
    assert template.total.get() == 9
    assert len(ext.events()) == 2
    before = ext.state()
    with pytest.raises(Template.Refused):
        ext.dispatch(template.nested.new(template.nested.new(bad)), ALICE_SAYS)
    assert ext.state() == before


def test_overflow_in_a_call(ext: Externalities, template: Template) -> None:
    ext.dispatch(template.bump.new(), ALICE_SAYS)
    with pytest.raises(ArithmeticFailure):
        ext.dispatch(template.bump.new(), ALICE_SAYS)


def test_a_defect_is_a_trap(ext: Externalities, template: Template) -> None:
    before = ext.state()
    with pytest.raises(Trap, match=r"Template\.broken failed with ZeroDivisionError: a defect"):
        ext.dispatch(template.broken.new(), ALICE_SAYS)
    with pytest.raises(Trap):
        ext.dispatch(template.attempt.new([template.broken.new()]), ALICE_SAYS)
    assert ext.state() == before


def test_calls_as_bytes(ext: Externalities, template: Template) -> None:
    calls = ext.runtime.call_codec
    call = template.remember.new(data=b"xy", flag=None)
    assert call.encode() == b"\x07\x09\x08xy\x00"
    again = calls.decode(call.encode())
    assert again == call
    assert (again.pallet, again.name, again.arguments) == (
        "Template",
        "remember",
        {"data": b"xy", "flag": None},
    )
    assert repr(again) == "Template.remember(data=b'xy', flag=None)"
    for bad in (b"", b"\x07", b"\x08\x00", b"\x07\x63", b"\x07\x09\x08xy", b"\x07\x09\x44" + bytes(18)):
        with pytest.raises(ScaleError):
            calls.decode(bad)


def test_nesting_is_bounded(ext: Externalities, template: Template) -> None:
    def nest(depth: int) -> bytes:
        return b"\x07\x04" * depth + template.store.new(1).encode()

    assert ext.runtime.call_codec.decode(nest(10)).encode() == nest(10)
    for depth in (20, 5000):
        with pytest.raises(ScaleError, match="nested too deeply"):
            ext.runtime.call_codec.decode(nest(depth))


def test_weights_of_nested_calls_are_asked_once(template: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    plain = CallEntry.info

    def counting(entry: CallEntry, args: tuple[Any, ...]) -> DispatchInfo:
        asked.append(entry.definition.name)
        return plain(entry, args)

    monkeypatch.setattr(CallEntry, "info", counting)
    call = template.store.new(1)
    for _ in range(12):
        call = template.attempt.new([call, call])
    assert call.info().weight == weight(10_000_000 * 2**12)
    assert len(asked) == 12  # `store` has one weight, known beforehand


def test_every_dispatch_error_round_trips() -> None:
    shape = codec(DispatchErrorInfo)
    for raw in [bytes([tag]) for tag in (0, 1, 2, 4, 5, 6, 10, 11, 12, 13)] + [
        bytes((3, 9, 1, 2, 3, 4)),
        *(bytes((7, kind)) for kind in range(10)),
        *(bytes((8, kind)) for kind in range(3)),
        *(bytes((9, kind)) for kind in range(2)),
        *(bytes((14, kind)) for kind in range(14)),
    ]:
        error = DISPATCH_ERROR.decode(raw)
        assert isinstance(error, DispatchError)
        assert error.encode() == raw
        assert shape.encode(shape.decode(raw)) == raw
        assert error == DISPATCH_ERROR.decode(raw) and hash(error) == hash(DISPATCH_ERROR.decode(raw))
    for raw in (b"", b"\x0f", b"\x03\x01", b"\x07\x0a", b"\x07", b"\x00\x00"):
        with pytest.raises(ScaleError):
            DISPATCH_ERROR.decode(raw)
    assert TokenError(Token.Frozen).name == "TokenError.Frozen"
    assert ModuleError(7, b"\1\0\0\0") != TokenError(Token.Frozen)


def test_an_unlocated_error_cannot_be_encoded() -> None:
    with pytest.raises(ValueError, match="Refused was not raised inside a dispatch"):
        Template.Refused().encode()


def test_events_have_phases(ext: Externalities, template: Template) -> None:
    from frame.testing import read_records

    template.deposit(Template.Stepped(steps=1))
    ext.machine.system.note_applied_extrinsic(None, DispatchInfo(weight(0)), PostInfo())
    template.deposit(Template.Stepped(steps=2))
    ext.machine.system.note_finished_extrinsics()
    template.deposit(Template.Stepped(steps=3))
    raw = ext.overlay.get(ext.machine.system.events.key)  # type: ignore[attr-defined]
    assert [i for i, e in read_records(ext.runtime, raw or b"") if isinstance(e, Template.Stepped)] == [
        0,
        1,
        None,
    ]
    assert ext.machine.system.event_count.get() == 4  # type: ignore[attr-defined]


def test_no_events_in_block_zero() -> None:
    runtime = TemplateRuntime()
    machine = runtime.machine()
    machine.of(TemplateRuntime.template).deposit(Template.Stepped(steps=1))
    assert not machine.overlay.delta().top
    assert BlockBuilder(runtime, machine).extrinsics == []
