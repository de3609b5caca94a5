"""Instant sealing: as soon as anything is ready, one block with all that is ready."""

from __future__ import annotations

import asyncio

from node.authoring import Author
from node.sealing.clock import now_ms
from node.service import Node


class Instant:
    """Sleeps until the pool says that something is ready.

    While a block is being made, requests wait in their sockets; the next block takes them together. So a
    busy node makes few large blocks, and an idle one makes a block at once.
    """

    def __init__(self, node: Node, author: Author) -> None:
        self._author = author
        self._wake = asyncio.Event()
        node.pool.on_ready = self._wake.set
        if len(node.pool.ready):
            self._wake.set()

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(0)  # what has arrived by now goes into the same block
            self._author.seal(now_ms())
