"""The one clock of the node. Importing a block never asks it."""

from __future__ import annotations

import time
from collections.abc import Callable


def now_ms() -> int:
    """Wall-clock milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Clock:
    """The time that new blocks get: the wall clock's, or as far from it as somebody travelled."""

    def __init__(self, read: Callable[[], int] = now_ms) -> None:
        self._read = read
        self._offset = 0

    def now(self) -> int:
        """Milliseconds since 1970."""
        return self._read() + self._offset

    def travel_to(self, moment: int) -> None:
        """From now on it is `moment` (ms) and later. The chain itself never goes back in time: a block's
        timestamp is above its parent's whatever the clock says.
        """
        self._offset = moment - self._read()
