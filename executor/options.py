"""Command-line options that say what is trained and how, and the `TrainingSpec` that they make.

Names and defaults are PyTorch's where PyTorch has them. `gristmill train` and `gristmill job` share them.
"""

import fnmatch
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from executor.errors import SpecError
from primitives.hashing import tagged
from primitives.job import model_hash
from primitives.spec import (
    NUMERICS,
    SPEC_VERSION,
    TERMS_MAX,
    Affine,
    Clip,
    Dp,
    Init,
    InputMap,
    LossSpec,
    LossTerm,
    OptimizerSpec,
    Schedule,
    Target,
    Tick,
    TrainingSpec,
    WarmUp,
    float_bits,
)

RATES = {"sgd": 0.1, "adam": 1e-3, "adamw": 1e-3, "rmsprop": 1e-2, "adagrad": 1e-2}
"""Default learning rate of each optimizer: PyTorch's, and for SGD, which has none there, 0.1."""
FOREVER = 2**32 - 1


def configure_spec(parser: ArgumentParser) -> None:
    """Arguments of `training_spec`."""
    _configure_data(parser)
    _configure_loss(parser)
    _configure_optimizer(parser)
    _configure_schedule(parser)
    add = parser.add_argument_group("the run").add_argument
    add("--epochs", type=int, default=5, help="passes over the rows (default 5)")
    add("--batch", type=int, default=32, help="rows a step (default 32)")
    add(
        "--shards", type=int, default=1, metavar="N",
        help="cut each batch into N equal parts, one for each processor; part of the spec (default 1)",
    )  # fmt: skip
    add("--seed", default="0", help="any text; decides shuffling, dropout and initial weights")
    add("--no-shuffle", action="store_true", help="read the rows in the dataset's order")
    add("--init", choices=["fresh", "given"], default="fresh", help="start anew, or from the model's weights")
    add("--trainable", action="append", default=[], metavar="TENSOR", help="train only these; * and ? match")
    add("--freeze", action="append", default=[], metavar="TENSOR", help="do not train these; * and ? match")
    add = parser.add_argument_group("differential privacy").add_argument
    add("--dp", type=float, metavar="SIGMA", help="DP-SGD with this noise multiplier: more of it costs less")
    add("--clip", type=float, default=1.0, metavar="NORM", help="of each row's gradient (default 1)")


def _configure_data(parser: ArgumentParser) -> None:
    add = parser.add_argument_group("what goes where").add_argument
    add("--target", metavar="COLUMN", help="the column to predict")
    add("--input", action="append", default=[], metavar="COLUMN[=TENSOR]", help="a column for a graph input")
    add(
        "--output-tensor", metavar="NAME", help="graph output to compare with the target (default: the first)"
    )
    add("--scale", type=float, metavar="X", help="multiply every input by X")
    add("--mean", type=float, default=0.0, metavar="X", help="subtract X from every input first")
    add(
        "--normalize", action="append", default=[], metavar="COLUMN=MEAN,STD",
        help="(x − MEAN) / STD for one column; instead of --mean and --scale there",
    )  # fmt: skip


def _configure_loss(parser: ArgumentParser) -> None:
    add = parser.add_argument_group("the loss").add_argument
    add("--loss", choices=sorted(LOSSES), default="cross-entropy", help="(default cross-entropy)")
    add("--class-weights", type=_numbers, metavar="W,W,…", help="cross-entropy: a weight for each class")
    add("--ignore-index", type=int, metavar="N", help="cross-entropy: a class that does not count")
    add("--label-smoothing", type=float, default=0.0, metavar="X", help="cross-entropy: 0 … 1")
    add("--soft-labels", action="store_true", help="cross-entropy: the target holds probabilities")
    add("--pos-weight", type=_numbers, metavar="W,…", help="bce: weight of positives, one or for each output")
    add("--delta", type=float, default=1.0, metavar="X", help="huber: where it turns linear (default 1)")
    add("--beta", type=float, default=1.0, metavar="X", help="smooth-l1: where it turns linear (default 1)")
    add("--log-target", action="store_true", help="kl: the target holds log-probabilities")
    add(
        "--also", action="append", default=[], metavar="COLUMN=TENSOR,LOSS[,WEIGHT]",
        help="add WEIGHT (default 1) times the loss of another output; a fraction such as 1/3 is exact",
    )  # fmt: skip
    add("--loss-weight", default="1", metavar="WEIGHT", help="of the first loss where others are added")


def _configure_optimizer(parser: ArgumentParser) -> None:
    add = parser.add_argument_group("the optimizer").add_argument
    add("--optimizer", choices=sorted(OPTIMIZERS), default="sgd", help="(default sgd)")
    rates = ", ".join(f"{rate:g} for {name}" for name, rate in RATES.items())
    add("--rate", "--lr", type=float, metavar="X", help=f"learning rate (default {rates})")
    add("--momentum", type=float, metavar="X", help="sgd (default 0.9), rmsprop (default 0)")
    add("--dampening", type=float, default=0.0, metavar="X", help="sgd")
    add("--nesterov", action="store_true", help="sgd")
    add("--betas", type=_numbers, default=[0.9, 0.999], metavar="X,X", help="adam, adamw (default 0.9,0.999)")
    add("--eps", type=float, metavar="X", help="default 1e-8; adagrad 1e-10")
    add("--weight-decay", type=float, metavar="X", help="default 0; adamw 0.01")
    add("--amsgrad", action="store_true", help="adam, adamw")
    add("--alpha", type=float, default=0.99, metavar="X", help="rmsprop (default 0.99)")
    add("--centered", action="store_true", help="rmsprop")
    add("--lr-decay", type=float, default=0.0, metavar="X", help="adagrad")
    add("--initial-accumulator", type=float, default=0.0, metavar="X", help="adagrad")
    add("--clip-norm", type=float, metavar="X", help="scale all gradients to a norm of at most X")
    add("--clip-value", type=float, metavar="X", help="cut every element of a gradient to −X … X")


def _configure_schedule(parser: ArgumentParser) -> None:
    add = parser.add_argument_group("the learning rate's schedule").add_argument
    add("--schedule", choices=["constant", "step", "cosine"], default="constant", help="(default constant)")
    add("--schedule-per", choices=["epoch", "step"], default="epoch", help="what it counts (default epoch)")
    add("--step-size", type=int, default=1, metavar="N", help="step: every N epochs or steps (default 1)")
    add("--gamma", type=float, default=0.1, metavar="X", help="step: times X (default 0.1)")
    add("--t-max", type=int, metavar="N", help="cosine: length (default, per epoch: to the run's end)")
    add("--eta-min", type=float, default=0.0, metavar="X", help="cosine: lowest rate (default 0)")
    add("--warmup", type=int, default=0, metavar="N", help="raise the rate over the first N epochs or steps")
    add("--warmup-start", type=float, default=1 / 3, metavar="X", help="from X times the rate (default 1/3)")


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


# --- what they make -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Names:
    """A model's graph inputs, outputs and float initialisers, as the user's own file says."""

    inputs: list[str]
    outputs: list[str]
    initialisers: list[str]


def training_spec(arguments: Namespace, model: bytes, columns: Sequence[str]) -> TrainingSpec:
    """The spec that the arguments of `configure_spec` describe, for a dataset with these columns.

    Raises SpecError. The model is the caller's own and is parsed here.
    """
    if arguments.target is None:
        raise SpecError("say which column to predict: --target COLUMN")
    names = graph_names(model)
    _check_counts(arguments.epochs, arguments.batch, arguments.shards)
    target = arguments.output_tensor or names.outputs[0]
    return TrainingSpec(
        version=SPEC_VERSION,
        numerics=NUMERICS,
        model_hash=model_hash(model),
        inputs=_inputs(arguments, names, columns),
        target=Target(column=arguments.target.encode(), tensor=target.encode()),
        loss=_loss(arguments, Target(column=arguments.target.encode(), tensor=target.encode()), names),
        optimizer=_optimizer(arguments),
        schedule=_schedule(arguments),
        epochs=arguments.epochs,
        batch=arguments.batch,
        seed=tagged("seed", arguments.seed.encode()),
        init=Init.Given() if arguments.init == "given" else Init.Beacon(),
        trainable=[name.encode() for name in _trainable(arguments, names, model, target)],
        dp=None if arguments.dp is None else privacy(arguments.dp, arguments.clip),
        shuffle=not arguments.no_shuffle,
        shards=arguments.shards,
    )


def privacy(sigma: float, clip: float) -> Dp:
    """The section for a noise multiplier (in thousandths) and a clip (in millionths). Raises SpecError."""
    sigma_milli, clip_num = round(sigma * 1000), round(clip * 10**6)
    if not (0 < sigma_milli < 2**32 and 0 < clip_num < 2**64):
        raise SpecError("the noise multiplier and the clip of differential privacy are above zero")
    return Dp(clip_num=clip_num, clip_den=10**6, sigma_milli=sigma_milli)


def _bits(value: float) -> int:
    """A number's pattern. Raises SpecError for one that float32 cannot hold."""
    try:
        return float_bits(value)
    except OverflowError:
        raise SpecError(f"{value:g} is beyond the numbers that are trained with") from None


def _check_counts(epochs: int, batch: int, shards: int) -> None:
    for name, value, most in (("epochs", epochs, 2**16), ("batch", batch, 2**32), ("shards", shards, 2**8)):
        if not 0 < value < most:
            raise SpecError(f"--{name} {value}: give a number from 1 to {most - 1}")
    if batch % shards:
        raise SpecError(f"--shards {shards}: a batch of {batch} rows has no {shards} equal parts")


def _inputs(arguments: Namespace, names: Names, columns: Sequence[str]) -> list[InputMap]:
    """Columns for graph inputs, each with its normalisation."""
    common = None
    if arguments.scale is not None or arguments.mean:
        scale = 1.0 if arguments.scale is None else arguments.scale
        common = Affine(mean=_bits(arguments.mean), scale=_bits(scale))
    own = dict(map(_normalisation, arguments.normalize))
    pairs = _pairs(arguments, names, columns)
    unknown = sorted(own.keys() - {column for column, _ in pairs})
    if unknown:
        raise SpecError(f"--normalize names {unknown[0]!r}, which feeds no input")
    return [
        InputMap(column=column.encode(), tensor=tensor.encode(), affine=own.get(column, common))
        for column, tensor in pairs
    ]


def _normalisation(option: str) -> tuple[str, Affine]:
    """COLUMN=MEAN,STD."""
    column, _, text = option.rpartition("=")
    try:
        mean, deviation = map(float, text.split(","))
        return column, Affine(mean=_bits(mean), scale=_bits(1.0 / deviation))
    except (ValueError, ZeroDivisionError):
        raise SpecError(f"{option!r} is no normalisation; write COLUMN=MEAN,STD") from None


def _pairs(arguments: Namespace, names: Names, columns: Sequence[str]) -> list[tuple[str, str]]:
    """(column, tensor) pairs: as told; else tensors take the columns of their name; else the only ones
    left.
    """
    if arguments.input:
        split = [option.partition("=") for option in arguments.input]
        free = iter(names.inputs)
        return [(column, tensor or next(free, column)) for column, _, tensor in split]
    if all(name in columns for name in names.inputs):
        return [(name, name) for name in names.inputs]
    targets = {arguments.target, *(option.partition("=")[0] for option in arguments.also)}
    left = [name for name in columns if name not in targets]
    if len(left) == len(names.inputs) == 1:
        return [(left[0], names.inputs[0])]
    raise SpecError(
        f"say which columns feed the inputs {', '.join(names.inputs)}: --input COLUMN=TENSOR, each of them; "
        f"--join {names.inputs[0]}=NAME,NAME makes one column of several"
    )


def _trainable(arguments: Namespace, names: Names, model: bytes, target: str) -> list[str]:
    """Names for the spec, none meaning all; patterns are matched with the model's initialisers."""
    chosen = _matched(arguments.trainable, names.initialisers, "--trainable")
    frozen = _matched(arguments.freeze, names.initialisers, "--freeze")
    if not frozen:
        return chosen
    if not chosen:
        from executor.compiler.compile import default_trainable  # slow to load, and rarely needed

        others = [option.partition("=")[2].partition(",")[0] for option in arguments.also]
        chosen = default_trainable(model, [target, *others])
    left = [name for name in chosen if name not in frozen]
    if not left:
        raise SpecError("every tensor is frozen: nothing is left to train")
    return left


def _matched(patterns: Sequence[str], names: Sequence[str], option: str) -> list[str]:
    found: dict[str, None] = {}
    for pattern in patterns:
        matches = [name for name in names if name == pattern or fnmatch.fnmatchcase(name, pattern)]
        if not matches:
            raise SpecError(f"{option} {pattern}: the model has no such tensor; it has {', '.join(names)}")
        found.update(dict.fromkeys(matches))
    return list(found)


def _cross_entropy(a: Namespace) -> LossSpec:
    plain = not (a.class_weights or a.label_smoothing or a.soft_labels) and a.ignore_index is None
    if plain:
        return LossSpec.CrossEntropy()
    if a.ignore_index is not None and not -(2**31) <= a.ignore_index < 2**31:
        raise SpecError("the class to ignore is a 32-bit number")
    return LossSpec.WeightedCrossEntropy(
        weights=list(map(_bits, a.class_weights or [])),
        ignore=a.ignore_index,
        smoothing=_bits(a.label_smoothing),
        probabilities=a.soft_labels,
    )


LOSSES: dict[str, Callable[[Namespace], LossSpec]] = {
    "cross-entropy": _cross_entropy,
    "bce": lambda a: LossSpec.BinaryCrossEntropy(pos_weight=list(map(_bits, a.pos_weight or []))),
    "mse": lambda a: LossSpec.MeanSquaredError(),
    "mae": lambda a: LossSpec.MeanAbsoluteError(),
    "huber": lambda a: LossSpec.Huber(delta=_bits(a.delta)),
    "smooth-l1": lambda a: LossSpec.SmoothL1(beta=_bits(a.beta)),
    "kl": lambda a: LossSpec.KlDivergence(log_target=a.log_target),
}


def _loss(a: Namespace, target: Target, names: Names) -> LossSpec:
    """The loss that is named, or the sum that begins with it."""
    first = LOSSES[a.loss](a)
    if not a.also and a.loss_weight == "1":
        return first
    terms = [_term(target, first, a.loss_weight)]
    for option in a.also:
        column, _, rest = option.partition("=")
        tensor, kind, weight = (*rest.split(","), "1", "", "")[:3]
        if rest.count(",") not in (1, 2) or tensor not in names.outputs or kind not in LOSSES:
            form = "COLUMN=TENSOR,LOSS[,WEIGHT] with an output of the model"
            raise SpecError(f"{option!r} adds no loss: it takes {form}")
        terms.append(_term(Target(column=column.encode(), tensor=tensor.encode()), LOSSES[kind](a), weight))
    if len(terms) > TERMS_MAX:
        raise SpecError(f"at most {TERMS_MAX} losses are added up")
    return LossSpec.Sum(terms=terms)


def _term(target: Target, loss: LossSpec, weight: str) -> LossTerm:
    try:
        value = Fraction(weight)
    except (ValueError, ZeroDivisionError):
        raise SpecError(f"{weight!r} is no weight of a loss; write 0.5 or 1/3") from None
    if not 0 < value.numerator < 2**32 or not value.denominator < 2**32:
        raise SpecError("the weight of a loss is a fraction of two numbers below 2^32, above zero")
    return LossTerm(
        target=target,
        loss=loss,  # type: ignore[arg-type]  # the same variants
        weight_num=value.numerator,
        weight_den=value.denominator,
    )


def _optimizer(a: Namespace) -> OptimizerSpec:
    rate = _bits(RATES[a.optimizer] if a.rate is None else a.rate)
    return OPTIMIZERS[a.optimizer](a, rate, _clip(a))


def _clip(a: Namespace) -> Clip | None:
    if a.clip_norm is not None and a.clip_value is not None:
        raise SpecError("gradients are clipped by norm or by value, not both")
    if a.clip_norm is not None:
        return Clip.Norm(limit=_bits(a.clip_norm))
    return None if a.clip_value is None else Clip.Value(limit=_bits(a.clip_value))


def _decay(a: Namespace, default: float = 0.0) -> int:
    return _bits(default if a.weight_decay is None else a.weight_decay)


def _eps(a: Namespace, default: float = 1e-8) -> int:
    return _bits(default if a.eps is None else a.eps)


def _sgd(a: Namespace, rate: int, clip: Clip | None) -> OptimizerSpec:
    momentum = _bits(0.9 if a.momentum is None else a.momentum)
    if not (a.dampening or a.weight_decay or a.nesterov) and clip is None:
        return OptimizerSpec.Sgd(rate=rate, momentum=momentum)
    return OptimizerSpec.Momentum(
        rate=rate,
        momentum=momentum,
        dampening=_bits(a.dampening),
        weight_decay=_decay(a),
        nesterov=a.nesterov,
        clip=clip,
    )


def _betas(a: Namespace) -> dict[str, int]:
    if len(a.betas) != 2:
        raise SpecError("--betas takes two numbers, such as 0.9,0.999")
    return {"beta1": _bits(a.betas[0]), "beta2": _bits(a.betas[1])}


def _adam(a: Namespace, rate: int, clip: Clip | None) -> OptimizerSpec:
    return OptimizerSpec.Adam(
        rate=rate, **_betas(a), epsilon=_eps(a), weight_decay=_decay(a), amsgrad=a.amsgrad, clip=clip
    )


def _adamw(a: Namespace, rate: int, clip: Clip | None) -> OptimizerSpec:
    return OptimizerSpec.AdamW(
        rate=rate, **_betas(a), epsilon=_eps(a), weight_decay=_decay(a, 0.01), amsgrad=a.amsgrad, clip=clip
    )


def _rmsprop(a: Namespace, rate: int, clip: Clip | None) -> OptimizerSpec:
    return OptimizerSpec.RmsProp(
        rate=rate,
        alpha=_bits(a.alpha),
        epsilon=_eps(a),
        weight_decay=_decay(a),
        momentum=_bits(a.momentum or 0.0),
        centered=a.centered,
        clip=clip,
    )


def _adagrad(a: Namespace, rate: int, clip: Clip | None) -> OptimizerSpec:
    return OptimizerSpec.Adagrad(
        rate=rate,
        rate_decay=_bits(a.lr_decay),
        epsilon=_eps(a, 1e-10),
        weight_decay=_decay(a),
        initial=_bits(a.initial_accumulator),
        clip=clip,
    )


OPTIMIZERS: dict[str, Callable[[Namespace, int, Clip | None], OptimizerSpec]] = {
    "sgd": _sgd,
    "adam": _adam,
    "adamw": _adamw,
    "rmsprop": _rmsprop,
    "adagrad": _adagrad,
}


def _schedule(a: Namespace) -> Schedule:
    tick = Tick.Step if a.schedule_per == "step" else Tick.Epoch
    for name, value in (("--warmup", a.warmup), ("--step-size", a.step_size), ("--t-max", a.t_max or 0)):
        if not 0 <= value <= FOREVER:
            raise SpecError(f"{name} is a whole number from 0 to {FOREVER}")
    warm_up = WarmUp(ticks=a.warmup, start=_bits(a.warmup_start)) if a.warmup else None
    if a.schedule == "step":
        return Schedule.Step(tick=tick, every=a.step_size, gamma=_bits(a.gamma), warm_up=warm_up)
    if a.schedule == "cosine":
        if a.t_max is None and tick == Tick.Step:
            raise SpecError("a cosine that counts steps needs its length: --t-max")
        ticks = a.t_max or max(1, a.epochs - a.warmup)
        return Schedule.Cosine(tick=tick, ticks=ticks, minimum=_bits(a.eta_min), warm_up=warm_up)
    return Schedule.Constant() if warm_up is None else Schedule.Warm(tick=tick, warm_up=warm_up)


def graph_names(model: bytes) -> Names:
    """Names in a model of one's own. Raises SpecError for bytes that are no model."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        graph = onnx.load_model_from_string(model).graph
    except DecodeError:
        raise SpecError("the model file is no ONNX model") from None
    held = {tensor.name for tensor in graph.initializer}
    inputs = [value.name for value in graph.input if value.name not in held]
    if not inputs or not graph.output:
        raise SpecError("the model has no inputs or no outputs")
    statistics = {
        name for node in graph.node if node.op_type == "BatchNormalization" for name in node.input[3:]
    }
    floats = [
        tensor.name
        for tensor in graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT and tensor.dims and tensor.name not in statistics
    ]
    return Names(inputs, [value.name for value in graph.output], floats)
