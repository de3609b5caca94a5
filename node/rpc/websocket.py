"""One WebSocket client: its requests in order, its subscriptions, and a bounded way back.

What a client does not read is kept for it up to a bound, and all clients together have one too. A client
beyond its bound is cut off: the node's memory is not its inbox.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from contextlib import suppress
from typing import Any

from node.http import WSCloseCode, WSMsgType, web
from node.rpc.errors import TOO_MANY_SUBSCRIPTIONS, RpcError
from node.rpc.rate import Rate
from node.rpc.session import Limits, Session, encode
from node.rpc.table import SUBSCRIPTIONS, UNSUBSCRIBE, Cancel, Client, Subscription
from node.service import Node

log = logging.getLogger("rpc")

TOO_SLOW = b"too slow"
"""What a client is told that is cut off."""
PARTING_SECONDS = 1.0


class Budget:
    """Bytes that wait for readers, of one client or of all."""

    def __init__(self, limit: int) -> None:
        self.limit, self.used = limit, 0

    def exceeded(self, more: int) -> bool:
        return self.used + more > self.limit


class Stream:
    """One subscription of one client; satisfies `node.rpc.table.Sink`."""

    def __init__(self, notification: str, ident: str, client: Connection) -> None:
        self.ident = ident
        self.notification = notification
        self.client: Client = client
        self.room = client.room
        self.cancel: Cancel | None = None
        self._push, self._forget = client.push, client.forget
        self._head = (
            f'{{"jsonrpc":"2.0","method":"{notification}","params":{{"subscription":"{ident}","result":'
        )
        self._early: list[str] | None = []
        self._ended = False

    def send(self, result: Any) -> None:
        """Notify; until the client knows the id, notifications wait."""
        if self._ended:
            return
        text = f"{self._head}{encode(result)}}}}}"
        if self._early is None:
            self._push(text)
        else:
            self._early.append(text)

    def started(self) -> None:
        """The answer with the id is on its way: let go what waited."""
        for text in self._early or ():
            self._push(text)
        self._early = None

    def close(self) -> None:
        """Nothing more comes: the client's unsubscribe, or the last word of the source."""
        self._ended = True
        self._forget(self.ident)
        if self.cancel is not None:
            self.cancel()
            self.cancel = None


class Connection(Session):
    """A WebSocket session: its subscriptions, and what waits for the client. How texts reach the client, the
    kinds of connections know.
    """

    protocol = "ws"

    OUTBOX = 8 * 1024 * 1024
    PAUSE = 256 * 1024
    ANSWERS = 0
    """Messages that may wait besides, since they answer what the client was allowed to ask together."""

    def __init__(self, node: Node, limits: Limits, shared: Budget, rate: Rate | None = None) -> None:
        super().__init__(node, limits, rate)
        self._shared = shared
        self._mine = Budget(self.OUTBOX)
        self._messages = 0
        self._room = asyncio.Event()
        self._streams: dict[str, Stream] = {}
        self._prefix = secrets.token_urlsafe(9)
        self._count = 0

    def emit(self, text: str) -> None:
        """Send one text, or queue it."""
        raise NotImplementedError

    def cut_off(self) -> None:
        """The client reads too slowly: hang up."""
        raise NotImplementedError

    def end(self) -> None:
        """The client is gone."""
        for stream in list(self._streams.values()):
            stream.close()
        super().end()
        self._shared.used -= self._mine.used
        self._mine.used = 0

    # ------------------------------------------------------------------ in

    async def room(self) -> None:
        """Wait until the client has read most of what waits for it."""
        while self._mine.used > self.PAUSE:
            self._room.clear()
            await self._room.wait()

    def invoke(self, name: str, params: Any) -> Any:
        entry = SUBSCRIPTIONS.get(name)
        if entry is not None:
            return self._subscribe(entry, params)
        notification = UNSUBSCRIBE.get(name)
        if notification is not None:
            return self._unsubscribe(notification, params)
        return super().invoke(name, params)

    def _subscribe(self, entry: Subscription, params: Any) -> str:
        if len(self._streams) >= self.limits.subscriptions:
            raise RpcError(
                TOO_MANY_SUBSCRIPTIONS,
                "Too many subscriptions on the connection",
                f"Exceeded max limit of {self.limits.subscriptions}",
            )
        self._count += 1
        stream = Stream(entry.notification, f"{self._prefix}{self._count}", self)
        self._streams[stream.ident] = stream
        try:
            stream.cancel = entry.open(self.node, stream, params)
        except BaseException:
            self.forget(stream.ident)
            raise
        self.later(stream.started)
        return stream.ident

    def forget(self, ident: str) -> None:
        """A stream has ended."""
        self._streams.pop(ident, None)

    def _unsubscribe(self, notification: str, params: Any) -> bool:
        ident = params[0] if isinstance(params, list) and params else None
        stream = self._streams.get(ident) if isinstance(ident, str) else None
        if stream is None or stream.notification != notification:
            return False
        stream.close()
        return True

    # ------------------------------------------------------------------ out

    def push(self, text: str) -> None:
        """Queue one message for the client; beyond its bound, cut it off."""
        size = len(text)
        full = self._messages >= self.limits.messages + self.ANSWERS
        if full or self._mine.exceeded(size) or self._shared.exceeded(size):
            self.cut_off()
            return
        self._messages += 1
        self._mine.used += size
        self._shared.used += size
        self.emit(text)

    def reserve(self, count: int, size: int) -> bool:
        """Count so many messages of so many characters as queued, for who sends them together; without room
        none is counted, and False.
        """
        full = self._messages + count > self.limits.messages + self.ANSWERS
        if full or self._mine.exceeded(size) or self._shared.exceeded(size):
            return False
        self._messages += count
        self._mine.used += size
        self._shared.used += size
        return True

    def sent(self, size: int, messages: int) -> None:
        """So much of what waited has reached the client's socket."""
        self._messages -= messages
        self._mine.used -= size
        self._shared.used -= size
        if self._mine.used <= self.PAUSE:
            self._room.set()


class SocketConnection(Connection):
    """A WebSocket that this process serves itself."""

    def __init__(
        self,
        node: Node,
        limits: Limits,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        shared: Budget,
        rate: Rate | None = None,
    ) -> None:
        """`transport` is what `socket` stands on."""
        super().__init__(node, limits, shared, rate)
        self._socket, self._transport = socket, transport
        self._outbox: deque[str] = deque()
        self._wake = asyncio.Event()
        self._too_slow = asyncio.Event()

    async def run(self) -> None:
        """Serve until either side closes."""
        self.node.figures.sessions_opened += 1
        jobs = [asyncio.create_task(job()) for job in (self._read, self._write, self._too_slow.wait)]
        try:
            await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for job in jobs:
                job.cancel()
            for error in await asyncio.gather(*jobs, return_exceptions=True):
                if isinstance(error, Exception) and not isinstance(error, OSError):
                    log.error("a WebSocket session ended by a defect: %r", error, exc_info=error)
            self.end()
            self.node.figures.sessions_closed += 1
        if self._too_slow.is_set():
            await self.hang_up(WSCloseCode.POLICY_VIOLATION, TOO_SLOW)

    async def hang_up(self, code: int, reason: bytes) -> None:
        """Say why and close, within `PARTING_SECONDS` also where the other side reads nothing any more: then
        not even the farewell can be written, and closing would wait for it for ever.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(PARTING_SECONDS):
                await self._socket.close(code=code, message=reason, drain=False)
        transport = self._transport
        if transport is not None and transport.get_write_buffer_size():
            transport.abort()

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                break
            answer = await self.answer_when_ready(message.data)
            if answer:
                self.push(answer)
            self.answered()
            await self.room()  # take no more requests from a client that does not read the answers

    def emit(self, text: str) -> None:
        self._outbox.append(text)
        self._wake.set()

    def cut_off(self) -> None:
        self._too_slow.set()

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._outbox:
                text = self._outbox.popleft()
                await self._socket.send_str(text)
                self.sent(len(text), 1)
