"""A WebSocket connection without a socket: methods and their events, in one process."""

from __future__ import annotations

import json
from typing import Any

from node.rpc import server  # noqa: F401  (fills the table)
from node.rpc.session import Limits
from node.rpc.websocket import Budget, Connection
from node.service import Node


class Wire(Connection):
    """What it would send is heard here."""

    def __init__(self, node: Node, limits: Limits | None = None) -> None:
        super().__init__(node, limits or Limits(), Budget(1 << 30))
        self.heard: list[Any] = []

    def push(self, text: str) -> None:
        self.heard.append(json.loads(text))

    def ask(self, method: str, *params: Any) -> Any:
        """The result, or the error object."""
        text = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        answer = json.loads(self.answer(text))
        self.answered()
        return answer["result"] if "result" in answer else answer["error"]

    def events(self) -> list[Any]:
        """The results that have come since the last time."""
        heard, self.heard = self.heard, []
        return [message["params"]["result"] for message in heard]
