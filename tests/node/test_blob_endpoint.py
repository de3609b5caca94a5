"""A blob goes in by extrinsics and comes out by `GET /blob/<hash>`, from a real node process."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from primitives.data import PIECE, blob_hash, piece_hash, pieces
from primitives.scale import H256, U32, U64, Bytes, encode
from tests.running_node import RunningNode
from tests.signing import Signer

DECLARE, PUT = b"\x09\x00", b"\x09\x01"
BLOB = bytes(i * 7 % 251 for i in range(PIECE)) + b"the end"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    base = tmp_path_factory.mktemp("base")
    first = RunningNode(base_path=base)
    put(first, BLOB, upto=1)
    assert fetch(first)[0] == 404, "an incomplete blob is not served"
    put(first, BLOB)
    first.kill()
    with RunningNode(base_path=base) as again:
        yield again


def put(node: RunningNode, blob: bytes, upto: int | None = None) -> None:
    """Declare it if need be and put its first `upto` pieces, or those that follow."""
    alice = Signer("//Alice", bytes.fromhex(node.rpc("chain_getBlockHash", 0)[2:]))
    alice.nonce = node.rpc("system_accountNextIndex", alice.pair.address)
    parts = list(enumerate(pieces(blob)))
    calls = [
        PUT + blob_hash(blob) + encode(U32, i) + encode(Bytes, part)
        for i, part in (parts[:upto] if upto else parts[1:])
    ]
    if upto:
        hashes = [piece_hash(i, part) for i, part in parts]
        calls.insert(0, DECLARE + encode(U64, len(blob)) + encode(list[H256], hashes))
    for call in calls:
        before = int(node.rpc("chain_getHeader")["number"], 16)
        node.rpc("author_submitExtrinsic", "0x" + alice.sign(call).hex())
        node.wait_for_block(before + 1)


def fetch(node: RunningNode, span: str | None = None, method: str = "GET") -> tuple[int, bytes, str | None]:
    """Status, body, Content-Range."""
    url = f"{node.http}/blob/0x{blob_hash(BLOB).hex()}"
    request = urllib.request.Request(url, headers={"Range": span} if span else {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.read(), response.headers["Content-Range"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b"", error.headers["Content-Range"]


def test_the_whole_blob_survives_a_kill_and_comes_back(node: RunningNode) -> None:
    assert fetch(node) == (200, BLOB, None)
    assert fetch(node, method="HEAD")[:2] == (200, b"")


def test_parts_over_the_border_of_two_pieces(node: RunningNode) -> None:
    first, last = PIECE - 5, PIECE + 2
    status, body, content_range = fetch(node, f"bytes={first}-{last}")
    assert status == 206 and body == BLOB[first : last + 1]
    assert content_range == f"bytes {first}-{last}/{len(BLOB)}"
    assert fetch(node, "bytes=-3")[1] == b"end"


def test_what_is_not_there(node: RunningNode) -> None:
    assert fetch(node, f"bytes={len(BLOB)}-")[::2] == (416, f"bytes */{len(BLOB)}")
    for name, code in (("0x" + "00" * 32, 404), ("nonsense", 400), ("../" * 3, 404)):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{node.http}/blob/{name}", timeout=20)
        with caught.value as error:
            assert error.code == code
