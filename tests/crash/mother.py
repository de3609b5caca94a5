"""A process that has loaded all that `gristmill node` loads, and forks a node for each line it reads.

So a node boots in a tenth of the time; what runs in the child is the command itself, with a process, sockets
and a database of its own. Lines are JSON: `flags`, and `aim`: null, or a moment (`commit`: a block's changes
are about to be put together, `write`: they are about to be written) and which one of them to announce on
stderr by a line `now`. Each child is announced on stdout by its process id,
and its end by its exit status.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

import node.commands.run
import node.rpc.server
import node.run
from cli.__main__ import main
from node.database import Database
from node.database.storage import Storage
from runtime import runtime


def announce(moment: str, which: int) -> None:
    """Say when the `which`th such moment from now is there."""
    owner, name = (Database, "commit") if moment == "commit" else (Storage, "write")
    original, count = getattr(owner, name), 0

    def announced(self: Any, *args: Any, **options: Any) -> None:
        nonlocal count
        count += 1
        if count == which:
            os.write(2, b"now\n")
        original(self, *args, **options)

    setattr(owner, name, announced)


def child(order: dict[str, Any]) -> None:
    """Be the node, and never come back."""
    code = 70
    try:
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        if order["aim"]:
            announce(*order["aim"])
        code = main(["node", *order["flags"]])
    finally:
        sys.stderr.flush()
        os._exit(code)


def serve() -> None:
    """Fork until stdin ends."""
    runtime()
    assert node.run and node.rpc.server and node.commands.run
    print("ready", flush=True)
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            child(json.loads(line))
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve()
