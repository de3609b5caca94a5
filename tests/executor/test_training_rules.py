"""Every loss, optimizer, schedule and way of clipping against PyTorch, step by step.

The reference is tests/data/torch_traces/rules.npz; rules.py beside it makes it. Tolerances: both sides
compute in float32, in another order of sums; a step's relative error is a few 2⁻²⁴ ≈ 6e-8, grows with the
number of steps (18) and, for optimizers that divide by √(average g²), by the slope of that quotient where
gradients are small. 2e-5 on losses and 1e-4 on weights is a hundred times below what any wrong term gives
(the smallest option, a decay of 0.01 at rate 0.05, moves weights by 1e-2 over the run).
"""

import hashlib
import json
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from executor.compiler import machine as machines
from executor.compiler.compile import compile_training
from executor.compiler.machine import Machine
from executor.metrics import Predictions, measure
from executor.rows import classes, inputs
from primitives.scale import decode, encode
from primitives.spec import NUMERICS, Clip, LossSpec, OptimizerSpec, Schedule, Tick, TrainingSpec, WarmUp
from primitives.spec import float_bits as bits
from tests.executor.compile_cases import FUEL, Case, node, training_spec
from tests.executor.plan_runner import run_plan
from tests.executor.test_compile_training import _elsewhere

TRACE = np.load(Path(__file__).parent.parent / "data/torch_traces/rules.npz")
ROWS, BATCH, EPOCHS = 44, 8, 3
WEIGHTS = [bits(0.5), bits(2.0), bits(1.25)]


def weighted(**changes: Any) -> LossSpec:
    values = {"weights": [], "ignore": None, "smoothing": 0, "probabilities": False, **changes}
    return LossSpec.WeightedCrossEntropy(**values)


LOSSES: dict[str, tuple[str, LossSpec]] = {
    "cross_entropy": ("classes", LossSpec.CrossEntropy()),
    "class_weights": ("classes", weighted(weights=WEIGHTS)),
    "ignore_index": ("holes", weighted(ignore=-100)),
    "smoothing": ("classes", weighted(smoothing=bits(0.1))),
    "all_options": ("holes", weighted(weights=WEIGHTS, ignore=-100, smoothing=bits(0.2))),
    "probabilities": ("shares", weighted(probabilities=True)),
    "probabilities_weighted": (
        "shares",
        weighted(weights=WEIGHTS, smoothing=bits(0.1), probabilities=True),
    ),
    "bce": ("flags", LossSpec.BinaryCrossEntropy(pos_weight=[])),
    "bce_weight": ("flags", LossSpec.BinaryCrossEntropy(pos_weight=[bits(3.0)])),
    "bce_weights": ("flags", LossSpec.BinaryCrossEntropy(pos_weight=WEIGHTS)),
    "mse": ("numbers", LossSpec.MeanSquaredError()),
    "mae": ("numbers", LossSpec.MeanAbsoluteError()),
    "huber": ("numbers", LossSpec.Huber(delta=bits(0.8))),
    "smooth_l1": ("numbers", LossSpec.SmoothL1(beta=bits(1.5))),
    "kl": ("shares", LossSpec.KlDivergence(log_target=False)),
    "kl_log": ("numbers", LossSpec.KlDivergence(log_target=True)),
}


def sgd(rate: float, momentum: float = 0.0, **changes: Any) -> OptimizerSpec:
    values = {"dampening": 0, "weight_decay": 0, "nesterov": False, "clip": None, **changes}
    return OptimizerSpec.Momentum(rate=bits(rate), momentum=bits(momentum), **values)


def adam(kind: Any, rate: float, **changes: Any) -> OptimizerSpec:
    values = {
        "beta1": bits(0.9), "beta2": bits(0.999), "epsilon": bits(1e-8), "weight_decay": 0,
        "amsgrad": False, "clip": None,
    }  # fmt: skip
    made: OptimizerSpec = kind(rate=bits(rate), **{**values, **changes})
    return made


def rmsprop(**changes: Any) -> OptimizerSpec:
    values = {
        "alpha": bits(0.99), "epsilon": bits(1e-8), "weight_decay": 0, "momentum": 0,
        "centered": False, "clip": None,
    }  # fmt: skip
    return OptimizerSpec.RmsProp(rate=bits(0.005), **{**values, **changes})


def adagrad(**changes: Any) -> OptimizerSpec:
    values = {"rate_decay": 0, "epsilon": bits(1e-10), "weight_decay": 0, "initial": 0, "clip": None}
    return OptimizerSpec.Adagrad(rate=bits(0.05), **{**values, **changes})


OPTIMIZERS: dict[str, OptimizerSpec] = {
    "sgd": OptimizerSpec.Sgd(rate=bits(0.1), momentum=0),
    "momentum": OptimizerSpec.Sgd(rate=bits(0.1), momentum=bits(0.9)),
    "dampening": sgd(0.1, 0.9, dampening=bits(0.3), weight_decay=bits(0.01)),
    "nesterov": sgd(0.05, 0.8, nesterov=True, weight_decay=bits(0.02)),
    "adam": adam(OptimizerSpec.Adam, 0.01),
    "adam_options": adam(
        OptimizerSpec.Adam, 0.02, beta1=bits(0.8), beta2=bits(0.95), epsilon=bits(1e-6),
        weight_decay=bits(0.05), amsgrad=True,
    ),
    "adamw": adam(OptimizerSpec.AdamW, 0.01, weight_decay=bits(0.01)),
    "adamw_amsgrad": adam(OptimizerSpec.AdamW, 0.01, weight_decay=bits(0.1), amsgrad=True),
    "rmsprop": rmsprop(),
    "rmsprop_options": rmsprop(
        alpha=bits(0.9), epsilon=bits(1e-7), weight_decay=bits(0.03), momentum=bits(0.6), centered=True
    ),
    "adagrad": adagrad(),
    "adagrad_options": adagrad(
        rate_decay=bits(0.02), weight_decay=bits(0.01), initial=bits(0.1), epsilon=bits(1e-8)
    ),
}  # fmt: skip


def cosine(tick: Tick, ticks: int, minimum: float = 0.0, warm_up: WarmUp | None = None) -> Schedule:
    return Schedule.Cosine(tick=tick, ticks=ticks, minimum=bits(minimum), warm_up=warm_up)


def step(tick: Tick, every: int, gamma: float, warm_up: WarmUp | None = None) -> Schedule:
    return Schedule.Step(tick=tick, every=every, gamma=bits(gamma), warm_up=warm_up)


SCHEDULES: dict[str, Schedule] = {
    "step": step(Tick.Epoch, 2, 0.5),
    "step_by_step": step(Tick.Step, 3, 0.7),
    "cosine": cosine(Tick.Step, 11, 0.01),
    "cosine_epochs": cosine(Tick.Epoch, 3),
    "warm": Schedule.Warm(tick=Tick.Step, warm_up=WarmUp(ticks=6, start=bits(0.25))),
    "warm_cosine": cosine(Tick.Step, 13, 0.0, WarmUp(ticks=5, start=bits(0.1))),
    "warm_step": step(Tick.Step, 5, 0.3, WarmUp(ticks=4, start=bits(0.2))),
}
CLIPS: dict[str, Clip] = {
    "clip_norm": Clip.Norm(limit=bits(0.3)),
    "clip_value": Clip.Value(limit=bits(0.02)),
}


def cases() -> dict[str, tuple[str, OptimizerSpec, Schedule]]:
    """Name of the trace → loss, optimizer, schedule."""
    found: dict[str, tuple[str, OptimizerSpec, Schedule]] = {}
    constant = Schedule.Constant()
    for loss in LOSSES:
        found[f"loss.{loss}"] = loss, OPTIMIZERS["momentum"], constant
    for name, optimizer in OPTIMIZERS.items():
        found[f"optimizer.{name}"] = "cross_entropy", optimizer, constant
    for name, schedule in SCHEDULES.items():
        found[f"schedule.{name}"] = "cross_entropy", OPTIMIZERS["momentum"], schedule
    for name in ("adam_options", "adamw", "rmsprop_options", "adagrad_options", "dampening"):
        found[f"schedule.{name}"] = "cross_entropy", OPTIMIZERS[name], SCHEDULES["warm_cosine"]
    for name, clip in CLIPS.items():
        found[f"clip.{name}"] = "mse", adam(OptimizerSpec.Adam, 0.01, clip=clip), constant
        found[f"clip.sgd_{name}"] = "cross_entropy", sgd(0.1, clip=clip), constant
    return found


CASES = cases()
PARAMETERS = ("0.weight", "0.bias", "2.weight", "2.bias")


def model(softmax: bool) -> bytes:
    """x → Linear → Tanh → Linear, and log-softmax where PyTorch's side takes it."""
    nodes = [
        node("Gemm", "x 0.weight 0.bias", "hidden", transB=1),
        node("Tanh", "hidden", "active"),
        node("Gemm", "active 2.weight 2.bias", "logits", transB=1),
        node("LogSoftmax" if softmax else "Identity", "logits", "y"),
    ]
    return Case(nodes, (5,), {name: TRACE[f"start.{name}"] for name in PARAMETERS}).bytes()


def spec_of(name: str) -> TrainingSpec:
    loss, optimizer, schedule = CASES[name]
    return training_spec(BATCH, epochs=EPOCHS, loss=LOSSES[loss][1], optimizer=optimizer, schedule=schedule)


def target_of(name: str) -> np.ndarray[Any, Any]:
    kind, loss = LOSSES[CASES[name][0]]
    values = TRACE[f"data.{kind}"]
    if kind in ("classes", "holes"):
        return classes(values, 3, loss.ignore if isinstance(loss, LossSpec.WeightedCrossEntropy) else None)
    return inputs(values - 3 if CASES[name][0] == "kl_log" else values, None)


@pytest.mark.parametrize("name", CASES)
def test_each_rule_follows_pytorch(name: str) -> None:
    spec = spec_of(name)
    plan = compile_training(model("kl" in name), spec, ROWS)
    machine, losses = run_plan(plan, spec, {"x": TRACE["data.x"]}, target_of(name))
    np.testing.assert_allclose(losses, TRACE[f"{name}.losses"], rtol=2e-5, atol=2e-6)
    assert {item.name for item in plan.parameters} == set(PARAMETERS)
    for item in plan.parameters:
        found = machine.view(item.region)
        np.testing.assert_allclose(
            found, TRACE[f"{name}.{item.name}"], rtol=1e-4, atol=2e-5, err_msg=item.name
        )


def test_every_loss_and_optimizer_has_a_case() -> None:
    one = {type(loss) for _, loss in LOSSES.values()}
    assert one | {LossSpec.Sum} == set(_variants(LossSpec))  # sums of these: test_sum_of_losses.py
    assert {type(optimizer) for _, optimizer, _ in CASES.values()} == set(_variants(OptimizerSpec))
    assert {type(schedule) for _, _, schedule in CASES.values()} == set(_variants(Schedule))


def _variants(enum: Any) -> list[type]:
    return [kind for kind in vars(enum).values() if isinstance(kind, type) and issubclass(kind, enum)]


def test_a_spec_survives_its_encoding() -> None:
    for name in CASES:
        spec = spec_of(name)
        assert decode(TrainingSpec, encode(TrainingSpec, spec)) == spec


def test_a_batch_in_which_no_class_counts_moves_nothing() -> None:
    """PyTorch's loss is NaN there (0 / 0); ours is 0, and so are the gradients on both sides."""
    spec = spec_of("loss.ignore_index")
    plan = compile_training(model(False), spec, BATCH)
    machine = Machine(plan, FUEL)
    assert plan.target is not None and plan.losses is not None
    machine.write(plan.inputs[0], TRACE["data.x"][:BATCH])
    machine.write(plan.target, np.full(BATCH, -100))
    machine.run(1, BATCH)
    assert machine.view(plan.losses)[0] == 0.0
    for item in plan.parameters:
        np.testing.assert_array_equal(machine.view(item.region), TRACE[f"start.{item.name}"])


@pytest.mark.parametrize(
    "loss", [LossSpec.CrossEntropy(), weighted(weights=WEIGHTS, ignore=-1, smoothing=bits(0.1))]
)
def test_classes_at_each_place(loss: LossSpec) -> None:
    """Logits [classes, places] and a class at each place, PyTorch's K-dimensional form. The oracle is the
    loss in float64 and its central differences."""
    rng = np.random.default_rng(8)
    rows, places = 6, 4
    x, w = rng.standard_normal((rows, 5)).astype(np.float32), rng.standard_normal((5, 12)).astype(np.float32)
    target = rng.integers(-1 if isinstance(loss, LossSpec.WeightedCrossEntropy) else 0, 3, (rows, places))
    shape = np.array([0, 3, places])
    nodes = [node("MatMul", "x w", "flat"), node("Reshape", "flat shape")]
    data = Case(nodes, (5,), {"w": w}, {"shape": shape}).bytes()
    plan = compile_training(data, training_spec(8, loss=loss, trainable=["w"]), rows, gradients_only=True)
    machine = Machine(plan, FUEL)
    assert plan.target is not None and plan.losses is not None and plan.target.shape[1:] == (places,)
    machine.write(plan.inputs[0], x)
    machine.write(plan.target, target)
    machine.run(1, rows)

    def value(weights: np.ndarray[Any, Any]) -> float:
        logits = (x.astype(np.float64) @ weights).reshape(rows, 3, places)
        return measure("loss", Predictions(loss, logits, target.astype(np.float64)))

    start = w.astype(np.float64)
    slopes = np.zeros_like(start)
    for place in np.ndindex(*start.shape):
        step = np.zeros_like(start)
        step[place] = 1e-6
        slopes[place] = (value(start + step) - value(start - step)) / 2e-6
    assert machine.view(plan.losses)[0] == pytest.approx(value(start), rel=1e-5)
    np.testing.assert_allclose(machine.view(plan.outputs[0]), slopes, rtol=1e-4, atol=1e-6)


# --- golden bits --------------------------------------------------------------------------------------------

GOLDEN_FILE = Path(__file__).parent.parent / "data/golden_rules.json"
GOLDEN = json.loads(GOLDEN_FILE.read_text()) if GOLDEN_FILE.exists() else {}


def digest(name: str) -> str:
    """Hash of the weights that a rule leaves."""
    spec = spec_of(name)
    plan = compile_training(model("kl" in name), spec, ROWS)
    machine, _ = run_plan(plan, spec, {"x": TRACE["data.x"]}, target_of(name))
    hasher = hashlib.blake2b(digest_size=8)
    for item in plan.parameters:
        hasher.update(machine.view(item.region).tobytes())
    return hasher.hexdigest()


@pytest.mark.parametrize("name", CASES)
def test_weights_are_the_golden_ones(name: str) -> None:
    """A change here is a change of NUMERICS: raise the number and approve with this file's `--approve`."""
    assert digest(name) == GOLDEN[str(NUMERICS)][name]


ELSEWHERE = ("optimizer.adam_options", "optimizer.rmsprop_options", "loss.all_options", "clip.clip_norm")


@pytest.mark.skipif(
    platform.machine() != "x86_64" or sys.platform != "linux", reason="names an x86-64 Linux target"
)
@pytest.mark.parametrize("name", ELSEWHERE)
def test_another_processor_gives_the_same_bits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest x86-64, without FMA, and code that is optimised otherwise."""
    monkeypatch.setattr(machines, "engine", _elsewhere("speed", "x86_64-unknown-linux-gnu"))
    assert digest(name) == GOLDEN[str(NUMERICS)][name]


if __name__ == "__main__" and sys.argv[1:] == ["--approve"]:
    GOLDEN[str(NUMERICS)] = {name: digest(name) for name in CASES}
    GOLDEN_FILE.write_text(json.dumps(GOLDEN, indent=1) + "\n")
