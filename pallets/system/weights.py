"""Weights of the pallet `system`, set by hand until they are measured."""

from __future__ import annotations

from frame.weights import Weight, db, micros


class Weights:
    """One function a call."""

    @staticmethod
    def remark(b: int) -> Weight:
        """Hashing and carrying `b` bytes."""
        return micros(5 + b // 1000)

    @staticmethod
    def set_heap_pages() -> Weight:
        """One value and one digest item."""
        return micros(20) + db(1, 2)

    @staticmethod
    def set_storage(i: int) -> Weight:
        """`i` values."""
        return micros(5 + 2 * i) + db(0, i)

    @staticmethod
    def kill_storage(i: int) -> Weight:
        """`i` values."""
        return micros(5 + 2 * i) + db(0, i)

    @staticmethod
    def kill_prefix(p: int) -> Weight:
        """`p` values found by their prefix."""
        return micros(5 + 4 * p) + db(p, p)

    @staticmethod
    def remark_with_event(b: int) -> Weight:
        """Hashing `b` bytes and an event."""
        return micros(15 + b // 500)
