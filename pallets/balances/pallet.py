"""The pallet `balances` (`substrate/frame/balances/src/lib.rs`): its calls, freezes and locks. What moves
money stands in `pallets.balances.book`.
"""

from __future__ import annotations

from collections.abc import Iterator

from frame import (
    Arithmetic,
    ArithmeticFailure,
    CannotLookup,
    Origin,
    Pays,
    PostInfo,
    call,
    invariant,
)
from frame.accounts import NEW_LOGIC, NO_DATA, with_free
from pallets.balances import freezing
from pallets.balances.book import Book
from pallets.balances.declared import MAX_FREEZES, Config
from pallets.balances.rules import MAX, Keep, with_reserved
from pallets.balances.types import AdjustmentDirection, Reasons
from pallets.balances.weights import Weights
from primitives.extrinsic import MultiAddress
from primitives.scale import U128, AccountId, CompactU128, replace

__all__ = ["Balances", "Config", "lookup"]


class Balances(Book, weights=Weights, storage_version=1):
    """Accounts and their money: transfers, holds, freezes, issuance."""

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

    def _upgrade(self, who: bytes) -> bool:
        info = self.system.account(who)
        if info.data.flags & NEW_LOGIC or not self.system.account_exists(who):
            return False
        self.system.set_account_data(who, replace(info.data, flags=info.data.flags | NEW_LOGIC))
        if info.data.reserved and not info.data.frozen:
            self.system.inc_consumers(who)
        self.deposit(self.Upgraded(who=who))
        return True

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

    # -- genesis and checks --------------------------------------------

    def build_genesis(self, genesis: Book.Genesis) -> None:
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
