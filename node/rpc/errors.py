"""JSON-RPC errors with the codes and texts that Substrate's clients know.

-327xx are JSON-RPC 2.0's own, -328xx those of `chainHead_v1_*`; 10xx the pool's (`node.pool.errors`), 40xx
those of `state_*`, 1x000 those of sealing. Source: `substrate/client/rpc-api/src/*/error.rs`,
`substrate/client/rpc-spec-v2/src/*/error.rs`, `substrate/client/consensus/manual-seal/src/error.rs`, and
jsonrpsee for the limits.
"""

from __future__ import annotations

from typing import Any

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
BATCHES_NOT_SUPPORTED = -32005
TOO_MANY_SUBSCRIPTIONS = -32006
REQUEST_TOO_BIG = -32007
RESPONSE_TOO_BIG = -32008
BATCH_TOO_LARGE = -32010
STATE_RANGE = 4001
STATE_COUNT = 4002
STATE_CLIENT = 4003
RUNTIME_ERROR = 1
DECODE_ERROR = 2


class RpcError(Exception):
    """An answer that is an error. `data` goes out as given, unless None."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data

    def to_json(self) -> dict[str, Any]:
        """The `error` object of a response."""
        error = {"code": self.code, "message": self.message}
        return error if self.data is None else {**error, "data": self.data}


def client_error(why: str) -> RpcError:
    """What `state_*` answers when the block is unknown or the runtime refuses."""
    return RpcError(STATE_CLIENT, f"Client error: {why}")


def invalid_params(why: str) -> RpcError:
    """The parameters do not fit the method."""
    return RpcError(INVALID_PARAMS, "Invalid params", why)
