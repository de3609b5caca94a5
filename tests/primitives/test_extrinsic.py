"""Extrinsics: golden bytes, the signing rule, hostile bytes."""

from __future__ import annotations

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primitives.era import ERA_CODEC, Era
from primitives.extrinsic import (
    Extrinsic,
    ExtrinsicCodec,
    MultiAddress,
    MultiSignature,
    Signed,
    extrinsic_hash,
    multi_signature,
    scheme_and_bytes,
    signing_payload,
)
from primitives.hashing import blake2_256
from primitives.scale import (
    U8,
    Bytes,
    CompactU32,
    CompactU128,
    Enum,
    ScaleError,
    Struct,
    Variant,
    decode,
    encode,
    encode_compact,
)


class Balances(Enum):
    class Transfer(Variant, index=3):
        dest: MultiAddress
        value: CompactU128


class Call(Enum):
    class System(Variant, index=0, unnamed=True):
        remark: Bytes

    class Balances(Variant, index=2, unnamed=True):
        call: Balances


class Extra(Struct):
    era: Annotated[Era, ERA_CODEC]
    nonce: CompactU32
    tip: CompactU128
    mode: U8


CODEC = ExtrinsicCodec(Extra, Call)
ALICE, BOB = b"\xa1" * 32, b"\xb0" * 32
CALL = Call.Balances(call=Balances.Transfer(dest=MultiAddress.Id(value=BOB), value=10**12))
SIGNED = Signed(
    MultiAddress.Id(value=ALICE),
    MultiSignature.Sr25519(value=b"\x51" * 64),
    Extra(era=Era(64, 42), nonce=300, tip=0, mode=0),
)


def test_a_signed_extrinsic_byte_by_byte() -> None:
    body = "84" + "00" + "a1" * 32 + "01" + "51" * 64 + "a502" + "b104" + "00" + "00"
    body += "02" + "03" + "00" + "b0" * 32 + "070010a5d4e8"
    data = encode_compact(len(body) // 2) + bytes.fromhex(body)
    xt = Extrinsic(CALL, SIGNED)
    assert CODEC.encode(xt) == data and CODEC.decode(data) == xt
    assert extrinsic_hash(data) == blake2_256(data)


@pytest.mark.parametrize("version", [4, 5])
def test_bare_extrinsics(version: int) -> None:
    xt = Extrinsic(Call.System(remark=b"hi"), None, version)
    assert CODEC.encode(xt).hex() == f"14{version:02x}00086869"
    assert CODEC.decode(CODEC.encode(xt)) == xt
    assert decode_list(encode_compact(2) + CODEC.encode(xt) * 2) == [xt, xt]


def decode_list(data: bytes) -> list[Extrinsic]:
    value: list[Extrinsic] = decode(list[Annotated[Extrinsic, CODEC]], data)
    return value


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "unexpected end of input"),
        (b"\0", "unexpected end of input"),
        (b"\x10\x04\0\x04", "unexpected end of input"),
        (b"\x04\x45", "type 0x45 are not supported"),
        (b"\x04\x85", "type 0x85 are not supported"),
        (b"\x04\x03", "type 0x03 are not supported"),
        (b"\x10\x04\0\0\0", "off by 1 bytes"),
        (b"\x08\x04\0\0", "off by -1 bytes"),
        (b"\x0c\x04\0\0\0", "1 bytes left over"),
        (b"\x03\xff\xff\xff\xff\x04", "unexpected end of input"),
        (b"\x0c\x04\x07\0", "Call: no variant 7"),
    ],
)
def test_malformed_extrinsics(data: bytes, message: str) -> None:
    with pytest.raises(ScaleError, match=message):
        CODEC.decode(data)


@given(cut=st.integers(0, 170), change=st.integers(0, 255))
def test_a_changed_byte_is_another_extrinsic_or_refused(cut: int, change: int) -> None:
    data = bytearray(CODEC.encode(Extrinsic(CALL, SIGNED)))
    data[cut % len(data)] = change
    try:
        xt = CODEC.decode(bytes(data))
    except ScaleError:
        return
    assert CODEC.encode(xt) == bytes(data)


def test_encoding_names_what_does_not_fit() -> None:
    with pytest.raises(ScaleError, match=r"Extrinsic: Extra\.nonce: -1 does not fit"):
        CODEC.encode(Extrinsic(CALL, SIGNED._replace(extra=Extra(era=Era(), nonce=-1, tip=0, mode=0))))
    with pytest.raises(ScaleError, match="version 3"):
        CODEC.encode(Extrinsic(CALL, None, 3))
    with pytest.raises(ScaleError, match="version 5"):
        CODEC.encode(Extrinsic(CALL, SIGNED, 5))


def test_long_payloads_are_hashed_before_signing() -> None:
    assert signing_payload(b"c" * 200, b"e" * 50, b"i" * 6) == b"c" * 200 + b"e" * 50 + b"i" * 6
    long = b"c" * 200 + b"e" * 50 + b"i" * 7
    assert signing_payload(b"c" * 200, b"e" * 50, b"i" * 7) == blake2_256(long)


def test_addresses_and_signatures() -> None:
    assert encode(MultiAddress, MultiAddress.Index(value=1)).hex() == "0104"
    assert encode(MultiAddress, MultiAddress.Raw(value=b"a")).hex() == "020461"
    assert encode(MultiAddress, MultiAddress.Address20(value=b"\1" * 20)).hex() == "04" + "01" * 20
    for scheme, size in enumerate((64, 64, 65)):
        signature = multi_signature(scheme, bytes(size))
        assert encode(MultiSignature, signature) == bytes([scheme]) + bytes(size)
        assert scheme_and_bytes(signature) == (scheme, bytes(size))


def test_parse_tells_where_the_signed_parts_are() -> None:
    data = CODEC.encode(Extrinsic(CALL, SIGNED))
    parsed = CODEC.parse(data)
    assert parsed.extrinsic == Extrinsic(CALL, SIGNED)
    assert data[parsed.call_start :] == encode(Call, CALL)
    assert data[parsed.extra_start : parsed.call_start] == encode(Extra, SIGNED.extra)
    bare = CODEC.encode(Extrinsic(CALL))
    assert bare[CODEC.parse(bare).call_start :] == encode(Call, CALL)
    with pytest.raises(ScaleError, match="1 bytes left over"):
        CODEC.parse(data + b"\0")
