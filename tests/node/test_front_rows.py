"""Submissions that a worker hands over, in rows and one by one: answered, counted, bounded and logged as if
the node had read them itself, and no signature is verified twice.
"""

from __future__ import annotations

import asyncio
import json
import logging
import marshal
from typing import Any, cast

import pytest

from chain_spec import resolve
from frame.runtime import Block
from frame.testing import sign
from node.clock import Clock
from node.database import Database
from node.front.desk import FrontConnection
from node.front.pipe import Kind, check_items
from node.front.submission import taken, with_id
from node.front.verify import Verifier
from node.front.worker import ROW, SUBMISSIONS, UNANSWERED
from node.front.worker import Worker as FrontWorker
from node.log import TRACE
from node.pool import PoolError
from node.rpc.rate import Rate
from node.rpc.session import Limits
from node.rpc.websocket import Budget
from node.run import open_node
from node.service import Node
from primitives.digest import Digest
from primitives.era import Era
from primitives.hashing import blake2_256
from primitives.keys import Keypair
from runtime import GristmillRuntime
from tests.signing import GRIST, Signer, transfer


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


@pytest.mark.parametrize("level", [TRACE, logging.DEBUG, logging.INFO])
def test_the_log_tells_a_row_call_by_call(node: Node, caplog: pytest.LogCaptureFixture, level: int) -> None:
    alice = Signer("//Alice", node.chain.genesis_hash)
    row = [alice.sign(transfer(bytes(32), GRIST)) for _ in range(3)]
    caplog.set_level(level, "rpc")
    connection = FrontConnection(node, Limits(), Budget(1 << 30), None, cast(Any, Heard()), 7)
    submit_row(node, connection, [*row[:2], row[0]])
    submit(connection, [row[2], row[2]])
    asked = [line for line in caplog.messages if "on_call" in line]
    ended = [line for line in caplog.messages if "call took" in line]
    shown = [f'params=["0x{data.hex()}"]' for data in (*row[:2], row[0], row[2], row[2])]
    assert [line.split(" ")[-1] for line in asked] == (shown if level == TRACE else [])
    assert len(ended) == (5 if level <= logging.DEBUG else 0)
    assert [line.endswith("error 1013") for line in ended] == [False, False, True, False, True][: len(ended)]


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
