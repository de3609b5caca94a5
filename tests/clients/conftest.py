"""A node that all client tests share, and what they send to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.running_node import RunningNode


@pytest.fixture(scope="module")
def dev_node() -> Iterator[RunningNode]:
    """A fresh dev chain in a process of its own, for the tests of one file."""
    with RunningNode() as node:
        yield node
    assert node.process.returncode == 0
