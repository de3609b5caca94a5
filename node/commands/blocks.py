"""`gristmill check-block`, `export-blocks`, `import-blocks` and `revert`: a chain's blocks without a node."""

from __future__ import annotations

import logging
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from node.commands import flags
from node.commands.block_names import add_block, block_named
from node.errors import BadOption
from primitives.files import whole_file

log = logging.getLogger("node")

EVERY = 10_000
"""Blocks between two lines about the progress."""
SECONDS = 5.0
"""Seconds between them when blocks are slow."""


def configure_check_block(parser: ArgumentParser) -> None:
    """Which block."""
    add_block(parser, "which one (default: the best)")
    flags.add_chain(parser)


def check_block(arguments: Namespace) -> int:
    """Execute a block of the database again on its parent's state, with no signature taken as verified.

    Raises `BadBlock` if it does not hold, `UnknownBlock` if the parent's state is kept no more.
    """
    with flags.open_chain(arguments) as chain:
        head = block_named(chain, arguments.block)
        began = time.perf_counter()
        chain.check_block(head.hash)
        took = (time.perf_counter() - began) * 1000
    print(f"Block #{head.number} (0x{head.hash.hex()}) completed in {took:.0f} ms.")
    return 0


def configure_export_blocks(parser: ArgumentParser) -> None:
    """Which blocks, in what form, where to."""
    parser.add_argument("output", nargs="?", type=Path, metavar="FILE", help="write there (default: stdout)")
    parser.add_argument("--from", dest="first", type=int, default=1, metavar="BLOCK", help="the first one: 1")
    parser.add_argument("--to", dest="last", type=int, metavar="BLOCK", help="the last one: the best")
    parser.add_argument("--binary", action="store_true", help="SCALE instead of JSON, as Substrate's")
    flags.add_chain(parser)


def export_blocks(arguments: Namespace) -> int:
    """Write the blocks; raises `BadOption` for a range that is none, `UnknownBlock` for a pruned body."""
    from node.block_file import write_blocks

    with flags.open_chain(arguments) as chain:
        last = chain.head.number if arguments.last is None else arguments.last
        if not 0 <= arguments.first <= last <= chain.head.number:
            raise BadOption(
                f"Invalid block range specified: #{arguments.first} to #{last} of #{chain.head.number}"
            )
        log.info("Exporting blocks from #%d to #%d", arguments.first, last)
        with _output(arguments.output) as file:
            write_blocks(file, chain, arguments.first, last, binary=arguments.binary)
    return 0


@contextmanager
def _output(path: Path | None) -> Iterator[BinaryIO]:
    """The file, complete or not there at all; or stdout."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with whole_file(path) as file:
        yield file


def configure_import_blocks(parser: ArgumentParser) -> None:
    """Where from, and how the database is used."""
    parser.add_argument(
        "input", nargs="?", type=Path, metavar="FILE", help="read from there (default: stdin)"
    )
    parser.add_argument("--binary", action="store_true", help="SCALE instead of JSON, as Substrate's")
    flags.add_chain(parser)
    flags.add_database(parser)


def import_blocks(arguments: Namespace) -> int:
    """Execute and keep the blocks; those that are there already are passed over. What was imported before an
    error stays.

    Raises `BadBlock`, `BadBlockFile`.
    """
    from node.block_file import read_blocks

    with _input(arguments.input) as file, flags.open_chain(arguments, create=True) as chain:
        began, told, said = time.monotonic(), time.monotonic(), 0
        kept = 0
        for count, block in enumerate(read_blocks(file, binary=arguments.binary), 1):
            kept += chain.import_or_skip(block)
            now = time.monotonic()
            if count - said >= EVERY or now - told >= SECONDS:
                log.info("#%d: %.1f bps", chain.head.number, (count - said) / max(now - told, 0.001))
                told, said = now, count
        seconds = time.monotonic() - began
        log.info("🎉 Imported %d blocks in %.1f s. Best: #%d", kept, seconds, chain.head.number)
    return 0


@contextmanager
def _input(path: Path | None) -> Iterator[BinaryIO]:
    if path is None:
        yield sys.stdin.buffer
        return
    with path.open("rb") as file:
        yield file


def configure_revert(parser: ArgumentParser) -> None:
    """How far."""
    parser.add_argument(
        "blocks", nargs="?", type=int, default=256, metavar="N", help="how many blocks to take back: 256"
    )
    flags.add_chain(parser)


def revert(arguments: Namespace) -> int:
    """Take the newest blocks back, as far as states are kept. There are no forks here, so finality is taken
    back too.
    """
    if arguments.blocks < 0:
        raise BadOption(f"{arguments.blocks} is no number of blocks")
    with flags.open_chain(arguments) as chain:
        oldest = chain.database.oldest_state
        target = max(chain.head.number - arguments.blocks, oldest)
        count = chain.head.number - target
        chain.revert_to(target)
        head = chain.head
    if not count:
        print("There aren't any blocks to revert.")
    else:
        print(f"Reverted {count} blocks. Best: #{head.number} (0x{head.hash.hex()})")
    return 0
