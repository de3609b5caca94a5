"""The zoo of leaks: models and specs built to carry rows out in the weights.

Each attack is first shown to work where nothing stops it. Then it meets the policy's defaults, which refuse
it by a rule's name, or differential privacy, under which what it learns is measured and lies below the bound
that `docs/privacy.md` claims. Attacks after Song et al. 2017 (arXiv:1709.07886), Boenisch et al. 2021
(arXiv:2112.02918), Fowl et al. 2022 (arXiv:2110.13057) and Feng, Tramèr 2024 (arXiv:2404.00473).
"""

import math
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from client.provider_file import read_provider_file, template
from executor import admission
from executor.compiler.compile import compile_training
from executor.compiler.machine import Machine
from executor.compiler.plan import Plan
from executor.enclave import Enclave, Limits, Secrets
from executor.errors import Diverged, ExecutorError, MixesRows, TooLarge
from executor.initialise import init_key
from executor.privacy.noise import Noise
from executor.rows import MemoryRows
from primitives.data import Column, Dtype, Policy, Schema
from primitives.job import RejectReason
from primitives.scale import replace
from primitives.spec import (
    Affine,
    Dp,
    Init,
    InputMap,
    LossSpec,
    OptimizerSpec,
    TrainingSpec,
    float_bits,
)
from tests.executor.planted import four_rows, matmul_model, spec_for

WIDTH = 64
ROW = np.where(np.random.default_rng(8).random(WIDTH) < 0.5, -1.0, 1.0).astype(np.float32)
"""The secret: 64 bits as signs."""
BUYER = bytes(32)
F64 = NDArray[np.float64]


def trap() -> bytes:
    """y = x·w with weights of zero: the gradient by w is the row itself, times what the loss makes of it."""
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "trap",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", WIDTH])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])],
        [numpy_helper.from_array(np.zeros((WIDTH, 1), dtype=np.float32), "w")],
    )
    data: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    return data


def order(model: bytes, **changes: object) -> TrainingSpec:
    """One step over a batch of eight rows."""
    fields: dict[str, object] = {
        "loss": LossSpec.MeanSquaredError(),
        "optimizer": OptimizerSpec.Sgd(rate=float_bits(1.0), momentum=0),
        "epochs": 1,
        "batch": 8,
        "init": Init.Given(),
    }
    return spec_for(model, **{**fields, **changes})


class Attack:
    """The trap on eight rows, seven of them empty; one step; what the buyer sees of w."""

    def __init__(self, dp: Dp | None) -> None:
        model = trap()
        self.plan: Plan = compile_training(model, order(model, dp=dp), 8)
        self.noise = None if self.plan.variance is None else Noise(b"k" * 32, self.plan.variance)
        self.machine = Machine(self.plan)

    def weights(self, present: bool = True) -> F64:
        """Train anew, with fresh noise."""
        x, target = np.zeros((8, WIDTH), dtype=np.float32), np.zeros((8, 1), dtype=np.float32)
        if present:
            x[3], target[3] = ROW, 1000.0
        parameter = self.plan.parameters[0]
        self.machine.write(parameter.region, np.zeros((WIDTH, 1), dtype=np.float32))
        self.machine.write(self.plan.inputs[0], x)
        assert self.plan.target is not None
        self.machine.write(self.plan.target, target)
        if self.noise is not None and self.plan.noise is not None:
            self.machine.write(self.plan.noise, self.noise.take(WIDTH))
        self.machine.run(1, 8)
        self.machine.finish()
        found: F64 = self.machine.view(parameter.region).reshape(-1).astype(np.float64)
        return found


def advantage(sigma: float) -> float:
    """The most by which anybody can tell a Gaussian shifted by one clip from one that is not: the total
    variation distance 2Φ(1/2σ) − 1 (what ρ = 1/2σ² allows; Dong, Roth, Su 2019, arXiv:1905.02383).
    """
    return math.erf(1 / (2 * sigma * math.sqrt(2)))


def test_without_defences_the_row_comes_out_whole() -> None:
    weights = Attack(None).weights()
    assert np.array_equal(np.sign(weights), ROW)
    assert np.corrcoef(weights, ROW)[0, 1] > 0.9999


@pytest.mark.parametrize("sigma", [1.0, 4.0])
def test_membership_is_hidden_as_far_as_claimed(sigma: float) -> None:
    """The best test there is: how far the weights lie in the row's own direction."""
    attack = Attack(Dp(clip_num=1, clip_den=1, sigma_milli=round(sigma * 1000)))
    trials = 3000
    shift = 0.5 / 8  # half a clip, over the batch
    inside = [attack.weights(True) @ ROW / math.sqrt(WIDTH) > shift for _ in range(trials)]
    outside = [attack.weights(False) @ ROW / math.sqrt(WIDTH) > shift for _ in range(trials)]
    found = float(np.mean(inside) - np.mean(outside))
    error = math.sqrt(0.5 / trials)
    assert found < advantage(sigma) + 4 * error
    assert found > advantage(sigma) - 4 * error, "the attack is not the strongest: the test shows too little"


@pytest.mark.parametrize("decode", ["sign", "low bit"])
def test_bits_of_a_row_do_not_come_out_in_signs_or_low_bits(decode: str) -> None:
    sigma = 4.0
    attack = Attack(Dp(clip_num=1, clip_den=1, sigma_milli=4000))
    trials, bits = 400, ROW > 0
    read = np.zeros(WIDTH)
    for _ in range(trials):
        weights = attack.weights().astype(np.float32)
        read += weights > 0 if decode == "sign" else weights.view(np.uint32) & 1
    told = float(read[bits].mean() - read[~bits].mean()) / trials
    assert abs(told) < advantage(sigma) + 4 / math.sqrt(trials * WIDTH)


def policy(tmp_path: Path, *changes: tuple[str, str]) -> Policy:
    """The policy of a fresh provider file that allows no training without privacy."""
    text = template("//Alice", tmp_path / "rows.csv", [], "never")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "provider.toml").write_text(text)
    return read_provider_file(tmp_path).policy


def first_broken(policy: Policy, model: bytes, spec: TrainingSpec, rows: int = 8) -> admission.Finding | None:
    quoted = Enclave().quote(model, spec, rows)
    return admission.broken(admission.findings(policy, spec, BUYER, rows, quoted))


def test_default_policies_refuse_the_trap_by_name(tmp_path: Path) -> None:
    model = trap()
    plain = order(model)
    found = first_broken(policy(tmp_path), model, plain)
    assert found is not None and (found.rule, found.reason) == (
        "differential privacy",
        RejectReason.DpRequired,
    )
    open_to_all = policy(tmp_path, ('without_dp = "never"', 'without_dp = "anyone"'))
    found = first_broken(open_to_all, model, plain)
    assert found is not None and found.rule == "initial weights"
    steep = replace(plain, init=Init.Beacon(), optimizer=OptimizerSpec.Sgd(rate=float_bits(1e30), momentum=0))
    found = first_broken(open_to_all, model, steep)
    assert found is not None and found.rule == "learning rate"


def test_too_many_weights_for_the_rows_are_refused_by_name(tmp_path: Path) -> None:
    """A trap layer: thousands of neurons, each waiting for a row of its own."""
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["x", "w", "b"], ["h"], transB=1),
            helper.make_node("Relu", ["h"], ["r"]),
            helper.make_node("MatMul", ["r", "v"], ["y"]),
        ],
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", WIDTH])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])],
        [
            numpy_helper.from_array(np.ones((4096, WIDTH), dtype=np.float32), "w"),
            numpy_helper.from_array(np.linspace(-9, 9, 4096, dtype=np.float32), "b"),
            numpy_helper.from_array(np.ones((4096, 1), dtype=np.float32), "v"),
        ],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    spec = order(model, dp=Dp(clip_num=1, clip_den=1, sigma_milli=4000))
    found = first_broken(policy(tmp_path), model, spec)
    assert found is not None
    assert (found.rule, found.reason) == ("trained parameters a row", RejectReason.TooManyParameters)
    allowed = policy(tmp_path, ("params_per_row = 100.0", "params_per_row = 100000.0"))
    assert first_broken(allowed, model, spec) is None


def test_rows_mixed_through_batch_statistics_are_refused_under_privacy() -> None:
    """Normalised by the batch, one row would move the gradients of all others."""
    graph = helper.make_graph(
        [
            helper.make_node(
                "BatchNormalization", ["x", "s", "b", "m", "v"], ["h", "m2", "v2"], training_mode=1
            ),
            helper.make_node("MatMul", ["h", "w"], ["y"]),
        ],
        "batchnorm",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", WIDTH])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])],
        [
            numpy_helper.from_array(np.ones(WIDTH, dtype=np.float32), name)
            for name in ("s", "b", "m", "v")
        ]
        + [numpy_helper.from_array(np.ones((WIDTH, 1), dtype=np.float32), "w")],
    )  # fmt: skip
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    spec = order(model, trainable=[b"w"], dp=Dp(clip_num=1, clip_den=1, sigma_milli=4000))
    with pytest.raises(MixesRows):
        Enclave().quote(model, spec, 8)


def rows_of(x: NDArray[np.float32], label: NDArray[np.generic], dtype: Dtype) -> MemoryRows:
    columns = [
        Column(name=b"x", dtype=Dtype.F32, shape=[x.shape[1]]),
        Column(name=b"label", dtype=dtype, shape=[1] if dtype is Dtype.F32 else []),
    ]
    return MemoryRows(Schema(columns=columns, rows_per_chunk=8), {"x": x, "label": label}, secret=bytes(32))


def test_labels_are_no_channel_under_privacy() -> None:
    """A class that the model lacks would stop a run, which tells that there is one: not under privacy."""
    model = matmul_model()
    rows = four_rows(labels=(0, 1, 2, 200))
    dp = Dp(clip_num=1, clip_den=1, sigma_milli=4000)
    private = Enclave().train(
        model, rows, spec_for(model, dp=dp), Limits(), Secrets(b"k" * 32), init_key=init_key(bytes(32), 0),
        losses=True,
    )  # fmt: skip
    assert (private.first_loss, private.last_loss) == (None, None)
    with pytest.raises(Exception, match="class"):
        Enclave().train(model, rows, spec_for(model), Limits(), Secrets())


def test_only_trained_weights_leave_whatever_else_the_graph_puts_out() -> None:
    """A graph output that repeats the rows is simply not part of the result."""
    proto = onnx.load_model_from_string(trap())
    proto.graph.node.append(helper.make_node("Identity", ["x"], ["copy"]))
    proto.graph.output.append(helper.make_tensor_value_info("copy", TensorProto.FLOAT, ["n", WIDTH]))
    model = proto.SerializeToString()
    x = np.random.default_rng(1).standard_normal((8, WIDTH)).astype(np.float32)
    rows = rows_of(x, np.ones((8, 1), dtype=np.float32), Dtype.F32)
    spec = order(model, init=Init.Beacon())
    result = Enclave().train(model, rows, spec, Limits(), Secrets(), init_key=init_key(bytes(32), 0))
    assert abs(len(result.weights) - len(model)) < 16
    assert not any(row.tobytes() in result.weights for row in x)


def test_weights_that_are_not_numbers_do_not_leave() -> None:
    model = trap()
    x = np.full((8, WIDTH), 1e30, dtype=np.float32)
    rows = rows_of(x, np.ones((8, 1), dtype=np.float32), Dtype.F32)
    with pytest.raises(Diverged):
        Enclave().train(model, rows, replace(order(model), epochs=3), Limits(), Secrets())


def test_a_grid_too_coarse_for_the_model_is_refused_by_name() -> None:
    model = trap()
    spec = order(model, batch=1 << 16, dp=Dp(clip_num=1, clip_den=1, sigma_milli=2**32 - 1))
    with pytest.raises(TooLarge, match="grid"):
        Enclave().quote(model, spec, 1 << 16)


# --- whether a run fails, under privacy ---------------------------------------------------------------------


def outcome(model: bytes, rows: MemoryRows, spec: TrainingSpec) -> str:
    """The name of what a run ends in: all that a failed job tells on the chain."""
    try:
        Enclave().train(model, rows, spec, Limits(), Secrets(b"k" * 32), init_key=init_key(bytes(32), 0))
    except ExecutorError as error:
        return type(error).__name__
    return "Completed"


def test_a_normalisation_that_overflows_for_one_row_alone_is_no_channel() -> None:
    """The buyer chooses mean and scale: a value above 1 would be infinite, one below would not. A run that
    fails where it is tells a bit of a single row, whatever the noise."""
    model = matmul_model()
    steep = InputMap(column=b"x", tensor=b"x", affine=Affine(mean=0, scale=float_bits(3e38)))
    spec = spec_for(model, inputs=[steep])
    table = {"x": np.full((8, 2), 0.5, np.float32), "label": np.zeros(8, np.uint8)}
    table["x"][3] = 1.5
    columns = [Column(name=b"x", dtype=Dtype.F32, shape=[2]), Column(name=b"label", dtype=Dtype.U8, shape=[])]
    rows = MemoryRows(Schema(columns=columns, rows_per_chunk=8), table, secret=bytes(32))
    assert outcome(model, rows, spec) == "BadData", "without privacy, a mistake is worth a name"
    private = replace(spec, dp=Dp(clip_num=1, clip_den=1, sigma_milli=4000))
    assert outcome(model, rows, private) == "Completed"


def test_a_narrow_input_type_is_no_channel() -> None:
    """A graph that takes int8 fails on a column of u8 as soon as one row is above 127."""
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
            helper.make_node("MatMul", ["f", "w"], ["y"]),
        ],
        "narrow",
        [helper.make_tensor_value_info("x", TensorProto.INT8, ["n", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(np.ones((2, 3), np.float32), "w")],
    )  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model = made.SerializeToString()
    columns = [Column(name=b"x", dtype=Dtype.U8, shape=[2]), Column(name=b"label", dtype=Dtype.U8, shape=[])]
    spec = spec_for(model, dp=Dp(clip_num=1, clip_den=1, sigma_milli=4000))
    table = {"x": np.full((8, 2), 127, np.uint8), "label": np.zeros(8, np.uint8)}
    table["x"][3] = 255
    rows = MemoryRows(Schema(columns=columns, rows_per_chunk=8), table, secret=bytes(32))
    assert outcome(model, rows, replace(spec, dp=None)) == "BadData"
    assert outcome(model, rows, spec) == "Completed"


def test_two_different_runs_under_one_key_never_share_their_noise() -> None:
    """After a revert of the chain the same job number may hold another order: were its noise the same, the
    difference of the two results would be free of it."""
    model = matmul_model()
    dp = Dp(clip_num=1, clip_den=1, sigma_milli=10**6)
    spec = spec_for(model, dp=dp, init=Init.Given(), epochs=1, batch=4)
    rows, key = four_rows(), Secrets(b"k" * 32)

    def moved(changed: TrainingSpec, init: bytes = bytes(32)) -> F64:
        weights = Enclave().train(model, rows, changed, Limits(), key, init_key=init).weights
        proto = onnx.load_model_from_string(weights)
        return numpy_helper.to_array(proto.graph.initializer[0]).astype(np.float64)

    first = moved(spec)
    again = moved(replace(spec, shards=4))
    assert np.array_equal(first, again), "a run that is repeated adds the same noise, in shards or not"
    size = float(np.abs(first - 0.5).max())
    assert size > 1, "the noise is far larger than what rows do"
    flat = Affine(mean=0, scale=0)  # the same job on rows that are all zero
    other = moved(replace(spec, inputs=[InputMap(column=b"x", tensor=b"x", affine=flat)]))
    assert float(np.abs(first - other).max()) > size / 100
    assert float(np.abs(first - moved(spec, init_key(b"\1" * 32, 0))).max()) > size / 100


def test_frozen_weights_are_given_weights(tmp_path: Path) -> None:
    """Weights that the beacon does not draw anew, since they are not trained: a trap layer in front, as
    initialisers, as a constant, or as a list in an attribute."""
    wide = np.ones((WIDTH, 32), dtype=np.float32)
    tensor = numpy_helper.from_array(wide, "trap")
    open_to_all = policy(tmp_path, ('without_dp = "never"', 'without_dp = "anyone"'))

    layers = [
        helper.make_node("MatMul", ["x", "trap"], ["h"]),
        helper.make_node("MatMul", ["h", "w"], ["y"]),
    ]
    noise = Dp(clip_num=1, clip_den=1, sigma_milli=4000)

    def judged(
        nodes: list[onnx.NodeProto], also: list[TensorProto], trainable: list[bytes], dp: Dp | None = None
    ) -> str | None:
        graph = helper.make_graph(
            [*nodes, *layers],
            "trap",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", WIDTH])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])],
            [*also, numpy_helper.from_array(np.zeros((32, 1), np.float32), "w")],
        )  # fmt: skip
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        model = made.SerializeToString()
        rate = OptimizerSpec.Sgd(rate=float_bits(0.1), momentum=0)
        spec = order(model, init=Init.Beacon(), trainable=trainable, optimizer=rate, dp=dp)
        found = first_broken(open_to_all, model, spec, rows=1000)
        assert found is None or found.reason is RejectReason.GivenWeightsForbidden
        return found and found.rule

    listed = helper.make_node("Constant", [], ["flat"], value_floats=wide.reshape(-1)[:256].tolist())
    pieces = [helper.make_node("Concat", ["flat"] * 8, ["long"], axis=0)]
    shape = numpy_helper.from_array(np.array([WIDTH, 32]), "shape")
    shaped = helper.make_node("Reshape", ["long", "shape"], ["trap"])
    assert judged([], [tensor], [b"w"]) == "given numbers"
    assert judged([helper.make_node("Constant", [], ["trap"], value=tensor)], [], [b"w"]) == "given numbers"
    assert judged([], [tensor], [], noise) is None, "under differential privacy given weights do no harm"
    assert judged([], [tensor], []) is None, "all of it is drawn anew"
    assert judged([listed, *pieces, shaped], [shape], [b"w"]) is None, "few numbers, however often repeated"
