"""Workers in front of the node: what they answer is what the node itself would have answered, whatever
happens to them.
"""

from __future__ import annotations

import asyncio
import json
import marshal
import os
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, cast

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain_spec import resolve
from frame.runtime import Block
from frame.testing import sign
from node.clock import Clock
from node.database import Database
from node.front.desk import FrontConnection
from node.front.frames import text_frames
from node.front.pipe import Kind, Pipe, check_items
from node.front.submission import submission, taken, with_id
from node.front.verify import Verifier
from node.front.worker import ROW, SUBMISSIONS, UNANSWERED
from node.front.worker import Worker as FrontWorker
from node.pool import PoolError
from node.rpc import server as rpc_server
from node.rpc.rate import Rate
from node.rpc.server import RpcServer
from node.rpc.session import Limits
from node.rpc.websocket import Budget
from node.run import open_node
from node.service import Node
from primitives.digest import Digest
from primitives.era import Era
from primitives.hashing import blake2_256
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


class Heard:
    """A pipe that remembers what was sent."""

    def __init__(self) -> None:
        self.items: list[tuple[Any, ...]] = []

    def send(self, *item: Any) -> None:
        self.items.append(item)


def submit(connection: FrontConnection, extrinsics: list[bytes]) -> None:
    """As if a worker had sent them that verifies nothing."""
    for i, data in enumerate(extrinsics):
        connection.submit(i, len(str(i)), data, blake2_256(data), False, None, False)


def submit_row(node: Node, connection: FrontConnection, extrinsics: list[bytes], first: int = 0) -> None:
    """As a worker sends good ones that it has taken apart."""
    verifier = Verifier(node.chain.runtime, node.chain.genesis_hash)
    verifier.learn(node.chain.head.number, node.chain.head.hash)
    found = [verifier.verdict(data) for data in extrinsics]
    known = [verdict.form for verdict in found if verdict is not None and verdict.form is not None]
    assert len(known) == len(extrinsics)
    nonces, forms = (list(column) for column in zip(*known, strict=True))
    digests = [blake2_256(data) for data in extrinsics]
    sizes = [len(str(first + i)) for i in range(len(extrinsics))]
    connection.submit_row(first, extrinsics, digests, sizes, nonces, forms)


class Sent:
    """A transport that keeps the frames."""

    def __init__(self) -> None:
        self.frames: list[list[tuple[Any, ...]]] = []

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes) -> None:
        self.frames.append(marshal.loads(data[4:]))


def test_a_worker_hands_over_what_it_has_while_it_verifies_more(node: Node) -> None:
    alice, sent = Signer("//Alice", node.chain.genesis_hash), Sent()
    row = [alice.sign(transfer(bytes(32), GRIST)) for _ in range(2 * ROW + 3)]

    async def run() -> None:
        worker = FrontWorker(GristmillRuntime(), cast(Any, None))
        worker._verifier = Verifier(GristmillRuntime(), node.chain.genesis_hash)
        worker.pipe._transport = cast(Any, sent)
        for i, extrinsic in enumerate(row):
            worker.submit(7, str(i), extrinsic, watched=i == len(row) - 1)
        for _ in range(3):
            await asyncio.sleep(0)

    asyncio.run(run())
    kinds = [[item[0] for item in frame] for frame in sent.frames]
    assert kinds[:2] == [[Kind.SUBMITS, Kind.BUSY], [Kind.SUBMITS]]
    assert [kind for frame in kinds[2:] for kind in frame] == [Kind.SUBMITS, Kind.SUBMIT, Kind.BUSY]
    items = [item for frame in sent.frames for item in frame]
    assert [item[1] for item in items if item[0] == Kind.BUSY] == [True, False]
    handed = [data for item in items if item[0] == Kind.SUBMITS for data in item[3]]
    assert handed == row[:-1]
    check_items(items)


def answers_of(heard: Heard, extrinsics: list[bytes]) -> list[str]:
    """The texts that a worker makes of what it hears about submissions."""
    texts = []
    for kind, _, *fields in heard.items:
        if kind == Kind.TAKEN:
            first, count = fields
            texts += [taken(str(i), blake2_256(extrinsics[i])) for i in range(first, first + count)]
        elif kind == Kind.ANSWER and fields[1]:
            texts.append(with_id(fields[1], str(fields[0])))
    return texts


def test_a_client_may_have_many_submissions_under_way(node: Node) -> None:
    heard = Heard()
    connection = FrontConnection(node, Limits(messages=10), Budget(1 << 30), None, cast(Any, heard), 7)
    submit(connection, [b"\x00"] * SUBMISSIONS)
    sent = heard.items
    assert len(sent) == SUBMISSIONS and {item[0] for item in sent} == {Kind.ANSWER}
    for _ in range(UNANSWERED + 11):
        connection.push("x")
    assert [item[0] for item in sent[-2:]] == [Kind.TEXT, Kind.CLOSE]


def test_submissions_in_a_row_are_answered_in_order_and_each_is_counted(node: Node) -> None:
    alice, heard = Signer("//Alice", node.chain.genesis_hash), Heard()
    connection = FrontConnection(node, Limits(), Budget(1 << 30), None, cast(Any, heard), 7)
    good = [alice.sign(transfer(bytes(32), GRIST)) for _ in range(4)]
    dave = Signer("//Pauper", node.chain.genesis_hash)
    row = [good[0], good[1], dave.sign(transfer(bytes(32), GRIST)), good[1], good[2], good[3]]
    submit_row(node, connection, row)
    assert [item[0] for item in heard.items] == [Kind.TAKEN, Kind.ANSWER, Kind.ANSWER, Kind.TAKEN]
    texts = answers_of(heard, row)
    answers = [json.loads(text) for text in texts]
    assert [answer["id"] for answer in answers] == [0, 1, 2, 3, 4, 5]
    results = [answer.get("result") for answer in answers]
    assert results == [None if i in (2, 3) else "0x" + blake2_256(data).hex() for i, data in enumerate(row)]
    assert [answers[i]["error"]["code"] for i in (2, 3)] == [1010, 1013]
    assert connection._messages == 6 and connection._mine.used == sum(map(len, texts))
    counted = {call.is_error: times.count for call, times in node.figures.calls.items()}
    assert counted == {False: 4, True: 2}


def test_answers_for_which_there_is_no_room_cut_the_client_off(node: Node) -> None:
    alice, heard = Signer("//Alice", node.chain.genesis_hash), Heard()
    connection = FrontConnection(node, Limits(), Budget(250), None, cast(Any, heard), 7)
    row = [alice.sign(transfer(bytes(32), GRIST)) for _ in range(4)]
    submit_row(node, connection, row)
    assert len(node.pool.ready) == 4  # they count, whoever is told
    assert [item[0] for item in heard.items].count(Kind.CLOSE) == 1
    answered = [item[2:] for item in heard.items if item[0] != Kind.CLOSE]
    assert answered == [(0, 1), (1, 1), (2, ""), (3, "")]  # the worker counts all four


def test_a_row_beyond_the_rate_is_answered_as_one_by_one(node: Node) -> None:
    alice = Signer("//Alice", node.chain.genesis_hash)
    row = [alice.sign(transfer(bytes(32), GRIST)) for _ in range(8)]
    said = []
    for way in range(2):
        heard, rate = Heard(), Rate(5, lambda: 0.0)
        connection = FrontConnection(node, Limits(), Budget(1 << 30), rate, cast(Any, heard), 7)
        submit(connection, row) if way else submit_row(node, connection, row)
        said.append(answers_of(heard, row))
        assert len(node.pool.ready) == 5
        node.pool.on_revert(node.chain.head.number, [])
        node.pool.remove([tx.hash for tx in node.pool.ready])
        node.pool._banned.clear()
    assert said[0] == said[1] and sum("error" in text for text in said[0]) == 3


def test_a_signature_of_a_row_is_verified_no_second_time(node: Node) -> None:
    alice, heard = Signer("//Alice", node.chain.genesis_hash), Heard()
    connection = FrontConnection(node, Limits(), Budget(1 << 30), None, cast(Any, heard), 7)
    row = [alice.sign(transfer(bytes(32), GRIST)) for _ in range(4)]
    submit_row(node, connection, row)
    verdicts = node.chain.verdicts
    for data in row:  # by the long way
        node.chain.validate(data)
    assert (verdicts.told, verdicts.verified) == (4, 0)
    made = node.author.seal(Clock().now())
    assert made is not None and len(made.extrinsics) == 5
    node.chain.revert_to(0)
    assert len(node.pool.ready) == 4  # judged anew
    node.chain.import_block(Block(made.header, list(made.extrinsics)))
    assert verdicts.verified == 0
    forged = bytearray(row[0])
    forged[50] ^= 1
    with pytest.raises(PoolError):
        node.chain.validate(bytes(forged))
    assert verdicts.verified == 1


def test_of_what_is_signed_for_another_head_a_row_says_nothing(
    node: Node, gristmill: GristmillRuntime
) -> None:
    alice, heard = Keypair.from_uri("//Alice"), Heard()
    connection = FrontConnection(node, Limits(), Budget(1 << 30), None, cast(Any, heard), 7)
    other = b"\7" * 32
    wrong = sign(
        gristmill,
        alice,
        transfer(bytes(32), GRIST),
        genesis_hash=other,
        era=Era.mortal(64, 0),
        birth_hash=other,
    )
    verifier = Verifier(gristmill, node.chain.genesis_hash)
    verifier._machine.system.initialize(1, other, Digest(logs=[]))  # as if it were on another chain
    verdict = verifier.verdict(wrong)
    assert verdict is not None and verdict.good and verdict.form is not None
    connection.submit_row(0, [wrong], [blake2_256(wrong)], [1], [0], [verdict.form[1]])
    (answer,) = answers_of(heard, [wrong])
    assert json.loads(answer)["error"]["data"] == "Transaction has a bad signature"


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


@pytest.mark.parametrize("ident", ["7", '"x"'])
def test_a_plain_submission_is_recognised(ident: str) -> None:
    text = f'{{"jsonrpc":"2.0","id":{ident},"method":"author_submitExtrinsic","params":["0x00ff"]}}'
    assert submission(text) == (ident, b"\x00\xff", False)


def test_blocks_are_the_same_with_an_empty_cache(node: Node, database: Database, tmp_path: Any) -> None:
    alice = Signer("//Alice", node.chain.genesis_hash)
    for _ in range(5):
        node.submit(alice.sign(transfer(alice.account, 1)))
    made = node.author.seal(Clock().now())
    assert made is not None
    with Database.open(tmp_path / "other", sync=False) as other:
        taker = open_node(resolve("dev"), other, node.chain.runtime)
        taker.chain.import_block(Block(made.header, list(made.extrinsics)))
        assert taker.chain.head == node.chain.head and taker.chain.verdicts.verified == 5


@pytest.mark.parametrize(
    "text",
    [
        '{"jsonrpc":"2.0","id":01,"method":"author_submitExtrinsic","params":["0x00"]}',
        '{"jsonrpc":"2.0","id":1,"method":"author_submitExtrinsic","params":["0x0"]}',
        '{"jsonrpc":"2.0","id":1,"method":"author_submitExtrinsic","params":["0x00","0x00"]}',
        '{"jsonrpc":"2.0","id":1,"method":"author_submitExtrinsic","params":["0x00"],"id":2}',
        '{"id":1,"method":"author_submitExtrinsic","params":["0x00"]}',
        '{"jsonrpc":"2.0","id":1,"method":"author_submitExtrinsic","params":["0x00"]}}',
        '{"jsonrpc":"2.0","id":1,"method":"author_submitExtrinsic","params":["0x\u0660\u0660"]}',
    ],
)
def test_what_only_resembles_a_submission_is_left_to_the_reader_of_json(text: str) -> None:
    found = submission(text)
    assert found is None or found == ("2", b"\x00", False)  # of two ids the last one counts, as in `json`


@given(
    ident=st.one_of(st.integers(), st.text(max_size=8)),
    extrinsic=st.binary(max_size=40),
    watched=st.booleans(),
    order=st.permutations(["jsonrpc", "id", "method", "params"]),
    tight=st.booleans(),
)
def test_any_way_to_write_a_submission_is_understood(
    ident: int | str, extrinsic: bytes, watched: bool, order: list[str], tight: bool
) -> None:
    method = "author_submitAndWatchExtrinsic" if watched else "author_submitExtrinsic"
    request = {"jsonrpc": "2.0", "id": ident, "method": method, "params": ["0x" + extrinsic.hex()]}
    text = json.dumps({key: request[key] for key in order}, separators=(",", ":") if tight else None)
    found = submission(text)
    if found is not None or "author_submit" in text[:256]:
        assert found is not None and json.loads(found[0]) == ident and found[1:] == (extrinsic, watched)


def _signed_texts(gristmill: GristmillRuntime) -> list[bytes]:
    genesis, found = bytes(32), []
    for scheme in Scheme:
        pair = Keypair.from_uri("//Front", scheme)
        for data in (b"", b"x" * 300):
            found.append(sign(gristmill, pair, remark(data), genesis_hash=genesis, nonce=3))
        found.append(
            sign(
                gristmill,
                pair,
                remark(b"m"),
                genesis_hash=genesis,
                era=Era.mortal(64, 5),
                birth_hash=bytes([5]) * 32,
            )
        )
    return found


def test_the_short_way_to_a_verdict_is_the_long_one(gristmill: GristmillRuntime) -> None:
    verifier = Verifier(gristmill, bytes(32))
    for number in range(1, 9):
        verifier.learn(number, bytes([number]) * 32)
    chance = random.Random(4)
    short = 0
    for extrinsic in _signed_texts(gristmill):
        whole = verifier._any(extrinsic)
        verdict = verifier.verdict(extrinsic)
        assert verdict is not None and verdict[:2] == (whole, True)
        for _ in range(300):
            wrong = bytearray(extrinsic)
            wrong[chance.randrange(min(len(wrong), 110))] = chance.randrange(256)
            cut = bytes(wrong[: chance.choice([len(wrong), len(wrong), chance.randrange(len(wrong))])])
            question = None
            with suppress(Exception):  # of a call that cannot be read, only the long way says so
                question = verifier._any(cut)
            usual = None
            with suppress(Exception):
                usual = verifier._usual(cut)
            if usual is not None:
                assert usual[0] == question
                short += 1
            found = verifier.verdict(cut)
            assert (None if found is None else found[:2]) == (
                None if question is None else (question, question == whole)
            )
    assert short > 500


@given(st.lists(st.one_of(st.text(max_size=300), st.sampled_from([125, 126, 65535, 65536]).map("é".__mul__))))
def test_frames_are_read_as_they_were_written(texts: list[str]) -> None:
    data, at, found = text_frames(texts), 0, []
    while at < len(data):
        assert data[at] == 0x81
        size, at = data[at + 1], at + 2
        if size > 125:
            width = 2 if size == 126 else 8
            size, at = int.from_bytes(data[at : at + width], "big"), at + width
        found.append(data[at : at + size].decode())
        at += size
    assert found == texts
