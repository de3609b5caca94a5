"""What `-l rpc=trace` tells of calls: who sends what, cut short, and never a secret."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from node.rpc.params import Secret, parameters
from node.rpc.table import METHODS
from node.rpc.trace import SHOWN
from tests.running_node import RpcRefusal, RunningNode

SEED = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"


@pytest.fixture(scope="module")
def traced() -> Iterator[RunningNode]:
    with RunningNode("-l", "rpc=trace", "--rpc-workers=0") as node:
        yield node


def lines(node: RunningNode, since: int) -> list[str]:
    """What was logged of calls, up to a call that marks the end."""
    mark = f"mark{since}"
    with pytest.raises(RpcRefusal):
        node.rpc(mark)
    deadline = time.monotonic() + 120
    while not any(f'"{mark}" call took' in line for line in node.log[since:]):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return [line for line in node.log[since:] if " rpc: " in line and mark not in line]


def test_a_call_is_told_with_its_parameters_and_its_time(traced: RunningNode) -> None:
    since = len(traced.log)
    traced.rpc("chain_getBlockHash", [0, 1])
    asked, took = lines(traced, since)
    assert re.fullmatch(
        r"[-\d]+ [:\d]+ TRACE rpc: \[http\] on_call name=chain_getBlockHash params=\[\[0,1\]\]\n", asked
    )
    assert re.fullmatch(r"[-\d]+ [:\d]+ DEBUG rpc: \[http\] chain_getBlockHash call took \d+ μs\n", took)


def test_calls_by_websocket_and_refusals_are_told_too(traced: RunningNode) -> None:
    since = len(traced.log)

    async def ask() -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(traced.ws) as ws:
            for ident, (name, params) in enumerate(
                [("chain_subscribeNewHeads", []), ("state_getKeysPaged", 7)]
            ):
                await ws.send_json({"jsonrpc": "2.0", "id": ident, "method": name, "params": params})
                while (await ws.receive_json(timeout=60)).get("id") != ident:
                    pass

    asyncio.run(ask())
    found = "".join(lines(traced, since))
    assert "[ws] on_call name=chain_subscribeNewHeads params=[]\n" in found
    assert re.search(r"\[ws\] state_getKeysPaged call took \d+ μs, error -32602\n", found)


@pytest.mark.parametrize("params", [["babe", SEED, "0x" + "00" * 32], {"suri": SEED}, [SEED] * 9, SEED])
@pytest.mark.parametrize("method", ["author_insertKey", "author_insertkey"])
def test_no_secret_is_told(traced: RunningNode, method: str, params: Any) -> None:
    since = len(traced.log)
    traced.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    told = lines(traced, since)
    assert len(told) == 2 and "params=(hidden)" in told[0]
    assert not [line for line in traced.log if "curtain" in line]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("state_getStorage", ["0x" + "ab" * 1_000_000]),
        ("system_name", ["\n2026-01-01 00:00:00 💤 Idle\x1b[2J\u202e"]),
        ("\n" * 1000, []),
        ("system_name", [[[["x" * 50] * 50] * 50] * 50]),
    ],
)
def test_no_call_fills_the_log_or_forges_a_line(traced: RunningNode, method: str, params: Any) -> None:
    since = len(traced.log)
    traced.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    told = lines(traced, since)
    assert len(told) == 2 and all(len(line) < SHOWN + 200 for line in told)
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", "".join(told))


@pytest.mark.parametrize("text", ["1e999", "[" * 400 + "]" * 400])
def test_what_cannot_be_told_harms_nobody(traced: RunningNode, text: str) -> None:
    body = f'{{"jsonrpc":"2.0","id":1,"method":"system_name","params":[{text}]}}'.encode()
    assert "error" in traced.post(body)
    assert traced.rpc("system_chain") == "Gristmill Development"


def test_a_secret_parameter_is_known_as_one() -> None:
    def insert(node: object, name: str, suri: Secret | None = None) -> None:
        """Takes a secret that may be missing."""

    assert [each.secret for each in parameters(insert, 2)] == [True]
    hidden = [name for name, entry in METHODS.items() if any(each.secret for each in entry.parameters)]
    assert hidden == ["author_insertKey"]


def test_an_ordinary_log_says_nothing_of_calls() -> None:
    with RunningNode("--rpc-workers=0") as node:
        node.rpc("system_name")
        node.rpc("system_addLogFilter", "rpc=trace")
        node.rpc("system_chain")
        node.rpc("system_resetLogFilter")
        node.rpc("system_version")
    told = [line.split("rpc: ")[1] for line in node.log if " rpc: " in line]
    assert re.findall(r"on_call name=(\w+)", "".join(told)) == ["system_chain", "system_resetLogFilter"]
