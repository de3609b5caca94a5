"""WebSocket clients that stop reading, where the node serves them itself, without a worker."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from node.rpc.server import RpcServer
from node.rpc.websocket import Connection, SocketConnection
from node.service import Node

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YSBsb2FkIG9mIGdyYWlucw==\r\n\r\n"
)


def serve(node: Node, test: Callable[[RpcServer], Awaitable[None]]) -> None:
    async def run() -> None:
        server = RpcServer(node)
        await server.start("127.0.0.1", 0)
        try:
            await asyncio.wait_for(test(server), 60)
        finally:
            await server.stop()

    asyncio.run(run())


async def connected(server: RpcServer, sent: bytes) -> socket.socket:
    """A client with little room for what it does not read, which has sent this."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, ("127.0.0.1", server.port))
    await loop.sock_sendall(client, sent)
    return client


async def stuck(server: RpcServer) -> tuple[socket.socket, SocketConnection]:
    """A client that reads nothing after the upgrade, and the node's end of it."""
    known = set(server._sockets)
    client = await connected(server, UPGRADE)
    loop = asyncio.get_running_loop()
    assert b" 101 " in await loop.sock_recv(client, 1024)
    while set(server._sockets) == known:
        await asyncio.sleep(0.01)
    (ours,) = set(server._sockets) - known
    return client, ours


def open_transports(server: RpcServer) -> int:
    assert server._runner is not None and server._runner.server is not None
    return len(server._runner.server.connections)


@pytest.mark.parametrize("size", [1_000, 60_000, 1_000_000])
def test_a_client_that_reads_nothing_is_cut_off_and_its_socket_closed(node: Node, size: int) -> None:
    """Also in the middle of a write to it, and though not even the farewell gets through."""

    async def test(server: RpcServer) -> None:
        client, connection = await stuck(server)
        with client:
            pushed = 0
            while not connection._too_slow.is_set():
                connection.push("x" * size)
                pushed += size
                await asyncio.sleep(0)
            transport = connection._transport
            assert transport is not None
            kept = connection._mine.used + transport.get_write_buffer_size()
            assert kept <= Connection.OUTBOX + 2 * size + (1 << 20)
            for _ in range(1000):
                if not server.connections and not open_transports(server):
                    break
                await asyncio.sleep(0.02)
            assert (server.connections, open_transports(server)) == (0, 0)
            assert server._shared.used == 0 and connection._mine.used == 0

    serve(node, test)


def test_a_node_that_stops_lets_go_of_stuck_clients(node: Node) -> None:
    async def test(server: RpcServer) -> None:
        there = [await stuck(server) for _ in range(3)]
        for _, connection in there:
            for _ in range(40):
                connection.push("x" * 100_000)
                await asyncio.sleep(0)
        await server.stop()
        for client, connection in there:
            assert connection._transport is not None
            assert connection._transport.is_closing() and not connection._transport.get_write_buffer_size()
            client.close()

    serve(node, test)
