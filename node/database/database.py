"""The node's database: a chain of blocks, the state at every one of them, and content-addressed bytes.

One commit = one atomic batch of {state, trie nodes, history, header, body, indexes, head, pieces}: after a
crash the head is the old or the new one, whole. Blocks form one line; going back is `revert`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from threading import RLock
from types import TracebackType

from frame.backend import Delta
from node.database import columns as at
from node.database.behind import Behind, Entries, Nodes
from node.database.content import Content, Piece
from node.database.errors import (
    DatabaseCorrupt,
    DatabaseError,
    FormatUnknown,
    NotNextBlock,
    StateRootMismatch,
)
from node.database.history import History
from node.database.past import Past, first_value
from node.database.pasts import Pasts
from node.database.pruning import DEFAULT, Pruning, Stored
from node.database.state import BlockState, CacheKey, ReadCache, read_best
from node.database.storage import FORMAT, Batch, Storage
from node.database.tries import Flat, StateUpdate, Tries
from node.errors import UnknownBlock, WrongChain
from primitives.header import Header
from primitives.scale import codec
from primitives.trie import EMPTY_ROOT

_HEADER = codec(Header)
_NO_BLOCK = -1
_NOTHING: Mapping[bytes, bytes | None] = {}


class Database:
    """An open database. Reads may come from any thread; commits are one at a time.

    Attributes: `best_number` (−1 when empty), `genesis_hash` (None when empty).
    """

    def __init__(
        self, path: str | Path, *, sync: bool = True, pruning: Pruning | None = None, cache: int = at.CACHE
    ) -> None:
        self.lock = RLock()
        self._pruning = pruning or Pruning()
        self._pins: dict[int, int] = {}
        self.cache = ReadCache()
        self._pasts = Pasts(self._new_past)
        self._flat = Flat(
            self._trie_node, self._best_value, self._first_value, self._scan_tries, self._take_nodes
        )
        self.storage = Storage(Path(path), sync, cache)
        try:
            self._load()
        except BaseException:
            self.storage.close()
            raise

    @classmethod
    def open(
        cls, path: str | Path, *, sync: bool = True, pruning: Pruning | None = None, cache: int = at.CACHE
    ) -> Database:
        """Open or make the database in folder `path`.

        `sync` waits for the disk at each commit; `pruning` says which old states and bodies to keep, `cache`
        is the bytes of RocksDB's block cache. Raises DatabaseLocked, DatabaseUnreadable, FormatUnknown,
        PruningMismatch.
        """
        return cls(path, sync=sync, pruning=pruning, cache=cache)

    def close(self) -> None:
        """Close it. A second time does nothing; later use raises DatabaseClosed."""
        with self.lock:
            if self.storage.is_open:
                with suppress(DatabaseError):  # nothing is lost: the next opening does it
                    self._catch_up()
            self.cache.clear()
            self._pasts.clear()
            self._tries.close()
            self.storage.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except DatabaseError:
            if error is None:  # else it is the consequence, and the cause is what people need to read
                raise

    def _load(self) -> None:
        found = self.storage.get(at.META, b"format")
        if found is not None and found != FORMAT:
            raise FormatUnknown(
                f"the database in {self.storage.path} has format {found.decode('latin-1')}, this program "
                f"reads format {FORMAT.decode()}; purge it or use the program that wrote it"
            )
        self._made = self._load_pruning()
        self.state_pruning = self._made.mode
        self.history = History(self.storage, self._made.epoch)
        self.content = Content(self.storage)
        self._oldest = int.from_bytes(self.storage.get(at.META, b"oldest") or b"", "big")
        self.genesis_hash = self.storage.get(at.META, b"genesis")
        best = self.storage.get(at.META, b"best")
        finalized = self.storage.get(at.META, b"finalized")
        self.best_number = _NO_BLOCK if best is None else int.from_bytes(best, "big")
        self._best_hash = b"" if best is None else self._stored_hash(self.best_number)
        self._finalized = _NO_BLOCK if finalized is None else int.from_bytes(finalized, "big")
        self._stand(EMPTY_ROOT if best is None else self._stored_header(self._best_hash).state_root)

    def _load_pruning(self) -> Stored:
        """How this database prunes. The number of blocks may change from run to run, and is remembered."""
        data = self.storage.get(at.META, b"pruning")
        if data is None:  # a new one: written with its genesis
            return Stored.new(self._pruning.state or DEFAULT)
        stored = Stored.decode(data).changed(self._pruning.state)
        if stored.encode() != data:
            batch = self.storage.batch()
            batch.put(at.META, b"pruning", stored.encode())
            self.storage.write(batch)
        return stored

    def _stand(self, root: bytes) -> None:
        """Take `root` as the best state's, with nothing in memory yet."""
        self._tries = Tries(root, self._flat)
        self._pending: StateUpdate | None = None
        self._pasts.clear()
        self._behind = Behind(self.storage, self.best_number, self.state_pruning.keep)
        if self._behind.at < self.best_number:  # the last run was cut off
            past = self._past(self._behind.at, self._behind.version)
            update = past.forward()
            past.close()
            self._catch_up(update.nodes())

    def _catch_up(self, nodes: Nodes | None = None) -> None:
        """Bring the trie column up to the best block."""
        behind = self._behind
        if behind.at != self.best_number:
            batch = self.storage.batch()
            held = self._tries.unwritten(updated=False)
            behind.put(batch, self.best_number, behind.version, nodes or {}, held)
            self.storage.write(batch)
            behind.written(self.best_number, behind.version)
            self._tries.written()

    # ── blocks ──

    def best(self) -> tuple[int, bytes] | None:
        """(number, hash) of the best block; None when the database is empty."""
        return None if self.best_number == _NO_BLOCK else (self.best_number, self._best_hash)

    @property
    def finalized_number(self) -> int:
        """The last finalized block's number, −1 when there is none."""
        return self._finalized

    def finalized(self) -> tuple[int, bytes] | None:
        """(number, hash) of the last finalized block; None when there is none."""
        if self._finalized == _NO_BLOCK:
            return None
        return self._finalized, self._stored_hash(self._finalized)

    def check_chain(self, genesis_hash: bytes) -> None:
        """Raises WrongChain if the database holds blocks of a chain with another genesis."""
        if self.genesis_hash is not None and self.genesis_hash != genesis_hash:
            raise WrongChain(
                f"the database in {self.storage.path} belongs to the chain with genesis "
                f"0x{self.genesis_hash.hex()}, not to 0x{genesis_hash.hex()}. A preset's genesis changes "
                "with the program: `gristmill purge-chain` removes the chain, another --base-path keeps it"
            )

    def header(self, block_hash: bytes) -> Header | None:
        """The block's header, or None."""
        data = self.storage.get(at.HEADERS, block_hash)
        return None if data is None else _HEADER.decode(data)

    def body(self, block_hash: bytes) -> list[bytes] | None:
        """The block's extrinsics, each with its length prefix, or None."""
        data = self.storage.get(at.BODIES, block_hash)
        if data is None:
            return None
        return list(at.split_list(data))

    def hash_at(self, number: int) -> bytes | None:
        """Hash of block `number`, or None."""
        return self.storage.get(at.HASHES, at.be64(number)) if 0 <= number < 1 << 64 else None

    def number_of(self, block_hash: bytes) -> int | None:
        """Number of the block with this hash, or None."""
        data = self.storage.get(at.NUMBERS, block_hash)
        return None if data is None else int.from_bytes(data, "big")

    def _stored_hash(self, number: int) -> bytes:
        found = self.hash_at(number)
        if found is None:
            raise DatabaseCorrupt(f"block {number} has no hash in the database")
        return found

    def _stored_header(self, block_hash: bytes) -> Header:
        header = self.header(block_hash)
        if header is None:
            raise DatabaseCorrupt(f"block 0x{block_hash.hex()} has no header in the database")
        return header

    # ── content and notes ──

    def piece(self, blob_hash: bytes, index: int) -> bytes | None:
        """Piece `index` of a blob, or None."""
        if not 0 <= index < 1 << 32:
            return None
        return self.storage.get(at.CONTENT, at.piece_key(blob_hash, index))

    def note(self, name: bytes) -> bytes | None:
        """What a part of the node keeps here under `name` (written by `keep` or `commit(notes=...)`)."""
        return self.storage.get(at.META, b"aux:" + name)

    def keep(self, name: bytes, value: bytes | None) -> None:
        """Keep `value` under `name` for a part of the node, or with None forget it. Raises DatabaseError."""
        with self.lock:
            batch = self.storage.batch()
            if value is None:
                batch.delete(at.META, b"aux:" + name)
            else:
                batch.put(at.META, b"aux:" + name, value)
            self.storage.write(batch)

    def cached_bytes(self) -> int:
        """Bytes in RocksDB's block cache."""
        return self.storage.cached_bytes()

    # ── state ──

    def backend(self, block_hash: bytes | None = None) -> BlockState:
        """State after the block (default: the best one). Raises UnknownBlock."""
        with self.lock:
            if block_hash is None or block_hash == self._best_hash:
                return BlockState(self, self.best_number)
            number = self.number_of(block_hash)
            if number is None:
                raise UnknownBlock(f"there is no block 0x{block_hash.hex()} in the database")
            self.require_state(number)
            return BlockState(self, number)

    @property
    def oldest_state(self) -> int:
        """The oldest block whose state is kept."""
        return self._oldest

    def require_state(self, number: int) -> None:
        """Raises UnknownBlock, in Substrate's words, if the state of block `number` was pruned."""
        if number < self._oldest:
            text = self._stored_hash(number).hex()
            raise UnknownBlock(f"UnknownBlock: State already discarded for 0x{text}")

    def pin(self, number: int) -> Callable[[], None]:
        """Keep the state of a block, and of those after it, until the returned function is called.

        Raises UnknownBlock if it is gone already.
        """
        with self.lock:
            if not 0 <= number <= self.best_number:
                raise UnknownBlock(f"there is no block {number} to keep")
            self.require_state(number)
            self._pins[number] = self._pins.get(number, 0) + 1
        released = False

        def release() -> None:
            nonlocal released
            with self.lock:
                if not released:
                    released = True
                    self._pins[number] -= 1
                    if not self._pins[number]:
                        del self._pins[number]

        return release

    def root_at(self, number: int, delta: Delta, version: int) -> bytes:
        """State root after `delta` on top of block `number`."""
        with self.lock:
            if number == self.best_number:
                return self._updated(delta, version).root
            self.require_state(number)
            root = self._stored_header(self._stored_hash(number)).state_root
        past = self._pasts.made(number, root, version)
        with past.lock:
            return past.tries.updated(delta, version).root

    def _updated(self, delta: Delta, version: int) -> StateUpdate:
        pending = self._pending
        if pending is None or not pending.fits(delta, version):
            self._pending = None  # the tries may forget it, whether or not there will be another
            pending = self._pending = self._tries.updated(delta, version)
        return pending

    @property
    def tries(self) -> Tries:
        """Those of the best state. Hold `lock` while you use them."""
        return self._tries

    def past(self, number: int, version: int) -> Past:
        """The tries of an older block, for whoever asks. Raises StateRebuilding, StateBusy, UnknownBlock."""
        with self.lock:
            self.require_state(number)
            root = self._stored_header(self._stored_hash(number)).state_root
        return self._pasts.get(number, root, version)

    def _new_past(self, number: int, version: int) -> Past:
        with self.lock:
            self.require_state(number)
            self._catch_up()
            return self._past(number, version)

    def _past(self, number: int, version: int) -> Past:
        columns = at.STATE, at.CHILD, at.TRIE, at.HISTORY, at.CHANGES
        best = self._stored_header(self._best_hash)
        wanted = self._stored_header(self._stored_hash(number)).state_root
        snapshot = self.storage.snapshot(*columns)
        return Past(snapshot, self.history, (best.number, best.state_root), number, wanted, version)

    def _trie_node(self, key: bytes) -> bytes | None:
        return self._behind.node(key)

    def _best_value(self, key: bytes, child: bytes | None) -> bytes | None:
        return read_best(self, key, child)

    def _first_value(self, key: bytes, child: bytes | None) -> tuple[bytes, bytes] | None:
        return first_value(self.storage, key, child)

    def _take_nodes(self, entries: Entries) -> None:
        self._behind.take(entries)

    def _scan_tries(self, first: bytes) -> Iterator[tuple[bytes, bytes]]:
        return self.storage.entries(at.TRIE, first)

    # ── writing ──

    def commit(
        self,
        header: Header,
        block_hash: bytes,
        extrinsics: Iterable[bytes],
        delta: Delta,
        pieces: Iterable[Piece] = (),
        *,
        state_version: int = 1,
        finalized: bool = True,
        notes: Mapping[bytes, bytes] | None = None,
    ) -> None:
        """Add the next block, with everything that belongs to it, in one atomic batch; it becomes the best.

        `delta` turns its parent's state into its own; the first block is the genesis, number 0. `notes` are
        kept for other parts of the node.

        Raises NotNextBlock, StateRootMismatch, DatabaseError: then nothing changed.
        """
        with self.lock:
            self._check_next(header)
            update = self._updated(delta, state_version)
            if update.root != header.state_root:
                self._pending = None
                raise StateRootMismatch(
                    f"block {header.number} says state root 0x{header.state_root.hex()}, "
                    f"its changes give 0x{update.root.hex()}"
                )
            batch = self.storage.batch()
            changed = self._put_state(batch, header.number, update)
            behind, nodes = self._behind, update.nodes()
            is_due = behind.is_due(header.number, state_version, self._tries.unwritten_count())
            if is_due:
                held = self._tries.unwritten(updated=True)
                behind.put(batch, header.number, state_version, nodes, held)
            else:
                behind.note(batch, state_version)
            self._put_block(batch, header, block_hash, list(extrinsics))
            dropped = self.content.put(batch, header.number, pieces, update.delta)
            for name, value in (notes or {}).items():
                batch.put(at.META, b"aux:" + name, value)
            oldest = self._oldest
            if finalized:
                oldest = self._put_finalized(batch, header.number, update.delta.top, dropped)
            self.storage.write(batch)
            if is_due:
                behind.written(header.number, state_version)
            else:
                behind.hold(nodes)
            self._advance(header, block_hash, update, changed)
            if is_due:
                self._tries.written()
            if finalized:
                self._finalized, self._oldest = header.number, oldest

    def finalize(self, number: int) -> None:
        """Mark block `number` and all before it as final. Raises UnknownBlock; going back does nothing."""
        with self.lock:
            if not 0 <= number <= self.best_number:
                raise UnknownBlock(f"there is no block {number} to finalize")
            if number > self._finalized:
                batch = self.storage.batch()
                oldest = self._put_finalized(batch, number)
                self.storage.write(batch)
                self._finalized, self._oldest = number, oldest

    def _put_finalized(
        self,
        batch: Batch,
        number: int,
        changes: Mapping[bytes, bytes | None] = _NOTHING,
        dropped: Container[bytes] = (),
    ) -> int:
        """Block `number` is final, and what is too old by now goes; returns the oldest state that stays.
        `changes` are those of the block that the same batch makes the best, `dropped` the blobs that it
        drops.
        """
        batch.put(at.META, b"finalized", at.be64(number))
        blocks = self._pruning.blocks
        for gone in range(blocks.first_kept(self._finalized), blocks.first_kept(number)):
            batch.delete(at.BODIES, self._stored_hash(gone))
        oldest = min([self.state_pruning.first_kept(number), *self._pins])
        if oldest <= self._oldest:
            return self._oldest
        self.history.prune(batch, self._oldest + 1, oldest)

        def is_held(key: bytes) -> bool:
            return (changes[key] if key in changes else read_best(self, key, None)) is not None

        self.content.prune(batch, oldest, is_held, dropped)
        batch.put(at.META, b"oldest", at.be64(oldest))
        return oldest

    def _check_next(self, header: Header) -> None:
        if header.number != self.best_number + 1:
            raise NotNextBlock(f"block {header.number} cannot follow block {self.best_number}")
        if self.best_number != _NO_BLOCK and header.parent_hash != self._best_hash:
            raise NotNextBlock(
                f"block {header.number} has the parent 0x{header.parent_hash.hex()}, "
                f"the best block is 0x{self._best_hash.hex()}"
            )

    def _put_state(self, batch: Batch, number: int, update: StateUpdate) -> dict[CacheKey, bytes | None]:
        """State and history. Returns the values that really change."""
        changed: dict[CacheKey, bytes | None] = {}
        spots: list[bytes] = []
        before: list[bytes | None] = []
        for child, changes in update.changes.items():
            old = update.before[child].get
            new = {key: value for key, value in changes.items() if old(key) != value}
            if number:  # before the genesis there is nothing to go back to
                spots += at.places(new, child)
                before += map(old, new)
            if child is None:
                changed.update(new)  # type: ignore[arg-type]  # a cache key may be mere bytes
                batch.put_all(at.STATE, new.items())
            else:
                changed.update(((child, key), value) for key, value in new.items())
                prefix = at.escaped(child)
                batch.put_all(at.CHILD, [(prefix + key, value) for key, value in new.items()])
        self.history.put(batch, number, spots, before)
        return changed

    def _put_block(self, batch: Batch, header: Header, block_hash: bytes, extrinsics: list[bytes]) -> None:
        number = at.be64(header.number)
        batch.put(at.HEADERS, block_hash, _HEADER.encode(header))
        batch.put(at.BODIES, block_hash, at.join_list(extrinsics))
        batch.put(at.HASHES, number, block_hash)
        batch.put(at.NUMBERS, block_hash, number)
        batch.put(at.META, b"best", number)
        if header.number == 0:
            batch.put(at.META, b"genesis", block_hash)
            batch.put(at.META, b"format", FORMAT)
            batch.put(at.META, b"pruning", self._made.encode())

    def _advance(
        self, header: Header, block_hash: bytes, update: StateUpdate, changed: Mapping[CacheKey, bytes | None]
    ) -> None:
        """Go over to the new head in memory, once it is on the disk."""
        self.cache.update(changed)
        self._tries.adopt(update)
        self._pending = None
        self._pasts.advance(header.number)
        self.best_number, self._best_hash = header.number, block_hash
        if header.number == 0:
            self.genesis_hash = block_hash

    def revert(self, number: int, *, state_version: int = 1) -> None:
        """Go back to block `number`: later blocks and their state are gone, and the blobs that they brought.
        Also takes back finality.

        Raises UnknownBlock, also when its state was pruned, DatabaseCorrupt: then nothing changed.
        """
        with self.lock:
            if not 0 <= number <= self.best_number:
                raise UnknownBlock(f"there is no block {number} to go back to")
            self.require_state(number)
            if number == self.best_number:
                return
            self._catch_up()
            self._pending = None
            past = self._past(number, state_version)
            while not past.step():
                pass
            undone = past.delta()
            update = self._tries.updated(undone, state_version)
            past.close()
            batch = self.storage.batch()
            self._put_state(batch, 0, update)
            self.content.revert(batch, number, undone)
            held = self._tries.unwritten(updated=True)
            self._behind.put(batch, number, state_version, update.nodes(), held)
            for height in range(number + 1, self.best_number + 1):
                self._drop_block(batch, height)
            batch.put(at.META, b"best", at.be64(number))
            batch.put(at.META, b"finalized", at.be64(min(number, max(self._finalized, 0))))
            self.storage.write(batch)
            self.cache.clear()
            self._load()

    def _drop_block(self, batch: Batch, height: int) -> None:
        gone, number = self._stored_hash(height), at.be64(height)
        self.history.drop(batch, height)
        for column in (at.HEADERS, at.BODIES, at.NUMBERS):
            batch.delete(column, gone)
        batch.delete(at.HASHES, number)
