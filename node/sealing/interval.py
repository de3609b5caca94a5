"""Interval sealing: a block every so many milliseconds, empty or not, as chains with peers make them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from node.errors import BadOption
from node.sealing.driver import Sealed

LONGEST = 24 * 3600 * 1000


class Interval:
    """A block at every beat. A beat that a long block has eaten is left out, not caught up with."""

    def __init__(self, node: Sealed, milliseconds: int) -> None:
        self._node = node
        self._seconds = milliseconds / 1000

    @classmethod
    def every(cls, argument: str) -> Callable[[Sealed], Interval]:
        """From the text behind `interval=`; raises `BadOption`."""
        digits = argument.isascii() and argument.isdigit() and len(argument) <= 9
        if not (digits and 1 <= int(argument) <= LONGEST):
            raise BadOption(f"--sealing interval=MS takes 1 to {LONGEST} milliseconds, not {argument!r}")
        return lambda node: cls(node, int(argument))

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        beat = loop.time()
        while True:
            beat = max(beat + self._seconds, loop.time())
            await asyncio.sleep(beat - loop.time())
            self._node.author.seal(self._node.clock.now(), empty=True)
