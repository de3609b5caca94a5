"""Transaction extensions, in Substrate's order."""

from __future__ import annotations

from frame.extensions.base import Extension
from frame.extensions.checks import (
    CheckGenesis,
    CheckMetadataHash,
    CheckMortality,
    CheckNonce,
    CheckNonZeroSender,
    CheckSpecVersion,
    CheckTxVersion,
    CheckWeight,
    MetadataHashMode,
    WeightReclaim,
)
from frame.extensions.payment import ChargeTransactionPayment, NoPayment
from frame.traits import FeePayment

__all__ = [
    "ChargeTransactionPayment",
    "CheckGenesis",
    "CheckMetadataHash",
    "CheckMortality",
    "CheckNonZeroSender",
    "CheckNonce",
    "CheckSpecVersion",
    "CheckTxVersion",
    "CheckWeight",
    "Extension",
    "MetadataHashMode",
    "NoPayment",
    "WeightReclaim",
    "standard",
]


def standard(payment: FeePayment | None = None) -> tuple[Extension, ...]:
    """The extensions of Substrate's solochain template; without `payment`, transactions are free."""
    return (
        CheckNonZeroSender(),
        CheckSpecVersion(),
        CheckTxVersion(),
        CheckGenesis(),
        CheckMortality(),
        CheckNonce(),
        CheckWeight(),
        NoPayment() if payment is None else ChargeTransactionPayment(payment),
        CheckMetadataHash(),
        WeightReclaim(),
    )
