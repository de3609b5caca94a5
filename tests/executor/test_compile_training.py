"""Whole models against PyTorch, step by step; the same bits every time; fuel as quoted."""

import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import wasmtime
from numpy.typing import NDArray

from executor.compiler import machine as machines
from executor.compiler.compile import compile_training
from executor.compiler.machine import Machine
from executor.compiler.plan import EXPORTS, Plan
from executor.wasm.engine import engine
from primitives.data import Loss
from primitives.spec import NUMERICS, TrainingSpec
from tests.executor.compile_cases import FUEL, Case, node, training_spec

DATA = Path(__file__).parent.parent / "data"
ROWS, BATCH, EPOCHS = 52, 16, 3
MODELS: dict[str, tuple[tuple[int, ...], int, float, float]] = {
    "mlp": ((1, 8, 8), 10, 0.2, 0.0),
    "perceptron": ((12,), 0, 0.3, 0.9),
    "lenet": ((1, 28, 28), 10, 0.05, 0.9),
    "mixed": ((2, 11, 11), 4, 0.1, 0.5),
}
"""Name → features, classes (0: regression), rate, momentum; as in tests/data/make_traces.py."""


def data(features: tuple[int, ...], classes: int) -> tuple[NDArray[np.float32], NDArray[Any]]:
    rng = np.random.default_rng(7)
    x = rng.standard_normal((ROWS, *features), dtype=np.float32)
    if classes:
        return x, rng.integers(0, classes, ROWS)
    return x, rng.standard_normal((ROWS, 2), dtype=np.float32)


def spec_of(name: str, model: bytes, **changes: Any) -> TrainingSpec:
    _, classes, rate, momentum = MODELS[name]
    loss = Loss.CrossEntropy if classes else Loss.MeanSquaredError
    trace = np.load(DATA / f"{name}.trace.npz")
    names = [key for key in trace.files if key != "losses" and key.encode() in model]
    batch = changes.pop("batch", BATCH)
    values: dict[str, Any] = {
        "epochs": EPOCHS,
        "rate": rate,
        "momentum": momentum,
        "loss": loss,
        "trainable": names,
    }
    return training_spec(batch, **{**values, **changes})


def train(
    plan: Plan, x: NDArray[np.float32], target: NDArray[Any], epochs: int
) -> tuple[Machine, list[float]]:
    """Run all epochs in order; each call takes at most `rows_per_call` rows."""
    machine = Machine(plan, FUEL)
    losses: list[float] = []
    assert plan.target is not None and plan.losses is not None
    for _ in range(epochs):
        for first in range(0, len(x), plan.rows_per_call):
            rows = min(plan.rows_per_call, len(x) - first)
            machine.write(plan.inputs[0], x[first : first + rows])
            machine.write(plan.target, target[first : first + rows])
            steps = -(-rows // plan.batch)
            machine.run(steps, rows - (steps - 1) * plan.batch)
            losses += machine.view(plan.losses)[:steps].tolist()
    machine.finish()
    return machine, losses


def weights(machine: Machine) -> dict[str, NDArray[np.float32]]:
    return {item.name: machine.view(item.region).astype(np.float32) for item in machine.plan.parameters}


@pytest.mark.parametrize("exporter", ["torchscript", "dynamo"])
@pytest.mark.parametrize("name", MODELS)
def test_training_follows_pytorch(name: str, exporter: str) -> None:
    model = (DATA / f"{name}.{exporter}.onnx").read_bytes()
    features, classes, _, _ = MODELS[name]
    x, target = data(features, classes)
    plan = compile_training(model, spec_of(name, model), ROWS)
    machine, losses = train(plan, x, target, EPOCHS)
    trace = np.load(DATA / f"{name}.trace.npz")
    np.testing.assert_allclose(losses, trace["losses"], rtol=2e-5, atol=2e-6)
    found = weights(machine)
    assert found
    for key, value in found.items():
        np.testing.assert_allclose(value, trace[key], rtol=1e-4, atol=1e-5, err_msg=key)


@pytest.mark.parametrize("name", MODELS)
def test_fuel_used_is_the_fuel_quoted(name: str) -> None:
    model = (DATA / f"{name}.torchscript.onnx").read_bytes()
    features, classes, _, _ = MODELS[name]
    x, target = data(features, classes)
    plan = compile_training(model, spec_of(name, model), ROWS)
    machine, _ = train(plan, x, target, EPOCHS)
    assert FUEL - machine.fuel_left() == plan.fuel


def digest(name: str) -> str:
    """Hash of the trained weights."""
    model = (DATA / f"{name}.torchscript.onnx").read_bytes()
    features, classes, _, _ = MODELS[name]
    plan = compile_training(model, spec_of(name, model), ROWS)
    machine, _ = train(plan, *data(features, classes), EPOCHS)
    hasher = hashlib.blake2b(digest_size=16)
    for item in plan.parameters:
        hasher.update(machine.view(item.region).tobytes())
    return hasher.hexdigest()


@pytest.mark.parametrize("name", MODELS)
def test_another_process_gives_the_same_bits(name: str) -> None:
    """Hash seeds, and with them the order of every set, differ between the two."""
    there = subprocess.run(
        [sys.executable, "-m", "tests.executor.test_compile_training", name],
        capture_output=True, text=True, check=True, cwd=DATA.parent.parent, timeout=60,
    )  # fmt: skip
    assert there.stdout.strip() == digest(name)


@pytest.mark.parametrize("name", MODELS)
def test_modules_import_nothing_and_have_fixed_memory(name: str) -> None:
    model = (DATA / f"{name}.torchscript.onnx").read_bytes()
    plan = compile_training(model, spec_of(name, model), ROWS)
    module = wasmtime.Module(engine(), plan.module)
    assert module.imports == []
    kinds = {item.name: item.type for item in module.exports}
    assert set(kinds) == set(EXPORTS)
    memory = kinds["memory"]
    assert isinstance(memory, wasmtime.MemoryType)
    assert memory.limits.min == memory.limits.max == plan.pages


@pytest.mark.parametrize("name", ["mlp", "lenet"])
def test_padding_rows_do_not_count(name: str) -> None:
    """A batch of 5 rows alone, and the same 5 rows in a step for 16, give the same weights but for the sum's
    order."""
    model = (DATA / f"{name}.torchscript.onnx").read_bytes()
    features, classes, _, _ = MODELS[name]
    x, target = data(features, classes)
    found = []
    for batch in (5, 16):
        plan = compile_training(model, spec_of(name, model, epochs=1, batch=batch), 5)
        found.append(weights(train(plan, x[:5], target[:5], 1)[0]))
    for key in found[0]:
        np.testing.assert_allclose(found[0][key], found[1][key], rtol=1e-5, atol=1e-6)


def test_frozen_parameters_stay() -> None:
    model = (DATA / "mlp.torchscript.onnx").read_bytes()
    features, classes, _, _ = MODELS["mlp"]
    plan = compile_training(model, spec_of("mlp", model, trainable=["3.bias"]), ROWS)
    assert [item.name for item in plan.parameters] == ["3.bias"]
    _machine, losses = train(plan, *data(features, classes), EPOCHS)
    assert losses[-1] < losses[0]
    whole = compile_training(model, spec_of("mlp", model, trainable=[]), ROWS)
    assert {item.name: item.fan_in for item in whole.parameters} == {
        "1.weight": 64, "1.bias": 0, "3.weight": 32, "3.bias": 0,
    }  # fmt: skip


def test_single_numbers_are_not_trained_unless_named() -> None:
    """PyTorch's exporter stores the constants of the program, such as clamp's bounds, among the
    initialisers."""
    model = (DATA / "mixed.dynamo.onnx").read_bytes()
    plan = compile_training(model, spec_of("mixed", model, trainable=[]), ROWS)
    assert {item.name for item in plan.parameters} == {
        "mix",
        "one.weight",
        "one.bias",
        "two.weight",
        "last.weight",
        "last.bias",
    }


def test_an_input_may_be_called_target() -> None:
    case = Case([node("Gemm", "target w")], (4,), {"w": np.ones((4, 3), np.float32)})
    model = onnx.load_from_string(case.bytes())
    model.graph.input[0].name = "target"
    plan = compile_training(model.SerializeToString(), training_spec(8, inputs=["target"]), 8)
    assert plan.target is not None
    assert plan.inputs[0].name != plan.target.name
    assert plan.inputs[0].offset != plan.target.offset
    assert plan.targets[0].classes == 3


def test_nan_that_leaves_is_canonical() -> None:
    model = (DATA / "mlp.torchscript.onnx").read_bytes()
    features, classes, _, _ = MODELS["mlp"]
    x, target = data(features, classes)
    plan = compile_training(model, spec_of("mlp", model), ROWS)
    x[3, 0, 2, 2] = np.array([0xFFC12345], dtype=np.uint32).view(np.float32)[0]
    machine, losses = train(plan, x, target, 1)
    assert np.isnan(losses[0])
    everything = np.concatenate([machine.view(item.region).reshape(-1) for item in plan.parameters])
    nans = np.isnan(everything)
    assert nans.any() and (everything.view(np.uint32)[nans] == 0x7FC00000).all()


GOLDEN = json.loads((DATA / "golden_weights.json").read_text())


@pytest.mark.parametrize("name", MODELS)
def test_weights_are_the_golden_ones(name: str) -> None:
    """A change here is a change of NUMERICS: raise the number and approve with this file's `--approve`."""
    assert digest(name) == GOLDEN[str(NUMERICS)][name]


def _elsewhere(level: str, target: str | None) -> Callable[..., wasmtime.Engine]:
    """An engine as executor/wasm/engine.py's, but for another optimisation level or processor."""

    def build(fuel: bool = True) -> wasmtime.Engine:
        config = wasmtime.Config()
        config.consume_fuel = fuel
        config.wasm_relaxed_simd = True
        config.wasm_relaxed_simd_deterministic = True
        config.cranelift_opt_level = level
        if target:
            config.target = target
        return wasmtime.Engine(config)

    return build


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("level", ["none", "speed"])
def test_optimisation_level_changes_no_bit(name: str, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "engine", _elsewhere(level, None))
    assert digest(name) == GOLDEN[str(NUMERICS)][name]


@pytest.mark.skipif(
    platform.machine() != "x86_64" or sys.platform != "linux", reason="names an x86-64 Linux target"
)
@pytest.mark.parametrize("name", MODELS)
def test_processor_without_fma_gives_the_same_bits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest x86-64, without FMA, AVX or SSE4: fused multiply-adds become calls of a software routine."""
    monkeypatch.setattr(machines, "engine", _elsewhere("none", "x86_64-unknown-linux-gnu"))
    assert digest(name) == GOLDEN[str(NUMERICS)][name]


if __name__ == "__main__":
    if sys.argv[1] == "--approve":
        GOLDEN[str(NUMERICS)] = {name: digest(name) for name in MODELS}
        (DATA / "golden_weights.json").write_text(json.dumps(GOLDEN, indent=1) + "\n")
    else:
        print(digest(sys.argv[1]))
