"""What can be wrong with a chain spec.

ChainSpecError
├── SpecUnreadable      no such preset or file
├── SpecTooLarge        more bytes than a spec may have
├── SpecMalformed       not JSON, or a field of the wrong form (the message names it)
├── StateVersionUnread  the state version cannot be read from the spec's `:code`
├── CodeMalformed       `:code` is no WebAssembly module, or its compression is damaged or a bomb
├── NoState             only the root of the genesis state is known
└── OtherRuntime        a plain spec for a runtime that this program does not have
"""

from __future__ import annotations


class ChainSpecError(Exception):
    """Base of the errors of chain specs; the message is a sentence for people."""


class SpecUnreadable(ChainSpecError):
    """Neither a preset nor a file that can be read."""


class SpecTooLarge(ChainSpecError):
    """The spec has more bytes than allowed."""


class SpecMalformed(ChainSpecError):
    """The spec is not JSON, or a field has the wrong form."""


class StateVersionUnread(ChainSpecError):
    """The state version is not to be read from the spec; it has to be told."""


class CodeMalformed(ChainSpecError):
    """The value at `:code` is not a runtime."""


class NoState(ChainSpecError):
    """The spec holds the root of its genesis state, not the state."""


class OtherRuntime(ChainSpecError):
    """The spec's genesis has to be built by another runtime."""
