"""DP-SGD in the module: sums against NumPy, the bound on one row against everything a row can be."""

from fractions import Fraction

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import helper

from executor.compiler.compile import compile_training
from executor.compiler.machine import Machine
from executor.compiler.plan import Plan
from executor.errors import NotPrivate, SpecError, TooLarge
from executor.privacy.grid import grid
from primitives.data import Loss
from primitives.spec import Dp, TrainingSpec
from tests.executor.compile_cases import F32, Case, training_spec
from tests.executor.planted import ROOT

DIGITS = ROOT / "examples" / "digits"
SIGMA = Dp(clip_num=1, clip_den=1, sigma_milli=1000)


def node(kind: str, inputs: list[str], output: str, **attributes: object) -> onnx.NodeProto:
    return helper.make_node(kind, inputs, [output], **attributes)


def tensor(rng: np.random.Generator, *shape: int) -> F32:
    return (rng.standard_normal(shape) * 0.5).astype(np.float32)


def cases() -> dict[str, tuple[bytes, tuple[int, ...], Loss]]:
    """Models that take every way through `executor.compiler.private`."""
    rng = np.random.default_rng(3)
    dense = Case(
        [
            node("Gemm", ["x", "w", "b"], "h", transB=1),
            node("Tanh", ["h"], "t"),
            node("MatMul", ["t", "v"], "y"),
        ],
        (5,),
        {"w": tensor(rng, 7, 5), "b": tensor(rng, 7), "v": tensor(rng, 7, 3)},
    )
    tied = Case(
        [node("MatMul", ["x", "w"], "h"), node("Relu", ["h"], "r"), node("MatMul", ["r", "w"], "y")],
        (4,),
        {"w": tensor(rng, 4, 4)},
    )
    sequence = Case(
        [node("MatMul", ["x", "w"], "h"), node("Sigmoid", ["h"], "s"), node("Flatten", ["s"], "f"),
         node("MatMul", ["f", "v"], "y")],
        (3, 4),
        {"w": tensor(rng, 4, 2), "v": tensor(rng, 6, 3)},
    )  # fmt: skip
    transformed = Case(
        [node("Mul", ["w", "k"], "u"), node("Transpose", ["u"], "t", perm=[1, 0]),
         node("MatMul", ["x", "t"], "h"), node("Add", ["h", "b"], "y")],
        (6,),
        {"w": tensor(rng, 3, 6), "k": tensor(rng, 1, 6), "b": tensor(rng, 3)},
    )  # fmt: skip
    grouped = Case(
        [node("Conv", ["x", "w", "b"], "c", group=2, pads=[1, 1, 1, 1], strides=[2, 1]),
         node("Relu", ["c"], "r"), node("Flatten", ["r"], "f"), node("MatMul", ["f", "v"], "y")],
        (4, 5, 3),
        {"w": tensor(rng, 6, 2, 3, 3), "b": tensor(rng, 6), "v": tensor(rng, 54, 3)},
    )  # fmt: skip
    recurrent = Case(
        [node("LSTM", ["x", "w", "r"], "all", hidden_size=3, layout=1), node("Flatten", ["all"], "f"),
         node("MatMul", ["f", "v"], "y")],
        (4, 2),
        {"w": tensor(rng, 1, 12, 2), "r": tensor(rng, 1, 12, 3), "v": tensor(rng, 12, 3)},
    )  # fmt: skip
    wide = Case(  # as many channels as the Winograd kernels take
        [node("Conv", ["x", "w"], "c", pads=[1, 1, 1, 1]), node("Relu", ["c"], "r"),
         node("Conv", ["r", "u"], "d"), node("GlobalAveragePool", ["d"], "p"), node("Flatten", ["p"], "y")],
        (16, 6, 6),
        {"w": tensor(rng, 16, 16, 3, 3), "u": tensor(rng, 3, 16, 3, 3)},
    )  # fmt: skip
    normalised = Case(
        [node("MatMul", ["x", "w"], "h"), node("LayerNormalization", ["h", "s", "b"], "n", axis=-1),
         node("Softmax", ["n"], "p", axis=-1), node("MatMul", ["p", "v"], "y")],
        (4,),
        {"w": tensor(rng, 4, 6), "s": tensor(rng, 6), "b": tensor(rng, 6), "v": tensor(rng, 6, 3)},
    )  # fmt: skip
    turn = helper.make_graph(
        [node("Gather", ["steps", "i"], "step", axis=0), node("MatMul", ["step", "w"], "a"),
         node("MatMul", ["h", "r"], "b"), node("Add", ["a", "b"], "s"), node("Tanh", ["s"], "next"),
         node("Identity", ["c"], "again")],
        "turn",
        [helper.make_tensor_value_info(name, kind, None) for name, kind in (("i", 7), ("c", 9), ("h", 1))],
        [helper.make_tensor_value_info(name, kind, None) for name, kind in (("again", 9), ("next", 1))],
    )  # fmt: skip
    looped = Case(  # zeros of the batch, as tf2onnx writes the first state
        [node("Transpose", ["x"], "steps", perm=[1, 0, 2]), node("Shape", ["x"], "sizes"),
         node("Gather", ["sizes", "first"], "rows"), node("Concat", ["rows", "width"], "state", axis=0),
         node("Expand", ["nought", "state"], "zeros"),
         node("Loop", ["turns", "", "zeros"], "last", body=turn), node("MatMul", ["last", "v"], "y")],
        (4, 2),
        {"w": tensor(rng, 2, 3), "r": tensor(rng, 3, 3), "v": tensor(rng, 3, 3),
         "nought": np.zeros((), np.float32)},
        {"first": np.array([0]), "width": np.array([3]), "turns": np.array(4)},
    )  # fmt: skip
    found = {
        "looped": (looped.proto().SerializeToString(), (4, 2), Loss.CrossEntropy),
        "recurrent": (recurrent.proto().SerializeToString(), (4, 2), Loss.CrossEntropy),
        "wide": (wide.proto().SerializeToString(), (16, 6, 6), Loss.CrossEntropy),
        "normalised": (normalised.proto().SerializeToString(), (4,), Loss.CrossEntropy),
        "dense": (dense.proto().SerializeToString(), (5,), Loss.CrossEntropy),
        "tied": (tied.proto().SerializeToString(), (4,), Loss.MeanSquaredError),
        "sequence": (sequence.proto().SerializeToString(), (3, 4), Loss.CrossEntropy),
        "transformed": (transformed.proto().SerializeToString(), (6,), Loss.CrossEntropy),
        "grouped": (grouped.proto().SerializeToString(), (4, 5, 3), Loss.CrossEntropy),
    }
    for name in ("mlp", "cnn"):
        found[name] = ((DIGITS / f"{name}.onnx").read_bytes(), (1, 8, 8), Loss.CrossEntropy)
    return found


CASES = cases()


def spec_of(name: str, batch: int, dp: Dp | None) -> TrainingSpec:
    _, _, loss = CASES[name]
    digits = name in ("mlp", "cnn")
    return training_spec(
        batch, loss=loss, inputs=["pixels" if digits else "x"], target="logits" if digits else "y", dp=dp
    )


def data(name: str, rows: int, seed: int = 0) -> tuple[F32, NDArray[np.generic]]:
    _, features, loss = CASES[name]
    rng = np.random.default_rng(seed)
    x = (3 * rng.standard_normal((rows, *features))).astype(np.float32)
    if loss is Loss.CrossEntropy:
        return x, rng.integers(0, 3, rows).astype(np.int32)
    return x, rng.standard_normal((rows, *features)).astype(np.float32)


def gradients(plan: Plan, x: F32, target: NDArray[np.generic], noise: NDArray[np.int32] | None = None) -> F32:
    """All gradients of one step, in one vector."""
    machine = Machine(plan)
    machine.write(plan.inputs[0], x)
    assert plan.target is not None
    machine.write(plan.target, target)
    if noise is not None and plan.noise is not None:
        machine.write(plan.noise, noise)
    machine.run(1, len(x))
    machine.finish()
    return np.concatenate([machine.view(region).reshape(-1) for region in plan.outputs]).astype(np.float32)


@pytest.mark.parametrize("name", CASES)
def test_a_step_is_the_mean_of_clipped_gradients(name: str) -> None:
    model, rows = CASES[name][0], 11
    x, target = data(name, rows)
    single = compile_training(model, spec_of(name, 1, None), 1, gradients_only=True)
    each = [gradients(single, x[i : i + 1], target[i : i + 1]).astype(np.float64) for i in range(rows)]
    norms = [float(np.linalg.norm(g)) for g in each]
    clip = float(np.median(norms))  # some rows are clipped, some are not
    dp = Dp(clip_num=round(clip * 10**6), clip_den=10**6, sigma_milli=1000)
    plan = compile_training(model, spec_of(name, 16, dp), rows, gradients_only=True)
    found = gradients(plan, x, target)
    expected = sum(g * min(1.0, clip / norm) for g, norm in zip(each, norms, strict=True)) / 16
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()


def test_an_embedding_learns_from_its_own_rows_alone() -> None:
    rng = np.random.default_rng(5)
    table = tensor(rng, 9, 4)
    graph = helper.make_graph(
        [node("Gather", ["e", "x"], "h"), node("Flatten", ["h"], "f"), node("MatMul", ["f", "v"], "y")],
        "embedding",
        [helper.make_tensor_value_info("x", onnx.TensorProto.INT64, ["n", 2])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", 3])],
        [onnx.numpy_helper.from_array(table, "e"), onnx.numpy_helper.from_array(tensor(rng, 8, 3), "v")],
    )
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    x, target = np.array([[1, 2], [2, 8]]), np.array([0, 1], dtype=np.int32)
    plain, private = (
        gradients(
            compile_training(model, training_spec(8, dp=dp, trainable=["e"]), 2, gradients_only=True),
            x,
            target,
        ).reshape(9, 4)
        for dp in (None, Dp(clip_num=100, clip_den=1, sigma_milli=1000))
    )
    assert np.allclose(private * 8 / 2, plain, atol=1e-4)
    assert not private[[0, 3, 4, 5, 6, 7]].any() and private[[1, 2, 8]].any(axis=1).all()


@pytest.mark.parametrize("name", ["dense", "sequence"])
def test_noise_is_added_in_whole_grid_units(name: str) -> None:
    model, rows = CASES[name][0], 8
    x, target = data(name, rows)
    plan = compile_training(model, spec_of(name, 8, SIGMA), rows, gradients_only=True)
    quiet = gradients(plan, x, target)
    noise = np.random.default_rng(1).integers(-(2**27), 2**27, len(quiet)).astype(np.int32)
    assert plan.noise is not None and plan.noise.shape == (1, len(quiet))
    unit = float(grid(SIGMA, 8, len(quiet)).value(8))
    difference = gradients(plan, x, target, noise) - quiet
    assert np.allclose(difference, noise * unit, rtol=1e-5, atol=unit)


MAGNITUDES = st.sampled_from(
    [0.0, -0.0, 1e-45, 1e-38, 1e-30, 1e-19, 1e-7, 0.3, 1.0, 77.0, 1e7, 1e19, 1e25, 3e38]
)


def times(values: F32, factor: float) -> F32:
    """Within float32's range."""
    return np.clip(values.astype(np.float64) * factor, -3.4e38, 3.4e38).astype(np.float32)


@pytest.mark.parametrize("name", ["dense", "tied", "sequence", "transformed", "grouped"])
@given(st.data())
@settings(max_examples=25, deadline=None)
def test_one_row_never_moves_the_sum_by_more_than_the_bound(name: str, some: st.DataObject) -> None:
    """Whatever the row holds, and whatever the parameters: weights of a buyer may be built for this."""
    model, _, loss = CASES[name]
    proto = onnx.load_model_from_string(model)
    for initialiser in proto.graph.initializer:
        value = times(onnx.numpy_helper.to_array(initialiser), some.draw(MAGNITUDES))
        initialiser.CopyFrom(onnx.numpy_helper.from_array(value, initialiser.name))
    shift = some.draw(st.integers(-20, 20))
    dp = Dp(clip_num=2 ** max(shift, 0), clip_den=2 ** max(-shift, 0), sigma_milli=1000)
    plan = compile_training(proto.SerializeToString(), spec_of(name, 8, dp), 1, gradients_only=True)
    x, target = data(name, 1, some.draw(st.integers(0, 99)))
    x = times(x, some.draw(MAGNITUDES))
    if loss is not Loss.CrossEntropy:
        target = times(target.astype(np.float32), some.draw(MAGNITUDES))
    elif some.draw(st.booleans()):
        target[0] = -1
    found = gradients(plan, x, target)
    steps = grid(dp, 8, len(found))
    whole = found.astype(np.float64) / float(steps.value(8))
    numbers = [int(n) for n in np.rint(whole)]
    assert np.abs(whole - np.rint(whole)).max() < 0.2, "the sum is not on the grid"
    assert sum(n * n for n in numbers) <= steps.bound**2


def test_infinite_rows_add_nothing_and_harm_no_other() -> None:
    model = CASES["dense"][0]
    x, target = data("dense", 8)
    plan = compile_training(model, spec_of("dense", 8, SIGMA), 8, gradients_only=True)
    x[3] = 0
    without = gradients(plan, x, target)
    x[3] = 3e38  # its products overflow
    hostile = gradients(plan, x, target)
    assert np.isfinite(hostile).all()
    alone = compile_training(model, spec_of("dense", 8, SIGMA), 1, gradients_only=True)
    zero_row = np.zeros((1, 5), dtype=np.float32)
    share = gradients(alone, zero_row, target[3:4])
    assert np.allclose(hostile, without - share, atol=1e-6)


def test_rows_that_only_pad_the_batch_add_nothing() -> None:
    model = CASES["dense"][0]
    x, target = data("dense", 3)
    whole = gradients(compile_training(model, spec_of("dense", 8, SIGMA), 3, gradients_only=True), x, target)
    parts = [
        gradients(
            compile_training(model, spec_of("dense", 8, SIGMA), 1, gradients_only=True),
            x[i : i + 1],
            target[i : i + 1],
        )
        for i in range(3)
    ]
    assert np.allclose(whole, sum(parts), atol=2e-6)


def test_grids_are_refused_that_cannot_hold_the_gradients() -> None:
    with pytest.raises(TooLarge):
        grid(SIGMA, 1 << 16, 10**8)
    for clip in (Fraction(1, 2**21), Fraction(2**21)):
        with pytest.raises(SpecError):
            grid(Dp(clip_num=clip.numerator, clip_den=clip.denominator, sigma_milli=1000), 8, 10)
    assert issubclass(NotPrivate, SpecError)


@given(st.integers(1, 2**32 - 1), st.integers(1, 1 << 16), st.integers(1, 10**6))
@settings(max_examples=200, deadline=None)
def test_no_sum_can_overflow(sigma: int, batch: int, parameters: int) -> None:
    try:
        found = grid(Dp(clip_num=1, clip_den=3, sigma_milli=sigma), batch, parameters)
    except (SpecError, TooLarge):
        return
    noise = 28 * max(1, int(float(found.variance) ** 0.5) + 1)
    assert batch * found.bound + noise < 2**31
    assert 0 < found.radius < found.bound <= 2**20
