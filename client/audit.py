"""Copies of everything that leaves a provider, in plaintext, made just before sealing or sending.

For the owner's eyes (and for `leak_scan`): `results/` holds result packages before they are sealed, `rpc.log`
every byte sent to and received from the node.
"""

import threading
from pathlib import Path

from client.files import private_directory, write_atomically


class Audit:
    """Writes copies into a directory. Safe to call from several threads."""

    def __init__(self, directory: Path) -> None:
        self.directory = private_directory(directory)
        private_directory(directory / "results")
        self._lock = threading.Lock()

    def result(self, job: int, package: bytes) -> None:
        """Keep a result package as it is before sealing."""
        write_atomically(self.directory / "results" / f"{job}.package", package)

    def traffic(self, direction: str, data: bytes) -> None:
        """Keep bytes of a conversation with the node; an `Rpc.tap`."""
        with self._lock, (self.directory / "rpc.log").open("ab") as log:
            log.write(direction.encode() + b" " + data + b"\n")
