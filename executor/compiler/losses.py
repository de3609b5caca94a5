"""Losses: each gives the loss of every row and its gradient by the prediction, both before the mean over
rows.

The gradients are written out, not derived: softmax − one-hot is exact where differentiating log∘sum∘exp is
not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from executor.compiler import ir
from executor.compiler.ir import Node, const, reduce, where
from executor.compiler.op import Op
from executor.compiler.optimizers import decimal
from executor.errors import ShapeMismatch, UnsupportedSpec
from primitives.spec import AnyLoss, LossSpec


def target_key(number: int) -> str:
    """Key of a loss's target among the inputs' names, longer than any of them."""
    return f"target {number}".ljust(300)


@dataclass(frozen=True)
class Objective:
    """Loss of each row (shape ()), and its gradient by the prediction.

    The loss of a batch is their mean; or with a `divisor` (shape (), one number a row) their sum divided by
    the sum of the divisors, as PyTorch divides by the weights of the classes that occur.
    """

    loss: Node
    gradient: Node
    divisor: Node | None = None

    def share(self, row_weight: Node) -> Node:
        """What a row counts, from 1 / rows in live rows and 0 in padding."""
        if self.divisor is None:
            return row_weight
        total = ir.batch_sum(self.divisor * row_weight)
        safe = where(Op.WHERE_EQ, total, const(0.0), const(1.0), total)
        return row_weight / safe


Rule = Callable[[AnyLoss, Node, Node], Objective]


# --- cross entropy ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Softmax:
    """Softmax over the first axis of logits [classes, …]: p, log p, and a one-hot selection."""

    prediction: Node

    @property
    def classes(self) -> int:
        return self.prediction.shape[0]

    @property
    def positions(self) -> tuple[int, ...]:
        return self.prediction.shape[1:]

    def along(self, values: NDArray[np.float32]) -> Node:
        """One number a class, spread over the positions."""
        return const(values.reshape(-1, *(1,) * len(self.positions)))

    def shifted(self) -> Node:
        return self.prediction - reduce(Op.MAXIMUM, self.prediction, [0])

    def total(self) -> Node:
        return reduce(Op.SUM, ir.elementwise(Op.EXP, self.shifted()), [0])

    def probabilities(self) -> Node:
        return ir.elementwise(Op.EXP, self.shifted()) / self.total()

    def index(self) -> Node:
        return self.along(np.arange(self.classes, dtype=np.float32))

    def chosen(self, target: Node, values: Node) -> Node:
        """The target class's value at each position."""
        return self.sum(where(Op.WHERE_EQ, self.index(), target, values, const(0.0)))

    def hot(self, target: Node) -> Node:
        return where(Op.WHERE_EQ, self.index(), target, const(1.0), const(0.0))

    def sum(self, values: Node) -> Node:
        """Over the classes; shape of the positions."""
        return ir.reshape(reduce(Op.SUM, values, [0]), self.positions)

    def log_total(self) -> Node:
        return ir.reshape(ir.elementwise(Op.LOG, self.total()), self.positions)


def cross_entropy(spec: AnyLoss, prediction: Node, target: Node) -> Objective:
    """−log softmax(prediction)[target] for [classes, …] logits and an integer class a position, mean over
    the positions; torch.nn.functional.cross_entropy."""
    softmax = _Softmax(prediction)
    loss = softmax.log_total() - softmax.chosen(target, softmax.shifted())
    return _mean(loss, softmax.probabilities() - softmax.hot(target))


def weighted_cross_entropy(spec: AnyLoss, prediction: Node, target: Node) -> Objective:
    """torch.nn.functional.cross_entropy with weight, ignore_index and label_smoothing. With weights w, p =
    softmax, target class y and smoothing s of K classes:

        loss     = (1−s)·w_y·(−log p_y) + s/K·Σ_c w_c·(−log p_c), divided by the sum of w_y that count
        gradient = (1−s)·w_y·(p − hot) + s/K·(p·Σ_c w_c − w), likewise
    """
    assert isinstance(spec, LossSpec.WeightedCrossEntropy)
    softmax = _Softmax(prediction)
    weights = _weights(spec, softmax)
    if spec.probabilities:
        return _soft(spec, softmax, weights, target)
    smoothing = decimal(spec.smoothing)
    counts, live = softmax.chosen(target, weights), const(1.0)
    if spec.ignore is not None:
        live = where(Op.WHERE_EQ, target, const(float(spec.ignore)), const(0.0), const(1.0))
        counts = counts * live
    surprise = softmax.log_total() - softmax.chosen(target, softmax.shifted())
    loss = surprise * counts
    gradient = (softmax.probabilities() - softmax.hot(target)) * counts
    if smoothing:
        share = const(smoothing / softmax.classes)
        mass = _mass(spec, softmax)
        all_losses = softmax.log_total() * mass - softmax.sum(softmax.shifted() * weights)
        loss = loss * const(1.0 - smoothing) + all_losses * share * live
        spread = softmax.probabilities() * mass - weights
        gradient = gradient * const(1.0 - smoothing) + spread * share * live
    return Objective(_sum(loss), gradient, _sum(counts))


def _soft(spec: LossSpec.WeightedCrossEntropy, softmax: _Softmax, weights: Node, target: Node) -> Objective:
    """Probabilities q as the target: Σ_c w_c·q_c·(−log p_c), mean over the positions."""
    smoothing = decimal(spec.smoothing)
    if smoothing:
        target = target * const(1.0 - smoothing) + const(smoothing / softmax.classes)
    wanted = target * weights
    mass = softmax.sum(wanted)
    loss = softmax.log_total() * mass - softmax.sum(softmax.shifted() * wanted)
    return _mean(loss, softmax.probabilities() * mass - wanted)


def _weights(spec: LossSpec.WeightedCrossEntropy, softmax: _Softmax) -> Node:
    if not spec.weights:
        return const(1.0)
    if len(spec.weights) != softmax.classes:
        raise UnsupportedSpec(f"{len(spec.weights)} class weights for {softmax.classes} classes")
    return softmax.along(np.array([decimal(bits) for bits in spec.weights], dtype=np.float32))


def _mass(spec: LossSpec.WeightedCrossEntropy, softmax: _Softmax) -> Node:
    """Σ_c w_c."""
    return const(sum(map(decimal, spec.weights)) if spec.weights else float(softmax.classes))


# --- numbers ------------------------------------------------------------------------------------------------


def mean_squared_error(spec: AnyLoss, prediction: Node, target: Node) -> Objective:
    """Mean over the row's elements of (prediction − target)²; torch.nn.functional.mse_loss."""
    difference = prediction - target
    axes = range(len(difference.shape))
    share = const(1.0 / difference.size)
    loss = ir.reshape(reduce(Op.SUM, difference * difference, axes), ()) * share
    return Objective(loss, difference * (const(2.0) * share))


def mean_absolute_error(spec: AnyLoss, prediction: Node, target: Node) -> Objective:
    """|prediction − target|; its slope at 0 is 0. torch.nn.functional.l1_loss."""
    difference = prediction - target
    sign = _three_way(difference, const(1.0), const(0.0), const(-1.0))
    return _mean(ir.elementwise(Op.ABS, difference), sign)


def huber(spec: AnyLoss, prediction: Node, target: Node) -> Objective:
    """d²/2 where |d| < delta, else delta·(|d| − delta/2); torch.nn.functional.huber_loss."""
    assert isinstance(spec, LossSpec.Huber)
    delta = decimal(spec.delta)
    difference = prediction - target
    size = ir.elementwise(Op.ABS, difference)
    loss = where(
        Op.WHERE_GT,
        const(delta),
        size,
        difference * difference * const(0.5),
        (size - const(0.5 * delta)) * const(delta),
    )
    return _mean(loss, _between(difference, delta))


def smooth_l1(spec: AnyLoss, prediction: Node, target: Node) -> Objective:
    """d²/(2·beta) where |d| < beta, else |d| − beta/2; torch.nn.functional.smooth_l1_loss."""
    assert isinstance(spec, LossSpec.SmoothL1)
    beta = decimal(spec.beta)
    difference = prediction - target
    size = ir.elementwise(Op.ABS, difference)
    loss = where(
        Op.WHERE_GT,
        const(beta),
        size,
        difference * difference * const(0.5) / const(beta),
        size - const(0.5 * beta),
    )
    return _mean(loss, _between(difference / const(beta), 1.0))


def binary_cross_entropy(spec: AnyLoss, prediction: Node, target: Node) -> Objective:
    """(1−y)·x + (1 + (p−1)·y)·(log(1 + e^−|x|) + max(−x, 0)) for logits x, targets y in 0 … 1 and weight p of
    the positive; torch.nn.functional.binary_cross_entropy_with_logits."""
    assert isinstance(spec, LossSpec.BinaryCrossEntropy)
    one, zero = const(1.0), const(0.0)
    weight = one
    if spec.pos_weight:
        numbers = np.array([decimal(bits) for bits in spec.pos_weight], dtype=np.float32)
        if len(numbers) not in (1, prediction.size):
            raise UnsupportedSpec(f"{len(numbers)} positive weights for {prediction.size} predictions")
        shape = prediction.shape if len(numbers) > 1 else ()
        weight = one + (const(numbers.reshape(shape)) - one) * target
    size = ir.elementwise(Op.ABS, prediction)
    tail = ir.elementwise(Op.LOG, one + ir.elementwise(Op.EXP, -size))
    loss = (one - target) * prediction + weight * (tail + ir.elementwise(Op.MAX, -prediction, zero))
    gradient = (one - target) - weight * ir.elementwise(Op.SIGMOID, -prediction)
    return _mean(loss, gradient)


def kl_divergence(spec: AnyLoss, prediction: Node, target: Node) -> Objective:
    """Σ t·(log t − prediction) over the row's elements, for log-probabilities as the prediction; a target of
    0 adds nothing. torch.nn.functional.kl_div, "batchmean"."""
    assert isinstance(spec, LossSpec.KlDivergence)
    if spec.log_target:
        share = ir.elementwise(Op.EXP, target)
        loss = share * (target - prediction)
    else:
        share = target
        safe = where(Op.WHERE_GT, target, const(0.0), target, const(1.0))
        loss = share * (ir.elementwise(Op.LOG, safe) - prediction)
    return Objective(_sum(loss), -share)


def _sum(values: Node) -> Node:
    """Over all of a row's elements."""
    return ir.reshape(reduce(Op.SUM, values, range(len(values.shape))), ())


def _mean(loss: Node, gradient: Node) -> Objective:
    """The mean over the elements of `loss`, whose gradient before the mean is given."""
    size = prod(loss.shape)
    if size == 1:
        return Objective(ir.reshape(loss, ()), gradient)
    return Objective(_sum(loss) * const(1.0 / size), gradient * const(1.0 / size))


def _three_way(x: Node, above: Node, equal: Node, below: Node) -> Node:
    zero = const(0.0)
    return where(Op.WHERE_GT, x, zero, above, where(Op.WHERE_EQ, x, zero, equal, below))


def _between(x: Node, limit: float) -> Node:
    return ir.elementwise(Op.MIN, ir.elementwise(Op.MAX, x, const(-limit)), const(limit))


LOSSES: dict[type[AnyLoss], Rule] = {
    LossSpec.CrossEntropy: cross_entropy,
    LossSpec.MeanSquaredError: mean_squared_error,
    LossSpec.WeightedCrossEntropy: weighted_cross_entropy,
    LossSpec.BinaryCrossEntropy: binary_cross_entropy,
    LossSpec.MeanAbsoluteError: mean_absolute_error,
    LossSpec.Huber: huber,
    LossSpec.SmoothL1: smooth_l1,
    LossSpec.KlDivergence: kl_divergence,
}
"""Variant of the spec → (spec, prediction, target) → objective."""


def class_rule(loss: AnyLoss, prediction: Node) -> tuple[int | None, int | None]:
    """Classes that the target tells apart and the class that does not count, if the target holds classes."""
    if isinstance(loss, LossSpec.CrossEntropy):
        return prediction.shape[0], None
    if isinstance(loss, LossSpec.WeightedCrossEntropy) and not loss.probabilities:
        return prediction.shape[0], loss.ignore
    return None, None


def objective(loss: AnyLoss, prediction: Node, number: int = 0) -> tuple[Node, Objective]:
    """The target (a class at each position, or the prediction's shape) and the loss. `number` tells losses
    that are added up apart. Raises UnsupportedSpec, ShapeMismatch."""
    if type(loss) not in LOSSES:
        raise UnsupportedSpec(f"the loss {type(loss).__name__} is not supported")
    if not prediction.shape and isinstance(loss, LossSpec.CrossEntropy | LossSpec.WeightedCrossEntropy):
        raise ShapeMismatch("cross-entropy wants [batch, classes] logits, not rows of shape []")
    classes, _ = class_rule(loss, prediction)
    kind, shape = ("f32", prediction.shape) if classes is None else ("i32", prediction.shape[1:])
    target = ir.make(Op.TARGET, (), shape, True, target_key(number), kind)
    return target, LOSSES[type(loss)](loss, prediction, target)
