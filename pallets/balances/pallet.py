"""The pallet `balances` (`substrate/frame/balances/src/{lib,impl_fungible}.rs`).

Balances stand in `System.Account`. Laws, kept by `_store` alone:

* An account whose free balance reaches the existential deposit (ED) has one provider from here, one whose
reserved or frozen balance is above zero one consumer. So an account with held money cannot be reaped.
* Free money below the ED with nothing reserved is dust: it is burned, and the account forgets it.
* The total issuance is the sum of all free and reserved balances (a withdrawn fee is out of it until it is
refunded). * `reserved` is the sum of the account's holds, `frozen` the largest of its freezes and locks.

Each public method does all it says or raises a DispatchError and changes nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from frame import (
    Arithmetic,
    ArithmeticFailure,
    CannotLookup,
    Error,
    Event,
    Origin,
    Pallet,
    Pays,
    PostInfo,
    Reason,
    StorageMap,
    StorageValue,
    Token,
    TokenError,
    call,
    invariant,
)
from frame.accounts import NEW_LOGIC, NO_DATA, AccountData, AccountInfo, with_free
from pallets.balances import freezing
from pallets.balances.rules import (
    MAX,
    Keep,
    check_deposit,
    check_withdrawal,
    reducible,
    with_reserved,
)
from pallets.balances.types import (
    AdjustmentDirection,
    BalanceLock,
    BalanceStatus,
    Freeze,
    Hold,
    Reasons,
    ReserveData,
)
from pallets.balances.weights import Weights
from primitives.extrinsic import MultiAddress
from primitives.scale import U32, U128, AccountId, CompactU128, MaxLen, replace

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


class Balances(Pallet[Config], weights=Weights, storage_version=1):
    """Accounts and their money: transfers, holds, freezes, issuance."""

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

    # -- calls --------------------------------------------

    @call(0)
    def transfer_allow_death(self, origin: Origin, dest: MultiAddress, value: CompactU128) -> None:
        """Send free money. A sender left with less than the existential deposit is reaped."""
        self.transfer(origin.signed(), lookup(dest), value, keep_alive=False)

    @call(2)
    def force_transfer(
        self, origin: Origin, source: MultiAddress, dest: MultiAddress, value: CompactU128
    ) -> None:
        """Root sends the free money of any account."""
        origin.root()
        self.transfer(lookup(source), lookup(dest), value, keep_alive=False)

    @call(3)
    def transfer_keep_alive(self, origin: Origin, dest: MultiAddress, value: CompactU128) -> None:
        """Send free money, unless that would reap the sender."""
        self.transfer(origin.signed(), lookup(dest), value, keep_alive=True)

    @call(4)
    def transfer_all(self, origin: Origin, dest: MultiAddress, keep_alive: bool) -> None:
        """Send all free money that may leave; with `keep_alive` all but the existential deposit."""
        who = origin.signed()
        amount = self.reducible_balance(who, keep_alive)
        self.transfer(who, lookup(dest), amount, keep_alive)

    @call(5)
    def force_unreserve(self, origin: Origin, who: MultiAddress, amount: U128) -> None:
        """Root frees up to `amount` of what is reserved without a hold. Held money is not touched."""
        origin.root()
        account = lookup(who)
        info = self.system.account(account)
        data = info.data
        amount = min(amount, data.reserved - sum(hold.amount for hold in self.holds[account]))
        if amount > 0:
            self._store(account, info, with_reserved(data, data.free + amount, data.reserved - amount))
            self.deposit(self.Unreserved(who=account, amount=amount))

    @call(6)
    def upgrade_accounts(self, origin: Origin, who: list[AccountId]) -> PostInfo:
        """Bring accounts under the present rules; free of charge when at least nine in ten needed it."""
        origin.signed()
        upgraded = sum(self._upgrade(account) for account in who)
        return PostInfo(pays=Pays.No if who and upgraded * 10 >= len(who) * 9 else Pays.Yes)

    @call(8, weight=lambda: Weights.force_set_balance_creating().max(Weights.force_set_balance_killing()))
    def force_set_balance(self, origin: Origin, who: MultiAddress, new_free: CompactU128) -> None:
        """Root sets a free balance; less than the existential deposit means nothing."""
        origin.root()
        account = lookup(who)
        free = 0 if new_free < self.config.existential_deposit else new_free
        info = self.system.account(account)
        issuance = self.total_issuance_value.get() + free - info.data.free
        if issuance > MAX or free + info.data.reserved > MAX:
            raise ArithmeticFailure(Arithmetic.Overflow)
        self.total_issuance_value.put(issuance)
        self._store(account, info, with_free(info.data, free))
        self.deposit(self.BalanceSet(who=account, free=free))

    @call(9)
    def force_adjust_total_issuance(
        self, origin: Origin, direction: AdjustmentDirection, delta: CompactU128
    ) -> None:
        """Root changes the total issuance, within its range."""
        origin.root()
        if not delta:
            raise self.DeltaZero()
        old = self.total_issuance_value.get()
        new = min(old + delta, MAX) if direction == AdjustmentDirection.Increase else max(old - delta, 0)
        if self.inactive_issuance.get() > new:
            raise self.IssuanceDeactivated()
        self.total_issuance_value.put(new)
        self.deposit(self.TotalIssuanceForced(old=old, new=new))

    @call(
        10,
        weight=lambda keep_alive: Weights.burn_keep_alive() if keep_alive else Weights.burn_allow_death(),
    )
    def burn(self, origin: Origin, value: CompactU128, keep_alive: bool) -> None:
        """Destroy free money of the sender; the issuance falls by it."""
        self._burn(origin.signed(), value, Keep.PROVIDER if keep_alive else Keep.NOTHING)

    # -- Currency: looking --------------------------------------------

    def minimum_balance(self) -> int:
        """The existential deposit."""
        return self.config.existential_deposit

    def total_issuance(self) -> int:
        """All money there is."""
        return self.total_issuance_value.get()

    def free_balance(self, who: bytes) -> int:
        """What `who` has outside holds; part of it may be frozen."""
        return self.system.account(who).data.free

    def total_balance(self, who: bytes) -> int:
        """Free and held."""
        data = self.system.account(who).data
        return data.free + data.reserved

    def reducible_balance(self, who: bytes, keep_alive: bool) -> int:
        """The most that may leave the free balance; with `keep_alive` the existential deposit stays."""
        keep = Keep.PROVIDER if keep_alive else Keep.NOTHING
        return reducible(self.system.account(who), self.config.existential_deposit, keep)

    def held(self, reason: bytes, who: bytes) -> int:
        """How much of `who` is held for `reason`."""
        return next((hold.amount for hold in self.holds[who] if hold.id == reason), 0)

    def frozen(self, reason: bytes, who: bytes) -> int:
        """How much of `who` is frozen for `reason`."""
        return next((freeze.amount for freeze in self.freezes[who] if freeze.id == reason), 0)

    # -- Currency: free money --------------------------------------------

    def transfer(self, source: bytes, dest: bytes, amount: int, keep_alive: bool) -> None:
        """Move free money. Nothing happens, without an event, when source and destination are one account.

        TokenError: FundsUnavailable; Frozen; OnlyProvider (the source is needed); NotExpendable (it would
        go, against `keep_alive`); BelowMinimum (the destination would not live).
        """
        ed = self.config.existential_deposit
        system = self.system
        giver = system.account(source)
        check_withdrawal(giver, amount, ed, keep_alive)
        taker = system.account(dest)
        check_deposit(taker.data, amount, ed)
        if source == dest:
            return
        self._store(source, giver, with_free(giver.data, giver.data.free - amount))
        self._store(dest, taker, with_free(taker.data, taker.data.free + amount))
        self.deposit(self.Transfer(from_=source, to=dest, amount=amount))

    def mint_into(self, who: bytes, amount: int) -> None:
        """Create money in an account. TokenError.BelowMinimum, ArithmeticFailure.Overflow."""
        self._add(who, amount)
        self.deposit(self.Minted(who=who, amount=amount))

    def burn_from(self, who: bytes, amount: int) -> None:
        """Destroy free money. TokenError.FundsUnavailable."""
        self._burn(who, amount, Keep.NOTHING)

    def withdraw_fee(self, who: bytes, amount: int) -> None:
        """Take a fee, which leaves the issuance until it is refunded. TokenError.FundsUnavailable."""
        self._take(who, amount, Keep.PROVIDER)
        self.deposit(self.Withdraw(who=who, amount=amount))

    def deposit_fee(self, who: bytes, amount: int) -> None:
        """Give back the part of a fee that was not due."""
        if amount:
            self._add(who, amount)
            self.deposit(self.Deposit(who=who, amount=amount))

    # -- Currency: held money --------------------------------------------

    def can_hold(self, reason: bytes, who: bytes, amount: int) -> bool:
        """Whether `hold` would succeed."""
        return self._hold_error(reason, who, self.system.account(who), amount) is None

    def hold(self, reason: bytes, who: bytes, amount: int) -> None:
        """Set free money aside. Frozen money may be held too: it stays in the account.

        TokenError: FundsUnavailable; CannotCreateHold (no provider, too many reasons or too many consumers).
        """
        info = self.system.account(who)
        error = self._hold_error(reason, who, info, amount)
        if error is not None:
            raise TokenError(error)
        data = info.data
        self._store(who, info, with_reserved(data, data.free - amount, data.reserved + amount))
        self._change_hold(reason, who, amount)
        self.deposit(self.Held(reason=reason, who=who, amount=amount))

    def release(self, reason: bytes, who: bytes, amount: int, exact: bool = True) -> int:
        """Give held money back and return how much: `amount`, or with exact=False as much as is held.

        TokenError.FundsUnavailable when less is held.
        """
        amount = self._held_amount(reason, who, amount, exact)
        info = self.system.account(who)
        data = info.data
        self._store(who, info, with_reserved(data, data.free + amount, data.reserved - amount))
        self._change_hold(reason, who, -amount)
        if amount:
            self.deposit(self.Released(reason=reason, who=who, amount=amount))
        return amount

    def burn_held(self, reason: bytes, who: bytes, amount: int) -> int:
        """Destroy held money, frozen or not, and return the amount. TokenError.FundsUnavailable."""
        self._held_amount(reason, who, amount, exact=True)
        info = self.system.account(who)
        data = info.data
        self.total_issuance_value.put(self.total_issuance_value.get() - amount)
        self._store(who, info, with_reserved(data, data.free, data.reserved - amount))
        self._change_hold(reason, who, -amount)
        self.deposit(self.BurnedHeld(reason=reason, who=who, amount=amount))
        return amount

    def transfer_on_hold(
        self, reason: bytes, source: bytes, dest: bytes, amount: int, on_hold: bool = False
    ) -> int:
        """Move held money, frozen or not, to the free balance of `dest` or its hold for the same reason.

        TokenError: FundsUnavailable; BelowMinimum (the destination would not live); CannotCreateHold.
        """
        self._held_amount(reason, source, amount, exact=True)
        if source == dest:
            return amount if on_hold else self.release(reason, source, amount)
        taker = self.system.account(dest)
        if on_hold and (not taker.providers or not self._has_hold_room(reason, dest, taker)):
            raise TokenError(Token.CannotCreateHold)
        if not on_hold:
            check_deposit(taker.data, amount, self.config.existential_deposit)
        giver = self.system.account(source)
        self._store(source, giver, with_reserved(giver.data, giver.data.free, giver.data.reserved - amount))
        self._change_hold(reason, source, -amount)
        kept, free = (amount, 0) if on_hold else (0, amount)
        self._store(
            dest, taker, with_reserved(taker.data, taker.data.free + free, taker.data.reserved + kept)
        )
        if on_hold:
            self._change_hold(reason, dest, amount)
        self.deposit(self.TransferOnHold(reason=reason, source=source, dest=dest, amount=amount))
        return amount

    # -- freezes --------------------------------------------

    def freezable(self, who: bytes) -> int:
        """The most that can be frozen politely: all there is."""
        return self.total_balance(who)

    def can_freeze(self, reason: bytes, who: bytes) -> bool:
        """Whether there is room for a freeze for this reason."""
        freezes = self.freezes[who]
        return len(freezes) < self.config.max_freezes or any(freeze.id == reason for freeze in freezes)

    def set_freeze(self, reason: bytes, who: bytes, amount: int) -> None:
        """Keep `amount` (free and held together) in the account; 0 thaws. Error TooManyFreezes, and
        NoProviders."""
        freezing.set_freeze(self, reason, who, amount)

    def extend_freeze(self, reason: bytes, who: bytes, amount: int) -> None:
        """Keep at least `amount` in the account. Error as `set_freeze`."""
        if amount:
            freezing.set_freeze(self, reason, who, max(amount, self.frozen(reason, who)))

    def thaw(self, reason: bytes, who: bytes) -> None:
        """Forget the freeze for `reason`."""
        freezing.set_freeze(self, reason, who, 0)

    def set_frozen(self, reason: bytes, who: bytes, amount: int) -> None:
        """As `set_freeze`, of money that is there. TokenError.FundsUnavailable."""
        freezing.check_freezable(self, who, amount)
        freezing.set_freeze(self, reason, who, amount)

    def ensure_frozen(self, reason: bytes, who: bytes, amount: int) -> None:
        """As `extend_freeze`, of money that is there. TokenError.FundsUnavailable."""
        freezing.check_freezable(self, who, amount)
        self.extend_freeze(reason, who, amount)

    def increase_frozen(self, reason: bytes, who: bytes, amount: int) -> None:
        """Freeze so much more, of money that is there. TokenError.FundsUnavailable, Arithmetic.Overflow."""
        self.set_frozen(reason, who, freezing.changed(self.frozen(reason, who), amount))

    def decrease_frozen(self, reason: bytes, who: bytes, amount: int) -> None:
        """Freeze so much less. Arithmetic.Underflow when less is frozen."""
        freezing.set_freeze(self, reason, who, freezing.changed(self.frozen(reason, who), -amount))

    # -- locks of the old kind --------------------------------------------

    def set_lock(self, identifier: bytes, who: bytes, amount: int, reasons: Reasons = Reasons.All) -> None:
        """Lock `amount` under an 8-byte identifier; 0 removes the lock. Locks and freezes overlap."""
        freezing.set_lock(self, identifier, who, amount, reasons)

    def extend_lock(self, identifier: bytes, who: bytes, amount: int, reasons: Reasons = Reasons.All) -> None:
        """Lock at least `amount`, for these reasons and those it had."""
        if amount:
            freezing.set_lock(
                self, identifier, who, *freezing.extended(self, identifier, who, amount, reasons)
            )

    def remove_lock(self, identifier: bytes, who: bytes) -> None:
        """Forget the lock."""
        freezing.set_lock(self, identifier, who, 0, Reasons.All)

    # -- the book --------------------------------------------

    def _store(self, who: bytes, info: AccountInfo, data: AccountData) -> None:
        """Write new balances over those of `info`, with the references and the dust that follow from them."""
        old, system, ed = info.data, self.system, self.config.existential_deposit
        if old.free >= ed <= data.free and old.reserved == data.reserved and old.frozen == data.frozen:
            system.change_data(who, info, data)
            return
        provided, provides = old.free >= ed, data.free >= ed
        consumed, consumes = bool(old.reserved or old.frozen), bool(data.reserved or data.frozen)
        if provided == provides and consumed == consumes and (provides or consumes):
            system.change_data(who, info, data)
            return
        with self.transaction():
            if provides and not provided:
                system.inc_providers(who)
            if consumed and not consumes:
                system.dec_consumers(who)
            if consumes and not consumed:
                system.inc_consumers(who)
            if provided and not provides:
                system.dec_providers(who)
            dust = data.free if data.free < ed and not data.reserved else 0
            left = with_free(data, 0) if dust else data
            if system.account_exists(who):
                system.set_account_data(who, left)
            if old == NO_DATA and left != NO_DATA:
                self.deposit(self.Endowed(account=who, free_balance=data.free))
            if dust:
                self.total_issuance_value.put(self.total_issuance_value.get() - dust)
                self.deposit(self.DustLost(account=who, amount=dust))

    def _take(self, who: bytes, amount: int, keep: Keep) -> None:
        # Out of the free balance and out of the issuance.
        info = self.system.account(who)
        if amount > reducible(info, self.config.existential_deposit, keep):
            raise TokenError(Token.FundsUnavailable)
        self.total_issuance_value.put(self.total_issuance_value.get() - amount)
        self._store(who, info, with_free(info.data, info.data.free - amount))

    def _add(self, who: bytes, amount: int) -> None:
        # Into the free balance and into the issuance.
        info = self.system.account(who)
        issuance = self.total_issuance_value.get() + amount
        if issuance > MAX:
            raise ArithmeticFailure(Arithmetic.Overflow)
        check_deposit(info.data, amount, self.config.existential_deposit)
        self.total_issuance_value.put(issuance)
        self._store(who, info, with_free(info.data, info.data.free + amount))

    def _burn(self, who: bytes, amount: int, keep: Keep) -> None:
        self._take(who, amount, keep)
        self.deposit(self.Burned(who=who, amount=amount))

    def _hold_error(self, reason: bytes, who: bytes, info: AccountInfo, amount: int) -> Token | None:
        if not info.providers or not self._has_hold_room(reason, who, info):
            return Token.CannotCreateHold
        if amount > reducible(info, self.config.existential_deposit, Keep.LIFE, force=True):
            return Token.FundsUnavailable
        return None

    def _has_hold_room(self, reason: bytes, who: bytes, info: AccountInfo) -> bool:
        if not info.data.reserved and not info.data.frozen and not self.system.can_inc_consumer(who):
            return False
        holds = self.holds[who]
        return len(holds) < MAX_HOLDS or any(hold.id == reason for hold in holds)

    def _held_amount(self, reason: bytes, who: bytes, amount: int, exact: bool) -> int:
        held = self.held(reason, who)
        if amount <= held:
            return amount
        if exact:
            raise TokenError(Token.FundsUnavailable)
        return held

    def _change_hold(self, reason: bytes, who: bytes, change: int) -> None:
        holds = self.holds[who]
        before = next((hold.amount for hold in holds if hold.id == reason), 0)
        new = [hold for hold in holds if hold.id != reason]
        if before + change:
            place = next((i for i, hold in enumerate(holds) if hold.id == reason), len(new))
            new.insert(place, Hold(id=reason, amount=before + change))
        if new:
            self.holds[who] = new
        else:
            self.holds.remove(who)

    def _upgrade(self, who: bytes) -> bool:
        info = self.system.account(who)
        if info.data.flags & NEW_LOGIC or not self.system.account_exists(who):
            return False
        self.system.set_account_data(who, replace(info.data, flags=info.data.flags | NEW_LOGIC))
        if info.data.reserved and not info.data.frozen:
            self.system.inc_consumers(who)
        self.deposit(self.Upgraded(who=who))
        return True

    # -- genesis and checks --------------------------------------------

    def build_genesis(self, genesis: Genesis) -> None:
        """Write the first balances. ValueError names an account that is poor or named twice."""
        total = 0
        for who, free in genesis.balances:
            if free < self.config.existential_deposit:
                raise ValueError(f"{who.hex()}: {free} is below the existential deposit")
            info = self.system.account(who)
            if info.data != NO_DATA:
                raise ValueError(f"{who.hex()}: the account has two balances")
            self._store(who, info, with_free(NO_DATA, free))
            total += free
        self.total_issuance_value.put(total)

    def integrity_test(self) -> None:
        """The existential deposit is above zero and the bounds hold what metadata says."""
        assert self.config.existential_deposit > 0, "the existential deposit must be above zero"
        assert self.config.max_freezes <= MAX_FREEZES, f"at most {MAX_FREEZES} freezes fit the storage"

    def all_holds(self) -> Iterator[tuple[bytes, bytes, int]]:
        """(reason, account, amount) of every hold; for checks of the state, never in a block."""
        for who, holds in self.holds.items():
            for hold in holds:
                yield hold.id, who, hold.amount

    @invariant
    def issuance_is_the_sum(self) -> Iterator[str]:
        """The total issuance is the sum of all free and reserved balances."""
        found = sum(info.data.free + info.data.reserved for _, info in self.system.accounts())
        if found != self.total_issuance():
            yield f"{found} in accounts, {self.total_issuance()} issued"

    @invariant
    def inactive_issuance_is_a_part(self) -> Iterator[str]:
        """What is out of use was issued."""
        if self.inactive_issuance.get() > self.total_issuance():
            yield f"{self.inactive_issuance.get()} inactive of {self.total_issuance()}"

    @invariant
    def reserved_is_the_holds(self) -> Iterator[str]:
        """What is reserved of an account is the sum of its holds."""
        for who, info in self.system.accounts():
            held = sum(hold.amount for hold in self.holds[who])
            if info.data.reserved != held:
                yield f"{who.hex()}: {info.data.reserved} reserved is not the holds, {held}"

    @invariant
    def frozen_is_the_largest(self) -> Iterator[str]:
        """What is frozen of an account is the largest of its freezes and locks."""
        for who, info in self.system.accounts():
            most = freezing.most_frozen(self.freezes[who], self.locks[who])
            if info.data.frozen != most:
                yield (
                    f"{who.hex()}: {info.data.frozen} frozen is not the largest of its freezes and locks, "
                    f"{most}"
                )

    @invariant
    def money_has_a_provider(self) -> Iterator[str]:
        """An account with money is kept by somebody."""
        for who, info in self.system.accounts():
            if not info.providers and (info.data.free or info.data.reserved):
                yield f"{who.hex()}: money without provider"

    @invariant
    def reserved_money_has_a_consumer(self) -> Iterator[str]:
        """An account with held or frozen money cannot be reaped."""
        for who, info in self.system.accounts():
            if not info.consumers and (info.data.reserved or info.data.frozen):
                yield f"{who.hex()}: held without consumer"

    @invariant
    def no_dust(self) -> Iterator[str]:
        """No account holds less than the existential deposit and nothing else."""
        for who, info in self.system.accounts():
            if 0 < info.data.free < self.config.existential_deposit and not info.data.reserved:
                yield f"{who.hex()}: {info.data.free} is dust"

    @invariant
    def records_have_accounts(self) -> Iterator[str]:
        """Holds, freezes and locks belong to accounts; each reason is there once, with an amount."""
        for records in (self.holds, self.freezes, self.locks):
            for who, listed in records.items():
                if not self.system.account_exists(who):
                    yield f"{who.hex()}: holds, freezes or locks without account"
                if not listed or len({item.id for item in listed}) != len(listed):
                    yield f"{who.hex()}: a reason twice, or an empty list"
                if not all(item.amount for item in listed):
                    yield f"{who.hex()}: a hold, freeze or lock of nothing"


def lookup(address: MultiAddress) -> bytes:
    """The account of an address; CannotLookup for any form but `Id`."""
    if isinstance(address, MultiAddress.Id):
        return address.value
    raise CannotLookup()
