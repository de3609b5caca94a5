"""How blocks, headers and versions look in Substrate's JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from frame.version import RuntimeVersion
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


def version_json(version: RuntimeVersion) -> dict[str, Any]:
    """A runtime's version, its APIs as pairs of id and number."""
    return {
        "specName": version.spec_name,
        "implName": version.impl_name,
        "authoringVersion": version.authoring_version,
        "specVersion": version.spec_version,
        "implVersion": version.impl_version,
        "apis": [[hexed(name), number] for name, number in version.apis],
        "transactionVersion": version.transaction_version,
        "systemVersion": version.system_version,
        "stateVersion": version.state_version,
    }
