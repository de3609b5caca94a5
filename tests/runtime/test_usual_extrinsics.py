"""The usual signed extrinsic is taken apart by known places: the same comes of it as of the whole codec."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from frame.extrinsic import check
from frame.machine import Machine
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

    def __init__(self) -> None:
        self.questions: list[tuple[Any, ...]] = []

    def verify(self, *question: Any) -> bool:
        self.questions.append(question)
        return True


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
