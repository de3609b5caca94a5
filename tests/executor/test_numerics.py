"""The fast kernels' golden weight hashes under their NUMERICS number: the same on every engine.

`tests/data/golden_kernels.json` names the wasmtime versions that gave these very bits;
`python -m tests.executor.test_numerics --approve` writes the hashes of a new number, `--confirm` adds the
installed wasmtime to the versions after checking every hash with it.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wasmtime

from executor.compiler import machine as machines
from executor.compiler.compile import compile_training
from executor.compiler.machine import Machine
from primitives.spec import NUMERICS, LossSpec
from tests.executor.compile_cases import FUEL, Case, node, training_spec
from tests.executor.test_compile_operators import noise

GOLDEN = Path(__file__).parent.parent / "data" / "golden_kernels.json"
ROWS, BATCH = 30, 12


def residual() -> Case:
    """Winograd in all passes, a stride of 2, a residual sum."""
    widths = [(16, 3), (16, 16), (16, 16), (20, 16)]
    weights = {f"w{k}": noise(o, c, 3, 3, seed=k) / (3 * c**0.5) for k, (o, c) in enumerate(widths)}
    nodes = [
        node("Conv", "x w0", "a", pads=[1] * 4),
        node("Relu", "a", "b"),
        node("Conv", "b w1", "c", pads=[1] * 4),
        node("Tanh", "c", "d"),
        node("Conv", "d w2", "e", pads=[1] * 4),
        node("Add", "b e", "f"),
        node("Conv", "f w3", "g", pads=[1] * 4, strides=[2, 2]),
        node("Sigmoid", "g", "h"),
        node("GlobalAveragePool", "h", "i"),
        node("Flatten", "i", "y"),
    ]
    return Case(nodes, (3, 8, 8), weights)


def recurrent(op: str, gates: int, **attributes: Any) -> Case:
    """Both directions, and a softmax over what they give."""
    weights = {
        "w": noise(2, gates * 6, 5, seed=1) / 2,
        "r": noise(2, gates * 6, 6, seed=2) / 2,
        "b": noise(2, 2 * gates * 6, seed=3) / 2,
    }
    layer = node(op, "x w r b", "h", hidden_size=6, layout=1, direction="bidirectional", **attributes)
    return Case([layer, node("Softmax", "h", "s", axis=-1), node("Flatten", "s", "y")], (7, 5), weights)


def attention() -> Case:
    """Products of rows with rows, softmax, exp and sqrt in a normalisation."""
    weights = {name: noise(8, 8, seed=k) / 2 for k, name in enumerate("qkvo")}
    nodes = [
        *(node("MatMul", f"x {name}", f"{name}1") for name in "qkv"),
        node("Transpose", "k1", "k2", perm=[0, 2, 1]),
        node("MatMul", "q1 k2", "s"),
        node("Softmax", "s", "p", axis=-1),
        node("MatMul", "p v1", "m"),
        node("MatMul", "m o", "n"),
        node("ReduceMean", "n", "mean", axes=[-1]),
        node("Sub", "n mean", "c"),
        node("Mul", "c c", "c2"),
        node("ReduceMean", "c2", "var", axes=[-1]),
        node("Sqrt", "var", "sd"),
        node("Div", "c sd", "z"),
        node("Flatten", "z", "y"),
    ]
    return Case(nodes, (6, 8), weights)


KERNELS: dict[str, tuple[Callable[[], Case], int]] = {
    "residual": (residual, 1),
    "lstm": (lambda: recurrent("LSTM", 4), 1),
    "gru": (lambda: recurrent("GRU", 3, linear_before_reset=1), 1),
    "rnn": (lambda: recurrent("RNN", 1), 1),
    "attention": (attention, 1),
    "residual in shards": (residual, 4),
}
"""Name → model, shards."""


def digest(name: str) -> str:
    """Hash of the weights after three epochs of MSE with momentum."""
    make, shards = KERNELS[name]
    case = make()
    spec = training_spec(
        BATCH,
        rate=0.1,
        momentum=0.9,
        loss=LossSpec.MeanSquaredError(),
        trainable=list(case.parameters),
        shards=shards,
    )
    plan = compile_training(case.bytes(), spec, ROWS)
    machine = Machine(plan, FUEL)
    assert plan.target is not None
    machine.write(plan.inputs[0], noise(ROWS, *case.features, seed=21))
    machine.write(plan.target, noise(ROWS, *plan.target.shape[1:], seed=22))
    for _ in range(3):
        machine.run(3, ROWS - 2 * BATCH)
    machine.finish()
    values = [machine.view(item.region) for item in plan.parameters]
    assert all(np.isfinite(value).all() for value in values)
    return hashlib.blake2b(b"".join(value.tobytes() for value in values), digest_size=16).hexdigest()


def golden() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(GOLDEN.read_text())
    return found


@pytest.mark.parametrize("name", KERNELS)
def test_weights_are_the_golden_ones(name: str) -> None:
    assert digest(name) == golden()[str(NUMERICS)]["weights"][name]


def elsewhere(level: str, target: str | None) -> Callable[..., wasmtime.Engine]:
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


@pytest.mark.skipif(sys.platform != "linux", reason="names a Linux target")
@pytest.mark.parametrize("name", KERNELS)
def test_no_other_engine_gives_other_bits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Optimised, and without fused multiply-adds: the oldest x86-64, or what this processor has least."""
    import platform

    oldest = {"x86_64": "x86_64-unknown-linux-gnu"}.get(platform.machine())
    for level, target in (("speed", None), ("none", oldest)):
        monkeypatch.setattr(machines, "engine", elsewhere(level, target))
        assert digest(name) == golden()[str(NUMERICS)]["weights"][name], (level, target)


def test_another_process_gives_the_same_bits() -> None:
    command = [sys.executable, "-m", "tests.executor.test_numerics", "residual"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=GOLDEN.parents[2])
    assert done.stdout.strip() == golden()[str(NUMERICS)]["weights"]["residual"]


def test_two_versions_of_wasmtime_gave_these_bits() -> None:
    """They are named beside the hashes; `--confirm` under another version adds it."""
    assert len(golden()[str(NUMERICS)]["wasmtime"]) >= 2


def version() -> str:
    from importlib.metadata import version as installed

    return installed("wasmtime")


if __name__ == "__main__":
    found = golden() if GOLDEN.exists() else {}
    if sys.argv[1] == "--approve":
        hashes = {name: digest(name) for name in KERNELS}
        found[str(NUMERICS)] = {"wasmtime": [version()], "weights": hashes}
    elif sys.argv[1] == "--confirm":
        entry = found[str(NUMERICS)]
        assert {name: digest(name) for name in KERNELS} == entry["weights"], "other bits"
        entry["wasmtime"] = sorted({*entry["wasmtime"], version()})
    else:
        print(digest(sys.argv[1]))
        sys.exit()
    GOLDEN.write_text(json.dumps(found, indent=1) + "\n")
