"""What the compute pallet stores about a job."""

from __future__ import annotations

from enum import IntEnum

from primitives.data import Policy, Windows
from primitives.job import FailReason, JobState, RejectReason
from primitives.scale import H256, U32, U64, U128, AccountId, Struct
from primitives.spec import TrainingSpec

OPEN = frozenset({JobState.Submitted, JobState.Accepted, JobState.Delivered})
"""States in which something of a job is held."""


class Role(IntEnum):
    """An account's part in a job."""

    Buyer = 0
    Provider = 1


class Order(Struct, path="pallet_compute::Order"):
    """What is to be done, as it was agreed at `submit`. Stored while the job is open; `Job.spec_hash`
    stays."""

    spec: TrainingSpec
    policy: Policy


class Job(Struct, path="pallet_compute::Job"):
    """One job and how far it has come.

    `model` is the sealed blob; `root` and `rows` are the dataset's version at submission. Times are in ms;
    `result_by` and `confirm_by` are 0 until the step before them is done. `submitted_at` is a block number.
    `beacon` is the parent hash of the block that accepted the job.
    """

    dataset: U32
    buyer: AccountId
    provider: AccountId
    model: H256
    root: H256
    rows: U64
    spec_hash: H256
    work: U64
    price: U128
    fee: U128
    rho: U64
    bond: U128
    seal_pk: H256
    state: JobState
    submitted_at: U32
    windows: Windows
    accept_by: U64
    result_by: U64
    confirm_by: U64
    beacon: H256 | None
    noise_commit: H256 | None
    sealed_hash: H256 | None
    sealed_len: U64
    commitment: H256 | None
    reject_reason: RejectReason | None
    fail_reason: FailReason | None

    def deadline(self) -> int:
        """The moment after which only `expire` moves the job on."""
        return {
            JobState.Submitted: self.accept_by,
            JobState.Accepted: self.result_by,
            JobState.Delivered: self.confirm_by,
        }[JobState(self.state)]
