"""Sealing: what was sealed opens with the right key and context only, and every change is noticed."""

import hypothesis.strategies as st
import pytest
import rbcl
from hypothesis import given, settings

from primitives import sealing
from primitives.sealing import PIECE_SIZE, SealError, open_sealed, seal

GENESIS = b"g" * 32
CONTEXT = sealing.result_context(7)
SECRET, PUBLIC = sealing.generate_keypair()


def refused(
    sealed: bytes, secret: bytes = SECRET, context: bytes = CONTEXT, genesis: bytes = GENESIS
) -> bool:
    try:
        open_sealed(secret, context, genesis, sealed)
    except SealError:
        return True
    return False


@pytest.mark.parametrize(
    "length", [0, 1, 100, PIECE_SIZE - 1, PIECE_SIZE, PIECE_SIZE + 1, 2 * PIECE_SIZE, 200_000]
)
def test_round_trip_and_length(length: int) -> None:
    data = bytes(i % 251 for i in range(length))
    sealed = seal(PUBLIC, CONTEXT, GENESIS, data)
    assert len(sealed) == sealing.sealed_length(length)
    assert open_sealed(SECRET, CONTEXT, GENESIS, sealed) == data


def test_two_seals_of_the_same_bytes_differ() -> None:
    assert seal(PUBLIC, CONTEXT, GENESIS, b"same") != seal(PUBLIC, CONTEXT, GENESIS, b"same")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_flipped_bit_is_refused(data: st.DataObject) -> None:
    sealed = bytearray(seal(PUBLIC, CONTEXT, GENESIS, b"a small secret of some length"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= 1 << data.draw(st.integers(0, 7))
    assert refused(bytes(sealed))


def test_pieces_cannot_be_cut_reordered_repeated_or_added() -> None:
    data = bytes(PIECE_SIZE) + b"\1" * PIECE_SIZE + b"tail"
    sealed = seal(PUBLIC, CONTEXT, GENESIS, data)
    point, step = sealed[:32], PIECE_SIZE + 16
    first, second, last = sealed[32 : 32 + step], sealed[32 + step : 32 + 2 * step], sealed[32 + 2 * step :]
    for pieces in (
        [first, second],
        [first],
        [second, first, last],
        [first, first, second, last],
        [first, second, last, last],
        [first, second, last[:-1]],
        [first, last],
        [last],
        [],
    ):
        assert refused(point + b"".join(pieces))
    other = seal(PUBLIC, CONTEXT, GENESIS, data)
    assert refused(point + other[32:])


def test_an_empty_last_piece_is_refused() -> None:
    """A whole number of pieces has one sealed form: none that ends in a piece of nothing."""
    scalar, public = sealing.generate_keypair()
    cipher = sealing._cipher(GENESIS, CONTEXT, public, PUBLIC, sealing._multiply(scalar, PUBLIC))
    first, last = (sealing._nonce(index, last=index == 1) for index in (0, 1))
    longer = public + cipher.encrypt(first, bytes(PIECE_SIZE), None) + cipher.encrypt(last, b"", None)
    assert refused(longer)
    assert not refused(seal(PUBLIC, CONTEXT, GENESIS, bytes(PIECE_SIZE), scalar))


def test_key_context_and_chain_are_bound() -> None:
    sealed = seal(PUBLIC, CONTEXT, GENESIS, b"x")
    stranger, _ = sealing.generate_keypair()
    assert refused(sealed, secret=stranger)
    assert refused(sealed, genesis=bytes(32))
    for context in (sealing.result_context(8), sealing.sale_context(7), sealing.model_context(7, bytes(32))):
        assert refused(sealed, context=context)


def test_a_model_sealed_for_one_buyer_does_not_open_as_anothers() -> None:
    """Blobs and specifications are public: without this, anyone could have another's model trained for
    themselves.
    """
    alice, mallory = b"a" * 32, b"m" * 32
    sealed = seal(PUBLIC, sealing.model_context(3, alice), GENESIS, b"model")
    assert refused(sealed, context=sealing.model_context(3, mallory))
    assert open_sealed(SECRET, sealing.model_context(3, alice), GENESIS, sealed) == b"model"


FIELD = 2**255 - 19
BAD_POINTS = {
    "identity": bytes(32),
    "short": PUBLIC[:31],
    "long": PUBLIC + b"\0",
    "empty": b"",
    "negative": (1).to_bytes(32, "little"),
    "not canonical: field order": FIELD.to_bytes(32, "little"),
    "not canonical: identity plus field order": (FIELD + 0).to_bytes(32, "little"),
    "high bit": PUBLIC[:31] + bytes([PUBLIC[31] | 0x80]),
    "all ones": b"\xff" * 32,
}


@pytest.mark.parametrize("name", BAD_POINTS)
def test_bad_points_are_refused_everywhere(name: str) -> None:
    point = BAD_POINTS[name]
    with pytest.raises(SealError) as refusal:
        sealing.validate_public(point)
    assert refusal.value.name == "BadKey"
    with pytest.raises(SealError):
        seal(point, CONTEXT, GENESIS, b"x")
    with pytest.raises(SealError):
        open_sealed(SECRET, CONTEXT, GENESIS, point[:32] + bytes(17))


def test_libsodium_itself_takes_the_identity_for_a_point() -> None:
    """The reason for the comparison: if this ever fails, the library changed its mind."""
    assert rbcl.crypto_core_ristretto255_is_valid_point(bytes(32))


@pytest.mark.parametrize(
    "scalar", [bytes(32), sealing.ORDER.to_bytes(32, "little"), b"\xff" * 32, b"\1" * 31]
)
def test_bad_scalars_are_refused(scalar: bytes) -> None:
    with pytest.raises(SealError):
        sealing.public_key(scalar)
    with pytest.raises(SealError):
        open_sealed(scalar, CONTEXT, GENESIS, seal(PUBLIC, CONTEXT, GENESIS, b"x"))


def test_public_keys_are_canonical_and_match_the_library() -> None:
    one = (1).to_bytes(32, "little")
    generator = sealing.public_key(one)
    assert generator.hex() == "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"  # RFC 9496
    two = rbcl.crypto_core_ristretto255_add(generator, generator)
    assert sealing.public_key((2).to_bytes(32, "little")) == two


def test_golden_seal() -> None:
    """A fixed scalar pins the key derivation and the nonces."""
    scalar = (5).to_bytes(32, "little")
    public = sealing.public_key((3).to_bytes(32, "little"))
    sealed = seal(public, sealing.sale_context(1), GENESIS, b"gristmill", scalar)
    assert sealed == seal(public, sealing.sale_context(1), GENESIS, b"gristmill", scalar)
    assert sealed.hex() == GOLDEN


GOLDEN = (
    "e882b131016b52c1d3337080187cf768423efccbb517bb495ab812c4160ff44e"
    "19d0258963bfdb927f52b0d11984c1a90ece42a10d15951c61"
)
