"""Rewards: an endowed pool pays, era by era, the owners of datasets whose jobs burned fees.

    budget(era)          = min(era_pool, ⌊0.9 · fees burned in the era⌋, what the pool has not promised)
    reward(era, dataset) = ⌊budget · the dataset's fees / the era's fees⌋  ≤  0.9 · the dataset's fees

So whoever hires herself burns more than she gets, however many names she uses. The budget of an era is
fixed by the first claim on it and set aside, so that no claim ever finds the pool empty; nothing runs in
hooks. Only usage that burned a fee counts: what broke Ocean's Data Farming (retired 2024) was usage that
cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from frame import (
    Error,
    Event,
    Origin,
    Pallet,
    StorageDoubleMap,
    StorageMap,
    StorageValue,
    Twox64Concat,
    Weight,
    call,
    invariant,
)
from frame.accounts import pallet_account
from frame.traits import Currency, Time
from pallets.rewards.weights import Weights
from primitives.data import COLUMNS_MAX
from primitives.job import fee
from primitives.scale import U32, U64, U128, AccountId, Struct, replace

DAY = 24 * 3_600_000
POOL = pallet_account(b"gm/rwrd\0")
PERCENT = 90
"""How much of the fees burned may come back."""
MAX_BALANCE = 2**128 - 1


class Era(Struct, path="pallet_rewards::Era"):
    """Fees burned in an era, those of them that are not claimed yet, and what is left of its budget once
    that is fixed."""

    fees: U128
    unclaimed: U128
    budget: U128 | None
    left: U128


class Datasets(Protocol):
    """What rewards ask about datasets."""

    def owner(self, id: int) -> bytes | None:
        """Who registered the dataset."""
        ...

    def columns(self, id: int) -> int:
        """The number of columns of its schema: what reading its record costs."""
        ...


@dataclass(frozen=True)
class Config:
    """What the runtime decides.

    era_ms: The length of an era.
    era_pool: The most that all datasets together get in an era.
    pool_account: Where rewards are paid from; nobody has its key.
    """

    currency: Currency
    time: Time
    datasets: Datasets
    era_ms: U64 = DAY
    era_pool: U128 = 100 * 10**12
    pool_account: AccountId = POOL


class Rewards(Pallet[Config], weights=Weights):
    """What the network pays to those whose data are used."""

    eras = StorageMap[U64, Era](
        hasher=Twox64Concat, doc="Eras in which fees were burned that are not all claimed yet."
    )
    fees = StorageDoubleMap[U64, U32, U128](
        hashers=(Twox64Concat, Twox64Concat),
        doc="Unclaimed: the fees that a dataset's jobs burned in an era.",
    )
    promised = StorageValue[U128](default=0, doc="What the pool has set aside for claims on past eras.")

    @dataclass
    class Genesis:
        """What the pool begins with."""

        pool: U128 = 0

    class Claimed(Event):
        """The owner of a dataset got its reward for an era."""

        era: U64
        dataset: U32
        owner: AccountId
        amount: U128

    class EraNotOver(Error):
        """Rewards are known when the era is over."""

    class NothingToClaim(Error):
        """No job of this dataset burned a fee in this era, or the reward is claimed already."""

    class PoolEmpty(Error):
        """The pool has nothing for this era; the claim stays."""

    class OwnerGone(Error):
        """The owner's account does not exist and so small a reward cannot make it; the claim stays."""

    @call(0, weight=lambda: Weights.claim(COLUMNS_MAX))
    def claim(self, origin: Origin, era: U64, dataset: U32) -> Weight:
        """Pay a dataset's reward for a past era to its owner, whoever you are; once."""
        origin.signed()
        if era >= self.era():
            raise self.EraNotOver()
        fees = self.fees.get(era, dataset)
        owner = self.config.datasets.owner(dataset)
        if not fees or owner is None:
            raise self.NothingToClaim()
        record = self._with_budget(self.eras[era])
        assert record.budget is not None
        reward = record.budget * fees // record.fees
        if not reward:
            raise self.PoolEmpty()
        if self.config.currency.total_balance(owner) + reward < self.config.currency.minimum_balance():
            raise self.OwnerGone()

        self._set_aside(era, record)
        self._pay(era, dataset, fees, reward)
        self.config.currency.transfer(self.config.pool_account, owner, reward, keep_alive=True)
        self.deposit(self.Claimed(era=era, dataset=dataset, owner=owner, amount=reward))
        return Weights.claim(self.config.datasets.columns(dataset))

    # --- for other pallets ----------------------------------------------------------------------------

    def fee(self, price: int) -> int:
        """The protocol's fee on a price."""
        return fee(price)

    def burned(self, dataset: int, amount: int) -> None:
        """A settled job of this dataset burned a fee. Never fails: the sums saturate."""
        era = self.era()
        record = self.eras.get(era) or Era(fees=0, unclaimed=0, budget=None, left=0)
        counted = min(amount, MAX_BALANCE - record.fees)
        self.eras[era] = replace(record, fees=record.fees + counted, unclaimed=record.unclaimed + counted)
        self.fees[era, dataset] = (self.fees.get(era, dataset) or 0) + counted

    # --- inside ---------------------------------------------------------------------------------------

    def era(self) -> int:
        """The number of the era that runs now."""
        return self.config.time.now() // self.config.era_ms

    def _reachable(self) -> int:
        """What the pool could pay and stay alive."""
        return self.config.currency.reducible_balance(self.config.pool_account, keep_alive=True)

    def _with_budget(self, record: Era) -> Era:
        """The era with its budget, which the first claim computes."""
        if record.budget is not None:
            return record
        free = self._reachable() - self.promised.get()
        budget = min(self.config.era_pool, record.fees * PERCENT // 100, max(0, free))
        return replace(record, budget=budget, left=budget)

    def _set_aside(self, era: int, record: Era) -> None:
        """Promise a budget that was just computed."""
        if self.eras[era].budget is None:
            self.promised.put(self.promised.get() + record.left)
            self.eras[era] = record

    def _pay(self, era: int, dataset: int, fees: int, reward: int) -> None:
        """Take a reward out of its era. The last claim drops the era and frees what rounding left."""
        record = self.eras[era]
        unclaimed, left = record.unclaimed - fees, record.left - reward
        self.fees.remove(era, dataset)
        if unclaimed:
            self.eras[era] = replace(record, unclaimed=unclaimed, left=left)
            self.promised.put(self.promised.get() - reward)
        else:
            self.eras.remove(era)
            self.promised.put(self.promised.get() - record.left)

    def build_genesis(self, genesis: Rewards.Genesis) -> None:
        """Endow the pool."""
        if genesis.pool:
            self.config.currency.mint_into(self.config.pool_account, genesis.pool)

    @invariant
    def fees_add_up(self) -> Iterator[str]:
        """The unclaimed fees of an era are those of its datasets."""
        found: dict[int, int] = {}
        for (era, _), fees in self.fees.items():
            found[era] = found.get(era, 0) + fees
        said = {era: record.unclaimed for era, record in self.eras.items()}
        for era in sorted(found.keys() | said.keys()):
            if found.get(era) != said.get(era):
                yield f"era {era}: datasets have {found.get(era)} to claim, the era says {said.get(era)}"

    @invariant
    def promises_add_up(self) -> Iterator[str]:
        """What the pool has promised is what is left of all budgets, and none is overdrawn."""
        left = sum(record.left for record in self.eras.values())
        if left != self.promised.get():
            yield f"{left} is left of the budgets, {self.promised.get()} is promised"
        for era, record in self.eras.items():
            if record.left > (record.budget or 0) or record.unclaimed > record.fees:
                yield f"era {era}: more is left than there was"

    @invariant
    def promises_are_covered(self) -> Iterator[str]:
        """The pool can pay what it has promised."""
        if self.promised.get() > self._reachable():
            yield f"{self.promised.get()} is promised, the pool can pay {self._reachable()}"
