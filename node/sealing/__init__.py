"""When blocks are made. A driver decides the moment; the author and the importer are the same under each.

`DRIVERS` is the one place where a driver is added: its name on the command line, and what makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from node.authoring import Author
from node.errors import BadOption
from node.sealing.instant import Instant
from node.service import Node


class Driver(Protocol):
    """Runs until it is cancelled; an exception out of it stops the node."""

    async def run(self) -> None: ...


DRIVERS: Mapping[str, Callable[[Node, Author, str], Driver]] = {
    "instant": lambda node, author, _: Instant(node, author),
}


def chosen(sealing: str) -> Callable[[Node], Driver]:
    """What makes the driver that `--sealing NAME[=ARGUMENT]` names; raises `BadOption`."""
    name, _, argument = sealing.partition("=")
    if name not in DRIVERS:
        raise BadOption(f"--sealing knows {', '.join(DRIVERS)}, not {sealing!r}")
    return lambda node: DRIVERS[name](node, Author(node), argument)


__all__ = ["DRIVERS", "Driver", "chosen"]
