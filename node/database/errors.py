"""What can go wrong with the node's database. `WrongChain` and `UnknownBlock` are the node's own.

NodeError
├── DatabaseError
│   ├── DatabaseLocked      another process has it open
│   ├── DatabaseUnreadable  the folder cannot be used, or holds something else
│   ├── DatabaseCorrupt     what is stored contradicts itself
│   ├── DatabaseClosed      used after it was closed
│   ├── DiskFull            no room for the next block
│   ├── FormatUnknown       written by another version of this program
│   └── PruningMismatch     made to keep other old states than asked for
└── BadBlock
    ├── NotNextBlock        a block that does not follow the best one
    └── StateRootMismatch   the header's state root is not that of the changes
"""

from __future__ import annotations

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


class NotNextBlock(BadBlock):
    """The block does not follow the best block."""


class StateRootMismatch(BadBlock):
    """The header's state root differs from the root of the state after the block's changes."""
