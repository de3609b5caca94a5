"""What a sealing driver is, and what it needs of a node."""

from __future__ import annotations

from typing import Protocol

from node.authoring import Author
from node.clock import Clock
from node.pool import Pool


class Sealed(Protocol):
    """A node, as far as drivers are concerned."""

    author: Author
    clock: Clock
    pool: Pool


class Driver(Protocol):
    """Runs until it is cancelled; an exception out of it stops the node."""

    async def run(self) -> None: ...
