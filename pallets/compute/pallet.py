"""Compute: jobs that train a buyer's model next to a provider's rows, from submission to settlement.

    from       call · who                             to         money and privacy
    –          submit · buyer                         Submitted  price + fee held, ρ reserved
    Submitted  cancel · buyer                         Cancelled  all released, ρ back
    Submitted  reject · provider                      Rejected   all released, ρ back
    Submitted  expire · anyone after accept_by        Expired    all released, ρ back
    Submitted  accept · provider, in a later block    Accepted   bond held
    Accepted   submit_result · provider               Delivered  ρ spent
    Accepted   fail · provider                        Failed     all released, ρ spent
    Accepted   expire · anyone after result_by        Expired    refund, part of the bond to buyer, ρ spent
    Delivered  confirm · buyer                        Settled    price to the provider, fee burned, bond back
    Delivered  expire · anyone after confirm_by       Settled    as confirm

A step is on time while now ≤ its deadline; after that only `expire` moves the job, and before it is TooEarly.
Terms, policy, root and row count are those of the moment of `submit`. The chain cannot open the sealed model,
so the buyer declares the work; a provider whose own quote is higher rejects the job.

The escrow, the privacy ledger and the blobs come in as Protocols (`traits.py`). Whatever a step moves was
secured by an earlier one, so a step that passes its checks cannot fail because of the other party.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from frame import (
    Blake2_128Concat,
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
from frame.traits import Time
from pallets.compute.traits import BlobStore, DatasetRegistry, DatasetView, Escrow, FeeSink
from pallets.compute.types import OPEN, Job, Order, Role
from pallets.compute.weights import Weights
from primitives.data import COLUMNS_MAX, Terms
from primitives.job import FailReason, JobState, RejectReason, policy_breach, price
from primitives.scale import H256, U32, U64, U128, AccountId, replace
from primitives.sealing import SealError, validate_public
from primitives.spec import Init, SpecError, TrainingSpec, check_columns, check_spec, numbers_of, rho_nano

PERMILLE = 1_000
IDS = 2**32
MAX_BALANCE = 2**128 - 1


@dataclass(frozen=True)
class Config:
    """What the runtime decides.

    bond_permille: The provider's bond, in thousandths of the price; never below the existential deposit.
    slash_permille: The part of the bond that a buyer gets when no result came, in thousandths.
    """

    escrow: Escrow
    datasets: DatasetRegistry
    blobs: BlobStore
    rewards: FeeSink
    time: Time
    bond_permille: U32 = 100
    slash_permille: U32 = 500


class Compute(Pallet[Config], weights=Weights):
    """Jobs: training next to private data, from submission to settlement."""

    jobs = StorageMap[U32, Job](doc="Every job, terminal ones included.")
    orders = StorageMap[U32, Order](doc="What an open job is to do, and the policy it was submitted under.")
    open_jobs = StorageDoubleMap[AccountId, U32, Role](
        hashers=(Blake2_128Concat, Twox64Concat), doc="The open jobs of an account, and its part in each."
    )
    next_job_id = StorageValue[U32](default=0, doc="The number of the next job.")

    class Submitted(Event):
        """A buyer ordered a job; price and fee are held."""

        job: U32
        dataset: U32
        buyer: AccountId
        provider: AccountId
        price: U128
        fee: U128
        rho: U64

    class Cancelled(Event):
        """The buyer withdrew before the provider accepted."""

        job: U32

    class Rejected(Event):
        """The provider declined."""

        job: U32
        reason: RejectReason

    class Accepted(Event):
        """The provider put up a bond and owes a result by this moment."""

        job: U32
        bond: U128
        beacon: H256
        result_by: U64

    class Delivered(Event):
        """The sealed result is on the chain; the job settles at the latest after this moment."""

        job: U32
        sealed_hash: H256
        commitment: H256
        confirm_by: U64

    class Failed(Event):
        """The provider gave the job up in time."""

        job: U32
        reason: FailReason

    class Settled(Event):
        """The provider was paid and the fee burned."""

        job: U32
        provider: AccountId
        price: U128
        fee: U128

    class Expired(Event):
        """A deadline passed; `slashed` went from the provider's bond to the buyer."""

        job: U32
        slashed: U128

    class NoSuchJob(Error):
        """There is no job of that number."""

    class NotYourJob(Error):
        """Another party of the job has to do this."""

    class WrongState(Error):
        """The job is not in the state that this step begins from."""

    class TooLate(Error):
        """The deadline of this step has passed; the job can be expired."""

    class TooEarly(Error):
        """This step may be taken later: `accept` in a later block than `submit`, `expire` after the
        deadline."""

    class DatasetUnavailable(Error):
        """The dataset does not exist, or takes no jobs any more."""

    class NotListed(Error):
        """The dataset is not for rent."""

    class OwnDataset(Error):
        """Buyer and provider are the same account."""

    class BadSealKey(Error):
        """The key to seal to is the identity, no point, or not in its canonical encoding."""

    class UnknownVersion(Error):
        """The specification's version is not ours."""

    class UnknownNumerics(Error):
        """No provider computes in this order of float operations."""

    class BadBatch(Error):
        """Epochs, batch size and shards do not fit each other."""

    class BadRate(Error):
        """A rate, momentum, scale or a number of schedule or loss is out of range or not finite."""

    class BadName(Error):
        """A tensor or column name is empty, no UTF-8, or there twice."""

    class BadDp(Error):
        """The clip or the noise of the privacy section is out of range."""

    class UnknownColumn(Error):
        """The specification names a column that the dataset lacks."""

    class NoBaseModel(Error):
        """No base model of this hash is registered."""

    class DpRequired(Error):
        """The policy asks for differential privacy, or for more noise."""

    class GivenWeightsForbidden(Error):
        """The policy does not let this buyer bring initial weights."""

    class TooFewRows(Error):
        """The dataset has fewer rows than its policy asks for."""

    class PolicyForbids(Error):
        """The policy excludes this loss, optimizer, rate or number of epochs."""

    class PrivacyBudgetExceeded(Error):
        """The job costs more privacy than the dataset has left."""

    class NoWork(Error):
        """The declared work is zero."""

    class MaxPriceTooLow(Error):
        """The job costs more than the buyer's maximum."""

    class PriceTooLow(Error):
        """The price is below the existential deposit, so it could not be paid out."""

    class CannotPay(Error):
        """The buyer lacks the free balance for price and fee."""

    class CannotBond(Error):
        """The provider lacks the free balance for the bond."""

    class BlobMissing(Error):
        """No complete blob of this hash is on the chain."""

    class LengthMismatch(Error):
        """The blob has another length than the result claims."""

    class NoiseCommitMissing(Error):
        """A job with differential privacy is accepted with a commitment to the noise key."""

    class NoIdsLeft(Error):
        """All numbers are taken."""

    @call(0, weight=lambda spec: Weights.submit(COLUMNS_MAX, len(spec.trainable), numbers_of(spec.loss)))
    def submit(
        self,
        origin: Origin,
        dataset: U32,
        model: H256,
        work: U64,
        spec: TrainingSpec,
        max_price: U128,
        seal_pk: H256,
    ) -> Weight:
        """Order a job on a listed dataset. `model` is the sealed model's blob; the result will be sealed to
        `seal_pk`."""
        buyer = origin.signed()
        subject, rent = self._offer(dataset, buyer)
        self._check_seal_key(seal_pk)
        rho = self._check_spec(spec, subject, buyer)
        if rho > self.config.datasets.rho_left(dataset):
            raise self.PrivacyBudgetExceeded()
        if self.config.blobs.length(model) is None:
            raise self.BlobMissing()
        price, fee = self._price(rent, work, rho, max_price)
        if not self.config.escrow.can_pay(buyer, price + fee):
            raise self.CannotPay()
        job = self.next_job_id.get()
        if job + 1 == IDS:
            raise self.NoIdsLeft()

        self.next_job_id.put(job + 1)
        self.config.escrow.open(job, buyer, subject.owner, price, fee)
        self.config.datasets.open_job(dataset, rho)
        self.config.blobs.retain(model)
        self.jobs[job] = Job(
            dataset=dataset, buyer=buyer, provider=subject.owner, model=model, root=subject.root,
            rows=subject.rows, spec_hash=spec.hash, work=work, price=price, fee=fee, rho=rho,
            bond=self._bond_for(price), seal_pk=seal_pk, state=JobState.Submitted,
            submitted_at=self.block_number(), windows=rent.windows,
            accept_by=self.config.time.now() + rent.windows.accept_ms, result_by=0, confirm_by=0,
            beacon=None, noise_commit=None, sealed_hash=None, sealed_len=0, commitment=None,
            reject_reason=None, fail_reason=None,
        )  # fmt: skip
        self.orders[job] = Order(spec=spec, policy=subject.policy)
        self.open_jobs[buyer, job] = Role.Buyer
        self.open_jobs[subject.owner, job] = Role.Provider
        self.deposit(
            self.Submitted(
                job=job, dataset=dataset, buyer=buyer, provider=subject.owner, price=price, fee=fee, rho=rho
            )
        )
        return Weights.submit(len(subject.schema.columns), len(spec.trainable), numbers_of(spec.loss))

    @call(1, weight=lambda: Weights.cancel(COLUMNS_MAX))
    def cancel(self, origin: Origin, job: U32) -> Weight:
        """Withdraw a job that is not accepted yet; everything is released."""
        who = origin.signed()
        record = self._turn(job, who, Role.Buyer, JobState.Submitted)

        self.config.escrow.refund(job)
        self._end(job, record, JobState.Cancelled)
        self.deposit(self.Cancelled(job=job))
        return Weights.cancel(self._columns(record))

    @call(2, weight=lambda: Weights.reject(COLUMNS_MAX))
    def reject(self, origin: Origin, job: U32, reason: RejectReason) -> Weight:
        """Decline a job; everything is released."""
        who = origin.signed()
        record = self._turn(job, who, Role.Provider, JobState.Submitted)

        self.config.escrow.refund(job)
        self._end(job, replace(record, reject_reason=reason), JobState.Rejected)
        self.deposit(self.Rejected(job=job, reason=reason))
        return Weights.reject(self._columns(record))

    @call(3)
    def accept(self, origin: Origin, job: U32, noise_commit: H256 | None) -> None:
        """Take a job on and put up the bond. The parent hash becomes the beacon of its initial weights."""
        who = origin.signed()
        record = self._turn(job, who, Role.Provider, JobState.Submitted)
        if self.block_number() <= record.submitted_at:
            raise self.TooEarly()
        if noise_commit is None and record.rho:
            raise self.NoiseCommitMissing()
        if not self.config.escrow.can_bond(who, record.bond):
            raise self.CannotBond()

        beacon = self.parent_hash()
        result_by = self.config.time.now() + record.windows.result_ms
        self.config.escrow.bond(job, record.bond)
        self.jobs[job] = replace(
            record, state=JobState.Accepted, beacon=beacon, noise_commit=noise_commit, result_by=result_by
        )
        self.deposit(self.Accepted(job=job, bond=record.bond, beacon=beacon, result_by=result_by))

    @call(4)
    def submit_result(
        self, origin: Origin, job: U32, sealed_hash: H256, sealed_len: U64, commitment: H256
    ) -> None:
        """Deliver: the sealed result is a complete blob, and `commitment` binds the receipt inside it."""
        who = origin.signed()
        record = self._turn(job, who, Role.Provider, JobState.Accepted)
        length = self.config.blobs.length(sealed_hash)
        if length is None:
            raise self.BlobMissing()
        if length != sealed_len:
            raise self.LengthMismatch()

        confirm_by = self.config.time.now() + record.windows.confirm_ms
        self.config.blobs.retain(sealed_hash)
        self.config.datasets.spend(record.dataset, record.rho)
        self.jobs[job] = replace(
            record, state=JobState.Delivered, sealed_hash=sealed_hash, sealed_len=sealed_len,
            commitment=commitment, confirm_by=confirm_by,
        )  # fmt: skip
        self.deposit(
            self.Delivered(job=job, sealed_hash=sealed_hash, commitment=commitment, confirm_by=confirm_by)
        )

    @call(5, weight=lambda: Weights.fail(COLUMNS_MAX))
    def fail(self, origin: Origin, job: U32, reason: FailReason) -> Weight:
        """Give up an accepted job in time: money and bond go back, but its privacy counts as spent."""
        who = origin.signed()
        record = self._turn(job, who, Role.Provider, JobState.Accepted)

        self.config.escrow.refund(job)
        self._end(job, replace(record, fail_reason=reason), JobState.Failed)
        self.deposit(self.Failed(job=job, reason=reason))
        return Weights.fail(self._columns(record))

    @call(6, weight=lambda: Weights.confirm(COLUMNS_MAX))
    def confirm(self, origin: Origin, job: U32) -> Weight:
        """Accept the delivered result: the provider is paid."""
        who = origin.signed()
        record = self._turn(job, who, Role.Buyer, JobState.Delivered)

        self._settle(job, record)
        return Weights.confirm(self._columns(record))

    @call(
        7,
        weight=lambda: (
            Weights.expire_unaccepted(COLUMNS_MAX)
            .max(Weights.expire_undelivered(COLUMNS_MAX))
            .max(Weights.expire_unconfirmed(COLUMNS_MAX))
        ),
    )
    def expire(self, origin: Origin, job: U32) -> Weight:
        """Move a job on whose deadline has passed, whoever you are."""
        origin.signed()
        record = self._known(job)
        if record.state not in OPEN:
            raise self.WrongState()
        if self.config.time.now() <= record.deadline():
            raise self.TooEarly()

        if record.state == JobState.Delivered:
            self._settle(job, record)
            return Weights.expire_unconfirmed(self._columns(record))
        self._expire(job, record)
        if record.state == JobState.Accepted:
            return Weights.expire_undelivered(self._columns(record))
        return Weights.expire_unaccepted(self._columns(record))

    # --- checks ---------------------------------------------------------------------------------------

    def _known(self, job: int) -> Job:
        record = self.jobs.get(job)
        if record is None:
            raise self.NoSuchJob()
        return record

    def _turn(self, job: int, who: bytes, role: Role, state: JobState) -> Job:
        """The job, when it is this party's turn in this state and not too late."""
        record = self._known(job)
        if who != (record.buyer if role == Role.Buyer else record.provider):
            raise self.NotYourJob()
        if record.state != state:
            raise self.WrongState()
        if self.config.time.now() > record.deadline():
            raise self.TooLate()
        return record

    def _offer(self, dataset: int, buyer: bytes) -> tuple[DatasetView, Terms.Rent]:
        """The dataset and its terms, when this buyer may rent it."""
        subject = self.config.datasets.active(dataset)
        if subject is None:
            raise self.DatasetUnavailable()
        rent = self.config.escrow.rent(dataset)
        if rent is None:
            raise self.NotListed()
        if subject.owner == buyer:
            raise self.OwnDataset()
        return subject, rent

    def _check_seal_key(self, public: bytes) -> None:
        try:
            validate_public(public)
        except SealError:
            raise self.BadSealKey() from None

    def _check_spec(self, spec: TrainingSpec, subject: DatasetView, buyer: bytes) -> int:
        """Refuse what nobody can run or the policy forbids; returns the job's nano-ρ."""
        try:
            check_spec(spec)
            check_columns(subject.schema, spec)
            rho = rho_nano(spec)
        except SpecError as error:
            raise SPEC_ERRORS[error.name]() from None
        if isinstance(spec.init, Init.Registered):
            raise self.NoBaseModel()
        breach = policy_breach(subject.policy, spec, buyer, subject.rows)
        if breach is not None:
            raise BREACHES[breach]()
        return rho

    def _price(self, rent: Terms.Rent, work: int, rho: int, max_price: int) -> tuple[int, int]:
        """Price and fee, when the buyer agrees and both can be paid."""
        if not work:
            raise self.NoWork()
        amount = price(rent.tariff, work, rho)
        if amount > max_price:
            raise self.MaxPriceTooLow()
        if amount < self.config.escrow.minimum():
            raise self.PriceTooLow()
        fee = self.config.rewards.fee(amount)
        if amount + fee > MAX_BALANCE:
            raise self.CannotPay()
        return amount, fee

    def _bond_for(self, price: int) -> int:
        return max(self.config.escrow.minimum(), price * self.config.bond_permille // PERMILLE)

    def _columns(self, record: Job) -> int:
        return self.config.datasets.columns(record.dataset)

    # --- effects --------------------------------------------------------------------------------------

    def _settle(self, job: int, record: Job) -> None:
        self.config.escrow.settle(job)
        self.config.rewards.burned(record.dataset, record.fee)
        self._end(job, record, JobState.Settled)
        self.deposit(self.Settled(job=job, provider=record.provider, price=record.price, fee=record.fee))

    def _expire(self, job: int, record: Job) -> None:
        """Nobody took the job on, or nobody delivered."""
        slashed = 0
        if record.state == JobState.Accepted:
            slashed = record.bond * self.config.slash_permille // PERMILLE
            self.config.escrow.slash(job, slashed)
        else:
            self.config.escrow.refund(job)
        self._end(job, record, JobState.Expired)
        self.deposit(self.Expired(job=job, slashed=slashed))

    def _end(self, job: int, record: Job, state: JobState) -> None:
        """Enter a terminal state: let the blobs go, close the account with the privacy ledger, leave the
        indexes."""
        if record.state == JobState.Accepted:
            self.config.datasets.spend(record.dataset, record.rho)
        unspent = record.rho if record.state == JobState.Submitted else 0
        self.config.datasets.end_job(record.dataset, unspent)
        self.config.blobs.release(record.model)
        if record.sealed_hash is not None:
            self.config.blobs.release(record.sealed_hash, still_wanted=True)
        self.orders.remove(job)
        self.open_jobs.remove(record.buyer, job)
        self.open_jobs.remove(record.provider, job)
        self.jobs[job] = replace(record, state=state)

    def integrity_test(self) -> None:
        """The bond is not larger than what is slashed from it allows."""
        assert self.config.slash_permille <= PERMILLE, "more than the bond cannot be slashed"

    @invariant
    def ids_are_given_in_order(self) -> Iterator[str]:
        """No job has a number that is still to be given."""
        for job in self.jobs:
            if job >= self.next_job_id.get():
                yield f"job {job} is there, {self.next_job_id.get()} comes next"

    @invariant
    def open_jobs_have_order_and_deal(self) -> Iterator[str]:
        """What is to be done, and the money for it, are kept exactly while a job is open."""
        opened = {job for job, record in self.jobs.items() if record.state in OPEN}
        for what, found in (("orders", {*self.orders}), ("deals", {*self.config.escrow.open_deals()})):
            for job in sorted(found ^ opened):
                yield f"job {job}: open is {job in opened}, in {what} is {job in found}"

    @invariant
    def orders_are_what_was_agreed(self) -> Iterator[str]:
        """The specification of an open job is the one whose hash it carries."""
        for job, order in self.orders.items():
            record = self.jobs.get(job)
            if record is not None and order.spec.hash != record.spec_hash:
                yield f"job {job}: the order is another than was agreed"

    @invariant
    def the_index_holds_the_open_jobs(self) -> Iterator[str]:
        """Both parties of an open job find it under their accounts, and nothing else."""
        expected: dict[tuple[bytes, int], Role] = {}
        for job, record in self.jobs.items():
            if record.state in OPEN:
                expected[record.buyer, job] = Role.Buyer
                expected[record.provider, job] = Role.Provider
        found = dict(self.open_jobs.items())
        for who, job in sorted(expected.keys() | found.keys()):
            if expected.get((who, job)) != found.get((who, job)):
                yield f"job {job} of {who.hex()}: indexed as {found.get((who, job))}"

    @invariant
    def ledgers_reserve_what_jobs_may_cost(self) -> Iterator[str]:
        """A dataset's privacy ledger reserves the ρ of its open jobs, and counts them."""
        expected: dict[int, tuple[int, int]] = {}
        for record in self.jobs.values():
            if record.state in OPEN:
                reserved, count = expected.get(record.dataset, (0, 0))
                reserves = record.state in (JobState.Submitted, JobState.Accepted)
                expected[record.dataset] = reserved + record.rho * reserves, count + 1
        found = dict(self.config.datasets.ledgers())
        for dataset in sorted(expected.keys() | found.keys()):
            said, is_ = expected.get(dataset, (0, 0)), found.get(dataset, (0, 0))
            if said != is_:
                yield f"dataset {dataset}: (nano-ρ, jobs) in use are {said}, its ledger says {is_}"

    @invariant
    def blobs_of_open_jobs_are_retained(self) -> Iterator[str]:
        """A model or result is retained once for each open job that needs it, and for nothing else."""
        expected: dict[bytes, int] = {}
        for record in self.jobs.values():
            if record.state in OPEN:
                for blob in (record.model, record.sealed_hash):
                    if blob is not None:
                        expected[blob] = expected.get(blob, 0) + 1
        found = dict(self.config.blobs.retained())
        for blob in sorted(expected.keys() | found.keys()):
            if expected.get(blob, 0) != found.get(blob, 0):
                needed, times = expected.get(blob, 0), found.get(blob, 0)
                yield f"{blob.hex()}: {needed} jobs need it, it is retained {times} times"


SPEC_ERRORS: dict[str, type[Error]] = {
    name: getattr(Compute, name)
    for name in (
        "UnknownVersion",
        "UnknownNumerics",
        "BadBatch",
        "BadRate",
        "BadName",
        "BadDp",
        "UnknownColumn",
    )
} | {"BadSchedule": Compute.BadRate, "BadLoss": Compute.BadRate}
"""`SpecError.name` → the pallet's error of the same name; what is wrong with a schedule or a loss is one of
its numbers."""

BREACHES: dict[RejectReason, type[Error]] = {
    reason: getattr(Compute, reason.name)
    for reason in (
        RejectReason.DpRequired,
        RejectReason.GivenWeightsForbidden,
        RejectReason.TooFewRows,
        RejectReason.PolicyForbids,
    )
}
"""What `policy_breach` says → the pallet's error of the same name."""
