"""Putting bytes on the chain by content, and getting them back checked."""

from collections.abc import Callable
from dataclasses import dataclass

from client.chain import Chain, Signer
from client.errors import ChainError, ClientError
from primitives.data import blob_hash, piece_hash, pieces
from primitives.scale import U32, U64, U128, AccountId

ARRIVED = bytes(32)
"""What the chain's list of missing pieces holds in place of a piece that has arrived."""
KNOWN = {"Blobs.AlreadyDeclared", "Blobs.PieceKnown"}
"""Somebody else was faster with the same bytes: as good as done."""

Progress = Callable[[int, int], None]
"""Called with (pieces there, pieces in all)."""


@dataclass(frozen=True)
class BlobInfo:
    """What the chain says of a blob; moments in ms."""

    len: U64
    chunks: U32
    received: U32
    owner: AccountId
    deposit: U128
    declared: U64
    expires: U64
    references: U32
    complete: bool


def info(chain: Chain, blob: bytes) -> BlobInfo | None:
    """The chain's record of a blob."""
    return chain.record(BlobInfo, "Blobs", "Blobs", blob)


def publish(chain: Chain, signer: Signer, data: bytes, progress: Progress | None = None) -> bytes:
    """Make sure that the chain has all pieces of `data`; the blob's hash. Safe to repeat at any point."""
    blob, parts = blob_hash(data), pieces(data)
    if info(chain, blob) is None:
        hashes = [piece_hash(i, part) for i, part in enumerate(parts)]
        _unless_known(chain, signer, chain.call("Blobs", "declare", length=len(data), pieces=hashes))
    for index in missing(chain, blob):
        call = chain.call("Blobs", "put", hash=blob, index=index, data=parts[index])
        _unless_known(chain, signer, call)
        if progress is not None:
            progress(index + 1, len(parts))
    return blob


def missing(chain: Chain, blob: bytes) -> list[int]:
    """Indices of the pieces that have not arrived."""
    hashes = chain.value("Blobs", "Missing", blob) or []
    return [index for index, piece in enumerate(hashes) if piece != ARRIVED]


def fetch(chain: Chain, blob: bytes) -> bytes:
    """A complete blob's bytes. Raises ClientError BlobMissing, BlobUnavailable, BlobCorrupt."""
    found = info(chain, blob)
    if found is None or not found.complete:
        raise ClientError(f"the chain does not have all of blob 0x{blob.hex()}", "BlobMissing")
    return chain.rpc.blob(blob, found.len)


def owned(chain: Chain, account: bytes) -> list[tuple[bytes, BlobInfo]]:
    """All blobs whose deposit `account` paid."""
    found = chain.entries(BlobInfo, "Blobs", "Blobs")
    return [(bytes(keys[0]), blob) for keys, blob in found if blob.owner == account]


def removable(chain: Chain, blob: BlobInfo, now: int) -> bool:
    """Whether its owner may take a blob back at this moment (ms): no open job needs it, and it stayed long
    enough.
    """
    return blob.references == 0 and now >= blob.declared + int(chain.constant("Blobs", "MinStay"))


def remove(chain: Chain, signer: Signer, blob: bytes) -> None:
    """Take a blob of one's own back and its deposit with it."""
    chain.submit(signer, chain.call("Blobs", "remove", hash=blob))


def _unless_known(chain: Chain, signer: Signer, call: bytes) -> None:
    try:
        chain.submit(signer, call)
    except ChainError as error:
        if error.name not in KNOWN:
            raise
