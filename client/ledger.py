"""A provider's own ledger: the same rows are never registered twice.

The chain counts privacy per dataset, and cannot see rows. A provider who registered the same rows again, in
another order, in other chunks, under new column names or mixed with others, would open a fresh budget for
people who were promised one. So the daemon remembers a keyed hash of every row it ever registered, and
refuses a dataset that shares one. (Rows of few bits, such as three yes/no columns, therefore collide; keep
such tables in data directories of their own.)

The file holds 8 bytes a row, hashed under a secret of this data directory: without it they confirm no guess.
"""

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

    def claim(self, root: bytes, rows: list[bytes], genesis: bytes) -> None:
        """Write these rows down under their root and chain, before they are registered there.

        Raises InputError RowsAlreadyRegistered when another dataset has one of them, and RowsOnAnotherChain
        when they were claimed for another chain, where they have a budget of their own. The same claim again
        changes nothing.
        """
        path = self._path(root)
        if path.exists():
            if path.with_suffix(".chain").read_text().strip() != genesis.hex():
                raise InputError(
                    "RowsOnAnotherChain", "these rows already have a privacy budget on another chain"
                )
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
        write_atomically(path.with_suffix(".chain"), genesis.hex().encode())
        write_atomically(path, marks.tobytes())

    def _path(self, root: bytes) -> Path:
        return self.directory / f"{root.hex()}.marks"
