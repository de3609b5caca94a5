"""Optimizers, each as PyTorch defines it (torch/optim of the same name, the single-tensor path).

A rule takes a parameter, its gradient, the optimizer's state and the *numbers of the step* (learning rate,
bias corrections), and gives new values for parameter and state. What depends on the step's number is computed
by the host (`executor.rates`) and handed over as float32; everything else is a constant of the module. A real
number of the spec is the shortest decimal that rounds to its pattern (`decimal`), so 0.999 means 0.999, and
1 − 0.999 is computed as PyTorch does, in float64 before it is rounded to float32.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from executor.compiler import ir
from executor.compiler.ir import Node, const, reduce
from executor.compiler.op import Op
from primitives.spec import Clip, OptimizerSpec, Schedule, TrainingSpec

Stores = list[tuple[Node, Node]]
"""(new value, the leaf that it replaces), in the order in which they are written."""
NORM_EPSILON = 1e-6
"""torch.nn.utils.clip_grad_norm_ adds it to the norm."""


def decimal(bits: int) -> float:
    """The shortest decimal number that rounds to the float32 with these bits, as a float64."""
    return float(str(np.uint32(bits).view(np.float32)))


@dataclass(frozen=True)
class State:
    """A tensor that an optimizer keeps for each parameter; every element starts as `fill`."""

    name: str
    fill: float = 0.0


@dataclass(frozen=True)
class Optimizer:
    """What `rule` needs: its state, and how many numbers of the step."""

    states: tuple[State, ...]
    numbers: int
    rule: Callable[[Node, Node, Sequence[Node], Sequence[Node]], Stores]


def optimizer_of(spec: OptimizerSpec, schedule: Schedule) -> Optimizer:
    """The optimizer that a spec names."""
    return OPTIMIZERS[type(spec)](spec, isinstance(schedule, Schedule.Constant))


def _decayed(w: Node, g: Node, weight_decay: int) -> Node:
    """The gradient with the L2 penalty's."""
    return g + w * const(decimal(weight_decay)) if weight_decay else g


def _toward(old: Node, new: Node, share: float) -> Node:
    """old + share·(new − old): torch.lerp for shares below one half."""
    return old + (new - old) * const(share)


def _mixed_square(old: Node, g: Node, keep: float) -> Node:
    """keep·old + (1 − keep)·g²."""
    return old * const(keep) + g * g * const(1.0 - keep)


def _sgd(spec: OptimizerSpec, constant: bool) -> Optimizer:
    assert isinstance(spec, OptimizerSpec.Sgd)
    whole = OptimizerSpec.Momentum(
        rate=spec.rate, momentum=spec.momentum, dampening=0, weight_decay=0, nesterov=False, clip=None
    )
    return _momentum(whole, constant)


def _momentum(spec: OptimizerSpec, constant: bool) -> Optimizer:
    """torch.optim.SGD. The first step puts the gradient itself into the buffer, so with dampening the share
    that enters is a number of the step: 1, then 1 − dampening."""
    assert isinstance(spec, OptimizerSpec.Momentum)

    def rule(w: Node, g: Node, states: Sequence[Node], numbers: Sequence[Node]) -> Stores:
        rate = const(decimal(spec.rate)) if constant else numbers[0]
        g = step = _decayed(w, g, spec.weight_decay)
        stores: Stores = []
        if states:
            entering = g * numbers[-1] if spec.dampening else g
            step = states[0] * const(decimal(spec.momentum)) + entering
            stores.append((step, states[0]))
            if spec.nesterov:
                step = g + step * const(decimal(spec.momentum))
        return [*stores, (w - step * rate, w)]

    states = (State("momentum"),) if spec.momentum else ()
    return Optimizer(states, (not constant) + bool(spec.momentum and spec.dampening), rule)


def _adam(spec: OptimizerSpec, constant: bool) -> Optimizer:
    """torch.optim.Adam and AdamW. Numbers: rate / (1 − β₁ᵗ), √(1 − β₂ᵗ), and for AdamW 1 − rate·decay."""
    assert isinstance(spec, OptimizerSpec.Adam | OptimizerSpec.AdamW)
    beta1, beta2 = decimal(spec.beta1), decimal(spec.beta2)
    decoupled = isinstance(spec, OptimizerSpec.AdamW) and spec.weight_decay != 0

    def rule(w: Node, g: Node, states: Sequence[Node], numbers: Sequence[Node]) -> Stores:
        size, correction = numbers[:2]
        if not decoupled:
            g = _decayed(w, g, spec.weight_decay)
        mean = _toward(states[0], g, 1.0 - beta1)
        square = largest = _mixed_square(states[1], g, beta2)
        stores = [(mean, states[0]), (square, states[1])]
        if spec.amsgrad:
            largest = ir.elementwise(Op.MAX, states[2], square)
            stores.append((largest, states[2]))
        divisor = ir.elementwise(Op.SQRT, largest) / correction + const(decimal(spec.epsilon))
        start = w * numbers[2] if decoupled else w
        return [*stores, (start - mean * size / divisor, w)]

    names = ["mean", "square", *(["largest square"] if spec.amsgrad else [])]
    return Optimizer(tuple(map(State, names)), 3 if decoupled else 2, rule)


def _rmsprop(spec: OptimizerSpec, constant: bool) -> Optimizer:
    """torch.optim.RMSprop; a variance that rounding makes negative counts as zero, where PyTorch's is NaN."""
    assert isinstance(spec, OptimizerSpec.RmsProp)
    alpha = decimal(spec.alpha)

    def rule(w: Node, g: Node, states: Sequence[Node], numbers: Sequence[Node]) -> Stores:
        rate = const(decimal(spec.rate)) if constant else numbers[0]
        kept = iter(states)
        g = _decayed(w, g, spec.weight_decay)
        old = next(kept)
        spread = square = _mixed_square(old, g, alpha)
        stores = [(square, old)]
        if spec.centered:
            old = next(kept)
            mean = _toward(old, g, 1.0 - alpha)
            stores.append((mean, old))
            spread = ir.elementwise(Op.MAX, square - mean * mean, const(0.0))
        step = g / (ir.elementwise(Op.SQRT, spread) + const(decimal(spec.epsilon)))
        if spec.momentum:
            old = next(kept)
            step = old * const(decimal(spec.momentum)) + step
            stores.append((step, old))
        return [*stores, (w - step * rate, w)]

    names = ["square", *(["mean"] if spec.centered else []), *(["momentum"] if spec.momentum else [])]
    return Optimizer(tuple(map(State, names)), int(not constant), rule)


def _adagrad(spec: OptimizerSpec, constant: bool) -> Optimizer:
    """torch.optim.Adagrad. The number is rate / (1 + (t − 1)·rate_decay)."""
    assert isinstance(spec, OptimizerSpec.Adagrad)
    constant = constant and not spec.rate_decay

    def rule(w: Node, g: Node, states: Sequence[Node], numbers: Sequence[Node]) -> Stores:
        rate = const(decimal(spec.rate)) if constant else numbers[0]
        g = _decayed(w, g, spec.weight_decay)
        total = states[0] + g * g
        step = g / (ir.elementwise(Op.SQRT, total) + const(decimal(spec.epsilon)))
        return [(total, states[0]), (w - step * rate, w)]

    return Optimizer((State("square sum", decimal(spec.initial)),), int(not constant), rule)


OPTIMIZERS: Mapping[type[OptimizerSpec], Callable[[OptimizerSpec, bool], Optimizer]] = {
    OptimizerSpec.Sgd: _sgd,
    OptimizerSpec.Momentum: _momentum,
    OptimizerSpec.Adam: _adam,
    OptimizerSpec.AdamW: _adam,
    OptimizerSpec.RmsProp: _rmsprop,
    OptimizerSpec.Adagrad: _adagrad,
}
"""Variant of the spec → (spec, whether the rate is constant) → optimizer."""


# --- clipping -----------------------------------------------------------------------------------------------


def clip_of(spec: TrainingSpec) -> Clip | None:
    """How a spec bounds its gradients."""
    clip: Clip | None = getattr(spec.optimizer, "clip", None)
    return clip


def clip_factor(clip: Clip | None, gradients: Sequence[Node]) -> Node | None:
    """`Norm`: min(1, limit / (√Σg² + 10⁻⁶)), over all gradients, before the first update; else None. Each
    tensor is summed axis by axis, last first, then tensor by tensor."""
    if not isinstance(clip, Clip.Norm):
        return None
    total = _square_sum(gradients[0])
    for gradient in gradients[1:]:
        total = total + _square_sum(gradient)
    norm = ir.elementwise(Op.SQRT, total) + const(NORM_EPSILON)
    return ir.elementwise(Op.MIN, const(decimal(clip.limit)) / norm, const(1.0))


def clipped(clip: Clip | None, factor: Node | None, gradient: Node) -> Node:
    """A gradient as the optimizer sees it."""
    if factor is not None:
        return gradient * factor
    if isinstance(clip, Clip.Value):
        limit = decimal(clip.limit)
        return ir.elementwise(Op.MIN, ir.elementwise(Op.MAX, gradient, const(-limit)), const(limit))
    return gradient


def _square_sum(gradient: Node) -> Node:
    squares = gradient * gradient
    for axis in reversed(range(len(gradient.shape))):
        squares = reduce(Op.SUM, squares, [axis])
    return ir.reshape(squares, ())
