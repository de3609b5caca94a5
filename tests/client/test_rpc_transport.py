"""The client's only path to a node, against a small server that misbehaves on demand."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from client import rpc as transport
from client.errors import ClientError, InputError, NodeUnreachable, RpcError
from client.rpc import Rpc
from primitives.data import PIECE, blob_hash

Answer = Callable[[str, bytes], tuple[int, bytes]]


class Server:
    """Answers every request with `answer(path, body)`."""

    def __init__(self) -> None:
        self.answer: Answer = lambda path, body: (200, b"{}")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def reply(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, data = outer.answer(self.path, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_GET = reply

            def log_message(self, *_: Any) -> None:
                return

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def client(server: Server) -> Iterator[Rpc]:
    made = Rpc(server.url)
    yield made
    made.close()


def test_a_result_comes_back_and_the_tap_sees_both_ways(server: Server, client: Rpc) -> None:
    seen: list[tuple[str, bytes]] = []
    client.tap = lambda direction, data: seen.append((direction, data))
    server.answer = lambda _, body: (200, json.dumps({"result": json.loads(body)["params"]}).encode())
    assert client.call("method", 1, "two") == [1, "two"]
    assert [direction for direction, _ in seen] == ["sent", "received"]
    assert b'"method":"method"' in seen[0][1]


def test_an_error_is_named_with_its_code_and_data(server: Server, client: Rpc) -> None:
    error = {"code": 1010, "message": "Invalid Transaction", "data": "Transaction is outdated"}
    server.answer = lambda *_: (200, json.dumps({"error": error}).encode())
    with pytest.raises(RpcError, match="Transaction is outdated") as refusal:
        client.call("x")
    assert refusal.value.code == 1010


@pytest.mark.parametrize("answer", [b"not json", b"[]", b"", b"\xff\xfe"])
def test_what_is_not_json_rpc_is_refused(server: Server, client: Rpc, answer: bytes) -> None:
    server.answer = lambda *_: (502, answer)
    with pytest.raises(ClientError) as refusal:
        client.call("x")
    assert refusal.value.name == "BadAnswer"


def test_an_answer_beyond_the_bound_is_not_read(
    server: Server, client: Rpc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "ANSWER_MAX", 1000)
    server.answer = lambda *_: (200, b'"' + b"x" * 5000 + b'"')
    with pytest.raises(ClientError, match="over 1000 bytes"):
        client.call("x")


def test_nobody_there_is_said_plainly() -> None:
    with pytest.raises(NodeUnreachable, match=r"127\.0\.0\.1:1"):
        Rpc("http://127.0.0.1:1").call("x")


@pytest.mark.parametrize("url", ["ftp://host", "http://", "file:///etc/passwd"])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(InputError):
        Rpc(url)


def test_addresses_as_people_write_them() -> None:
    assert (Rpc("localhost:77").host, Rpc("localhost:77").port) == ("localhost", 77)
    assert Rpc("ws://node").port == 9944
    assert Rpc("https://node").port == 443


def test_a_restarted_server_is_found_again(server: Server, client: Rpc) -> None:
    server.answer = lambda *_: (200, b'{"result": 1}')
    assert client.call("x") == 1
    assert client._connection is not None and client._connection.sock is not None
    client._connection.sock.close()
    assert client.call("x") == 1


def test_a_blob_is_checked_against_its_hash(server: Server, client: Rpc) -> None:
    content = bytes(PIECE) + b"tail"
    server.answer = lambda path, _: (200, content) if blob_hash(content).hex() in path else (404, b"")
    assert client.blob(blob_hash(content), len(content)) == content
    with pytest.raises(ClientError) as missing:
        client.blob(bytes(32), 5)
    assert missing.value.name == "BlobUnavailable"
    right = blob_hash(content)
    for wrong in (content[:-1] + b"x", content[:-1], b"x" + content[1:]):
        server.answer = lambda path, _, wrong=wrong: (200, wrong)  # type: ignore[misc]
        with pytest.raises(ClientError) as corrupt:
            client.blob(right, len(content))
        assert corrupt.value.name == "BlobCorrupt"
    server.answer = lambda *_: (200, content + b"more")
    with pytest.raises(ClientError):
        client.blob(right, len(content))
