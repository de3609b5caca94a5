"""A provider's diary of jobs: what was done, written before the next thing is done.

One JSON object a line, appended and synced to disk. After a crash the last line may be cut; it is then
ignored, since what it announced had not begun. The diary never holds a row, a weight or a key.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from client.errors import InputError
from client.files import append_durably, write_atomically


@dataclass(frozen=True)
class Entry:
    """One step of one job, and what belongs to it."""

    job: int
    step: str
    details: dict[str, Any]


class Journal:
    """All entries of a file, in memory and on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[Entry] = []
        self._latest: dict[tuple[int, str], Entry] = {}
        if path.exists():
            self._load(path.read_bytes())

    def record(self, job: int, step: str, **details: Any) -> None:
        """Write a step down; returns when it is on disk."""
        line = json.dumps({"job": job, "step": step, **details}, sort_keys=True)
        append_durably(self.path, line.encode() + b"\n")
        self._keep(Entry(job, step, details))

    def find(self, job: int, step: str) -> Entry | None:
        """The last entry of this step of this job."""
        return self._latest.get((job, step))

    def _keep(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._latest[entry.job, entry.step] = entry

    def _load(self, data: bytes) -> None:
        whole, _, cut = data.rpartition(b"\n")
        for line in whole.splitlines():
            try:
                fields = json.loads(line)
                entry = Entry(int(fields.pop("job")), str(fields.pop("step")), fields)
            except (ValueError, KeyError, AttributeError):
                raise InputError("BadJournal", f"{self.path} holds a line that is no entry") from None
            self._keep(entry)
        if cut:
            write_atomically(self.path, whole + b"\n" if whole else b"")
