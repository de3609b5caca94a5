"""What the calls of the pallet compute weigh.

`columns` are those of the dataset's schema, `trainable` the tensors that the specification names, `numbers`
those of its loss. Jobs have the longest specification and policy; where a job ends, its dataset closes too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from frame import RuntimeCall
from frame.benchmarking import Bench, Linear, Measured, benchmark
from pallets.compute.pallet import Compute
from primitives.data import (
    COLUMNS_MAX,
    DatasetKind,
    Tariff,
    Terms,
    Windows,
    blob_hash_of,
    piece_hash,
)
from primitives.job import FailReason, JobState, RejectReason
from primitives.largest import policy, schema, seal_key, spec
from primitives.spec import CLASSES_MAX, TRAINABLE_MAX

HOUR = 3_600_000
PRICE = 10**12
TERMS = Terms.Rent(
    tariff=Tariff(base=PRICE, per_gwork=1, per_rho=1),
    windows=Windows(accept_ms=HOUR, result_ms=HOUR, confirm_ms=HOUR),
)
MOST = 2**127


def _blob(b: Bench[Compute], owner: int, name: str) -> bytes:
    """A complete blob of one short piece."""
    blobs: Any = b.pallet.config.blobs
    data = b.unique(name)
    hashes = [piece_hash(0, data)]
    blob = blob_hash_of(len(data), hashes)
    blobs.declare(b.caller(owner), len(data), hashes)
    blobs.put(b.caller(owner), blob, 0, data)
    return blob


def _listed(b: Bench[Compute], columns: int) -> int:
    """A dataset for rent; its provider is the caller, and caller 1 may train on it."""
    provider, buyer = b.endow(b.signer()), b.endow(b.signer(number=1))
    assert provider != buyer
    datasets: Any = b.pallet.config.datasets
    escrow: Any = b.pallet.config.escrow
    number: int = datasets.next_dataset_id.get()
    datasets.register(
        b.caller(), DatasetKind.Static, schema(columns), bytes(32), 1_000, 1_000, seal_key(), policy(buyer)
    )
    escrow.list(b.caller(), number, TERMS)
    return number


def _order(
    b: Bench[Compute], dataset: int, columns: int, trainable: int, numbers: int = CLASSES_MAX
) -> RuntimeCall:
    model = _blob(b, 1, "model")
    return b.pallet.submit.new(dataset, model, 1, spec(trainable, columns, numbers), MOST, seal_key())


def _submitted(b: Bench[Compute], columns: int, *, closing: bool = True) -> int:
    dataset = _listed(b, columns)
    job = b.pallet.next_job_id.get()
    b.ext.dispatch(_order(b, dataset, columns, TRAINABLE_MAX), b.caller(1))
    if closing:
        datasets: Any = b.pallet.config.datasets
        datasets.close(b.caller(), dataset)
    return job


def _accepted(b: Bench[Compute], columns: int) -> int:
    job = _submitted(b, columns)
    b.next_block()
    b.pallet.accept(b.caller(), job, bytes(32))
    return job


def _delivered(b: Bench[Compute], columns: int) -> int:
    job = _accepted(b, columns)
    b.pallet.submit_result(b.caller(), job, _blob(b, 0, "result"), 32, bytes(32))
    return job


@benchmark(columns=Linear(1, COLUMNS_MAX), trainable=Linear(0, TRAINABLE_MAX), numbers=Linear(0, CLASSES_MAX))
def submit(b: Bench[Compute], columns: int, trainable: int, numbers: int) -> Iterator[Measured]:
    """Everything is checked, under a policy that trusts the buyer by name."""
    dataset = _listed(b, columns)
    job = b.pallet.next_job_id.get()
    yield b.extrinsic(b.caller(1), _order(b, dataset, columns, trainable, numbers))
    assert b.pallet.jobs[job].state == JobState.Submitted


@benchmark(columns=Linear(1, COLUMNS_MAX))
def cancel(b: Bench[Compute], columns: int) -> Iterator[Measured]:
    """The dataset closes with its last job."""
    job = _submitted(b, columns)
    yield b.extrinsic(b.caller(1), b.pallet.cancel.new(job))
    assert b.pallet.jobs[job].state == JobState.Cancelled


@benchmark(columns=Linear(1, COLUMNS_MAX))
def reject(b: Bench[Compute], columns: int) -> Iterator[Measured]:
    """The dataset closes with its last job."""
    job = _submitted(b, columns)
    yield b.extrinsic(b.caller(), b.pallet.reject.new(job, RejectReason.Busy))
    assert b.pallet.jobs[job].state == JobState.Rejected


@benchmark()
def accept(b: Bench[Compute]) -> Iterator[Measured]:
    """With a commitment to the noise."""
    job = _submitted(b, 1)
    b.next_block()
    yield b.extrinsic(b.caller(), b.pallet.accept.new(job, bytes(32)))
    assert b.pallet.jobs[job].state == JobState.Accepted


@benchmark()
def submit_result(b: Bench[Compute]) -> Iterator[Measured]:
    """A complete blob."""
    job = _accepted(b, 1)
    blob = _blob(b, 0, "result")
    yield b.extrinsic(b.caller(), b.pallet.submit_result.new(job, blob, 32, bytes(32)))
    assert b.pallet.jobs[job].state == JobState.Delivered


@benchmark(columns=Linear(1, COLUMNS_MAX))
def fail(b: Bench[Compute], columns: int) -> Iterator[Measured]:
    """The dataset closes with its last job."""
    job = _accepted(b, columns)
    yield b.extrinsic(b.caller(), b.pallet.fail.new(job, FailReason.Provider))
    assert b.pallet.jobs[job].state == JobState.Failed


@benchmark(columns=Linear(1, COLUMNS_MAX))
def confirm(b: Bench[Compute], columns: int) -> Iterator[Measured]:
    """The dataset closes with its last job."""
    job = _delivered(b, columns)
    yield b.extrinsic(b.caller(1), b.pallet.confirm.new(job))
    assert b.pallet.jobs[job].state == JobState.Settled


@benchmark(columns=Linear(1, COLUMNS_MAX))
def expire_unaccepted(b: Bench[Compute], columns: int) -> Iterator[Measured]:
    """Nobody took the job on."""
    job = _submitted(b, columns)
    b.next_block(HOUR + 1)
    yield b.extrinsic(b.caller(2), b.pallet.expire.new(job))
    assert b.pallet.jobs[job].state == JobState.Expired


@benchmark(columns=Linear(1, COLUMNS_MAX))
def expire_undelivered(b: Bench[Compute], columns: int) -> Iterator[Measured]:
    """No result came: a part of the bond goes to the buyer."""
    job = _accepted(b, columns)
    b.next_block(HOUR + 1)
    yield b.extrinsic(b.caller(2), b.pallet.expire.new(job))
    assert b.pallet.jobs[job].state == JobState.Expired


@benchmark(columns=Linear(1, COLUMNS_MAX))
def expire_unconfirmed(b: Bench[Compute], columns: int) -> Iterator[Measured]:
    """The buyer said nothing: the provider is paid."""
    job = _delivered(b, columns)
    b.next_block(HOUR + 1)
    yield b.extrinsic(b.caller(2), b.pallet.expire.new(job))
    assert b.pallet.jobs[job].state == JobState.Settled
