"""The worker process: `python -m node.front.worker PIPE SOCKETS`, two inherited descriptors.

It gets open sockets with the head of the HTTP request that asks for a WebSocket, and lives as long as the
node does: when the pipe closes, it goes.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from frame.runtime import Runtime
from node.front.frames import text_frames
from node.front.pipe import Answers, Item, Kind, Pipe
from node.front.submission import submission, taken, with_id
from node.front.verify import Verifier
from node.http import WSMsgType, web
from primitives.hashing import blake2_256

HEAD_MAX = 64 * 1024
"""Bytes of a request's head."""
CONNECTION_HEADER = "X-Gristmill-Connection"
"""The number of a connection, put in by the node."""

ARRIVAL_SECONDS = 10.0
"""Within these a connection that was handed over becomes a WebSocket, or is gone."""

PAUSE = 256 * 1024
"""Characters that may wait for a client before no more of its requests are taken."""
UNANSWERED = 64
"""Requests of a client that the node may be working on, submissions aside."""
SUBMISSIONS = 8192
"""Submissions without an answer, of all clients together: as many as a pool holds."""


ROW = 128
"""Submissions in a row that go to the node while more are verified."""

METADATA_VERSIONS = (14, 15, 16)
"""What most clients ask for first is made here, so that nobody waits while the node makes it."""


class Client:
    """One WebSocket."""

    def __init__(
        self, worker: Worker, number: int, ws: web.WebSocketResponse, request: web.BaseRequest
    ) -> None:
        self._worker, self._number, self._ws, self._request = worker, number, ws, request
        self._outbox: deque[str] = deque()
        self._waiting = 0
        self._unanswered = 0
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._close: tuple[int, bytes] | None = None
        self._closing = asyncio.Event()

    async def run(self) -> None:
        """Serve until either side closes."""
        jobs = [asyncio.create_task(job()) for job in (self._read, self._write, self._closing.wait)]
        try:
            await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
        if self._close is not None:
            await self._ws.close(code=self._close[0], message=self._close[1], drain=False)
            transport = self._request.transport
            if transport is not None and transport.get_write_buffer_size():  # it reads no more
                transport.abort()

    async def _read(self) -> None:
        worker, number = self._worker, self._number
        async for message in self._ws:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                break
            text = message.data
            found = submission(text)
            if found is None:
                self._unanswered += 1
                worker.pipe.send(Kind.MESSAGE, number, text)
            else:
                worker.submit(number, *found)
            while self._waiting > PAUSE or self._unanswered > UNANSWERED:
                self._room.clear()
                await self._room.wait()
            if worker.is_full:
                await worker.room()

    def push(self, text: str) -> None:
        """Queue one text for the client."""
        self._waiting += len(text)
        self._outbox.append(text)
        self._wake.set()

    def push_all(self, texts: list[str]) -> None:
        """Queue several."""
        self._waiting += sum(map(len, texts))
        self._outbox.extend(texts)
        self._wake.set()

    def answered(self) -> None:
        """One request that was no plain submission has its answer."""
        self._unanswered -= 1
        self._room.set()

    def close(self, code: int, reason: bytes) -> None:
        """Hang up, whatever still waits."""
        self._close = (code, reason)
        self._closing.set()

    async def _write(self) -> None:
        """Send what waits, all that a turn of the loop has brought in one write."""
        drain = self._request.writer.drain
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._outbox:
                transport = self._request.transport
                if transport is None or transport.is_closing() or self._ws.closed:
                    return
                texts, size = self._batch()
                transport.write(text_frames(texts))
                await drain()
                self._sent(size, len(texts))

    def _batch(self) -> tuple[list[str], int]:
        """The next texts, with their characters: up to `PAUSE`, but one at least."""
        outbox, texts, size = self._outbox, list[str](), 0
        while outbox and size < PAUSE:
            text = outbox.popleft()
            texts.append(text)
            size += len(text)
        return texts, size

    def _sent(self, size: int, messages: int) -> None:
        self._waiting -= size
        self._room.set()
        self._worker.pipe.send(Kind.SENT, self._number, size, messages)


class Worker:
    """The process: its clients, the pipe, the verifier."""

    def __init__(self, runtime: Runtime, sockets: socket.socket) -> None:
        self._runtime = runtime
        self._sockets = sockets
        self._clients: dict[int, Client] = {}
        self._arriving: dict[int, None] = {}
        self._asked: dict[int, tuple[str, bytes]] = {}
        """Id and hash of each submission without an answer."""
        self._numbers = itertools.count()
        self._row: Item = (Kind.SUBMITS, -1)
        """The last row of submissions."""
        self._is_busy = False
        self._room = asyncio.Event()
        self._verifier: Verifier | None = None
        self._runner: web.AppRunner | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._gone = asyncio.Event()
        self.pipe = Pipe(self._receive, self._gone.set)
        self._does: dict[int, Callable[..., None]] = {
            Kind.START: self._start,
            Kind.HEAD: self._head,
            Kind.TEXT: self._text,
            Kind.TAKEN: self._taken,
            Kind.ANSWER: self._answer,
            Kind.CLOSE: self._close,
        }

    async def run(self, pipe: socket.socket) -> None:
        """Until the node is gone."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self.pipe, sock=pipe)
        self._sockets.setblocking(False)
        try:
            await self._gone.wait()
        finally:
            loop.remove_reader(self._sockets)
            if self._runner is not None:
                await self._runner.cleanup()

    # ------------------------------------------------------------------ from the node

    def _receive(self, items: list[Item]) -> None:
        for kind, *fields in items:
            self._does[kind](*fields)

    def _start(self, genesis: bytes, request_max: int) -> None:
        self._verifier = Verifier(self._runtime, genesis)
        self._spawn(self._listen(request_max))

    async def _listen(self, request_max: int) -> None:
        app = web.Application()

        async def upgrade(request: web.Request) -> web.StreamResponse:
            return await self._upgrade(request, request_max)

        app.router.add_get("/", upgrade)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        self._runner = runner
        asyncio.get_running_loop().add_reader(self._sockets, self._adopt)
        self.pipe.send(Kind.READY)
        for version in METADATA_VERSIONS:  # in a thread: clients may be here already
            made = await asyncio.to_thread(self._runtime.metadata, version)
            self.pipe.send(Kind.METADATA, version, made)

    def _head(self, number: int, digest: bytes) -> None:
        if self._verifier is not None:
            self._verifier.learn(number, digest)

    def _text(self, number: int, text: str, answers: int) -> None:
        client = self._clients.get(number)
        if client is not None:
            if answers == Answers.MESSAGE:
                client.answered()
            if text:
                client.push(text)

    def _taken(self, number: int, first: int, count: int) -> None:
        asked = self._asked
        texts = [taken(*asked.pop(submission)) for submission in range(first, first + count)]
        self._room.set()
        client = self._clients.get(number)
        if client is not None:
            client.push_all(texts)

    def _answer(self, number: int, submission: int, text: str) -> None:
        ident, _ = self._asked.pop(submission)
        self._room.set()
        client = self._clients.get(number)
        if text and client is not None:
            client.push(with_id(text, ident))

    def _close(self, number: int, code: int, reason: bytes) -> None:
        client = self._clients.get(number)
        if client is not None:
            client.close(code, reason)

    # ------------------------------------------------------------------ clients

    def _adopt(self) -> None:
        """Take over an open socket, as if the request had come in here."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self._sockets, HEAD_MAX, 1)
        except BlockingIOError:
            return
        number, head = int.from_bytes(data[:8], "little"), data[8:]
        for descriptor in descriptors:
            self._arriving[number] = None
            self._spawn(self._welcome(number, socket.socket(fileno=descriptor), head))

    async def _welcome(self, number: int, client: socket.socket, head: bytes) -> None:
        assert self._runner is not None and self._runner.server is not None
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.connect_accepted_socket(self._runner.server, client)
        protocol.data_received(head)
        await asyncio.sleep(ARRIVAL_SECONDS)
        if number in self._arriving:  # its client was gone before the request was looked at
            del self._arriving[number]
            transport.abort()
            self.pipe.send(Kind.CLOSED, number)

    async def _upgrade(self, request: web.Request, request_max: int) -> web.StreamResponse:
        number = int(request.headers[CONNECTION_HEADER])
        self._arriving.pop(number, None)
        ws = web.WebSocketResponse(max_msg_size=request_max, compress=False, timeout=1.0)
        try:
            await ws.prepare(request)
            client = self._clients[number] = Client(self, number, ws, request)
            await client.run()
        finally:
            self._clients.pop(number, None)
            self.pipe.send(Kind.CLOSED, number)
        return ws

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------------ submissions

    def submit(self, number: int, ident: str, extrinsic: bytes, watched: bool) -> None:
        """Verify the signature and hand the extrinsic to the node: in a row with the one before, if that was
        the same client's and the node need not take either of them apart.
        """
        assert self._verifier is not None
        verdict = self._verifier.verdict(extrinsic)
        submission, digest = next(self._numbers), blake2_256(extrinsic)
        self._asked[submission] = ident, digest
        if verdict is None or not verdict.good or verdict.form is None or watched:
            question, good = (None, False) if verdict is None else (verdict.question, verdict.good)
            fields = len(ident), extrinsic, digest, watched, question, good
            self.pipe.send(Kind.SUBMIT, number, submission, *fields)
            return
        row, pipe = self._row, self.pipe
        if row is not pipe.last or row[1] != number:
            row = self._row = (Kind.SUBMITS, number, submission, [], [], [], [], [])
            pipe.put(row)
        nonce, form = verdict.form
        _, _, _, extrinsics, digests, sizes, nonces, forms = row
        extrinsics.append(extrinsic)
        digests.append(digest)
        sizes.append(len(ident))
        nonces.append(nonce)
        forms.append(form)
        if len(forms) >= ROW:
            self._hand_over()

    def _hand_over(self) -> None:
        """In the middle of a turn of the loop: the node begins with what there is, and knows of the rest."""
        if not self._is_busy:
            self._is_busy = True
            self.pipe.send(Kind.BUSY, True)
            asyncio.get_running_loop().call_soon(self._end_turn)
        self.pipe.flush()

    def _end_turn(self) -> None:
        self._is_busy = False
        self.pipe.send(Kind.BUSY, False)

    @property
    def is_full(self) -> bool:
        """The node has enough to do."""
        return len(self._asked) >= SUBMISSIONS

    async def room(self) -> None:
        """Wait until the node has answered some submissions."""
        while self.is_full:
            self._room.clear()
            await self._room.wait()


def main(arguments: list[str]) -> None:
    """Run until the node is gone. Signals are the node's business."""
    from runtime import runtime

    pipe, sockets = (socket.socket(fileno=int(word)) for word in arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    made = runtime()
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)

    async def work() -> None:
        await Worker(made, sockets).run(pipe)

    asyncio.run(work())


if __name__ == "__main__":
    main(sys.argv[1:])
