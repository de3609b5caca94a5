"""What the calls of the pallet balances weigh: each benchmark is the dearest way through its call."""

from __future__ import annotations

from collections.abc import Iterator

from frame.accounts import NEW_LOGIC
from frame.benchmarking import Bench, Linear, Measured, benchmark
from pallets.balances.pallet import Balances
from pallets.balances.types import AdjustmentDirection
from primitives.extrinsic import MultiAddress
from primitives.scale import replace


def _at(who: bytes) -> MultiAddress:
    return MultiAddress.Id(value=who)


def _funded(b: Bench[Balances], name: str, times: int = 10) -> bytes:
    who = b.signer(name)
    b.pallet.mint_into(who, b.pallet.minimum_balance() * times)
    return who


@benchmark()
def transfer_allow_death(b: Bench[Balances]) -> Iterator[Measured]:
    """The sender is reaped, the receiver created."""
    who, dest = _funded(b, "caller"), b.account("dest")
    amount = b.pallet.minimum_balance() * 9 + 1
    yield b.extrinsic(b.caller(), b.pallet.transfer_allow_death.new(_at(dest), amount))
    assert b.pallet.total_balance(who) == 0
    assert b.pallet.free_balance(dest) == amount


@benchmark()
def transfer_keep_alive(b: Bench[Balances]) -> Iterator[Measured]:
    """The receiver is created."""
    _funded(b, "caller")
    dest, amount = b.account("dest"), b.pallet.minimum_balance()
    yield b.extrinsic(b.caller(), b.pallet.transfer_keep_alive.new(_at(dest), amount))
    assert b.pallet.free_balance(dest) == amount


@benchmark()
def force_transfer(b: Bench[Balances]) -> Iterator[Measured]:
    """The sender is reaped, the receiver created."""
    who, dest = _funded(b, "caller"), b.account("dest")
    amount = b.pallet.minimum_balance() * 9 + 1
    yield b.extrinsic(b.root(), b.pallet.force_transfer.new(_at(who), _at(dest), amount))
    assert b.pallet.free_balance(dest) == amount


@benchmark()
def transfer_all(b: Bench[Balances]) -> Iterator[Measured]:
    """The sender is reaped, the receiver created."""
    who, dest = _funded(b, "caller"), b.account("dest")
    yield b.extrinsic(b.caller(), b.pallet.transfer_all.new(_at(dest), False))
    assert b.pallet.total_balance(who) == 0
    assert b.pallet.free_balance(dest) == b.pallet.minimum_balance() * 10


@benchmark()
def force_unreserve(b: Bench[Balances]) -> Iterator[Measured]:
    """All of the old reserve."""
    who, amount = _funded(b, "caller"), b.pallet.minimum_balance()
    system = b.pallet.system
    data = system.account(who).data
    system.set_account_data(who, replace(data, free=data.free - amount, reserved=amount))
    system.inc_consumers(who)
    yield b.extrinsic(b.root(), b.pallet.force_unreserve.new(_at(who), amount))
    assert system.account(who).data.reserved == 0


@benchmark(who=Linear(1, 1000))
def upgrade_accounts(b: Bench[Balances], who: int) -> Iterator[Measured]:
    """`who` accounts of the old kind with something reserved."""
    system = b.pallet.system
    accounts = [b.account("old", number) for number in range(who)]
    for old in accounts:
        b.pallet.mint_into(old, b.pallet.minimum_balance())
        system.set_account_data(old, replace(system.account(old).data, flags=0))
    yield b.extrinsic(b.caller(), b.pallet.upgrade_accounts.new(accounts))
    assert all(system.account(old).data.flags == NEW_LOGIC for old in accounts)


@benchmark()
def force_set_balance_creating(b: Bench[Balances]) -> Iterator[Measured]:
    """A new account."""
    who, amount = b.account("new"), b.pallet.minimum_balance() * 10
    yield b.extrinsic(b.root(), b.pallet.force_set_balance.new(_at(who), amount))
    assert b.pallet.free_balance(who) == amount


@benchmark()
def force_set_balance_killing(b: Bench[Balances]) -> Iterator[Measured]:
    """The end of an account."""
    who = _funded(b, "caller")
    yield b.extrinsic(b.root(), b.pallet.force_set_balance.new(_at(who), 0))
    assert b.pallet.total_balance(who) == 0


@benchmark()
def force_adjust_total_issuance(b: Bench[Balances]) -> Iterator[Measured]:
    """Up."""
    before = b.pallet.total_issuance()
    yield b.extrinsic(b.root(), b.pallet.force_adjust_total_issuance.new(AdjustmentDirection.Increase, 1))
    assert b.pallet.total_issuance() == before + 1


@benchmark()
def burn_allow_death(b: Bench[Balances]) -> Iterator[Measured]:
    """The account is reaped."""
    who = _funded(b, "caller")
    yield b.extrinsic(b.caller(), b.pallet.burn.new(b.pallet.minimum_balance() * 9 + 1, False))
    assert b.pallet.total_balance(who) == 0


@benchmark()
def burn_keep_alive(b: Bench[Balances]) -> Iterator[Measured]:
    """A part of the balance."""
    who = _funded(b, "caller")
    yield b.extrinsic(b.caller(), b.pallet.burn.new(b.pallet.minimum_balance(), True))
    assert b.pallet.free_balance(who) == b.pallet.minimum_balance() * 9
