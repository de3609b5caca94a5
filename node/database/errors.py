"""What can go wrong with the node's database. `WrongChain` and `UnknownBlock` are the node's own.

NodeError
├── DatabaseError
│   ├── DatabaseLocked      another process has it open
│   ├── DatabaseUnreadable  the folder cannot be used, or holds something else
│   ├── DatabaseCorrupt     what is stored contradicts itself
│   ├── DatabaseClosed      used after it was closed
│   ├── DiskFull            no room for the next block
│   ├── FormatUnknown       written by another version of this program
│   ├── PruningMismatch     made to keep other old states than asked for
│   ├── StateRebuilding     an old block's tries are being made: wait
│   ├── StateBusy           those of another block are: ask again later
│   └── StateTooFar         too much has changed since that block
└── BadBlock
    ├── NotNextBlock        a block that does not follow the best one
    └── StateRootMismatch   the header's state root is not that of the changes
"""

from __future__ import annotations

from concurrent.futures import Future

from node.errors import BadBlock, NodeError


class DatabaseError(NodeError):
    """Base of the database's errors."""


class DatabaseLocked(DatabaseError):
    """Another process has the database open."""


class DatabaseUnreadable(DatabaseError):
    """The folder cannot be opened as a database."""


class DatabaseCorrupt(DatabaseError):
    """What is stored contradicts itself."""


class DatabaseClosed(DatabaseError):
    """The database was closed."""


class DiskFull(DatabaseError):
    """The file system has no room for what was to be written."""


class FormatUnknown(DatabaseError):
    """The database was written in a format that this version does not read."""


class PruningMismatch(DatabaseError):
    """The database was made to keep other old states than the command line asks for."""


class StateRebuilding(DatabaseError):
    """The tries of an old block are being made; `ready` is done when they are, or cannot be."""

    def __init__(self, number: int, ready: Future[None]) -> None:
        super().__init__(f"the state of block {number} is being rebuilt; ask again in a moment")
        self.ready = ready


class StateBusy(DatabaseError):
    """The tries of another old block are being made, and those of one block at a time."""


class StateTooFar(DatabaseError):
    """Too much has changed since an old block to make its tries for somebody outside."""


class NotNextBlock(BadBlock):
    """The block does not follow the best block."""


class StateRootMismatch(BadBlock):
    """The header's state root differs from the root of the state after the block's changes."""
