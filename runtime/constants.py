"""Amounts and times in the smallest units."""

from __future__ import annotations

from typing import Final

from frame.version import Token

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

ITEM_DEPOSIT: Final = 10 * MILLI
STORED_BYTE_DEPOSIT: Final = MILLI // 10


def deposit(items: int, stored_bytes: int) -> int:
    """What is held for so much room in the state, while it is taken."""
    return items * ITEM_DEPOSIT + stored_bytes * STORED_BYTE_DEPOSIT
