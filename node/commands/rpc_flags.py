"""The flags of the JSON-RPC port, with Substrate's names."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from node.errors import BadOption

if TYPE_CHECKING:
    from node.rpc.rate import Network
    from node.rpc.session import Limits

BOUNDS = ("rpc_max_", "rpc_message_", "rpc_rate_limit")
MIB = 1 << 20
MOST_WORKERS = 4
"""Unless the operator asks for more."""


def add_rpc(parser: ArgumentParser) -> None:
    """Where the port listens, for whom, and its limits."""
    rpc = parser.add_argument_group("JSON-RPC")
    rpc.add_argument("--rpc-port", type=int, default=9944, metavar="PORT", help="9944; 0 takes a free one")
    rpc.add_argument(
        "--rpc-external", action="store_true", help="listen on all interfaces, not only this machine's own"
    )
    rpc.add_argument(
        "--unsafe-rpc-external", action="store_true", help="the same, for a --validator that knows the risk"
    )
    rpc.add_argument(
        "--rpc-methods",
        choices=("auto", "safe", "unsafe"),
        default="auto",
        help="which methods anybody may call; auto: the unsafe ones too, if only this machine can call",
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
    batches = rpc.add_mutually_exclusive_group()
    batches.add_argument("--rpc-max-batch-request-len", type=int, default=1024, metavar="N", help="1024")
    batches.add_argument("--rpc-disable-batch-requests", action="store_true", help="no batches at all")
    rpc.add_argument(
        "--rpc-message-buffer-capacity-per-connection",
        type=int,
        default=4096,
        metavar="N",
        help="messages that wait for a slow WebSocket client before it is cut off: 4096",
    )
    rpc.add_argument(
        "--rpc-workers",
        type=int,
        metavar="N",
        help="processes that serve WebSockets and verify signatures; 0: the node does it all. Default: one "
        "less than there are cores, at most 4",
    )
    rpc.add_argument("--rpc-rate-limit", type=int, metavar="N", help="calls a minute of one connection")
    rpc.add_argument(
        "--rpc-rate-limit-whitelisted-ips",
        nargs="+",
        default=[],
        metavar="IP",
        help="addresses or CIDR ranges that may call as often as they like",
    )
    rpc.add_argument(
        "--rpc-rate-limit-trust-proxy-headers",
        action="store_true",
        help="count by X-Real-IP, X-Forwarded-For or Forwarded: only behind a proxy that sets them",
    )


def check_rpc(arguments: Namespace) -> None:
    """Raises `BadOption` for what cannot be."""
    if not 0 <= arguments.rpc_port < 65536:
        raise BadOption(f"--rpc-port {arguments.rpc_port} is no port: use 0 to 65535")
    for name, value in vars(arguments).items():
        if name.startswith(BOUNDS) and isinstance(value, int) and not isinstance(value, bool) and value < 1:
            raise BadOption(f"--{name.replace('_', '-')} must be at least 1, not {value}")
    if arguments.rpc_external and arguments.validator and arguments.rpc_methods != "unsafe":
        raise BadOption(
            "--rpc-external option shouldn't be used if the node is running as a validator. Use "
            "--unsafe-rpc-external or --rpc-methods=unsafe if you understand the risks"
        )


def host(arguments: Namespace) -> str:
    """The address to listen on."""
    return "0.0.0.0" if arguments.rpc_external or arguments.unsafe_rpc_external else "127.0.0.1"


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
        batch=0 if arguments.rpc_disable_batch_requests else arguments.rpc_max_batch_request_len,
        subscriptions=arguments.rpc_max_subscriptions_per_connection,
        connections=arguments.rpc_max_connections,
        unsafe=_unsafe(arguments),
        messages=arguments.rpc_message_buffer_capacity_per_connection,
        rate=arguments.rpc_rate_limit,
        rate_exempt=_exempt(arguments),
        trust_proxy=arguments.rpc_rate_limit_trust_proxy_headers,
    )


def _unsafe(arguments: Namespace) -> bool:
    """As Substrate decides: `auto` trusts whoever can reach a port that only this machine can reach."""
    here = host(arguments) == "127.0.0.1"
    return bool(arguments.rpc_methods == "unsafe" or (arguments.rpc_methods == "auto" and here))


def _exempt(arguments: Namespace) -> tuple[Network, ...]:
    from node.rpc.rate import networks

    try:
        return networks(arguments.rpc_rate_limit_whitelisted_ips)
    except ValueError as error:
        raise BadOption(f"--rpc-rate-limit-whitelisted-ips: {error}") from None


def workers(arguments: Namespace) -> int:
    """How many processes serve WebSockets."""
    if arguments.rpc_workers is not None:
        return int(arguments.rpc_workers)
    return max(0, min((os.cpu_count() or 1) - 1, MOST_WORKERS))
