"""Names are other people's bytes: none of them reaches a terminal as an escape sequence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from primitives.command import printable

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202eexe.csv"


def gristmill(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)


def test_what_is_not_visible_becomes_a_question_mark() -> None:
    assert printable(HOSTILE) == "?]0;owned??[2J?exe.csv"
    assert printable("naïve 数据 ≤ …") == "naïve 数据 ≤ …"


def test_a_column_name_in_a_result(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"{HOSTILE},label\n1,2\n")
    done = gristmill("dataset", "check", str(path))
    assert done.returncode == 0 and "owned" in done.stdout
    assert "\x1b" not in done.stdout and "\x07" not in done.stdout and "\u202e" not in done.stdout


@pytest.mark.parametrize("words", [("dataset", "check", HOSTILE), ("chain-info", "--chain", HOSTILE)])
def test_a_name_in_an_error(words: tuple[str, ...]) -> None:
    done = gristmill(*words)
    assert done.returncode == 1 and done.stderr.startswith("error[") and "owned" in done.stderr
    assert done.stderr.rstrip("\n").isprintable()
