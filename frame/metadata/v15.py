"""Metadata version 15: adds documentation of pallets, runtime APIs and the enums over all pallets."""

from __future__ import annotations

from frame.metadata.collect import Collected
from frame.metadata.types import ExtrinsicV15, MetadataV15, OuterEnums
from primitives.extrinsic import VERSION
from primitives.scale import codec


def encode(found: Collected) -> bytes:
    """The SCALE bytes after magic and version byte."""
    return codec(MetadataV15).encode(
        MetadataV15(
            types=found.registry.types,
            pallets=found.pallets,
            extrinsic=ExtrinsicV15(
                version=VERSION,
                address=found.address,
                call=found.call,
                signature=found.signature,
                extra=found.extra,
                signed_extensions=found.extensions,
            ),
            runtime=found.runtime,
            apis=found.apis,
            outer_enums=OuterEnums(call=found.call, event=found.event, error=found.error),
            custom=[],
        )
    )
