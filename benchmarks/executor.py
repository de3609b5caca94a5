"""Training steps in the enclave against what an ML engineer would run instead.

The peer of the MLP is the same step written by hand in NumPy; where PyTorch is installed (it is no dependency
of ours), it is measured in the same run and named instead. One thread each.
"""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figure import Figure, seconds_each
from executor.compiler.compile import compile_training
from executor.compiler.machine import Machine
from executor.compiler.plan import Plan
from primitives.job import (
    NUMERICS,
    SPEC_VERSION,
    Init,
    InputMap,
    Loss,
    OptimizerSpec,
    Schedule,
    Target,
    TrainingSpec,
    float_bits,
    model_hash,
)

DIGITS = Path(__file__).parents[1] / "examples" / "digits"
BATCH = 32
RATE = 0.01
MICRO = 1e6


def figures() -> Iterator[Figure]:
    """Microseconds a step of both demo models, batch 32, and seconds to compile."""
    for name in ("mlp", "cnn"):
        model = (DIGITS / f"{name}.onnx").read_bytes()
        plan = compile_training(model, _spec(model), 50 * BATCH)
        ours = _step_seconds(plan) * MICRO
        peer, peer_seconds = _peer(name)
        yield Figure(f"{name}_step_us", ours, "µs", peer, peer_seconds and peer_seconds * MICRO)
        flops = plan.flops / plan.steps
        yield Figure(f"{name}_gflops", flops / ours / 1e3, "GFLOP/s")
        compiling = seconds_each(lambda m=model: compile_training(m, _spec(m), BATCH), runs=3)  # type: ignore[misc]
        yield Figure(f"{name}_compile_ms", compiling * 1e3, "ms")


def _spec(model: bytes) -> TrainingSpec:
    return TrainingSpec(
        version=SPEC_VERSION,
        numerics=NUMERICS,
        model_hash=model_hash(model),
        inputs=[InputMap(column=b"pixels", tensor=b"pixels", affine=None)],
        target=Target(column=b"label", tensor=b"logits"),
        loss=Loss.CrossEntropy,
        optimizer=OptimizerSpec.Sgd(rate=float_bits(RATE), momentum=0),
        schedule=Schedule.Constant(),
        epochs=1,
        batch=BATCH,
        seed=bytes(32),
        init=Init.Given(),
        trainable=[],
        dp=None,
        shuffle=False,
        shards=1,
    )


def _rows(count: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    table = np.loadtxt(DIGITS / "provider.csv", delimiter=",", skiprows=1, max_rows=count, dtype=np.float32)
    pixels = (table[:, :64] / 16).reshape(-1, 1, 8, 8)
    return np.ascontiguousarray(pixels), table[:, 64].astype(np.int32)


def _step_seconds(plan: Plan) -> float:
    """Many steps a call, as the enclave runs them, with fuel counted."""
    machine = Machine(plan, fuel=2**62)
    steps = plan.steps_per_call
    pixels, labels = _rows(steps * BATCH)
    steps = len(labels) // BATCH
    machine.write(plan.inputs[0], pixels[: steps * BATCH])
    assert plan.target is not None
    machine.write(plan.target, labels[: steps * BATCH])
    return seconds_each(lambda: machine.run(steps, BATCH)) / steps


def _peer(name: str) -> tuple[str, float | None]:
    if find_spec("torch"):
        return "PyTorch eager, 1 thread", seconds_each(_torch_step(name))
    if name == "mlp":
        return "the same step in NumPy", seconds_each(_numpy_step())
    return "", None


def _numpy_step() -> Callable[[], object]:
    """64-128-10, ReLU, cross-entropy, SGD, by hand."""
    pixels, labels = _rows(BATCH)
    x, y = pixels.reshape(BATCH, 64), labels
    w1, w2 = np.full((64, 128), 0.01, np.float32), np.full((128, 10), 0.01, np.float32)
    b1, b2 = np.zeros(128, np.float32), np.zeros(10, np.float32)
    rate, lane = np.float32(RATE / BATCH), np.arange(BATCH)

    def step() -> None:
        hidden = np.maximum(x @ w1 + b1, 0)
        logits = hidden @ w2 + b2
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        gradient = powers / powers.sum(axis=1, keepdims=True)
        gradient[lane, y] -= 1
        back = (gradient @ w2.T) * (hidden > 0)
        w2[:] -= rate * (hidden.T @ gradient)
        b2[:] -= rate * gradient.sum(axis=0)
        w1[:] -= rate * (x.T @ back)
        b1[:] -= rate * back.sum(axis=0)

    return step


def _torch_step(name: str) -> Callable[[], object]:
    import torch
    from torch import nn

    torch.set_num_threads(1)
    models = {
        "mlp": lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)),
        "cnn": lambda: nn.Sequential(
            *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU()),
            *(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10)),
        ),
    }
    model = models[name]()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    pixels, labels = _rows(BATCH)
    x, y = torch.from_numpy(pixels), torch.from_numpy(labels.astype(np.int64))

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    return step
