"""WebSocket frames of many short texts as one piece of bytes, for one write (RFC 6455, section 5.2)."""

from __future__ import annotations

from collections.abc import Iterable

_TEXT = 0x81
"""A whole message of text: FIN and opcode 1."""
_SHORT = [bytes((_TEXT, size)) for size in range(126)]


def text_frames(texts: Iterable[str]) -> bytes:
    """One unmasked frame for each text, as a server sends them."""
    parts = []
    for text in texts:
        payload = text.encode()
        size = len(payload)
        if size < 126:
            parts.append(_SHORT[size])
        elif size < 1 << 16:
            parts.append(b"\x81\x7e" + size.to_bytes(2, "big"))
        else:
            parts.append(b"\x81\x7f" + size.to_bytes(8, "big"))
        parts.append(payload)
    return b"".join(parts)
