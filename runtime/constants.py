"""Amounts and times in the smallest units."""

from __future__ import annotations

from typing import Final

from frame.limits import MIB, block_length, block_weights
from frame.version import Token
from frame.weights import MAX_PART, PICOS_PER_SECOND, weight
from runtime.weights.block import BASE_BLOCK
from runtime.weights.extrinsic import BASE_EXTRINSIC

GRIST: Final = 10**12
MILLI: Final = 10**9
MICRO: Final = 10**6

TOKEN: Final = Token(symbol="GRIST", decimals=12)
"""What wallets show, and sign along when they commit to the metadata."""

SECOND: Final = 1000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

BYTE_FEE: Final = 100_000
"""What a byte of an extrinsic costs: a full 256 KiB piece of a blob pays 0.026 GRIST."""

BLOCK_WEIGHTS: Final = block_weights(
    max_block=weight(2 * PICOS_PER_SECOND, MAX_PART), base_block=BASE_BLOCK, base_extrinsic=BASE_EXTRINSIC
)
"""Two seconds a block, three quarters of them for Normal calls; proofs are not bounded, since every node has
the state."""

BLOCK_LENGTH: Final = block_length(5 * MIB)
"""Of which Normal calls fill three quarters."""

ITEM_DEPOSIT: Final = 10 * MILLI
STORED_BYTE_DEPOSIT: Final = MILLI // 10


def deposit(items: int, stored_bytes: int) -> int:
    """What is held for so much room in the state, while it is taken."""
    return items * ITEM_DEPOSIT + stored_bytes * STORED_BYTE_DEPOSIT
