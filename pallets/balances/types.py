"""What the pallet `balances` stores, with Substrate's paths (`substrate/frame/balances/src/types.rs`)."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated

from frame.codecs import FreezeReason, Reason
from primitives.scale import U128, FixedBytes, Struct

LockIdentifier = Annotated[bytes, FixedBytes(8)]


class Reasons(IntEnum):
    """What a lock of the old kind keeps money from."""

    __scale_path__ = "pallet_balances::types::Reasons"

    Fee = 0
    Misc = 1
    All = 2


class BalanceLock(Struct, path="pallet_balances::types::BalanceLock", params={"Balance": U128}):
    """A lock of the old kind; freezes have taken their place."""

    id: LockIdentifier
    amount: U128
    reasons: Reasons


class ReserveData(
    Struct,
    path="pallet_balances::types::ReserveData",
    params={"ReserveIdentifier": LockIdentifier, "Balance": U128},
):
    """A named reserve; holds have taken their place."""

    id: LockIdentifier
    amount: U128


class Hold(
    Struct,
    path="frame_support::traits::tokens::misc::IdAmount",
    params={"Id": Reason, "Balance": U128},
):
    """An amount set aside for one reason."""

    id: Reason
    amount: U128


class Freeze(
    Struct,
    path="frame_support::traits::tokens::misc::IdAmount",
    params={"Id": FreezeReason, "Balance": U128},
):
    """An amount that must stay in the account for one reason."""

    id: FreezeReason
    amount: U128


class BalanceStatus(IntEnum):
    """Where repatriated money goes."""

    __scale_path__ = "frame_support::traits::tokens::misc::BalanceStatus"

    Free = 0
    Reserved = 1


class AdjustmentDirection(IntEnum):
    """Up or down."""

    __scale_path__ = "pallet_balances::types::AdjustmentDirection"

    Increase = 0
    Decrease = 1
