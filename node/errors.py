"""What can go wrong in a node, as a person at its command line reads it.

NodeError
├── PortTaken        another program listens on the RPC port
├── NoDatabase       nothing in the base path to work on
├── WrongChain       the base path holds another chain's blocks
├── UnknownBlock     no such block here, or its state is gone
├── RuntimeFailed    the runtime refused a call of one of its APIs
├── BadBlockFile     a file of blocks that is none
└── BadBlock         a block that does not fit its parent
"""

from __future__ import annotations


class NodeError(Exception):
    """Root of the node's errors; `str()` is one plain sentence."""


def behind(error: BaseException) -> NodeError | None:
    """The node's error that another one came from: what failed may lie below the runtime that says so."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, NodeError):
        found = found.__cause__ or found.__context__
    return found


class PortTaken(NodeError):
    """The RPC port is in use."""


class BadOption(NodeError):
    """A flag or a chain specification that this node cannot run with."""


class NoDatabase(NodeError):
    """A command for an existing chain found no database."""


class WrongChain(NodeError):
    """The database belongs to a chain with another genesis."""


class UnknownBlock(NodeError):
    """A hash that names no block of this chain."""


class RuntimeFailed(NodeError):
    """A runtime API call that the runtime refused; the text is Substrate's."""

    def __init__(self, why: str) -> None:
        super().__init__(f"Execution failed: Other: {why}")


class BadBlockFile(NodeError):
    """What was to be a file of blocks is something else, or ends too early."""


class BadBlock(NodeError):
    """A block that cannot follow its parent; nothing was written."""
