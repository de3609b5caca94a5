"""Why a transaction was refused, with the codes and texts that Substrate's clients know.

    PoolError                 code  message, data
    ├── BadFormat             1001
    ├── VerificationFailed    1002
    ├── Invalid               1010
    ├── Unknown               1011
    ├── Banned                1012
    ├── AlreadyImported       1013
    ├── TooLowPriority        1014
    ├── CycleDetected         1015
    ├── ImmediatelyDropped    1016
    └── NoTags                1019

Source: `substrate/client/rpc-api/src/author/error.rs` and
`substrate/primitives/runtime/src/transaction_validity.rs`.
"""

from __future__ import annotations

from frame import transaction as validity


class PoolError(Exception):
    """A transaction that did not enter the pool; the pool is as it was."""

    code = 1040
    data: str | None = None


class BadFormat(PoolError):
    """The bytes are no length-prefixed extrinsic."""

    code = 1001

    def __init__(self, why: str) -> None:
        super().__init__(f"Extrinsic has invalid format: {why}")


class VerificationFailed(PoolError):
    """The runtime could not read the transaction at all."""

    code = 1002

    def __init__(self, why: str) -> None:
        super().__init__(f"Verification Error: {why}")
        self.data = why


class Invalid(PoolError):
    """The runtime says that the transaction is invalid."""

    code = 1010

    def __init__(self, kind: validity.Invalid, custom: int = 0) -> None:
        super().__init__("Invalid Transaction")
        self.kind = kind
        is_custom = kind is validity.Invalid.Custom
        self.data = f"Custom error: {custom}" if is_custom else validity.INVALID_TEXT[kind]


class Unknown(PoolError):
    """The runtime cannot tell."""

    code = 1011

    def __init__(self, kind: validity.Unknown, custom: int = 0) -> None:
        super().__init__("Unknown Transaction Validity")
        self.kind = kind
        self.data = f"Custom({custom})" if kind is validity.Unknown.Custom else kind.name


class Banned(PoolError):
    """It was found invalid a short time ago."""

    code = 1012

    def __init__(self) -> None:
        super().__init__("Transaction is temporarily banned")


class AlreadyImported(PoolError):
    """The same bytes are in the pool."""

    code = 1013

    def __init__(self, digest: bytes) -> None:
        super().__init__("Transaction Already Imported")
        self.data = f"0x{digest.hex()}"


class TooLowPriority(PoolError):
    """It would replace others, but its priority is not above the sum of theirs."""

    code = 1014
    data = "The transaction has too low priority to replace another transaction already in the pool."

    def __init__(self, old: int, new: int) -> None:
        super().__init__(f"Priority is too low: ({old} vs {new})")


class CycleDetected(PoolError):
    """Its tags need each other."""

    code = 1015

    def __init__(self) -> None:
        super().__init__("Cycle Detected")


class ImmediatelyDropped(PoolError):
    """The pool is full of better transactions."""

    code = 1016
    data = "The transaction couldn't enter the pool because of the limit"

    def __init__(self) -> None:
        super().__init__("Immediately Dropped")


class NoTags(PoolError):
    """It provides no tag, so that nothing tells it from others."""

    code = 1019
    data = "Transaction does not provide any tags, so the pool can't identify it"

    def __init__(self) -> None:
        super().__init__("No tags provided")
