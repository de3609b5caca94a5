"""Initial weights drawn anew, from a beacon that neither party chose.

Rule (part of NUMERICS). The key is H("gm/init" ‖ beacon ‖ u32 job); trainable tensor number t (in the
plan's order) uses ChaCha20 stream t. A tensor of at most one dimension is all +0.0; the factor of a
normalisation, and the running variance of one in training, are all 1. Any other is Kaiming
uniform by fan-in (He et al. 2015, gain √2 for ReLU): element k, in C order, comes from the k-th word w of
the stream as

    m = 2·(w >> 8) + 1 − 2²⁴              an odd integer between −2²⁴ and 2²⁴
    b = √(6 / fan_in)                      float64: one rounded division, one rounded square root
    x = float32((m · b) · 2⁻²⁴)            a rounded float64 product, an exact scaling, a rounding to float32

Every operation is one of IEEE 754's correctly rounded ones, so the bits are the same on every machine; the
values are symmetric about zero and never zero.

Vector: beacon of 32 zero bytes, job 0, tensor 0 of shape (2, 3) with fan-in 3, little-endian bytes in hex:
6e3652be88c72ebe1027883f08862a3d284e19bf39da7bbf.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from executor.chacha import Words
from primitives.hashing import tagged


def init_key(beacon: bytes, job: int) -> bytes:
    """Key of a job's initial weights; `beacon` is the 32-byte parent hash that `accept` stored."""
    return tagged("init", beacon, job.to_bytes(4, "little"))


def kaiming_uniform(key: bytes, number: int, shape: Sequence[int], fan_in: int) -> NDArray[np.float32]:
    """Trainable tensor `number`, drawn by the rule above; shape as given, float32."""
    if len(shape) <= 1:
        return np.zeros(tuple(shape), dtype=np.float32)
    count = math.prod(shape)
    words = Words(key, number).take(count)
    odd = 2.0 * (words >> np.uint32(8)).astype(np.float64) + (1.0 - 2.0**24)
    bound = math.sqrt(6.0 / fan_in)
    return ((odd * bound) * 2.0**-24).astype(np.float32).reshape(tuple(shape))
