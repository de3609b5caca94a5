"""The flags of the JSON-RPC port, with Substrate's names."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from node.errors import BadOption

if TYPE_CHECKING:
    from node.rpc.session import Limits

MIB = 1 << 20


def add_rpc(parser: ArgumentParser) -> None:
    """Where the port listens, for whom, and its limits."""
    rpc = parser.add_argument_group("JSON-RPC")
    rpc.add_argument("--rpc-port", type=int, default=9944, metavar="PORT", help="9944; 0 takes a free one")
    rpc.add_argument(
        "--rpc-external", action="store_true", help="listen on all interfaces, not only this machine's own"
    )
    rpc.add_argument(
        "--rpc-cors", metavar="ORIGINS", help="web pages that may call, separated by commas, or all"
    )
    rpc.add_argument("--rpc-methods", choices=("auto", "safe", "unsafe"), default="auto")
    rpc.add_argument("--rpc-max-request-size", type=int, default=15, metavar="MIB", help="15")
    rpc.add_argument("--rpc-max-response-size", type=int, default=15, metavar="MIB", help="15")
    rpc.add_argument(
        "--rpc-max-connections", type=int, default=1000, metavar="N", help="WebSocket clients: 1000"
    )
    rpc.add_argument(
        "--rpc-max-subscriptions-per-connection", type=int, default=1024, metavar="N", help="1024"
    )
    rpc.add_argument("--rpc-max-batch-request-len", type=int, default=1024, metavar="N", help="1024")


def check_rpc(arguments: Namespace) -> None:
    """Raises `BadOption` for what cannot be."""
    if not 0 <= arguments.rpc_port < 65536:
        raise BadOption(f"--rpc-port {arguments.rpc_port} is no port: use 0 to 65535")
    for name, value in vars(arguments).items():
        if name.startswith("rpc_max_") and value < 1:
            raise BadOption(f"--{name.replace('_', '-')} must be at least 1, not {value}")


def origins(arguments: Namespace) -> tuple[str, ...]:
    """Web pages that may call; none named: those of this machine, on a dev chain all."""
    if arguments.rpc_cors is None:
        return ("all",) if arguments.dev else ()
    return tuple(origin.strip() for origin in arguments.rpc_cors.split(",") if origin.strip())


def limits(arguments: Namespace) -> Limits:
    """The bounds of a connection."""
    from node.rpc.session import Limits

    return Limits(
        request=arguments.rpc_max_request_size * MIB,
        response=arguments.rpc_max_response_size * MIB,
        batch=arguments.rpc_max_batch_request_len,
        subscriptions=arguments.rpc_max_subscriptions_per_connection,
        connections=arguments.rpc_max_connections,
    )
