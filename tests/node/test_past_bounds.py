"""Proofs of old blocks, where much has changed since: somebody's question does not stall the node."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from threading import Event

import aiohttp
import pytest

from frame.backend import Delta
from node.database import Database, StateBusy, StateRebuilding, StateTooFar, pasts
from node.database.past import Past
from node.rpc.session import Limits, Session
from node.service import Node
from primitives.hashing import twox_128
from primitives.trie import verify_proof
from tests.node.test_database_history import commit
from tests.running_node import RunningNode

NUMBER = twox_128(b"System") + twox_128(b"Number")
PAIRS = pasts.AT_ONCE + 500
KEY = b"changes in every block"


def key(i: int) -> bytes:
    return b"changes " + i.to_bytes(4, "big")


def changes(block: int) -> Delta:
    """More than is taken back at once."""
    value = block.to_bytes(4, "big") * 10
    return Delta({KEY: value} | {key(i): value for i in range(PAIRS)})


@pytest.fixture
def busy(database: Database) -> Database:
    for block in range(4):
        commit(database, changes(block))
    return database


def held(monkeypatch: pytest.MonkeyPatch) -> Event:
    """Makers stop before each step until the event is set."""
    go_on, step = Event(), Past.step

    def waiting(past: Past) -> bool:
        assert go_on.wait(30)
        return step(past)

    monkeypatch.setattr(Past, "step", waiting)
    monkeypatch.setattr(pasts, "AT_ONCE", -1)  # nothing in the caller's time
    return go_on


def at(database: Database, number: int) -> bytes:
    digest = database.hash_at(number)
    assert digest is not None
    return digest


def check(database: Database, number: int) -> None:
    state, header = database.backend(at(database, number)), database.header(at(database, number))
    assert header is not None
    for wanted in (KEY, key(7), b"never there"):
        proof = state.proof([wanted])
        assert verify_proof(header.state_root, proof, wanted) == state.get(wanted)


def test_the_chain_goes_on_while_an_old_state_is_made(
    busy: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = held(monkeypatch)
    with pytest.raises(StateRebuilding, match="block 0 is being rebuilt") as first:
        busy.backend(at(busy, 0)).proof([KEY])
    with pytest.raises(StateRebuilding) as second:
        busy.backend(at(busy, 0)).proof([KEY])
    assert second.value.ready is first.value.ready
    with pytest.raises(StateBusy, match=r"block 1 would .* block 0 is being rebuilt"):
        busy.backend(at(busy, 1)).merkle_value(KEY)
    assert busy.lock.acquire(blocking=False), "nobody holds the database"
    busy.lock.release()
    commit(busy, changes(4))
    assert busy.backend(at(busy, 1)).get(KEY) == b"\0\0\0\1" * 10  # a value needs no trie
    go_on.set()
    first.value.ready.result(30)
    check(busy, 0)
    commit(busy, changes(5))
    check(busy, 0)
    check(busy, 5)


def test_what_is_made_for_one_block_is_not_taken_for_another(busy: Database) -> None:
    def make(number: int) -> None:
        with pytest.raises(StateRebuilding) as asked:
            busy.backend(at(busy, number)).proof([KEY])
        asked.value.ready.result(30)
        check(busy, number)

    make(1)
    busy.revert(0)
    commit(busy, changes(100))
    commit(busy, changes(101))
    make(1)
    make(0)


def test_closing_does_not_wait_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database.open(tmp_path / "closing", sync=False)
    for block in range(3):
        commit(database, changes(block))
    go_on = held(monkeypatch)
    with pytest.raises(StateRebuilding) as asked:
        database.backend(at(database, 0)).proof([KEY])
    database.close()
    go_on.set()
    assert "closed" in str(asked.value.ready.exception(30))
    Database.open(tmp_path / "closing", sync=False).close()


def test_there_is_an_end_to_what_is_made(busy: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pasts, "MOST", 2 * PAIRS)
    with pytest.raises(StateRebuilding) as asked:
        busy.backend(at(busy, 0)).proof([KEY])
    with pytest.raises(StateTooFar, match="block 0 is not rebuilt: more than"):
        asked.value.ready.result(30)
    assert busy.backend(at(busy, 0)).root(Delta({}), 1)  # the node itself may


def test_a_client_waits_for_its_answer_and_a_batch_is_told(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = node.chain.database
    commit(database, changes(1))
    commit(database, changes(2))
    digest, session = at(database, 0), Session(node, Limits())

    def request(number: int) -> dict[str, object]:
        params = [["0x" + NUMBER.hex()], "0x" + at(database, number).hex()]
        return {"jsonrpc": "2.0", "id": 1, "method": "state_getReadProof", "params": params}

    (refused,) = json.loads(session.answer(json.dumps([request(0)])))
    assert refused["error"]["code"] == 4003 and "is being rebuilt" in refused["error"]["message"]
    answer = json.loads(asyncio.run(session.answer_when_ready(json.dumps(request(0)))))
    root = database.header(digest)
    assert root is not None
    proof = [bytes.fromhex(item[2:]) for item in answer["result"]["proof"]]
    assert verify_proof(root.state_root, proof, NUMBER) == database.backend(digest).get(NUMBER)


async def _asked(url: str, request: str) -> str:
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        await socket.send_str(request)
        return str((await socket.receive()).data)


@pytest.mark.parametrize("workers", [0, 1])
def test_over_http_and_websockets(workers: int) -> None:
    with RunningNode("--sealing=manual", f"--rpc-workers={workers}") as node:
        before = [node.rpc("chain_getBlockHash", 0)]
        for block in range(4):
            pairs = [["0x" + key(i).hex(), f"0x{block:064x}"] for i in range(PAIRS // 2)]
            node.rpc("dev_setStorage", pairs)
            before.append(node.rpc("chain_getBlockHash", block + 1))
        for number, ask_ws in ((0, False), (1, True)):
            params = [["0x" + key(3).hex()], before[number]]
            request = {"jsonrpc": "2.0", "id": 1, "method": "state_getReadProof", "params": params}
            if ask_ws:
                result = json.loads(asyncio.run(_asked(node.ws, json.dumps(request))))["result"]
            else:
                result = node.rpc("state_getReadProof", *params)
            root = bytes.fromhex(node.rpc("chain_getHeader", before[number])["stateRoot"][2:])
            proof = [bytes.fromhex(item[2:]) for item in result["proof"]]
            expected = None if number == 0 else bytes(32)
            assert verify_proof(root, proof, key(3)) == expected
