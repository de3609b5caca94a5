"""Header, digest and era: golden bytes of Substrate, and the rules of eras."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scalecodec.base import RuntimeConfigurationObject, ScaleBytes

from primitives.digest import Digest, DigestItem
from primitives.era import ERA_CODEC, Era
from primitives.hashing import blake2_256
from primitives.header import Header
from primitives.scale import ScaleError, codec, decode, encode

HEADER = Header(
    parent_hash=blake2_256(b"1"),
    number=2,
    state_root=blake2_256(b"3"),
    extrinsics_root=blake2_256(b"4"),
    digest=Digest(logs=[DigestItem.Other(data=b"6")]),
)


def test_the_golden_header() -> None:
    assert HEADER.hash.hex() == "a8a0cb64226571950897d4450958e80393585495616fc6589af75d2f2edc90d1"
    assert decode(Header, HEADER.encode()) == HEADER


def test_digest_items() -> None:
    items = [
        (DigestItem.Other(data=b"6"), "000436"),
        (DigestItem.Consensus(engine=b"BABE", data=b"\1"), "04424142450401"),
        (DigestItem.Seal(engine=b"aura", data=b""), "056175726100"),
        (DigestItem.PreRuntime(engine=b"aura", data=b"\2"), "066175726104" + "02"),
        (DigestItem.RuntimeEnvironmentUpdated(), "08"),
    ]
    for item, expected in items:
        assert encode(DigestItem, item).hex() == expected
        assert decode(DigestItem, bytes.fromhex(expected)) == item
    with pytest.raises(ScaleError, match="no variant 7"):
        decode(DigestItem, b"\7")


@pytest.mark.parametrize(("era", "data"), [((64, 42), "a502"), ((32768, 20000), "4e9c")])
def test_golden_eras(era: tuple[int, int], data: str) -> None:
    assert Era(*era).encode().hex() == data and Era.decode(bytes.fromhex(data)) == Era(*era)


def test_the_immortal_era() -> None:
    era = Era()
    assert era.encode() == b"\0" and Era.decode(b"\0") == era and era.is_immortal
    assert (era.birth(1000), era.death(1000)) == (0, 2**64 - 1)


def test_birth_and_death() -> None:
    era = Era(64, 42)
    assert era.birth(42) == 42 and era.birth(105) == 42 and era.birth(106) == 106 and era.birth(3) == 42
    assert era.death(42) == 106


@given(period=st.integers(0, 100_000), current=st.integers(0, 2**40))
def test_a_chosen_era_holds_the_present_block(period: int, current: int) -> None:
    era = Era.mortal(period, current)
    assert era.period >= min(period, 65536) and era.birth(current) <= current < era.death(current)
    assert current - era.birth(current) < max(era.period >> 12, 1)
    assert codec(ERA_CODEC).decode(era.encode()) == era


@given(word=st.binary(min_size=2, max_size=2))
def test_every_word_is_an_era_or_refused_as_scalecodec_reads_it(word: bytes) -> None:
    oracle = RuntimeConfigurationObject()
    try:
        era = Era.decode(word)
    except ScaleError:
        low = int.from_bytes(word, "little")
        period = 2 << (low & 15)
        assert word[0] == 0 or period < 4 or (low >> 4) * max(period >> 12, 1) >= period
        return
    assert era.encode() == word
    assert oracle.create_scale_object("Era").decode(ScaleBytes(word)) == (era.period, era.phase)


@pytest.mark.parametrize(
    ("period", "phase"), [(3, 0), (2, 0), (131072, 0), (64, 64), (64, -1), (32768, 5), (0, 1)]
)
def test_impossible_eras(period: int, phase: int) -> None:
    with pytest.raises(ScaleError):
        Era(period, phase)


@pytest.mark.parametrize("data", [b"", b"\x15", b"\0\0", b"\x10\0", b"\xa5\x02\0"])
def test_malformed_eras(data: bytes) -> None:
    with pytest.raises(ScaleError):
        Era.decode(data)
