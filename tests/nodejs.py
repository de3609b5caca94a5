"""Node.js for tests: clients and oracles that others wrote in JavaScript, run unmodified.

Where Node.js (or its packages) is missing, a test that asks for it is skipped with a sentence; under CI it
fails.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

CLIENTS = Path(__file__).parent / "clients"


def missing(why: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture(scope="session")
def node_js() -> str:
    """Path of `node`, with the packages of tests/clients installed."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        missing("Node.js is not installed: tests against JavaScript clients need it")
    if not (CLIENTS / "node_modules").is_dir():
        done = subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund"], cwd=CLIENTS, capture_output=True, text=True, check=False
        )
        if done.returncode:
            missing(f"the JavaScript clients cannot be installed: {done.stderr.strip()[-300:]}")
    return node


class Smoldot:
    """The smoldot light client in one process: an independent judge of genesis states."""

    def __init__(self, node: str) -> None:
        self._process = subprocess.Popen(
            [node, "smoldot.mjs"], cwd=CLIENTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._asked = 0

    def genesis_hash(self, raw_spec: str) -> bytes:
        """Hash of block 0 of a raw chain spec, as smoldot computes it. Raises ValueError if it refuses."""
        reply = self._ask({"spec": raw_spec})
        if "error" in reply:
            raise ValueError(reply["error"])
        return bytes.fromhex(reply["genesis_hash"][2:])

    def known_spec(self, name: str) -> str:
        """A chain spec of the package @substrate/connect-known-chains."""
        spec: str = self._ask({"known": name})["spec"]
        return spec

    def _ask(self, request: dict[str, str]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._asked += 1
        self._process.stdin.write(json.dumps({"id": self._asked, **request}) + "\n")
        self._process.stdin.flush()
        reply: dict[str, Any] = {}
        while reply.get("id") != self._asked:  # an older one, where a test did not wait for its answer
            reply = json.loads(self._process.stdout.readline())
        return reply

    def close(self) -> None:
        self._process.communicate(timeout=20)


@pytest.fixture(scope="session")
def smoldot(node_js: str) -> Iterator[Smoldot]:
    """One smoldot for the whole session."""
    oracle = Smoldot(node_js)
    yield oracle
    oracle.close()
