"""What the pallet `balances` keeps and says: configuration, storage, events and errors, in Substrate's order
(`substrate/frame/balances/src/lib.rs`).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated

from frame import Error, Event, Pallet, Reason, StorageMap, StorageValue
from pallets.balances.types import BalanceLock, BalanceStatus, Freeze, Hold, ReserveData
from primitives.scale import U32, U128, AccountId, MaxLen

MAX_LOCKS = 50
MAX_RESERVES = 50
MAX_HOLDS = 50
MAX_FREEZES = 8


@dataclass(frozen=True)
class Config:
    """What the runtime decides.

    existential_deposit: The minimum amount required to keep an account open. Greater than zero.
    max_locks: The maximum number of locks of the old kind on an account.
    max_reserves: The maximum number of named reserves on an account; this chain makes none.
    max_freezes: The maximum number of freezes on an account.
    """

    existential_deposit: U128
    max_locks: U32 = MAX_LOCKS
    max_reserves: U32 = MAX_RESERVES
    max_freezes: U32 = MAX_FREEZES


class Declared(Pallet[Config], partial=True):
    """Storage, events and errors of `Balances`."""

    total_issuance_value = StorageValue[U128](
        default=0, name="TotalIssuance", doc="The total units issued in the system."
    )
    inactive_issuance = StorageValue[U128](default=0, doc="The part of the issuance that is out of use.")
    locks = StorageMap[AccountId, Annotated[list[BalanceLock], MaxLen(MAX_LOCKS)]](
        default=[], doc="Locks of the old kind; `Freezes` have taken their place."
    )
    reserves = StorageMap[AccountId, Annotated[list[ReserveData], MaxLen(MAX_RESERVES)]](
        default=[], doc="Named reserves. This chain makes none: see `Holds`."
    )
    holds = StorageMap[AccountId, Annotated[list[Hold], MaxLen(MAX_HOLDS)]](
        default=[], doc="What is held of an account's money, by reason."
    )
    freezes = StorageMap[AccountId, Annotated[list[Freeze], MaxLen(MAX_FREEZES)]](
        default=[], doc="What is frozen of an account's money, by reason."
    )

    @dataclass
    class Genesis:
        """Who has how much in block 0: each at least the existential deposit, no account twice."""

        balances: list[tuple[AccountId, U128]] = dataclasses.field(default_factory=list)

    # -- events, in Substrate's order --------------------------------------------

    class Endowed(Event):
        """An account came into being with some free money."""

        account: AccountId
        free_balance: U128

    class DustLost(Event):
        """An account was reaped with less than the existential deposit in it, which is lost."""

        account: AccountId
        amount: U128

    class Transfer(Event):
        """Money moved."""

        from_: AccountId
        to: AccountId
        amount: U128

    class BalanceSet(Event):
        """Root set a balance."""

        who: AccountId
        free: U128

    class Reserved(Event):
        """Money moved from free to reserved."""

        who: AccountId
        amount: U128

    class Unreserved(Event):
        """Money moved from reserved to free."""

        who: AccountId
        amount: U128

    class ReserveRepatriated(Event):
        """Reserved money moved to another account."""

        from_: AccountId
        to: AccountId
        amount: U128
        destination_status: BalanceStatus

    class Deposit(Event):
        """Money was put into an account (a refunded fee, say)."""

        who: AccountId
        amount: U128

    class Withdraw(Event):
        """Money was taken from an account (a fee, say)."""

        who: AccountId
        amount: U128

    class Slashed(Event):
        """Money was taken as a punishment."""

        who: AccountId
        amount: U128

    class Minted(Event):
        """Money was created in an account."""

        who: AccountId
        amount: U128

    class Burned(Event):
        """Money of an account was destroyed."""

        who: AccountId
        amount: U128

    class Suspended(Event):
        """Money was taken out of an account for a time."""

        who: AccountId
        amount: U128

    class Restored(Event):
        """Suspended money came back."""

        who: AccountId
        amount: U128

    class Upgraded(Event):
        """An account follows the new rules now."""

        who: AccountId

    class Issued(Event):
        """The total issuance grew."""

        amount: U128

    class Rescinded(Event):
        """The total issuance shrank."""

        amount: U128

    class Locked(Event):
        """Money was locked."""

        who: AccountId
        amount: U128

    class Unlocked(Event):
        """Money was unlocked."""

        who: AccountId
        amount: U128

    class Frozen(Event):
        """Money was frozen."""

        who: AccountId
        amount: U128

    class Thawed(Event):
        """Money was thawed."""

        who: AccountId
        amount: U128

    class TotalIssuanceForced(Event):
        """Root changed the total issuance."""

        old: U128
        new: U128

    class Held(Event):
        """Free money was set aside for a reason."""

        reason: Reason
        who: AccountId
        amount: U128

    class BurnedHeld(Event):
        """Held money was destroyed."""

        reason: Reason
        who: AccountId
        amount: U128

    class TransferOnHold(Event):
        """Held money moved to another account."""

        reason: Reason
        source: AccountId
        dest: AccountId
        amount: U128

    class TransferAndHold(Event):
        """Free money moved to another account and is held there."""

        reason: Reason
        source: AccountId
        dest: AccountId
        transferred: U128

    class Released(Event):
        """Held money is free again."""

        reason: Reason
        who: AccountId
        amount: U128

    # -- errors, in Substrate's order --------------------------------------------

    class VestingBalance(Error):
        """Too much is vesting to send this amount."""

    class LiquidityRestrictions(Error):
        """The account may not withdraw this amount."""

    class InsufficientBalance(Error):
        """The balance is too low to send this amount."""

    class ExistentialDeposit(Error):
        """The amount is too low to create an account."""

    class Expendability(Error):
        """The payment would kill the account."""

    class ExistingVestingSchedule(Error):
        """The account has a vesting schedule already."""

    class DeadAccount(Error):
        """The beneficiary does not exist."""

    class TooManyReserves(Error):
        """The account has too many named reserves."""

    class TooManyHolds(Error):
        """The account has holds for too many reasons."""

    class TooManyFreezes(Error):
        """The account has freezes for too many reasons."""

    class IssuanceDeactivated(Error):
        """The issuance cannot fall below its inactive part."""

    class DeltaZero(Error):
        """A change of nothing."""
