"""Accounts: nonces and references (`frame_system`'s `inc_providers` and its kin)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from frame import ConsumerRemaining, NoProviders, Pallet, TooManyConsumers
from frame.accounts import AccountData, AccountInfo, with_data, with_free
from frame.traits import SystemPallet
from frame.transaction import Invalid, InvalidTransaction
from pallets.system.declared import Declared
from primitives.scale import replace

MAX_CONSUMERS = 16
"""References that may need an account at a time, as in Substrate's solochain template."""


class Accounts(Declared, partial=True):
    """Who is there, what keeps them, what needs them."""

    def connect(self, bound_pallets: Mapping[int, Pallet[Any]], system: SystemPallet) -> None:
        super().connect(bound_pallets, system)
        # The same as the methods, without a step between: they run some ten times in every extrinsic.
        self.__dict__["account"] = self.account_info.read
        self.__dict__["set_account"] = self.account_info.store
        self.__dict__["change_data"] = self.account_info.changer("data")
        self.__dict__["change_free"] = self.account_info.changer("data", "free")
        self._change_nonce = self.account_info.changer("nonce")

    def account(self, who: bytes) -> AccountInfo:
        return self.account_info[who]

    def accounts(self) -> Iterator[tuple[bytes, AccountInfo]]:
        return self.account_info.items()

    def account_exists(self, who: bytes) -> bool:
        account = self.account_info[who]
        return account.providers > 0 or account.sufficients > 0

    def account_nonce(self, who: bytes) -> int:
        return self.account_info[who].nonce

    def use_account_nonce(self, who: bytes, nonce: int) -> None:
        account = self.account_info.read(who)
        if not account.providers and not account.sufficients:
            raise InvalidTransaction(Invalid.Payment)
        if nonce != account.nonce:
            raise InvalidTransaction(Invalid.Stale if nonce < account.nonce else Invalid.Future)
        self._change_nonce(who, account, nonce + 1)

    def set_account_data(self, who: bytes, data: AccountData) -> None:
        self.account_info[who] = with_data(self.account_info[who], data)

    def set_account(self, who: bytes, account: AccountInfo) -> None:
        self.account_info[who] = account

    def change_data(self, who: bytes, account: AccountInfo, data: AccountData) -> None:
        self.account_info[who] = with_data(account, data)

    def change_free(self, who: bytes, account: AccountInfo, free: int) -> None:
        self.account_info[who] = with_data(account, with_free(account.data, free))

    def providers(self, who: bytes) -> int:
        return self.account_info[who].providers

    def consumers(self, who: bytes) -> int:
        return self.account_info[who].consumers

    def inc_providers(self, who: bytes) -> bool:
        account = self.account_info[who]
        fresh = not account.providers and not account.sufficients
        self.account_info[who] = replace(account, providers=account.providers + 1)
        if fresh:
            self.deposit(self.NewAccount(account=who))
        return fresh

    def dec_providers(self, who: bytes) -> bool:
        account = self.account_info[who]
        if account.providers <= 1 and not account.sufficients:
            if account.consumers:
                raise ConsumerRemaining()
            self._kill(who)
            return True
        if account.providers == 1 and account.consumers:
            raise ConsumerRemaining()
        self.account_info[who] = replace(account, providers=max(account.providers - 1, 0))
        return False

    def inc_sufficients(self, who: bytes) -> bool:
        account = self.account_info[who]
        fresh = not account.providers and not account.sufficients
        self.account_info[who] = replace(account, sufficients=account.sufficients + 1)
        if fresh:
            self.deposit(self.NewAccount(account=who))
        return fresh

    def dec_sufficients(self, who: bytes) -> bool:
        account = self.account_info[who]
        if account.sufficients <= 1 and not account.providers:
            self._kill(who)
            return True
        self.account_info[who] = replace(account, sufficients=max(account.sufficients - 1, 0))
        return False

    def inc_consumers(self, who: bytes) -> None:
        account = self.account_info[who]
        if not account.providers:
            raise NoProviders()
        if account.consumers >= MAX_CONSUMERS:
            raise TooManyConsumers()
        self.account_info[who] = replace(account, consumers=account.consumers + 1)

    def dec_consumers(self, who: bytes) -> None:
        account = self.account_info[who]
        self.account_info[who] = replace(account, consumers=max(account.consumers - 1, 0))

    def can_dec_provider(self, who: bytes) -> bool:
        account = self.account_info[who]
        return account.consumers == 0 or account.providers > 1

    def can_inc_consumer(self, who: bytes) -> bool:
        account = self.account_info[who]
        return account.providers > 0 and account.consumers < MAX_CONSUMERS

    def _kill(self, who: bytes) -> None:
        self.account_info.remove(who)
        self.deposit(self.KilledAccount(account=who))
