"""The flags that most commands share: which chain, where its data are, what the log says."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from node.errors import BadOption, NoDatabase

if TYPE_CHECKING:
    from chain_spec import ChainSpec
    from node.chain import Chain
    from node.database import Pruning

MIB = 1 << 20
DEFAULT_CACHE = 64


def add_chain(parser: ArgumentParser) -> None:
    """Which chain, where, and what is logged."""
    parser.add_argument(
        "--chain", metavar="ID|FILE", help="dev, local (default), or the file of a chain spec"
    )
    parser.add_argument("--dev", action="store_true", help="the chain `dev`")
    add_base_path(parser)
    add_log(parser)


def add_base_path(parser: ArgumentParser) -> None:
    parser.add_argument(
        "-d",
        "--base-path",
        type=Path,
        metavar="PATH",
        help=f"where the data are kept ({default_base_path()})",
    )


def add_log(parser: ArgumentParser) -> None:
    parser.add_argument(
        "-l",
        "--log",
        default="",
        metavar="[TARGET=]LEVEL,…",
        help="what to log: error, warn, info (default), debug, trace or off, for all or for a target "
        "such as rpc, txpool, sealing or runtime",
    )


def add_database(parser: ArgumentParser) -> None:
    """How the database is used."""
    group = parser.add_argument_group("database")
    group.add_argument(
        "--state-pruning",
        metavar="MODE",
        help="old states to keep: archive (all), archive-canonical, or the number of final blocks. "
        "Default: 256, or as the database was made; an archive stays one, the number may change",
    )
    group.add_argument(
        "--blocks-pruning",
        metavar="MODE",
        default="archive-canonical",
        help="block bodies to keep: archive, archive-canonical (default), or the number of final blocks",
    )
    group.add_argument(
        "--db-cache",
        type=int,
        default=DEFAULT_CACHE,
        metavar="MIB",
        help=f"RocksDB's block cache: {DEFAULT_CACHE}",
    )
    group.add_argument(
        "--db-sync",
        choices=("on", "off"),
        default="on",
        help="on (default): each block is on the disk before anybody hears of it. off: faster, but a power "
        "cut or a crash of the system may cost the last blocks, which were reported as final. A crash of "
        "the node itself costs nothing, and what is left is whole either way",
    )
    group.add_argument(
        "--database", choices=("auto", "rocksdb"), default="auto", help="accepted: it is RocksDB"
    )


def chain_spec(arguments: Namespace) -> ChainSpec:
    """The chain that the flags name."""
    from chain_spec import resolve

    return resolve(arguments.chain or ("dev" if arguments.dev else "local"))


def default_base_path() -> Path:
    """Where Substrate's nodes keep theirs: the user's folder for data."""
    told = os.environ.get("XDG_DATA_HOME")
    data = Path(told) if told and Path(told).is_absolute() else Path.home() / ".local" / "share"
    return data / "gristmill"


def base_path(arguments: Namespace) -> Path:
    """The base path that the flags name, else the default."""
    return Path(arguments.base_path or default_base_path())


def pruning(arguments: Namespace) -> Pruning:
    """What to keep; raises `BadOption`."""
    from node.database import Mode, Pruning

    state = arguments.state_pruning
    return Pruning(
        None if state is None else Mode.parse(state, "--state-pruning"),
        Mode.parse(arguments.blocks_pruning, "--blocks-pruning"),
    )


def cache_bytes(arguments: Namespace) -> int:
    """The size of the block cache; raises `BadOption`."""
    if not 1 <= arguments.db_cache <= 1 << 20:
        raise BadOption(f"--db-cache takes 1 to {1 << 20} MiB, not {arguments.db_cache}")
    return int(arguments.db_cache) * MIB


@contextmanager
def open_chain(arguments: Namespace, *, create: bool = False) -> Iterator[Chain]:
    """The chain in the database that the flags name, for a command that works without a running node.

    Raises `NoDatabase` if there is none and `create` is false, and what opening raises.
    """
    from node import log
    from node.database import Database
    from node.folders import database_folder
    from node.run import open_chain as opened
    from runtime import runtime

    log.start(arguments.log)
    spec = chain_spec(arguments)
    folder = database_folder(base_path(arguments), spec)
    if not create and not folder.is_dir():
        raise NoDatabase(f"there is no database of chain {spec.id} in {folder}: see --chain and --base-path")
    options = (
        {"sync": arguments.db_sync == "on", "pruning": pruning(arguments), "cache": cache_bytes(arguments)}
        if "db_sync" in arguments
        else {}
    )
    with Database.open(folder, **options) as database:
        yield opened(spec, database, runtime())
