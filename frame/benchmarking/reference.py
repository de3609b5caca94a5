"""The reference loop: how fast the machine is just now, measured by a fixed piece of work.

The same code takes half as long again while a neighbour on the same processor core is busy, and on a virtual
machine nobody sees that neighbour. So every timing stands between two runs of a loop that never changes, and
is multiplied with the loop's recorded time over its present one: weights are in *reference time*, that of the
machine on which `benchmark machine --record` ran. The loop does what the runtime does (keys hashed, entries
decoded, changed, encoded, kept in dicts) in plain Python and nothing of ours, so that no change of ours makes
it quicker. A call that spends its time in long hashes or copies slows down less than the loop does and is
corrected by too much: measure on a quiet machine, where the correction is near 1.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from statistics import median
from types import FrameType

from frame.benchmarking.stopwatch import nanoseconds

ACCOUNTS = 32
EVERY = 0.02
"""Seconds of processor time between two looks at the speed while something long runs."""
STEADY = 0.12
"""The speeds before and after a timing may differ by this part; else it is taken again."""

_ACCOUNTS = tuple(blake2b(n.to_bytes(8, "little"), digest_size=32).digest() for n in range(ACCOUNTS))


class _Entry:
    """An account, as a pallet would keep it."""

    __slots__ = ("flags", "free", "nonce", "reserved")

    def __init__(self, nonce: int, free: int, reserved: int, flags: int) -> None:
        self.nonce, self.free, self.reserved, self.flags = nonce, free, reserved, flags

    def encode(self) -> bytes:
        tail = b"".join(part.to_bytes(16, "little") for part in (self.free, self.reserved, self.flags))
        return self.nonce.to_bytes(4, "little") + tail

    @classmethod
    def decode(cls, raw: bytes) -> _Entry:
        number = int.from_bytes
        return cls(
            number(raw[:4], "little"),
            number(raw[4:20], "little"),
            number(raw[20:36], "little"),
            number(raw[36:], "little"),
        )


def loop() -> bytes:
    """The fixed work. Whoever changes it must record the machine anew."""
    store: dict[bytes, bytes] = {}
    log: list[tuple[bytes, int]] = []
    for account in _ACCOUNTS:
        store[blake2b(account, digest_size=16).digest() + account] = _Entry(1, 10**12, 0, 0).encode()
    for account in _ACCOUNTS:
        key = blake2b(account, digest_size=16).digest() + account
        entry = _Entry.decode(store[key])
        entry.nonce += 1
        entry.free -= 1_000
        if entry.free > 5:
            store[key] = entry.encode()
            log.append((account, entry.free))
    return b"".join(sorted(store.values()))


def loop_ns() -> int:
    """Nanoseconds that the loop takes now, the quicker of two runs: the first brings it into the caches."""
    return min(nanoseconds(loop), nanoseconds(loop))


@dataclass
class Reference:
    """How timings become reference time. `recorded` are the nanoseconds of the loop on the recorded machine;
    without them nothing is corrected.
    """

    recorded: int | None = None
    speeds: list[float] = field(default_factory=list)
    """Every correction made so far: 0.8 where the machine was slower and times shrank by a fifth."""

    def speed(self) -> float:
        """What a time taken now is to be multiplied with."""
        return 1.0 if self.recorded is None else self.recorded / loop_ns()

    def between(self, before: float, after: float) -> float:
        """The correction of what ran between two looks at the speed, noted."""
        found = 2 / (1 / before + 1 / after)
        self.speeds.append(found)
        return found

    def steady(self, before: float, after: float) -> bool:
        """Whether the machine stayed as fast as it was."""
        return abs(before - after) <= STEADY * max(before, after)

    def take(self, work: Callable[[], object]) -> int:
        """Nanoseconds of reference time that `work` takes; something long is looked at on its way too."""
        if self.recorded is None:
            self.speeds.append(1.0)
            return nanoseconds(work)
        slowness = [1 / self.speed()]
        with _interrupted(slowness, self) as spent:
            taken = nanoseconds(work)
        slowness.append(1 / self.speed())
        # Each look stands for an equal part of the run; those at its ends for half of one.
        ends, within = (slowness[0] + slowness[-1]) / 2, slowness[1:-1]
        found = (1 + len(within)) / (ends + sum(within))
        self.speeds.append(found)
        return max(round((taken - sum(spent)) * found), 1)

    def summary(self) -> str:
        """For people, and for the head of a file."""
        return correction(self.speeds if self.recorded is not None else ())


def correction(speeds: Sequence[float]) -> str:
    """`reference time: timings × 0.98 (0.71 to 1.02)`: the median correction, and the extremes; or that
    there was none.
    """
    if not speeds:
        return "time as it was taken, not corrected"
    return f"reference time: timings × {median(speeds):.2f} ({min(speeds):.2f} to {max(speeds):.2f})"


@contextmanager
def _interrupted(slowness: list[float], reference: Reference) -> Iterator[list[int]]:
    """Runs the loop now and then in between, by a timer signal; gives the nanoseconds that took each time."""
    spent: list[int] = []
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGPROF"):
        yield spent
        return

    def look(number: int, frame: FrameType | None) -> None:
        began = time.thread_time_ns()
        slowness.append(1 / reference.speed())
        spent.append(time.thread_time_ns() - began)

    before = signal.signal(signal.SIGPROF, look)
    signal.siginterrupt(signal.SIGPROF, False)  # the database's system calls go on
    signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
    try:
        yield spent
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
