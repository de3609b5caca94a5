"""The port of a real node process: limits, hostile clients, subscriptions, restarts, a clean stop."""

from __future__ import annotations

import asyncio
import gzip
import json
import signal
import socket
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.running_node import READY, RpcRefusal, RunningNode
from tests.signing import GRIST, Signer, remark, transfer

MIB = 1024 * 1024
UNREAD = 14 * MIB
"""Growth that shows that no body came in: less than the 15 MiB that one may have."""


@pytest.fixture(scope="module")
def running() -> Iterator[RunningNode]:
    with RunningNode() as node:
        yield node


def genesis_of(node: RunningNode) -> bytes:
    return bytes.fromhex(node.rpc("chain_getBlockHash", 0)[2:])


def resident(node: RunningNode) -> int:
    """Bytes of memory of the node's process."""
    status = Path(f"/proc/{node.process.pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def read_all(connection: socket.socket) -> bytes:
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def test_a_body_of_100_mb_is_refused_before_it_is_read(running: RunningNode) -> None:
    before = resident(running)
    with socket.create_connection(("127.0.0.1", running.port), timeout=60) as connection:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        connection.sendall(head % (100 * MIB) + b"[" * 1000)
        answer = b""
        while not answer.endswith(b"}"):
            part = connection.recv(65536)
            assert part, answer
            answer += part
    assert answer.startswith(b"HTTP/1.1 413")
    error = json.loads(answer[answer.index(b"{") :])["error"]
    assert error == {
        "code": -32007,
        "message": "Request is too big",
        "data": "Exceeded max limit of 15728640",
    }
    assert resident(running) - before < UNREAD
    assert running.rpc("system_chain")


def test_a_body_without_a_length_is_cut_at_the_limit(running: RunningNode) -> None:
    before = resident(running)
    chunk = b"100000\r\n" + b"[" * MIB + b"\r\n"
    with socket.create_connection(("127.0.0.1", running.port), timeout=60) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        sent = 0
        try:
            while sent < 100:
                connection.sendall(chunk)
                sent += 1
        except OSError:
            pass
        try:
            answer = connection.recv(65536)
        except OSError:
            answer = b""
    assert sent < 100 or answer.startswith(b"HTTP/1.1 413")
    assert resident(running) - before < 64 * MIB
    assert running.rpc("system_chain")


def test_a_small_body_that_unpacks_to_a_huge_one_stays_packed(running: RunningNode) -> None:
    before = resident(running)
    bomb = gzip.compress(bytes(100 * MIB))
    request = urllib.request.Request(running.http, bomb, {"Content-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=20) as response:
        assert json.loads(response.read())["error"]["code"] == -32700
    assert resident(running) - before < UNREAD


def test_a_websocket_message_of_100_mb_closes_that_client_only(running: RunningNode) -> None:
    async def send() -> int | None:
        async with aiohttp.ClientSession() as session, session.ws_connect(running.ws) as ws:
            try:
                await ws.send_str("[" * (100 * MIB))
                await ws.receive(timeout=60)
            except (ConnectionError, aiohttp.ClientError):
                pass
            return ws.close_code

    assert asyncio.run(send()) in (1009, 1006, None)
    assert running.rpc("system_chain")


@pytest.mark.parametrize(
    "noise",
    [
        b"\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01" * 100,
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    ],
)
def test_noise_instead_of_http_hurts_nobody(running: RunningNode, noise: bytes) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=60) as connection:
        connection.sendall(noise)
        connection.shutdown(socket.SHUT_WR)
        read_all(connection)
    assert running.rpc("system_health")["isSyncing"] is False


def test_other_methods_and_paths(running: RunningNode) -> None:
    async def statuses() -> list[int]:
        async with aiohttp.ClientSession() as session:
            found = []
            for method, path in (
                ("GET", "/"),
                ("PUT", "/"),
                ("GET", "/nope"),
                ("OPTIONS", "/"),
                ("GET", "/health"),
            ):
                async with session.request(method, running.http + path) as response:
                    found.append(response.status)
            return found

    assert asyncio.run(statuses()) == [405, 405, 404, 200, 200]


def test_subscriptions_follow_the_chain(running: RunningNode) -> None:
    signer = Signer("//Charlie", genesis_of(running))
    signer.nonce = running.rpc("system_accountNextIndex", signer.pair.address)
    key = "0x26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7"  # System.Events

    async def follow() -> dict[str, list[Any]]:
        heard: dict[str, list[Any]] = {}
        async with aiohttp.ClientSession() as session, session.ws_connect(running.ws) as ws:
            calls = [
                ("chain_subscribeNewHeads", []),
                ("state_subscribeStorage", [[key]]),
                ("author_submitAndWatchExtrinsic", ["0x" + signer.sign(remark(b"hi")).hex()]),
            ]
            for ident, (method, params) in enumerate(calls):
                await ws.send_json({"jsonrpc": "2.0", "id": ident, "method": method, "params": params})
            while len(heard.get("author_extrinsicUpdate", [])) < 3 or len(heard.get("chain_newHead", [])) < 2:
                message = await ws.receive_json(timeout=60)
                assert "error" not in message, message
                name = message.get("method", "id")
                heard.setdefault(name, []).append(message.get("params", message).get("result"))
            await ws.send_json(
                {"jsonrpc": "2.0", "id": 9, "method": "chain_unsubscribeNewHeads", "params": [heard["id"][0]]}
            )
            await ws.send_json(
                {"jsonrpc": "2.0", "id": 9, "method": "chain_unsubscribeNewHeads", "params": ["nope"]}
            )
            while len(heard["id"]) < 5:
                message = await ws.receive_json(timeout=60)
                if "id" in message:
                    heard["id"].append(message["result"])
        return heard

    heard = asyncio.run(follow())
    ready, in_block, finalized = heard["author_extrinsicUpdate"]
    assert ready == "ready" and in_block["inBlock"] == finalized["finalized"]
    first, second = heard["chain_newHead"][:2]
    assert int(second["number"], 16) == int(first["number"], 16) + 1
    assert heard["state_storage"][-1]["block"] == in_block["inBlock"]
    assert heard["id"][3:] == [True, False]


def test_a_client_that_never_reads_is_cut_off_and_others_are_served(running: RunningNode) -> None:
    """It asks for the metadata again and again; the node soon stops taking its requests."""
    before = resident(running)
    with socket.create_connection(("127.0.0.1", running.port), timeout=60) as connection:
        upgrade = (
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        connection.sendall(upgrade)
        assert b"101" in connection.recv(1024)
        request = b'{"jsonrpc":"2.0","id":1,"method":"state_getMetadata","params":[]}'
        message = bytes([0x81, 0x80 | len(request)]) + bytes(4) + request
        connection.settimeout(2)  # for so long it takes none
        try:
            for _ in range(2000):
                connection.sendall(message * 50)
        except OSError:
            pass
        assert resident(running) - before < 64 * MIB
        assert running.rpc("system_chain")


def test_sigterm_and_sigint_stop_it_cleanly(tmp_path: Path) -> None:
    for how in (signal.SIGTERM, signal.SIGINT):
        node = RunningNode(base_path=tmp_path)
        signer = Signer("//Alice", genesis_of(node))
        signer.nonce = node.rpc("system_accountNextIndex", signer.pair.address)
        node.rpc("author_submitExtrinsic", "0x" + signer.sign(remark()).hex())
        node.wait_for_block(1)
        assert node.stop(how) == 0
        assert "Traceback" not in "".join(node.log)


def test_what_cannot_start_says_why_in_one_sentence(running: RunningNode, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"error\[PortTaken\]: port \d+ is taken"):
        RunningNode(port=running.port)
    with RunningNode(base_path=tmp_path), pytest.raises(RuntimeError, match=r"error\[DatabaseLocked\]"):
        RunningNode(base_path=tmp_path)
    local = tmp_path / "chains" / "local_testnet"
    (tmp_path / "chains" / "dev").rename(local)
    with pytest.raises(RuntimeError, match=r"error\[WrongChain\]"):
        RunningNode("--chain=local", base_path=tmp_path)
    with pytest.raises(RuntimeError, match=r"error\[\w+\]: .*nowhere"):
        RunningNode("--chain=/nowhere/spec.json")


def test_the_temporary_folder_goes_away() -> None:
    with RunningNode() as node:
        folder = Path(next(line for line in node.log if "RocksDb at" in line).split(" at ")[1].strip())
        assert folder.is_dir()
    assert not folder.exists() and READY.search("".join(node.log))


def test_kill_9_under_load_loses_nothing_that_was_in_a_block(tmp_path: Path) -> None:
    """Load from several accounts, kill at an arbitrary moment, start again; a few rounds on one database."""
    bob = Signer("//Bob", b"").account
    last = 0
    for pause in (0.05, 0.13, 0.31, 0.02, 0.2):
        node = RunningNode(base_path=tmp_path)
        head = int(node.rpc("chain_getHeader")["number"], 16)
        assert head >= last, "a block that was announced is still there"
        _check_whole(node, head)
        last = _load_and_kill(node, bob, pause)
    with RunningNode(base_path=tmp_path) as node:
        head = int(node.rpc("chain_getHeader")["number"], 16)
        assert head >= last > 0
        _check_whole(node, head)


def _check_whole(node: RunningNode, head: int) -> None:
    """Every block is there, linked to its parent, and the nonce is what its blocks hold."""
    parent = node.rpc("chain_getBlockHash", 0)
    signed = 0
    for number in range(1, head + 1):
        digest = node.rpc("chain_getBlockHash", number)
        block = node.rpc("chain_getBlock", digest)["block"]
        assert block["header"]["parentHash"] == parent
        signed += len(block["extrinsics"]) - 1
        parent = digest
    assert node.rpc("system_accountNextIndex", Signer("//Dave", b"").pair.address) == signed


def _load_and_kill(node: RunningNode, to: bytes, pause: float) -> int:
    """Kill `pause` seconds after the first new block; the last block that the node announced."""
    signer = Signer("//Dave", genesis_of(node))
    signer.nonce = node.rpc("system_accountNextIndex", signer.pair.address)
    first = seen = int(node.rpc("chain_getHeader")["number"], 16)
    killing: threading.Timer | None = None
    try:
        while True:
            node.rpc("author_submitExtrinsic", "0x" + signer.sign(transfer(to, GRIST // 1000)).hex())
            seen = int(node.rpc("chain_getHeader")["number"], 16)
            if killing is None and seen > first:
                killing = threading.Timer(pause, node.process.kill)
                killing.start()
    except (OSError, RpcRefusal):
        pass
    assert killing is not None
    killing.join()
    node.kill()
    return seen
