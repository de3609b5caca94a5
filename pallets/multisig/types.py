"""What the pallet `multisig` stores, with Substrate's paths (`substrate/frame/multisig/src/lib.rs`)."""

from __future__ import annotations

from typing import Annotated

from primitives.scale import U32, U128, AccountId, MaxLen, Struct

MAX_SIGNATORIES = 100


class Timepoint(Struct, path="pallet_multisig::Timepoint", params={"BlockNumber": U32}):
    """When an operation began: no two have the same."""

    height: U32
    index: U32


class Operation(
    Struct,
    path="pallet_multisig::Multisig",
    params={"BlockNumber": U32, "Balance": U128, "AccountId": AccountId, "MaxApprovals": None},
):
    """A call that waits for approvals; those it has are sorted."""

    when: Timepoint
    deposit: U128
    depositor: AccountId
    approvals: Annotated[list[AccountId], MaxLen(MAX_SIGNATORIES)]
