"""Batches of small tuples between the node and a worker, over one socket pair.

A frame is a u32 length and a `marshal` list; both ends are the same program on the same interpreter. All that
one turn of the event loop sends goes out as one frame.
"""

from __future__ import annotations

import asyncio
import marshal
import struct
from collections.abc import Callable
from typing import Any, Final

Item = tuple[Any, ...]
_LENGTH = struct.Struct("<I")


class Kind:
    """The first field of an item. Plain numbers, since `marshal` knows no enums."""

    START: Final = 0
    """To the worker: genesis hash, bytes of the largest message."""
    HEAD: Final = 1
    """To the worker: number and hash of the best block."""
    TEXT: Final = 2
    """To the worker: connection, a text for the client (empty: none), what it answers (an `Answers`)."""
    CLOSE: Final = 3
    """To the worker: connection, close code, reason."""
    READY: Final = 4
    """To the node: connections are welcome."""
    MESSAGE: Final = 5
    """To the node: connection, the client's text."""
    SUBMIT: Final = 6
    """To the node: connection, id as JSON, extrinsic, its hash, whether it is watched, question or None,
    verdict."""
    SENT: Final = 7
    """To the node: connection, characters and texts that have left for the client."""
    CLOSED: Final = 8
    """To the node: connection."""
    METADATA: Final = 9
    """To the node: version, the runtime's metadata in it."""
    TEXTS: Final = 10
    """To the worker: connection, texts for the client, each of which answers a submission."""


class Answers:
    """What a text is the answer to: for counting what a client, or the worker, has under way."""

    NOTHING: Final = 0
    MESSAGE: Final = 1
    SUBMISSION: Final = 2


class Pipe(asyncio.Protocol):
    """One end. `receive` gets every batch; `lost` is called when the other end is gone."""

    def __init__(self, receive: Callable[[list[Item]], None], lost: Callable[[], None]) -> None:
        self._receive, self._lost = receive, lost
        self._buffer = bytearray()
        self._out: list[Item] = []
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()

    def send(self, *item: Any) -> None:
        """Queue one item; it leaves at the end of this turn of the loop."""
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(item)

    def _flush(self) -> None:
        items, self._out = self._out, []
        if self._transport is not None and not self._transport.is_closing():
            data = marshal.dumps(items)
            self._transport.write(_LENGTH.pack(len(data)) + data)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    # ------------------------------------------------------------------ asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The pair is open."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Hand on the whole frames."""
        buffer = self._buffer
        buffer += data
        at = 0
        while len(buffer) >= at + 4:
            end = at + 4 + _LENGTH.unpack_from(buffer, at)[0]
            if len(buffer) < end:
                break
            items = marshal.loads(memoryview(buffer)[at + 4 : end])
            at = end
            self._receive(items)
        if at:
            del buffer[:at]

    def connection_lost(self, error: Exception | None) -> None:
        """The other end is gone."""
        self._lost()
