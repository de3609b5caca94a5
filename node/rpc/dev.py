"""`dev_*`: what a developer does to a chain of their own, with the names and arguments of Chopsticks.

Unlike there, a state belongs to a block: `dev_setStorage` makes a block that holds the change, so that roots,
proofs and subscriptions stay true. Its digest says so, since executing it again would not give that state.

Source: https://github.com/AcalaNetwork/chopsticks, `packages/chopsticks/src/plugins`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

from node.chain import OpenBlock
from node.errors import NodeError
from node.rpc.errors import RpcError, invalid_params
from node.rpc.params import MAX_KEYS, Anything, BlockHash, Read, Text, number, unhex
from node.rpc.storage_values import changes_of
from node.rpc.table import Json, method
from node.rpc.wire import hexed
from node.service import Node

FAILED = 1
"""The code of Chopsticks' errors."""
MAX_BLOCKS = 1000
"""Blocks that one call makes."""
MODES: Mapping[str, str] = {"Batch": "instant", "Instant": "instant", "Manual": "manual"}
"""Chopsticks' modes, and the sealing driver that does it here; a block always holds all that is ready."""


class NewBlocks(NamedTuple):
    """What `dev_newBlock` asks for."""

    how_many: int | None = None
    to: int | None = None
    transactions: tuple[bytes, ...] = ()


def _new_blocks(value: Any) -> NewBlocks:
    if not isinstance(value, dict):
        raise ValueError("expected an object")
    unknown = set(value) - {"count", "to", "transactions"}
    if unknown:
        raise ValueError(f"this chain knows count, to and transactions, not {', '.join(sorted(unknown))}")
    count, to = (None if value.get(name) is None else number(value[name]) for name in ("count", "to"))
    transactions = value.get("transactions") or []
    if not isinstance(transactions, list) or len(transactions) > MAX_KEYS:
        raise ValueError(f"expected at most {MAX_KEYS} transactions")
    return NewBlocks(count, to, tuple(unhex(item) for item in transactions))


@method("dev_newBlock", unsafe=True)
def new_block(node: Node, options: Annotated[NewBlocks, Read(_new_blocks)] | None = None) -> Json:
    """Make blocks, empty ones too: one, or `count`, or up to the height `to`. The last one's hash."""
    wanted = options or NewBlocks()
    count = wanted.how_many or 1
    if wanted.to is not None:
        count = max(wanted.to - node.chain.head.number, 1)
    if count > MAX_BLOCKS:
        raise invalid_params(f"at most {MAX_BLOCKS} blocks at once, not {count}")
    for extrinsic in wanted.transactions:
        node.submit(extrinsic)
    for _ in range(count):
        node.author.seal(node.clock.now(), empty=True)
    return hexed(node.chain.head.hash)


@method("dev_setStorage", unsafe=True)
def set_storage(node: Node, values: Anything, block_hash: BlockHash | None = None) -> Json:
    """Write storage, given as [[key, value or null], …] in hex or as {Pallet: {Item: value}}; the hash of the
    block that holds it.
    """
    if block_hash not in (None, node.chain.head.hash):
        raise RpcError(FAILED, "storage can be set on the best block only; dev_setHead goes back to another")
    changes = changes_of(node, values)
    block = OpenBlock(node.chain, node.clock.now(), note=b"dev_setStorage")
    try:
        block.write(changes)
        return hexed(block.seal().hash)
    except Exception as error:  # whatever a runtime does over a state that makes no sense to it
        raise RpcError(FAILED, f"Error: no block can hold this: {type(error).__name__}: {error}") from None


@method("dev_setHead", unsafe=True)
def set_head(node: Node, hash_or_number: Anything) -> Json:
    """Go back to a block, by hash or number; a negative number counts from the head."""
    target: bytes | int
    if isinstance(hash_or_number, str) and len(hash_or_number) == 66:
        target = unhex(hash_or_number)
    elif isinstance(hash_or_number, int) and hash_or_number < 0:
        target = node.chain.head.number + hash_or_number
    else:
        target = _number(hash_or_number)
    try:
        node.chain.revert_to(target)
    except NodeError as error:
        raise RpcError(FAILED, f"Block not found: {error}") from None
    return hexed(node.chain.head.hash)


def _number(value: Any) -> int:
    """A height; raises `RpcError`."""
    try:
        return number(value)
    except ValueError as error:
        raise invalid_params(f"`hashOrNumber`: {error}") from None


@method("dev_timeTravel", unsafe=True)
def time_travel(node: Node, date: Anything) -> Json:
    """The next block's time, as milliseconds since 1970 or as a date; the milliseconds."""
    moment = _moment(date)
    node.clock.travel_to(moment)
    return moment


def _moment(date: Any) -> int:
    if isinstance(date, int) and not isinstance(date, bool) and 0 <= date < 1 << 53:
        return date
    for read in (datetime.fromisoformat, lambda text: datetime.strptime(text, "%b %d, %Y")):
        try:
            found = read(date)
            return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
        except (TypeError, ValueError, OverflowError):
            continue
    raise RpcError(FAILED, "Invalid date")


@method("dev_setBlockBuildMode", unsafe=True)
def set_block_build_mode(node: Node, mode: Text) -> Json:
    """Batch or Instant: blocks as soon as anything is ready. Manual: only on demand."""
    if mode not in MODES:
        raise RpcError(FAILED, f"Invalid mode {mode}")
    node.sealing.choose(MODES[mode])
