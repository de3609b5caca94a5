"""Jobs on the chain, typed: one record and one function a call."""

from dataclasses import dataclass

from client.chain import Chain, Inclusion, Signer
from client.errors import InputError
from primitives.data import Policy
from primitives.job import FailReason, JobState, RejectReason
from primitives.scale import H256, U32, U64, U128, AccountId
from primitives.spec import TrainingSpec

OPEN = {JobState.Submitted, JobState.Accepted, JobState.Delivered}


@dataclass(frozen=True)
class Job:
    """A job as the chain has it. `model` is the sealed model's blob; moments in ms, 0 when not yet set.

    `root` and `rows` are the dataset's at submission.
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

    @property
    def is_open(self) -> bool:
        """Whether money or privacy is still held for it."""
        return self.state in OPEN

    @property
    def deadline(self) -> int:
        """The moment after which anyone may `expire` it; 0 in terminal states."""
        moments = {
            JobState.Submitted: self.accept_by,
            JobState.Accepted: self.result_by,
            JobState.Delivered: self.confirm_by,
        }
        return moments.get(self.state, 0)


@dataclass(frozen=True)
class Order:
    """What a job asks for, and the dataset's policy at submission; there while the job is open."""

    spec: TrainingSpec
    policy: Policy


def order(chain: Chain, job: int) -> Order | None:
    """An open job's order, None when the job has ended."""
    return chain.record(Order, "Compute", "Orders", job)


def read(chain: Chain, job: int, at: bytes | None = None) -> Job:
    """A job. Raises InputError NoSuchJob."""
    found = chain.record(Job, "Compute", "Jobs", job, at=at)
    if found is None:
        raise InputError("NoSuchJob", f"the chain has no job {job}")
    return found


def every(chain: Chain) -> list[tuple[int, Job]]:
    """All jobs by number, open and ended."""
    found = chain.entries(Job, "Compute", "Jobs")
    return sorted(((int(keys[0]), job) for keys, job in found), key=lambda pair: pair[0])


def open_numbers(chain: Chain, account: bytes, at: bytes | None = None) -> list[int]:
    """Numbers of the open jobs that `account` is a party of."""
    return sorted(int(keys[-1]) for keys in chain.keys("Compute", "OpenJobs", account, at=at))


def submit(
    chain: Chain,
    signer: Signer,
    *,
    dataset: int,
    model: bytes,
    work: int,
    spec: TrainingSpec,
    max_price: int,
    seal_pk: bytes,
) -> tuple[int, Inclusion]:
    """Order a training; price and fee are held from the signer. (Job number, where it was included.)"""
    call = chain.call(
        "Compute",
        "submit",
        dataset=dataset,
        model=model,
        work=work,
        spec=spec,
        max_price=max_price,
        seal_pk=seal_pk,
    )
    inclusion = chain.submit(signer, call)
    return int(inclusion.event("Compute", "Submitted")["job"]), inclusion


def cancel(chain: Chain, signer: Signer, job: int) -> Inclusion:
    """Take an order back before it is accepted."""
    return chain.submit(signer, chain.call("Compute", "cancel", job=job))


def reject(chain: Chain, signer: Signer, job: int, reason: RejectReason) -> Inclusion:
    """Refuse an order."""
    return chain.submit(signer, chain.call("Compute", "reject", job=job, reason=reason))


def accept(chain: Chain, signer: Signer, job: int, noise_commit: bytes | None) -> Inclusion:
    """Promise a result; a bond is held from the provider."""
    return chain.submit(signer, chain.call("Compute", "accept", job=job, noise_commit=noise_commit))


def submit_result(
    chain: Chain, signer: Signer, job: int, *, sealed_hash: bytes, sealed_len: int, commitment: bytes
) -> Inclusion:
    """Deliver: the sealed result is on chain as a blob."""
    call = chain.call(
        "Compute",
        "submit_result",
        job=job,
        sealed_hash=sealed_hash,
        sealed_len=sealed_len,
        commitment=commitment,
    )
    return chain.submit(signer, call)


def fail(chain: Chain, signer: Signer, job: int, reason: FailReason) -> Inclusion:
    """Give an accepted job up."""
    return chain.submit(signer, chain.call("Compute", "fail", job=job, reason=reason))


def confirm(chain: Chain, signer: Signer, job: int) -> Inclusion:
    """The buyer is content: the provider is paid now."""
    return chain.submit(signer, chain.call("Compute", "confirm", job=job))


def expire(chain: Chain, signer: Signer, job: int) -> Inclusion:
    """End a job whose deadline has passed; anyone may."""
    return chain.submit(signer, chain.call("Compute", "expire", job=job))
