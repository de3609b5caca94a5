"""How often a client may call (`--rpc-rate-limit`), and whom that does not concern.

Source: `substrate/client/rpc-servers/src/middleware/rate_limit.rs`, `src/utils.rs`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from node.rpc.errors import RpcError

RATE_LIMIT_EXCEEDED = -32999

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


class Rate:
    """So many calls a minute; unused ones add up to one minute's."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_minute / 60
        self._most = self._left = float(per_minute)
        self._clock = clock
        self._seen = clock()

    def spend(self) -> None:
        """Count one call; raises `RpcError` if it is one too many."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._seen) * self._per_second)
        self._seen = now
        if self._left < 1:
            raise RpcError(RATE_LIMIT_EXCEEDED, "RPC rate limit exceeded")
        self._left -= 1


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """From addresses and CIDR ranges; raises ValueError that names what is neither."""
    return tuple(ip_network(text.strip(), strict=False) for text in texts)


def address_of(remote: str | None, headers: Mapping[str, str], trust_proxy: bool) -> Address | None:
    """Who is at the other end; behind a proxy that is trusted, who it says it forwards for."""
    if trust_proxy:
        for value in _forwarded(headers):
            found = _address(value)
            if found is not None:
                return found
    return _address(remote or "")


def _forwarded(headers: Mapping[str, str]) -> Iterable[str]:
    """In Substrate's order: X-Real-IP, the first of X-Forwarded-For, `for=` of Forwarded (RFC 7239)."""
    yield headers.get("X-Real-IP", "")
    yield headers.get("X-Forwarded-For", "").split(",")[0]
    for part in headers.get("Forwarded", "").split(",")[0].split(";"):
        name, _, value = part.strip().partition("=")
        if name.lower() == "for":
            yield value.strip('"').strip("[]")


def _address(text: str) -> Address | None:
    try:
        return ip_address(text.strip())
    except ValueError:
        return None


def is_within(address: Address | None, listed: Iterable[Network]) -> bool:
    """Whether one of the networks holds the address."""
    return address is not None and any(
        address.version == network.version and address in network for network in listed
    )
