"""Workers in front of the node: what they answer is what the node itself would have answered, whatever
happens to them.
"""

from __future__ import annotations

import asyncio
import json
import marshal
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frame.testing import sign
from node.clock import Clock
from node.front.pipe import Kind, Pipe, check_items
from node.rpc import server as rpc_server
from node.rpc.rate import Rate
from node.rpc.server import RpcServer
from node.rpc.session import Limits
from node.service import Node
from primitives.era import Era
from primitives.keys import Keypair, Scheme
from runtime import GristmillRuntime
from tests.signing import GRIST, Signer, remark, transfer

Ws = aiohttp.ClientWebSocketResponse
LONG = 120
"""Seconds after which nothing is waited for any more, on a machine however busy."""


def serve(node: Node, test: Callable[[RpcServer], Awaitable[None]], limits: Limits | None = None) -> None:
    """Run `test` against the node's port, with one worker that is ready."""

    async def run() -> None:
        server = RpcServer(node, limits, workers=1)
        await server.start("127.0.0.1", 0)
        try:
            await asyncio.wait_for(ready(server), LONG)
            await asyncio.wait_for(test(server), LONG)
        finally:
            await server.stop()

    asyncio.run(run())


async def ready(server: RpcServer, but: int = 0) -> int:
    """Wait for a worker that is not the process `but`; its process."""
    assert server.desk is not None
    while True:
        for worker in server.desk.workers:
            if worker.ready.is_set() and worker.pid != but:
                return worker.pid
        await asyncio.sleep(0.02)


async def nobody_is_left(server: RpcServer) -> None:
    """Wait until the server knows that all clients are gone."""
    while server.connections:
        await asyncio.sleep(0.02)


async def ask(ws: Ws, method: str, *params: Any, ident: Any = 1) -> Any:
    """The answer to one request; notifications before it are thrown away."""
    await ws.send_json({"jsonrpc": "2.0", "id": ident, "method": method, "params": list(params)})
    while True:
        answer = await ws.receive_json(timeout=LONG)
        if answer.get("id", "none") == ident:
            return answer


def test_each_signature_is_verified_once_and_by_the_worker(node: Node) -> None:
    signers = [Signer(f"//{name}", node.chain.genesis_hash) for name in ("Alice", "Bob", "Eve")]
    extrinsics = [s.sign(transfer(signers[0].account, GRIST)) for _ in range(40) for s in signers]

    async def test(server: RpcServer) -> None:
        async with aiohttp.ClientSession() as http, http.ws_connect(f"ws://127.0.0.1:{server.port}") as ws:
            assert server.connections == 1
            for i, extrinsic in enumerate(extrinsics):
                await ws.send_json(
                    {
                        "jsonrpc": "2.0",
                        "id": i,
                        "method": "author_submitExtrinsic",
                        "params": ["0x" + extrinsic.hex()],
                    }
                )
            answers = [await ws.receive_json(timeout=LONG) for _ in extrinsics]
            assert [answer["id"] for answer in answers] == list(range(len(extrinsics)))
            assert all(len(answer["result"]) == 66 for answer in answers)
            assert len((await ask(ws, "author_pendingExtrinsics"))["result"]) == len(extrinsics)

    serve(node, test)
    block = node.author.seal(Clock().now())
    assert block is not None and len(block.extrinsics) == len(extrinsics) + 1
    assert (node.chain.verdicts.told, node.chain.verdicts.verified) == (len(extrinsics), 0)


def test_workers_make_the_metadata_that_clients_ask_for_first(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: dict[int, bytes] = {}
    monkeypatch.setattr(node.chain.runtime, "know_metadata", known.__setitem__)

    async def test(server: RpcServer) -> None:
        while len(known) < 3:
            await asyncio.sleep(0.02)

    serve(node, test)
    assert known == {version: GristmillRuntime().metadata(version) for version in (14, 15, 16)}


def test_watching_goes_to_the_end(node: Node) -> None:
    alice = Signer("//Alice", node.chain.genesis_hash)

    async def test(server: RpcServer) -> None:
        async with aiohttp.ClientSession() as http, http.ws_connect(f"ws://127.0.0.1:{server.port}") as ws:
            extrinsic = "0x" + alice.sign(remark(b"x")).hex()
            subscription = (await ask(ws, "author_submitAndWatchExtrinsic", extrinsic, ident='a"b'))["result"]
            block = node.author.seal(Clock().now())
            assert block is not None
            told = [(await ws.receive_json(timeout=LONG))["params"] for _ in range(3)]
            assert {each["subscription"] for each in told} == {subscription}
            digest = "0x" + block.hash.hex()
            assert [each["result"] for each in told] == ["ready", {"inBlock": digest}, {"finalized": digest}]

    serve(node, test)
    assert node.chain.verdicts.verified == 0


def test_mortal_and_ed25519_signatures_are_verified_by_the_worker_too(
    node: Node, gristmill: GristmillRuntime
) -> None:
    ferdie = Keypair.from_uri("//Ferdie", Scheme.ED25519)
    alice = Signer("//Alice", node.chain.genesis_hash)
    node.submit(alice.sign(transfer(ferdie.account_id, 10 * GRIST)))
    assert node.author.seal(Clock().now()) is not None
    before = node.chain.verdicts.verified

    async def test(server: RpcServer) -> None:
        async with aiohttp.ClientSession() as http, http.ws_connect(f"ws://127.0.0.1:{server.port}") as ws:
            for nonce in range(3):
                extrinsic = sign(
                    gristmill,
                    ferdie,
                    remark(b"m%d" % nonce),
                    genesis_hash=node.chain.genesis_hash,
                    nonce=nonce,
                    era=Era.mortal(64, node.chain.head.number),
                    birth_hash=node.chain.head.hash,
                )
                # The answer comes to the worker after the block before, from which the era counts.
                assert "result" in await ask(ws, "system_chain")
                assert "result" in await ask(ws, "author_submitExtrinsic", "0x" + extrinsic.hex())
                assert node.author.seal(Clock().now()) is not None

    serve(node, test)
    assert node.chain.verdicts.verified == before


def hostile(node: Node) -> list[str]:
    """Texts of all kinds of wrongness, with ids that answers must carry."""
    alice = Signer("//Alice", node.chain.genesis_hash)
    good = alice.sign(transfer(alice.account, 1)).hex()
    forged = bytearray.fromhex(good)
    forged[60] ^= 1
    future = alice.sign(transfer(alice.account, 1), nonce=2**31).hex()
    stranger = Signer("//Nobody", node.chain.genesis_hash).sign(remark()).hex()
    submit = "author_submitExtrinsic"
    calls: list[tuple[Any, str, Any]] = [
        (1, submit, ["0x" + forged.hex()]),
        (2, submit, ["0x" + stranger]),
        ("three", submit, ["0x"]),
        (4, submit, ["0xzz"]),
        (5, submit, ["0x" + good[:80]]),
        (6, submit, ["0x" + "ff" * 300]),
        (7, submit, []),
        (8, submit, ["0x00", "0x00"]),
        (9, submit, {"bytes": "0x00"}),
        (10, submit, [7]),
        (11, submit, [good + "0"]),
        (12, "author_submitExtrinsics", ["0x00"]),
        (13, "author_submitAndWatchExtrinsic", ["0x" + forged.hex()]),
        (14, submit, ["0x" + future]),
        (15, submit, ["0x" + future]),
        (16, "system_chain", []),
        (1.5, submit, ["0x" + stranger]),
        (True, submit, ["0x" + stranger]),
        ([1], submit, ["0x" + stranger]),
    ]
    texts = [
        json.dumps({"jsonrpc": "2.0", "id": ident, "method": method, "params": params})
        for ident, method, params in calls
    ]
    nested = '{"jsonrpc":"2.0","method":"author_submitExtrinsic","id":1,"params":' + "[" * 5000
    return [
        *texts,
        f"[{texts[0]},{texts[1]}]",
        '{"jsonrpc":"1.0","id":1,"method":"author_submitExtrinsic","params":["0x00"]}',
        '{"jsonrpc":"2.0","method":"author_submitExtrinsic","params":["0x00"],"id":null}',
        '{"method":"author_submitExtrinsic"',
        nested,
        '"author_submitExtrinsic"',
        "[]",
        "\0author_submitExtrinsic",
    ]


def test_hostile_texts_are_answered_as_by_the_node_itself(node: Node) -> None:
    texts = hostile(node)

    async def test(server: RpcServer) -> None:
        desk, found = server.desk, {}
        async with aiohttp.ClientSession() as http:
            for name in ("worker", "node"):
                server.desk = desk if name == "worker" else None
                node.pool.on_revert(node.chain.head.number, [])
                for tx in list(node.pool.future):
                    node.pool.future.remove(tx.hash)
                async with http.ws_connect(f"ws://127.0.0.1:{server.port}") as ws:
                    answers = []
                    for text in texts:
                        await ws.send_str(text)
                        answers.append(await ws.receive_str(timeout=LONG))
                    found[name] = answers
        server.desk = desk
        for text, one, other in zip(texts, found["worker"], found["node"], strict=True):
            assert json.loads(one) == json.loads(other), text

    serve(node, test)


def test_a_killed_worker_is_replaced_and_the_pool_loses_nothing(node: Node) -> None:
    alice = Signer("//Alice", node.chain.genesis_hash)

    async def test(server: RpcServer) -> None:
        url = f"ws://127.0.0.1:{server.port}"
        async with aiohttp.ClientSession() as http:
            async with http.ws_connect(url) as ws:
                extrinsic = "0x" + alice.sign(remark(b"1")).hex()
                await ask(ws, "author_submitAndWatchExtrinsic", extrinsic)
                killed = await ready(server)
                os.kill(killed, signal.SIGKILL)
                while (await ws.receive(timeout=LONG)).type not in (
                    aiohttp.WSMsgType.CLOSED,
                    aiohttp.WSMsgType.ERROR,
                ):
                    pass
            await nobody_is_left(server)  # the worker's two ends are closed one after the other
            assert len(node.pool.ready) == 1
            async with http.ws_connect(url) as ws:  # meanwhile the node serves it itself
                assert len((await ask(ws, "author_pendingExtrinsics"))["result"]) == 1
            assert await ready(server, but=killed) != killed
            async with http.ws_connect(url) as ws:
                assert server.desk is not None and server.desk.connections == 1
                assert "result" in await ask(
                    ws, "author_submitExtrinsic", "0x" + alice.sign(remark(b"2")).hex()
                )

    serve(node, test)
    block = node.author.seal(Clock().now())
    assert block is not None and len(block.extrinsics) == 3


def test_the_limits_hold_behind_workers(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc_server, "Rate", lambda rate: Rate(rate, lambda: 0.0))  # time stands still
    limits = Limits(request=20_000, subscriptions=2, connections=2, rate=30)

    async def test(server: RpcServer) -> None:
        url = f"ws://127.0.0.1:{server.port}"
        async with aiohttp.ClientSession() as http:
            async with http.ws_connect(url) as one, http.ws_connect(url) as two:
                with pytest.raises(aiohttp.WSServerHandshakeError, match="429"):
                    await http.ws_connect(url)
                for _ in range(2):
                    assert "result" in await ask(one, "chain_subscribeNewHeads")
                assert (await ask(one, "chain_subscribeNewHeads"))["error"]["code"] == -32006
                await one.send_str('"' + "x" * 30_000 + '"')
                assert (await one.receive(timeout=LONG)).type in (
                    aiohttp.WSMsgType.CLOSE,
                    aiohttp.WSMsgType.CLOSED,
                )
                codes = [
                    (await ask(two, "author_submitExtrinsic", "0x00", ident=i))["error"]["code"]
                    for i in range(31)
                ]
                assert codes.index(-32999) == 30 == len(codes) - 1
            await nobody_is_left(server)

    serve(node, test, limits)


def test_a_client_that_does_not_read_is_cut_off(node: Node) -> None:
    async def test(server: RpcServer) -> None:
        async with aiohttp.ClientSession() as http, http.ws_connect(f"ws://127.0.0.1:{server.port}") as ws:
            assert "result" in await ask(ws, "chain_subscribeNewHeads")
            (connection,) = server.desk.workers[0].connections.values()  # type: ignore[union-attr]
            for _ in range(40):
                connection.push("x" * 1_000_000)
            await nobody_is_left(server)
            assert server._shared.used == 0

    serve(node, test)


def test_a_client_that_has_stopped_reading_is_cut_off_too(node: Node) -> None:
    async def test(server: RpcServer) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YSBsb2FkIG9mIGdyYWlucw==\r\n\r\n"
        )
        assert b" 101 " in await reader.readline()
        assert server.desk is not None
        while not server.desk.workers[0].connections:
            await asyncio.sleep(0.01)
        (connection,) = server.desk.workers[0].connections.values()
        for _ in range(30):  # one by one: the worker is in the middle of writing when it hears the end
            connection.push("x" * 1_000_000)
            await asyncio.sleep(0.02)
        await nobody_is_left(server)
        assert server._shared.used == 0
        writer.close()

    serve(node, test)


ODD = st.one_of(st.binary(max_size=3), st.integers(), st.just((b"", b"", 1, b"")))
SPOILT = st.one_of(
    st.sampled_from([b"", b"?", b"\xff" * 9, marshal.dumps([(Kind.READY,)])[:-1]]),
    st.recursive(
        st.one_of(st.none(), st.integers(-1, 13), st.binary(max_size=4), st.text(max_size=3), st.booleans()),
        lambda inner: st.one_of(st.lists(inner, max_size=6), st.lists(inner, max_size=8).map(tuple)),
        max_leaves=12,
    ).map(marshal.dumps),
    st.builds(
        lambda *columns: marshal.dumps([(Kind.SUBMITS, 7, 0, *columns)]),
        *[st.lists(ODD, max_size=2)] * 5,
    ),
)


@given(frames=st.lists(SPOILT, min_size=1, max_size=3))
def test_a_frame_of_any_bytes_ends_the_worker_at_most(frames: list[bytes]) -> None:
    received, closed = [], []

    def receive(items: Any) -> None:
        check_items(items)
        received.append(items)

    async def run() -> None:
        pipe = Pipe(receive, lambda: None)
        pipe.close = lambda: closed.append(True)  # type: ignore[method-assign]
        for frame in frames:
            pipe.data_received(len(frame).to_bytes(4, "little") + frame)

    asyncio.run(run())
    assert len(received) == len(frames) or closed
    for item in (item for items in received for item in items):
        if item[0] == Kind.SUBMITS:
            assert len(set(map(len, item[3:]))) == 1
            assert all(type(data) is bytes for column in item[3:5] for data in column)


def test_a_worker_that_sends_nonsense_is_replaced(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    alice = Signer("//Alice", node.chain.genesis_hash)

    async def test(server: RpcServer) -> None:
        assert server.desk is not None
        (worker,) = server.desk.workers
        nonsense = marshal.dumps([(Kind.SUBMITS, 1, 0, [b"x"], [], [], [], [])])
        spoilt = worker.pid
        worker._is_busy(True)
        worker.pipe.data_received(len(nonsense).to_bytes(4, "little") + nonsense)
        assert await ready(server, but=spoilt) != spoilt
        assert node.pool.expected == 0
        async with aiohttp.ClientSession() as http, http.ws_connect(f"ws://127.0.0.1:{server.port}") as ws:
            good = "0x" + alice.sign(remark(b"2")).hex()
            assert "result" in await ask(ws, "author_submitExtrinsic", good)

    serve(node, test)
    assert not any(record.exc_info for record in caplog.records)
