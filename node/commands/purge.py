"""`gristmill purge-chain`: remove a chain's data."""

from __future__ import annotations

import shutil
import sys
from argparse import ArgumentParser, Namespace

from node.commands import flags


def configure_purge_chain(parser: ArgumentParser) -> None:
    """Which chain."""
    flags.add_chain(parser)
    parser.add_argument("-y", dest="yes", action="store_true", help="do not ask")


def purge_chain(arguments: Namespace) -> int:
    """Ask, and remove the chain's folder. Raises `DatabaseLocked` while a node runs on it."""
    from node.database import held_unused
    from node.folders import chain_folder

    folder = chain_folder(flags.base_path(arguments), flags.chain_spec(arguments))
    if not folder.is_dir():
        print(f'"{folder}" did not exist.', file=sys.stderr)
        return 0
    if not arguments.yes and not _agreed(f'Are you sure to remove "{folder}"? [y/N]: '):
        print("Aborted")
        return 0
    with held_unused(folder / "db"):
        shutil.rmtree(folder)
    print(f'"{folder}" removed.')
    return 0


def _agreed(question: str) -> bool:
    print(question, end="", flush=True)
    return sys.stdin.readline().strip()[:1] in ("y", "Y")
