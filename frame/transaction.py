"""Whether a transaction may enter the pool or a block, in Substrate's encoding
(`sp_runtime::transaction_validity`).

TransactionValidityError ├── InvalidTransaction(Invalid)   it can never be included as it is, or not now │
└── BadFormat                     the bytes are no extrinsic of this runtime (encoded as Call) └──
UnknownTransaction(Unknown)   it cannot be judged
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from primitives.scale import U64, Struct


class Invalid(IntEnum):
    """`InvalidTransaction`."""

    Call = 0
    Payment = 1
    Future = 2
    Stale = 3
    BadProof = 4
    AncientBirthBlock = 5
    ExhaustsResources = 6
    Custom = 7
    BadMandatory = 8
    MandatoryValidation = 9
    BadSigner = 10
    IndeterminateImplicit = 11
    UnknownOrigin = 12


INVALID_TEXT: Final = {
    Invalid.Call: "Transaction call is not expected",
    Invalid.Payment: "Inability to pay some fees (e.g. account balance too low)",
    Invalid.Future: "Transaction will be valid in the future",
    Invalid.Stale: "Transaction is outdated",
    Invalid.BadProof: "Transaction has a bad signature",
    Invalid.AncientBirthBlock: "Transaction has an ancient birth block",
    Invalid.ExhaustsResources: "Transaction would exhaust the block limits",
    Invalid.Custom: "InvalidTransaction custom error",
    Invalid.BadMandatory: "A call was labelled as mandatory, but resulted in an Error.",
    Invalid.MandatoryValidation: "Transaction dispatch is mandatory; transactions must not be validated.",
    Invalid.BadSigner: "Invalid signing address",
    Invalid.IndeterminateImplicit: "The implicit data was unable to be calculated",
    Invalid.UnknownOrigin: "The transaction extension did not authorize any origin",
}
"""What Substrate's nodes answer; clients match these texts."""


class Unknown(IntEnum):
    """`UnknownTransaction`."""

    CannotLookup = 0
    NoUnsignedValidator = 1
    Custom = 2


UNKNOWN_TEXT: Final = {
    Unknown.CannotLookup: "Could not lookup information required to validate the transaction",
    Unknown.NoUnsignedValidator: "Could not find an unsigned validator for the unsigned transaction",
    Unknown.Custom: "UnknownTransaction custom error",
}


class Source(IntEnum):
    """Where a transaction to be validated comes from (`TransactionSource`)."""

    __scale_path__ = "sp_runtime::transaction_validity::TransactionSource"

    InBlock = 0
    Local = 1
    External = 2


class TransactionValidityError(Exception):
    """Why a transaction is not included; nothing has changed."""

    def encode(self) -> bytes:
        """The SCALE bytes of `TransactionValidityError`."""
        raise NotImplementedError


class InvalidTransaction(TransactionValidityError):
    """The transaction is invalid, for the reason `kind`."""

    def __init__(self, kind: Invalid, custom: int = 0) -> None:
        super().__init__(INVALID_TEXT[kind])
        self.kind = kind
        self.custom = custom

    def encode(self) -> bytes:
        return bytes((0, self.kind, self.custom) if self.kind is Invalid.Custom else (0, self.kind))


class BadFormat(InvalidTransaction):
    """The bytes are not an extrinsic of this runtime; `reason` says where they fail."""

    def __init__(self, reason: str) -> None:
        super().__init__(Invalid.Call)
        self.args = (reason,)
        self.reason = reason


class UnknownTransaction(TransactionValidityError):
    """The transaction's validity cannot be determined, for the reason `kind`."""

    def __init__(self, kind: Unknown, custom: int = 0) -> None:
        super().__init__(UNKNOWN_TEXT[kind])
        self.kind = kind
        self.custom = custom

    def encode(self) -> bytes:
        return bytes((1, self.kind, self.custom) if self.kind is Unknown.Custom else (1, self.kind))


class Validity(Struct, path="sp_runtime::transaction_validity::ValidTransaction"):
    """What the pool must know of a valid transaction."""

    priority: U64
    requires: list[bytes]
    provides: list[bytes]
    longevity: U64
    propagate: bool


class Judgement:
    """What the extensions have found of a transaction so far, each adding its part; see `Validity`."""

    __slots__ = ("longevity", "priority", "propagate", "provides", "requires")

    def __init__(self) -> None:
        self.priority = 0
        self.requires: list[bytes] = []
        self.provides: list[bytes] = []
        self.longevity = MAX_U64
        """The shortest that any of them has found."""
        self.propagate = True

    def validity(self) -> Validity:
        """All of it; priorities saturate."""
        return Validity(
            priority=self.priority if self.priority < MAX_U64 else MAX_U64,
            requires=self.requires,
            provides=self.provides,
            longevity=self.longevity,
            propagate=self.propagate,
        )


MAX_U64: Final = (1 << 64) - 1
