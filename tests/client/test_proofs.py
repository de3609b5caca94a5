"""Reading with proofs from a real node, and from one that lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chain_spec import RawGenesis, raw_genesis, resolve
from client.proofs import ProofError, proven_header, proven_values
from client.rpc import Rpc
from primitives.hashing import twox_128
from tests.running_node import RunningNode

ISSUANCE = twox_128(b"Balances") + twox_128(b"TotalIssuance")
VERSION = twox_128(b"Balances") + twox_128(b":__STORAGE_VERSION__:")
ABSENT = b"no such key"


@pytest.fixture(scope="module")
def rpc() -> Iterator[Rpc]:
    with RunningNode() as node:
        connection = Rpc(node.http)
        yield connection
        connection.close()


@pytest.fixture(scope="module")
def genesis(rpc: Rpc) -> bytes:
    return bytes.fromhex(rpc.call("chain_getBlockHash", 0)[2:])


def test_values_in_a_child_trie(tmp_path: Path) -> None:
    """A chain whose genesis has a child trie: proven down to its keys, and so is that there is no other."""
    spec = resolve("dev")
    raw = raw_genesis(spec)
    long = b"a value that is stored by its hash, since it is long"
    pages = {b"page": b"short", b"other": long}
    file = tmp_path / "children.json"
    file.write_text(spec.with_genesis(RawGenesis(raw.top, {b"book": pages})).to_json())
    with RunningNode("--chain", str(file)) as node:
        connection = Rpc(node.http)
        block = bytes.fromhex(connection.call("chain_getBlockHash", 0)[2:])
        wanted = [b"page", b"other", b"none"]
        assert proven_values(connection, block, wanted, child=b"book") == {**pages, b"none": None}
        with pytest.raises(ProofError) as caught:
            proven_values(
                Liar(connection, "state_getChildReadProof", _first_flipped), block, wanted, child=b"book"
            )
        assert caught.value.name == "BadProof"
        connection.close()


class Liar(Rpc):
    """Passes requests on and changes one method's answers."""

    def __init__(self, honest: Rpc, method: str, change: Callable[[Any], Any]) -> None:
        super().__init__(honest.url)
        self._method, self._change = method, change

    def call(self, method: str, *params: Any) -> Any:
        answer = super().call(method, *params)
        self.close()
        return self._change(answer) if method == self._method else answer


def test_values_and_absence(rpc: Rpc, genesis: bytes) -> None:
    found = proven_values(rpc, genesis, [ISSUANCE, VERSION, ABSENT])
    plain = rpc.call("state_getStorage", "0x" + ISSUANCE.hex(), "0x" + genesis.hex())
    assert found == {ISSUANCE: bytes.fromhex(plain[2:]), VERSION: b"\1\0", ABSENT: None}
    assert proven_header(rpc, genesis).number == 0


def _other_state(header: Any) -> Any:
    return {**header, "stateRoot": "0x" + "11" * 32}


@pytest.mark.parametrize(
    "change", [_other_state, lambda header: None, lambda header: {"number": "0x0"}, lambda header: []]
)
def test_a_header_that_is_not_the_block_s(rpc: Rpc, genesis: bytes, change: Callable[[Any], Any]) -> None:
    with pytest.raises(ProofError) as caught:
        proven_values(Liar(rpc, "chain_getHeader", change), genesis, [ISSUANCE])
    assert caught.value.name == "BadHeader"


def _first_flipped(answer: Any) -> Any:
    first = bytes.fromhex(answer["proof"][0][2:])
    return {"proof": ["0x" + (first[:-1] + bytes((first[-1] ^ 1,))).hex(), *answer["proof"][1:]]}


@pytest.mark.parametrize("change", [_first_flipped, lambda answer: {"proof": []}])
def test_a_proof_that_does_not_hold(rpc: Rpc, genesis: bytes, change: Callable[[Any], Any]) -> None:
    with pytest.raises(ProofError) as caught:
        proven_values(Liar(rpc, "state_getReadProof", change), genesis, [ISSUANCE])
    assert caught.value.name == "BadProof"
