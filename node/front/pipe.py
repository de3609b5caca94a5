"""Batches of small tuples between the node and a worker, over one socket pair.

A frame is a u32 length and a `marshal` list; both ends are the same program on the same interpreter. All that
one turn of the event loop sends goes out as one frame.
"""

from __future__ import annotations

import asyncio
import logging
import marshal
import struct
from collections.abc import Callable
from typing import Any, Final

log = logging.getLogger("rpc")

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
    """To the node: connection, number of the submission, characters of its id as JSON, extrinsic, its hash,
    whether it is watched, question or None, verdict."""
    SENT: Final = 7
    """To the node: connection, characters and texts that have left for the client."""
    CLOSED: Final = 8
    """To the node: connection."""
    METADATA: Final = 9
    """To the node: version, the runtime's metadata in it."""
    TAKEN: Final = 10
    """To the worker: connection, number of a submission, how many from that one on are in the pool."""
    ANSWER: Final = 11
    """To the worker: connection, number of a submission, the text that answers it, its id null, or none."""
    SUBMITS: Final = 12
    """To the node: connection, number of the first submission; a list each of extrinsics, hashes, characters
    of ids, nonces and forms (`frame.forms`). Their signatures are good, and nobody watches them."""
    BUSY: Final = 13
    """To the node: whether the worker is in the middle of verifying more submissions."""


class Answers:
    """What a text is the answer to: for counting what a client has under way."""

    NOTHING: Final = 0
    MESSAGE: Final = 1


class SpoiltFrame(Exception):
    """What came through the pipe is none of our items."""


_TO_NODE: Final[dict[int, tuple[Any, ...]]] = {
    Kind.READY: (),
    Kind.MESSAGE: (int, (str, bytes)),
    Kind.SUBMIT: (int, int, int, bytes, bytes, bool, (tuple, type(None)), bool),
    Kind.SENT: (int, int, int),
    Kind.CLOSED: (int,),
    Kind.METADATA: (int, bytes),
    Kind.SUBMITS: (int, int, list, list, list, list, list),
    Kind.BUSY: (bool,),
}
_COLUMNS: Final = (bytes, bytes, int, int, tuple)
_FORM: Final = (bytes, bytes, int, bytes)
_QUESTION: Final = (int, bytes, bytes, bytes)


def check_items(items: Any) -> None:
    """Raises `SpoiltFrame` unless these are items that a worker sends to the node."""
    if type(items) is not list or not all(_is_sound(item) for item in items):
        raise SpoiltFrame


def _is_sound(item: Any) -> bool:
    if type(item) is not tuple or not item or type(item[0]) is not int:
        return False
    kind, *fields = item
    shape = _TO_NODE.get(kind)
    if shape is None or not _fits(fields, shape):
        return False
    if kind == Kind.SUBMIT:
        return fields[6] is None or _fits(fields[6], _QUESTION)
    return kind != Kind.SUBMITS or _is_row(fields[2:])


def _fits(values: Any, types: tuple[Any, ...]) -> bool:
    return len(values) == len(types) and all(map(isinstance, values, types))


def _is_row(columns: list[list[Any]]) -> bool:
    nonces, forms = columns[3], columns[4]
    return (
        len({len(column) for column in columns}) == 1
        and all(set(map(type, column)) <= {kind} for column, kind in zip(columns, _COLUMNS, strict=True))
        and all(0 <= nonce < 1 << 32 for nonce in (min(nonces, default=0), max(nonces, default=0)))
        and all(_fits(form, _FORM) for form in {id(form): form for form in forms}.values())
    )


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
        self.put(item)

    def put(self, item: Item) -> None:
        """Queue one item, whose lists may still grow while it is the `last` one."""
        if not self._out:
            self._loop.call_soon(self.flush)
        self._out.append(item)

    @property
    def last(self) -> Item | None:
        """The last item that has not left."""
        return self._out[-1] if self._out else None

    def flush(self) -> None:
        """Let what is queued leave now."""
        items, self._out = self._out, []
        if items and self._transport is not None and not self._transport.is_closing():
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
            frame = memoryview(buffer)[at + 4 : end]
            at = end
            try:
                self._receive(_read(frame))
            except SpoiltFrame:
                log.warning("an RPC worker sent what cannot be read")
                self.close()
                break
            finally:
                frame.release()
        if at:
            del buffer[:at]

    def connection_lost(self, error: Exception | None) -> None:
        """The other end is gone."""
        self._lost()


def _read(frame: memoryview) -> Any:
    try:
        return marshal.loads(frame)
    except (EOFError, ValueError, TypeError, MemoryError) as error:
        raise SpoiltFrame from error
