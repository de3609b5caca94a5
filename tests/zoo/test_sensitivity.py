"""One row moves the sum of a batch by the clip at most: under differential privacy everything rests on it.

Each layer kind that has per-row gradients, and weights that several layers share, against rows and weights of
a buyer's choice: tiny, huge, infinite, undefined, all in one tensor. The sum's whole numbers are squared and
added up exactly.
"""

from collections.abc import Sequence

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from executor.compiler.compile import compile_training
from executor.compiler.machine import Machine
from executor.errors import MixesRows, NotPrivate
from executor.privacy.grid import grid
from primitives.data import Loss
from primitives.spec import Dp, LossSpec
from tests.executor.compile_cases import training_spec
from tests.executor.test_privacy_gradients import CASES, SIGMA, spec_of

F32 = NDArray[np.float32]
BATCH = 8
node = helper.make_node
EXTREMES = np.array(
    [
        0, -0.0, 1e-45, -1e-45, 1e-38, 1e-30, -1e-23, 1e-19, 1e-7, 0.3, -1, 77, 1e7, -1e12, 1e18, 1.9e19,
        1e25, 3e38, -3e38, np.inf, -np.inf, np.nan,
    ],
    dtype=np.float32,
)  # fmt: skip


def model(nodes: Sequence[onnx.NodeProto], x: int, features: list[int], weights: dict[str, F32]) -> bytes:
    """From x of a type to y [n, 3]."""
    graph = helper.make_graph(
        list(nodes),
        "shared",
        [helper.make_tensor_value_info("x", x, ["n", *features])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    built = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = built.SerializeToString()
    return data


def ones(*shape: int) -> F32:
    return np.ones(shape, dtype=np.float32)


SHARED = {
    "tied embedding": model(  # looked up twice, and the last layer's weights
        [
            node("Gather", ["e", "x"], ["h"]),
            node("ReduceSum", ["h", "one"], ["s"], keepdims=0),
            node("Transpose", ["e"], ["t"], perm=[1, 0]),
            node("MatMul", ["s", "t"], ["y"]),
        ],
        TensorProto.INT64,
        [4],
        {"e": ones(3, 5)} | {"one": np.array([1])},
    ),
    "weights twice, once turned": model(
        [
            node("MatMul", ["x", "w"], ["h"]),
            node("Transpose", ["w"], ["t"], perm=[1, 0]),
            node("MatMul", ["h", "t"], ["b"]),
            node("MatMul", ["b", "w"], ["y"]),
        ],
        TensorProto.FLOAT,
        [4],
        {"w": ones(4, 3)},
    ),
    "one filter, two convolutions": model(
        [
            node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1]),
            node("Conv", ["a", "w"], ["b"], pads=[1, 1, 1, 1]),
            node("ReduceMean", ["b"], ["y"], axes=[2, 3], keepdims=0),
        ],
        TensorProto.FLOAT,
        [3, 5, 4],
        {"w": ones(3, 3, 3, 3)},
    ),
    "a factor, spread": model(
        [node("Mul", ["x", "k"], ["h"]), node("Add", ["h", "k"], ["g"]), node("MatMul", ["g", "w"], ["y"])],
        TensorProto.FLOAT,
        [5],
        {"k": ones(1), "w": ones(5, 3)},
    ),
}


class Watched:
    """A compiled step of one row, whose weights are written anew for every try."""

    def __init__(self, name: str) -> None:
        if name in SHARED:
            data, spec = SHARED[name], training_spec(BATCH, loss=Loss.CrossEntropy, dp=SIGMA)
        else:
            data, spec = CASES[name][0], spec_of(name, BATCH, SIGMA)
        self.plan = compile_training(data, spec, 1, gradients_only=True)
        self.machine = Machine(self.plan)
        self.size = sum(region.size for region in self.plan.outputs) // 4
        self.grid = grid(SIGMA, BATCH, self.size)

    def numbers(self, rng: np.random.Generator) -> list[int]:
        """What one row of the draw adds to the sum, in grid units."""
        for parameter in self.plan.parameters:
            self.machine.write(parameter.region, drawn(rng, parameter.region.shape))
        (region,) = self.plan.inputs
        if region.kind.numpy.kind == "i":
            self.machine.write(region, rng.integers(-4, 4, (1, *region.shape[1:])))
        else:
            self.machine.write(region, drawn(rng, (1, *region.shape[1:])))
        assert self.plan.target is not None
        target = (1, *self.plan.target.shape[1:])
        if self.plan.target.kind.numpy.kind == "i":
            self.machine.write(self.plan.target, rng.integers(-1, 3, target))
        else:
            self.machine.write(self.plan.target, drawn(rng, target))
        self.machine.run(1, 1)
        self.machine.finish()
        found = np.concatenate([self.machine.view(region).reshape(-1) for region in self.plan.outputs])
        whole = found.astype(np.float64) / float(self.grid.value(BATCH))
        assert np.abs(whole - np.rint(whole)).max() < 0.2, "the sum is not on the grid"
        return [int(n) for n in np.rint(whole)]


def drawn(rng: np.random.Generator, shape: Sequence[int]) -> F32:
    """Ordinary numbers, one size for all, or every element from another end of the scale."""
    ordinary = rng.standard_normal(shape).astype(np.float32)
    with np.errstate(all="ignore"):
        match rng.integers(3):
            case 0:
                return ordinary
            case 1:
                return ordinary * rng.choice(EXTREMES)
    return rng.choice(EXTREMES, shape)


KINDS = ["dense", "tied", "sequence", "grouped", "recurrent", "wide", "normalised", *SHARED]


@pytest.mark.parametrize("name", KINDS)
def test_one_row_adds_at_most_the_clip(name: str) -> None:
    watched = Watched(name)

    @given(seed=st.integers(0, 2**32))
    @settings(max_examples=40, deadline=None)
    def bounded(seed: int) -> None:
        numbers = watched.numbers(np.random.default_rng(seed))
        assert sum(n * n for n in numbers) <= watched.grid.bound**2

    bounded()


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_statistic_that_the_loss_does_not_read_leaves_no_more_than_one_that_it_reads(
    momentum: float,
) -> None:
    """Running means are written without noise. With momentum 0 and a batch of one they are the last row
    itself; beside the loss, nothing asked whether they mix rows."""
    names = ["x", "s", "b", "m", "v"]
    graph = helper.make_graph(
        [
            node("BatchNormalization", names, ["h", "m2", "v2"], training_mode=1, momentum=momentum),
            node("MatMul", ["x", "w"], ["y"]),
        ],
        "beside",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [
            *(numpy_helper.from_array(ones(4), name) for name in "sbmv"),
            numpy_helper.from_array(ones(4, 3), "w"),
        ],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data = made.SerializeToString()
    for batch in (1, 8):
        with pytest.raises((MixesRows, NotPrivate)):
            compile_training(data, training_spec(batch, dp=SIGMA, trainable=["w"]), 8)
        assert compile_training(data, training_spec(batch, trainable=["w"]), 8).parameters


def test_what_leaves_is_asked_once_more_whoever_made_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiler that forgot the noise is noticed before any row is seen."""
    from executor.compiler import compile as front

    data, spec = CASES["dense"][0], spec_of("dense", BATCH, Dp(clip_num=1, clip_den=1, sigma_milli=1000))
    assert compile_training(data, spec, 8).noise is not None
    with monkeypatch.context() as patched:
        patched.setattr(front, "noised_means", lambda sums, grid, batch: list(sums))
        compile_error = pytest.raises(NotPrivate, match="noise")
        patched.setattr(front, "private_sums", lambda found, chosen, grid: [found[item] for item in chosen])
        with compile_error:
            compile_training(data, spec, 8)


@pytest.mark.parametrize("kind", ["Sub", "Mul"])
def test_a_batchs_mean_in_the_forward_pass_is_refused_whatever_the_loss(kind: str) -> None:
    """The gradient of KL divergence by the prediction is the target alone: it says nothing of what the model
    does with its batch."""
    names = ["x", "s", "b", "m", "v"]
    graph = helper.make_graph(
        [
            *(
                node("Constant", [], [name], value=numpy_helper.from_array(np.full(4, value, np.float32)))
                for name, value in zip("sbmv", (1, 0, 0, 1), strict=True)
            ),
            node("BatchNormalization", names, ["h", "mean", "variance"], training_mode=1, momentum=0.0),
            node(kind, ["x", "mean"], ["d"]),
            node("MatMul", ["d", "w"], ["y"]),
        ],
        "mixed",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(ones(4, 3), "w")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    loss = LossSpec.KlDivergence(log_target=False)
    with pytest.raises((MixesRows, NotPrivate)):
        compile_training(made.SerializeToString(), training_spec(BATCH, loss=loss, dp=SIGMA), BATCH)


def test_rows_are_asked_whether_they_mix_where_they_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only in what the loss sees."""
    from executor.compiler import private

    asked: list[int] = []
    check = private.check_rows_apart
    monkeypatch.setattr(
        private, "check_rows_apart", lambda roots: (asked.append(len(roots)), check(roots))[1]
    )
    compile_training(CASES["dense"][0], spec_of("dense", BATCH, SIGMA), BATCH)
    assert asked == [1 + 2 + 1 + 2]  # the scale; two factors for each matrix, one value for the bias
