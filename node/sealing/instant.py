"""Instant sealing: as soon as anything is ready, one block with all that is ready."""

from __future__ import annotations

import asyncio
import time

from node.sealing.driver import Sealed

LONGEST = 0.25
"""Seconds that a block may be put off while more transactions arrive."""
FEW = 32
"""So few make a block at once, if the loop's next turn brings no more."""
BETWEEN = 0.002
"""Seconds after which one looks for more again."""
MANY = 2500
"""Transactions that fill a block; then nothing is waited for."""


class Instant:
    """Sleeps until the pool says that something is ready.

    While a block is being made, requests wait in their sockets; the next block takes them together. So a
    busy node makes few large blocks, and an idle one makes a block at once.
    """

    def __init__(self, node: Sealed) -> None:
        self._node = node
        self._wake = asyncio.Event()

    async def _gather(self) -> None:
        """What has arrived by now goes into the same block. Where many come, more are waited for as long as
        they come: each block costs a sync of the disk and its share of the trie.
        """
        pool, until, seen = self._node.pool, time.monotonic() + LONGEST, -1
        while (pool.expected or seen != len(pool.ready)) and time.monotonic() < until:
            seen = len(pool.ready)
            if seen >= MANY:
                return
            await asyncio.sleep(0 if seen < FEW and not pool.expected else BETWEEN)

    async def run(self) -> None:
        pool, author, clock = self._node.pool, self._node.author, self._node.clock
        pool.on_ready = self._wake.set
        if len(pool.ready):
            self._wake.set()
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._gather()
                author.seal(clock.now())
        finally:
            pool.on_ready = lambda: None
