"""Who may have the tries of an older block, and who makes them: a question must not stall the node.

Making them costs as much as has changed since. A little of that is done at once. More is done by a thread of
its own, for one block at a time, while the chain goes on; who asked is told to wait (`StateRebuilding`), who
asks for yet another block meanwhile to come back later (`StateBusy`). The last ones made stay for a while.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread

from node.database.errors import StateBusy, StateRebuilding, StateTooFar
from node.database.past import Past

AT_ONCE = 5_000
"""So many changes are taken back at once: about a tenth of a second."""
MOST = 1_000_000
"""So many changes are taken back at most for who asks from outside, some hundred bytes each."""
KEPT = 64
"""For so many blocks the last ones made are kept: they hold on to files."""


class Pasts:
    """The tries of older blocks. `make` begins a new Past, by block number and state version."""

    def __init__(self, make: Callable[[int, int], Past]) -> None:
        self._make = make
        self._lock = Lock()
        self._ready: Past | None = None
        self._making: Past | None = None
        self._promise: Future[None] = Future()

    def get(self, number: int, root: bytes, version: int) -> Past:
        """Of block `number`, whose state root is `root`. Raises StateRebuilding, StateBusy, DatabaseError."""
        with self._lock:
            if _fits(self._ready, root, version):
                assert self._ready is not None
                return self._ready
            if _fits(self._making, root, version):
                raise StateRebuilding(number, self._promise)
            if self._making is not None:
                raise StateBusy(
                    f"the state of block {number} would have to be rebuilt, but that of block "
                    f"{self._making.number} is being rebuilt for somebody else; ask again later"
                )
        past = self._make(number, version)
        while past.changes <= AT_ONCE:
            if past.step():
                return self._keep(past)
        with self._lock:
            if self._making is not None:
                past.close()
                raise StateBusy(f"the state of block {self._making.number} is being rebuilt; ask again later")
            self._making, self._promise = past, Future()
            Thread(target=self._go_on, args=(past, self._promise), name="past state", daemon=True).start()
        raise StateRebuilding(number, self._promise)

    def made(self, number: int, root: bytes, version: int) -> Past:
        """The same for the node itself: whatever it costs, here and now."""
        with self._lock:
            if _fits(self._ready, root, version):
                assert self._ready is not None
                return self._ready
        past = self._make(number, version)
        while not past.step():
            pass
        return self._keep(past)

    def _go_on(self, past: Past, promise: Future[None]) -> None:
        error: Exception | None = None
        try:
            began = time.perf_counter()
            while not past.step():
                if past.changes > MOST:
                    raise StateTooFar(
                        f"the state of block {past.number} is not rebuilt: more than {MOST} changes since"
                    )
                time.sleep(time.perf_counter() - began)  # the chain has the other half
                began = time.perf_counter()
        except Exception as failed:
            error = failed
            past.close()
        with self._lock:
            mine = self._making is past
            if mine:
                self._making = None
        if error is None and mine:
            self._keep(past)
        if error is None:
            promise.set_result(None)
        else:
            promise.set_exception(error)

    def _keep(self, past: Past) -> Past:
        with self._lock:
            before, self._ready = self._ready, past
        if before is not None:
            before.close()
        return past

    def advance(self, number: int) -> None:
        """Block `number` is the best now."""
        ready = self._ready
        if ready is not None and number - ready.made_at > KEPT:
            self._forget_ready()

    def _forget_ready(self) -> None:
        with self._lock:
            ready, self._ready = self._ready, None
        if ready is not None:
            ready.close()

    def clear(self) -> None:
        """Let go of everything: the database is closed, or the chain goes back."""
        self._forget_ready()
        with self._lock:
            making, self._making = self._making, None
        if making is not None:
            making.close()


def _fits(past: Past | None, root: bytes, version: int) -> bool:
    return past is not None and (past.root, past.version) == (root, version)
