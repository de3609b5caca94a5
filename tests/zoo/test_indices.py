"""No index, whatever it holds, reads or writes anything but its own row's part of its own tensor.

One linear memory holds rows, noise, weights and all that is in between: an index that left its tensor would
bring other rows, or the noise itself, into the weights. Every operator that takes indices from data is run on
the worst of them, twice, on a memory filled with two different patterns: what comes out must not depend on
the pattern, no input may change, and no row may see that another one has other contents.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from executor.compiler.compile import compile_forward, compile_training
from executor.compiler.machine import Machine
from executor.compiler.plan import Plan, Region
from primitives.data import Loss
from tests.executor.compile_cases import training_spec
from tests.executor.test_privacy_gradients import CASES as PRIVATE
from tests.executor.test_privacy_gradients import SIGMA, data, spec_of

Anything = NDArray[np.generic]
ROWS = 8
I32, I64, F32 = TensorProto.INT32, TensorProto.INT64, TensorProto.FLOAT
PATTERNS = (b"\xa5\x5a\xc3\x3c", b"\x01\x00\x80\x7f")
"""Of the second, every float is a NaN."""
node = helper.make_node


@dataclass(frozen=True)
class Case:
    """Nodes to y, inputs of rows as (type, features), constants."""

    nodes: tuple[onnx.NodeProto, ...]
    inputs: dict[str, tuple[int, Sequence[int]]]
    constants: dict[str, Anything]
    output: int = F32

    def model(self) -> bytes:
        """Serialized."""
        graph = helper.make_graph(
            list(self.nodes),
            "case",
            [
                helper.make_tensor_value_info(name, kind, ["n", *shape])
                for name, (kind, shape) in self.inputs.items()
            ],
            [helper.make_tensor_value_info("y", self.output, None)],
            [numpy_helper.from_array(value, name) for name, value in self.constants.items()],
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        serialized: bytes = made.SerializeToString()
        return serialized


def case(
    *nodes: onnx.NodeProto, constants: dict[str, Anything] | None = None, **inputs: tuple[int, Sequence[int]]
) -> Case:
    return Case(nodes, inputs, constants or {})


TABLE: dict[str, Anything] = {"e": np.arange(12, dtype=np.float32).reshape(4, 3)}
KINDS = {
    "i8": TensorProto.INT8, "u8": TensorProto.UINT8, "i16": TensorProto.INT16, "u16": TensorProto.UINT16,
    "u32": TensorProto.UINT32, "u64": TensorProto.UINT64,
}  # fmt: skip
X = (F32, (5, 3))
CASES = {
    "Gather": case(node("Gather", ["e", "i"], ["y"]), constants=TABLE, i=(I64, (4,))),
    "Gather by int32": case(node("Gather", ["e", "i"], ["y"]), constants=TABLE, i=(I32, (4,))),
    "GatherElements": case(node("GatherElements", ["x", "i"], ["y"], axis=1), x=X, i=(I64, (4, 3))),
    "GatherElements of the last axis": case(
        node("GatherElements", ["x", "i"], ["y"], axis=2), x=X, i=(I32, (5, 2))
    ),
    "GatherND": case(node("GatherND", ["x", "i"], ["y"], batch_dims=1), x=X, i=(I64, (4, 2))),
    "GatherND of slices": case(node("GatherND", ["x", "i"], ["y"], batch_dims=1), x=X, i=(I64, (4, 1))),
    "ScatterElements": case(
        node("ScatterElements", ["x", "i", "u"], ["y"], axis=1), x=X, i=(I64, (4, 3)), u=(F32, (4, 3))
    ),
    "ScatterElements, added": case(
        node("ScatterElements", ["x", "i", "u"], ["y"], axis=2, reduction="add"),
        x=X, i=(I32, (5, 2)), u=(F32, (5, 2)),
    ),
    "OneHot": case(
        node("OneHot", ["i", "d", "v"], ["y"]),
        constants={"d": np.array(5), "v": np.array([0, 1], np.float32)},
        i=(I64, (4,)),
    ),
    "GridSample": case(node("GridSample", ["x", "g"], ["y"]), x=(F32, (2, 4, 3)), g=(F32, (3, 2, 2))),
    "GridSample, cubic": case(
        node("GridSample", ["x", "g"], ["y"], mode="cubic", padding_mode="reflection"),
        x=(F32, (2, 4, 3)), g=(F32, (3, 2, 2)),
    ),
    "TopK": case(
        node("TopK", ["x", "k"], ["y", "places"], axis=1), constants={"k": np.array([2])}, x=X
    ),
    "a place that was computed": case(
        node("Mul", ["i", "i"], ["s"]), node("Add", ["s", "i"], ["p"]), node("Gather", ["e", "p"], ["y"]),
        constants=TABLE, i=(I64, (4,)),
    ),
    "a place from a float": case(
        node("Cast", ["f"], ["p"], to=I32), node("Gather", ["e", "p"], ["y"]), constants=TABLE, f=(F32, (4,))
    ),
    **{
        f"a place from {name}": case(
            node("Cast", ["i"], ["p"], to=I64 if name == "u64" else I32), node("Gather", ["e", "p"], ["y"]),
            constants=TABLE, i=(kind, (4,)),
        )
        for name, kind in KINDS.items()
    },
}  # fmt: skip


def worst(rng: np.random.Generator, region: Region) -> Anything:
    """Values that indices should not have, among some that they should."""
    shape, dtype = (ROWS, *region.shape[1:]), region.kind.numpy
    if dtype.kind == "f":
        some = np.array([0, -0.99, 1, -1.5, 3, 1e9, -1e9, 3e38, -3e38, np.inf, -np.inf, np.nan])
        return np.where(rng.random(shape) < 0.5, rng.choice(some, shape), rng.standard_normal(shape)).astype(
            dtype
        )
    bounds = np.iinfo(dtype)
    low, high = int(bounds.min), int(bounds.max)
    near = [
        low,
        low + 1,
        high,
        high - 1,
        *range(-7, 8),
        12,
        -13,
        2**31,
        -(2**31),
        2**32,
        2**32 + 1,
        2**33 - 2,
    ]
    return rng.choice(np.array([value for value in near if low <= value <= high], dtype), shape)


class Twice:
    """A plan's module; `run` fills its memory with a pattern before it runs on some inputs."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.machine = plan, Machine(plan)

    def run(self, pattern: bytes, inputs: dict[str, Anything]) -> list[bytes]:
        """What every output holds. Inputs and constants are as they were, or it fails."""
        memory, plan = self.machine.bytes, self.plan
        memory[:] = np.frombuffer(pattern * (len(memory) // 4), np.uint8)
        kept = [(region, np.frombuffer(value, np.uint8)) for region, value in plan.constants]
        for parameter in plan.parameters:
            self.machine.write(parameter.region, np.frombuffer(parameter.given, "<f4"))
        for region in plan.rows_regions:
            kept.append((region, np.frombuffer(inputs[region.name].tobytes(), np.uint8)))
        for region, held in kept:
            memory[region.offset : region.offset + len(held)] = held
        self.machine.run(1, ROWS)
        self.machine.finish()
        for region, held in kept:
            assert np.array_equal(memory[region.offset : region.offset + len(held)], held), region.name
        return [np.ascontiguousarray(self.machine.view(region)).tobytes() for region in plan.outputs]


@pytest.mark.parametrize("name", CASES)
def test_an_index_stays_in_its_row_and_tensor(name: str) -> None:
    twice = Twice(compile_forward(CASES[name].model(), ROWS, ROWS))
    (output,) = twice.plan.outputs[:1]
    width = output.size // output.shape[0]

    @given(seed=st.integers(0, 2**32))
    @settings(max_examples=15, deadline=None)
    def holds(seed: int) -> None:
        rng = np.random.default_rng(seed)
        inputs = {region.name: worst(rng, region) for region in twice.plan.inputs}
        first, second = (twice.run(pattern, inputs)[0][: ROWS * width] for pattern in PATTERNS)
        assert first == second, "something was read that nobody wrote"
        changed = {key: value.copy() for key, value in inputs.items()}
        for region in twice.plan.inputs:
            changed[region.name][5] = worst(rng, region)[0]
        third = twice.run(PATTERNS[0], changed)[0]
        for row in {*range(ROWS)} - {5}:
            assert first[row * width :][:width] == third[row * width :][:width], "a row saw another one"

    holds()


def test_the_gradient_of_an_index_stays_there_too() -> None:
    """Embeddings learn by scattering, into their own table only; labels are indices as well."""
    nodes = (
        node("Gather", ["e", "x"], ["h"]),
        node("Flatten", ["h"], ["f"]),
        node("MatMul", ["f", "w"], ["y"]),
    )
    weights: dict[str, Anything] = {**TABLE, "w": np.ones((12, 3), np.float32)}
    made = Case(nodes, {"x": (I64, (4,))}, weights).model()
    spec = training_spec(ROWS, loss=Loss.CrossEntropy, trainable=["e", "w"])
    twice = Twice(compile_training(made, spec, ROWS, gradients_only=True))

    @given(seed=st.integers(0, 2**32))
    @settings(max_examples=25, deadline=None)
    def holds(seed: int) -> None:
        rng = np.random.default_rng(seed)
        inputs = {region.name: worst(rng, region) for region in twice.plan.rows_regions}
        first, second = (twice.run(pattern, inputs) for pattern in PATTERNS)
        assert first == second

    holds()


@pytest.mark.parametrize("name", ["dense", "sequence", "grouped", "recurrent", "normalised"])
def test_rows_that_only_pad_a_batch_may_hold_anything(name: str) -> None:
    """Under differential privacy: what an earlier call left there, or nothing that ever was a number."""
    rows = 5
    plan = compile_training(PRIVATE[name][0], spec_of(name, ROWS, SIGMA), rows, gradients_only=True)
    x, target = data(name, rows)
    machine, found = Machine(plan), []
    assert plan.target is not None and plan.noise is not None
    for pattern in PATTERNS:
        machine.bytes[:] = np.frombuffer(pattern * (len(machine.bytes) // 4), np.uint8)
        for region, constant in plan.constants:
            machine.write(region, np.frombuffer(constant, region.kind.numpy))
        for parameter in plan.parameters:
            machine.write(parameter.region, np.frombuffer(parameter.given, "<f4"))
        machine.write(plan.inputs[0], x)
        machine.write(plan.target, target)
        machine.write(plan.noise, np.arange(plan.noise.shape[1], dtype=np.int32))
        machine.run(1, rows)
        machine.finish()
        found.append([np.ascontiguousarray(machine.view(region)).tobytes() for region in plan.outputs])
    assert found[0] == found[1]
