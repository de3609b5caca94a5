"""From the text of a request to the text of its answer: JSON-RPC 2.0, single or batch, over any transport.

Whatever the text is, the answer is text; only what is wrong with the node itself is logged.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from node.database import StateRebuilding
from node.errors import NodeError
from node.pool import PoolError
from node.rpc import trace
from node.rpc.errors import (
    BATCH_TOO_LARGE,
    BATCHES_NOT_SUPPORTED,
    INTERNAL_ERROR,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    RESPONSE_TOO_BIG,
    RpcError,
    client_error,
)
from node.rpc.rate import RATE_LIMIT_EXCEEDED, Network, Rate
from node.rpc.table import METHODS, P, Part
from node.service import Node

log = logging.getLogger("rpc")


class Limits(NamedTuple):
    """Bounds of one connection; sizes in bytes, with Substrate's defaults of 15 MiB."""

    request: int = 15 * 1024 * 1024
    response: int = 15 * 1024 * 1024
    batch: int = 1024
    """Calls of one batch; 0: no batches."""
    subscriptions: int = 1024
    connections: int = 1000
    unsafe: bool = True
    """Whether clients may call methods that are not safe."""
    messages: int = 4096
    """Messages that may wait for one WebSocket client."""
    rate: int | None = None
    """Calls a minute of one connection, over HTTP of one address; None: no bound."""
    rate_exempt: tuple[Network, ...] = ()
    trust_proxy: bool = False
    """Whether a proxy in front says who is calling."""


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_decode = json.JSONDecoder(parse_constant=_refuse_constant).decode
encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def result_text(ident: Any, result: Any) -> str:
    """The response to the request `ident`."""
    return encode({"jsonrpc": "2.0", "result": result, "id": ident})


def error_text(ident: Any, error: RpcError) -> str:
    """The response that says why not."""
    return encode({"jsonrpc": "2.0", "error": error.to_json(), "id": ident})


class Session:
    """One client; satisfies `node.rpc.table.Client`. `invoke` runs a method; a WebSocket session adds the
    methods that need a way back.
    """

    protocol = "http"

    def __init__(self, node: Node, limits: Limits, rate: Rate | None = None) -> None:
        self.node, self.limits = node, limits
        self._rate = rate
        self.unsafe = limits.unsafe
        self._parts: dict[type[Part], Part] = {}
        self._later: list[Callable[[], None]] = []

    def part(self, kind: type[P]) -> P:
        """What methods of one family remember of this client, made on first use."""
        found = self._parts.get(kind)
        if found is None:
            found = self._parts[kind] = kind(self.node)
        assert isinstance(found, kind)
        return found

    def later(self, do: Callable[[], None]) -> None:
        """Do this once the answer to the current request is on its way."""
        self._later.append(do)

    def answered(self) -> None:
        """The answer is on its way: do what had to wait for it."""
        waiting, self._later = self._later, []
        for do in waiting:
            try:
                do()
            except Exception as error:  # the answer is out: there is nobody to tell
                log.error("after an answer: %r", error, exc_info=error)

    def end(self) -> None:
        """The client is gone."""
        parts, self._parts = self._parts, {}
        for part in parts.values():
            part.close()

    def answer(self, text: str | bytes, *, waits: bool = False) -> str:
        """The whole answer to `text`; empty if it holds nothing but notifications.

        Who `waits` must be ready for StateRebuilding, where a single request can be answered in a moment.
        """
        try:
            request = _decode(text if isinstance(text, str) else text.decode())
        except (ValueError, RecursionError):
            return error_text(None, RpcError(PARSE_ERROR, "Parse error"))
        if isinstance(request, list):
            return self._answer_batch(request)
        return self.answer_one(request, waits=waits)

    async def answer_when_ready(self, text: str | bytes) -> str:
        """`answer`; what has to wait for the state of an old block waits."""
        try:
            return self.answer(text, waits=True)
        except StateRebuilding as rebuilding:
            await asyncio.wait([asyncio.wrap_future(rebuilding.ready)])
        return self.answer(text)

    def _answer_batch(self, requests: list[Any]) -> str:
        if self.limits.batch == 0:
            return error_text(
                None, RpcError(BATCHES_NOT_SUPPORTED, "Batched requests are not supported by this server")
            )
        if not requests:
            return error_text(None, RpcError(INVALID_REQUEST, "Invalid request"))
        if len(requests) > self.limits.batch:
            too_large = f"Exceeded max limit of {self.limits.batch}"
            return error_text(None, RpcError(BATCH_TOO_LARGE, "The batch request was too large", too_large))
        answers = list(self._bounded(filter(None, map(self.answer_one, requests))))
        return f"[{','.join(answers)}]" if answers else ""

    def _bounded(self, answers: Iterator[str]) -> Iterator[str]:
        room = self.limits.response
        for answer in answers:
            room -= len(answer) + 1
            if room < 0:
                yield error_text(None, self._response_too_big())
                return
            yield answer

    def _response_too_big(self) -> RpcError:
        return RpcError(
            RESPONSE_TOO_BIG, "Response is too big", f"Exceeded max limit of {self.limits.response}"
        )

    def answer_one(self, request: Any, *, waits: bool = False) -> str:
        """The answer to one request object; empty for a notification."""
        ident = request.get("id") if isinstance(request, dict) else None
        if not _is_request(request):
            return error_text(ident if _is_id(ident) else None, RpcError(INVALID_REQUEST, "Invalid request"))
        trace.called(self.protocol, request["method"], request.get("params"))
        began, error = time.perf_counter(), None
        try:
            self.count_call()
            answer = result_text(ident, self.invoke(request["method"], request.get("params")))
            if len(answer) > self.limits.response:
                raise self._response_too_big()
        except Exception as raised:
            if waits and isinstance(raised, StateRebuilding):
                raise
            error = to_rpc_error(raised, request["method"])
            answer = error_text(ident, error)
        self.note(request["method"], time.perf_counter() - began, error)
        return answer if "id" in request else ""

    def note(self, name: str, seconds: float, error: RpcError | None) -> None:
        """Count a call that has ended."""
        trace.took(self.protocol, name, seconds, error)
        known = name if trace.is_known(name) else "unknown"
        limited = error is not None and error.code == RATE_LIMIT_EXCEEDED
        self.node.figures.called(
            self.protocol, known, seconds, is_error=error is not None, is_limited=limited
        )

    def count_call(self) -> None:
        """Raises `RpcError` if the client calls too often."""
        if self._rate is not None:
            self._rate.spend()

    def invoke(self, name: str, params: Any) -> Any:
        """Run a method of the table."""
        entry = METHODS.get(name)
        if entry is None:
            raise RpcError(METHOD_NOT_FOUND, "Method not found")
        return entry.call(self.node, self, params)


def to_rpc_error(error: Exception, name: str) -> RpcError:
    """What the client is told of `error`; one that nobody foresaw is logged and stays inside."""
    if isinstance(error, RpcError):
        return error
    if isinstance(error, PoolError):
        return RpcError(error.code, str(error), error.data)
    if isinstance(error, NodeError):
        return client_error(str(error))
    log.error("%s failed: %r", name, error, exc_info=error)
    return RpcError(INTERNAL_ERROR, "Internal error")


def _is_request(request: Any) -> bool:
    return (
        isinstance(request, dict)
        and request.get("jsonrpc") == "2.0"
        and isinstance(request.get("method"), str)
        and _is_id(request.get("id"))
    )


def _is_id(ident: Any) -> bool:
    if isinstance(ident, float):
        return math.isfinite(ident)  # 1e999 is JSON, and infinite
    return ident is None or (isinstance(ident, (str, int)) and not isinstance(ident, bool))
