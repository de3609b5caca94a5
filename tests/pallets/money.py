"""A small chain with money, fees, sudo and batches, for the tests of those pallets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import pytest

from frame import DispatchError, Error, Origin, Pallet, Token, TokenError
from frame.extensions import standard
from frame.runtime import Runtime
from frame.testing import Externalities, externalities
from pallets.balances import Balances
from pallets.multisig import Multisig
from pallets.proxy import Proxy
from pallets.sudo import Sudo
from pallets.system import System
from pallets.transaction_payment import TransactionPayment
from pallets.utility import Utility
from primitives.extrinsic import MultiAddress
from runtime.proxy_rules import Rules

ED = 1_000
ALICE, BOB, CAROL, DAVE, EVE = (bytes([n]) * 32 for n in range(1, 6))
"""EVE has no account."""
ENDOWED = {ALICE: 1_000_000, BOB: 500_000, CAROL: 50_000, DAVE: ED}
ROOT = Origin.ROOT


class Keeper(Pallet[None]):
    """Some pallet with claims on people's money."""

    class HoldReason(IntEnum):
        """Why money is held."""

        Rent = 0
        Bond = 1

    class FreezeReason(IntEnum):
        """Why money is frozen."""

        Vote = 0
        Stake = 1


class Bank(Runtime, spec_name="bank", spec_version=1):
    """The runtime of these tests."""

    system = System(index=0)
    balances = Balances(index=2, existential_deposit=ED)
    transaction_payment = TransactionPayment(index=3, currency=balances, byte_fee=10)
    sudo = Sudo(index=4)
    utility = Utility(index=5, batched_calls_limit=5)
    multisig = Multisig(index=6, currency=balances, deposit_base=100, deposit_factor=10, max_signatories=4)
    proxy = Proxy(
        index=7,
        currency=balances,
        rules=Rules(),
        proxy_deposit_base=100,
        proxy_deposit_factor=10,
        announcement_deposit_base=50,
        announcement_deposit_factor=5,
        max_proxies=4,
        max_pending=2,
    )
    keeper = Keeper(index=9)

    extensions = standard(transaction_payment)


RENT, BOND = b"\x09\0", b"\x09\1"
VOTE, STAKE = b"\x09\0", b"\x09\1"


def bank() -> Externalities:
    """A fresh chain in block 1."""
    return externalities(
        Bank,
        {
            "balances": Balances.Genesis(balances=list(ENDOWED.items())),
            "sudo": Sudo.Genesis(key=ALICE),
        },
    )


def at(who: bytes) -> MultiAddress:
    """An account as calls name it."""
    return MultiAddress.Id(value=who)


def signed(who: bytes) -> Origin:
    """A call's sender."""
    return Origin.of(who)


@contextmanager
def refused(ext: Externalities, error: DispatchError | type[Error] | Token) -> Iterator[None]:
    """What happens inside fails with `error`, and the state root is as before."""
    before = ext.root()
    with pytest.raises(DispatchError) as caught:
        yield
    if isinstance(error, Token):
        error = TokenError(error)
    if isinstance(error, type):
        assert type(caught.value) is error, caught.value
    else:
        assert caught.value == error, caught.value
    assert ext.root() == before, "the failed call changed the state"
    ext.try_state()
