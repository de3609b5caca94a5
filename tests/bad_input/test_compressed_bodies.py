"""A compressed request is not unpacked: one megabyte may hold a thousand, and broken ones filled the log."""

from __future__ import annotations

import gzip
import json
import urllib.request
from collections.abc import Iterator

import pytest

from tests.running_node import RunningNode


@pytest.fixture(scope="module")
def node() -> Iterator[RunningNode]:
    with RunningNode() as running:
        yield running


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", gzip.compress(bytes(100_000_000))), ("gzip", b"abc"), ("br", b"abc"), ("deflate", b"\xff")],
)
def test_a_compressed_body_is_a_parse_error(node: RunningNode, encoding: str, body: bytes) -> None:
    headers = {"content-type": "application/json", "content-encoding": encoding}
    request = urllib.request.Request(node.http, data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.loads(answer.read())["error"]["code"] == -32700
    assert node.rpc("system_health")["peers"] == 0
    assert not any("Traceback" in line for line in node.log)
