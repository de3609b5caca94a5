"""Datasets: the record of data that stay with their owner, and the privacy ledger of each.

State holds the schema, a salted Merkle root, sizes, the key to seal models to, and the policy; never a row.
An update is a new version under the same id and the same ledger, because privacy once spent stays spent.
Open jobs keep the root and the policy they were submitted under, so an update, a new policy or a close
never touches them.

Ledger: zCDP ρ adds up (Bun, Steinke 2016), in nano-ρ. `reserved` belongs to open jobs, `spent` to those that
ran.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from frame import Error, Event, Origin, Pallet, StorageMap, StorageValue, Weight, call, invariant
from frame.traits import Currency
from pallets.datasets.weights import Weights
from primitives.data import (
    COLUMNS_MAX,
    DataError,
    DatasetKind,
    DatasetState,
    Policy,
    Schema,
    check_schema,
    chunk_count,
)
from primitives.scale import H256, U32, U64, U128, AccountId, Struct, replace
from primitives.sealing import SealError, validate_public

F32_INFINITY = 0x7F80_0000
IDS = 2**32
VERSIONS = 2**32


class Dataset(Struct, path="pallet_datasets::Dataset"):
    """A dataset as everybody may know it. `version` counts updates; `deposit` is held until it is closed."""

    owner: AccountId
    kind: DatasetKind
    schema_hash: H256
    schema: Schema
    root: H256
    rows: U64
    chunks: U32
    seal_pk: H256
    policy: Policy
    state: DatasetState
    version: U32
    deposit: U128


class Budget(Struct, path="pallet_datasets::Budget"):
    """Nano-ρ reserved by open jobs and spent by jobs that ran, and how many jobs are open."""

    reserved: U64
    spent: U64
    open_jobs: U32


@dataclass(frozen=True)
class Config:
    """What the runtime decides.

    deposit: Held for the record, which its types bound to some 27 KiB, until the dataset is closed.
    """

    currency: Currency
    deposit: U128 = 500 * 10**9


class Datasets(Pallet[Config], weights=Weights):
    """Who holds which data, under what policy, and how much privacy is left."""

    datasets = StorageMap[U32, Dataset](doc="Every dataset, closed ones included.")
    next_dataset_id = StorageValue[U32](default=0, doc="The number of the next dataset.")
    ledger = StorageMap[U32, Budget](
        default=Budget(reserved=0, spent=0, open_jobs=0), doc="Privacy used by a dataset's jobs, in nano-ρ."
    )

    class HoldReason(IntEnum):
        """Why this pallet holds money."""

        Deposit = 0

    class Registered(Event):
        """Somebody committed to a dataset."""

        id: U32
        owner: AccountId
        root: H256

    class Updated(Event):
        """The dataset has a new version."""

        id: U32
        version: U32
        root: H256

    class PolicySet(Event):
        """The dataset's policy for new jobs changed."""

        id: U32

    class Closing(Event):
        """No new jobs; the dataset closes when its last open job ends."""

        id: U32

    class Closed(Event):
        """The dataset takes no jobs any more, and its deposit went back."""

        id: U32

    class StreamsUnsupported(Error):
        """Only datasets whose rows are all there can be registered."""

    class BadSchema(Error):
        """The schema breaks the rules: columns, names, shapes, or a chunk over 64 KiB."""

    class WrongChunks(Error):
        """The numbers of rows and chunks do not fit each other and the schema."""

    class BadSealKey(Error):
        """The key to seal to is the identity, no point, or not in its canonical encoding."""

    class BadPolicy(Error):
        """The policy allows no job at all: an empty menu, no epoch, or a rate range without a rate."""

    class CannotPayDeposit(Error):
        """The account lacks the free balance for the deposit."""

    class NoIdsLeft(Error):
        """All numbers are taken."""

    class NoSuchDataset(Error):
        """There is no dataset of that number."""

    class NotYourDataset(Error):
        """Only the owner of a dataset changes it."""

    class NotActive(Error):
        """The dataset is closing or closed."""

    @call(0, weight=lambda schema: Weights.register(len(schema.columns)))
    def register(
        self,
        origin: Origin,
        kind: DatasetKind,
        schema: Schema,
        root: H256,
        rows: U64,
        chunks: U32,
        seal_pk: H256,
        policy: Policy,
    ) -> None:
        """Commit to a dataset that stays with you; holds the deposit."""
        who = origin.signed()
        if kind != DatasetKind.Static:
            raise self.StreamsUnsupported()
        self._check_schema(schema)
        self._check_chunks(schema, rows, chunks)
        self._check_seal_key(seal_pk)
        self._check_policy(policy)
        if not self.config.currency.can_hold(self.reason(self.HoldReason.Deposit), who, self.config.deposit):
            raise self.CannotPayDeposit()
        id = self.next_dataset_id.get()
        if id + 1 == IDS:
            raise self.NoIdsLeft()

        self.config.currency.hold(self.reason(self.HoldReason.Deposit), who, self.config.deposit)
        self.next_dataset_id.put(id + 1)
        self.datasets[id] = Dataset(
            owner=who, kind=kind, schema_hash=schema.hash, schema=schema, root=root, rows=rows, chunks=chunks,
            seal_pk=seal_pk, policy=policy, state=DatasetState.Active, version=0, deposit=self.config.deposit,
        )  # fmt: skip
        self.deposit(self.Registered(id=id, owner=who, root=root))

    @call(1, weight=lambda: Weights.update(COLUMNS_MAX))
    def update(self, origin: Origin, id: U32, root: H256, rows: U64, chunks: U32) -> Weight:
        """Commit to a new version of the rows. Open jobs keep the version they were submitted for."""
        who = origin.signed()
        dataset = self._mine(id, who)
        if dataset.state != DatasetState.Active:
            raise self.NotActive()
        self._check_chunks(dataset.schema, rows, chunks)
        version = dataset.version + 1
        if version == VERSIONS:
            raise self.NoIdsLeft()

        self.datasets[id] = replace(dataset, root=root, rows=rows, chunks=chunks, version=version)
        self.deposit(self.Updated(id=id, version=version, root=root))
        return Weights.update(len(dataset.schema.columns))

    @call(2, weight=lambda: Weights.set_policy(COLUMNS_MAX))
    def set_policy(self, origin: Origin, id: U32, policy: Policy) -> Weight:
        """Set the policy for new jobs. Open jobs keep the one they were submitted under."""
        who = origin.signed()
        dataset = self._mine(id, who)
        if dataset.state != DatasetState.Active:
            raise self.NotActive()
        self._check_policy(policy)

        self.datasets[id] = replace(dataset, policy=policy)
        self.deposit(self.PolicySet(id=id))
        return Weights.set_policy(len(dataset.schema.columns))

    @call(3, weight=lambda: Weights.close(COLUMNS_MAX))
    def close(self, origin: Origin, id: U32) -> Weight:
        """Take no more jobs. With the last open job's end the dataset is closed and the deposit released."""
        who = origin.signed()
        dataset = self._mine(id, who)
        if dataset.state != DatasetState.Active:
            raise self.NotActive()

        if self.ledger[id].open_jobs:
            self.datasets[id] = replace(dataset, state=DatasetState.Closing)
            self.deposit(self.Closing(id=id))
        else:
            self._close(id, dataset)
        return Weights.close(len(dataset.schema.columns))

    # --- for other pallets ----------------------------------------------------------------------------

    def active(self, id: int) -> Dataset | None:
        """The dataset when it takes jobs."""
        dataset = self.datasets.get(id)
        return dataset if dataset is not None and dataset.state == DatasetState.Active else None

    def owner(self, id: int) -> bytes | None:
        """Who registered the dataset, closed or not."""
        dataset = self.datasets.get(id)
        return None if dataset is None else dataset.owner

    def columns(self, id: int) -> int:
        """The number of columns of a dataset's schema: what reading its record costs; 0 without one."""
        dataset = self.datasets.get(id)
        return 0 if dataset is None else len(dataset.schema.columns)

    def rho_left(self, id: int) -> int:
        """Nano-ρ that new jobs may still reserve; 0 when a new policy lowered the budget below what is
        used."""
        budget = self.ledger[id]
        return max(0, self.datasets[id].policy.rho_budget - budget.reserved - budget.spent)

    def open_job(self, id: int, rho: int) -> None:
        """A job begins: reserve its ρ. The caller has asked `active` and `rho_left`."""
        budget = self.ledger[id]
        self.ledger[id] = replace(budget, reserved=budget.reserved + rho, open_jobs=budget.open_jobs + 1)

    def spend(self, id: int, rho: int) -> None:
        """A job's weights left, or may have left: its reserved ρ is spent for good."""
        budget = self.ledger[id]
        self.ledger[id] = replace(budget, reserved=budget.reserved - rho, spent=budget.spent + rho)

    def end_job(self, id: int, unspent: int) -> None:
        """A job ended; `unspent` of its reserved ρ goes back. Closes a closing dataset with its last job."""
        budget = self.ledger[id]
        left = replace(budget, reserved=budget.reserved - unspent, open_jobs=budget.open_jobs - 1)
        self.ledger[id] = left
        dataset = self.datasets[id]
        if not left.open_jobs and dataset.state == DatasetState.Closing:
            self._close(id, dataset)

    def in_use(self, id: int) -> tuple[int, int]:
        """Nano-ρ reserved by open jobs, and how many jobs are open."""
        budget = self.ledger[id]
        return budget.reserved, budget.open_jobs

    # --- inside ---------------------------------------------------------------------------------------

    def _close(self, id: int, dataset: Dataset) -> None:
        self.config.currency.release(self.reason(self.HoldReason.Deposit), dataset.owner, dataset.deposit)
        self.datasets[id] = replace(dataset, state=DatasetState.Closed, deposit=0)
        self.deposit(self.Closed(id=id))

    def _mine(self, id: int, who: bytes) -> Dataset:
        dataset = self.datasets.get(id)
        if dataset is None:
            raise self.NoSuchDataset()
        if dataset.owner != who:
            raise self.NotYourDataset()
        return dataset

    def _check_schema(self, schema: Schema) -> None:
        try:
            check_schema(schema)
        except DataError:
            raise self.BadSchema() from None

    def _check_chunks(self, schema: Schema, rows: int, chunks: int) -> None:
        try:
            fits = chunk_count(schema, rows) == chunks
        except DataError:
            fits = False
        if not fits:
            raise self.WrongChunks()

    def _check_seal_key(self, public: bytes) -> None:
        try:
            validate_public(public)
        except SealError:
            raise self.BadSealKey() from None

    def _check_policy(self, policy: Policy) -> None:
        rates = 0 < policy.rate_min <= policy.rate_max < F32_INFINITY
        if not (rates and policy.losses and policy.optimizers and policy.epochs_max):
            raise self.BadPolicy()

    def held_deposits(self) -> Iterator[tuple[IntEnum, bytes, int]]:
        """The deposit of every dataset that is not closed."""
        for dataset in self.datasets.values():
            yield self.HoldReason.Deposit, dataset.owner, dataset.deposit

    def ledgers(self) -> Iterator[tuple[int, tuple[int, int]]]:
        """(id, what `in_use` says) of datasets in use; for checks of the state, never in a block."""
        for id in self.ledger:
            used = self.in_use(id)
            if used != (0, 0):
                yield id, used

    @invariant
    def ids_are_given_in_order(self) -> Iterator[str]:
        """No dataset has a number that is still to be given."""
        for id in self.datasets:
            if id >= self.next_dataset_id.get():
                yield f"dataset {id} is there, {self.next_dataset_id.get()} comes next"

    @invariant
    def ledgers_have_datasets(self) -> Iterator[str]:
        """Privacy is spent on datasets only, and reserved by open jobs only."""
        for id, budget in self.ledger.items():
            if id not in self.datasets:
                yield f"a ledger without dataset {id}"
            if budget.reserved and not budget.open_jobs:
                yield f"dataset {id}: {budget.reserved} nano-ρ are reserved by no job"

    @invariant
    def states_follow_the_jobs(self) -> Iterator[str]:
        """A closing dataset waits for jobs; a closed one has none, and no deposit."""
        for id, dataset in self.datasets.items():
            jobs = self.ledger[id].open_jobs
            if dataset.state == DatasetState.Closing and not jobs:
                yield f"dataset {id} is closing, with no job to wait for"
            if dataset.state == DatasetState.Closed and (jobs or dataset.deposit):
                yield f"dataset {id} is closed, with {jobs} jobs and a deposit of {dataset.deposit}"

    @invariant
    def commitments_fit_the_schema(self) -> Iterator[str]:
        """Schema hash and number of chunks are those of the schema and the rows."""
        for id, dataset in self.datasets.items():
            if dataset.schema_hash != dataset.schema.hash:
                yield f"dataset {id}: the schema's hash is another"
            if dataset.chunks != chunk_count(dataset.schema, dataset.rows):
                yield f"dataset {id}: {dataset.chunks} chunks do not fit {dataset.rows} rows"
