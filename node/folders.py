"""Where a chain's data lie under the base path, as Substrate lays them out: `<base>/chains/<id>/db`."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chain_spec import ChainSpec
from node.errors import BadOption


def chain_folder(base: Path, spec: ChainSpec) -> Path:
    """All that belongs to a chain. Raises `BadOption` for an id that is no folder's name."""
    if not re.fullmatch(r"[\w-][\w.-]*", spec.id):
        raise BadOption(f"the chain spec's id {spec.id!r} cannot name a folder")
    return base / "chains" / spec.id


def database_folder(base: Path, spec: ChainSpec) -> Path:
    """The chain's database; raises `BadOption` likewise."""
    return chain_folder(base, spec) / "db"


@contextmanager
def kept_or_temporary(base_path: Path | None) -> Iterator[Path]:
    """The base path, or without one a temporary folder, removed afterwards."""
    if base_path is not None:
        yield base_path
        return
    folder = Path(tempfile.mkdtemp(prefix="gristmill-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
