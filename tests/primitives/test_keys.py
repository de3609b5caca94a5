"""Keys: published vectors, and `substrate-interface`'s keys as an independent implementation."""

from __future__ import annotations

import json
import subprocess

import bip39
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from substrateinterface import Keypair as Oracle
from substrateinterface import KeypairType

from primitives import ss58
from primitives.keys import (
    DEV_PHRASE,
    Keypair,
    Scheme,
    SecretError,
    generate_mnemonic,
    generate_seed,
    mnemonic_seed,
    verify,
)
from tests.nodejs import CLIENTS

SR25519 = {  # the development accounts, as `subkey inspect` prints them
    "//Alice": "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
    "//Bob": "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty",
    "//Charlie": "5FLSigC9HGRKVhB9FiEo4Y3koPsNmBmLJbpXg2mp1hXcS59Y",
    "//Dave": "5DAAnrj7VHTznn2AWBemMuyBwZWs6FNFjdyVXUeYum3PTXFy",
    "//Eve": "5HGjWAeFDfFCWPsjFQdVV2Msvz2XtMktvgocEZcCj68kUMaw",
    "//Ferdie": "5CiPPseXPECbkjWCa6MnjNokrgYjMqmKndv2rSnekmSK2DjL",
    "//Alice//stash": "5GNJqTPyNqANBkUVMN1LPPrxXnFouWXoe2wNSmmEoLctxiZY",
    "": "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV",
}
ED25519 = {
    "//Alice": "5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu",
    "//Bob": "5GoNkf6WdbxCFnPdAnYYQyCjAKPJgLNxXwPjwTh6DGg6gN3E",
}
ECDSA = {"//Alice": "5C7C2Z5sWbytvHpuLTvzKunnnRwQxft1jiqrLD5rhucQ5S9X"}


@pytest.mark.parametrize(("uri", "address"), SR25519.items())
def test_sr25519_development_accounts(uri: str, address: str) -> None:
    assert Keypair.from_uri(uri).address == address
    assert Keypair.from_uri(DEV_PHRASE + uri).address == address


@pytest.mark.parametrize(("uri", "address"), ED25519.items())
def test_ed25519_development_accounts(uri: str, address: str) -> None:
    assert Keypair.from_uri(uri, Scheme.ED25519).address == address


@pytest.mark.parametrize(("uri", "address"), ECDSA.items())
def test_ecdsa_development_accounts(uri: str, address: str) -> None:
    assert Keypair.from_uri(uri, Scheme.ECDSA).address == address


def test_ecdsa_keys_and_signatures_are_polkadot_js_s(node_js: str) -> None:
    uris = ["//Alice", "//Bob//stash", "//1//2", "0x" + "07" * 32, DEV_PHRASE + "///password"]
    pairs = [Keypair.from_uri(uri, Scheme.ECDSA) for uri in uris]
    messages = [bytes(range(length)) for length in (0, 1, 32, 100, 250)]
    questions = [
        {"uri": uri, "message": "0x" + message.hex(), "signature": "0x" + pair.sign(message).hex()}
        for uri, pair, message in zip(uris, pairs, messages, strict=True)
    ]
    done = subprocess.run(
        [node_js, "ecdsa.mjs"],
        cwd=CLIENTS,
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    for answer, pair, message in zip(json.loads(done.stdout), pairs, messages, strict=True):
        assert (answer["address"], answer["public"]) == (pair.address, "0x" + pair.public.hex())
        assert answer["verifies"]
        theirs = bytes.fromhex(answer["signature"][2:])
        assert verify(Scheme.ECDSA, theirs, message, pair.account_id)


@pytest.mark.parametrize(
    "path", ["//1", "/1", "/soft", "//hard/soft//2/0", "//" + "long" * 20, "//0042", "//ä", "//-1"]
)
def test_derivation_agrees_with_substrate_interface(path: str) -> None:
    theirs = Oracle.create_from_uri(DEV_PHRASE + path)
    assert Keypair.from_uri(path).public == theirs.public_key


@settings(max_examples=20)
@given(entropy=st.sampled_from([12, 15, 18, 21, 24]), password=st.text(max_size=8))
def test_phrases_agree_with_substrate_bip39(entropy: int, password: str) -> None:
    phrase = generate_mnemonic(entropy)
    assert len(phrase.split()) == entropy
    assert mnemonic_seed(phrase, password) == bytes(
        bip39.bip39_to_mini_secret(phrase, password, language_code="en")
    )
    assert Keypair.from_uri(phrase).public == Oracle.create_from_mnemonic(phrase).public_key


def test_passwords_and_seeds() -> None:
    with_password = Keypair.from_uri("//Alice///secret")
    assert with_password.public != Keypair.from_uri("//Alice").public
    seed = "0x" + "42" * 32
    assert Keypair.from_uri(seed).public == Oracle.create_from_seed(seed).public_key
    assert Keypair.from_seed(bytes.fromhex(seed[2:])).seed == bytes.fromhex(seed[2:])
    ed = Oracle.create_from_seed(seed, crypto_type=KeypairType.ED25519)
    assert Keypair.from_uri(seed, Scheme.ED25519).public == ed.public_key
    assert Keypair.from_uri("//Alice///a/b//c").public != Keypair.from_uri("//Alice///a").public
    assert len(generate_seed()) == 32


@pytest.mark.parametrize("scheme", [Scheme.SR25519, Scheme.ED25519])
def test_signatures_verify_here_and_there(scheme: Scheme) -> None:
    pair = Keypair.from_uri("//Alice", scheme)
    signature = pair.sign(b"message")
    assert verify(scheme, signature, b"message", pair.public)
    kind = KeypairType.SR25519 if scheme == Scheme.SR25519 else KeypairType.ED25519
    theirs = Oracle(public_key=pair.public, ss58_address=ss58.encode(pair.public), crypto_type=kind)
    assert theirs.verify(b"message", signature)
    assert not verify(scheme, signature, b"messagf", pair.public)
    assert not verify(scheme, signature, b"message", Keypair.from_uri("//Bob", scheme).public)
    assert not verify(1 - scheme, signature, b"message", pair.public)
    for place in range(0, 64, 7):
        wrong = bytearray(signature)
        wrong[place] ^= 1
        assert not verify(scheme, bytes(wrong), b"message", pair.public)


def test_an_ecdsa_signature_names_its_key() -> None:
    pair = Keypair.from_uri("//Alice", Scheme.ECDSA)
    signature = pair.sign(b"message")
    check = lambda raw, message=b"message", who=pair.account_id: verify(Scheme.ECDSA, raw, message, who)  # noqa: E731
    assert len(signature) == 65 and check(signature)
    assert check(signature[:64] + bytes((signature[64] + 27,))), "the recovery id as Ethereum writes it"
    assert not check(signature, message=b"messagf")
    assert not check(signature, who=Keypair.from_uri("//Bob", Scheme.ECDSA).account_id)
    assert not check(signature, who=pair.public) and not check(signature[:64])
    for place in range(65):
        assert not check(signature[:place] + bytes((signature[place] ^ 1,)) + signature[place + 1 :])
    for recovery in (4, 26, 31, 255):
        assert not check(signature[:64] + bytes((recovery,)))
    for scheme in (Scheme.SR25519, Scheme.ED25519):
        assert not verify(scheme, signature[:64], b"message", pair.account_id)
        assert not verify(scheme, signature, b"message", pair.account_id)


@given(
    scheme=st.integers(-1, 4),
    signature=st.binary(max_size=70) | st.binary(min_size=64, max_size=65),
    message=st.binary(max_size=4),
    public=st.binary(max_size=40) | st.binary(min_size=32, max_size=32),
)
def test_verify_answers_whatever_it_is_given(
    scheme: int, signature: bytes, message: bytes, public: bytes
) -> None:
    assert verify(scheme, signature, message, public) is False


def small_order_keys() -> list[bytes]:
    """All encodings of Curve25519's eight points of small order, found by their equation."""
    p, d = 2**255 - 19, -121665 * pow(121666, -1, 2**255 - 19)
    root = pow(2, (p - 1) // 4, p)
    # A point of order 8 doubles to one of order 4, whose y is 0: then y² = -x² and -x²+y² = 1+dx²y² gives
    # dy⁴+2y²-1 = 0.
    squares = [(-1 + sign * _sqrt(1 + d, p, root)) * pow(d, -1, p) % p for sign in (1, -1)]
    ys = [y for square in squares if (y := _sqrt(square, p, root)) is not None]
    all_ys = [0, 1, p - 1, p, p + 1] + [v % p for y in ys for v in (y, -y)]
    return [(y | sign << 255).to_bytes(32, "little") for y in all_ys for sign in (0, 1)]


def _sqrt(value: int, p: int, root: int) -> int | None:
    value %= p
    guess = pow(value, (p + 3) // 8, p)
    for candidate in (guess, guess * root % p):
        if candidate * candidate % p == value:
            return candidate
    return None


def test_nobody_signs_for_keys_of_small_order() -> None:
    """Without the check the first loop finds forgeries: a zero signature verifies for every fourth message
    or so.
    """
    keys = small_order_keys()
    assert len(keys) == 14
    for public in keys:
        for signature in (bytes(64), b"\1" + bytes(63), bytes(31) + b"\x80" + bytes(32)):
            assert not any(verify(Scheme.ED25519, signature, bytes([n]), public) for n in range(32))
    assert not verify(Scheme.SR25519, bytes(63) + b"\x80", b"any message", bytes(32))


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("bottom drive", "not 2"),
        ("bottom " * 11 + "bottom", "a word or the checksum"),
        ("gristmill " * 11 + "walk", "a word or the checksum"),
        ("0xabcd", "32 bytes, not 2"),
        ("0x" + "zz" * 32, "not hexadecimal"),
        ("0x" + "11" * 32 + "///pw", "goes with a phrase"),
        ("//", "a secret URI is"),
        ("phrase?//Alice", "a secret URI is"),
    ],
)
def test_malformed_secrets(uri: str, message: str) -> None:
    with pytest.raises(SecretError, match=message) as caught:
        Keypair.from_uri(uri)
    assert "zzzz" not in str(caught.value)


def test_what_a_scheme_cannot_do() -> None:
    with pytest.raises(SecretError, match="no soft junctions"):
        Keypair.from_uri("/soft", Scheme.ED25519)
    with pytest.raises(SecretError, match="no soft junctions"):
        Keypair.from_uri("/soft", Scheme.ECDSA)
    with pytest.raises(SecretError, match="no secp256k1 key"):
        Keypair.from_seed(bytes(32), Scheme.ECDSA)
    with pytest.raises(SecretError, match="no secp256k1 key"):
        Keypair.from_seed(b"\xff" * 32, Scheme.ECDSA)
    with pytest.raises(SecretError, match="12, 15, 18, 21 or 24"):
        generate_mnemonic(13)


def test_a_key_does_not_print_its_secret() -> None:
    pair = Keypair.from_uri("//Alice", Scheme.ED25519)
    assert pair.seed is not None and repr(pair.seed) not in repr(pair) and pair.seed.hex() not in repr(pair)
