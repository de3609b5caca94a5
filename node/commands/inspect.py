"""`gristmill chain-info` and `gristmill export-state`: what a chain is, and its state at a block."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from node.commands import flags
from node.commands.block_names import add_block, block_named
from primitives.files import write_whole

if TYPE_CHECKING:
    from node.chain import Chain
    from node.database import BlockState


def configure_chain_info(parser: ArgumentParser) -> None:
    """Which chain."""
    flags.add_chain(parser)
    parser.add_argument(
        "--state-version",
        type=int,
        choices=(0, 1),
        help="trie layout of the genesis state (default: what the spec's :code says)",
    )
    parser.add_argument("--json", action="store_true", help="accepted; the output is JSON always")


def chain_info(arguments: Namespace) -> int:
    """Print, as one JSON object, the chain's genesis and, if the base path has its database, the head."""
    from chain_spec.cli import describe
    from node.folders import database_folder

    spec = flags.chain_spec(arguments)
    info = describe(spec, arguments.state_version)
    folder = database_folder(flags.base_path(arguments), spec)
    if folder.is_dir():
        with flags.open_chain(arguments) as chain:
            info |= {"database": _database_info(chain, folder)}
    print(json.dumps(info, indent=2))
    return 0


def _database_info(chain: Chain, folder: Path) -> dict[str, Any]:
    database, finalized = chain.database, chain.finalized
    return {
        "path": str(folder),
        "best_number": chain.head.number,
        "best_hash": "0x" + chain.head.hash.hex(),
        "finalized_number": finalized.number,
        "finalized_hash": "0x" + finalized.hash.hex(),
        "state_pruning": str(database.state_pruning.keep or database.state_pruning.name),
        "oldest_state": database.oldest_state,
    }


def configure_export_state(parser: ArgumentParser) -> None:
    """Which block, and where to."""
    add_block(parser, "whose state (default: the best block's)")
    flags.add_chain(parser)
    parser.add_argument("--output", type=Path, metavar="FILE", help="write there instead of to stdout")


def export_state(arguments: Namespace) -> int:
    """Write a raw chain spec whose genesis is the state after the block."""
    from chain_spec import RawGenesis

    with flags.open_chain(arguments) as chain:
        head = block_named(chain, arguments.block)
        state = chain.state(head.hash)
        top = dict(_pairs(state, None))
        children = {name: dict(_pairs(state, name)) for name in _child_names(top)}
    top = {key: value for key, value in top.items() if not key.startswith(_child_prefix())}
    text = flags.chain_spec(arguments).with_genesis(RawGenesis(top, children)).to_json() + "\n"
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        write_whole(arguments.output, text.encode())
    return 0


def _child_prefix() -> bytes:
    from primitives.trie import CHILD_PREFIX

    return CHILD_PREFIX


def _child_names(top: dict[bytes, bytes]) -> list[bytes]:
    prefix = _child_prefix()
    return [key.removeprefix(prefix) for key in top if key.startswith(prefix)]


def _pairs(state: BlockState, child: bytes | None) -> Iterator[tuple[bytes, bytes]]:
    key: bytes | None = b""
    while key is not None:
        value = state.get(key, child)
        if value is not None:
            yield key, value
        key = state.next_key(key, child)
