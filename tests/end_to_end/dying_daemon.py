"""`python -m tests.end_to_end.dying_daemon MOMENT DIR …`: `provider run DIR …` that kills itself (-9) at a
moment.

Moments: `before:STEP` and `after:STEP` of a journal entry, `sent:CALL` right after an extrinsic went to the
pool and before its block is known, `never`.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from cli.__main__ import main
from client.chain import Chain
from client.journal import Journal


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(moment: str) -> None:
    """Patch the daemon so that it dies at this moment."""
    when, _, what = moment.partition(":")
    record, send, call = Journal.record, Chain._send, Chain.call
    called: list[str] = []

    def recorded(self: Journal, job: int, step: str, **details: Any) -> None:
        if (when, what) == ("before", step):
            die()
        record(self, job, step, **details)
        if (when, what) == ("after", step):
            die()

    def named(self: Chain, pallet: str, name: str, **arguments: Any) -> bytes:
        called.append(name)
        return call(self, pallet, name, **arguments)

    def sent(self: Chain, extrinsic: bytes) -> None:
        send(self, extrinsic)
        if (when, what) == ("sent", called[-1]):
            die()

    Journal.record, Chain.call, Chain._send = recorded, named, sent  # type: ignore[method-assign]


if __name__ == "__main__":
    arm(sys.argv[1])
    sys.exit(main(["provider", "run", *sys.argv[2:]]))
