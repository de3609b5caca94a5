"""The demo's proxy forwards every byte both ways and keeps it."""

import contextlib
import socket
import threading
from pathlib import Path

from cli.demo.recorder import Recorder


def test_bytes_pass_and_stay(tmp_path: Path) -> None:
    server = socket.create_server(("127.0.0.1", 0))

    def echo() -> None:
        peer, _ = server.accept()
        with peer:
            while data := peer.recv(100):
                peer.sendall(data.upper())

    thread = threading.Thread(target=echo)
    thread.start()
    with Recorder(server.getsockname()[1], tmp_path) as recorder:
        port = int(recorder.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(b"grain " * 1000)
            received = b""
            while len(received) < 6000:
                received += client.recv(10_000)
        thread.join(10)
    server.close()
    assert received == b"GRAIN " * 1000
    assert (tmp_path / "001.sent").read_bytes() == b"grain " * 1000
    assert (tmp_path / "001.received").read_bytes() == b"GRAIN " * 1000


def test_a_node_that_is_away_closes_the_connection(tmp_path: Path) -> None:
    with socket.socket() as taken, contextlib.ExitStack() as running:
        taken.bind(("127.0.0.1", 0))  # nobody else can have the port, and nobody listens
        recorder = running.enter_context(Recorder(taken.getsockname()[1], tmp_path))
        inner = int(recorder.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", inner), timeout=10) as client:
            assert client.recv(1) == b""
