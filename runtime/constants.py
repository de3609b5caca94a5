"""Amounts and times in the smallest units."""

from __future__ import annotations

from typing import Final

GRIST: Final = 10**12
MILLI: Final = 10**9
MICRO: Final = 10**6

SECOND: Final = 1000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

BYTE_FEE: Final = 100_000
"""What a byte of an extrinsic costs: a full 256 KiB piece of a blob pays 0.026 GRIST."""
