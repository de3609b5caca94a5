"""Hashes and addresses against published values and independent implementations."""

from __future__ import annotations

from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scalecodec.utils import ss58 as oracle

from primitives import ss58
from primitives.hashing import (
    blake2_128_concat,
    blake2_256,
    tagged,
    twox_64,
    twox_64_concat,
    twox_128,
    twox_256,
)

ALICE = bytes.fromhex("d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d")


def test_storage_keys_of_substrate() -> None:
    assert twox_128(b"System").hex() == "26aa394eea5630e07c48ae0c9558cef7"
    assert (twox_128(b"System") + twox_128(b"Account"))[16:].hex() == "b99d880ec681799c0cf30e8886371da9"
    assert twox_128(b"Events").hex() == "80d41e5e16056765bc8461851072c9d7"
    assert (twox_128(b"Timestamp") + twox_128(b"Now")).hex() == (
        "f0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb"
    )
    assert twox_256(b"abc").hex() == "990977adf52cbc440889329981caa9bef7da5770b2b8a05303b75d95360dd62b"
    assert twox_64_concat(b"x") == twox_64(b"x") + b"x"
    assert len(blake2_128_concat(ALICE)) == 48


def test_the_empty_trie_is_a_known_hash() -> None:
    assert blake2_256(b"\0").hex() == "03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314"


def test_tagged_hashes_have_domains() -> None:
    assert tagged("leaf", b"a", b"b") == blake2_256(b"\x24gm/leaf/1ab")
    assert tagged("leaf", b"ab") != tagged("node", b"ab")


def test_known_addresses() -> None:
    assert ss58.encode(ALICE) == "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
    assert ss58.encode(ALICE, 0) == "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5"
    assert ss58.encode(ALICE, 2) == "HNZata7iMYWmk5RvZRTiAsSDhV8366zq2YGb3tLH5Upf74F"


@given(
    account=st.binary(min_size=32, max_size=32),
    prefix=st.integers(0, 16383).filter(lambda p: p not in (46, 47)),
)
def test_addresses_agree_with_scalecodec(account: bytes, prefix: int) -> None:
    text = ss58.encode(account, prefix)
    assert text == oracle.ss58_encode(account, prefix)
    assert ss58.decode(text) == (account, prefix)


@given(place=st.integers(0, 47), character=st.sampled_from(ss58.ALPHABET))
def test_a_typing_error_is_noticed(place: int, character: str) -> None:
    text = ss58.encode(ALICE)
    wrong = text[:place] + character + text[place + 1 :]
    if wrong != text:
        with pytest.raises(ss58.Ss58Error):
            ss58.decode(wrong)


@given(text=st.text(max_size=80))
def test_any_text_is_decoded_or_refused(text: str) -> None:
    try:
        account, prefix = ss58.decode(text)
    except ss58.Ss58Error:
        return
    assert ss58.encode(account, prefix) == text


@pytest.mark.parametrize(
    ("account", "prefix", "message"),
    [(b"short", 42, "32 bytes"), (ALICE, 16384, "not a network prefix"), (ALICE, 46, "not a network prefix")],
)
def test_what_has_no_address(account: bytes, prefix: int, message: str) -> None:
    with pytest.raises(ss58.Ss58Error, match=message):
        ss58.encode(account, prefix)


def test_a_long_text_costs_nothing() -> None:
    with pytest.raises(ss58.Ss58Error, match="1 to 64 characters"):
        ss58.decode("5" * 10_000_000)


@pytest.mark.parametrize("prefix", [b"\x2e", b"\x2f", b"\x80", b"\x40\0", b"\x4a\x80"])
def test_reserved_and_long_winded_prefixes_are_refused(prefix: bytes) -> None:
    body = prefix + ALICE
    text = oracle.base58.b58encode(body + blake2b(b"SS58PRE" + body).digest()[:2]).decode()
    with pytest.raises(ss58.Ss58Error):
        ss58.decode(text)
