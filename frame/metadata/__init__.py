"""Metadata: what clients need to decode and call the chain, derived from the declarations of pallets."""

from __future__ import annotations

from frame.machine import Machine
from frame.metadata import v14, v15
from frame.metadata.collect import collect

MAGIC = b"meta"


def encode(machine: Machine, version: int) -> bytes:
    """The metadata of one version, magic included; ValueError when there is no such version."""
    if version == 14:
        return MAGIC + b"\x0e" + v14.encode(collect(machine))
    if version == 15:
        return MAGIC + b"\x0f" + v15.encode(collect(machine))
    raise ValueError(f"there is no metadata of version {version} here; there are 14 and 15")
