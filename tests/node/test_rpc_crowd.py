"""A thousand WebSocket clients of one real node, each with subscriptions, a tenth of them asleep."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.running_node import RunningNode
from tests.signing import Signer, remark

MIB = 1024 * 1024
READERS, SLEEPERS, FOLLOWERS = 900, 100, 100
BLOCKS = 12
EVENTS = "0x26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7"  # System.Events


@pytest.fixture
def crowded() -> Iterator[RunningNode]:
    with RunningNode("--rpc-max-connections=1200") as node:
        yield node


def resident(node: RunningNode) -> int:
    """Bytes of memory of the node and of the processes that it has started."""
    total, todo = 0, [node.process.pid]
    while todo:
        pid = todo.pop()
        with contextlib.suppress(OSError, IndexError):  # it may just have ended: no file, or no memory
            status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
            total += int(status.split("VmRSS:")[1].split()[0]) * 1024
            for task in Path(f"/proc/{pid}/task").iterdir():
                todo += [int(child) for child in (task / "children").read_text().split()]
    return total


async def open_reader(
    session: aiohttp.ClientSession, url: str, follow: bool
) -> aiohttp.ClientWebSocketResponse:
    """A client that subscribes, and hears that it has."""
    ws = await session.ws_connect(url, max_msg_size=0, timeout=aiohttp.ClientWSTimeout(ws_close=1.0))
    calls: list[tuple[str, list[Any]]] = [
        ("chain_subscribeNewHeads", []),
        ("state_subscribeStorage", [[EVENTS]]),
        *([("chainHead_v1_follow", [True])] if follow else []),
    ]
    for ident, (method, params) in enumerate(calls):
        await ws.send_json({"jsonrpc": "2.0", "id": ident, "method": method, "params": params})
    answered = 0
    while answered < len(calls):
        message = await ws.receive_json(timeout=60)
        assert "error" not in message, message  # the first head comes here too
        answered += "id" in message
    return ws


async def count_heads(ws: aiohttp.ClientWebSocketResponse, last: int) -> int:
    """Read until block `last` has been announced; how many heads came."""
    heads = 0
    async for message in ws:
        if '"chain_newHead"' in message.data:
            heads += 1
            if int(json.loads(message.data)["params"]["result"]["number"], 16) >= last:
                return heads
    raise AssertionError("a client that reads was cut off")


async def open_sleeper(port: int) -> asyncio.StreamWriter:
    """A client that subscribes to everything, asks for a long answer again and again, and never reads."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    calls = [("chainHead_v1_follow", [True]), ("state_subscribeStorage", [None])] + [
        ("state_getMetadata", [])
    ] * 20
    for method, params in calls:
        text = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        writer.write(bytes([0x81, 0xFE]) + len(text).to_bytes(2, "big") + bytes(4) + text)
    await writer.drain()
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    return writer


async def crowd(node: RunningNode, signer: Signer) -> dict[str, Any]:
    """Everybody comes; blocks are made; the readers read, and a newcomer is served meanwhile."""
    seen: dict[str, Any] = {"before": resident(node)}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        readers = []
        for first in range(0, READERS, 50):
            follow = [first + i < FOLLOWERS for i in range(50)]
            readers += await asyncio.gather(*(open_reader(session, node.ws, wanted) for wanted in follow))
        sleepers = [await open_sleeper(node.port) for _ in range(SLEEPERS)]
        seen["crowded"] = resident(node)
        counting = [asyncio.create_task(count_heads(ws, BLOCKS)) for ws in readers]
        for number in range(1, BLOCKS + 1):
            extrinsic = "0x" + signer.sign(remark(b"x" * 10_000)).hex()
            await ask(session, node.http, "author_submitExtrinsic", extrinsic)
            while int((await ask(session, node.http, "chain_getHeader"))["number"], 16) < number:
                await asyncio.sleep(0.05)
        seen["newcomer"] = await ask(session, node.http, "system_chain")
        seen["heads"] = await asyncio.gather(*counting)
        seen["after"] = resident(node)
        await asyncio.gather(*(ws.close() for ws in readers))
        for sleeper in sleepers:
            sleeper.transport.abort()
    return seen


async def ask(session: aiohttp.ClientSession, url: str, method: str, *params: Any) -> Any:
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    async with session.post(url, json=request) as response:
        return (await response.json())["result"]


def test_a_thousand_clients_are_served_and_memory_stays_bounded(crowded: RunningNode) -> None:
    signer = Signer("//Alice", bytes.fromhex(crowded.rpc("chain_getBlockHash", 0)[2:]))
    seen = asyncio.run(crowd(crowded, signer))
    assert seen["heads"] == [BLOCKS] * READERS
    assert seen["newcomer"] == "Gristmill Development"
    grown = {name: (seen[name] - seen["before"]) // MIB for name in ("crowded", "after")}
    print(f"node: {seen['before'] // MIB} MiB, grown by {grown}")
    assert grown["after"] < 300, grown
    crowded.wait_for_block(BLOCKS)
    assert "Traceback" not in "".join(crowded.log)
