"""Taking the time: of this thread's processor, so that neither the disk nor other programs count."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def steady() -> Iterator[None]:
    """No collection inside, and nothing that lives now is looked at by a later one (`gc.freeze`)."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()


def nanoseconds(work: Callable[[], object]) -> int:
    """The processor time that `work` takes in this thread."""
    clock = time.thread_time_ns
    start = clock()
    work()
    return clock() - start


def _overhead() -> int:
    return min(nanoseconds(_nothing) for _ in range(1000))


def _nothing() -> None:
    """Takes as long as asking the clock twice."""


OVERHEAD = _overhead()
"""Nanoseconds that measuring nothing takes."""
