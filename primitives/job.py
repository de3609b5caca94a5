"""Jobs as bytes: what is trained and how, what it costs, and what the receipt says.

`TrainingSpec` is public and decides the run, down to the last bit, together with the model, the rows, the
beacon and the provider's `noise_key`. Real numbers in it are the 32-bit patterns of floats (`float_bits`,
`bits_float`).

    spec.hash  = H("gm/spec" ‖ SCALE spec)            model_hash = H("gm/model" ‖ ONNX bytes)
    commitment = H("gm/result" ‖ SCALE receipt)       price      = base + ⌈work·per_gwork/10⁹⌉ +
    ⌈ρ·per_rho/10⁹⌉

Errors: `SpecError(name, message)`.
"""

import struct
from enum import IntEnum
from typing import Annotated

from primitives.data import (
    DataError,
    GivenWeights,
    Loss,
    Metric,
    Name,
    OptimizerKind,
    Policy,
    Schema,
    Tariff,
    WithoutDp,
)
from primitives.hashing import tagged
from primitives.scale import (
    H256,
    U8,
    U16,
    U32,
    U64,
    U128,
    AccountId,
    Enum,
    FixedBytes,
    MaxLen,
    Struct,
    Variant,
    encode,
)

__all__ = [
    "NUMERICS",
    "RECEIPT_VERSION",
    "SPEC_VERSION",
    "Affine",
    "Dp",
    "FailReason",
    "Init",
    "InputMap",
    "JobState",
    "Loss",
    "Metric",
    "MetricValue",
    "OptimizerKind",
    "OptimizerSpec",
    "Outcome",
    "Quote",
    "Receipt",
    "RejectReason",
    "ResultPackage",
    "Schedule",
    "SpecError",
    "Target",
    "TrainingSpec",
    "Work",
    "bits_float",
    "check_columns",
    "check_spec",
    "fee",
    "float_bits",
    "model_hash",
    "policy_breach",
    "price",
    "receipt_message",
    "result_commitment",
    "rho_nano",
    "steps",
    "weights_hash",
]  # fmt: skip

NUMERICS = 2
"""The order of every float operation of a run. A change of any golden weight hash needs the next number.
2: convolutions of 3×3 with 16 channels or more by Winograd's filtering; the padded border of a gradient by an
image is no longer summed.
"""
SPEC_VERSION = 1
RECEIPT_VERSION = 1

INPUTS_MAX = 16
TRAINABLE_MAX = 256
TENSOR_NAME_MAX = 128
WEIGHTS_MAX = 63 * 2**20
"""Largest `weights.onnx`: with its receipt and seal it fits a blob."""
GIGA = 10**9
FEE_PERCENT = 2
F32_INFINITY = 0x7F80_0000
F32_ONE = 0x3F80_0000


class SpecError(ValueError):
    """A training specification that no provider can run. `name` is stable."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def float_bits(value: float) -> int:
    """The 32-bit pattern of `value` rounded to float32. Raises OverflowError beyond its range."""
    return int.from_bytes(struct.pack("<f", value), "little")


def bits_float(bits: int) -> float:
    """The float32 with this 32-bit pattern."""
    return float(struct.unpack("<f", bits.to_bytes(4, "little"))[0])


# --- the specification --------------------------------------------------------------------------------------

TensorName = Annotated[bytes, MaxLen(TENSOR_NAME_MAX)]
"""A tensor's name in the ONNX graph: UTF-8, 1 to 128 bytes."""


class Affine(Struct, path="gristmill_primitives::job::Affine"):
    """`x → (float32(x) − mean) · scale`, two rounded float32 operations; both numbers are 32-bit patterns."""

    mean: U32
    scale: U32


class InputMap(Struct, path="gristmill_primitives::job::InputMap"):
    """Feed a dataset column to a graph input."""

    column: Name
    tensor: TensorName
    affine: Affine | None


class Target(Struct, path="gristmill_primitives::job::Target"):
    """Compare a graph output (`tensor`) with a dataset column."""

    column: Name
    tensor: TensorName


class OptimizerSpec(Enum, path="gristmill_primitives::job::OptimizerSpec"):
    """The optimizer and its numbers, as 32-bit float patterns."""

    class Sgd(Variant, index=0):
        """v ← momentum·v + g;  w ← w − rate·v  (PyTorch's rule, no dampening, no Nesterov)."""

        rate: U32
        momentum: U32


class Schedule(Enum, path="gristmill_primitives::job::Schedule"):
    """How the learning rate moves over the run."""

    class Constant(Variant, index=0):
        """It does not."""


class Init(Enum, path="gristmill_primitives::job::Init"):
    """Where initial weights come from."""

    class Beacon(Variant, index=0):
        """Drawn anew from the parent hash of the block that accepted the job."""

    class Registered(Variant, index=1):
        """A base model registered on chain."""

        model: H256

    class Given(Variant, index=2):
        """As they are in the submitted model; subject to the policy's `given_weights`."""


class Dp(Struct, path="gristmill_primitives::job::Dp"):
    """Differentially private SGD: clip each gradient to clip_num/clip_den; noise multiplier × 1000."""

    clip_num: U64
    clip_den: U64
    sigma_milli: U32


class TrainingSpec(Struct, path="gristmill_primitives::job::TrainingSpec"):
    """Everything that decides a training run besides model, rows, beacon and noise key.

    `trainable` empty means every float initialiser of the graph. Each batch is cut into `shards` equal parts
    whose gradients are added in order, so the machine's core count never changes a bit.
    """

    version: U8
    numerics: U16
    model_hash: H256
    inputs: Annotated[list[InputMap], MaxLen(INPUTS_MAX)]
    target: Target
    loss: Loss
    optimizer: OptimizerSpec
    schedule: Schedule
    epochs: U16
    batch: U32
    seed: Annotated[bytes, FixedBytes(32)]
    init: Init
    trainable: Annotated[list[TensorName], MaxLen(TRAINABLE_MAX)]
    dp: Dp | None
    shuffle: bool
    shards: U8

    @property
    def hash(self) -> bytes:
        """`spec_hash = H("gm/spec" ‖ SCALE)`."""
        return tagged("spec", encode(TrainingSpec, self))


def check_spec(spec: TrainingSpec) -> None:
    """Refuse a specification that means nothing: SpecError UnknownVersion, UnknownNumerics, BadBatch,
    BadRate, BadName or BadDp.

    Needs neither model nor dataset, so a chain can ask it before any money is held.
    """
    if spec.version != SPEC_VERSION:
        raise SpecError("UnknownVersion", f"specification version {spec.version} is not {SPEC_VERSION}")
    if spec.numerics != NUMERICS:
        raise SpecError("UnknownNumerics", f"numerics {spec.numerics} is not {NUMERICS}")
    if spec.epochs < 1 or spec.batch < 1:
        raise SpecError("BadBatch", "a run has at least one epoch and one row a batch")
    if spec.shards < 1 or spec.batch % spec.shards:
        raise SpecError("BadBatch", "a batch is cut into equal shards, at least one")
    _check_names(spec)
    _check_optimizer(spec.optimizer)
    if spec.dp is not None and not (spec.dp.clip_num and spec.dp.clip_den and spec.dp.sigma_milli):
        raise SpecError("BadDp", "clip and sigma are above zero")
    rho_nano(spec)


def _check_names(spec: TrainingSpec) -> None:
    if not spec.inputs:
        raise SpecError("BadName", "a specification feeds at least one graph input")
    tensors = [item.tensor for item in spec.inputs]
    if len(set(tensors)) != len(tensors) or len(set(spec.trainable)) != len(spec.trainable):
        raise SpecError("BadName", "a tensor is named twice")
    for name in [
        *tensors,
        *spec.trainable,
        spec.target.tensor,
        spec.target.column,
        *(i.column for i in spec.inputs),
    ]:
        try:
            empty = not name.decode("utf-8")
        except UnicodeDecodeError:
            raise SpecError("BadName", "a name is not UTF-8") from None
        if empty:
            raise SpecError("BadName", "a name is empty")
    for item in spec.inputs:
        if item.affine is not None and not (_is_finite(item.affine.mean) and _is_finite(item.affine.scale)):
            raise SpecError("BadRate", "an input's affine numbers are finite")


def _check_optimizer(optimizer: OptimizerSpec) -> None:
    assert isinstance(optimizer, OptimizerSpec.Sgd)
    if not 0 < optimizer.rate < F32_INFINITY:
        raise SpecError("BadRate", "the learning rate is a positive finite number")
    if not 0 <= optimizer.momentum < F32_ONE:
        raise SpecError("BadRate", "momentum is at least 0 and below 1")


def _is_finite(bits: int) -> bool:
    return bits & F32_INFINITY != F32_INFINITY


def steps(spec: TrainingSpec, rows: int) -> int:
    """Optimizer steps of a run: ⌈rows / batch⌉ an epoch (the last batch is smaller)."""
    return spec.epochs * -(-rows // spec.batch)


def rho_nano(spec: TrainingSpec) -> int:
    """Privacy cost in nano-ρ, rounded up: ⌈epochs·10¹⁵ / (2·σ_milli²)⌉; 0 without DP. BadDp beyond u64.

    zCDP of the Gaussian mechanism (Bun, Steinke 2016): batches are disjoint, so each epoch costs a row
    1/(2σ²).
    """
    if spec.dp is None:
        return 0
    if spec.dp.sigma_milli < 1:
        raise SpecError("BadDp", "sigma is above zero")
    rho = -(-spec.epochs * 10**15 // (2 * spec.dp.sigma_milli**2))
    if rho >= 2**64:
        raise SpecError("BadDp", "the privacy cost is beyond all budgets")
    return rho


def check_columns(schema: Schema, spec: TrainingSpec) -> None:
    """Refuse a specification that names columns which the dataset lacks: SpecError UnknownColumn."""
    try:
        for name in [*(item.column for item in spec.inputs), spec.target.column]:
            schema.column(name)
    except DataError as error:
        raise SpecError(error.name, str(error)) from None


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


def policy_breach(policy: Policy, spec: TrainingSpec, buyer: bytes, rows: int) -> RejectReason | None:
    """Why `policy` forbids `buyer` this job, or None. The chain asks it at submit, the provider once more.

    `params_per_row_milli` is not judged here: only the provider can open the model and count.
    """
    rules = (
        (_dp_allowed(policy, spec, buyer), RejectReason.DpRequired),
        (_init_allowed(policy, spec, buyer), RejectReason.GivenWeightsForbidden),
        (rows >= policy.min_rows, RejectReason.TooFewRows),
        (spec.loss in policy.losses, RejectReason.PolicyForbids),
        (_rate_allowed(policy, spec.optimizer), RejectReason.PolicyForbids),
        (spec.epochs <= policy.epochs_max, RejectReason.PolicyForbids),
    )
    return next((reason for allowed, reason in rules if not allowed), None)


def _dp_allowed(policy: Policy, spec: TrainingSpec, buyer: bytes) -> bool:
    if spec.dp is not None:
        return spec.dp.sigma_milli >= policy.sigma_min_milli
    rule = policy.without_dp
    return isinstance(rule, WithoutDp.Anyone) or (
        isinstance(rule, WithoutDp.Trusted) and buyer in rule.accounts
    )


def _init_allowed(policy: Policy, spec: TrainingSpec, buyer: bytes) -> bool:
    if not isinstance(spec.init, Init.Given):
        return True
    rule = policy.given_weights
    if isinstance(rule, GivenWeights.UnderDp):
        return spec.dp is not None
    return isinstance(rule, GivenWeights.Trusted) and buyer in rule.accounts


def _rate_allowed(policy: Policy, optimizer: OptimizerSpec) -> bool:
    """Patterns of positive floats are ordered as the floats are, so no float arithmetic is needed."""
    assert isinstance(optimizer, OptimizerSpec.Sgd)
    return OptimizerKind.Sgd in policy.optimizers and policy.rate_min <= optimizer.rate <= policy.rate_max


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
