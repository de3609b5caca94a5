"""The type checker sees what a pallet is made of: seeded mistakes are all found, and only they."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

PALLET = """
from dataclasses import dataclass
from frame import Event, Origin, Pallet, StorageMap, StorageValue, call
from primitives.scale import U32, AccountId, Bytes

@dataclass(frozen=True)
class Config:
    max_step: U32 = 100

class Template(Pallet[Config]):
    something = StorageValue[U32]()
    changes = StorageMap[AccountId, U32](default=0)

    class Stored(Event):
        something: U32
        who: AccountId

    @call(0)
    def store(self, origin: Origin, something: U32) -> None:
        self.something.put(something)
        self.changes[origin.signed()] += 1
        self.deposit(self.Stored(something=something, who=origin.signed()))

    def mistakes(self, origin: Origin) -> None:
        self.something.put("five")  # value type
        self.changes[5] = 1  # key type
        self.store(origin, "five")  # call argument
        self.store(origin)  # missing argument
        self.store.new("five")  # call argument
        self.deposit(self.Stored(something=1))  # missing event field
        self.deposit(self.Stored(something=1, who="me"))  # event field type
        self.config.max_stepp  # unknown config
        n: int = self.something.try_get()  # Optional
        m: int = self.changes.get(b"")  # Optional
        self.changes[b""].upper()  # value type
        origin.signed().upper(1)  # bytes
"""


def test_the_type_checker_finds_seeded_mistakes(tmp_path: Path) -> None:
    program = tmp_path / "seeded.py"
    program.write_text(PALLET)
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", str(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = {int(n) for n in re.findall(r"seeded\.py:(\d+): error", result.stdout)}
    seeded = {i for i, line in enumerate(PALLET.splitlines(), 1) if "  # " in line}
    assert found == seeded, result.stdout + result.stderr
