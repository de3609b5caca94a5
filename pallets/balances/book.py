"""The book of the pallet `balances`: what moves free and held money, for calls and for other pallets
(`substrate/frame/balances/src/impl_fungible.rs`).

Balances stand in `System.Account`. Laws, kept by `_store` alone:

* An account whose free balance reaches the existential deposit (ED) has one provider from here, one whose
reserved or frozen balance is above zero one consumer. So an account with held money cannot be reaped.
* Free money below the ED with nothing reserved is dust: it is burned, and the account forgets it.
* The total issuance is the sum of all free and reserved balances (a withdrawn fee is out of it until it is
refunded).
* `reserved` is the sum of the account's holds, `frozen` the largest of its freezes and locks.

Each public method does all it says or raises a DispatchError and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from frame import Arithmetic, ArithmeticFailure, Pallet, Token, TokenError
from frame.accounts import NO_DATA, AccountData, AccountInfo, with_free
from frame.traits import SystemPallet
from pallets.balances.declared import MAX_HOLDS, Declared
from pallets.balances.rules import (
    MAX,
    Keep,
    check_deposit,
    check_withdrawal,
    leaves_life,
    reducible,
    with_reserved,
)
from pallets.balances.types import Hold


class Book(Declared, partial=True):
    """Who has how much, and how it moves."""

    def connect(self, bound_pallets: Mapping[int, Pallet[Any]], system: SystemPallet) -> None:
        """What every transfer needs is at hand, and its events are recorded without objects."""
        super().connect(bound_pallets, system)
        self._account, self._issuance = system.account, self.total_issuance_value.get
        self._ed = self.config.existential_deposit
        self._change_free = system.change_free
        self._transferred: Callable[[bytes, bytes, int], None] = self.depositor(self.Transfer)
        self._withdrawn: Callable[[bytes, int], None] = self.depositor(self.Withdraw)

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

    def can_spend(self, account: AccountInfo, amount: int) -> bool:
        """Whether so much may leave the free balance, and the existential deposit stay."""
        data = account.data
        if data.free - amount >= self._ed and not data.frozen:
            return True
        return reducible(account, self._ed, Keep.PROVIDER) >= amount

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
        ed, account = self._ed, self._account
        giver = account(source)
        check_withdrawal(giver, amount, ed, keep_alive)
        taker = account(dest)
        check_deposit(taker.data, amount, ed)
        if source == dest:
            return
        self._store_free(source, giver, giver.data.free - amount)
        self._store_free(dest, taker, taker.data.free + amount)
        self._transferred(source, dest, amount)

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
        self._withdrawn(who, amount)

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

    def _store_free(self, who: bytes, info: AccountInfo, free: int) -> None:
        # Most of what moves: the account lives before and after, and nothing else follows from its balance.
        if info.data.free >= self._ed <= free:
            self._change_free(who, info, free)
        else:
            self._store(who, info, with_free(info.data, free))

    def _take(self, who: bytes, amount: int, keep: Keep) -> None:
        # Out of the free balance and out of the issuance.
        info, ed = self._account(who), self._ed
        data = info.data
        left = data.free - amount
        if not leaves_life(data, left, ed) and amount > reducible(info, ed, keep):
            raise TokenError(Token.FundsUnavailable)
        self.total_issuance_value.put(self._issuance() - amount)
        self._store_free(who, info, left)

    def _add(self, who: bytes, amount: int) -> None:
        # Into the free balance and into the issuance.
        info = self.system.account(who)
        issuance = self.total_issuance_value.get() + amount
        if issuance > MAX:
            raise ArithmeticFailure(Arithmetic.Overflow)
        check_deposit(info.data, amount, self.config.existential_deposit)
        self.total_issuance_value.put(issuance)
        self._store_free(who, info, info.data.free + amount)

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
