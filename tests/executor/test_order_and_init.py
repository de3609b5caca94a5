"""Shuffling and beacon initialisation against a slow reading of the written rules, and against fixed
vectors.
"""

import math
import struct
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor import shuffle
from executor.chacha import Words
from executor.initialise import init_key, kaiming_uniform
from primitives.hashing import tagged


def block(key: bytes, counter: int, nonce: bytes) -> bytes:
    """One ChaCha20 block, straight from RFC 8439 section 2.3."""
    words = list(struct.unpack("<4I8II3I", b"expand 32-byte k" + key + struct.pack("<I", counter) + nonce))
    state = words[:]

    def quarter(a: int, b: int, c: int, d: int) -> None:
        for first, second, third, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[first] = (state[first] + state[second]) & 0xFFFFFFFF
            mixed = state[third] ^ state[first]
            state[third] = (mixed << turn | mixed >> (32 - turn)) & 0xFFFFFFFF

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for column in range(4):
            quarter(column, 4 + (column + 1) % 4, 8 + (column + 2) % 4, 12 + (column + 3) % 4)
    return struct.pack("<16I", *((x + y) & 0xFFFFFFFF for x, y in zip(state, words, strict=True)))


def words(key: bytes, stream: int = 0) -> Iterator[int]:
    counter = 0
    while True:
        yield from struct.unpack("<16I", block(key, counter, struct.pack("<I", stream) + bytes(8)))
        counter += 1


def slow_order(seed: bytes, epoch: int, rows: int) -> list[int]:
    stream = words(tagged("shuffle", seed, struct.pack("<H", epoch)))
    places = list(range(rows))
    for i in range(rows - 1, 0, -1):
        word = next(stream)
        while word >= 2**32 // (i + 1) * (i + 1):
            word = next(stream)
        j = word % (i + 1)
        places[i], places[j] = places[j], places[i]
    return places


def test_chacha_block_of_rfc_8439() -> None:
    key, nonce = bytes(range(32)), bytes.fromhex("000000090000004a00000000")
    assert block(key, 1, nonce)[:16].hex() == "10f1e7e4d13b5915500fdd1fa32071c4"


@pytest.mark.parametrize("stream", [0, 1, 2**32 - 1])
def test_words_are_the_chacha_stream(stream: int) -> None:
    taken = Words(bytes(range(32)), stream)
    slow = words(bytes(range(32)), stream)
    assert [*taken.take(3), *taken.take(40)] == [next(slow) for _ in range(43)]


@given(seed=st.binary(min_size=32, max_size=32), epoch=st.integers(0, 2**16 - 1), rows=st.integers(1, 70))
def test_order_follows_the_rule(seed: bytes, epoch: int, rows: int) -> None:
    assert shuffle.order(seed, epoch, rows).tolist() == slow_order(seed, epoch, rows)


def test_rejected_words_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """With bounds near 2³² about every second word is rejected."""
    stream = words(bytes(32))
    bounds = np.full(200, 2**31 + 1, dtype=np.uint64)
    expected = [next(word for word in stream if word < 2**31 + 1) for _ in bounds]
    assert shuffle._Draws(Words(bytes(32))).below(bounds) == expected


def test_order_does_not_depend_on_the_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = shuffle.order(bytes(32), 3, 1000)
    monkeypatch.setattr(shuffle, "SLICE", 7)
    assert (shuffle.order(bytes(32), 3, 1000) == whole).all()


def test_order_vectors() -> None:
    assert shuffle.order(bytes(32), 0, 10).tolist() == [6, 4, 8, 1, 7, 5, 2, 0, 9, 3]
    assert shuffle.order(bytes(32), 1, 10).tolist() == [5, 8, 0, 2, 6, 9, 3, 4, 7, 1]
    assert shuffle.order(bytes(32), 1, 5, shuffle=False).tolist() == [0, 1, 2, 3, 4]


def test_initial_weights_follow_the_rule() -> None:
    key, fan_in = init_key(bytes(32), 7), 64
    assert key == tagged("init", bytes(32), struct.pack("<I", 7))
    stream = words(key, 5)
    bound = math.sqrt(6.0 / fan_in)
    expected = [((2 * (next(stream) >> 8) + 1 - 2**24) * bound) * 2.0**-24 for _ in range(128)]
    drawn = kaiming_uniform(key, 5, (2, 64), fan_in)
    assert drawn.tolist() == np.array(expected, dtype=np.float32).reshape(2, 64).tolist()
    assert np.abs(drawn).max() < bound


def test_initial_weights_vector() -> None:
    drawn = kaiming_uniform(init_key(bytes(32), 0), 0, (2, 3), 3)
    assert drawn.astype("<f4").tobytes().hex() == ("6e3652be88c72ebe1027883f08862a3d284e19bf39da7bbf")


def test_vectors_are_zero_and_tensors_differ() -> None:
    key = init_key(bytes(32), 0)
    assert not kaiming_uniform(key, 0, (5,), 0).any()
    assert (kaiming_uniform(key, 0, (4, 4), 4) != kaiming_uniform(key, 1, (4, 4), 4)).all()
