"""What RPC methods and sealing drivers work on: the chain, its pool, and who this node is."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

from frame.forms import Form
from frame.transaction import BadFormat as Unreadable
from frame.transaction import TransactionValidityError
from node.authoring import Author
from node.chain import Chain, Finalized, Imported, OpenBlock, Reverted
from node.clock import Clock
from node.content import BlobReader
from node.errors import RuntimeFailed
from node.keystore import Keystore
from node.log import short
from node.metrics.figures import Figures
from node.pool import Pool, PoolConfig
from node.pool.errors import BadFormat, Invalid, PoolError
from node.pool.pool import Watcher
from node.sealing import Sealing
from primitives.node_key import generate, peer_id
from primitives.scale import Bytes, ScaleError, decode, decode_compact

txpool = logging.getLogger("txpool")


class Identity(NamedTuple):
    """What `system_*` says of the chain."""

    name: str
    chain_type: str | Mapping[str, Any]
    properties: Mapping[str, Any]


class Node:
    """A node without its drivers and its port. Everything in it runs in one thread."""

    def __init__(
        self,
        chain: Chain,
        identity: Identity,
        pool: PoolConfig | None = None,
        clock: Clock | None = None,
        name: str = "",
        node_key: bytes | None = None,
    ) -> None:
        self.chain = chain
        self.identity = identity
        self.clock = clock or Clock()
        self.name = name
        self.figures = Figures()
        self.pool = Pool(chain.validate, pool)
        self.pool.number = chain.head.number
        chain.subscribe(self._imported)
        chain.on_finalized(self._finalized)
        chain.on_reverted(self._reverted)
        self.author = Author(self)
        self.sealing = Sealing(self)
        self.started_at = chain.head.number
        self.peer_id = peer_id(node_key or generate())
        self.version = program_version()
        self.blobs = BlobReader(chain)
        self.keystore = Keystore(None)

    def _imported(self, block: Imported) -> None:
        self.figures.pruned += len(block.extrinsics)
        self.pool.on_block(block.number, block.hash, block.digests)

    def _finalized(self, blocks: Finalized) -> None:
        for digest in blocks.hashes:
            self.pool.on_finalized(digest)

    def _reverted(self, event: Reverted) -> None:
        self.figures.resubmitted += len(self.pool.ready) + len(self.pool.future) + len(event.extrinsics)
        self.pool.on_revert(event.head.number, event.retracted, event.extrinsics)

    def submit(self, extrinsic: bytes, watcher: Watcher | None = None, digest: bytes | None = None) -> bytes:
        """Put an encoded extrinsic, with its length prefix, into the pool; its hash, or a `PoolError`.

        `digest` is the hash, for who has it already.
        """
        if (
            len(extrinsic) < 66
            or extrinsic[0] & 3 != 1
            or int.from_bytes(extrinsic[:2], "little") >> 2 != (len(extrinsic) - 2)
        ):  # not the usual prefix of two bytes
            _check_prefix(extrinsic)
        self.figures.submitted += 1
        try:
            taken = self.pool.submit(extrinsic, watcher, digest)
        except PoolError as error:
            self.figures.invalid += isinstance(error, Invalid)
            txpool.debug("refused: %s", error)
            raise
        if txpool.isEnabledFor(logging.DEBUG):
            queues = len(self.pool.ready), len(self.pool.future)
            txpool.debug("[%s] submitted; %d ready, %d future", short(taken), *queues)
        return taken

    def submit_row(
        self, extrinsics: list[bytes], digests: list[bytes], nonces: list[int], forms: list[Form]
    ) -> dict[int, Exception]:
        """`submit` of many whose signatures a worker has found good, and whose hashes, nonces and forms it
        says; by place, why one was refused.
        """
        self.figures.submitted += len(extrinsics)
        refused = self.pool.submit_row(extrinsics, digests, self.chain.judge_row(extrinsics, nonces, forms))
        for error in refused.values():
            self.figures.invalid += isinstance(error, Invalid)
            txpool.debug("refused: %s", error)
        if txpool.isEnabledFor(logging.DEBUG):
            queues = len(self.pool.ready), len(self.pool.future)
            txpool.debug("%d submitted; %d ready, %d future", len(extrinsics) - len(refused), *queues)
        return refused

    def runtime_call(self, api: str, args: bytes, at: bytes | None = None) -> bytes:
        """`state_call`: raises `UnknownBlock` and `RuntimeFailed`."""
        return self.chain.call(api, args, at)

    @functools.cached_property
    def metadata(self) -> bytes:
        """Metadata V14, without the length prefix."""
        return decode(Bytes, self.chain.call("Metadata_metadata", b""))

    def dry_run(self, extrinsic: bytes, now: int, at: bytes | None = None) -> bytes:
        """The ApplyExtrinsicResult in a block on top of `at` made at `now` (ms); nothing is kept.

        Raises `RuntimeFailed` for bytes that are no extrinsic of this runtime.
        """
        parent = None if at is None else self.chain.block(at)
        block = OpenBlock(self.chain, now, parent)
        try:
            return block.apply(extrinsic)
        except Unreadable as error:
            raise RuntimeFailed(str(error)) from None
        except TransactionValidityError as error:
            return b"\1" + error.encode()
        finally:
            block.abandon()


def _check_prefix(extrinsic: bytes) -> None:
    """Raises `BadFormat` unless the extrinsic is as long as its prefix says."""
    try:
        length, start = decode_compact(extrinsic, 0, 32)
        if start + length != len(extrinsic):
            decode(Bytes, extrinsic)
    except ScaleError as error:
        raise BadFormat(str(error)) from None


def program_version() -> str:
    """The installed version."""
    try:
        return version("gristmill")
    except PackageNotFoundError:
        return "0.0.0"
