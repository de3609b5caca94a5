"""Manual sealing: blocks are made when somebody asks, by `engine_createBlock` or `dev_newBlock`."""

from __future__ import annotations

import asyncio

from node.sealing.driver import Sealed


class Manual:
    """Never makes a block by itself."""

    def __init__(self, node: Sealed) -> None:
        pass

    async def run(self) -> None:
        await asyncio.Event().wait()
