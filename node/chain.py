"""The chain: one importer, block production over it, and where the head is.

Importing is a pure function of (parent state, block): the runtime executes, and its outcome is committed in
one atomic batch with header, body and blob pieces. A block that this node builds has just been executed, so
its outcome is committed without a second run; importing the same block elsewhere gives the same bytes.
"""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

from frame.apis import ApiFailed, UnknownApi
from frame.backend import Delta
from frame.executive import InvalidBlock
from frame.extrinsic import Checked, Vouched
from frame.forms import Admitted, Form, questions
from frame.runtime import Block, BlockBuilder, Outcome, Runtime
from frame.transaction import (
    BadFormat,
    InvalidTransaction,
    Source,
    TransactionValidityError,
    UnknownTransaction,
)
from frame.validator import Validator
from node.database import BlockState, Database
from node.database.content import held_key
from node.errors import BadBlock, BadOption, RuntimeFailed, UnknownBlock, behind
from node.host import NodeHost, VerdictCache
from node.pool.errors import Invalid, PoolError, Unknown, VerificationFailed
from node.pool.pool import Limits, Verdict
from primitives.digest import Digest, DigestItem
from primitives.hashing import blake2_256
from primitives.header import Header
from primitives.scale import ScaleError

INHERENT_TIME = b"timstap0"

EXPECTED = (ApiFailed, UnknownApi, ScaleError, TransactionValidityError, InvalidBlock)
"""What a runtime call raises when the caller is at fault."""

MOST_READ = 100_000
"""Values that judging transactions may gather in memory between two blocks."""
LOOKED_AT = 256
"""After so many transactions they are counted."""

RETURNED = Limits(8192, 20480 * 1024)
"""What of the blocks that a revert takes back is looked up: as much as a pool holds by default."""

log = logging.getLogger("runtime")


class Head(NamedTuple):
    """A block as the head of something: the best one, the finalized one, the parent of the next."""

    number: int
    hash: bytes
    header: Header


class Imported(NamedTuple):
    """What listeners hear of a new best block."""

    number: int
    hash: bytes
    header: Header
    extrinsics: tuple[bytes, ...]
    delta: Delta
    digests: tuple[bytes, ...]
    """The hash of each extrinsic."""


class Finalized(NamedTuple):
    """What listeners hear when blocks become final: all of them, oldest first; the last is the new
    finalized head.
    """

    number: int
    hashes: tuple[bytes, ...]


class Reverted(NamedTuple):
    """What listeners hear when the head went back: where it is now, and what is gone, oldest first."""

    head: Head
    retracted: tuple[bytes, ...]
    """Hashes of the blocks that are no more."""
    was_final: bool
    """Finality was taken back too: what was said of finalized blocks does not hold."""
    extrinsics: tuple[bytes, ...] = ()
    """What they held besides inherents, oldest first: as much as a pool may hold, and bodies are kept of."""


Event = TypeVar("Event")


class Listeners(Generic[Event]):
    """Those who hear of one kind of event, in the order in which they came."""

    def __init__(self) -> None:
        self._listeners: dict[int, Callable[[Event], None]] = {}
        self._next = 0

    def add(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Tell `listener` of each event, until the returned function is called."""
        key = self._next
        self._next += 1
        self._listeners[key] = listener

        def cancel() -> None:
            self._listeners.pop(key, None)

        return cancel

    def tell(self, event: Event) -> None:
        """Call them all. What one of them fails at is logged: the event has happened all the same."""
        for listener in list(self._listeners.values()):
            try:
                listener(event)
            except Exception as error:
                log.error("a listener failed: %r", error, exc_info=error)


class Chain:
    """The blocks in a database, under one runtime. Lives in one thread."""

    def __init__(
        self, database: Database, runtime: Runtime, genesis: Header, genesis_state: Delta | None
    ) -> None:
        """Open where the database left off; an empty one starts at `genesis`.

        Raises `WrongChain` if the database holds a chain with another genesis, `BadOption` if there is no
        state to start from, or one of another runtime.
        """
        self.database = database
        self.runtime = runtime
        self.verdicts = VerdictCache()
        self._validator: Validator | None = None
        self._judged = 0
        self._imported: Listeners[Imported] = Listeners()
        self._finalized: Listeners[Finalized] = Listeners()
        self._reverted: Listeners[Reverted] = Listeners()
        self.genesis_hash = genesis.hash
        database.check_chain(self.genesis_hash)
        self.is_new = database.best() is None
        if self.is_new:
            self._start(genesis, genesis_state)
        self.head = self._stored_head()

    def _start(self, genesis: Header, state: Delta | None) -> None:
        if state is None:
            raise BadOption("the chain specification holds only the root of its genesis state, not the state")
        self.database.commit(genesis, self.genesis_hash, [], state, state_version=self._state_version)

    @property
    def _state_version(self) -> int:
        return self.runtime.version.state_version

    def _stored_head(self) -> Head:
        best = self.database.best()
        header = None if best is None else self.database.header(best[1])
        if best is None or header is None:
            raise BadBlock("the database has no head")
        return Head(*best, header)

    # ------------------------------------------------------------------ reading

    @property
    def finalized_number(self) -> int:
        """The height of the last final block."""
        return self.database.finalized_number

    @property
    def finalized(self) -> Head:
        """The last final block."""
        number = self.finalized_number
        if number == self.head.number:
            return self.head
        digest = self.hash_at(number)
        assert digest is not None, "a final block has a hash"
        return self.block(digest)

    def header(self, digest: bytes) -> Header | None:
        """The header of a block, or None."""
        return self.head.header if digest == self.head.hash else self.database.header(digest)

    def block(self, digest: bytes) -> Head:
        """Number, hash and header of a block; raises `UnknownBlock`."""
        number = self.number_of(digest)
        header = self.header(digest)
        assert header is not None, "a block with a number has a header"
        return Head(number, digest, header)

    def body(self, digest: bytes) -> list[bytes] | None:
        """Encoded extrinsics of a block, or None."""
        return self.database.body(digest)

    def hash_at(self, number: int) -> bytes | None:
        """The hash of the block at a height, or None."""
        return self.database.hash_at(number)

    def number_of(self, digest: bytes) -> int:
        """The height of a block; raises `UnknownBlock`."""
        number = self.database.number_of(digest)
        if number is None:
            text = f"UnknownBlock: Header was not found in the database: 0x{digest.hex()}"
            raise UnknownBlock(text)
        return number

    def state(self, at: bytes | None = None) -> BlockState:
        """The state after a block, by default the best one; raises `UnknownBlock`."""
        if at is not None:
            self.number_of(at)
        return self.database.backend(at)

    def read_proof(
        self, keys: Iterable[bytes], child: bytes | None = None, at: bytes | None = None
    ) -> list[bytes]:
        """What proves the values, or the absence, of `keys` under the state root of a block (by default the
        best one); with `child`, of keys in that child trie. Raises `UnknownBlock`.

        `primitives.trie.verify_proof` and `verify_child_proof` read it.
        """
        return self.state(at).proof(keys, child, version=self._state_version)

    def pin(self, digest: bytes) -> Callable[[], None]:
        """Keep the state of a block from being pruned until the returned function is called.

        Raises `UnknownBlock`, also when it is gone already. Who pins must bound how much and how long.
        """
        return self.database.pin(self.number_of(digest))

    def call(self, api: str, args: bytes, at: bytes | None = None) -> bytes:
        """Ask a runtime API at a block; raises `UnknownBlock` and `RuntimeFailed`."""
        state = self.state(at)
        try:
            return self.runtime.call(state, api, args, NodeHost(self.verdicts))
        except Exception as error:
            _raise_behind(error)
            _note_defect(api, error)
            raise RuntimeFailed(str(error)) from error

    def validate(self, extrinsic: bytes) -> Verdict:
        """What the runtime says of a transaction at the best block; raises a `PoolError`."""
        try:
            validator = self._validator_at_head()
            found = validator.validate(Source.External, extrinsic)
        except BadFormat as error:
            raise VerificationFailed(f"Runtime error: Execution failed: {error.reason}") from None
        except (InvalidTransaction, UnknownTransaction) as error:
            raise as_pool_error(error) from None
        except Exception as error:
            _raise_behind(error)
            _note_defect("validate", error)
            raise VerificationFailed(f"Runtime error: Execution failed: {error}") from error
        return Verdict(
            found.priority,
            tuple(found.requires),
            tuple(found.provides),
            found.longevity,
            validator.checked,
        )

    def judge_row(
        self, extrinsics: list[bytes], nonces: list[int], forms: list[Form]
    ) -> Iterator[Admitted | None]:
        """What `validate` says of each of these, whose signatures workers have found good under what their
        `forms` say to be signed along; None for those that `validate` has to be asked of.
        """
        codec = self.runtime.extrinsic_codec
        self.verdicts.tell_row(len(forms), functools.partial(questions, codec, extrinsics, forms))
        return self._judged_row(extrinsics, nonces, forms)

    def _judged_row(
        self, extrinsics: list[bytes], nonces: list[int], forms: list[Form]
    ) -> Iterator[Admitted | None]:
        try:
            yield from self._validator_at_head(len(forms)).judge_row(extrinsics, nonces, forms)
        except Exception as error:  # `validate` meets it too, and says what it is
            log.debug("judging a row: %r", error)
        yield from itertools.repeat(None)

    def _validator_at_head(self, many: int = 1) -> Validator:
        validator, at = self._validator, self.head.hash
        before = self._judged
        self._judged += many
        if validator is None:
            validator = self._validator = Validator(
                self.runtime, self.database.backend(), at, NodeHost(self.verdicts)
            )
        elif validator.at is not at or (
            before // LOOKED_AT != self._judged // LOOKED_AT and validator.size > MOST_READ
        ):
            validator.move(self.database.backend(), at, NodeHost(self.verdicts))
        return validator

    # ------------------------------------------------------------------ writing

    def import_block(self, block: Block) -> Imported:
        """Execute a block on top of the best one and commit it; raises `BadBlock` and leaves everything as
        it was.
        """
        if block.header.parent_hash != self.head.hash:
            raise BadBlock(f"block {block.header.number} does not follow the best block {self.head.number}")
        host = NodeHost(self.verdicts)
        try:
            outcome = self.runtime.execute_block(self.database.backend(), block, host)
        except Exception as error:
            _raise_behind(error)
            raise BadBlock(f"block {block.header.number} does not execute: {error}") from error
        return self.commit(block, outcome, host)

    def import_or_skip(self, block: Block) -> bool:
        """`import_block`, but False for a block that is here already. Raises `BadBlock`."""
        if block.header.number <= self.head.number:
            if self.hash_at(block.header.number) == block.header.hash:
                return False
            raise BadBlock(
                f"block {block.header.number} is another one here: these blocks are of another chain or fork"
            )
        self.import_block(block)
        return True

    def check_block(self, digest: bytes) -> None:
        """Execute a block again on its parent's state, with an empty verdict cache; keeps nothing.

        Raises `BadBlock` if it does not hold, `UnknownBlock` if it, its body or the state is not here.
        """
        head, body = self.block(digest), self.body(digest)
        if head.number == 0:
            raise BadBlock("block 0 is the genesis: nothing is executed in it")
        if body is None:
            raise UnknownBlock(f"the body of block {head.number} is not kept: see --blocks-pruning")
        try:
            outcome = self.runtime.execute_block(
                self.state(head.header.parent_hash), Block(head.header, body), NodeHost(VerdictCache())
            )
        except InvalidBlock as error:
            _raise_behind(error)
            raise BadBlock(f"block {head.number} does not execute: {error}") from error
        root = self.state(head.header.parent_hash).root(outcome.delta, self._state_version)
        if root != head.header.state_root:
            raise BadBlock(f"block {head.number} does not give the state root that its header has")

    def commit(
        self,
        block: Block,
        outcome: Outcome,
        host: NodeHost,
        *,
        finalize: bool = True,
        digests: Iterable[bytes] | None = None,
    ) -> Imported:
        """Write an executed block in one batch, move the head, and tell the listeners: first of the block,
        then, with `finalize`, that it and all before it are final. `digests` are the extrinsics' hashes, for
        who has them.
        """
        before = self.finalized_number
        header = block.header
        digest = header.hash
        self.database.commit(
            header,
            digest,
            block.extrinsics,
            outcome.delta,
            [piece for piece in host.pieces if self._holds(piece[0], outcome.delta)],
            state_version=self._state_version,
            finalized=finalize,
        )
        self.head = Head(header.number, digest, header)
        hashes = tuple(map(blake2_256, block.extrinsics) if digests is None else digests)
        extrinsics = tuple(block.extrinsics)
        imported = Imported(header.number, digest, header, extrinsics, outcome.delta, hashes)
        self._imported.tell(imported)
        if finalize:
            self._tell_finalized(before)
        return imported

    def _holds(self, blob: bytes, delta: Delta) -> bool:
        """Whether the state after `delta` holds a blob: a call that failed late may have brought pieces of
        one that it does not.
        """
        key = held_key(blob)
        return (delta.top[key] if key in delta.top else self.state().get(key)) is not None

    def finalize(self, digest: bytes) -> bool:
        """Make a block and all before it final; False if it was. Raises `UnknownBlock`."""
        number, before = self.number_of(digest), self.finalized_number
        if number <= before:
            return False
        self.database.finalize(number)
        self._tell_finalized(before)
        return True

    def _tell_finalized(self, before: int) -> None:
        now = self.finalized_number
        hashes = [self.hash_at(number) for number in range(before + 1, now + 1)]
        self._finalized.tell(Finalized(now, tuple(filter(None, hashes))))

    def revert_to(self, target: bytes | int) -> Reverted | None:
        """Make an older block, by hash or number, the head again, and tell the listeners; None if it is the
        head. Later blocks are gone, and so is their finality.

        Raises `UnknownBlock` if there is no such block, or if its state is kept no more.
        """
        number = target if isinstance(target, int) else self.number_of(target)
        if number == self.head.number:
            return None
        if not 0 <= number < self.head.number:
            raise UnknownBlock(f"there is no block {number} to go back to")
        was_final = number < self.finalized_number
        found = [self.hash_at(height) for height in range(number + 1, self.head.number + 1)]
        gone = tuple(filter(None, found))
        held = self._held(gone)
        self.database.revert(number, state_version=self._state_version)
        self.head = self._stored_head()
        reverted = Reverted(self.head, gone, was_final, held)
        self._reverted.tell(reverted)
        return reverted

    def _held(self, blocks: Iterable[bytes]) -> tuple[bytes, ...]:
        """The signed extrinsics of these blocks, up to `RETURNED`."""
        held, room = list[bytes](), RETURNED.bytes
        for block in blocks:
            for extrinsic in self.body(block) or ():
                if not self.runtime.is_signed(extrinsic):
                    continue
                room -= len(extrinsic)
                if room < 0 or len(held) >= RETURNED.count:
                    return tuple(held)
                held.append(extrinsic)
        return tuple(held)

    def subscribe(self, listener: Callable[[Imported], None]) -> Callable[[], None]:
        """Tell `listener` of each new best block, until the returned function is called."""
        return self._imported.add(listener)

    def on_finalized(self, listener: Callable[[Finalized], None]) -> Callable[[], None]:
        """Tell `listener` whenever blocks become final, until the returned function is called."""
        return self._finalized.add(listener)

    def on_reverted(self, listener: Callable[[Reverted], None]) -> Callable[[], None]:
        """Tell `listener` whenever the head went back, until the returned function is called."""
        return self._reverted.add(listener)


class OpenBlock:
    """A block under construction. Forgotten, it leaves nothing behind."""

    def __init__(self, chain: Chain, now: int, parent: Head | None = None, note: bytes = b"") -> None:
        """On top of `parent`, by default the best block, at wall-clock time `now` (ms), with its inherents
        applied; the digest carries `note`, if there is one.
        """
        self._chain = chain
        self._host = NodeHost(chain.verdicts)
        on = parent or chain.head
        digest = Digest(logs=[DigestItem.Other(data=note)] if note else [])
        self._builder: BlockBuilder = chain.runtime.open_block(
            chain.database.backend(on.hash), on.header, digest, self._host
        )
        self.extrinsics = self._builder.extrinsics
        """The extrinsics applied so far."""
        self._digests: list[bytes] = []
        for inherent in self._builder.inherents({INHERENT_TIME: now.to_bytes(8, "little")}):
            self.apply(inherent)
        self.inherents = len(self.extrinsics)

    def apply(
        self, extrinsic: bytes, checked: Checked | Vouched | None = None, digest: bytes | None = None
    ) -> bytes:
        """Add an extrinsic, which the pool may have `checked`, and whose hash it has; its
        ApplyExtrinsicResult, or `InvalidTransaction` with the block unchanged.
        """
        kept = len(self._host.pieces)
        try:
            result = self._builder.apply(extrinsic, checked=checked)
        except BaseException:
            del self._host.pieces[kept:]
            raise
        self._digests.append(digest or blake2_256(extrinsic))
        return result

    def write(self, changes: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Change state from outside of the runtime (None deletes): such a block cannot be executed again."""
        for key, value in changes:
            self._builder.machine.overlay.put(key, value)

    def abandon(self) -> None:
        """Throw the block away."""
        self._builder.abandon()

    def seal(self, *, finalize: bool = True) -> Imported:
        """Finish the block and commit it. If its parent is not the head, the chain goes back to it first."""
        header, outcome = self._builder.finish()
        if header.parent_hash != self._chain.head.hash:
            self._chain.revert_to(header.parent_hash)
        block = Block(header=header, extrinsics=self.extrinsics)
        return self._chain.commit(block, outcome, self._host, finalize=finalize, digests=self._digests)


def _raise_behind(error: Exception) -> None:
    """Raise the node's own error that a failure of the runtime came from: a database that cannot be read says
    nothing about a block or a transaction.
    """
    found = behind(error)
    if found is not None:
        raise found


def _note_defect(where: str, error: Exception) -> None:
    """Log what no input should be able to cause."""
    if not isinstance(error, EXPECTED):
        log.error("%s: a defect of the runtime: %r", where, error, exc_info=error)


def as_pool_error(error: InvalidTransaction | UnknownTransaction) -> PoolError:
    """The pool's error for what the runtime said."""
    if isinstance(error, InvalidTransaction):
        return Invalid(error.kind, error.custom)
    return Unknown(error.kind, error.custom)
