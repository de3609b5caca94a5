"""Which old states and bodies are kept, by the modes and sentences of Substrate's `--state-pruning`.

Source: `substrate/client/state-db/src/lib.rs`, `substrate/client/cli/src/params/pruning_params.rs`.
"""

from __future__ import annotations

from typing import NamedTuple

from node.database.errors import DatabaseCorrupt, PruningMismatch
from node.errors import BadOption

MOST = 2**32 - 1


class Mode(NamedTuple):
    """`archive`, `archive-canonical` (the same on a chain without forks), or the last so many blocks."""

    name: str
    keep: int | None
    """How many final blocks, the last one included; None: all."""

    @classmethod
    def parse(cls, text: str, flag: str) -> Mode:
        """From a flag's value; raises `BadOption`."""
        if text in ("archive", "archive-canonical"):
            return cls(text, None)
        digits = text.isascii() and text.isdigit() and len(text) <= 10
        if not digits or not 1 <= int(text) <= MOST:
            raise BadOption(f"{flag} takes archive, archive-canonical or a number of blocks, not {text!r}")
        return cls("constrained", int(text))

    def first_kept(self, finalized: int) -> int:
        """The oldest block that is kept when `finalized` is the last final one."""
        return 0 if self.keep is None else max(0, finalized - self.keep + 1)

    def __str__(self) -> str:
        """As Substrate's sentences write it."""
        if self.keep is not None:
            return f"Constrained(Constraints {{ max_blocks: Some({self.keep}) }})"
        return "ArchiveAll" if self.name == "archive" else "ArchiveCanonical"


ARCHIVE = Mode("archive", None)
CANONICAL = Mode("archive-canonical", None)
DEFAULT = Mode("constrained", 256)


class Pruning(NamedTuple):
    """What the operator asks for. `state` None: as the database was made, and 256 for a new one."""

    state: Mode | None = None
    blocks: Mode = CANONICAL


class Stored(NamedTuple):
    """How a database prunes, as it remembers: the mode, and how its history is cut (`history.py`)."""

    mode: Mode
    epoch: int

    @classmethod
    def new(cls, mode: Mode) -> Stored:
        """For a database that begins in this mode."""
        return cls(mode, 0 if mode.keep is None else min(max(64, mode.keep // 4), 65_536))

    @classmethod
    def decode(cls, data: bytes) -> Stored:
        """From the database; raises `DatabaseCorrupt`."""
        try:
            name, keep, epoch = data.decode("ascii").split()
            return cls(Mode(name, int(keep) if keep != "all" else None), int(epoch))
        except ValueError:
            raise DatabaseCorrupt(f"the database says of its pruning {data!r}") from None

    def encode(self) -> bytes:
        keep = "all" if self.mode.keep is None else self.mode.keep
        return f"{self.mode.name} {keep} {self.epoch}".encode()

    def changed(self, requested: Mode | None) -> Stored:
        """For a run that asks for `requested`: the number may change, the kind may not. Raises
        `PruningMismatch`.
        """
        if requested is None:
            return self
        if requested.name != self.mode.name:
            raise PruningMismatch(
                f"Incompatible pruning modes [stored: {self.mode}; requested: {requested}]: leave "
                "--state-pruning out, or purge the chain"
            )
        return self._replace(mode=requested)
