"""What goes wrong with SCALE bytes, in one exception type."""

from __future__ import annotations


class ScaleError(ValueError):
    """Bytes that are not the encoding of the type, a value that does not fit it, or a hint without codec."""


def truncated(offset: int, needed: int, end: int) -> ScaleError:
    """The error for input that stops before `needed` bytes at `offset` were there."""
    left = max(end - offset, 0)
    return ScaleError(f"unexpected end of input: {needed} bytes needed at byte {offset}, {left} left")


def too_long(length: int, bound: int) -> ScaleError:
    """The error for a length prefix over the type's bound."""
    return ScaleError(f"length {length} is over the bound of {bound}")


def trailing(left: int) -> ScaleError:
    """The error for bytes that follow a complete value."""
    return ScaleError(f"{left} bytes left over after the value")


def too_deep() -> ScaleError:
    """The error for values nested deeper than `MAX_DEPTH`."""
    return ScaleError("nested too deeply")


def show(value: object, limit: int = 60) -> str:
    """`repr(value)`, cut so that an error message stays readable."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
