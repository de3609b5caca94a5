"""Losses: each gives the loss of every row and its gradient by the prediction, both before the mean over
rows.

The gradients are written out, not derived: softmax − one-hot is exact where differentiating log∘sum∘exp is
not.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from executor.compiler import ir
from executor.compiler.ir import Node, Op, const, reduce, where
from executor.errors import ShapeMismatch, UnsupportedSpec
from primitives.job import Loss

TARGET = ""
"""Key of the target among the inputs' names, which are never empty."""


@dataclass(frozen=True)
class Objective:
    """Loss of each row (shape ()), and its gradient by the prediction."""

    loss: Node
    gradient: Node


def cross_entropy(prediction: Node, target: Node) -> Objective:
    """−log softmax(prediction)[target] for [classes] logits and an integer class;
    torch.nn.functional.cross_entropy."""
    if len(prediction.shape) != 1:
        raise ShapeMismatch(
            f"cross-entropy wants [batch, classes] logits, not rows of shape {list(prediction.shape)}"
        )
    (classes,) = prediction.shape
    index = const(np.arange(classes, dtype=np.float32))
    hot = where(Op.WHERE_EQ, index, target, const(1.0), const(0.0))
    shifted = prediction - reduce(Op.MAXIMUM, prediction, [0])
    powers = ir.elementwise(Op.EXP, shifted)
    total = reduce(Op.SUM, powers, [0])
    chosen = reduce(Op.SUM, where(Op.WHERE_EQ, index, target, shifted, const(0.0)), [0])
    loss = ir.reshape(ir.elementwise(Op.LOG, total) - chosen, ())
    return Objective(loss, powers / total - hot)


def mean_squared_error(prediction: Node, target: Node) -> Objective:
    """Mean over the row's elements of (prediction − target)²; torch.nn.functional.mse_loss."""
    difference = prediction - target
    axes = range(len(difference.shape))
    share = const(1.0 / difference.size)
    loss = ir.reshape(reduce(Op.SUM, difference * difference, axes), ()) * share
    return Objective(loss, difference * (const(2.0) * share))


LOSSES: dict[Loss, tuple[str, Callable[[Node, Node], Objective]]] = {
    Loss.CrossEntropy: ("i32", cross_entropy),
    Loss.MeanSquaredError: ("f32", mean_squared_error),
}
"""Loss → element type of the target, rule."""


def objective(loss: Loss, prediction: Node) -> tuple[Node, Objective]:
    """The target (one class, or the prediction's shape) and the loss. Raises UnsupportedSpec,
    ShapeMismatch."""
    if loss not in LOSSES:
        raise UnsupportedSpec(f"the loss {loss} is not supported")
    kind, rule = LOSSES[loss]
    shape = () if kind == "i32" else prediction.shape
    target = ir.make(Op.TARGET, (), shape, True, TARGET, kind)
    return target, rule(prediction, target)
