"""Jobs as bytes: what one costs, its course, what a provider's policy says to it, and what the receipt says.

model_hash = H("gm/model" ‖ ONNX bytes)           commitment = H("gm/result" ‖ SCALE receipt)
price      = base + ⌈work·per_gwork/10⁹⌉ + ⌈ρ·per_rho/10⁹⌉
"""

from enum import IntEnum
from typing import Annotated, NamedTuple

from primitives.data import GivenWeights, Metric, OptimizerKind, Policy, Tariff, WithoutDp
from primitives.hashing import tagged
from primitives.scale import H256, U8, U16, U32, U64, U128, AccountId, FixedBytes, MaxLen, Struct, encode
from primitives.spec import LOSS_KINDS, Init, TrainingSpec, rate_bits

RECEIPT_VERSION = 1

WEIGHTS_MAX = 63 * 2**20
"""Largest `weights.onnx`: with its receipt and seal it fits a blob."""
GIGA = 10**9
FEE_PERCENT = 2


# --- the price ----------------------------------------------------------------------------------------------


class Work(Struct, path="gristmill_primitives::job::Work"):
    """Static cost of a run: float operations, bytes of linear memory, priced units, fuel for safety."""

    flops: U64
    memory: U64
    work: U64
    fuel: U64


class Quote(Struct, path="gristmill_primitives::job::Quote"):
    """What a run will cost: a pure function of (model, spec, rows, tariff). `expires` is a moment in ms."""

    spec_hash: H256
    dataset: U32
    rows: U64
    numerics: U16
    flops: U64
    memory: U64
    work: U64
    fuel: U64
    rho: U64
    price: U128
    expires: U64


def price(tariff: Tariff, work: int, rho: int) -> int:
    """`base + ⌈work·per_gwork/10⁹⌉ + ⌈rho·per_rho/10⁹⌉` in smallest units; callers refuse ≥ 2¹²⁸."""
    return tariff.base + -(-work * tariff.per_gwork // GIGA) + -(-rho * tariff.per_rho // GIGA)


def fee(amount: int) -> int:
    """The protocol's fee on a price: 2 %, rounded up, paid on top and burned at settlement."""
    return -(-amount * FEE_PERCENT // 100)


# --- the course of a job ------------------------------------------------------------------------------------


class JobState(IntEnum):
    """States of a job; the last five are terminal."""

    __scale_path__ = "gristmill_primitives::job::JobState"

    Submitted = 0
    Accepted = 1
    Delivered = 2
    Settled = 3
    Cancelled = 4
    Rejected = 5
    Expired = 6
    Failed = 7


class RejectReason(IntEnum):
    """Why a provider refuses a job. An enum and never free text: a reason must not be able to carry data."""

    __scale_path__ = "gristmill_primitives::job::RejectReason"

    ModelMissing = 0
    ModelNotSealedToMe = 1
    ModelHashMismatch = 2
    ModelRefused = 3
    SpecRefused = 4
    WorkMismatch = 5
    TooMuchMemory = 6
    TooMuchWork = 7
    TooManyParameters = 8
    TooFewRows = 9
    DpRequired = 10
    DpUnavailable = 11
    GivenWeightsForbidden = 12
    PolicyForbids = 13
    DatasetUnavailable = 14
    Busy = 15


class FailReason(IntEnum):
    """Why a provider gives an accepted job up."""

    __scale_path__ = "gristmill_primitives::job::FailReason"

    Executor = 0
    OutOfFuel = 1
    OutOfMemory = 2
    Deadline = 3
    NotFinite = 4
    DatasetUnavailable = 5
    ResultTooLarge = 6
    Provider = 7


class Outcome(IntEnum):
    """One-bit status of a finished run: `Diverged` when a weight is not a finite number."""

    __scale_path__ = "gristmill_primitives::job::Outcome"

    Completed = 0
    Diverged = 1


# --- the provider's policy, judged --------------------------------------------------------------------------


class PolicyRule(NamedTuple):
    """One rule of a policy, judged for one job."""

    name: str
    holds: bool
    reason: RejectReason


def policy_rules(policy: Policy, spec: TrainingSpec, buyer: bytes, rows: int) -> tuple[PolicyRule, ...]:
    """Every rule that can be judged without the model, in the order in which they are asked.

    `params_per_row_milli` is not among them: only who holds the model can count (`executor.admission`).
    """
    kind = OptimizerKind[type(spec.optimizer).__name__]
    rate = rate_bits(spec.optimizer)
    return (
        PolicyRule("differential privacy", _dp_allowed(policy, spec, buyer), RejectReason.DpRequired),
        PolicyRule("initial weights", init_allowed(policy, spec, buyer), RejectReason.GivenWeightsForbidden),
        PolicyRule("least rows", rows >= policy.min_rows, RejectReason.TooFewRows),
        PolicyRule("loss", _losses_allowed(policy, spec), RejectReason.PolicyForbids),
        PolicyRule("optimizer", kind in policy.optimizers, RejectReason.PolicyForbids),
        # Patterns of positive floats are ordered as the floats are, so no float arithmetic is needed. A
        # schedule only ever lowers the rate.
        PolicyRule("learning rate", policy.rate_min <= rate <= policy.rate_max, RejectReason.PolicyForbids),
        PolicyRule("epochs", spec.epochs <= policy.epochs_max, RejectReason.PolicyForbids),
    )


def policy_breach(policy: Policy, spec: TrainingSpec, buyer: bytes, rows: int) -> RejectReason | None:
    """Why `policy` forbids `buyer` this job, or None. The chain asks it at submit, the provider once more."""
    rules = policy_rules(policy, spec, buyer, rows)
    return next((rule.reason for rule in rules if not rule.holds), None)


def _dp_allowed(policy: Policy, spec: TrainingSpec, buyer: bytes) -> bool:
    if spec.dp is not None:
        return spec.dp.sigma_milli >= policy.sigma_min_milli
    rule = policy.without_dp
    return isinstance(rule, WithoutDp.Anyone) or (
        isinstance(rule, WithoutDp.Trusted) and buyer in rule.accounts
    )


def _losses_allowed(policy: Policy, spec: TrainingSpec) -> bool:
    return all(LOSS_KINDS[type(term.loss)] in policy.losses for term in spec.terms)


def init_allowed(policy: Policy, spec: TrainingSpec, buyer: bytes) -> bool:
    """Whether the policy lets this buyer begin from the weights that the spec says."""
    if not isinstance(spec.init, Init.Given):
        return True
    rule = policy.given_weights
    if isinstance(rule, GivenWeights.UnderDp):
        return spec.dp is not None
    return isinstance(rule, GivenWeights.Trusted) and buyer in rule.accounts


# --- the result ---------------------------------------------------------------------------------------------


class MetricValue(Struct, path="gristmill_primitives::job::MetricValue"):
    """A metric that the policy lets out, as a 32-bit float pattern."""

    metric: Metric
    value: U32


class Receipt(Struct, path="gristmill_primitives::job::Receipt"):
    """What a provider certifies about a run. It travels inside the sealed result; the chain sees its salted
    hash only.

    `signature` (of key type `scheme`: 0 ed25519, 1 sr25519, 2 ecdsa) is the provider's over
    `receipt_message`.
    """

    version: U8
    genesis: H256
    job: U32
    dataset_root: H256
    model_hash: H256
    spec_hash: H256
    module_hash: H256
    numerics: U16
    executor_version: Annotated[bytes, MaxLen(32)]
    weights_hash: H256
    steps: U64
    fuel: U64
    noise_commit: H256 | None
    metrics: Annotated[list[MetricValue], MaxLen(16)]
    outcome: Outcome
    salt: Annotated[bytes, FixedBytes(32)]
    provider: AccountId
    scheme: U8
    signature: Annotated[bytes, MaxLen(65)]


class ResultPackage(Struct, path="gristmill_primitives::job::ResultPackage"):
    """The plaintext of a sealed result: `weights.onnx` and its receipt. Nothing else leaves a provider."""

    weights: Annotated[bytes, MaxLen(WEIGHTS_MAX)]
    receipt: Receipt


def model_hash(model: bytes) -> bytes:
    """`H("gm/model" ‖ ONNX bytes)`."""
    return tagged("model", model)


def weights_hash(weights: bytes) -> bytes:
    """`H("gm/weights" ‖ bytes of weights.onnx)`; inside the receipt only, never public."""
    return tagged("weights", weights)


def receipt_message(receipt: Receipt) -> bytes:
    """What the provider signs: the hash of the receipt with an empty signature."""
    values = {name: getattr(receipt, name) for name in Receipt.__annotations__}
    return tagged("receipt", encode(Receipt, Receipt(**{**values, "signature": b""})))


def result_commitment(receipt: Receipt) -> bytes:
    """`H("gm/result" ‖ SCALE receipt)`; the receipt's salt keeps it from confirming guesses."""
    return tagged("result", encode(Receipt, receipt))
