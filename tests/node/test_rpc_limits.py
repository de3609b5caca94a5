"""Who may call what, and how often: the flags of the RPC port."""

from __future__ import annotations

import asyncio
import json
from argparse import ArgumentParser, Namespace
from typing import Any

import aiohttp
import pytest

from node.commands.run import configure_node, options
from node.errors import BadOption
from node.rpc.errors import RpcError
from node.rpc.rate import Rate, address_of, is_within, networks
from node.rpc.session import Limits, Session
from node.service import Node
from tests.node.wire import Wire
from tests.running_node import RpcRefusal, RunningNode


def parsed(*flags: str) -> Namespace:
    parser = ArgumentParser()
    configure_node(parser)
    return parser.parse_args(["--dev", *flags])


@pytest.mark.parametrize(
    ("flags", "unsafe"),
    [
        ([], True),
        (["--rpc-methods=safe"], False),
        (["--rpc-external"], False),
        (["--unsafe-rpc-external"], False),
        (["--rpc-external", "--rpc-methods=unsafe"], True),
        (["--rpc-external", "--rpc-methods=safe"], False),
    ],
)
def test_unsafe_methods_are_for_this_machine(flags: list[str], unsafe: bool) -> None:
    chosen = options(parsed(*flags))
    assert chosen.limits.unsafe is unsafe
    assert chosen.rpc_host == ("0.0.0.0" if any("external" in flag for flag in flags) else "127.0.0.1")


@pytest.mark.parametrize(
    "flags",
    [
        ["--rpc-rate-limit=0"],
        ["--rpc-max-connections=0"],
        ["--rpc-message-buffer-capacity-per-connection=-1"],
        ["--rpc-rate-limit-whitelisted-ips", "10.0.0.0/99"],
        ["--rpc-external", "--validator"],
    ],
)
def test_what_cannot_be_is_refused(flags: list[str]) -> None:
    with pytest.raises(BadOption):
        options(parsed(*flags))


def test_a_rate_is_so_many_a_minute() -> None:
    now = 100.0
    rate = Rate(3, lambda: now)
    for _ in range(3):
        rate.spend()
    with pytest.raises(RpcError) as caught:
        rate.spend()
    assert caught.value.code == -32999 and caught.value.message == "RPC rate limit exceeded"
    now += 20
    rate.spend()
    with pytest.raises(RpcError):
        rate.spend()
    now += 3600
    for _ in range(3):
        rate.spend()
    with pytest.raises(RpcError):
        rate.spend()


def test_who_is_behind_a_proxy() -> None:
    listed = networks(["10.0.0.0/8", "192.168.1.7", "2001:db8::/32"])
    headers = {"X-Forwarded-For": "10.1.2.3, 127.0.0.1", "Forwarded": 'for="[2001:db8::1]";proto=http'}
    assert str(address_of("127.0.0.1", headers, False)) == "127.0.0.1"
    assert is_within(address_of("127.0.0.1", headers, True), listed)
    assert is_within(address_of("::1", {"Forwarded": headers["Forwarded"]}, True), listed)
    assert str(address_of("127.0.0.1", {"X-Real-IP": "nonsense"}, True)) == "127.0.0.1"
    assert not is_within(address_of("::1", {}, True), listed) and address_of(None, {}, True) is None
    assert not is_within(None, listed)


def test_a_batch_may_be_refused_and_its_calls_count(node: Node) -> None:
    one = {"jsonrpc": "2.0", "id": 1, "method": "system_chain"}
    session = Session(node, Limits(batch=0))
    error = json.loads(session.answer(json.dumps([one])))["error"]
    assert error == {"code": -32005, "message": "Batched requests are not supported by this server"}
    counted = Session(node, Limits(), Rate(2))
    answers = json.loads(counted.answer(json.dumps([one] * 3)))
    assert ["result" in answer for answer in answers] == [True, True, False]


def test_the_flags_reach_a_real_port() -> None:
    flags = (
        "--rpc-methods=safe",
        "--rpc-rate-limit=2",
        "--rpc-disable-batch-requests",
        "--rpc-cors=https://a.b",
    )

    async def talk(url: str) -> list[Any]:
        found: list[Any] = []
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(url) as ws:
                for _ in range(7):
                    await ws.send_json({"jsonrpc": "2.0", "id": 1, "method": "system_chain"})
                    found.append(await ws.receive_json(timeout=60))
            for origin in ("https://a.b", "https://evil.example"):
                async with session.post(
                    url.replace("ws", "http"), data="{}", headers={"Origin": origin}
                ) as got:
                    found.append((got.status, got.headers.get("Access-Control-Allow-Origin")))
        return found

    with RunningNode(*flags) as running:
        with pytest.raises(RpcRefusal, match="-32601: RPC call is unsafe to be called externally"):
            running.rpc("dev_newBlock")
        assert (
            running.post([{"jsonrpc": "2.0", "id": 1, "method": "system_chain"}])["error"]["code"] == -32005
        )
        *answers, ours, evil = asyncio.run(talk(running.ws))
        assert ["result" in answer for answer in answers] == [True] * 2 + [False] * 5
        assert answers[2]["error"]["code"] == -32999
        assert ours == (200, "https://a.b") and evil == (403, None)
        with pytest.raises(RpcRefusal, match="-32999"):
            for _ in range(6):
                running.rpc("system_chain")


def test_too_many_messages_in_the_outbox_cut_the_client_off(node: Node) -> None:
    from typing import cast

    from node.rpc.websocket import Budget, SocketConnection

    connection = SocketConnection(node, Limits(messages=3), cast(Any, None), None, Budget(1 << 20))
    for _ in range(3):
        connection.push("x")
    assert not connection._too_slow.is_set()
    connection.push("x")
    assert connection._too_slow.is_set()


def test_a_stranger_sees_only_what_is_safe(node: Node) -> None:
    safe = set(Wire(node, Limits(unsafe=False)).ask("rpc_methods")["methods"])
    everything = set(Wire(node).ask("rpc_methods")["methods"])
    assert safe < everything and not {name for name in safe if name.startswith(("dev_", "engine_"))}
