"""The node's database (RocksDB): blocks, the state at every block, content-addressed pieces.

    db = Database.open(folder)                     # DatabaseLocked, DatabaseUnreadable, FormatUnknown
    db.check_chain(genesis_hash)                   # WrongChain, when it holds another chain
    if db.best() is None:
        db.commit(genesis_header, genesis_hash, [], genesis_delta)
    state = db.backend()               # frame.backend.Backend at the best block; backend(hash): at an older
    root = state.root(delta, version)  # changes nothing; commit of the same delta reuses the work
    db.commit(header, hash, extrinsics, delta, pieces)  # one atomic batch; NotNextBlock, StateRootMismatch
    db.best(), db.finalized()                      # (number, hash) or None
    db.header(hash), db.body(hash), db.hash_at(number), db.number_of(hash), db.piece(blob_hash, index)
    db.revert(number)
    db.close()

A `BlockState` from `backend` keeps telling the truth about its block while later ones are committed.
Extrinsics are kept as given (with their length prefix). `Pruning` says which old states and bodies are kept;
nothing is rebuilt at opening.
"""

from node.database.content import Piece
from node.database.database import Database
from node.database.errors import (
    DatabaseClosed,
    DatabaseCorrupt,
    DatabaseError,
    DatabaseLocked,
    DatabaseUnreadable,
    DiskFull,
    FormatUnknown,
    NotNextBlock,
    PruningMismatch,
    StateBusy,
    StateRebuilding,
    StateRootMismatch,
    StateTooFar,
)
from node.database.pruning import ARCHIVE, CANONICAL, Mode, Pruning
from node.database.state import BlockState
from node.database.storage import held_unused

__all__ = [
    "ARCHIVE",
    "CANONICAL",
    "BlockState",
    "Database",
    "DatabaseClosed",
    "DatabaseCorrupt",
    "DatabaseError",
    "DatabaseLocked",
    "DatabaseUnreadable",
    "DiskFull",
    "FormatUnknown",
    "Mode",
    "NotNextBlock",
    "Piece",
    "Pruning",
    "PruningMismatch",
    "StateBusy",
    "StateRebuilding",
    "StateRootMismatch",
    "StateTooFar",
    "held_unused",
]
