"""The demo's processes: started as a user would, logged, and stopped whatever happens."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

PATIENCE = 120.0
"""Seconds for a process to get ready or to end, on a machine that has much else to do."""
LISTENS = re.compile(r"Running JSON-RPC server: addr=[\d.]+:(\d+)")
PACKAGE_ROOT = Path(__file__).resolve().parents[2]

T = TypeVar("T")


class DemoError(Exception):
    """The demo could not go on; the sentence says where the logs are."""

    name = "DemoFailed"


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Signals that would end this process wait until the block has ended: a child that was started in it is
    known by then, and is stopped too. Handlers are put off, not masked, since a child inherits a mask.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    known = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    for each, handler in known.items():
        if callable(handler):
            signal.signal(each, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for each, handler in known.items():
            if callable(handler):
                signal.signal(each, handler)
        for number in came[:1]:
            signal.raise_signal(number)


class Actors:
    """Runs `gristmill` commands, in the background or to their end. A context manager that stops all of them.

    Each writes its stderr to `<folder>/<name>.log` and, in the background, its stdout to `<name>.out`.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self._environment = {**os.environ, "PYTHONUNBUFFERED": "1", **environment}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> "Actors":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, name: str, *words: str) -> None:
        """Start a command in the background."""
        with self._file(name, "out") as out, self._file(name, "log") as log, uninterrupted():
            self._running[name] = subprocess.Popen(
                self.command(*words),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                cwd=PACKAGE_ROOT,
                env=self._environment,
                start_new_session=True,  # Ctrl-C reaches the demo, which stops them in order
            )

    def command(self, *words: str) -> list[str]:
        """How a command is run; tests run another build here."""
        return [sys.executable, "-m", "cli", *words]

    def run(self, name: str, *words: str) -> dict[str, Any]:
        """Run a command to its end and return the JSON object it prints."""
        with self._file(name, "log") as log:
            done = subprocess.run(
                self.command(*words),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=PACKAGE_ROOT,
                env=self._environment,
                timeout=2 * PATIENCE,
                check=False,
            )
        (self.folder / f"{name}.out").write_bytes(done.stdout)
        if done.returncode:
            raise DemoError(f"`gristmill {words[0]} {words[1]}` failed: {self._last_words(name)}")
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def until(self, name: str, ready: Callable[[], T | None]) -> T:
        """Wait until a background process is ready; DemoError when it ends or takes too long."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = ready()
            if found is not None:
                return found
            if self._running[name].poll() is not None:
                raise DemoError(f"the {name} stopped: {self._last_words(name)}")
            time.sleep(0.05)
        raise DemoError(f"the {name} was not ready within {PATIENCE:.0f} s: {self._last_words(name)}")

    def said(self, name: str) -> dict[str, Any] | None:
        """The first line of a background process's stdout as JSON, once it is there."""
        line, end, _ = (self.folder / f"{name}.out").read_bytes().partition(b"\n")
        found: dict[str, Any] | None = json.loads(line) if end else None
        return found

    def port(self, name: str) -> int | None:
        """The port that a node says in its log it listens on, once it does."""
        found = LISTENS.search((self.folder / f"{name}.log").read_text(errors="replace"))
        return int(found[1]) if found else None

    def stop(self) -> None:
        """End all background processes, the last one first; kill what does not listen."""
        for name in reversed(list(self._running)):
            self.stop_one(name)

    def stop_one(self, name: str) -> None:
        """End one background process."""
        process = self._running.pop(name)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _file(self, name: str, kind: str) -> IO[bytes]:
        return (self.folder / f"{name}.{kind}").open("wb")

    def _last_words(self, name: str) -> str:
        lines = (self.folder / f"{name}.log").read_text(errors="replace").strip().splitlines()
        return f"{lines[-1] if lines else 'it said nothing'} (logs: {self.folder})"
