"""How far a measurement is, on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

EVERY = 5.0
"""Seconds between two lines."""


@contextmanager
def progress(total: int, title: str) -> Iterator[Callable[[str], None]]:
    """Call what it gives after each of `total` steps, with the name of what is being done."""
    if not sys.stderr.isatty():
        yield _lines(total, title)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)

        def advance(name: str) -> None:
            bar.update(task, description=name, advance=1)

        yield advance


def _lines(total: int, title: str) -> Callable[[str], None]:
    began = said = time.monotonic()
    done = 0

    def advance(name: str) -> None:
        nonlocal said, done
        done += 1
        now = time.monotonic()
        if now - said >= EVERY or done == total:
            said = now
            share = f"{title}: {done}/{total} ({100 * done // max(total, 1)} %)"
            left = (now - began) / done * (total - done)
            text = f"{share}, {now - began:.0f} s, about {left:.0f} s left, {name}"
            print(text, file=sys.stderr, flush=True)

    return advance
