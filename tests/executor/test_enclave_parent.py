"""The parent against a process that may answer anything: bounded memory, and only errors that are
expected.
"""

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from executor import enclave, wire
from executor.enclave import Limits, Secrets
from executor.errors import EnclaveCrashed, ExecutorError
from primitives.job import Work
from primitives.scale import ScaleError, encode
from tests.executor.planted import matmul_model, spec_for

MODEL = matmul_model()
JOB = enclave._job(MODEL, spec_for(MODEL), 4, None, Limits(), bytes(32))
EXPECTED = (wire.Broken, ScaleError, ExecutorError)


def planned(**changes: object) -> wire.Planned:
    fields: dict[str, object] = {
        "work": Work(flops=1, memory=1, work=1, fuel=1),
        "steps": 4,
        "parameters": 6,
        "given": 0,
        "module_hash": bytes(32),
        "module_bytes": 100,
        "imports": 0,
        "template": bytes(100),
        "slots": [wire.Slot(offset=10, length=24)],
        "unconfined": [],
        "rows_per_call": 4,
        "state_bytes": 0,
    }
    return wire.Planned(**{**fields, **changes})  # type: ignore[arg-type]


def frame(kind: int, payload: bytes) -> bytes:
    return bytes([kind]) + len(payload).to_bytes(4, "little") + payload


def answer(*frames: bytes) -> enclave._Child:
    return enclave._Child(io.BytesIO(), io.BytesIO(b"".join(frames)))


GOOD_PLAN = frame(wire.Kind.PLANNED, encode(wire.Planned, planned()))
DONE = frame(
    wire.Kind.DONE, encode(wire.Done, wire.Done(fuel=1, first_loss=0, last_loss=0, weights=bytes(24)))
)


@given(data=st.binary(max_size=300))
@example(frame(wire.Kind.PLANNED, b"\xff" * 40))
@example(frame(wire.Kind.REFUSED, encode(wire.Refused, wire.Refused(name="KeyboardInterrupt", text="x"))))
@example(b"\x04\xff\xff\xff\xff")
def test_any_first_answer(data: bytes) -> None:
    with pytest.raises(EXPECTED):
        answer(data).plan(JOB)


@given(cut=st.integers(0, len(GOOD_PLAN) - 1), value=st.integers(0, 255))
def test_a_plan_with_any_byte_changed(cut: int, value: int) -> None:
    data = bytearray(GOOD_PLAN)
    data[cut] = value
    try:
        plan = answer(bytes(data)).plan(JOB)
    except EXPECTED:
        return
    assert all(slot.offset + slot.length <= len(plan.template) for slot in plan.slots) and plan.steps == 4


@given(data=st.binary(max_size=100))
@example(DONE)
@example(frame(wire.Kind.PROGRESS, bytes(8)) * 4 + DONE)
@example(frame(wire.Kind.FAILED, b"\xff"))
@example(frame(wire.Kind.PLANNED, b""))
def test_any_second_answer(data: bytes) -> None:
    try:
        done = answer(data).run([b"rows"], Secrets(), enclave.Talk(JOB, planned(), None))
    except EXPECTED:
        return
    try:
        weights = enclave._weights(planned(), done.weights)
    except EnclaveCrashed:
        return
    assert weights == bytes(100)


def test_lies_of_a_plan() -> None:
    huge = [wire.Slot(offset=0, length=2**40)]
    overlapping = [wire.Slot(offset=0, length=8), wire.Slot(offset=4, length=8)]
    for lie in (
        {"slots": huge},
        {"slots": overlapping},
        {"steps": 2**60},
        {"steps": 0},
        {"state_bytes": 137},
        {"rows_per_call": 0},
    ):
        with pytest.raises(EXPECTED):
            answer(frame(wire.Kind.PLANNED, encode(wire.Planned, planned(**lie)))).plan(JOB)


def test_progress_never_passes_the_end() -> None:
    seen: list[tuple[int, int]] = []
    lie = frame(wire.Kind.PROGRESS, (2**60).to_bytes(8, "little"))
    talk = enclave.Talk(JOB, planned(), lambda *at: seen.append(at))
    answer(lie, DONE).run([], Secrets(), talk)
    assert seen == [(4, 4)]
