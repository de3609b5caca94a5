"""An enclave whose process runs a planted compiler or probe, to see what a taken-over process could do.

Product code has no such switch: the subclass starts the child with a script of its own, the rest is the
real thing.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from executor.enclave import Enclave
from executor.rows import MemoryRows
from primitives.data import Column, Dtype, Schema
from primitives.job import model_hash
from primitives.spec import (
    NUMERICS,
    SPEC_VERSION,
    Init,
    InputMap,
    LossSpec,
    OptimizerSpec,
    Schedule,
    Target,
    TrainingSpec,
    float_bits,
)

ROOT = Path(__file__).resolve().parent.parent.parent

PRELUDE = '''
import os, sys
sys.path.insert(0, ROOT)
from executor import worker
from executor.compiler import plan as plans
import wasmtime
from wasmtime import wat2wasm

def plan(run="", *, pages=2, fuel=100, declared=None, head=""):
    """x f32[4,2] at 0, y i32[4] at 256, losses f32[2] at 512, w f32[2,3] at 1024; batch 2, two batches a
    call.
    """
    region = plans.Region
    text = (f'(module {head} (memory (export "memory") {pages})'
            f'(func (export "run") (param i32 i32) {run}) (func (export "finish")))')
    given = bytes(range(24))
    facts = dict(
        module=bytes(wat2wasm(text)), memory=declared or pages * 65536, batch=2, rows_per_call=4,
        inputs=(region("x", 0, (4, 2)),), targets=(plans.Target(region("y", 256, (4,), plans.Kind.I32), 3),),
        losses=region("losses", 512, (2,)),
        parameters=(plans.Parameter(region("w", 1024, (2, 3)), 2, given),),
        constants=(), outputs=(), flops=1, work=1, fuel=fuel, steps=4,
        fuel_per_step=1, fuel_per_call=1, fuel_of_finish=1)
    return plans.Plan(**facts)

def compile_training(model, spec, rows):
    return plan()
'''

MAIN = """
worker.compile_training = compile_training
worker.main()
"""


class PlantedEnclave(Enclave):
    """The enclave, with Python source in its process that runs before the job is read."""

    def __init__(self, source: str, threads: int = 1) -> None:
        super().__init__(threads)
        self._source = source

    def command(self) -> list[str]:
        script = f"ROOT = {str(ROOT)!r}" + PRELUDE + self._source + MAIN
        return [sys.executable, "-I", "-B", "-c", script]


def matmul_model() -> bytes:
    """y = x·w with w of shape (2, 3)."""
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "matmul",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])],
        [helper.make_tensor("w", TensorProto.FLOAT, [2, 3], [0.5] * 6)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data


def spec_for(model: bytes, **changes: object) -> TrainingSpec:
    """Two epochs of batches of two, x → logits y, class column `label`."""
    fields: dict[str, object] = {
        "version": SPEC_VERSION,
        "numerics": NUMERICS,
        "model_hash": model_hash(model),
        "inputs": [InputMap(column=b"x", tensor=b"x", affine=None)],
        "target": Target(column=b"label", tensor=b"y"),
        "loss": LossSpec.CrossEntropy(),
        "optimizer": OptimizerSpec.Sgd(rate=float_bits(0.1), momentum=0),
        "schedule": Schedule.Constant(),
        "epochs": 2,
        "batch": 2,
        "seed": bytes(32),
        "init": Init.Beacon(),
        "trainable": [],
        "dp": None,
        "shuffle": True,
        "shards": 1,
    }
    return TrainingSpec(**{**fields, **changes})  # type: ignore[arg-type]


def four_rows(labels: tuple[int, ...] = (0, 1, 2, 0)) -> MemoryRows:
    """Rows of x f32[2] and a label."""
    columns = [
        Column(name=b"x", dtype=Dtype.F32, shape=[2]),
        Column(name=b"label", dtype=Dtype.U8, shape=[]),
    ]
    x = np.arange(8, dtype=np.float32).reshape(4, 2)
    return MemoryRows(
        Schema(columns=columns, rows_per_chunk=3), {"x": x, "label": np.array(labels)}, secret=bytes(32)
    )
