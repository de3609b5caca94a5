"""A dev chain in a process of its own, and people on it with money, data and models."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.people import Town
from tests.running_node import RunningNode


@pytest.fixture(scope="module")
def node() -> Iterator[RunningNode]:
    """One node for the tests of a file."""
    with RunningNode() as running:
        yield running


_numbers = itertools.count(1)


@pytest.fixture
def town(node: RunningNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """Fresh accounts and directories for one test, on the shared chain."""
    monkeypatch.setenv("GRISTMILL_KEYRING", str(tmp_path / "keyring.json"))
    monkeypatch.setenv("GRISTMILL_ORDERS", str(tmp_path / "orders"))
    made = Town(node.http, tmp_path, f"{node.port}-{next(_numbers)}")
    yield made
    made.chain.rpc.close()
