"""`gristmill node`: run a node until it is interrupted."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from node.commands import flags
from node.commands.rpc_flags import add_rpc, check_rpc, host, limits, origins, workers
from node.errors import BadOption

if TYPE_CHECKING:
    from chain_spec import ChainSpec
    from node.pool import PoolConfig
    from node.run import Options, Prometheus

IDLE_FLAGS = (
    "--validator",
    "--force-authoring",
    "--no-grandpa",
    "--no-telemetry",
    "--no-mdns",
    "--no-private-ip",
    "--no-hardware-benchmarks",
    "--disable-log-color",
    "--detailed-log-output",
    "--unsafe-force-node-key-generation",
)
IDLE_OPTIONS = (
    "--port",
    "--listen-addr",
    "--public-addr",
    "--telemetry-url",
    "--pool-type",
    "--offchain-worker",
    "--max-runtime-instances",
)
SIGNERS = ("alice", "bob", "charlie", "dave", "eve", "ferdie")


def configure_node(parser: ArgumentParser) -> None:
    """The flags, with Substrate's names."""
    parser.add_argument(
        "--dev",
        action="store_true",
        help="the dev chain, open to web pages; a temporary folder unless --base-path",
    )
    parser.add_argument("--chain", metavar="ID|FILE", help="dev, local, or the file of a chain specification")
    flags.add_base_path(parser)
    parser.add_argument(
        "--tmp", action="store_true", help="keep the data in a temporary folder, removed at the end"
    )
    parser.add_argument("--name", metavar="NAME", help="a name for the log and for `system_name`'s readers")
    keys = parser.add_mutually_exclusive_group()
    keys.add_argument("--node-key", metavar="HEX", help="the node's ed25519 key; others may see it in `ps`")
    keys.add_argument(
        "--node-key-file",
        type=Path,
        metavar="FILE",
        help="the same in a file, raw or hex (default: in the base path, made on first use)",
    )
    parser.add_argument(
        "--sealing",
        default="instant",
        metavar="HOW",
        help="when blocks are made: instant (default, as soon as anything is ready), manual (by "
        "engine_createBlock or dev_newBlock) or interval=MS",
    )
    flags.add_log(parser)
    flags.add_database(parser)
    add_rpc(parser)
    _add_metrics(parser)
    _add_pool(parser)
    _add_seats(parser)


def _add_metrics(parser: ArgumentParser) -> None:
    metrics = parser.add_argument_group("metrics")
    metrics.add_argument(
        "--prometheus-port",
        type=int,
        metavar="PORT",
        help="where Prometheus reads metrics: 9615, unless it is taken; 0 takes a free one",
    )
    metrics.add_argument(
        "--prometheus-external", action="store_true", help="on all interfaces, not only this machine's own"
    )
    metrics.add_argument("--no-prometheus", action="store_true", help="serve no metrics")


def _add_pool(parser: ArgumentParser) -> None:
    pool = parser.add_argument_group("transaction pool")
    pool.add_argument("--pool-limit", type=int, default=8192, metavar="N", help="ready transactions: 8192")
    pool.add_argument("--pool-kbytes", type=int, default=20480, metavar="KIB", help="their bytes: 20480")
    pool.add_argument(
        "--tx-ban-seconds", type=int, metavar="S", help="how long an invalid one is refused: 1800; dev: 0"
    )


def _add_seats(parser: ArgumentParser) -> None:
    seats = parser.add_argument_group("accepted, and without effect on a chain without peers and validators")
    for signer in SIGNERS:
        seats.add_argument(f"--{signer}", action="store_true", help=f"as --name {signer.title()}")
    for flag in IDLE_FLAGS:
        seats.add_argument(flag, action="store_true")
    for flag in IDLE_OPTIONS:
        seats.add_argument(flag, metavar="…")


def node(arguments: Namespace) -> int:
    """Run until interrupted."""
    import gc

    gc.disable()  # it would walk, again and again, what is being loaded: a fifth of the time to boot

    import asyncio

    from node import log

    log.start(arguments.log)
    chosen = options(arguments)  # what makes no sense is said before anything heavy is loaded

    from node.run import run
    from runtime import runtime

    asyncio.run(run(chosen, runtime()))
    return 0


def options(arguments: Namespace) -> Options:
    """What the flags mean; raises `BadOption`."""
    _check(arguments)

    from node.run import Options

    spec = flags.chain_spec(arguments)
    return Options(
        spec=spec,
        base_path=_base_path(arguments),
        rpc_host=host(arguments),
        rpc_port=arguments.rpc_port,
        rpc_cors=origins(arguments),
        rpc_workers=workers(arguments),
        limits=limits(arguments),
        sealing=arguments.sealing,
        name=_name(arguments),
        node_key=_node_key(arguments),
        sync=arguments.db_sync == "on",
        pruning=flags.pruning(arguments),
        cache=flags.cache_bytes(arguments),
        pool=_pool(arguments, spec),
        prometheus=_prometheus(arguments),
    )


def _check(arguments: Namespace) -> None:
    """Raises `BadOption` for what makes no sense, which is to be told by the flags alone."""
    check_rpc(arguments)
    if arguments.tmp and arguments.base_path is not None:
        raise BadOption("--tmp and --base-path exclude each other")
    _name(arguments)
    flags.cache_bytes(arguments)
    port = arguments.prometheus_port
    if port is not None and not 0 <= port < 65536:
        raise BadOption(f"--prometheus-port {port} is no port: use 0 to 65535")
    for flag, value in (
        ("--pool-limit", arguments.pool_limit),
        ("--pool-kbytes", arguments.pool_kbytes),
    ):
        if not 1 <= value <= 1 << 24:
            raise BadOption(f"{flag} takes 1 to {1 << 24}, not {value}")
    if (arguments.tx_ban_seconds or 0) < 0:
        raise BadOption(f"--tx-ban-seconds is no time before now: {arguments.tx_ban_seconds}")


def _prometheus(arguments: Namespace) -> Prometheus | None:
    from node.run import Prometheus

    port = arguments.prometheus_port
    if arguments.no_prometheus:
        return None
    host = "0.0.0.0" if arguments.prometheus_external else "127.0.0.1"
    return Prometheus(host, 9615 if port is None else port, port is not None)


def _base_path(arguments: Namespace) -> Path | None:
    if arguments.tmp or (arguments.dev and arguments.base_path is None):
        return None
    return flags.base_path(arguments)


def _name(arguments: Namespace) -> str:
    seats = [signer for signer in SIGNERS if getattr(arguments, signer)]
    if len(seats) > 1:
        raise BadOption(f"a node is one of them: --{' or --'.join(seats)}")
    return str(arguments.name or (seats[0].title() if seats else ""))


def _node_key(arguments: Namespace) -> bytes | None:
    from node.folders import read_network_key
    from primitives.keys import SecretError
    from primitives.node_key import parse

    if arguments.node_key_file is not None:
        return read_network_key(arguments.node_key_file)
    if arguments.node_key is None:
        return None
    try:
        return parse(arguments.node_key.encode())
    except SecretError as error:
        raise BadOption(f"--node-key: {error}") from None


def _pool(arguments: Namespace, spec: ChainSpec) -> PoolConfig:
    """A tenth of the room for those that wait for others, as Substrate has it."""
    from node.pool import Limits, PoolConfig

    count, kbytes, ban = arguments.pool_limit, arguments.pool_kbytes, arguments.tx_ban_seconds
    if ban is None:
        ban = 0 if spec.chain_type == "Development" else 1800
    return PoolConfig(
        ready=Limits(count, kbytes * 1024),
        future=Limits(max(count // 10, 1), kbytes * 1024 // 10),
        ban_seconds=float(ban),
    )
