"""One transaction in the pool, and what its watchers are told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from frame.extrinsic import Checked, Vouched

Tag = bytes
Hash = bytes


@dataclass(slots=True, eq=False)
class Transaction:
    """A verified extrinsic with the tags that order it.

    `data` is the whole encoded extrinsic with its length prefix, `valid_till` the last block number in which
    it may stand, `insertion` a counter of this pool.
    """

    hash: Hash
    data: bytes
    priority: int
    requires: tuple[Tag, ...]
    provides: tuple[Tag, ...]
    valid_till: int
    insertion: int = 0
    unlocks: tuple[Hash, ...] = ()
    """Transactions in the ready queue that wait for a tag of this one."""
    satisfied: int = 0
    """How many of `requires` are provided by no other transaction in the queue."""
    judged: int = 0
    """The best block when it was last verified."""
    checked: Checked | Vouched | None = None
    """What judging it made of `data`, or has left of that, for the block."""

    @property
    def order(self) -> tuple[int, int, int]:
        """Smallest first: priority high to low, then the sooner to expire, then the older."""
        return (-self.priority, self.valid_till, self.insertion)

    @property
    def worth(self) -> tuple[int, int]:
        """Smallest leaves first when the pool is full: lowest priority, then the older."""
        return (self.priority, self.insertion)


class Phase(StrEnum):
    """The states of `author_submitAndWatchExtrinsic`, by their JSON names."""

    FUTURE = "future"
    READY = "ready"
    IN_BLOCK = "inBlock"
    RETRACTED = "retracted"
    FINALITY_TIMEOUT = "finalityTimeout"
    FINALIZED = "finalized"
    USURPED = "usurped"
    DROPPED = "dropped"
    INVALID = "invalid"


FINAL = frozenset({Phase.FINALITY_TIMEOUT, Phase.FINALIZED, Phase.USURPED, Phase.DROPPED, Phase.INVALID})
"""After one of these a watcher hears nothing more."""


class Status(NamedTuple):
    """A phase, and the hash that belongs to it: the block, or the transaction that took its place."""

    phase: Phase
    hash: Hash | None = None

    def to_json(self) -> str | dict[str, str]:
        """Substrate's JSON: a bare name, or the name with a hash."""
        return str(self.phase) if self.hash is None else {str(self.phase): f"0x{self.hash.hex()}"}
