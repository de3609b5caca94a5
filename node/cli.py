"""`gristmill node`: the command line that Substrate users know, where it means something without peers."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from node.errors import BadOption
from primitives.command import Command

if TYPE_CHECKING:
    from node.rpc.session import Limits
    from node.run import Options

SIGNERS = ("alice", "bob", "charlie", "dave", "eve", "ferdie")
MEBI = 1024 * 1024


def configure(parser: ArgumentParser) -> None:
    """The flags, with Substrate's names."""
    parser.add_argument(
        "--dev",
        action="store_true",
        help="the dev chain, open to web pages; a temporary folder unless --base-path",
    )
    parser.add_argument("--chain", metavar="ID|FILE", help="dev, local, or the file of a chain specification")
    parser.add_argument("-d", "--base-path", type=Path, metavar="PATH", help="where the node keeps its data")
    parser.add_argument(
        "--tmp", action="store_true", help="keep the data in a temporary folder, removed at the end"
    )
    parser.add_argument("--name", default="", help="a name for the log")
    parser.add_argument(
        "--sealing", default="instant", metavar="HOW", help="when blocks are made: instant (default)"
    )
    parser.add_argument(
        "--db-sync", choices=("on", "off"), default="on", help="off: a power cut may cost the last blocks"
    )
    parser.add_argument(
        "-l", "--log", default="", metavar="[TARGET=]LEVEL,…", help="error, warn, info, debug"
    )
    rpc = parser.add_argument_group("JSON-RPC")
    rpc.add_argument("--rpc-port", type=int, default=9944, metavar="PORT", help="9944; 0 takes a free one")
    rpc.add_argument(
        "--rpc-external", action="store_true", help="listen on all interfaces, not only this machine's own"
    )
    rpc.add_argument(
        "--rpc-cors", metavar="ORIGINS", help="web pages that may call, separated by commas, or all"
    )
    rpc.add_argument("--rpc-max-request-size", type=int, default=15, metavar="MIB", help="15")
    rpc.add_argument("--rpc-max-response-size", type=int, default=15, metavar="MIB", help="15")
    rpc.add_argument(
        "--rpc-max-connections", type=int, default=1000, metavar="N", help="WebSocket clients: 1000"
    )
    rpc.add_argument(
        "--rpc-max-subscriptions-per-connection", type=int, default=1024, metavar="N", help="1024"
    )
    rpc.add_argument("--rpc-max-batch-request-len", type=int, default=1024, metavar="N", help="1024")
    seats = parser.add_argument_group("accepted, and without effect on a chain without validators")
    for signer in SIGNERS:
        seats.add_argument(f"--{signer}", action="store_true")
    seats.add_argument("--rpc-methods", choices=("auto", "safe", "unsafe"), default="auto")
    for flag in ("--validator", "--force-authoring"):
        seats.add_argument(flag, action="store_true")


def node(arguments: Namespace) -> int:
    """Run until interrupted."""
    import asyncio

    from node import log
    from node.run import run
    from runtime import runtime

    log.start(arguments.log)
    asyncio.run(run(options(arguments), runtime()))
    return 0


def options(arguments: Namespace) -> Options:
    """What the flags mean."""
    from chain_spec import resolve
    from node.run import Options

    _check(arguments)
    spec = resolve(arguments.chain or ("dev" if arguments.dev else "local"))
    return Options(
        spec=spec,
        base_path=_base_path(arguments),
        rpc_host="0.0.0.0" if arguments.rpc_external else "127.0.0.1",
        rpc_port=arguments.rpc_port,
        rpc_cors=_origins(arguments),
        limits=_limits(arguments),
        sealing=arguments.sealing,
        name=arguments.name,
        sync=arguments.db_sync == "on",
    )


def _check(arguments: Namespace) -> None:
    if not 0 <= arguments.rpc_port < 65536:
        raise BadOption(f"--rpc-port {arguments.rpc_port} is no port: use 0 to 65535")
    for name, value in vars(arguments).items():
        if name.startswith("rpc_max_") and value < 1:
            raise BadOption(f"--{name.replace('_', '-')} must be at least 1, not {value}")
    if arguments.tmp and arguments.base_path is not None:
        raise BadOption("--tmp and --base-path exclude each other")


def _base_path(arguments: Namespace) -> Path | None:
    if arguments.tmp or (arguments.dev and arguments.base_path is None):
        return None
    return Path(arguments.base_path or Path.home() / ".local" / "share" / "gristmill")


def _origins(arguments: Namespace) -> tuple[str, ...]:
    if arguments.rpc_cors is None:
        return ("all",) if arguments.dev else ()
    return tuple(origin.strip() for origin in arguments.rpc_cors.split(",") if origin.strip())


def _limits(arguments: Namespace) -> Limits:
    from node.rpc.session import Limits

    return Limits(
        request=arguments.rpc_max_request_size * MEBI,
        response=arguments.rpc_max_response_size * MEBI,
        batch=arguments.rpc_max_batch_request_len,
        subscriptions=arguments.rpc_max_subscriptions_per_connection,
        connections=arguments.rpc_max_connections,
    )


COMMANDS: Mapping[str, Command] = {"node": Command("run a node", configure, node)}
