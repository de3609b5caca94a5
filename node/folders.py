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
from primitives import node_key
from primitives.files import write_whole
from primitives.keys import SecretError


def chain_folder(base: Path, spec: ChainSpec) -> Path:
    """All that belongs to a chain. Raises `BadOption` for an id that is no folder's name."""
    if not re.fullmatch(r"[\w-][\w.-]*", spec.id):
        raise BadOption(f"the chain spec's id {spec.id!r} cannot name a folder")
    return base / "chains" / spec.id


def database_folder(base: Path, spec: ChainSpec) -> Path:
    """The chain's database; raises `BadOption` likewise."""
    return chain_folder(base, spec) / "db"


def network_key(base: Path, spec: ChainSpec) -> bytes:
    """The chain's node key, made on first use: `<base>/chains/<id>/network/secret_ed25519`, readable by its
    owner only. Raises `BadOption` for a file that is none.
    """
    file = chain_folder(base, spec) / "network" / "secret_ed25519"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, node_key.generate(), mode=0o600)
    return read_network_key(file)


def read_network_key(file: Path) -> bytes:
    """The node key in a file, raw or in hex; raises `BadOption`."""
    try:
        with file.open("rb") as data:
            return node_key.parse(data.read(1024))
    except OSError as error:
        raise BadOption(f"cannot read the node key {file}: {error.strerror}") from error
    except SecretError as error:
        raise BadOption(f"{file}: {error}") from None


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
