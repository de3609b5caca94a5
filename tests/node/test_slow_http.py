"""HTTP clients that begin and do not go on: none keeps its place for ever."""

from __future__ import annotations

import asyncio
import json
import socket
import sys

import pytest

from node.rpc import server as at
from node.rpc.server import RpcServer
from node.service import Node
from tests.node.test_stuck_clients import UPGRADE, connected, open_transports, serve

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
ASKED = b'{"jsonrpc":"2.0","id":1,"method":"system_chain","params":[]}'


async def received(client: socket.socket) -> bytes:
    """All until the other side closes."""
    parts = []
    while part := await asyncio.get_running_loop().sock_recv(client, 65536):
        parts.append(part)
    return b"".join(parts)


async def until_none_is_open(server: RpcServer) -> None:
    while open_transports(server):
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("sent", [b"", b"P", HEAD[:40], HEAD % len(ASKED) + ASKED])
def test_a_connection_in_the_middle_of_nothing_goes(
    node: Node, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    """Silent, with half a head, or after its last request."""
    monkeypatch.setattr(at, "IDLE_SECONDS", 0.2)

    async def test(server: RpcServer) -> None:
        with await connected(server, sent) as client:
            answer = await received(client)
            assert (b"200 OK" in answer) == sent.endswith(ASKED)
            await until_none_is_open(server)

    serve(node, test)


def test_a_body_that_does_not_come_is_not_waited_for(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at, "BODY_SECONDS", 0.2)

    async def test(server: RpcServer) -> None:
        with await connected(server, HEAD % len(ASKED) + ASKED[:-1]) as client:
            answer = await asyncio.get_running_loop().sock_recv(client, 1024)
            assert answer.startswith(b"HTTP/1.1 408") and b"did not arrive within 0.2 s" in answer

    serve(node, test)


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels have other options")
def test_an_answer_that_nobody_takes_is_given_up(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(at.TCP_OPTIONS, "TCP_USER_TIMEOUT", 300)
    batch = [
        {"jsonrpc": "2.0", "id": i, "method": "state_getMetadata", "params": []} for i in range(100)
    ]  # some 10 MB, more than the kernel keeps

    async def test(server: RpcServer) -> None:
        body = json.dumps(batch).encode()
        with await connected(server, HEAD % len(body) + body):
            while not open_transports(server):
                await asyncio.sleep(0.01)
            await until_none_is_open(server)

    serve(node, test)


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels have other options")
def test_sockets_ask_for_signs_of_life(node: Node) -> None:
    """Also those that workers get, since a socket keeps its options."""

    async def test(server: RpcServer) -> None:
        with await connected(server, UPGRADE) as client:
            assert b" 101 " in await asyncio.get_running_loop().sock_recv(client, 1024)
            while not server._sockets:
                await asyncio.sleep(0.01)
            (ours,) = server._sockets
            assert ours._transport is not None
            theirs = ours._transport.get_extra_info("socket")
            assert theirs.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            for name, value in at.TCP_OPTIONS.items():
                assert theirs.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) == value

    serve(node, test)
