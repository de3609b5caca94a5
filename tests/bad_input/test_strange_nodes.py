"""A node is somebody else's program: whatever it answers, a command says a sentence under a name."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from client import datasets, jobs
from client.answers import SHAPES, check
from client.chain import Chain
from client.errors import ClientError
from client.rpc import Rpc

RESULTS: dict[str, Any] = {
    "nothing": None,
    "no hex": "0xzz",
    "a list": [[]],
    "a huge number": 10**400,
    "a hash": "0x" + "11" * 32,
    "an escape sequence": "\x1b[2J",
    "an object": {"number": "0x", "specVersion": True, "block": 5, "changes": [[1]]},
}
BODIES: dict[str, bytes] = {
    "an odd code": b'{"jsonrpc":"2.0","id":1,"error":{"code":"x","message":["\\u001b"],"data":{}}}',
    "an odd error": b'{"jsonrpc":"2.0","id":1,"error":5}',
    "depth": b"[" * 100_000,
    "half a text": b'{"jso',
    "a list": b"[1]",
    "no text": b"\xff\xfe",
    "nothing": b"",
}


class Answering(BaseHTTPRequestHandler):
    body = b""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def strange() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize(
    "body",
    [*({"jsonrpc": "2.0", "id": 1, "result": result} for result in RESULTS.values()), *BODIES.values()],
    ids=[*RESULTS, *BODIES],
)
def test_strange_answers_have_a_name(strange: ThreadingHTTPServer, body: Any) -> None:
    Answering.body = body if isinstance(body, bytes) else json.dumps(body).encode()
    for read in (lambda chain: list(datasets.every(chain)), lambda chain: jobs.read(chain, 0)):
        with Rpc(f"http://127.0.0.1:{strange.server_port}") as rpc, pytest.raises(ClientError) as error:
            read(Chain(rpc))
        assert error.value.name in ("BadAnswer", "RpcError", "MetadataError")


@pytest.mark.parametrize("method", SHAPES)
def test_no_method_takes_every_shape(method: str) -> None:
    refused = 0
    for result in [*RESULTS.values(), True, -1, "", "0x", {}, [None]]:
        try:
            check(method, result)
        except ClientError as error:
            assert error.name == "BadAnswer"
            refused += 1
    assert refused >= 9
