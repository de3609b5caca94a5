"""The numbers of each optimizer step, computed by the host: learning rates and bias corrections, as float32.

Rule (part of NUMERICS). A real number of the spec is the shortest decimal that rounds to its float32 pattern,
taken as float64 (`executor.compiler.optimizers.decimal`). From these the rate of step t (from 0) and what the
optimizer makes of it follow in float64 with +, −, ·, /, √ only, one rounding each, in the order written here;
powers are repeated products; the cosine is computed with integers. Each result is rounded to float32 once. So
the bits are the same on every machine; no math library takes part.

A tick is a step, or an epoch of ⌈rows / batch⌉ steps; k counts ticks from 0. During a warm-up of W ticks
(k < W) the rate is base·(start + (1 − start)·k/W); behind it k counts from W, as PyTorch's SequentialLR does:

    constant   base
    step       base, times gamma after every `every` ticks
    cosine     minimum + (base − minimum)·(1 + cos(π·k/ticks))/2
"""

import math
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from executor.compiler.optimizers import decimal, optimizer_of
from primitives.spec import OptimizerSpec, Schedule, Tick, TrainingSpec, WarmUp, rate_bits

PLACES = 80
"""Binary places of the cosine's fixed-point arithmetic."""
PI = 3797952473636338580787993
"""⌊π·2⁸⁰⌋."""


class Numbers:
    """The numbers of a run's steps, in order."""

    def __init__(self, spec: TrainingSpec, rows: int) -> None:
        self.count = optimizer_of(spec.optimizer, spec.schedule).numbers
        self._rows = NUMBERS[type(spec.optimizer)](spec.optimizer, rates(spec, rows))

    def take(self, steps: int) -> NDArray[np.float32]:
        """Those of the next steps, float32 of shape [steps, count]."""
        # The rate comes first; an optimizer for which it is constant takes only what follows.
        rows = [row[len(row) - self.count :] for row in islice(self._rows, steps)]
        return np.array(rows, dtype=np.float64).astype(np.float32).reshape(steps, self.count)

    def skip(self, steps: int) -> None:
        """Pass over steps that an earlier run has done."""
        for _ in islice(self._rows, steps):
            pass


def rates(spec: TrainingSpec, rows: int) -> Iterator[float]:
    """The learning rate of each step, without end."""
    base, per_epoch = decimal(rate_bits(spec.optimizer)), -(-rows // spec.batch)
    schedule = spec.schedule
    if not isinstance(schedule, Schedule.Warm | Schedule.Step | Schedule.Cosine):
        while True:
            yield base
    length = per_epoch if schedule.tick == Tick.Epoch else 1
    for rate in _ticks(schedule, base):
        for _ in range(length):
            yield rate


def _ticks(schedule: Schedule.Warm | Schedule.Step | Schedule.Cosine, base: float) -> Iterator[float]:
    if schedule.warm_up is not None:
        yield from _warm_up(schedule.warm_up, base)
    if isinstance(schedule, Schedule.Step):
        gamma = decimal(schedule.gamma)
        while True:
            for _ in range(schedule.every):
                yield base
            base *= gamma
    if isinstance(schedule, Schedule.Cosine):
        minimum, tick = decimal(schedule.minimum), 0
        while True:
            yield minimum + (base - minimum) * (1.0 + cosine(tick, schedule.ticks)) / 2.0
            tick += 1
    while True:
        yield base


def _warm_up(warm_up: WarmUp, base: float) -> Iterator[float]:
    start = decimal(warm_up.start)
    for tick in range(warm_up.ticks):
        yield base * (start + (1.0 - start) * tick / warm_up.ticks)


def cosine(numerator: int, denominator: int) -> float:
    """cos(π·numerator/denominator), rounded to float64 from 80 binary places."""
    place = numerator % (2 * denominator)
    place = min(place, 2 * denominator - place)
    if 2 * place > denominator:
        return -cosine(denominator - place, denominator)
    square = (PI * place // denominator) ** 2 >> PLACES
    term = total = 1 << PLACES
    order = 1
    while term:
        term = (term * square >> PLACES) // (order * (order + 1))
        total += -term if order % 4 == 1 else term
        order += 2
    return total / (1 << PLACES)


# --- what an optimizer makes of the rate --------------------------------------------------------------------

Row = tuple[float, ...]


def _plain(spec: OptimizerSpec, rates: Iterator[float]) -> Iterator[Row]:
    return ((rate,) for rate in rates)


def _momentum(spec: OptimizerSpec, rates: Iterator[float]) -> Iterator[Row]:
    """The rate, and with dampening the share of the gradient that enters the buffer."""
    assert isinstance(spec, OptimizerSpec.Momentum)
    if not (spec.momentum and spec.dampening):
        yield from _plain(spec, rates)
    share = 1.0
    for rate in rates:
        yield rate, share
        share = 1.0 - decimal(spec.dampening)


def _adam(spec: OptimizerSpec, rates: Iterator[float]) -> Iterator[Row]:
    """rate / (1 − β₁ᵗ), √(1 − β₂ᵗ), and for AdamW with decay 1 − rate·decay; t from 1."""
    assert isinstance(spec, OptimizerSpec.Adam | OptimizerSpec.AdamW)
    beta1, beta2, decay = decimal(spec.beta1), decimal(spec.beta2), decimal(spec.weight_decay)
    decoupled = isinstance(spec, OptimizerSpec.AdamW) and decay != 0.0
    power1 = power2 = 1.0
    for rate in rates:
        power1, power2 = power1 * beta1, power2 * beta2
        size, correction = rate / (1.0 - power1), math.sqrt(1.0 - power2)
        yield (size, correction, 1.0 - rate * decay) if decoupled else (size, correction)


def _adagrad(spec: OptimizerSpec, rates: Iterator[float]) -> Iterator[Row]:
    assert isinstance(spec, OptimizerSpec.Adagrad)
    decay = decimal(spec.rate_decay)
    for step, rate in enumerate(rates):
        yield (rate / (1.0 + step * decay),)


NUMBERS: dict[type[OptimizerSpec], Callable[[OptimizerSpec, Iterator[float]], Iterator[Row]]] = {
    OptimizerSpec.Sgd: _plain,
    OptimizerSpec.Momentum: _momentum,
    OptimizerSpec.Adam: _adam,
    OptimizerSpec.AdamW: _adam,
    OptimizerSpec.RmsProp: _plain,
    OptimizerSpec.Adagrad: _adagrad,
}
"""Variant of the spec → (spec, rates) → the numbers of each step."""
