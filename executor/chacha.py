"""Streams of pseudorandom 32-bit words: ChaCha20 with a 32-byte key, block counter from 0.

The 96-bit nonce is the stream's number as u32 little-endian ‖ 8 zero bytes (RFC 8439's layout), so one key
gives 2³² independent streams; a stream may not pass 2³² blocks (256 GiB). Words are little-endian u32 of
the key stream.
"""

from functools import lru_cache

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from numpy.typing import NDArray

WORD = 4


class Words:
    """The words of one stream, taken in order."""

    def __init__(self, key: bytes, stream: int = 0) -> None:
        nonce = bytes(4) + stream.to_bytes(4, "little") + bytes(8)
        self._cipher = Cipher(algorithms.ChaCha20(key, nonce), mode=None).encryptor()

    def take(self, count: int) -> NDArray[np.uint32]:
        """The next `count` words."""
        return np.frombuffer(self.bytes(count), dtype="<u4")

    def bytes(self, count: int) -> bytes:
        """The next `count` words as they lie in memory."""
        return self._cipher.update(_zeros(WORD * count))

    def fill(self, place: NDArray[np.uint32]) -> None:
        """Put the next words into an array, as many as it holds."""
        self._cipher.update_into(memoryview(_zeros(place.nbytes)), place.data.cast("B"))


@lru_cache(maxsize=4)
def _zeros(count: int) -> bytes:
    return bytes(count)
