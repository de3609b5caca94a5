"""A provider's own ledger: the same rows are never registered twice.

The chain counts privacy per dataset, and cannot see rows. A provider who registered the same rows again,
renamed, reordered, cut differently or mixed with others, would open a fresh budget for people who were
promised one. So the daemon remembers a keyed hash of every row it ever registered, and refuses a dataset that
shares one.

The file holds 8 bytes a row, hashed under a secret of this data directory: without the secret it confirms no
guess.
"""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from client.errors import InputError
from client.files import private_directory, write_atomically
from primitives.hashing import tagged

Marks = NDArray[np.uint64]


class Ledger:
    """Marks of all registered rows, one file a dataset root, in `directory`."""

    def __init__(self, directory: Path, secret: bytes) -> None:
        self.directory = private_directory(directory)
        self._secret = secret

    def marks(self, rows: list[bytes]) -> Marks:
        """Sorted distinct marks of encoded rows."""
        keyed = (tagged("row-mark", self._secret, row)[:8] for row in rows)
        return np.unique(np.frombuffer(b"".join(keyed), dtype="<u8"))

    def claim(self, root: bytes, rows: list[bytes]) -> None:
        """Write these rows down under their root. Raises InputError RowsAlreadyRegistered when another
        dataset has one.

        Claiming the same root again changes nothing.
        """
        path = self._path(root)
        if path.exists():
            return
        marks = self.marks(rows)
        for other in sorted(self.directory.glob("*.marks")):
            shared = np.intersect1d(marks, np.frombuffer(other.read_bytes(), dtype="<u8"), assume_unique=True)
            if len(shared):
                raise InputError(
                    "RowsAlreadyRegistered",
                    f"{len(shared)} of these rows belong to the dataset with root 0x{other.stem[:16]}…; "
                    "registering them again would give them a second privacy budget",
                )
        write_atomically(path, marks.tobytes())

    def registered(self, genesis: bytes, root: bytes) -> int | None:
        """The dataset number that this root got on a chain."""
        path = self._path(root).with_suffix(".json")
        numbers = json.loads(path.read_bytes()) if path.exists() else {}
        found = numbers.get(genesis.hex())
        return None if found is None else int(found)

    def note(self, genesis: bytes, root: bytes, dataset: int) -> None:
        """Remember a registration."""
        path = self._path(root).with_suffix(".json")
        numbers = json.loads(path.read_bytes()) if path.exists() else {}
        write_atomically(path, json.dumps({**numbers, genesis.hex(): dataset}).encode())

    def _path(self, root: bytes) -> Path:
        return self.directory / f"{root.hex()}.marks"
