"""The node's side of its workers: starting them, handing connections over, answering what they ask."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from frame.forms import Form
from frame.host import Question
from node.chain import Imported, Reverted
from node.database import StateRebuilding
from node.front.pipe import Answers, Item, Kind, Pipe, check_items
from node.front.submission import TAKEN
from node.front.worker import CONNECTION_HEADER, HEAD_MAX, SUBMISSIONS, UNANSWERED
from node.http import WSCloseCode, web
from node.rpc import trace
from node.rpc.errors import RpcError
from node.rpc.rate import Rate
from node.rpc.session import Limits, error_text, to_rpc_error
from node.rpc.websocket import TOO_SLOW, Budget, Connection
from node.service import Node

log = logging.getLogger("rpc")

ROOT = Path(__file__).parent.parent.parent
START = "import sys; sys.path.insert(0, sys.argv[1]); from node.front.worker import main; main(sys.argv[2:])"
"""What a worker runs: this program, wherever it stands, and nothing of the folder it was called in."""

SUBMIT = "author_submitExtrinsic"
RESTART_SECONDS = 1.0
"""Between the death of a worker and the next one; twice as long after each that was never ready."""
LONGEST_RESTART = 64.0
BOOT_HASHES = 256
"""Blocks whose hashes a new worker is told. Signatures that begin before them, the node verifies itself."""


class FrontConnection(Connection):
    """A WebSocket that a worker serves; satisfies `node.rpc.table.Client` like any other."""

    ANSWERS = SUBMISSIONS + UNANSWERED

    def __init__(
        self, node: Node, limits: Limits, shared: Budget, rate: Rate | None, pipe: Pipe, number: int
    ) -> None:
        super().__init__(node, limits, shared, rate)
        self._pipe, self._number = pipe, number
        self._answers: int = Answers.NOTHING
        self._is_cut = self._has_ended = False

    def end(self) -> None:
        self._has_ended = True
        super().end()

    def emit(self, text: str) -> None:
        answers, self._answers = self._answers, Answers.NOTHING
        self._pipe.send(Kind.TEXT, self._number, text, answers)

    def cut_off(self) -> None:
        if not self._is_cut:
            self._is_cut = True
            self._pipe.send(Kind.CLOSE, self._number, int(WSCloseCode.POLICY_VIOLATION), TOO_SLOW)

    def message(self, text: str | bytes) -> None:
        """Answer one request, or a batch."""
        try:
            answer = self.answer(text, waits=True)
        except StateRebuilding as rebuilding:
            ready = asyncio.wrap_future(rebuilding.ready)
            ready.add_done_callback(lambda _: self._answer_now(text))
            return
        self._reply(answer, Answers.MESSAGE)
        self.answered()

    def _answer_now(self, text: str | bytes) -> None:
        if not self._has_ended:
            self._reply(self.answer(text), Answers.MESSAGE)
            self.answered()

    def submit_row(
        self,
        first: int,
        extrinsics: list[bytes],
        digests: list[bytes],
        sizes: list[int],
        nonces: list[int],
        forms: list[Form],
    ) -> None:
        """`author_submitExtrinsic`, so often in a row, of what the worker has taken apart and found good: the
        fields of SUBMITS. The time that they took counts in equal parts.
        """
        trace.submitted(self.protocol, SUBMIT, extrinsics)
        began = time.perf_counter()
        limited = self._limited(len(sizes))
        if limited:
            kept = [at for at in range(len(sizes)) if at not in limited]
            columns = ([column[at] for at in kept] for column in (extrinsics, digests, nonces, forms))
            found: dict[int, Exception] = self.node.submit_row(*columns)  # type: ignore[arg-type]
            refused = limited | {kept[at]: error for at, error in found.items()}
        else:
            refused = self.node.submit_row(extrinsics, digests, nonces, forms)
        each, start = (time.perf_counter() - began) / max(len(sizes), 1), 0
        for at in sorted(refused):
            self._taken(first + start, sizes[start:at], each)
            self._refused(first + at, sizes[at], each, refused[at])
            start = at + 1
        self._taken(first + start, sizes[start:], each)

    def _limited(self, count: int) -> dict[int, Exception]:
        """Those of so many calls that are too many, by their places."""
        rate, found = self._rate, dict[int, Exception]()
        if rate is not None:
            for at in range(count):
                try:
                    rate.spend()
                except RpcError as error:
                    found[at] = error
        return found

    def submit(
        self,
        number: int,
        size: int,
        extrinsic: bytes,
        digest: bytes,
        watched: bool,
        question: Question | None,
        good: bool,
    ) -> None:
        """`author_submitExtrinsic` or, if it is `watched`, `author_submitAndWatchExtrinsic`: the fields of
        SUBMIT.
        """
        if question is not None:
            self.node.chain.verdicts.tell(question, good)
        if watched:
            self._watch(number, size, extrinsic)
            return
        trace.submitted(self.protocol, SUBMIT, [extrinsic])
        began = time.perf_counter()
        try:
            self.count_call()
            self.node.submit(extrinsic, None, digest)
        except Exception as error:
            self._refused(number, size, time.perf_counter() - began, error)
        else:
            self._taken(number, [size], time.perf_counter() - began)

    def _watch(self, number: int, size: int, extrinsic: bytes) -> None:
        params = ["0x" + extrinsic.hex()]
        request = {"jsonrpc": "2.0", "method": "author_submitAndWatchExtrinsic", "params": params, "id": None}
        self._answer_submission(number, size, self.answer_one(request))
        self.answered()

    def _taken(self, first: int, sizes: list[int], each: float) -> None:
        """Answer submissions that the pool took, in `each` seconds; `sizes`: the characters of their ids."""
        count = len(sizes)
        if not count:
            return
        trace.took(self.protocol, SUBMIT, each, count=count)
        self.node.figures.succeeded(self.protocol, SUBMIT, each, count)
        if self.reserve(count, sum(sizes) + count * TAKEN):
            self._pipe.send(Kind.TAKEN, self._number, first, count)
            return
        for number, size in enumerate(sizes, first):  # as many as there is room for, then it is cut off
            if self.reserve(1, size + TAKEN):
                self._pipe.send(Kind.TAKEN, self._number, number, 1)
            else:
                self.cut_off()
                self._pipe.send(Kind.ANSWER, self._number, number, "")

    def _refused(self, number: int, size: int, took: float, raised: Exception) -> None:
        error = to_rpc_error(raised, SUBMIT)
        self.note(SUBMIT, took, error)
        self._answer_submission(number, size, error_text(None, error))

    def _answer_submission(self, number: int, size: int, text: str) -> None:
        """Send the answer to null, in whose place the worker puts the id, of so many characters."""
        if not self.reserve(1, len(text) - len("null") + size):
            self.cut_off()
            text = ""
        self._pipe.send(Kind.ANSWER, self._number, number, text)

    def _reply(self, text: str, answers: int) -> None:
        self._answers = answers
        if text:
            self.push(text)
        if self._answers:  # nothing to send, or too much: what is under way is counted all the same
            self.emit("")


class Worker:
    """One worker process and its connections."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._node = desk.node
        self.connections: dict[int, FrontConnection] = {}
        self.pipe = Pipe(self._receive, self._lost)
        self.ready = asyncio.Event()
        self.was_ready = False
        self.gone = asyncio.Event()
        self._busy = False
        self._process: subprocess.Popen[bytes] | None = None
        self._sockets: socket.socket | None = None

    async def start(self) -> None:
        """Start the process and greet it. OSError when the system cannot."""
        mine, its_end = socket.socketpair()
        self._sockets, its_sockets = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sockets.setblocking(False)
        descriptors = (its_end.fileno(), its_sockets.fileno())
        command = [sys.executable, "-P", "-c", START, str(ROOT), *map(str, descriptors)]
        with its_end, its_sockets:
            self._process = subprocess.Popen(command, pass_fds=descriptors, stdin=subprocess.DEVNULL)
        await asyncio.get_running_loop().create_connection(lambda: self.pipe, sock=mine)
        chain = self._node.chain
        self.pipe.send(Kind.START, chain.genesis_hash, self._desk.limits.request)
        first = max(1, chain.head.number - BOOT_HASHES)
        for number in range(first, chain.head.number + 1):
            digest = chain.hash_at(number)
            if digest is not None:
                self.pipe.send(Kind.HEAD, number, digest)

    @property
    def pid(self) -> int:
        """The process, for operators and tests."""
        return 0 if self._process is None else self._process.pid

    def take(self, number: int, head: bytes, descriptor: int, rate: Rate | None) -> bool:
        """Hand over an open socket; False if the worker cannot have it."""
        assert self._sockets is not None
        try:
            socket.send_fds(self._sockets, [number.to_bytes(8, "little"), head], [descriptor])
        except OSError:
            return False
        desk = self._desk
        self.connections[number] = FrontConnection(
            self._node, desk.limits, desk.shared, rate, self.pipe, number
        )
        self._node.figures.sessions_opened += 1
        return True

    # ------------------------------------------------------------------ from the worker

    def _receive(self, items: list[Item]) -> None:
        check_items(items)
        for item in items:
            if item[0] == Kind.SUBMITS:
                found = self.connections.get(item[1])
                if found is not None:
                    found.submit_row(*item[2:])
            else:
                self._other(item)

    def _other(self, item: Item) -> None:
        kind, connections = item[0], self.connections
        if kind == Kind.READY:
            self.was_ready = True
            self.ready.set()
            return
        if kind == Kind.BUSY:
            self._is_busy(item[1])
            return
        if kind == Kind.METADATA:
            self._node.chain.runtime.know_metadata(item[1], item[2])
            return
        found = connections.get(item[1])
        if found is None:
            return
        if kind == Kind.SUBMIT:
            found.submit(*item[2:])
        elif kind == Kind.MESSAGE:
            found.message(item[2])
        elif kind == Kind.SENT:
            found.sent(item[2], item[3])
        elif kind == Kind.CLOSED:
            self._ended(connections.pop(item[1]))

    def _is_busy(self, busy: bool) -> None:
        self._node.pool.expected += busy - self._busy
        self._busy = busy

    def _lost(self) -> None:
        self._is_busy(False)
        while self.connections:
            self._ended(self.connections.popitem()[1])
        self.ready.clear()
        self.gone.set()

    def _ended(self, connection: FrontConnection) -> None:
        connection.end()
        self._node.figures.sessions_closed += 1

    async def stop(self) -> None:
        """Hang up; the process ends by itself, or is ended."""
        self.pipe.close()
        if self._sockets is not None:
            self._sockets.close()
        process = self._process
        if process is not None:
            for _ in range(100):
                if process.poll() is not None:
                    return
                await asyncio.sleep(0.02)
            process.kill()
            process.wait()


class Desk:
    """All workers, from `start` to `stop`."""

    def __init__(self, node: Node, limits: Limits, shared: Budget, count: int) -> None:
        self.node, self.limits, self.shared = node, limits, shared
        self.workers: list[Worker] = []
        self._count = count
        self._keepers: list[asyncio.Task[None]] = []
        self._next = 0
        self._cancels = [node.chain.subscribe(self._imported), node.chain.on_reverted(self._reverted)]

    @property
    def connections(self) -> int:
        """How many WebSockets the workers serve."""
        return sum(len(worker.connections) for worker in self.workers)

    @property
    def pids(self) -> list[int]:
        """The processes."""
        return [worker.pid for worker in self.workers]

    def start(self) -> None:
        """Start the workers; they are ready a little later."""
        self._keepers = [asyncio.create_task(self._keep()) for _ in range(self._count)]

    async def stop(self) -> None:
        """End all of them."""
        for cancel in self._cancels:
            cancel()
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)

    async def _keep(self) -> None:
        """Have one worker at any time."""
        pause = RESTART_SECONDS
        while True:
            worker = Worker(self)
            try:
                await worker.start()
                self.workers.append(worker)
                await worker.gone.wait()
                log.warning("an RPC worker process ended, with its connections; another one is started")
            except OSError as error:
                log.warning("cannot start an RPC worker process: %s", error.strerror)
            finally:
                if worker in self.workers:
                    self.workers.remove(worker)
                await worker.stop()
            pause = RESTART_SECONDS if worker.was_ready else min(2 * pause, LONGEST_RESTART)
            await asyncio.sleep(pause)

    def take(self, request: web.Request, rate: Rate | None) -> bool:
        """Hand a request for a WebSocket to the least busy worker; False if there is none, or none yet."""
        worker = self._least_busy()
        transport = request.transport
        if worker is None or transport is None:
            return False
        self._next += 1
        head = _head(request, self._next)
        if len(head) + 8 > HEAD_MAX or not isinstance(transport, asyncio.Transport):
            return False
        transport.pause_reading()
        copy = os.dup(transport.get_extra_info("socket").fileno())
        try:
            taken = worker.take(self._next, head, copy, rate)
        finally:
            os.close(copy)
        if taken:
            transport.abort()  # closes this process's end; the connection lives on in the worker's
        else:
            transport.resume_reading()
        return taken

    def _least_busy(self) -> Worker | None:
        ready = [worker for worker in self.workers if worker.ready.is_set()]
        return min(ready, key=lambda worker: len(worker.connections), default=None)

    # ------------------------------------------------------------------ the chain

    def _imported(self, block: Imported) -> None:
        for worker in self.workers:
            worker.pipe.send(Kind.HEAD, block.number, block.hash)

    def _reverted(self, event: Reverted) -> None:
        for worker in self.workers:
            worker.pipe.send(Kind.HEAD, event.head.number, event.head.hash)


def _head(request: web.Request, number: int) -> bytes:
    """The request once more, with the connection's number."""
    mark = CONNECTION_HEADER.encode()
    lines = [name + b": " + value for name, value in request.raw_headers if name.lower() != mark.lower()]
    return b"\r\n".join([b"GET / HTTP/1.1", *lines, mark + b": %d" % number, b"", b""])
