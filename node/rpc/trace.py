"""What the log says of calls, in Substrate's words: with `-l rpc=debug` how long each took, with
`-l rpc=trace` its parameters too.

Source: `substrate/client/rpc-servers/src/middleware/metrics.rs`. What a client sends is cut short and printed
as JSON, so that no call fills the log or forges a line of it. Secrets never reach it: a parameter that is
read as `Secret` hides all of the call, and so does a name that is in no table, since it may be such a
method's, misspelt.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

from node.log import TRACE
from node.rpc.errors import RpcError
from node.rpc.table import METHODS, SUBSCRIPTIONS, UNSUBSCRIBE

log = logging.getLogger("rpc")

NAME_MAX = 64
"""Characters of a method's name that are shown."""
SHOWN = 512
"""Characters of a call's parameters that are shown."""

_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def called(protocol: str, name: str, params: Any) -> None:
    """A client asks for `name` with `params`."""
    if log.isEnabledFor(TRACE):
        log.log(TRACE, "[%s] on_call name=%s params=%s", protocol, _name(name), _params(name, params))


def submitted(protocol: str, name: str, extrinsics: Sequence[bytes]) -> None:
    """A client submits `extrinsics`, each by a call of `name`."""
    if log.isEnabledFor(TRACE):
        for extrinsic in extrinsics:
            called(protocol, name, ["0x" + extrinsic.hex()])


def took(protocol: str, name: str, seconds: float, error: RpcError | None = None, count: int = 1) -> None:
    """`count` calls of `name` have ended, after `seconds` each."""
    if log.isEnabledFor(logging.DEBUG):
        end = "" if error is None else f", error {error.code}"
        for _ in range(count):
            log.debug("[%s] %s call took %d μs%s", protocol, _name(name), round(seconds * 1e6), end)


def is_known(name: str) -> bool:
    """Whether it stands in one of the tables."""
    return name in METHODS or name in SUBSCRIPTIONS or name in UNSUBSCRIBE


def _name(name: str) -> str:
    return name if is_known(name) else _cut(_json(name), NAME_MAX)


def _params(name: str, params: Any) -> str:
    entry = METHODS.get(name) or SUBSCRIPTIONS.get(name)
    if not is_known(name) or (entry is not None and any(each.secret for each in entry.parameters)):
        return "(hidden)"
    try:
        return _cut(_json(params), SHOWN)
    except (ValueError, RecursionError):  # 1e999, or a list in a list in a list …
        return "(not to be shown)"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"
