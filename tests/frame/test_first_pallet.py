"""`docs/pallets.md`, followed to the letter in a copy of the source: files, diffs and commands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHANGED = ("pallets", "runtime")
PACKAGES = ("primitives", "frame", "executor", "chain_spec", "node", "client", "cli")
FILE = re.compile(r"^`([\w/]+\.py)`[^\n]*\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DIFF = re.compile(r"^```diff\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in CHANGED:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in PACKAGES:
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def run(clone: Path, *words: str) -> str:
    """What a command prints, after its exit code."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=clone,
        env={**os.environ, "PYTHONPATH": str(clone)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return f"{done.returncode} {done.stdout}{done.stderr}"


def follow(clone: Path, text: str) -> list[str]:
    """Write the files of a page, and change the runtime as it says."""
    files = dict(FILE.findall(text))
    for name, content in files.items():
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text(content)
    runtime = clone / "runtime" / "gristmill.py"
    for diff in DIFF.findall(text):
        lines = diff.splitlines()
        before, after = ("\n".join(line[1:] for line in lines if line[0] != mark) for mark in "+-")
        assert runtime.read_text().count(before) == 1, before
        runtime.write_text(runtime.read_text().replace(before, after))
    return sorted(files)


def test_the_page_about_a_first_pallet_works_as_written(clone: Path) -> None:
    written = follow(clone, (ROOT / "docs" / "pallets.md").read_text())
    assert written == [
        "pallets/template/__init__.py",
        "pallets/template/benchmarking.py",
        "pallets/template/pallet.py",
        "pallets/template/weights.py",
        "tests/pallets/test_template.py",
    ]
    refused = run(clone, "-m", "cli", "node", "--dev", "--rpc-port", "0")
    assert refused == (
        "1 error[DeclarationError]: Template.increase: no weight; "
        "run `gristmill benchmark pallet --pallet template`\n"
    )
    words = "-m cli benchmark pallet --pallet template --steps 2 --repeat 2"
    measured = run(clone, *words.split(" "))
    assert measured.startswith("0 ") and 'Extrinsic: "increase"' in measured, measured
    assert "def increase() -> Weight:" in (clone / "pallets" / "template" / "weights.py").read_text()
    spec = run(clone, *["-m", "cli", "build-spec", "--raw", "--chain", "dev"])
    assert spec.startswith("0 {"), spec
    tested = run(clone, *["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/pallets/test_template.py"])
    assert "2 passed" in tested, tested
