"""The node's part of the `gristmill` command: a table from a word to the module that has its flags and runs
it. A module is imported when its word is used.

Words and flags are Substrate's where they mean something without peers.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from primitives.command import Command


def _command(module: str, name: str, help: str) -> Command:
    """The command whose module has `configure_<name>` and `<name>`."""

    def found() -> Any:
        return import_module(f"node.commands.{module}")

    def configure(parser: ArgumentParser) -> None:
        getattr(found(), f"configure_{name}")(parser)

    def run(arguments: Namespace) -> int:
        done: int = getattr(found(), name)(arguments)
        return done

    return Command(help, configure, run)


COMMANDS: Mapping[str, Command] = {
    "node": _command("run", "node", "run a node"),
    "chain-info": _command("inspect", "chain_info", "print a chain's genesis, and the head of its database"),
    "check-block": _command("blocks", "check_block", "execute a block of the database again"),
    "export-blocks": _command("blocks", "export_blocks", "write blocks to a file, in SCALE or JSON"),
    "import-blocks": _command("blocks", "import_blocks", "execute and keep the blocks of a file"),
    "revert": _command("blocks", "revert", "take the newest blocks back"),
    "export-state": _command("inspect", "export_state", "write the state of a block as a raw chain spec"),
    "try-state": _command("try_runtime", "try_state", "check every invariant of a state"),
    "try-upgrade": _command("try_runtime", "try_upgrade", "try this program's migrations on a state"),
    "purge-chain": _command("purge", "purge_chain", "remove the database of a chain"),
}
