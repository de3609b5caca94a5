"""Blobs: sealed models and results travel through the chain's block bodies, not through its state.

`declare` commits to a length and to the hash of every piece, and holds a deposit. `put` brings one piece,
checked on arrival, so that wrong bytes never reach the content column and a declaration by somebody else
cannot get in the way: whoever holds the right bytes may put them. A blob is complete when its last piece
has arrived. Another pallet may `retain` a complete blob; while it is retained nobody can remove or expire
it.

Hashes: `primitives.data.piece_hash` and `blob_hash_of`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from frame import Error, Event, Origin, Pallet, StorageMap, call, invariant
from frame.traits import Currency, Time
from pallets.blobs.weights import Weights
from primitives.data import BLOB_MAX, Piece, PieceHashes, blob_hash_of, piece_count, piece_hash, piece_length
from primitives.scale import H256, U32, U64, U128, AccountId, Struct, replace

ARRIVED = bytes(32)
"""What `Missing` holds in place of the hash of a piece that has arrived."""

KIB = 1024
HOUR = 3_600_000


class BlobInfo(Struct, path="pallet_blobs::BlobInfo"):
    """A blob's length in bytes, its pieces (all, arrived), who pays its deposit, and moments in ms.
    `declared` is later where a job has let the blob go that somebody may still fetch."""

    len: U64
    chunks: U32
    received: U32
    owner: AccountId
    deposit: U128
    declared: U64
    expires: U64
    references: U32
    complete: bool


@dataclass(frozen=True)
class Config:
    """What the runtime decides.

    max_len: The largest blob, in bytes.
    deposit_base: Held for every blob.
    deposit_per_kib: Held for every begun KiB of it.
    min_stay: How long a blob stays after `declare`, in ms: nobody can pull it away between `put` and use; and
        a result after its job has ended.
    lifetime: After how many ms anybody may clear a blob that no open job needs.
    """

    currency: Currency
    time: Time
    max_len: U64 = BLOB_MAX
    deposit_base: U128 = 10**10
    deposit_per_kib: U128 = 10**8
    min_stay: U64 = HOUR
    lifetime: U64 = 30 * 24 * HOUR


class Blobs(Pallet[Config], weights=Weights):
    """Content-addressed bytes kept by the chain, outside the state trie."""

    blobs = StorageMap[H256, BlobInfo](doc="Every blob that is declared, by its content hash.")
    missing = StorageMap[H256, PieceHashes](
        doc="The piece hashes of an incomplete blob; 32 zero bytes where the piece has arrived."
    )

    class HoldReason(IntEnum):
        """Why this pallet holds money."""

        Deposit = 0

    class Declared(Event):
        """A blob was announced; its pieces may be put."""

        hash: H256
        owner: AccountId
        len: U64

    class PieceStored(Event):
        """A piece arrived."""

        hash: H256
        index: U32

    class Completed(Event):
        """The last piece arrived: the blob can be read and used."""

        hash: H256

    class Removed(Event):
        """The owner took the blob back."""

        hash: H256

    class Expired(Event):
        """The blob was past its time."""

        hash: H256

    class BadLength(Error):
        """A blob has at least one byte and at most `max_len`."""

    class WrongPieces(Error):
        """The number of piece hashes does not fit the length, or one of them is zero."""

    class AlreadyDeclared(Error):
        """The blob is known: put its missing pieces, if any."""

    class CannotPayDeposit(Error):
        """The account lacks the free balance for the deposit."""

    class UnknownBlob(Error):
        """No such blob was declared, or it is gone."""

    class NoSuchPiece(Error):
        """The index is beyond the blob's last piece."""

    class PieceKnown(Error):
        """This piece is already there."""

    class WrongPiece(Error):
        """The bytes are not the declared piece."""

    class NotYourBlob(Error):
        """Only the account that declared a blob removes it."""

    class BlobInUse(Error):
        """An open job needs the blob."""

    class TooEarly(Error):
        """The blob has to stay longer."""

    @call(0)
    def declare(self, origin: Origin, length: U64, pieces: PieceHashes) -> None:
        """Announce a blob of `length` bytes by the hashes of its pieces; holds the deposit."""
        who = origin.signed()
        if not 1 <= length <= self.config.max_len:
            raise self.BadLength()
        if len(pieces) != piece_count(length) or ARRIVED in pieces:
            raise self.WrongPieces()
        blob = blob_hash_of(length, pieces)
        if blob in self.blobs:
            raise self.AlreadyDeclared()
        deposit = self.deposit_for(length)
        if not self.config.currency.can_hold(self.reason(self.HoldReason.Deposit), who, deposit):
            raise self.CannotPayDeposit()

        now = self.config.time.now()
        self.config.currency.hold(self.reason(self.HoldReason.Deposit), who, deposit)
        self.blobs[blob] = BlobInfo(
            len=length, chunks=len(pieces), received=0, owner=who, deposit=deposit, declared=now,
            expires=now + self.config.lifetime, references=0, complete=False,
        )  # fmt: skip
        self.missing[blob] = pieces
        self.deposit(self.Declared(hash=blob, owner=who, len=length))

    @call(1)
    def put(self, origin: Origin, hash: H256, index: U32, data: Piece) -> None:
        """Bring one piece, whoever you are; the host keeps its bytes outside the state."""
        origin.signed()
        blob = self._known(hash)
        if index >= blob.chunks:
            raise self.NoSuchPiece()
        missing = self.missing.get(hash)
        if missing is None or missing[index] == ARRIVED:
            raise self.PieceKnown()
        if len(data) != piece_length(blob.len, index) or piece_hash(index, data) != missing[index]:
            raise self.WrongPiece()

        received = blob.received + 1
        complete = received == blob.chunks
        self.host.index_blob(hash, index, data)
        self.blobs[hash] = replace(blob, received=received, complete=complete)
        if complete:
            self.missing.remove(hash)
        else:
            self.missing[hash] = [*missing[:index], ARRIVED, *missing[index + 1 :]]
        self.deposit(self.PieceStored(hash=hash, index=index))
        if complete:
            self.deposit(self.Completed(hash=hash))

    @call(2)
    def remove(self, origin: Origin, hash: H256) -> None:
        """Take back a blob that no open job needs; releases the deposit. Not before `min_stay` is over."""
        who = origin.signed()
        blob = self._known(hash)
        if blob.owner != who:
            raise self.NotYourBlob()
        if blob.references:
            raise self.BlobInUse()
        if self.config.time.now() < blob.declared + self.config.min_stay:
            raise self.TooEarly()

        self._forget(hash, blob)
        self.deposit(self.Removed(hash=hash))

    @call(3)
    def expire(self, origin: Origin, hash: H256) -> None:
        """Clear a blob that is past its time, whoever you are; its owner gets the deposit."""
        origin.signed()
        blob = self._known(hash)
        if blob.references:
            raise self.BlobInUse()
        if self.config.time.now() <= max(blob.expires, blob.declared + self.config.min_stay):
            raise self.TooEarly()

        self._forget(hash, blob)
        self.deposit(self.Expired(hash=hash))

    # --- for other pallets ----------------------------------------------------------------------------

    def length(self, hash: bytes) -> int | None:
        """Bytes of a complete blob; None while a piece is missing, or when there is no such blob."""
        blob = self.blobs.get(hash)
        return blob.len if blob is not None and blob.complete else None

    def retain(self, hash: bytes) -> None:
        """Keep a complete blob until as many `release` calls. UnknownBlob when it is not complete."""
        blob = self.blobs.get(hash)
        if blob is None or not blob.complete:
            raise self.UnknownBlob()
        self.blobs[hash] = replace(blob, references=blob.references + 1)

    def release(self, hash: bytes, still_wanted: bool = False) -> None:
        """Undo one `retain`. A blob that is `still_wanted` stays for another `min_stay`: who has just been
        charged for it can fetch it."""
        blob = self.blobs[hash]
        declared = self.config.time.now() if still_wanted else blob.declared
        self.blobs[hash] = replace(blob, references=blob.references - 1, declared=declared)

    # --- inside ---------------------------------------------------------------------------------------

    def deposit_for(self, length: int) -> int:
        """The deposit of a blob of `length` bytes; each begun KiB counts."""
        return self.config.deposit_base + self.config.deposit_per_kib * -(-length // KIB)

    def _known(self, hash: bytes) -> BlobInfo:
        blob = self.blobs.get(hash)
        if blob is None:
            raise self.UnknownBlob()
        return blob

    def _forget(self, hash: bytes, blob: BlobInfo) -> None:
        """Drop the record and give the deposit back. The host deletes the bytes when no state that it keeps
        has the record."""
        self.config.currency.release(self.reason(self.HoldReason.Deposit), blob.owner, blob.deposit)
        self.blobs.remove(hash)
        self.missing.remove(hash)

    def held_deposits(self) -> Iterator[tuple[IntEnum, bytes, int]]:
        """The deposit of every blob."""
        for blob in self.blobs.values():
            yield self.HoldReason.Deposit, blob.owner, blob.deposit

    def retained(self) -> Iterator[tuple[bytes, int]]:
        """(hash, how often it is retained) of blobs in use; for checks of the state, never in a block."""
        for hash, blob in self.blobs.items():
            if blob.references:
                yield hash, blob.references

    @invariant
    def complete_means_nothing_missing(self) -> Iterator[str]:
        """A blob is complete when no piece is missing, and pieces are missing from known blobs only."""
        for hash, blob in self.blobs.items():
            if blob.complete == (hash in self.missing):
                yield f"{hash.hex()}: complete is {blob.complete}"
        for hash in self.missing:
            if hash not in self.blobs:
                yield f"{hash.hex()}: pieces are missing of no blob"

    @invariant
    def received_counts_the_pieces(self) -> Iterator[str]:
        """`received` is the number of pieces that have arrived, of as many as the length has."""
        for hash, blob in self.blobs.items():
            missing = self.missing.get(hash)
            arrived = blob.chunks if missing is None else missing.count(ARRIVED)
            if arrived != blob.received:
                yield f"{hash.hex()}: {arrived} pieces have arrived, {blob.received} were counted"
            if blob.chunks != piece_count(blob.len) or len(missing or []) not in (0, blob.chunks):
                yield f"{hash.hex()}: {blob.chunks} pieces do not fit {blob.len} bytes"

    @invariant
    def only_complete_blobs_are_retained(self) -> Iterator[str]:
        """What a job needs is there."""
        for hash, blob in self.blobs.items():
            if blob.references and not blob.complete:
                yield f"{hash.hex()}: retained, with pieces missing"
