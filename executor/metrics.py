"""How good predictions are: the usual figures, computed in float64 by numpy.

`accuracy`, `f1` and `auc` are for classes, `mae`, `rmse` and `mse` for numbers; `loss` is the training loss
itself. Definitions are scikit-learn's: F1 is that of class 1 of two, or the macro average over the classes
that occur in target or prediction; AUC is the area under the ROC curve by the rank-sum rule (ties count
half), for more than two classes the macro average of one class against the rest (over classes with both sides
present).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from executor.compiler.optimizers import decimal
from executor.errors import SpecError
from primitives.spec import AnyLoss, LossSpec

F64 = NDArray[np.float64]
CLASSES = ("accuracy", "f1", "auc")
NUMBERS = ("mae", "rmse", "mse")


@dataclass(frozen=True)
class Predictions:
    """Outputs [rows, …] and the targets that belong to them, as the loss sees them."""

    loss: AnyLoss
    outputs: F64
    targets: F64

    @property
    def classes(self) -> bool:
        """The loss tells classes apart: logits along axis 1, or one logit a yes-or-no output."""
        kinds = (LossSpec.CrossEntropy, LossSpec.WeightedCrossEntropy, LossSpec.BinaryCrossEntropy)
        return isinstance(self.loss, kinds)

    def scores(self) -> tuple[F64, NDArray[np.int64]]:
        """Scores [items, classes] and the true class of each item that counts."""
        if isinstance(self.loss, LossSpec.BinaryCrossEntropy):
            logits = self.outputs.reshape(-1)
            truth = (self.targets.reshape(-1) >= 0.5).astype(np.int64)
            return np.stack([-logits, logits], axis=1), truth
        scores = np.moveaxis(self.outputs, 1, -1).reshape(-1, self.outputs.shape[1])
        if isinstance(self.loss, LossSpec.WeightedCrossEntropy) and self.loss.probabilities:
            shares = np.moveaxis(self.targets, 1, -1).reshape(-1, self.outputs.shape[1])
            return scores, shares.argmax(axis=1)
        truth = self.targets.reshape(-1).astype(np.int64)
        ignored = self.loss.ignore if isinstance(self.loss, LossSpec.WeightedCrossEntropy) else None
        counts = np.ones(len(truth), dtype=bool) if ignored is None else truth != ignored
        return scores[counts], truth[counts]


def default_metrics(loss: AnyLoss) -> tuple[str, ...]:
    """What is shown when nobody asks for more."""
    names: dict[type[AnyLoss], tuple[str, ...]] = {
        LossSpec.CrossEntropy: ("loss", "accuracy"),
        LossSpec.WeightedCrossEntropy: ("loss", "accuracy"),
        LossSpec.BinaryCrossEntropy: ("loss", "accuracy"),
        LossSpec.MeanSquaredError: ("loss", "mse"),
    }
    return names.get(type(loss), ("loss", "mae"))


def measure(name: str, found: Predictions) -> float:
    """One figure. Raises SpecError for a name or a loss that it does not go with."""
    if name not in METRICS:
        raise SpecError(f"there is no metric {name!r}; there are {', '.join(METRICS)}")
    if not applies(name, found):
        raise SpecError(f"{name} is for classes; this loss compares numbers")
    return METRICS[name](found)


def applies(name: str, found: Predictions) -> bool:
    """Whether the figure goes with the loss."""
    return name not in CLASSES or found.classes


def _accuracy(found: Predictions) -> float:
    scores, truth = found.scores()
    return float(np.mean(scores.argmax(axis=1) == truth))


def _f1(found: Predictions) -> float:
    scores, truth = found.scores()
    said = scores.argmax(axis=1)
    counted = [1] if scores.shape[1] == 2 else np.union1d(said, truth).tolist()
    return float(np.mean([_f1_of(said == each, truth == each) for each in counted]))


def _f1_of(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    return float(2 * np.sum(said & true) / max(1, int(said.sum()) + int(true.sum())))


def _auc(found: Predictions) -> float:
    scores, truth = found.scores()
    if scores.shape[1] == 2:
        return _area(scores[:, 1] - scores[:, 0], truth == 1)
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares = shifted / shifted.sum(axis=1, keepdims=True)
    areas = [_area(shares[:, each], truth == each) for each in range(scores.shape[1])]
    return float(np.mean([area for area in areas if not np.isnan(area)]))


def _area(scores: F64, positive: NDArray[np.bool_]) -> float:
    """Share of (positive, negative) pairs in which the positive scores higher; NaN where there are none."""
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place.reshape(-1)]
    ones, zeros = int(positive.sum()), int((~positive).sum())
    if not ones or not zeros:
        return float("nan")
    return float((ranks[positive].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def _errors(found: Predictions) -> F64:
    return found.outputs.reshape(-1) - found.targets.reshape(-1)


# --- the losses once more, in float64 -----------------------------------------------------------------------


def _loss(found: Predictions) -> float:
    return LOSSES[type(found.loss)](found)


def _cross_entropy(found: Predictions) -> float:
    loss, y = found.loss, found.outputs
    shifted = y - y.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    classes = y.shape[1]
    weights, smoothing, ignored, soft = np.ones(classes), 0.0, None, False
    if isinstance(loss, LossSpec.WeightedCrossEntropy):
        weights = np.array([decimal(bits) for bits in loss.weights]) if loss.weights else weights
        smoothing, ignored, soft = decimal(loss.smoothing), loss.ignore, loss.probabilities
    logs = np.moveaxis(logs, 1, -1).reshape(-1, classes)
    if soft:
        wanted = (
            np.moveaxis(found.targets, 1, -1).reshape(-1, classes) * (1 - smoothing) + smoothing / classes
        )
        return float(-np.mean((wanted * weights * logs).sum(axis=1)))
    truth = found.targets.reshape(-1).astype(np.int64)
    counts = np.ones(len(truth), dtype=bool) if ignored is None else truth != ignored
    logs, truth = logs[counts], truth[counts]
    own = weights[truth]
    hard = -logs[np.arange(len(truth)), truth] * own
    spread = -(logs * weights).sum(axis=1)
    return float(((1 - smoothing) * hard + smoothing / classes * spread).sum() / own.sum())


def _binary(found: Predictions) -> float:
    assert isinstance(found.loss, LossSpec.BinaryCrossEntropy)
    x, y = found.outputs, found.targets.reshape(found.outputs.shape)
    positive = np.array([decimal(bits) for bits in found.loss.pos_weight] or [1.0])
    weight = 1 + (positive.reshape(x.shape[1:] if len(positive) > 1 else ()) - 1) * y
    return float(np.mean((1 - y) * x + weight * (np.log1p(np.exp(-np.abs(x))) + np.maximum(-x, 0))))


def _huber(found: Predictions) -> float:
    assert isinstance(found.loss, LossSpec.Huber)
    delta, size = decimal(found.loss.delta), np.abs(_errors(found))
    return float(np.mean(np.where(size < delta, size**2 / 2, delta * (size - delta / 2))))


def _smooth_l1(found: Predictions) -> float:
    assert isinstance(found.loss, LossSpec.SmoothL1)
    beta, size = decimal(found.loss.beta), np.abs(_errors(found))
    return float(np.mean(np.where(size < beta, size**2 / (2 * beta), size - beta / 2)))


def _kl(found: Predictions) -> float:
    assert isinstance(found.loss, LossSpec.KlDivergence)
    target = found.targets.reshape(found.outputs.shape)
    if found.loss.log_target:
        terms = np.exp(target) * (target - found.outputs)
    else:
        terms = target * (np.log(np.where(target > 0, target, 1.0)) - found.outputs)
    return float(terms.sum() / len(terms))


LOSSES: dict[type[AnyLoss], Callable[[Predictions], float]] = {
    LossSpec.CrossEntropy: _cross_entropy,
    LossSpec.WeightedCrossEntropy: _cross_entropy,
    LossSpec.BinaryCrossEntropy: _binary,
    LossSpec.MeanSquaredError: lambda found: float(np.mean(_errors(found) ** 2)),
    LossSpec.MeanAbsoluteError: lambda found: float(np.mean(np.abs(_errors(found)))),
    LossSpec.Huber: _huber,
    LossSpec.SmoothL1: _smooth_l1,
    LossSpec.KlDivergence: _kl,
}
METRICS: dict[str, Callable[[Predictions], float]] = {
    "loss": _loss,
    "accuracy": _accuracy,
    "f1": _f1,
    "auc": _auc,
    "mae": lambda found: float(np.mean(np.abs(_errors(found)))),
    "rmse": lambda found: float(np.sqrt(np.mean(_errors(found) ** 2))),
    "mse": lambda found: float(np.mean(_errors(found) ** 2)),
}
LOWER_IS_BETTER: Sequence[str] = ("loss", *NUMBERS)
