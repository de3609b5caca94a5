"""Small ONNX models for the compiler's tests, their oracle in onnxruntime, and gradients by central
differences.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from executor.compiler.compile import compile_forward, compile_training
from executor.compiler.machine import Machine
from executor.onnx_runtime import onnxruntime
from primitives.data import Loss
from primitives.spec import (
    NUMERICS,
    Init,
    InputMap,
    LossSpec,
    OptimizerSpec,
    Schedule,
    Target,
    TrainingSpec,
    float_bits,
)

F32 = NDArray[np.float32]
FUEL = 10**13
PLAIN = {Loss.CrossEntropy: LossSpec.CrossEntropy(), Loss.MeanSquaredError: LossSpec.MeanSquaredError()}


def training_spec(
    batch: int = 32,
    *,
    rate: float = 0.1,
    momentum: float = 0.0,
    epochs: int = 1,
    loss: Loss | LossSpec = Loss.CrossEntropy,
    inputs: Sequence[str] = ("x",),
    target: str = "y",
    trainable: Sequence[str] = (),
    **changes: Any,
) -> TrainingSpec:
    """A spec for models whose input is x and whose output is y."""
    values: dict[str, Any] = {
        "version": 1,
        "numerics": NUMERICS,
        "model_hash": bytes(32),
        "inputs": [InputMap(column=name.encode(), tensor=name.encode(), affine=None) for name in inputs],
        "target": Target(column=b"label", tensor=target.encode()),
        "loss": loss if isinstance(loss, LossSpec) else PLAIN[loss],
        "optimizer": OptimizerSpec.Sgd(rate=float_bits(rate), momentum=float_bits(momentum)),
        "schedule": Schedule.Constant(),
        "epochs": epochs,
        "batch": batch,
        "seed": bytes(32),
        "init": Init.Given(),
        "trainable": [name.encode() for name in trainable],
        "dp": None,
        "shuffle": False,
        "shards": 1,
    }
    return TrainingSpec(**{**values, **changes})


@dataclass
class Case:
    """A model: nodes from x (features) and initialisers to y."""

    nodes: list[onnx.NodeProto]
    features: tuple[int, ...]
    parameters: dict[str, F32] = field(default_factory=dict)
    integers: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    opset: int = 17
    first: int | str = "N"

    def proto(self, double: bool = False) -> onnx.ModelProto:
        """The model in float32, or in float64 for differences."""
        kind = TensorProto.DOUBLE if double else TensorProto.FLOAT
        dtype = np.float64 if double else np.float32
        tensors = [
            numpy_helper.from_array(value.astype(dtype), name) for name, value in self.parameters.items()
        ]
        tensors += [numpy_helper.from_array(value, name) for name, value in self.integers.items()]
        graph = helper.make_graph(
            self.nodes,
            "case",
            [helper.make_tensor_value_info("x", kind, [self.first, *self.features])],
            [helper.make_tensor_value_info("y", kind, None)],
            tensors,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = 10
        return model

    def bytes(self) -> bytes:
        """Serialized, float32."""
        data: bytes = self.proto().SerializeToString()
        return data

    def forward(self, x: F32, batch: int = 8) -> F32:
        """y by our module."""
        plan = compile_forward(self.bytes(), batch, len(x))
        machine = Machine(plan, FUEL)
        y = machine.forward({"x": x})["y"]
        assert FUEL - machine.fuel_left() == fuel_of_forward(plan, len(x))
        return y

    def oracle(self, x: F32) -> F32:
        """y by onnxruntime."""
        session = onnxruntime.InferenceSession(self.bytes(), providers=["CPUExecutionProvider"])
        result: F32 = session.run(None, {"x": x})[0]
        return result

    def gradients(
        self, x: F32, target: NDArray[Any], loss: Loss, batch: int = 8
    ) -> tuple[float, dict[str, F32]]:
        """Loss and gradients of one step by our module."""
        names = list(self.parameters)
        spec = training_spec(batch, loss=loss, trainable=names)
        plan = compile_training(self.bytes(), spec, len(x), gradients_only=True)
        machine = Machine(plan, FUEL)
        machine.write(plan.inputs[0], x)
        assert plan.target is not None and plan.losses is not None
        machine.write(plan.target, target)
        machine.run(1, len(x))
        machine.finish()
        found = {region.name: machine.view(region).astype(np.float32) for region in plan.outputs}
        return float(machine.view(plan.losses)[0]), found

    def differences(
        self, x: F32, target: NDArray[Any], loss: Loss
    ) -> tuple[float, dict[str, NDArray[np.float64]]]:
        """Loss and gradients by central differences in float64, through onnx's reference evaluator."""
        model = self.proto(double=True)
        places: dict[str, Any] = {str(item.name): item for item in model.graph.initializer}
        inputs = {"x": x.astype(np.float64)}

        def value() -> float:
            outputs: Any = ReferenceEvaluator(model).run(None, inputs)
            return loss_of(np.asarray(outputs[0], dtype=np.float64), target, loss)

        found: dict[str, NDArray[np.float64]] = {}
        for name, start in self.parameters.items():
            flat = start.astype(np.float64).reshape(-1)
            slopes = np.zeros_like(flat)
            for index in range(flat.size):
                sides = []
                for step in (1e-6, -1e-6):
                    moved = flat.copy()
                    moved[index] += step
                    places[name].CopyFrom(numpy_helper.from_array(moved.reshape(start.shape), name))
                    sides.append(value())
                slopes[index] = (sides[0] - sides[1]) / 2e-6
            places[name].CopyFrom(numpy_helper.from_array(flat.reshape(start.shape), name))
            found[name] = slopes.reshape(start.shape)
        return value(), found


def fuel_of_forward(plan: Any, rows: int) -> int:
    """Exact fuel of `Machine.forward`: `finish` runs once a call there."""
    steps = -(-rows // plan.batch)
    calls = -(-rows // plan.rows_per_call)
    return int(steps * plan.fuel_per_step + calls * (plan.fuel_per_call + plan.fuel_of_finish))


def loss_of(y: NDArray[np.float64], target: NDArray[Any], loss: Loss) -> float:
    """The mean loss of a batch, in float64."""
    if loss is Loss.MeanSquaredError:
        return float(np.mean((y - target.astype(np.float64)) ** 2))
    shifted = y - y.max(axis=1, keepdims=True)
    scores = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-np.mean(scores[np.arange(len(y)), target]))


def node(op: str, inputs: str, output: str = "y", **attributes: Any) -> onnx.NodeProto:
    """A node; inputs are names separated by spaces, "-" for one left out."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(op, names, [output], **attributes)
