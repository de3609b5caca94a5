"""The buyer's side of a job: quote, order, fetch, verify.

Models and specifications of own orders are kept in a private directory (`$GRISTMILL_ORDERS`, else
`~/.local/share/gristmill/orders`), by specification hash: the chain keeps the hash only, and the result is
checked against the very model that was ordered.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from client import blobs, datasets, jobs
from client.blobs import BlobInfo, Progress
from client.chain import Chain, Inclusion, Signer
from client.errors import ChainError, InputError
from client.files import private_directory, write_atomically
from client.keyring import Identity
from executor import receipt
from executor.enclave import Enclave
from primitives import job as rules
from primitives.data import BLOB_MAX, DatasetState
from primitives.job import Quote, ResultPackage
from primitives.keys import verify
from primitives.scale import decode, encode
from primitives.sealing import SealError, model_context, open_sealed, result_context, seal, sealed_length
from primitives.spec import TrainingSpec, check_columns, rho_nano

VARIABLE = "GRISTMILL_ORDERS"
QUOTE_MS = 10 * 60_000
"""How long a quote is meant to hold; the terms at submission decide, `max_price` protects the buyer.
"""


@dataclass(frozen=True)
class Order:
    """What a buyer keeps of an order."""

    model: bytes
    spec: TrainingSpec


@dataclass(frozen=True)
class Submitted:
    """A job that is on the chain."""

    job: int
    quote: Quote
    fee: int
    model_blob: bytes
    inclusion: Inclusion


@dataclass(frozen=True)
class Fetched:
    """A verified result and its plaintext bytes."""

    package: ResultPackage
    plaintext: bytes


def orders_directory() -> Path:
    """Where orders are kept."""
    told = os.environ.get(VARIABLE)
    return Path(told) if told else Path.home() / ".local" / "share" / "gristmill" / "orders"


def keep_order(order: Order) -> None:
    """Write an order down, before it is submitted."""
    home = private_directory(orders_directory())
    stem = order.spec.hash.hex()
    write_atomically(home / f"{stem}.onnx", order.model)
    write_atomically(home / f"{stem}.spec", encode(TrainingSpec, order.spec))


def kept_order(spec_hash: bytes) -> Order:
    """An order by its specification. Raises InputError OrderUnknown."""
    stem = orders_directory() / spec_hash.hex()
    model, spec = stem.with_suffix(".onnx"), stem.with_suffix(".spec")
    if not (model.exists() and spec.exists()):
        raise InputError("OrderUnknown", f"the order's model is not in {stem.parent}; was it made elsewhere?")
    return Order(model.read_bytes(), decode(TrainingSpec, spec.read_bytes()))


def quote(chain: Chain, dataset: int, model: bytes, spec: TrainingSpec) -> Quote:
    """What a job costs, before any run: a pure function of model, spec, row count and tariff.

    Raises InputError NotForRent; executor's errors for a model or spec that no enclave takes.
    """
    record = datasets.read(chain, dataset)
    terms = datasets.listing(chain, dataset)
    if terms is None or record.state != DatasetState.Active:
        raise InputError("NotForRent", f"dataset {dataset} is not for rent")
    check_columns(record.schema, spec)
    work = Enclave().quote(model, spec, record.rows, record.schema).work
    rho = rho_nano(spec)
    return Quote(
        spec_hash=spec.hash,
        dataset=dataset,
        rows=record.rows,
        numerics=spec.numerics,
        flops=work.flops,
        memory=work.memory,
        work=work.work,
        fuel=work.fuel,
        rho=rho,
        price=rules.price(terms.tariff, work.work, rho),
        expires=time.time_ns() // 1_000_000 + QUOTE_MS,
    )


def submit(
    chain: Chain,
    identity: Identity,
    order: Order,
    quoted: Quote,
    max_price: int | None = None,
    progress: Progress | None = None,
) -> Submitted:
    """Seal the model to the provider, put it on chain, order the job, at most at the quoted price or
    `max_price`.

    Raises InputError ModelTooLarge, TooExpensive, OwnDataset, CannotPay, before anything is paid;
    DatasetChanged where the job turned out to be for other rows, and was taken back; ChainError.
    """
    limit = quoted.price if max_price is None else max_price
    if quoted.price > limit:
        raise InputError("TooExpensive", f"the job costs {quoted.price}, more than {limit} (10⁻¹² GRIST)")
    if sealed_length(len(order.model)) > BLOB_MAX:
        raise InputError("ModelTooLarge", f"the sealed model would be over {BLOB_MAX} bytes")
    record = datasets.read(chain, quoted.dataset)
    if record.owner == identity.keypair.account_id:
        raise InputError(
            "OwnDataset", f"dataset {quoted.dataset} is your own; train on it with `gristmill train`"
        )
    if chain.free_balance(identity.keypair.account_id) < quoted.price + rules.fee(quoted.price):
        raise InputError("CannotPay", "the account's free balance does not cover the price and the fee")
    keep_order(order)
    signer = Signer(identity.keypair)
    context = model_context(quoted.dataset, identity.keypair.account_id)
    sealed = seal(record.seal_pk, context, chain.genesis, order.model)
    blob = blobs.publish(chain, signer, sealed, progress)
    number, inclusion = jobs.submit(
        chain,
        signer,
        dataset=quoted.dataset,
        model=blob,
        work=quoted.work,
        spec=order.spec,
        max_price=min(limit, 2**128 - 1),
        seal_pk=identity.seal_public,
    )
    job = jobs.read(chain, number)
    if (job.root, job.rows) != (record.root, quoted.rows):
        raise _withdrawn(chain, signer, number)
    event = inclusion.event("Compute", "Submitted")
    return Submitted(number, quoted, int(event["fee"]), blob, inclusion)


def _withdrawn(chain: Chain, signer: Signer, number: int) -> InputError:
    """Take back an order for other rows than were quoted: the provider updated the dataset just before. What
    is accepted already cannot be taken back."""
    try:
        jobs.cancel(chain, signer, number)
    except ChainError as error:
        what = f"and job {number} could not be cancelled: {error.name}"
    else:
        what = f"so job {number} was cancelled; price and fee are free again"
    return InputError("DatasetChanged", f"the dataset was updated while the order was on its way, {what}")


def reclaim(chain: Chain, identity: Identity) -> list[BlobInfo]:
    """Take back the deposits of own blobs that no open job needs any more."""
    now = chain.next_moment()
    taken = []
    for blob, found in blobs.owned(chain, identity.keypair.account_id):
        if blobs.removable(chain, found, now):
            blobs.remove(chain, Signer(identity.keypair), blob)
            taken.append(found)
    return taken


def fetch(chain: Chain, identity: Identity, number: int) -> Fetched:
    """Download, open, verify a result. InputError NotYourJob, NoResult, BadResult; ReceiptError.

    Checked: the blob's hash, the seal, the commitment on chain, and in the receipt genesis, job, dataset
    root, model hash, specification, numerics, provider, weights hash and signature; the graph is that of the
    ordered model.
    """
    job = jobs.read(chain, number)
    if job.buyer != identity.keypair.account_id:
        raise InputError("NotYourJob", f"job {number} was ordered by another account")
    if job.sealed_hash is None or job.commitment is None:
        raise InputError("NoResult", f"job {number} has no result; it is {job.state.name.lower()}")
    order = kept_order(job.spec_hash)
    sealed = blobs.fetch(chain, job.sealed_hash)
    try:
        plaintext = open_sealed(identity.seal_secret, result_context(number), chain.genesis, sealed)
    except SealError as error:
        raise InputError("BadResult", f"the result does not open: {error}") from None
    expected = receipt.Expected(
        genesis=chain.genesis,
        job=number,
        dataset_root=job.root,
        model_hash=rules.model_hash(order.model),
        spec_hash=job.spec_hash,
        numerics=order.spec.numerics,
        provider=job.provider,
        noise_commit=job.noise_commit,
    )
    package = receipt.unpack(plaintext, order.model, expected, verify)
    if rules.result_commitment(package.receipt) != job.commitment:
        raise InputError("BadResult", "the receipt is not the one that the provider committed to on chain")
    return Fetched(package, plaintext)
