"""When blocks are made. A driver decides the moment; the author and the importer are the same under each.

`DRIVERS` is the one place where a driver is added: its name on the command line, and what makes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from node.errors import BadOption
from node.sealing.driver import Driver, Sealed
from node.sealing.instant import Instant
from node.sealing.interval import Interval
from node.sealing.manual import Manual

Make = Callable[[Sealed], Driver]

DRIVERS: Mapping[str, Callable[[str], Make]] = {
    "instant": lambda _: Instant,
    "manual": lambda _: Manual,
    "interval": Interval.every,
}
ARGUMENTS = {"interval": "interval=MS"}


def chosen(sealing: str) -> Make:
    """What makes the driver that `NAME[=ARGUMENT]` names, as `--sealing` has it; raises `BadOption`."""
    name, given, argument = sealing.partition("=")
    if name not in DRIVERS or bool(given) != (name in ARGUMENTS):
        known = ", ".join(ARGUMENTS.get(name, name) for name in DRIVERS)
        raise BadOption(f"--sealing knows {known}, not {sealing!r}")
    return DRIVERS[name](argument)


class Sealing:
    """The driver of a node, which may change while it runs."""

    def __init__(self, node: Sealed) -> None:
        self._node = node
        self._changed = asyncio.Event()
        self.choose("instant")

    def choose(self, sealing: str) -> None:
        """Go over to another driver; raises `BadOption`, and the old one goes on."""
        self._driver = chosen(sealing)(self._node)
        self.name = sealing
        self._changed.set()

    async def run(self) -> None:
        """Seal until cancelled; an exception of a driver comes out of here."""
        while True:
            self._changed.clear()
            working, changed = (
                asyncio.create_task(self._driver.run()),
                asyncio.create_task(self._changed.wait()),
            )
            try:
                await asyncio.wait([working, changed], return_when=asyncio.FIRST_COMPLETED)
            finally:
                changed.cancel()
                working.cancel()
                [outcome] = await asyncio.gather(working, return_exceptions=True)
            if isinstance(outcome, Exception):
                raise outcome


__all__ = ["DRIVERS", "Driver", "Sealing", "chosen"]
