"""What a node counts while it works. Plain numbers, so that counting costs next to nothing; `report.py` gives
them Substrate's names.
"""

from __future__ import annotations

from typing import NamedTuple

from node.metrics.series import Histogram

MICROSECONDS = (5, 25, 100, 500, 1_000, 2_500, 10_000, 25_000, 100_000, 1_000_000, 10_000_000)


class Call(NamedTuple):
    """Calls that share labels: over which transport, which method, how they ended."""

    protocol: str
    method: str
    is_error: bool
    is_limited: bool


class Figures:
    """The counts of one node, in its one thread."""

    def __init__(self) -> None:
        self.calls: dict[Call, Histogram] = {}
        """Microseconds of RPC calls. Methods are the known ones, so that strangers cannot fill memory."""
        self.sessions_opened = self.sessions_closed = 0
        self.submitted = self.invalid = self.pruned = self.resubmitted = 0
        """Transactions: given to the pool, found invalid, pruned by a block, verified anew by reverts."""
        self.block_constructed, self.block_proposed, self.inherents = Histogram(), Histogram(), Histogram()
        """Seconds: building a block, building and committing it, its inherents."""
        self.transactions_in_block = 0
        self.end_reasons: dict[str, int] = {}

    def called(
        self, protocol: str, method: str, seconds: float, *, is_error: bool, is_limited: bool = False
    ) -> None:
        """An RPC call has ended."""
        key = Call(protocol, method, is_error, is_limited)
        found = self.calls.get(key)
        if found is None:
            found = self.calls[key] = Histogram(MICROSECONDS)
        found.observe(seconds * 1e6)

    def succeeded(self, protocol: str, method: str, seconds: float, times: int = 1) -> None:
        """`called` without an error, so many `times`: for calls that come by the thousand."""
        key = Call(protocol, method, False, False)
        found = self.calls.get(key)
        if found is None:
            found = self.calls[key] = Histogram(MICROSECONDS)
        found.observe(seconds * 1e6, times)

    def proposed(self, transactions: int, constructed: float, proposed: float, reason: str) -> None:
        """A block of so many transactions was built in `constructed` seconds, and committed after
        `proposed`; `reason` says why it took no more.
        """
        self.transactions_in_block = transactions
        self.block_constructed.observe(constructed)
        self.block_proposed.observe(proposed)
        self.end_reasons[reason] = self.end_reasons.get(reason, 0) + 1
