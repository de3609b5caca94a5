"""The one clock of the node. Importing a block never asks it."""

from __future__ import annotations

import time


def now_ms() -> int:
    """Wall-clock milliseconds since 1970."""
    return time.time_ns() // 1_000_000
