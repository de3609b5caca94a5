"""Matrices that never change are packed when the plan is made: the same bits as packed in each step, nothing
held twice, fuel as quoted."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from executor import errors
from executor.compiler.compile import compile_forward, compile_training
from executor.compiler.kernels.packing import TURNED_STEPS
from executor.compiler.lowering import places
from executor.compiler.machine import Machine
from primitives.data import Loss
from tests.executor.compile_cases import FUEL, Case, node, training_spec
from tests.executor.test_compile_operators import noise

Found = tuple[bytes, dict[str, bytes]]


def layers(inner: int, width: int) -> Case:
    """Three matrices, the second one read by rows; [inner] → [width] → [inner] → [3]."""
    parameters = {
        "a": noise(inner, width, seed=1, scale=inner**-0.5),
        "b": noise(inner, width, seed=2, scale=width**-0.5),
        "c": noise(inner, 3, seed=3, scale=inner**-0.5),
    }
    nodes = [
        node("MatMul", "x a", "h"),
        node("Relu", "h", "r"),
        node("Gemm", "r b", "s", transB=1),
        node("MatMul", "s c", "y"),
    ]
    return Case(nodes, (inner,), parameters)


def a_step(case: Case, trainable: list[str], x: NDArray[np.float32], target: NDArray[Any]) -> Found:
    """Loss and gradients of one step; the fuel is as quoted."""
    spec = training_spec(len(x), loss=Loss.MeanSquaredError, trainable=trainable)
    plan = compile_training(case.bytes(), spec, len(x), gradients_only=True)
    machine = Machine(plan, FUEL)
    machine.write(plan.inputs[0], x)
    assert plan.target is not None and plan.losses is not None
    machine.write(plan.target, target)
    machine.run(1, len(x))
    machine.finish()
    assert FUEL - machine.fuel_left() == plan.fuel
    gradients = {region.name: machine.view(region).tobytes() for region in plan.outputs}
    return machine.view(plan.losses).tobytes(), gradients


@pytest.mark.parametrize(
    ("inner", "width", "batch"),
    [(5, 9, 8), (70, 33, 24), (TURNED_STEPS + 5, 12, 200), (40, 1024, 8), (40, 1024, 24)],
)
def test_frozen_layers_give_the_bits_that_trained_ones_give(inner: int, width: int, batch: int) -> None:
    case, x, target = layers(inner, width), noise(batch, inner, seed=4), noise(batch, 3, seed=5)
    loss, every = a_step(case, ["a", "b", "c"], x, target)
    for trainable in (["c"], ["a", "c"], ["b"]):
        assert a_step(case, trainable, x, target) == (loss, {name: every[name] for name in trainable})


@pytest.mark.parametrize("tokens", [1, 2, 5])
def test_what_all_blocks_use_is_packed_once_in_a_step(tokens: int) -> None:
    """Each matrix by rows, by columns or both ways; one used twice in the same way has one packed form."""
    inner, width, batch = 6, 9, 24
    parameters = {
        "a": noise(inner, width, seed=1, scale=0.4),
        "b": noise(width, inner, seed=2, scale=0.3),
        "c": noise(inner, 3, seed=3, scale=0.4),
    }
    products = ["x a h", "h b k", "k a l", "l b m", "m c n"]
    nodes = [node("MatMul", *product.rsplit(" ", 1)) for product in products]
    case = Case([*nodes, node("Flatten", "n", "y")], (tokens, inner), parameters)
    x, target = noise(batch, tokens, inner, seed=4), noise(batch, tokens * 3, seed=5)
    loss, every = a_step(case, ["a", "b", "c"], x, target)
    for trainable in (["a"], ["c"], ["b", "c"]):
        assert a_step(case, trainable, x, target) == (loss, {name: every[name] for name in trainable})
    spec = training_spec(batch, loss=Loss.MeanSquaredError, trainable=["a", "b", "c"])
    plan = compile_training(case.bytes(), spec, batch)
    assert sum(name.startswith("pack.") for name, _, _ in plan.kernels) == 6
    alone = compile_training(case.bytes(), training_spec(8, loss=Loss.MeanSquaredError), batch)
    assert not any(name.startswith("pack.") for name, _, _ in alone.kernels)


def test_a_matrix_whose_columns_share_a_set_of_the_cache_is_packed_whole() -> None:
    """`a` is read by columns forwards, `b` for the gradient; one float more a row, and nothing is."""
    for width, count in ((1024, 2), (1025, 0)):
        spec = training_spec(16, loss=Loss.MeanSquaredError, trainable=["a", "b", "c"])
        plan = compile_training(layers(40, width).bytes(), spec, 16)
        assert sum(name.startswith("pack.") for name, _, _ in plan.kernels) == count


def test_frozen_recurrent_weights_give_the_bits_that_trained_ones_give() -> None:
    turns, width, hidden = 5, 3, 9
    parameters = {
        "w": noise(1, 4 * hidden, width, seed=1, scale=0.4),
        "r": noise(1, 4 * hidden, hidden, seed=2, scale=0.3),
        "b": noise(1, 8 * hidden, seed=3, scale=0.2),
    }
    layer = node("LSTM", "x w r b", "h", hidden_size=hidden, layout=1)
    case = Case([layer, node("Flatten", "h", "y")], (turns, width), parameters)
    x, target = noise(40, turns, width, seed=4), noise(40, turns * hidden, seed=5)
    loss, every = a_step(case, ["w", "r", "b"], x, target)
    for name in every:
        assert a_step(case, [name], x, target) == (loss, {name: every[name]})


def test_a_plan_holds_a_constant_matrix_once() -> None:
    case = layers(64, 40)
    plan = compile_forward(case.bytes(), 8, 8)
    assert len(plan.constants) == 3
    values = {data for _, data in plan.constants}
    assert values.isdisjoint(value.tobytes() for value in case.parameters.values())
    x = noise(8, 64, seed=4)
    assert np.allclose(case.forward(x), case.oracle(x), rtol=1e-5, atol=1e-5)


def test_what_also_reads_a_matrix_plainly_finds_it() -> None:
    """The same initialiser as a matrix, added to rows, transposed, and cut."""
    nodes = [
        node("MatMul", "x w", "h"),
        node("Add", "h w", "k"),
        node("Transpose", "w", "turned", perm=[1, 0]),
        node("MatMul", "k turned", "g"),
        node("Slice", "w starts ends", "cut"),
        node("Reshape", "cut sides", "short"),
        node("MatMul", "g short", "y"),
    ]
    integers = {
        "starts": np.array([1], np.int64),
        "ends": np.array([8], np.int64),
        "sides": np.array([8, 7], np.int64),
    }
    case = Case(nodes, (8, 8), {"w": noise(8, 8, scale=0.3)}, integers)
    x = noise(24, 8, 8, seed=4)
    assert np.allclose(case.forward(x), case.oracle(x), rtol=1e-5, atol=1e-5)


def test_a_spread_matrix_is_not_packed() -> None:
    """Its value would be larger than the file that it came from."""
    nodes = [node("Expand", "w shape", "wide"), node("MatMul", "x wide", "y")]
    case = Case(nodes, (64,), {"w": noise(64, 1)}, {"shape": np.array([64, 300], np.int64)})
    plan = compile_forward(case.bytes(), 8, 8)
    assert sum(len(data) for _, data in plan.constants) == 4 * 64
    x = noise(8, 64, seed=4)
    assert np.allclose(case.forward(x), case.oracle(x), rtol=1e-5, atol=1e-5)


def test_constants_beyond_the_memory_are_refused_before_they_are_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each part of a matrix would be packed of its own."""
    parts = [node("Slice", f"w start{k} end", f"part{k}") for k in range(40)]
    products = [node("MatMul", f"x part{k}", f"y{k}") for k in range(40)]
    whole = node("Concat", " ".join(f"y{k}" for k in range(40)), axis=1)
    integers = {f"start{k}": np.array([0, k], np.int64) for k in range(40)}
    case = Case(
        [*parts, *products, whole],
        (64,),
        {"w": noise(64, 200)},
        integers | {"end": np.array([64, 200], np.int64)},
    )
    assert len(case.bytes()) < 100_000
    compile_forward(case.bytes(), 8, 8)
    monkeypatch.setattr(places, "MEMORY_MAX", 500_000)
    with pytest.raises(errors.TooLarge):
        compile_forward(case.bytes(), 8, 8)


def test_what_every_turn_uses_is_packed_before_the_loop() -> None:
    """However many turns there are: each gate's recurrent matrix once forwards, once for the gradient."""
    hidden, found = 9, []
    for turns in (4, 40):
        parameters = {
            "w": noise(1, 4 * hidden, 3, seed=1),
            "r": noise(1, 4 * hidden, hidden, seed=2),
        }
        layer = node("LSTM", "x w r", "h", hidden_size=hidden, layout=1)
        case = Case([layer, node("Flatten", "h", "y")], (turns, 3), parameters)
        spec = training_spec(32, loss=Loss.MeanSquaredError, trainable=["w", "r"])
        plan = compile_training(case.bytes(), spec, 32)
        found.append([(name, fuel) for name, fuel, _ in plan.kernels if name.startswith("pack")])
    assert found[0] == found[1] and len(found[0]) == 8 + 4  # and what all inputs meet before the loop
