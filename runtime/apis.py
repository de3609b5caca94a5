"""Runtime APIs of our own pallets, beside Substrate's standard ones."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from frame.apis import STANDARD, Api, api
from frame.machine import Machine
from pallets.blobs import Blobs
from primitives.scale import H256, U64


@api("BlobsApi", 1)
def length(m: Machine, hash: H256) -> U64 | None:
    """Bytes of a complete blob; nothing while a piece is missing or when there is no such blob."""
    blobs = next(pallet for pallet in m.pallets if isinstance(pallet, Blobs))
    return blobs.length(hash)


APIS: Final[Mapping[str, Api]] = MappingProxyType({**STANDARD, length.name: length})
"""All that `state_call` reaches."""
