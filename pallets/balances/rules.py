"""When money may move: pure rules over one account (`frame_support::traits::tokens`).

    frozen    a lower bound of free + reserved; held money counts towards it
    keep      the account keeps the existential deposit in its free balance

An account provides for its own existence while its free balance is at least the existential deposit (ED),
and is consumed by what is reserved or frozen. It can go only when nothing consumes it or another provider
stays.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from frame.accounts import AccountData, AccountInfo
from frame.errors import Arithmetic, ArithmeticFailure, Token, TokenError

MAX: Final = (1 << 128) - 1


class Keep(Enum):
    """What a withdrawal must leave (`Preservation`)."""

    NOTHING = 0
    """The account may go, unless it is needed."""
    LIFE = 1
    """The account must not go; another provider may keep it."""
    PROVIDER = 2
    """The existential deposit stays."""


def can_go(account: AccountInfo) -> bool:
    """Whether one provider may be taken from the account."""
    return account.consumers == 0 or account.providers > 1


def reducible(account: AccountInfo, ed: int, keep: Keep, force: bool = False) -> int:
    """The most that may leave the free balance; with `force` freezes do not count."""
    data = account.data
    free = data.free
    if keep is Keep.PROVIDER and not data.frozen:  # what is asked of whoever pays a fee
        return free - ed if free > ed else 0
    untouchable = 0 if force else data.frozen - data.reserved
    needed = (
        keep is Keep.PROVIDER
        or (keep is Keep.LIFE and free > 0 and account.providers == 1)
        or (keep is Keep.NOTHING and free > 0 and not can_go(account))
    )
    if needed and untouchable < ed:
        untouchable = ed
    if untouchable < 0:
        return free
    return free - untouchable if free > untouchable else 0


def leaves_life(data: AccountData, left: int, ed: int) -> bool:
    """Whether nothing is frozen and the existential deposit is among the `left` free money: then no rule
    stands against the withdrawal, whatever must be kept.
    """
    return left >= ed and not data.frozen


def check_withdrawal(account: AccountInfo, amount: int, ed: int, keep_alive: bool) -> None:
    """Raise TokenError unless `amount` may leave the free balance."""
    if not amount:
        return
    data = account.data
    left = data.free - amount
    if leaves_life(data, left, ed):
        return
    if left < 0:
        raise TokenError(Token.FundsUnavailable)
    if amount > reducible(account, ed, Keep.NOTHING):
        raise TokenError(Token.Frozen)
    if left < ed:
        if not can_go(account):
            raise TokenError(Token.OnlyProvider)
        if keep_alive:
            raise TokenError(Token.NotExpendable)
    if left + data.reserved < data.frozen:
        raise TokenError(Token.Frozen)


def check_deposit(data: AccountData, amount: int, ed: int) -> None:
    """Raise TokenError.BelowMinimum or ArithmeticFailure unless `amount` may be added to the free balance."""
    if not amount:
        return
    free = data.free + amount
    if free + data.reserved > MAX:
        raise ArithmeticFailure(Arithmetic.Overflow)
    if free < ed:
        raise TokenError(Token.BelowMinimum)


def with_reserved(data: AccountData, free: int, reserved: int) -> AccountData:
    """The same account with other free and reserved balances."""
    return AccountData(free=free, reserved=reserved, frozen=data.frozen, flags=data.flags)
