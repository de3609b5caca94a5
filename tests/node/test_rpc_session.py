"""From text to text: whatever a client sends, it gets JSON-RPC back, and the node stays as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from chain_spec import resolve
from node.database import Database
from node.rpc import server  # noqa: F401  (fills the table)
from node.rpc.session import Limits, Session
from node.rpc.table import METHODS, SUBSCRIPTIONS
from node.rpc.websocket import Budget, Connection
from node.run import open_node
from node.service import Node
from runtime import GristmillRuntime


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, gristmill: GristmillRuntime) -> Iterator[Node]:
    """One for all of this file: nothing here changes it."""
    with Database.open(tmp_path_factory.mktemp("session") / "db", sync=False) as database:
        yield open_node(resolve("dev"), database, gristmill)


@pytest.fixture
def session(node: Node) -> Session:
    return Session(node, Limits(request=10_000, response=400_000, batch=20))


def ask(session: Session, method: Any, params: Any = None, ident: Any = 1) -> Any:
    text = json.dumps({"jsonrpc": "2.0", "id": ident, "method": method, "params": params})
    return json.loads(session.answer(text))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", -32700),
        ("{", -32700),
        (b"\xff\xfe", -32700),
        ("[" * 100_000, -32700),
        ('{"a":' * 50_000, -32700),
        ("NaN", -32700),
        ("9" * 5000, -32700),
        ("1", -32600),
        ("null", -32600),
        ("[]", -32600),
        ('"chain_getHeader"', -32600),
        ("{}", -32600),
        ('{"jsonrpc":"1.0","id":1,"method":"system_chain"}', -32600),
        ('{"jsonrpc":"2.0","id":1,"method":7}', -32600),
        ('{"jsonrpc":"2.0","id":{},"method":"system_chain"}', -32600),
        ('{"jsonrpc":"2.0","id":1e999,"method":"system_chain"}', -32600),
        ('{"jsonrpc":"2.0","id":1,"method":"no_such"}', -32601),
        ('{"jsonrpc":"2.0","id":1,"method":"chain_subscribeNewHeads"}', -32601),
        ('{"jsonrpc":"2.0","id":1,"method":"chain_getHeader","params":["0x12"]}', -32602),
        ('{"jsonrpc":"2.0","id":1,"method":"chain_getHeader","params":[1,2,3]}', -32602),
        ('{"jsonrpc":"2.0","id":1,"method":"chain_getHeader","params":"x"}', -32602),
        ('{"jsonrpc":"2.0","id":1,"method":"state_getStorage","params":[]}', -32602),
        ('{"jsonrpc":"2.0","id":1,"method":"state_getStorage","params":["0x12 34"]}', -32602),
        ('{"jsonrpc":"2.0","id":1,"method":"state_getStorage","params":["0x123"]}', -32602),
        ('{"jsonrpc":"2.0","id":1,"method":"chain_getBlockHash","params":["0x1_0"]}', -32602),
        ('{"jsonrpc":"2.0","id":1,"method":"chain_getBlockHash","params":["0xfffffffffffffff"]}', -32602),
    ],
)
def test_wrong_requests_get_the_right_code(session: Session, text: str | bytes, code: int) -> None:
    answer = json.loads(session.answer(text))
    assert answer["error"]["code"] == code and answer["jsonrpc"] == "2.0"


def test_ids_come_back_as_they_were(session: Session) -> None:
    for ident in (0, -1, "x", None, 2**60):
        assert ask(session, "system_chain", ident=ident)["id"] == ident


def test_a_notification_gets_no_answer(session: Session) -> None:
    assert session.answer('{"jsonrpc":"2.0","method":"system_chain"}') == ""
    assert session.answer('[{"jsonrpc":"2.0","method":"system_chain"}]') == ""


def test_a_batch_is_answered_in_order(session: Session) -> None:
    batch = [
        {"jsonrpc": "2.0", "id": i, "method": m}
        for i, m in enumerate(["system_chain", "nope", "system_name"])
    ]
    answers = json.loads(session.answer(json.dumps([*batch, 5])))
    assert [answer["id"] for answer in answers] == [0, 1, 2, None]
    assert answers[1]["error"]["code"] == -32601 and answers[3]["error"]["code"] == -32600


def test_batches_and_answers_are_bounded(session: Session) -> None:
    one = {"jsonrpc": "2.0", "id": 1, "method": "system_chain"}
    assert json.loads(session.answer(json.dumps([one] * 21)))["error"]["code"] == -32010
    metadata = {"jsonrpc": "2.0", "id": 1, "method": "state_getMetadata"}
    answers = json.loads(session.answer(json.dumps([metadata] * 20)))
    assert answers[-1]["error"]["code"] == -32008


def test_parameters_by_name(session: Session) -> None:
    genesis = ask(session, "chain_getBlockHash", {"listOrValue": 0})["result"]
    assert ask(session, "chain_getHeader", {"hash": genesis})["result"]["number"] == "0x0"


def test_an_unknown_block_reads_like_substrate(session: Session) -> None:
    nowhere = "0x" + "00" * 32
    error = ask(session, "state_getStorage", ["0x00", nowhere])["error"]
    assert error == {
        "code": 4003,
        "message": f"Client error: UnknownBlock: Header was not found in the database: {nowhere}",
    }
    assert ask(session, "chain_getHeader", [nowhere])["result"] is None
    assert ask(session, "chain_getBlock", [nowhere])["result"] is None
    assert ask(session, "chain_getBlockHash", [77])["result"] is None


def test_an_unknown_runtime_api_reads_like_substrate(session: Session) -> None:
    error = ask(session, "state_call", ["Nope_nothing", "0x"])["error"]
    assert error["code"] == 4003
    assert (
        error["message"] == "Client error: Execution failed: Other: Exported method Nope_nothing is not found"
    )


def test_keys_come_in_pages(session: Session, node: Node) -> None:
    prefix = "0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9"  # System.Account
    everything = ask(session, "state_getKeysPaged", [prefix, 1000])["result"]
    assert everything == sorted(everything) and len(everything) > 5
    pages: list[str] = []
    while True:
        page = ask(session, "state_getKeysPaged", [prefix, 2, pages[-1] if pages else None])["result"]
        if not page:
            break
        pages += page
    assert pages == everything
    too_many = ask(session, "state_getKeysPaged", [prefix, 1001])["error"]
    assert too_many["code"] == 4002 and "count exceeds maximum value" in too_many["message"]
    whole = ask(session, "state_getKeysPaged", [None, 1000])["result"]
    assert set(everything) < set(whole)


def test_values_hashes_and_sizes_agree(session: Session) -> None:
    key = "0xf0c365c3cf59d671eb72da0e7a4113c44e7b9012096b41c4eb3aaf947f6ea429"  # Timestamp's storage version
    value = ask(session, "state_getStorage", [key])["result"]
    assert value == "0x0000" or value.startswith("0x")
    assert ask(session, "state_getStorageSize", [key])["result"] == len(value) // 2 - 1
    assert len(ask(session, "state_getStorageHash", [key])["result"]) == 66
    assert ask(session, "state_getStorage", ["0x1234"])["result"] is None
    queried = ask(session, "state_queryStorageAt", [[key, "0x1234"]])["result"]
    assert queried[0]["changes"] == [[key, value], ["0x1234", None]]


def test_rpc_methods_lists_what_is_there(session: Session) -> None:
    listed = ask(session, "rpc_methods")["result"]["methods"]
    assert set(METHODS) | set(SUBSCRIPTIONS) <= set(listed) and listed == sorted(listed)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.binary(max_size=40).map(lambda data: "0x" + data.hex()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)
requests = st.fixed_dictionaries(
    {"jsonrpc": st.sampled_from(["2.0", "2.0", "2.0", "1"])},
    optional={
        "id": json_values,
        "method": st.sampled_from(sorted({*METHODS, *SUBSCRIPTIONS})) | st.text(max_size=10),
        "params": json_values | st.lists(json_values, max_size=3),
    },
)


@pytest.fixture
def connection(node: Node) -> Connection:
    """A WebSocket session whose socket nobody reads."""
    return Connection(node, Limits(subscriptions=50), Budget(1_000_000))


fuzzing = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@fuzzing
@given(request=requests | st.lists(requests, max_size=4))
def test_any_json_gets_an_answer_and_changes_nothing(session: Session, node: Node, request: Any) -> None:
    head = node.chain.head
    answer = session.answer(json.dumps(request))
    if answer:
        for one in json.loads(answer) if isinstance(request, list) and request else [json.loads(answer)]:
            assert ("result" in one) != ("error" in one)
            assert one.get("error", {}).get("code") != -32603, one
    assert node.chain.head == head and not node.pool.pending()


def test_subscriptions_are_bounded_and_end(connection: Connection) -> None:
    idents = [ask(connection, "chain_subscribeNewHeads")["result"] for _ in range(50)]
    assert len(set(idents)) == 50
    assert ask(connection, "state_subscribeStorage", [[]])["error"]["code"] == -32006
    assert ask(connection, "state_unsubscribeStorage", [idents[0]])["result"] is False
    assert ask(connection, "chain_unsubscribeNewHeads", [idents[0]])["result"] is True
    assert ask(connection, "chain_unsubscribeNewHeads", [idents[0]])["result"] is False
    assert "result" in ask(connection, "state_subscribeStorage", [[]])
