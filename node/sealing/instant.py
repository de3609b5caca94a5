"""Instant sealing: as soon as anything is ready, one block with all that is ready."""

from __future__ import annotations

import asyncio

from node.sealing.driver import Sealed


class Instant:
    """Sleeps until the pool says that something is ready.

    While a block is being made, requests wait in their sockets; the next block takes them together. So a
    busy node makes few large blocks, and an idle one makes a block at once.
    """

    def __init__(self, node: Sealed) -> None:
        self._node = node
        self._wake = asyncio.Event()

    async def run(self) -> None:
        pool, author, clock = self._node.pool, self._node.author, self._node.clock
        pool.on_ready = self._wake.set
        if len(pool.ready):
            self._wake.set()
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await asyncio.sleep(0)  # what has arrived by now goes into the same block
                author.seal(clock.now())
        finally:
            pool.on_ready = lambda: None
