"""A job executed again: does the provider's receipt say what its rows give?

A run is a pure function of model, specification, rows, beacon and, under differential privacy, noise key. Who
holds all of them — the provider, or an auditor to whom provider and buyer show their parts — gets the
receipt's numbers to the last bit, or knows which of them is wrong.
"""

from pathlib import Path

from client import jobs
from client.buyer import kept_order
from client.chain import Chain
from client.errors import InputError
from client.provider_file import read_provider_file
from client.provider_secret import read_secret
from executor import receipt
from executor.enclave import Enclave, Limits, Secrets
from executor.errors import ReceiptError
from executor.initialise import init_key
from primitives.files import read_at_most
from primitives.hashing import tagged
from primitives.job import Receipt, receipt_message, result_commitment
from primitives.keys import verify

FUEL_MAX = 2**62


def read_receipt(path: Path) -> Receipt:
    """The file that `gristmill job fetch --receipt` wrote. Raises ReceiptError, OSError."""
    data = read_at_most(path, receipt.RECEIPT_MAX)
    if data is None:
        raise ReceiptError("the file is too large for a job's receipt")
    return receipt.decoded(data)


def run_again(chain: Chain, number: int, signed: Receipt, directory: Path) -> receipt.Differences:
    """Train the job again on the rows of a provider's data directory; what the receipt says otherwise.

    The order is that of this machine's buyer (`client.buyer.kept_order`). Raises InputError NoResult,
    OrderUnknown and what a data directory raises; ReceiptError for a receipt that is not this job's, and for
    rows that are not; executor's errors.
    """
    job = jobs.read(chain, number)
    if job.commitment is None or job.beacon is None:
        raise InputError("NoResult", f"job {number} has no result; it is {job.state.name.lower()}")
    if result_commitment(signed) != job.commitment:
        raise ReceiptError(f"this is not the receipt that the provider of job {number} committed to on chain")
    if not verify(signed.scheme, signed.signature, receipt_message(signed), job.provider):
        raise ReceiptError("the receipt's signature is not the provider's")
    order, settings, secret = kept_order(job.spec_hash), read_provider_file(directory), read_secret(directory)
    rows = settings.dataset.source(secret.dataset)
    if rows.root != job.root:
        raise ReceiptError(f"the rows of {directory} are not those that job {number} was ordered for")
    noise = secret.noise(chain.genesis, number)
    limits = Limits(settings.limits.memory, FUEL_MAX, int(1000 * settings.limits.deadline))
    result = Enclave().train(
        order.model,
        rows,
        order.spec,
        limits,
        Secrets(noise_key=noise),
        init_key=init_key(job.beacon, number),
        losses=bool(signed.metrics),
    )
    commit = tagged("noise-commit", noise) if job.rho else None
    return receipt.differences(signed, result, order.spec, commit)
