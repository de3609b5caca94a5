"""The kinds of `gristmill benchmark`: a table, name → module."""

from __future__ import annotations

import importlib
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

from primitives.command import Command

KINDS: Mapping[str, str] = {
    "pallet": "measure the calls of pallets and write their weights",
    "overhead": "measure an empty block and an empty extrinsic",
    "storage": "measure a read and a write of one key in the real database",
    "block": "execute blocks of a database again, and set the time against what they have declared",
    "extrinsic": "measure one call in blocks full of it, everything included",
    "machine": "compare this machine with the one that the weights were measured on",
    "worst-case": "fill blocks with the dearest calls, and set the time they take against what they declare",
}
"""Name → line of help; the module has the same name, with `configure` and `run`."""

_MODULES = {"pallet": "pallets"}


def _module(kind: str) -> str:
    return f"node.benchmark.{_MODULES.get(kind, kind.replace('-', '_'))}"


def configure(parser: ArgumentParser) -> None:
    """A parser for each kind."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    for kind, line in KINDS.items():
        importlib.import_module(_module(kind)).configure(kinds.add_parser(kind, help=line, description=line))


def run(arguments: Namespace) -> int:
    """Run the kind that was asked for."""
    done: int = importlib.import_module(_module(arguments.kind)).run(arguments)
    return done


COMMANDS: Mapping[str, Command] = {
    "benchmark": Command("measure what calls, blocks and the database cost", configure, run),
}
