"""Freezes and locks of the pallet `balances`: money that must stay in an account, for one or more reasons.

They overlap: what is frozen is the largest of all freezes and locks, and a freeze may be larger than the
balance. Rules, order and events are those of `substrate/frame/balances/src/{impl_fungible,impl_currency}.rs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from frame import Arithmetic, ArithmeticFailure, Token, TokenError
from pallets.balances.rules import MAX
from pallets.balances.types import BalanceLock, Freeze, Reasons
from primitives.scale import replace

if TYPE_CHECKING:
    from pallets.balances.pallet import Balances


def set_freeze(b: Balances, reason: bytes, who: bytes, amount: int) -> None:
    """Freeze exactly `amount` for a reason; nothing thaws it. TooManyFreezes."""
    kept = [freeze if freeze.id != reason else Freeze(id=reason, amount=amount) for freeze in b.freezes[who]]
    if amount and all(freeze.id != reason for freeze in kept):
        kept.append(Freeze(id=reason, amount=amount))
    kept = [freeze for freeze in kept if freeze.amount]
    if len(kept) > b.config.max_freezes:
        raise b.TooManyFreezes()
    before, after = _refreeze(b, who, kept, b.locks[who])
    if kept:
        b.freezes[who] = kept
    else:
        b.freezes.remove(who)
    if after > before:
        b.deposit(b.Frozen(who=who, amount=after - before))
    elif after < before:
        b.deposit(b.Thawed(who=who, amount=before - after))


def check_freezable(b: Balances, who: bytes, amount: int) -> None:
    """TokenError.FundsUnavailable unless the account holds as much as is to be frozen."""
    if amount > b.total_balance(who):
        raise TokenError(Token.FundsUnavailable)


def changed(frozen: int, change: int) -> int:
    """A frozen amount after a change. ArithmeticFailure: Underflow, Overflow."""
    if frozen + change < 0:
        raise ArithmeticFailure(Arithmetic.Underflow)
    if frozen + change > MAX:
        raise ArithmeticFailure(Arithmetic.Overflow)
    return frozen + change


def set_lock(b: Balances, identifier: bytes, who: bytes, amount: int, reasons: Reasons) -> None:
    """Lock exactly `amount` under an identifier, in the place it had; nothing unlocks it. TooManyConsumers;
    LiquidityRestrictions when there are `max_locks` others.
    """
    new = BalanceLock(id=identifier, amount=amount, reasons=reasons)
    kept = [lock if lock.id != identifier else new for lock in b.locks[who]]
    if all(lock.id != identifier for lock in kept):
        kept.append(new)
    kept = [lock for lock in kept if lock.amount]
    if len(kept) > b.config.max_locks:
        raise b.LiquidityRestrictions()
    before, after = _refreeze(b, who, b.freezes[who], kept)
    if kept:
        b.locks[who] = kept
    else:
        b.locks.remove(who)
    if after > before:
        b.deposit(b.Locked(who=who, amount=after - before))
    elif after < before:
        b.deposit(b.Unlocked(who=who, amount=before - after))


def extended(
    b: Balances, identifier: bytes, who: bytes, amount: int, reasons: Reasons
) -> tuple[int, Reasons]:
    """Amount and reasons of a lock that is at least the one there is."""
    for lock in b.locks[who]:
        if lock.id == identifier:
            wider = reasons if lock.reasons == reasons else Reasons.All
            return max(lock.amount, amount), wider
    return amount, reasons


def most_frozen(freezes: list[Freeze], locks: list[BalanceLock]) -> int:
    """What an account's balances record as frozen."""
    return max((0, *(freeze.amount for freeze in freezes), *(lock.amount for lock in locks)))


def _refreeze(b: Balances, who: bytes, freezes: list[Freeze], locks: list[BalanceLock]) -> tuple[int, int]:
    """Write what is frozen now; (before, after)."""
    info = b.system.account(who)
    before, after = info.data.frozen, most_frozen(freezes, locks)
    b._store(who, info, replace(info.data, frozen=after))
    return before, after
