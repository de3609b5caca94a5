"""No loss and no optimizer is half there: each has its rule, its figures and its option."""

from __future__ import annotations

from argparse import Namespace

from executor import metrics, options, rates
from executor.compiler import losses, optimizers
from primitives.data import Loss, OptimizerKind
from primitives.spec import LOSS_KINDS

PLAIN = Namespace(
    class_weights=None,
    ignore_index=None,
    label_smoothing=0.0,
    soft_labels=False,
    pos_weight=None,
    delta=1.0,
    beta=1.0,
    log_target=False,
)
"""What the options of losses say when nobody gives them."""


def test_every_loss_has_its_rule_its_figure_and_its_option() -> None:
    assert set(losses.LOSSES) == set(metrics.LOSSES) == set(LOSS_KINDS)
    assert {LOSS_KINDS[type(build(PLAIN))] for build in options.LOSSES.values()} == set(Loss)


def test_every_optimizer_has_its_rule_and_the_numbers_of_its_steps() -> None:
    assert set(optimizers.OPTIMIZERS) == set(rates.NUMBERS)
    assert {kind.__name__ for kind in rates.NUMBERS} == {kind.name for kind in OptimizerKind}
