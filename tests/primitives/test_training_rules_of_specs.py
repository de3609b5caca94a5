"""What a specification's loss, optimizer and schedule may say, and how a policy judges them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primitives import job
from primitives.data import Loss, OptimizerKind
from primitives.job import RejectReason
from primitives.scale import ScaleError, decode, encode
from primitives.spec import (
    LOSS_KINDS,
    Clip,
    LossSpec,
    OptimizerSpec,
    Schedule,
    SingleLoss,
    SpecError,
    Tick,
    TrainingSpec,
    WarmUp,
    check_spec,
)
from primitives.spec import float_bits as bits
from tests.primitives.test_data_and_job_rules import BUYER, policy, spec

ONE = bits(1.0)


def momentum(**changes: Any) -> OptimizerSpec:
    values = {"rate": bits(0.1), "momentum": bits(0.9), "dampening": 0, "weight_decay": 0, "nesterov": False}
    return OptimizerSpec.Momentum(**{**values, "clip": None, **changes})


def adam(**changes: Any) -> OptimizerSpec:
    values = {"rate": bits(0.1), "beta1": bits(0.9), "beta2": bits(0.99), "epsilon": 0, "weight_decay": 0}
    return OptimizerSpec.Adam(**{**values, "amsgrad": False, "clip": None, **changes})


def step(**changes: Any) -> Schedule:
    return Schedule.Step(**{"tick": Tick.Step, "every": 1, "gamma": bits(0.5), "warm_up": None, **changes})


def cosine(**changes: Any) -> Schedule:
    return Schedule.Cosine(**{"tick": Tick.Epoch, "ticks": 5, "minimum": 0, "warm_up": None, **changes})


def cross_entropy(**changes: Any) -> LossSpec:
    values = {"weights": [], "ignore": None, "smoothing": 0, "probabilities": False, **changes}
    return LossSpec.WeightedCrossEntropy(**values)


GOOD: list[dict[str, Any]] = [
    {"optimizer": momentum(nesterov=True)},
    {"optimizer": adam(clip=Clip.Norm(limit=ONE))},
    {"schedule": step(gamma=ONE, warm_up=WarmUp(ticks=3, start=ONE))},
    {"schedule": cosine(minimum=bits(0.1))},
    {"loss": cross_entropy(weights=[0, ONE], ignore=-100, smoothing=ONE)},
    {"loss": LossSpec.Huber(delta=1)},
]
BAD: list[tuple[dict[str, Any], str]] = [
    ({"optimizer": momentum(nesterov=True, momentum=0)}, "BadRate"),
    ({"optimizer": momentum(nesterov=True, dampening=1)}, "BadRate"),
    ({"optimizer": momentum(dampening=ONE)}, "BadRate"),
    ({"optimizer": momentum(weight_decay=bits(float("inf")))}, "BadRate"),
    ({"optimizer": momentum(weight_decay=bits(-1.0))}, "BadRate"),
    ({"optimizer": adam(beta1=ONE)}, "BadRate"),
    ({"optimizer": adam(beta2=0x7FC0_0000)}, "BadRate"),
    ({"optimizer": adam(rate=0)}, "BadRate"),
    ({"optimizer": adam(clip=Clip.Norm(limit=0))}, "BadRate"),
    ({"optimizer": adam(clip=Clip.Value(limit=0x7F80_0000))}, "BadRate"),
    ({"schedule": step(every=0)}, "BadSchedule"),
    ({"schedule": step(gamma=0)}, "BadSchedule"),
    ({"schedule": step(gamma=bits(1.5))}, "BadSchedule"),
    ({"schedule": cosine(ticks=0)}, "BadSchedule"),
    ({"schedule": cosine(minimum=bits(0.11))}, "BadSchedule"),
    ({"schedule": cosine(warm_up=WarmUp(ticks=0, start=0))}, "BadSchedule"),
    ({"schedule": Schedule.Warm(tick=Tick.Step, warm_up=WarmUp(ticks=1, start=bits(1.1)))}, "BadSchedule"),
    ({"loss": cross_entropy(weights=[bits(-1.0)])}, "BadLoss"),
    ({"loss": cross_entropy(smoothing=bits(1.1))}, "BadLoss"),
    ({"loss": cross_entropy(probabilities=True, ignore=1)}, "BadLoss"),
    ({"loss": LossSpec.BinaryCrossEntropy(pos_weight=[0x7FC0_0000])}, "BadLoss"),
    ({"loss": LossSpec.Huber(delta=0)}, "BadLoss"),
    ({"loss": LossSpec.SmoothL1(beta=bits(-0.5))}, "BadLoss"),
]


@pytest.mark.parametrize("changes", GOOD)
def test_what_pytorch_takes_is_taken(changes: dict[str, Any]) -> None:
    check_spec(spec(**changes))


@pytest.mark.parametrize(("changes", "name"), BAD)
def test_what_means_nothing_is_refused_by_name(changes: dict[str, Any], name: str) -> None:
    with pytest.raises(SpecError) as refusal:
        check_spec(spec(**changes))
    assert refusal.value.name == name


def test_policies_know_every_loss_and_optimizer() -> None:
    variants = {kind for kind in vars(LossSpec).values() if isinstance(kind, type)}
    assert {kind for kind in variants if issubclass(kind, LossSpec)} == {*LOSS_KINDS, LossSpec.Sum}
    single = {kind for kind in vars(SingleLoss).values() if isinstance(kind, type)}
    assert {kind for kind in single if issubclass(kind, SingleLoss)} == set(LOSS_KINDS)
    assert set(LOSS_KINDS.values()) == set(Loss)
    for optimizer in (spec().optimizer, momentum(), adam()):  # a kind's number is its variant's
        assert encode(OptimizerSpec, optimizer)[0] == OptimizerKind[type(optimizer).__name__]
    wish = spec(optimizer=adam(), loss=cross_entropy(smoothing=bits(0.1)))
    judged = job.policy_breach(policy(optimizers=[OptimizerKind.Adam]), wish, BUYER, 100)
    assert judged is None, "options of cross-entropy are cross-entropy"
    assert job.policy_breach(policy(), wish, BUYER, 100) == RejectReason.PolicyForbids
    tight = policy(optimizers=[OptimizerKind.Adam], rate_max=bits(0.05))
    assert job.policy_breach(tight, wish, BUYER, 100) == RejectReason.PolicyForbids


def test_encodings_from_before_mean_what_they_did() -> None:
    """New variants stand behind the old ones."""
    old = bytes([0])
    assert decode(LossSpec, old) == LossSpec.CrossEntropy() and encode(Schedule, Schedule.Constant()) == old
    assert decode(LossSpec, bytes([1])) == LossSpec.MeanSquaredError()
    plain = OptimizerSpec.Sgd(rate=1, momentum=2)
    assert encode(OptimizerSpec, plain) == bytes([0]) + (1).to_bytes(4, "little") + (2).to_bytes(4, "little")


@given(st.binary(max_size=400))
def test_any_bytes_are_a_specification_or_refused(data: bytes) -> None:
    try:
        found = decode(TrainingSpec, data)
    except ScaleError:
        return
    assert encode(TrainingSpec, found) == data
    try:
        check_spec(found)
    except SpecError as error:
        assert error.name
