"""The RPC port: JSON-RPC by POST and by WebSocket, and blobs, on one aiohttp server."""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
from collections.abc import Awaitable, Callable

from node.errors import PortTaken
from node.front.desk import Desk
from node.http import WSCloseCode, web
from node.rpc import (  # noqa: F401  (they fill the table)
    archive,
    author,
    chain,
    chain_head,
    chain_spec_v1,
    childstate,
    dev,
    engine,
    offchain,
    payment,
    state,
    system,
    transaction,
)
from node.rpc.blob import serve
from node.rpc.errors import REQUEST_TOO_BIG, RpcError
from node.rpc.rate import Address, Rate, address_of, is_within
from node.rpc.session import Limits, Session, error_text
from node.rpc.websocket import Budget, SocketConnection
from node.service import Node

ALL_OUTBOXES = 256 * 1024 * 1024
"""Bytes that may wait for all WebSocket readers together."""

DEFAULT_ORIGINS = ("http://localhost", "https://localhost", "http://127.0.0.1", "https://127.0.0.1")
"""Web pages that may call a node without `--rpc-cors`, with any port; and polkadot.js apps."""

COUNTED_ADDRESSES = 4096
"""Callers over HTTP whose rate is remembered; who called longest ago is forgotten first."""

POLKADOT_JS = "https://polkadot.js.org"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

KEPT_DESCRIPTORS = 256
"""File descriptors that connections leave to the database and the rest of the node."""
BACKLOG = 32
"""asyncio accepts so many at once before any of them is counted."""

IDLE_SECONDS = 75.0
"""A connection in the middle of no request goes after these: silent, or with half a request's head."""
BODY_SECONDS = 60.0
"""Within these a body arrives whole, also the largest by a slow line."""
TCP_OPTIONS = {
    "TCP_KEEPIDLE": 60,
    "TCP_KEEPINTVL": 15,
    "TCP_KEEPCNT": 4,
    "TCP_USER_TIMEOUT": 120_000,
}
"""A client that is gone without a word, or takes nothing of what it asked for, has its place for two minutes.
The kernel keeps count: WebSockets too may be silent for as long as they like, but not dead. Options that a
system lacks are left out.
"""


class Refused(asyncio.Protocol):
    """What a connection meets that there is no room for."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hang up."""
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


def connections_max(wanted: int) -> int:
    """How many connections may be open, silent ones included, so that descriptors never run out."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(16, min(2 * wanted, descriptors - KEPT_DESCRIPTORS))


class RpcServer:
    """Listens from `start` to `stop`."""

    def __init__(
        self, node: Node, limits: Limits | None = None, cors: tuple[str, ...] = (), workers: int = 0
    ) -> None:
        """With `workers`, so many processes serve the WebSockets (see `node.front`)."""
        self._node = node
        self._limits = limits or Limits()
        self._cors = cors
        self._shared = Budget(ALL_OUTBOXES)
        self._http = Session(node, self._limits)
        self._counted: dict[Address | None, Session] = {}
        self.desk = Desk(node, self._limits, self._shared, workers) if workers else None
        self._sockets: dict[SocketConnection, None] = {}
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None
        self._most = connections_max(self._limits.connections)
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen; raises `PortTaken`. Port 0 takes a free one, found in `port` afterwards."""
        app = web.Application(client_max_size=self._limits.request, middlewares=[self._origin])
        app.router.add_get("/blob/{hash}", self._blob)
        app.router.add_get("/health", self._health)
        app.router.add_route("*", "/", self._root)
        # Compressed bodies are not unpacked: nobody sends them, and a small one may hold a gigabyte.
        runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            shutdown_timeout=1.0,
            keepalive_timeout=IDLE_SECONDS,
            auto_decompress=False,
        )
        await runner.setup()
        try:
            loop = asyncio.get_running_loop()
            listener = await loop.create_server(
                lambda: self._door(runner), host, port, reuse_address=True, backlog=BACKLOG
            )
        except OSError as error:
            await runner.cleanup()
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(
                    f"port {port} is taken by another program; choose one with --rpc-port"
                ) from None
            raise
        for each in listener.sockets:  # what is accepted takes after the listener
            for name, value in TCP_OPTIONS.items():
                if hasattr(socket, name):
                    each.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        self._runner, self._listener = runner, listener
        if self.desk is not None:
            self.desk.start()
        self.port = listener.sockets[0].getsockname()[1]

    def _door(self, runner: web.AppRunner) -> asyncio.BaseProtocol:
        assert runner.server is not None
        handed_over = 0 if self.desk is None else self.desk.connections
        return Refused() if len(runner.server.connections) + handed_over >= self._most else runner.server()

    async def stop(self) -> None:
        """Close every connection and the port."""
        if self._listener is not None:
            self._listener.close()
        parting = [each.hang_up(WSCloseCode.GOING_AWAY, b"the node stops") for each in self._sockets]
        await asyncio.gather(*parting)
        if self.desk is not None:
            await self.desk.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    # ------------------------------------------------------------------ routes

    @web.middleware
    async def _origin(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let web pages in only from where the operator said; programs send no Origin."""
        origin = request.headers.get("Origin")
        if origin is not None and not self._admits(origin):
            return web.Response(status=403, text="this web page may not call the node: see --rpc-cors\n")
        response = await handler(request)
        if origin is not None and not response.prepared:
            response.headers["Access-Control-Allow-Origin"] = origin
        return response

    def _admits(self, origin: str) -> bool:
        if "all" in self._cors:
            return True
        if self._cors:
            return origin in self._cors
        bare, _, port = origin.rpartition(":")
        return origin in (*DEFAULT_ORIGINS, POLKADOT_JS) or (port.isdigit() and bare in DEFAULT_ORIGINS)

    async def _root(self, request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            return await self._post(request)
        if request.method == "OPTIONS":
            allow = {"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": "content-type"}
            return web.Response(headers=allow)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._upgrade(request)
        return web.Response(status=405, text="Used HTTP Method is not allowed. POST is required\n")

    async def _post(self, request: web.Request) -> web.StreamResponse:
        """Answer one body. One that says it is too long is refused before any of it is read."""
        limit = self._limits.request
        try:
            if (request.content_length or 0) > limit:
                raise web.HTTPRequestEntityTooLarge(limit, request.content_length or 0)
            async with asyncio.timeout(BODY_SECONDS):
                body = await request.read()
        except TimeoutError:
            late = web.Response(status=408, text=f"the body did not arrive within {BODY_SECONDS:g} s\n")
            late.force_close()
            return late
        except web.HTTPRequestEntityTooLarge:
            too_big = RpcError(REQUEST_TOO_BIG, "Request is too big", f"Exceeded max limit of {limit}")
            response = web.Response(
                status=413, text=error_text(None, too_big), content_type="application/json"
            )
            response.force_close()
            return response
        session = self._session_of(request)
        answer = await session.answer_when_ready(body)
        session.answered()
        return web.Response(text=answer, content_type="application/json")

    def _address(self, request: web.Request) -> Address | None:
        return address_of(request.remote, request.headers, self._limits.trust_proxy)

    def _rate_of(self, address: Address | None) -> Rate | None:
        """A new count of calls, unless the caller may make as many as it likes."""
        limits = self._limits
        if limits.rate is None or is_within(address, limits.rate_exempt):
            return None
        return Rate(limits.rate)

    def _session_of(self, request: web.Request) -> Session:
        """All HTTP requests share a session; those that are counted share one by address."""
        if self._limits.rate is None:
            return self._http
        address = self._address(request)
        session = self._counted.pop(address, None)
        if session is None:
            rate = self._rate_of(address)
            if rate is None:
                return self._http
            session = Session(self._node, self._limits, rate)
        self._counted[address] = session
        if len(self._counted) > COUNTED_ADDRESSES:
            self._counted.pop(next(iter(self._counted))).end()
        return session

    async def _upgrade(self, request: web.Request) -> web.StreamResponse:
        if self.connections >= self._limits.connections:
            return web.Response(status=429, text="Too many connections. Please try again later.\n")
        rate = self._rate_of(self._address(request))
        if self.desk is not None and self.desk.take(request, rate):
            return web.Response()  # to nobody: the client is the worker's now
        socket = web.WebSocketResponse(max_msg_size=self._limits.request, compress=False, timeout=1.0)
        await socket.prepare(request)
        connection = SocketConnection(self._node, self._limits, socket, request.transport, self._shared, rate)
        self._sockets[connection] = None
        try:
            await connection.run()
        finally:
            del self._sockets[connection]
        return socket

    @property
    def connections(self) -> int:
        """How many WebSockets are open."""
        return len(self._sockets) + (0 if self.desk is None else self.desk.connections)

    async def _blob(self, request: web.Request) -> web.StreamResponse:
        return await serve(self._node, request)

    async def _health(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(system.health(self._node))
