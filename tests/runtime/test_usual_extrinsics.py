"""The usual signed extrinsic is taken apart by known places: the same comes of it as of the whole codec."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frame import rows
from frame.extrinsic import check
from frame.machine import Machine
from frame.rows import Row
from frame.transaction import TransactionValidityError
from primitives.digest import Digest
from primitives.extrinsic import (
    Extrinsic,
    MultiAddress,
    Signed,
    Usual,
    multi_signature,
    scheme_and_bytes,
)
from primitives.scale import ScaleError, encode_compact
from runtime import runtime

MACHINE_DIGEST = Digest(logs=[])
CODEC = runtime().extrinsic_codec
MACHINE = runtime().machine()
WHO, PROOF = bytes(range(32)), bytes(range(64))


def body(scheme: int, extra: bytes, call: bytes) -> bytes:
    proof = PROOF if scheme < 2 else PROOF + b"\1"
    return b"\x84\0" + WHO + bytes([scheme]) + proof + extra + call


EXTRA = st.sampled_from(
    [b"\0\0\0\0", b"\x15\x01\x04\x0c\0", b"\0\xfd\xff\xff\x0f\0", b"\0\0\0\1", b"\2\0\0\0"]
)
CALL = st.one_of(
    st.builds(
        lambda to, n: b"\x02\x03\0" + to + encode_compact(n),
        st.binary(min_size=32, max_size=32),
        st.integers(0, 2**130),
    ),
    st.builds(lambda data: b"\0\0" + encode_compact(len(data)) + data, st.binary(max_size=80)),
    st.binary(max_size=40),
)
WHOLE = st.builds(
    lambda *parts: encode_compact(len(body(*parts))) + body(*parts), st.integers(0, 3), EXTRA, CALL
)
BROKEN = st.builds(
    lambda data, at, to: data[: at % len(data)] + to + data[at % len(data) + len(to) :],
    WHOLE,
    st.integers(0, 120),
    st.binary(max_size=3),
)


def by_places(data: bytes) -> Usual | str | None:
    try:
        return CODEC.usual(data)
    except ScaleError as error:
        return str(error)


def by_the_codec(data: bytes) -> Usual | str | None:
    """The same of the whole codec; None for what is signed otherwise, or not."""
    try:
        (call, signed, _), _, call_start = CODEC.parse(data)
    except ScaleError as error:
        return str(error)
    if signed is None or type(signed.address) is not MultiAddress.Id:
        return None
    return Usual(call, signed.address.value, *scheme_and_bytes(signed.signature), signed.extra, call_start)


@given(st.one_of(WHOLE, BROKEN, st.binary(max_size=150)))
def test_both_ways_say_the_same(data: bytes) -> None:
    found = by_places(data)
    if found is not None:
        assert found == by_the_codec(data)


def transfer(scheme: int) -> bytes:
    call = MACHINE.of(type(runtime()).balances).transfer_keep_alive.new(MultiAddress.Id(value=WHO), 10**12)
    extra = CODEC.extra.decode(b"\0\x04\0\0")
    proof = multi_signature(scheme, PROOF if scheme < 2 else PROOF + b"\1")
    return CODEC.encode(Extrinsic(call, Signed(MultiAddress.Id(value=WHO), proof, extra)))


def test_the_usual_ones_are_found() -> None:
    assert [CODEC.usual(transfer(scheme)) is not None for scheme in range(3)] == [True, True, False]
    assert CODEC.usual(transfer(1)) == by_the_codec(transfer(1))


def test_a_length_of_four_bytes_and_one_that_is_off_are_left_to_the_codec() -> None:
    data = transfer(1)
    four = (len(data) - 2 << 2 | 2).to_bytes(4, "little") + data[2:]
    assert CODEC.usual(four) is None and CODEC.usual(data + b"\0") is None and CODEC.usual(data[:-1]) is None


class Asked:
    """A host that remembers what it was asked."""

    def __init__(self, good: bool = True) -> None:
        self.questions: list[tuple[Any, ...]] = []
        self.good = good

    def verify(self, *question: Any) -> bool:
        self.questions.append(question)
        return self.good


@given(st.integers(0, 2))
def test_the_same_is_asked_of_the_host(scheme: int) -> None:
    machine: Machine = runtime().machine()
    machine.system.initialize(1, bytes(32), MACHINE_DIGEST)
    data, host = transfer(scheme), Asked()
    machine.host = host  # type: ignore[assignment]
    short, long = check(machine, data), check(machine, data, CODEC.parse(data))
    assert host.questions[0] == host.questions[1]
    for name in ("who", "extra", "length", "along", "decides", "info"):
        assert getattr(short, name) == getattr(long, name), name
    assert short.call == long.call


def in_block_70() -> Machine:
    """It knows the hashes of the genesis and of block 69."""
    machine: Machine = runtime().machine()
    for number in (1, 70):
        machine.system.initialize(number, bytes((number,)) * 32, MACHINE_DIGEST)
    return machine


def one_of_many(nonce: int, amount: int, tip: int, era: bytes) -> bytes:
    parts = (
        1,
        era + encode_compact(nonce) + encode_compact(tip) + b"\0",
        b"\2\3\0" + WHO + encode_compact(amount),
    )
    return encode_compact(len(body(*parts))) + body(*parts)


ALIKE = st.builds(
    one_of_many,
    st.sampled_from([0, 1, 63, 64, 65, 2**14 - 1, 2**14, 2**30 - 1, 2**30, 2**32 - 1]),
    st.sampled_from([5, 6, 2**12, 2**40]),
    st.sampled_from([0, 0, 0, 3]),
    st.sampled_from([b"\0", b"\0", b"\0", b"\x55\0", b"\x15\x01"]),  # born in 69; in 17, long gone
)
SPOILED = st.builds(
    lambda data, at, to: data[:at] + to + data[at + len(to) :],
    ALIKE,
    st.one_of(st.integers(0, 4), st.sampled_from([36, 150]), st.integers(100, 112), st.integers(140, 155)),
    st.sampled_from([b"", b"\0", b"\1", b"\2", b"\3", b"\4", b"\x84", b"\xff", b"\x01\x00", b"\x02\0\0\0"]),
)
CUT = st.builds(
    lambda data, by, more: data[: len(data) - by] + more, ALIKE, st.integers(0, 60), st.binary(max_size=2)
)
IN_A_ROW = st.lists(st.one_of(ALIKE, ALIKE, SPOILED, CUT, WHOLE), max_size=12)


def outcome(machine: Machine, work: Any, raw: bytes) -> tuple[Any, ...]:
    """What comes of checking an extrinsic, and what the host was asked."""
    machine.host = host = Asked(raw[60:61] != b"\xee")  # type: ignore[assignment]
    try:
        tx = work(raw)
    except TransactionValidityError as error:
        return type(error), error.encode(), str(error), host.questions
    fields = ("who", "extra", "length", "along", "decides", "info", "fee")
    return tx.call, tx.call.entry, *(getattr(tx, name) for name in fields), host.questions


@given(IN_A_ROW, st.lists(st.integers(0, 11), max_size=2))
def test_in_a_row_the_same_is_checked_asked_and_refused(extrinsics: list[bytes], forged: list[int]) -> None:
    machine = in_block_70()
    row = Row(machine)
    for i, made in enumerate(extrinsics):
        raw = made[:60] + b"\xee" + made[61:] if i in forged and len(made) > 61 else made
        short = outcome(machine, row.check, raw)
        assert short == outcome(machine, lambda raw: check(machine, raw), raw)
        if i % 5 == 4:  # as after a raw write
            machine.signed_along.clear()


def test_those_alike_in_a_row_are_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    machine: Machine = runtime().machine()
    machine.system.initialize(1, bytes(32), MACHINE_DIGEST)
    machine.host = host = Asked()  # type: ignore[assignment]
    anew: list[bytes] = []

    def counted(machine: Machine, raw: bytes) -> Any:
        anew.append(raw)
        return check(machine, raw)

    monkeypatch.setattr(rows, "check", counted)
    row = Row(machine)
    sent = [one_of_many(nonce, 2**40 + nonce, 0, b"\0") for nonce in range(200)]
    assert [row.check(raw).extra[1] for raw in sent] == list(range(200))
    assert anew == [sent[0], sent[64]]  # from there on the nonce takes two bytes
    assert len(host.questions) == len({question[2] for question in host.questions}) == 200


@pytest.mark.parametrize("nonce", [5, 64, 2**14, 2**30])
@pytest.mark.parametrize("tip", [0, 3])
def test_after_one_alike_every_other_byte_is_looked_at(nonce: int, tip: int) -> None:
    machine = in_block_70()
    good = one_of_many(nonce, 2**40, tip, b"\0")
    for at in [*range(5), 36, *range(100, 120), *range(len(good) - 12, len(good))]:
        for value in {*range(6), 12, 0x84, 0xFF, good[at] ^ 4}:
            raw = good[:at] + bytes((value,)) + good[at + 1 :]
            row = Row(machine)
            assert not isinstance(outcome(machine, row.check, good)[0], type)  # an error
            assert outcome(machine, row.check, raw) == outcome(machine, lambda raw: check(machine, raw), raw)
