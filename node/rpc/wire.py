"""How blocks and headers look in Substrate's JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from primitives.digest import DigestItem
from primitives.header import Header
from primitives.scale import encode


def hexed(data: bytes) -> str:
    """`0x` and the digits."""
    return "0x" + data.hex()


def header_json(header: Header) -> dict[str, Any]:
    """The header, its number in hex, its digest items SCALE-encoded."""
    return {
        "parentHash": hexed(header.parent_hash),
        "number": hex(header.number),
        "stateRoot": hexed(header.state_root),
        "extrinsicsRoot": hexed(header.extrinsics_root),
        "digest": {"logs": [hexed(encode(DigestItem, item)) for item in header.digest.logs]},
    }


def block_json(header: Header, extrinsics: Sequence[bytes]) -> dict[str, Any]:
    """The block with no justifications: nothing here votes."""
    return {
        "block": {"header": header_json(header), "extrinsics": [hexed(data) for data in extrinsics]},
        "justifications": None,
    }
