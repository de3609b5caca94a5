"""What the chain is made of. The indices are part of the chain's format and never change."""

from __future__ import annotations

from frame.extensions import standard
from frame.runtime import Runtime
from pallets.balances import Balances
from pallets.blobs import Blobs
from pallets.compute import Compute
from pallets.datasets import Datasets
from pallets.market import Market
from pallets.multisig import Multisig
from pallets.proxy import Proxy
from pallets.rewards import Rewards
from pallets.sudo import Sudo
from pallets.system import System
from pallets.timestamp import Timestamp
from pallets.transaction_payment import TransactionPayment
from pallets.utility import Utility
from runtime.apis import APIS
from runtime.constants import BLOCK_LENGTH, BLOCK_WEIGHTS, BYTE_FEE, MILLI, TOKEN, deposit
from runtime.proxy_rules import Rules


class GristmillRuntime(Runtime, spec_name="gristmill", spec_version=2, token=TOKEN):
    """The chain on which people share, sell and rent out data."""

    system = System(index=0, block_weights=BLOCK_WEIGHTS, block_length=BLOCK_LENGTH)
    timestamp = Timestamp(index=1)
    balances = Balances(index=2, existential_deposit=MILLI)
    transaction_payment = TransactionPayment(index=3, currency=balances, byte_fee=BYTE_FEE)
    sudo = Sudo(index=4)
    utility = Utility(index=5)
    multisig = Multisig(
        index=6, currency=balances, deposit_base=deposit(1, 88), deposit_factor=deposit(0, 32)
    )
    proxy = Proxy(
        index=7,
        currency=balances,
        rules=Rules(),
        proxy_deposit_base=deposit(1, 8),
        proxy_deposit_factor=deposit(0, 33),
        announcement_deposit_base=deposit(1, 8),
        announcement_deposit_factor=deposit(0, 66),
    )
    blobs = Blobs(index=9, currency=balances, time=timestamp)
    datasets = Datasets(index=10, currency=balances)
    rewards = Rewards(index=11, currency=balances, time=timestamp, datasets=datasets)
    market = Market(index=12, currency=balances, datasets=datasets)
    compute = Compute(
        index=13, escrow=market, datasets=datasets, blobs=blobs, rewards=rewards, time=timestamp
    )

    extensions = standard(transaction_payment)
    apis = APIS


def runtime() -> GristmillRuntime:
    """The runtime that a node runs. DeclarationError names the calls that have no weight."""
    made = GristmillRuntime()
    made.require_weights()
    return made
