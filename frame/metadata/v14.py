"""Metadata version 14, what most clients read."""

from __future__ import annotations

from frame.metadata.collect import Collected
from frame.metadata.types import ExtrinsicV14, MetadataV14, PalletV14
from primitives.extrinsic import VERSION
from primitives.scale import codec


def encode(found: Collected) -> bytes:
    """The SCALE bytes after magic and version byte."""
    pallets = [
        PalletV14(
            name=p.name,
            storage=p.storage,
            calls=p.calls,
            event=p.event,
            constants=p.constants,
            error=p.error,
            index=p.index,
        )
        for p in found.pallets
    ]
    return codec(MetadataV14).encode(
        MetadataV14(
            types=found.registry.types[: found.before_apis],  # it knows no APIs, and clients read all types
            pallets=pallets,
            extrinsic=ExtrinsicV14(
                type_=found.extrinsic, version=VERSION, signed_extensions=found.extensions
            ),
            runtime=found.runtime,
        )
    )
