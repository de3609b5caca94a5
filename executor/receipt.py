"""Receipts: what a provider certifies about a run, signed with the key of its account.

The receipt travels inside the sealed result. The chain sees only `result_commitment(receipt)`, salted, so
that nobody who guesses a row can check the guess.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from executor.enclave import EXECUTOR_VERSION, TrainResult
from executor.errors import ReceiptError
from executor.weights import check_same_graph
from primitives.data import Metric
from primitives.job import (
    RECEIPT_VERSION,
    MetricValue,
    Outcome,
    Receipt,
    ResultPackage,
    receipt_message,
    weights_hash,
)
from primitives.scale import ScaleError, decode, encode, replace
from primitives.spec import TrainingSpec, float_bits

RECEIPT_MAX = 4096
"""Bytes; the longest has less than a fifth of them."""

Sign = Callable[[bytes], bytes]
"""Signs a message with the provider's account key."""
Verify = Callable[[int, bytes, bytes, bytes], bool]
"""(scheme, signature, message, account) → whether it holds; `primitives.keys.verify`."""


@dataclass(frozen=True)
class Certifier:
    """Who certifies: account, public key's scheme (0 ed25519, 1 sr25519, 2 ecdsa) and a way to sign."""

    provider: bytes
    scheme: int
    sign: Sign = field(repr=False)


@dataclass(frozen=True)
class JobFacts:
    """What the receipt repeats from the chain. `metrics` are those that the provider's policy lets out."""

    genesis: bytes
    job: int
    dataset_root: bytes
    noise_commit: bytes | None = None
    metrics: Sequence[Metric] = ()


def build(
    result: TrainResult, spec: TrainingSpec, facts: JobFacts, salt: bytes, certifier: Certifier
) -> Receipt:
    """The signed receipt of a finished run; `salt` is 32 random bytes, kept for a retry."""
    unsigned = Receipt(
        version=RECEIPT_VERSION,
        genesis=facts.genesis,
        job=facts.job,
        dataset_root=facts.dataset_root,
        model_hash=spec.model_hash,
        spec_hash=spec.hash,
        module_hash=result.quoted.module_hash,
        numerics=spec.numerics,
        executor_version=EXECUTOR_VERSION,
        weights_hash=result.weights_hash,
        steps=result.steps,
        fuel=result.fuel,
        noise_commit=facts.noise_commit,
        metrics=[_metric(metric, result) for metric in facts.metrics],
        outcome=Outcome.Completed,
        salt=salt,
        provider=certifier.provider,
        scheme=certifier.scheme,
        signature=b"",
    )
    return replace(unsigned, signature=certifier.sign(receipt_message(unsigned)))


def _metric(metric: Metric, result: TrainResult) -> MetricValue:
    value = result.first_loss if metric == Metric.FirstEpochLoss else result.last_loss
    if value is None:
        raise ReceiptError("a metric was promised but the run was not asked for losses")
    return MetricValue(metric=metric, value=float_bits(value))


Differences = dict[str, tuple[object, object]]
"""Field of a receipt → (what it says, what was found)."""


def differences(
    signed: Receipt, result: TrainResult, spec: TrainingSpec, noise_commit: bytes | None
) -> Differences:
    """In what a receipt differs from a run of the same job. The program's version is no part: only the
    numbers count.
    """
    found = {
        "model_hash": spec.model_hash,
        "spec_hash": spec.hash,
        "numerics": spec.numerics,
        "module_hash": result.quoted.module_hash,
        "weights_hash": result.weights_hash,
        "steps": result.steps,
        "fuel": result.fuel,
        "noise_commit": noise_commit,
        "metrics": [_metric(item.metric, result) for item in signed.metrics],
    }
    said = {name: getattr(signed, name) for name in found}
    return {name: (said[name], found[name]) for name in found if said[name] != found[name]}


def decoded(data: bytes) -> Receipt:
    """A receipt's SCALE bytes. Raises ReceiptError."""
    if len(data) > RECEIPT_MAX:
        raise ReceiptError("the file is too large for a job's receipt")
    try:
        return decode(Receipt, data)
    except ScaleError as error:
        raise ReceiptError(f"the file is no job's receipt: {error}") from None


def pack(result: TrainResult, receipt: Receipt) -> bytes:
    """The plaintext that is sealed to the buyer."""
    return encode(ResultPackage, ResultPackage(weights=result.weights, receipt=receipt))


@dataclass(frozen=True)
class Expected:
    """What the buyer knows from the chain and its own files; every field must be found in the receipt."""

    genesis: bytes
    job: int
    dataset_root: bytes
    model_hash: bytes
    spec_hash: bytes
    numerics: int
    provider: bytes
    noise_commit: bytes | None = None


def unpack(data: bytes, model: bytes, expected: Expected, verify: Verify) -> ResultPackage:
    """Open and verify a package: fields, weights hash, signature, and that the graph is the submitted
    `model`'s. Raises ReceiptError naming what fails.
    """
    try:
        package = decode(ResultPackage, data)
    except ScaleError as error:
        raise ReceiptError(f"the result is no result package: {error}") from None
    receipt = package.receipt
    if receipt.version != RECEIPT_VERSION:
        raise ReceiptError(f"the receipt has version {receipt.version}, not {RECEIPT_VERSION}")
    for name in Expected.__dataclass_fields__:
        if getattr(receipt, name) != getattr(expected, name):
            raise ReceiptError(f"the receipt speaks of another {name.replace('_', ' ')}")
    if weights_hash(package.weights) != receipt.weights_hash:
        raise ReceiptError("the weights are not those that the receipt certifies")
    if not verify(receipt.scheme, receipt.signature, receipt_message(receipt), receipt.provider):
        raise ReceiptError("the receipt's signature is not the provider's")
    check_same_graph(model, package.weights)
    return package
