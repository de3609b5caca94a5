"""A TCP proxy that forwards bytes between the actors and the node and keeps every one of them."""

import socket
import threading
from contextlib import suppress
from pathlib import Path

BUFFER = 1 << 16


class Recorder:
    """Listens on a free port of this machine and forwards to `port`. One file a connection and direction.

    Use as a context manager; `url` is what clients connect to.
    """

    def __init__(self, port: int, folder: Path) -> None:
        self._target = ("127.0.0.1", port)
        self._folder = folder
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._count = 0
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        """Where clients find the node, through here."""
        return f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def __enter__(self) -> "Recorder":
        threading.Thread(target=self._accept, name="recorder", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # A thread blocked in accept or recv wakes up by shutdown, not by close.
        with self._lock:
            for end in (self._server, *self._open):
                _shut(end)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            try:
                node = socket.create_connection(self._target, timeout=10)
            except OSError:
                client.close()
                continue
            node.settimeout(None)
            self._count += 1
            with self._lock:
                self._open |= {client, node}
            for source, sink, name in ((client, node, "sent"), (node, client, "received")):
                file = self._folder / f"{self._count:03}.{name}"
                threading.Thread(target=self._forward, args=(source, sink, file), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, file: Path) -> None:
        # An OSError means that either end left; what was said before is recorded.
        with file.open("wb") as record, suppress(OSError):
            while data := source.recv(BUFFER):
                record.write(data)
                record.flush()
                sink.sendall(data)
        _shut(sink)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
