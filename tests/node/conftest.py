"""A whole node in this process, over the real runtime and a real database in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chain_spec import resolve
from node.authoring import Author
from node.database import Database
from node.run import open_node
from node.service import Node
from runtime import GristmillRuntime, runtime
from tests.signing import Signer


@pytest.fixture(scope="session")
def gristmill() -> GristmillRuntime:
    return runtime()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "db", sync=False) as opened:
        yield opened


@pytest.fixture
def node(database: Database, gristmill: GristmillRuntime) -> Node:
    return open_node(resolve("dev"), database, gristmill)


@pytest.fixture
def author(node: Node) -> Author:
    return Author(node)


@pytest.fixture
def signer(node: Node) -> Callable[[str], Signer]:
    return lambda uri: Signer(uri, node.chain.genesis_hash)
