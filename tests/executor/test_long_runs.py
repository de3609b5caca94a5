"""Runs over more rows than are held, told epoch by epoch, and taken up again: always the same bits."""

import json
import resource
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from executor import enclave
from executor.enclave import Enclave, EpochResult, Limits, Resume, Secrets, Stopped
from executor.errors import BadData, CommitmentMismatch, SpecError
from executor.evaluate import evaluate
from executor.rows import MemoryRows
from primitives.data import Column, Dtype, Schema
from primitives.job import model_hash
from primitives.spec import Affine, Init, InputMap, OptimizerSpec, Schedule, Tick, TrainingSpec, WarmUp
from primitives.spec import float_bits as bits
from tests.executor.planted import ROOT, matmul_model, spec_for

MODEL = matmul_model()
LIMITS = Limits(memory=1 << 24, fuel=10**10, deadline_ms=60_000)
ROWS = 50


def source(labels: int = 3, secret: bytes | None = None) -> MemoryRows:
    """Rows with a text column between those that are trained on."""
    rng = np.random.default_rng(2)
    columns = [
        Column(name=b"label", dtype=Dtype.U8, shape=[]),
        Column(name=b"note", dtype=Dtype.Utf8, shape=[]),
        Column(name=b"x", dtype=Dtype.F32, shape=[2]),
    ]
    values: dict[str, Any] = {
        "label": rng.integers(0, labels, ROWS),
        "note": np.array([f"row {i}" for i in range(ROWS)], dtype=object),
        "x": rng.standard_normal((ROWS, 2)).astype(np.float32),
    }
    return MemoryRows(Schema(columns=columns, rows_per_chunk=7), values, secret)


def spec(model: bytes = MODEL, **changes: Any) -> TrainingSpec:
    adam = OptimizerSpec.Adam(
        rate=bits(0.01), beta1=bits(0.9), beta2=bits(0.99), epsilon=bits(1e-8), weight_decay=bits(0.01),
        amsgrad=True, clip=None,
    )  # fmt: skip
    warm = Schedule.Warm(tick=Tick.Step, warm_up=WarmUp(ticks=20, start=bits(0.1)))
    values = {"optimizer": adam, "schedule": warm, "epochs": 4, "batch": 8, "init": Init.Given(), **changes}
    return spec_for(model, **values)


def train(rows: MemoryRows, wanted: TrainingSpec, model: bytes = MODEL, **words: Any) -> Any:
    return Enclave().train(model, rows, wanted, LIMITS, Secrets(), losses=True, **words)


@pytest.mark.parametrize("shuffle", [True, False])
def test_streamed_rows_give_the_same_bits(shuffle: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = spec(shuffle=shuffle)
    held = train(source(), wanted)
    monkeypatch.setattr(enclave, "RESIDENT_MAX", 1)
    seen: list[int] = []
    streamed = train(source(secret=bytes(32)), wanted, progress=lambda done, _: seen.append(done))
    assert streamed.weights == held.weights and streamed.fuel == held.fuel == held.quoted.work.fuel
    assert (streamed.first_loss, streamed.last_loss) == (held.first_loss, held.last_loss)
    assert seen[-1] == held.steps


def test_streamed_rows_are_checked_as_held_ones_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enclave, "RESIDENT_MAX", 1)
    rows = source()
    rows.root = bytes(32)
    with pytest.raises(CommitmentMismatch):
        train(rows, spec())
    with pytest.raises(BadData):
        train(source(labels=9), spec())


def test_epochs_are_told_and_may_end_the_run() -> None:
    told: list[EpochResult] = []

    def listen(epoch: EpochResult) -> bool:
        told.append(epoch)
        return epoch.number < 3

    with pytest.raises(Stopped):
        train(source(), spec(), on_epoch=listen, snapshots=True)
    assert [epoch.number for epoch in told] == [1, 2, 3]
    short = train(source(), spec(epochs=3))
    assert told[-1].weights == short.weights and told[-1].loss == short.last_loss
    assert told[0].loss == short.first_loss and told[0].weights != short.weights


def with_dropout() -> bytes:
    """The model, with half of its logits dropped in training."""
    proto = onnx.load_from_string(MODEL)
    proto.graph.node[0].output[0] = "z"
    proto.graph.node.append(helper.make_node("Dropout", ["z", "half", "yes"], ["y"]))
    proto.graph.initializer.append(helper.make_tensor("half", TensorProto.FLOAT, [], [0.5]))
    proto.graph.initializer.append(helper.make_tensor("yes", TensorProto.BOOL, [], [True]))
    data: bytes = proto.SerializeToString()
    return data


@pytest.mark.parametrize("start", [MODEL, with_dropout()], ids=["plain", "dropout"])
def test_a_run_taken_up_again_ends_as_if_it_had_not_stopped(start: bytes) -> None:
    told: list[EpochResult] = []
    first = spec(start, model_hash=model_hash(start))
    whole = train(source(), first, start, on_epoch=lambda epoch: told.append(epoch) or True, snapshots=True)
    model, states = told[1].weights, told[1].states
    later = spec(model, model_hash=model_hash(model))
    again = train(source(), later, model, resume=Resume(2, states))
    assert again.weights == whole.weights and again.last_loss == whole.last_loss
    fresh = train(source(), later, model, resume=Resume(2, b""))
    assert fresh.weights != whole.weights, "the optimizer's state matters"
    with pytest.raises(SpecError):
        train(source(), later, model, resume=Resume(2, states[:-4]))


def two_inputs() -> bytes:
    """Logits from numbers, and from the embedding of a word; a second output that is not trained."""
    ports = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2]),
        helper.make_tensor_value_info("word", TensorProto.INT64, ["N"]),
    ]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 3]) for name in ("other", "y")]
    rng = np.random.default_rng(4)
    values = [("w", (2, 3)), ("table", (4, 3))]
    tensors = [
        numpy_helper.from_array(rng.standard_normal(shape).astype(np.float32), name) for name, shape in values
    ]
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("Gather", ["table", "word"], ["b"]),
        helper.make_node("Add", ["a", "b"], ["y"]),
        helper.make_node("Tanh", ["a"], ["other"]),
    ]
    graph = helper.make_graph(nodes, "g", ports, outputs, tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = made.SerializeToString()
    return data


def test_several_inputs_of_several_types_learn_what_neither_could() -> None:
    """The class is that of the word, but for one word it is that of the number's sign."""
    rng = np.random.default_rng(6)
    word, x = rng.integers(0, 4, 300), rng.standard_normal((300, 2)).astype(np.float32)
    label = np.where(word == 3, (x[:, 0] > 0).astype(int), word % 3)
    columns = [
        Column(name=b"word", dtype=Dtype.U8, shape=[]),
        Column(name=b"x", dtype=Dtype.F32, shape=[2]),
        Column(name=b"label", dtype=Dtype.U8, shape=[]),
    ]
    rows = MemoryRows(Schema(columns=columns, rows_per_chunk=50), {"word": word, "x": x, "label": label})
    model = two_inputs()
    inputs = [InputMap(column=name, tensor=name, affine=None) for name in (b"x", b"word")]
    fast = OptimizerSpec.Sgd(rate=bits(1.0), momentum=bits(0.9))
    wanted = spec(model, model_hash=model_hash(model), inputs=inputs, optimizer=fast, epochs=12)
    found = train(rows, wanted, model)
    columns_of = {"word": word, "x": x, "label": label}
    assert (evaluate(model, wanted, columns_of).accuracy or 0) < 0.6
    assert (evaluate(found.weights, wanted, columns_of).accuracy or 0) > 0.9
    scaled = [InputMap(column=b"word", tensor=b"word", affine=Affine(mean=0, scale=0)), inputs[0]]
    with pytest.raises(SpecError, match="only float32 inputs are normalised"):
        train(rows, spec(model, model_hash=model_hash(model), inputs=scaled), model)


LARGE = """
import json, resource, sys
from pathlib import Path
import numpy as np
from onnx import TensorProto, helper
from executor.enclave import Enclave, Limits, Secrets
from executor.readers import Reading
from executor.spool import spooled
from primitives.job import model_hash
from tests.executor.test_long_runs import spec
ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", k]) for n, k in (("x", 1000), ("y", 3))]
weights = helper.make_tensor("w", TensorProto.FLOAT, [1000, 3], [0.0] * 3000)
nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], [weights])
proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
model = proto.SerializeToString()
rows = spooled(Path(sys.argv[1]), Reading())
limits = Limits(memory=1 << 26, fuel=10**12, deadline_ms=3_000_000)
wanted = spec(model, model_hash=model_hash(model), epochs=1, batch=64)
found = Enclave().train(model, rows, wanted, limits, Secrets(), losses=True)
# The kernel's own high-water mark: getrusage's begins with what the process had before it became this one.
status = Path("/proc/self/status").read_text()
own = int(status.split("VmHWM:")[1].split()[0])
child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([found.steps, found.last_loss, own, child]))
"""


def write_rows(path: Path, blocks: int, block: int) -> None:
    """An NPZ of blocks × block rows of 1,000 float32 and a label, of which one block is in memory."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((block, 1000), dtype=np.float32)
    label = (x[:, 0] > 0).astype(np.uint8)
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in (("x", x), ("label", label)):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                header = {
                    "descr": np.lib.format.dtype_to_descr(part.dtype),
                    "fortran_order": False,
                    "shape": (blocks * block, *part.shape[1:]),
                }
                np.lib.format.write_array_header_1_0(member, header)
                for _ in range(blocks):
                    member.write(part.tobytes())


@pytest.mark.parametrize(
    ("blocks", "timeout"),
    [
        pytest.param(10, 250, id="240 MB"),
        pytest.param(100, 3000, id="2.4 GB", marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
    ],
)
def test_a_set_larger_than_memory_trains(tmp_path: Path, blocks: int, timeout: int) -> None:
    """Rows that neither process holds: each stays below 240 MB, however many there are."""
    block, path = 6_000, tmp_path / "rows.npz"
    write_rows(path, blocks, block)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (3 << 30, 3 << 30))

    done = subprocess.run(
        [sys.executable, "-c", LARGE, str(path)], capture_output=True, text=True, cwd=ROOT, check=False,
        preexec_fn=limit, timeout=timeout,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    steps, loss, parent, child = json.loads(done.stdout)
    assert steps == -(-blocks * block // 64) and loss < 0.9
    assert parent < 240_000 and child < 240_000, f"{parent} and {child} KiB"
