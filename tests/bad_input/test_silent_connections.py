"""Connections that say nothing may not use up the node's file descriptors: the database needs them too."""

from __future__ import annotations

import resource
import socket
import time
from contextlib import ExitStack
from typing import Any

from tests.running_node import RunningNode

DESCRIPTORS = 320


def test_silent_connections_are_bounded() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))  # the node inherits it
    try:
        running = RunningNode()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with running as node, ExitStack() as silent:
        patient = silent.enter_context(socket.create_connection(("127.0.0.1", node.port), timeout=10))
        for _ in range(2 * DESCRIPTORS):
            silent.enter_context(socket.create_connection(("127.0.0.1", node.port), timeout=10))
        body = b'{"jsonrpc":"2.0","id":1,"method":"system_health"}'
        head = f"POST / HTTP/1.1\r\nHost: node\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        patient.sendall(head + body)
        assert b"isSyncing" in patient.recv(4096), "who has a place is served"
        silent.close()
        assert answer_of(node)["peers"] == 0, "and places become free again"
        assert len(node.log) < 100 and not any("Too many open files" in line for line in node.log)


def answer_of(node: RunningNode) -> Any:
    """The node notices closed connections one after the other."""
    until = time.monotonic() + 20
    while True:
        try:
            return node.rpc("system_health")
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
