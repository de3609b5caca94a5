"""Whatever arrives as an extrinsic, as JSON-RPC, as a chain spec or as a file of blocks is refused by name.

Never a traceback in the log, a hang (pytest's timeout), memory without bound, or a changed state. Each test
runs briefly here and long under `make soak`.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import resource
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from chain_spec import ChainSpec, genesis_block, resolve
from chain_spec.errors import ChainSpecError
from chain_spec.spec import parse
from frame.genesis import GenesisError
from node.authoring import Author
from node.block_file import read_blocks, write_blocks
from node.errors import NodeError
from node.rpc.table import METHODS, SUBSCRIPTIONS, UNSUBSCRIBE
from node.service import Node
from tests.node.wire import Wire
from tests.signing import GRIST, Signer, remark, transfer

NOW = 1_800_000_000_000
MIB = 1 << 20
SHORT = 150
EXAMPLES = pytest.mark.parametrize(
    "examples", [SHORT, pytest.param(30_000, marks=pytest.mark.soak)], ids=["short", "soak"]
)
Sign = Callable[[str], Signer]


@contextlib.contextmanager
def quiet(examples: int) -> Iterator[None]:
    """No error is logged and memory grows little: hypothesis itself takes some for each example."""
    caught: list[logging.LogRecord] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = caught.append  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
    assert not caught, [record.getMessage() for record in caught]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before < 200 * MIB + examples * 4096


def fuzz(examples: int) -> Any:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=examples == SHORT,
        suppress_health_check=list(HealthCheck),
    )


@st.composite
def damaged(draw: st.DrawFn, originals: list[bytes]) -> bytes:
    """A valid original with some bytes changed, cut out, doubled, or put in."""
    data = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 4)):
            case 0:
                data[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case 1:
                del data[at : at + draw(st.integers(1, 40))]
            case 2:
                data[at:at] = data[at : at + draw(st.integers(1, 40))]
            case 3:
                data[at:at] = draw(st.binary(min_size=1, max_size=20))
            case _:
                data[at : at + 4] = b"\xff\xff\xff\xff"
    return bytes(data)


# ── extrinsics ──────────────────────────────────────────────────────────────


def framed(data: bytes) -> bytes:
    """With the right length in front."""
    from primitives.scale import encode_compact

    return encode_compact(len(data)) + data


@EXAMPLES
def test_extrinsics(node: Node, signer: Sign, examples: int) -> None:
    alice, bob = signer("//Alice"), signer("//Bob")
    nested = b"\x05\x00" * 30 + b"\x00" * 40
    calls = [remark(b"x" * 30), transfer(bob.account, GRIST), b"\x06\x02\x04" + remark(b"1"), nested]
    valid = [alice.sign(call, nonce=0) for call in calls]
    wire, head = Wire(node), node.chain.head

    @fuzz(examples)
    @given(data=damaged(valid) | st.binary(max_size=200) | st.binary(max_size=200).map(framed))
    def check(data: bytes) -> None:
        text = "0x" + data.hex()
        for method in (
            "author_submitExtrinsic",
            "system_dryRun",
            "payment_queryInfo",
            "payment_queryFeeDetails",
            "transaction_v1_broadcast",
            "transactionWatch_v1_submitAndWatch",
        ):
            answer = wire.ask(method, text)
            assert not isinstance(answer, dict) or answer.get("code") != -32603, answer
        wire.ask("state_call", "TaggedTransactionQueue_validate_transaction", "0x02" + data.hex() + "00" * 32)
        if data not in valid:
            assert not node.pool.pending()
        node.pool.remove([tx.hash for tx in node.pool.pending()])
        wire.events()

    with quiet(examples):
        check()
    assert node.chain.head == head


# ── JSON-RPC ────────────────────────────────────────────────────────────────

LEAVE_OUT = (
    "dev_",
    "engine_",
    "system_addLogFilter",
    "system_resetLogFilter",
    "offchain_",
    "author_insertKey",
)
"""What may change the node, or the log that is watched."""

hostile = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([-1, 0, 2**32 - 1, 2**32, 2**53, 2**64, 10**400]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.binary(max_size=40).map(lambda data: "0x" + data.hex()),
    st.sampled_from(["0x", "0x1", "0xzz", "x" * 5000, "0x" + "00" * 5000, "\ud800", "\x00", "0X12"]),
    st.recursive(st.just([]), lambda inner: st.lists(inner, min_size=1, max_size=2), max_leaves=30),
)


def plausible(node: Node, idents: list[str]) -> st.SearchStrategy[Any]:
    """What the methods want: hashes, keys, queries, ids."""
    genesis = "0x" + node.chain.genesis_hash.hex()
    head = "0x" + node.chain.head.hash.hex()
    keys = ["0x", "0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9", "0x3a636f6465"]
    child = "0x" + b":child_storage:default:x".hex()
    query = st.fixed_dictionaries(
        {"key": st.sampled_from(keys) | hostile},
        optional={
            "type": st.sampled_from(["value", "hash", "closestDescendantMerkleValue", "descendantsValues"])
            | hostile,
            "paginationStartKey": st.sampled_from(keys) | hostile,
            "returnType": st.sampled_from(["value", "hash"]) | hostile,
            "childTrieKey": st.sampled_from(["0x78", None]) | hostile,
        },
    )
    leaf = st.sampled_from([genesis, head, child, "Core_version", *keys, *idents, 0, 1, 1000, True])
    value = st.one_of(leaf, hostile, query)
    return value | st.lists(value, max_size=4)


@EXAMPLES
def test_valid_methods_with_hostile_parameters(
    node: Node, author: Author, signer: Sign, examples: int
) -> None:
    node.submit(signer("//Alice").sign(remark()))
    author.seal(NOW)
    wire, head = Wire(node), node.chain.head
    idents = [wire.ask("chainHead_v1_follow", True), wire.ask("chain_subscribeNewHeads"), "1", "2"]
    names = sorted({*METHODS, *SUBSCRIPTIONS, *UNSUBSCRIBE})
    names = [name for name in names if not name.startswith(LEAVE_OUT)]
    value = plausible(node, idents)
    params = st.lists(value, max_size=5) | st.dictionaries(st.text(max_size=8), value, max_size=3) | hostile
    request = st.fixed_dictionaries(
        {"jsonrpc": st.just("2.0"), "method": st.sampled_from(names), "params": params},
        optional={"id": st.integers() | st.text(max_size=5)},
    )

    @fuzz(examples * 4)
    @given(asked=request | st.lists(request, max_size=4))
    def check(asked: Any) -> None:
        text = wire.answer(json.dumps(asked))
        wire.answered()
        wire.heard.clear()
        if len(wire._streams) > 500:
            wire.end()
        if not text:
            return
        answers = json.loads(text)
        for answer in answers if isinstance(answers, list) else [answers]:
            assert ("result" in answer) != ("error" in answer)
            assert answer.get("error", {}).get("code") != -32603, (asked, answer)

    with quiet(examples):
        check()
    assert node.chain.head == head and not node.pool.pending()


@EXAMPLES
def test_bytes_that_are_no_request(node: Node, examples: int) -> None:
    valid = [
        b'{"jsonrpc":"2.0","id":1,"method":"chain_getHeader","params":[]}',
        b'[{"jsonrpc":"2.0","id":1,"method":"state_getStorage","params":["0x3a636f6465"]}]',
    ]
    wire = Wire(node)

    @fuzz(examples * 2)
    @given(data=st.binary(max_size=300) | damaged(valid))
    def check(data: bytes) -> None:
        text = wire.answer(data)
        wire.answered()
        if text:
            json.loads(text)

    with quiet(examples):
        check()


@EXAMPLES
def test_a_developers_methods_leave_a_chain_that_goes_on(node: Node, author: Author, examples: int) -> None:
    wire = Wire(node)
    for _ in range(3):
        author.seal(NOW, empty=True)
    names = ["dev_newBlock", "dev_setStorage", "dev_setHead", "engine_createBlock", "engine_finalizeBlock"]
    value = plausible(node, [])
    storage = st.dictionaries(
        st.sampled_from(["System", "balances", "Timestamp"]),
        st.dictionaries(st.sampled_from(["Account", "number", "Now", "$removePrefix"]), value, max_size=2),
        max_size=2,
    )

    @fuzz(examples)
    @given(
        name=st.sampled_from(names),
        params=st.lists(value | storage, max_size=3),
        count=st.integers(-2, 3) | hostile,
    )
    def check(name: str, params: list[Any], count: Any) -> None:
        answer = wire.ask(name, *([{"count": count}] if name == "dev_newBlock" else params))
        assert not isinstance(answer, dict) or answer.get("code") != -32603, answer
        sealed = author.seal(node.clock.now(), empty=True)
        assert sealed is not None

    with quiet(examples):
        check()


# ── files ───────────────────────────────────────────────────────────────────


@EXAMPLES
def test_chain_specs(gristmill: Any, examples: int) -> None:
    plain = resolve("dev").to_json().encode()
    raw = json.dumps({"name": "x", "id": "x", "genesis": {"raw": {"top": {"0x3a636f6465": "0x00"}}}}).encode()

    @fuzz(examples)
    @given(data=st.binary(max_size=300) | damaged([plain, raw]))
    def check(data: bytes) -> None:
        try:
            spec = parse(data)
            assert isinstance(spec, ChainSpec)
            genesis_block(spec, runtime=gristmill)
        except (ChainSpecError, GenesisError):
            pass

    with quiet(examples):
        check()


@EXAMPLES
@pytest.mark.parametrize("binary", [True, False])
def test_files_of_blocks(node: Node, author: Author, signer: Sign, binary: bool, examples: int) -> None:
    alice = signer("//Alice")
    for i in range(3):
        node.submit(alice.sign(remark(bytes([i]))))
        author.seal(NOW + i)
    file = io.BytesIO()
    write_blocks(file, node.chain, 1, 3, binary=binary)
    hashes = [node.chain.hash_at(number) for number in range(4)]
    node.chain.revert_to(0)

    @fuzz(examples)
    @given(data=st.binary(max_size=300) | damaged([file.getvalue()]))
    def check(data: bytes) -> None:
        with contextlib.suppress(NodeError):
            for block in read_blocks(io.BytesIO(data), binary=binary):
                node.chain.import_block(block)
        head = node.chain.head
        assert head.hash == hashes[head.number], "a block that is imported is one that was made"
        node.chain.revert_to(0)

    with quiet(examples):
        check()
