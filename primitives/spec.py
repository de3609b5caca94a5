"""The training specification: what is trained, on what, and how. Public, and together with the model, the
rows, the beacon and the provider's `noise_key` it decides a run, down to the last bit.

Real numbers in it are the 32-bit patterns of floats (`float_bits`, `bits_float`).

    spec.hash = H("gm/spec" ‖ SCALE spec)

Errors: `SpecError(name, message)`. The types' paths say `job`, as the metadata always named them.
"""

import struct
from enum import IntEnum
from typing import Annotated

from primitives.data import DataError, Loss, Name, Schema
from primitives.hashing import tagged
from primitives.scale import H256, I32, U8, U16, U32, U64, Enum, FixedBytes, MaxLen, Struct, Variant, encode

NUMERICS = 3
"""The order of every float operation of a run. A change of any golden weight hash needs the next number.
2: convolutions of 3×3 with 16 channels or more by Winograd's filtering; the padded border of a gradient by an
image is no longer summed.
3: softmax's gradient from its values, without the way through the maximum; fresh factors of written-out
normalisations start as ones.
"""
SPEC_VERSION = 1

INPUTS_MAX = 16
CLASSES_MAX = 1024
"""Weights that a loss may name: one for each class or element."""
TERMS_MAX = 8
"""Losses that are added up."""
TRAINABLE_MAX = 256
TENSOR_NAME_MAX = 128
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


class Clip(Enum, path="gristmill_primitives::job::Clip"):
    """How the gradient of a step is bounded before the optimizer sees it; limits are 32-bit patterns."""

    class Norm(Variant, index=0):
        """All gradients times min(1, limit / (‖all gradients‖₂ + 10⁻⁶)): torch.nn.utils.clip_grad_norm_."""

        limit: U32

    class Value(Variant, index=1):
        """Every element into −limit … limit: torch.nn.utils.clip_grad_value_."""

        limit: U32


class OptimizerSpec(Enum, path="gristmill_primitives::job::OptimizerSpec"):
    """The optimizer and its numbers, as 32-bit float patterns. The rules are those of PyTorch's class of the
    same name; `executor.compiler.optimizers` writes them out."""

    class Sgd(Variant, index=0):
        """v ← momentum·v + g;  w ← w − rate·v  (PyTorch's rule, no dampening, no Nesterov)."""

        rate: U32
        momentum: U32

    class Momentum(Variant, index=1):
        """torch.optim.SGD with all its options."""

        rate: U32
        momentum: U32
        dampening: U32
        weight_decay: U32
        nesterov: bool
        clip: Clip | None

    class Adam(Variant, index=2):
        """torch.optim.Adam: weight decay is added to the gradient."""

        rate: U32
        beta1: U32
        beta2: U32
        epsilon: U32
        weight_decay: U32
        amsgrad: bool
        clip: Clip | None

    class AdamW(Variant, index=3):
        """torch.optim.AdamW: weight decay shrinks the weights themselves."""

        rate: U32
        beta1: U32
        beta2: U32
        epsilon: U32
        weight_decay: U32
        amsgrad: bool
        clip: Clip | None

    class RmsProp(Variant, index=4):
        """torch.optim.RMSprop."""

        rate: U32
        alpha: U32
        epsilon: U32
        weight_decay: U32
        momentum: U32
        centered: bool
        clip: Clip | None

    class Adagrad(Variant, index=5):
        """torch.optim.Adagrad."""

        rate: U32
        rate_decay: U32
        epsilon: U32
        weight_decay: U32
        initial: U32
        clip: Clip | None


AnyOptimizer = (
    OptimizerSpec.Sgd
    | OptimizerSpec.Momentum
    | OptimizerSpec.Adam
    | OptimizerSpec.AdamW
    | OptimizerSpec.RmsProp
    | OptimizerSpec.Adagrad
)


def rate_bits(optimizer: OptimizerSpec) -> int:
    """The learning rate of an optimizer, as its 32-bit pattern."""
    assert isinstance(optimizer, AnyOptimizer)
    return optimizer.rate


class LossSpec(Enum, path="gristmill_primitives::job::LossSpec"):
    """The loss and its options; real numbers are 32-bit float patterns. Each is the mean that PyTorch's
    function of that name gives by default, unless it says otherwise."""

    class CrossEntropy(Variant, index=0):
        """Softmax cross entropy of logits with one integer class a row (or a position, for logits
        [classes, …])."""

    class MeanSquaredError(Variant, index=1):
        """Mean of (prediction − target)² over all elements of the batch."""

    class WeightedCrossEntropy(Variant, index=2):
        """torch.nn.CrossEntropyLoss with its options: a weight for each class (none: all 1), a class that
        does not count, label smoothing, and probabilities instead of classes as the target."""

        weights: Annotated[list[U32], MaxLen(CLASSES_MAX)]
        ignore: I32 | None
        smoothing: U32
        probabilities: bool

    class BinaryCrossEntropy(Variant, index=3):
        """torch.nn.BCEWithLogitsLoss; `pos_weight` is empty, or one number for all or for each element."""

        pos_weight: Annotated[list[U32], MaxLen(CLASSES_MAX)]

    class MeanAbsoluteError(Variant, index=4):
        """torch.nn.L1Loss."""

    class Huber(Variant, index=5):
        """torch.nn.HuberLoss."""

        delta: U32

    class SmoothL1(Variant, index=6):
        """torch.nn.SmoothL1Loss."""

        beta: U32

    class KlDivergence(Variant, index=7):
        """torch.nn.KLDivLoss with reduction "batchmean": the prediction holds log-probabilities, the target
        probabilities, or their logarithms too."""

        log_target: bool

    class Sum(Variant, index=8):
        """Σ weight·loss, each loss of an output and a column of its own. `target` of the specification is
        that of the first."""

        terms: Annotated[list["LossTerm"], MaxLen(TERMS_MAX)]


class SingleLoss(Enum, path="gristmill_primitives::job::SingleLoss"):
    """A `LossSpec` that is no sum: the same variants, the same bytes."""

    CrossEntropy = LossSpec.CrossEntropy
    MeanSquaredError = LossSpec.MeanSquaredError
    WeightedCrossEntropy = LossSpec.WeightedCrossEntropy
    BinaryCrossEntropy = LossSpec.BinaryCrossEntropy
    MeanAbsoluteError = LossSpec.MeanAbsoluteError
    Huber = LossSpec.Huber
    SmoothL1 = LossSpec.SmoothL1
    KlDivergence = LossSpec.KlDivergence


class LossTerm(Struct, path="gristmill_primitives::job::LossTerm"):
    """weight_num/weight_den times the loss of a graph output against a column."""

    target: Target
    loss: SingleLoss
    weight_num: U32
    weight_den: U32


AnyLoss = LossSpec | SingleLoss
LOSS_KINDS: dict[type[AnyLoss], Loss] = {
    LossSpec.CrossEntropy: Loss.CrossEntropy,
    LossSpec.MeanSquaredError: Loss.MeanSquaredError,
    LossSpec.WeightedCrossEntropy: Loss.CrossEntropy,
    LossSpec.BinaryCrossEntropy: Loss.BinaryCrossEntropy,
    LossSpec.MeanAbsoluteError: Loss.MeanAbsoluteError,
    LossSpec.Huber: Loss.Huber,
    LossSpec.SmoothL1: Loss.SmoothL1,
    LossSpec.KlDivergence: Loss.KlDivergence,
}
"""Which line of a policy's menu allows a loss."""


class Tick(IntEnum):
    """What a schedule counts."""

    __scale_path__ = "gristmill_primitives::job::Tick"

    Step = 0
    Epoch = 1


class WarmUp(Struct, path="gristmill_primitives::job::WarmUp"):
    """The first `ticks` ticks raise the rate evenly from `start` times itself (a 32-bit pattern in 0 … 1)."""

    ticks: U32
    start: U32


class Schedule(Enum, path="gristmill_primitives::job::Schedule"):
    """How the learning rate moves over the run. With a warm-up, the rest starts when that ends
    (torch.optim.lr_scheduler.SequentialLR). No schedule goes above the optimizer's rate."""

    class Constant(Variant, index=0):
        """It does not."""

    class Warm(Variant, index=1):
        """Only a warm-up: torch.optim.lr_scheduler.LinearLR with end factor 1."""

        tick: Tick
        warm_up: WarmUp

    class Step(Variant, index=2):
        """Times `gamma` (a 32-bit pattern in 0 … 1) every `every` ticks: torch.optim.lr_scheduler.StepLR."""

        tick: Tick
        every: U32
        gamma: U32
        warm_up: WarmUp | None

    class Cosine(Variant, index=3):
        """Half a cosine from the rate to `minimum` (a 32-bit pattern) over `ticks` ticks, then as the cosine
        goes on: torch.optim.lr_scheduler.CosineAnnealingLR."""

        tick: Tick
        ticks: U32
        minimum: U32
        warm_up: WarmUp | None


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
    loss: LossSpec
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
    def terms(self) -> list[LossTerm]:
        """The losses that are added up; a plain one is a sum of one, with weight 1."""
        if isinstance(self.loss, LossSpec.Sum):
            return self.loss.terms
        return [LossTerm(target=self.target, loss=self.loss, weight_num=1, weight_den=1)]  # type: ignore[arg-type]

    @property
    def hash(self) -> bytes:
        """`spec_hash = H("gm/spec" ‖ SCALE)`."""
        return tagged("spec", encode(TrainingSpec, self))


def check_spec(spec: TrainingSpec) -> None:
    """Refuse a specification that means nothing: SpecError UnknownVersion, UnknownNumerics, BadBatch,
    BadRate, BadSchedule, BadLoss, BadName or BadDp.

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
    _check_schedule(spec.schedule, rate_bits(spec.optimizer))
    _check_terms(spec)
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
        *(name for term in spec.terms for name in (term.target.tensor, term.target.column)),
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


UNIT = ("momentum", "dampening", "beta1", "beta2", "alpha")
"""Numbers of an optimizer that are at least 0 and below 1."""
POSITIVE = ("epsilon", "weight_decay", "rate_decay", "initial")
"""Numbers that are at least 0 and finite."""


def _check_optimizer(optimizer: OptimizerSpec) -> None:
    if not 0 < rate_bits(optimizer) < F32_INFINITY:
        raise SpecError("BadRate", "the learning rate is a positive finite number")
    for name in type(optimizer).__annotations__:
        bits = getattr(optimizer, name)
        if name in UNIT and not 0 <= bits < F32_ONE:
            raise SpecError("BadRate", f"{name.replace('_', ' ')} is at least 0 and below 1")
        if name in POSITIVE and not 0 <= bits < F32_INFINITY:
            raise SpecError("BadRate", f"{name.replace('_', ' ')} is a finite number, not below 0")
    sgd = optimizer if isinstance(optimizer, OptimizerSpec.Momentum) else None
    if sgd is not None and sgd.nesterov and (not sgd.momentum or sgd.dampening):
        raise SpecError("BadRate", "Nesterov momentum needs momentum and no dampening")
    clip = getattr(optimizer, "clip", None)
    if clip is not None and not 0 < clip.limit < F32_INFINITY:
        raise SpecError("BadRate", "gradients are clipped to a positive finite number")


def _check_schedule(schedule: Schedule, rate: int) -> None:
    """No rate of a schedule lies above the optimizer's, which is what a policy judges."""
    if not isinstance(schedule, Schedule.Warm | Schedule.Step | Schedule.Cosine):
        return
    warm_up = schedule.warm_up
    if warm_up is not None and not (warm_up.ticks and 0 <= warm_up.start <= F32_ONE):
        raise SpecError("BadSchedule", "a warm-up takes at least one tick and starts at 0 … 1 of the rate")
    if isinstance(schedule, Schedule.Step) and not (schedule.every and 0 < schedule.gamma <= F32_ONE):
        raise SpecError("BadSchedule", "steps are at least one tick apart, their factor lies in 0 … 1")
    if isinstance(schedule, Schedule.Cosine) and not (schedule.ticks and 0 <= schedule.minimum <= rate):
        raise SpecError("BadSchedule", "a cosine takes at least one tick, its minimum lies in 0 … the rate")


def _check_terms(spec: TrainingSpec) -> None:
    terms = spec.terms
    if not terms or terms[0].target != spec.target:
        raise SpecError("BadLoss", "a sum has at least one loss, and the first one's target is the job's")
    if not all(term.weight_num and term.weight_den for term in terms):
        raise SpecError("BadLoss", "the weights of a sum are above zero")
    if sum(numbers_of(term.loss) for term in terms) > CLASSES_MAX:
        raise SpecError("BadLoss", f"the losses of a sum name at most {CLASSES_MAX} weights of classes")
    for term in terms:
        _check_loss(term.loss)


def numbers_of(loss: AnyLoss) -> int:
    """How many numbers a loss brings in its lists."""
    if isinstance(loss, LossSpec.Sum):
        return sum(numbers_of(term.loss) for term in loss.terms)
    fields = (getattr(loss, name) for name in type(loss).__annotations__)
    return sum(len(field) for field in fields if isinstance(field, list))


def _check_loss(loss: AnyLoss) -> None:
    if isinstance(loss, LossSpec.WeightedCrossEntropy):
        if not all(0 <= bits < F32_INFINITY for bits in loss.weights):
            raise SpecError("BadLoss", "class weights are finite numbers, not below 0")
        if not 0 <= loss.smoothing <= F32_ONE:
            raise SpecError("BadLoss", "label smoothing lies in 0 … 1")
        if loss.probabilities and loss.ignore is not None:
            raise SpecError("BadLoss", "with probabilities as the target no class can be ignored")
    weights = loss.pos_weight if isinstance(loss, LossSpec.BinaryCrossEntropy) else []
    if not all(0 <= bits < F32_INFINITY for bits in weights):
        raise SpecError("BadLoss", "positive weights are finite numbers, not below 0")
    if isinstance(loss, LossSpec.Huber | LossSpec.SmoothL1):
        bits = loss.delta if isinstance(loss, LossSpec.Huber) else loss.beta
        if not 0 < bits < F32_INFINITY:
            raise SpecError("BadLoss", "where a loss turns linear is a positive finite number")


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
        for name in [item.column for item in spec.inputs] + [term.target.column for term in spec.terms]:
            schema.column(name)
    except DataError as error:
        raise SpecError(error.name, str(error)) from None
