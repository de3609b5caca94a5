"""The digest of a header: what consensus and runtime note about a block.

Source: Substrate `primitives/runtime/src/generic/digest.rs`.
"""

from __future__ import annotations

from typing import Annotated

from primitives.scale import Bytes, Enum, FixedBytes, Struct, Variant

EngineId = Annotated[bytes, FixedBytes(4)]


class DigestItem(Enum, path="sp_runtime::generic::digest::DigestItem"):
    """One note."""

    class PreRuntime(Variant, index=6, unnamed=True):
        """From the block author to the runtime."""

        engine: EngineId
        data: Bytes

    class Consensus(Variant, index=4, unnamed=True):
        """From the runtime to the consensus engine."""

        engine: EngineId
        data: Bytes

    class Seal(Variant, index=5, unnamed=True):
        """The author's signature over the header; added after execution."""

        engine: EngineId
        data: Bytes

    class Other(Variant, index=0, unnamed=True):
        """Anything else."""

        data: Bytes

    class RuntimeEnvironmentUpdated(Variant, index=8):
        """The code or the heap pages changed in this block."""


class Digest(Struct, path="sp_runtime::generic::digest::Digest"):
    """The notes of one block, in order."""

    logs: list[DigestItem]
