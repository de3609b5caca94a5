"""The only path from client to node: JSON-RPC 2.0 over HTTP, and `GET /blob/<hash>` on the same port.

Plain requests on one kept-alive connection, no subscriptions: every part of the client follows *states* by
asking again, so a node that dies and comes back needs no resubscribing. An answer that did not arrive is
retried only for reads; writing is idempotent one layer up (the same extrinsic bytes are sent again).

Answers are bounded before they are read. `tap`, if set, sees every byte sent and received (for leak scans).
"""

import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from client.answers import check
from client.errors import ClientError, InputError, NodeUnreachable, RpcError
from primitives.data import BLOB_MAX, PIECE, blob_hash_of, piece_count, piece_hash

DEFAULT_URL = "http://127.0.0.1:9944"
ANSWER_MAX = 64 * 2**20
"""Largest JSON answer that is read."""

PLAIN, TLS = (http.client.HTTPConnection, 9944), (http.client.HTTPSConnection, 443)
SCHEMES = {"": PLAIN, "http": PLAIN, "ws": PLAIN, "https": TLS, "wss": TLS}
"""How an address is spoken to, and the port where it names none. WebSocket addresses mean the same node's
HTTP.
"""

Tap = Callable[[str, bytes], None]
"""Called with "sent" or "received" and the bytes."""


class Rpc:
    """A connection to one node. Safe to share between threads (one request at a time).

    `patience` is how many seconds an unreachable node is waited for before NodeUnreachable.
    """

    def __init__(self, url: str = DEFAULT_URL, timeout: float = 30.0, patience: float = 0.0) -> None:
        parts = urlsplit(url if "//" in url else f"//{url}")
        if parts.scheme not in SCHEMES or not parts.hostname:
            raise InputError("BadUrl", f"{url} is not the http or https address of a node")
        self.url = url
        self.host = parts.hostname
        self._open, usual_port = SCHEMES[parts.scheme]
        self.port = parts.port or usual_port
        self.timeout = timeout
        self.patience = patience
        self.tap: Tap | None = None
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        """Drop the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> "Rpc":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, method: str, *params: object) -> Any:
        """The result of one request. Raises RpcError, NodeUnreachable or ClientError BadAnswer."""
        request = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}
        body = json.dumps(request, separators=(",", ":")).encode()
        status, answer = self._send("POST", "/", body, ANSWER_MAX)
        try:
            reply = json.loads(answer)
            error, result = reply.get("error"), reply.get("result")
            refusal = None if error is None else _refusal(error)
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise ClientError(f"the node answered HTTP {status} without JSON-RPC", "BadAnswer") from None
        if refusal is not None:
            raise refusal
        return check(method, result)

    def blob(self, blob_hash: bytes, length: int) -> bytes:
        """A blob's bytes by content. ClientError BlobUnavailable, or BlobCorrupt when the hash differs."""
        if not 0 < length <= BLOB_MAX:
            raise ClientError(f"no blob has {length} bytes", "BlobCorrupt")
        status, data = self._send("GET", f"/blob/0x{blob_hash.hex()}", None, length)
        if status not in {200, 206}:
            raise ClientError(f"the node does not have blob 0x{blob_hash.hex()}", "BlobUnavailable")
        hashes = [piece_hash(i, data[i * PIECE : (i + 1) * PIECE]) for i in range(piece_count(length))]
        if len(data) != length or blob_hash_of(length, hashes) != blob_hash:
            raise ClientError("the node sent other bytes than the blob's hash names", "BlobCorrupt")
        return data

    def _send(self, verb: str, path: str, body: bytes | None, limit: int) -> tuple[int, bytes]:
        deadline = time.monotonic() + self.patience
        fresh = False
        while True:
            try:
                with self._lock:
                    return self._exchange(verb, path, body, limit)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if fresh and time.monotonic() >= deadline:
                    raise self._unreachable(error) from None
                if fresh:
                    time.sleep(0.1)
                fresh = True  # a kept-alive connection may simply have grown old: once more without waiting

    def _unreachable(self, error: Exception) -> NodeUnreachable:
        return NodeUnreachable(
            f"no node answers at {self.host}:{self.port} ({error}); start one (gristmill node --dev), "
            "or name another: --node URL"
        )

    def _exchange(self, verb: str, path: str, body: bytes | None, limit: int) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = self._open(self.host, self.port, timeout=self.timeout)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if self.tap is not None:
            self.tap("sent", body or f"{verb} {path}".encode())
        self._connection.request(verb, path, body, headers)
        response = self._connection.getresponse()
        data = response.read(limit + 1)
        if len(data) > limit:
            self.close()
            raise ClientError(f"the node's answer is over {limit} bytes", "BadAnswer")
        if self.tap is not None:
            self.tap("received", data)
        return response.status, data


def _refusal(error: Any) -> RpcError:
    return RpcError(str(error.get("message", "")), int(error.get("code", 0)), error.get("data"))
