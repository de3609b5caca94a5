"""Metadata: what clients need to decode and call the chain, derived from the declarations of pallets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from frame.machine import Machine
from frame.metadata import v14, v15, v16
from frame.metadata.collect import Collected, collect

MAGIC = b"meta"

VERSIONS: Final[Mapping[int, Callable[[Collected], bytes]]] = MappingProxyType(
    {14: v14.encode, 15: v15.encode, 16: v16.encode}
)
"""Version → the bytes after magic and version byte."""


def encode(machine: Machine, version: int) -> bytes:
    """The metadata of one version, magic included; ValueError when there is no such version."""
    body = VERSIONS.get(version)
    if body is None:
        raise ValueError(f"there is no metadata of version {version} here; there are {sorted(VERSIONS)}")
    return MAGIC + bytes((version,)) + body(collect(machine))
