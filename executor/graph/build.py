"""A checked graph as IR: every operator replaced by its function in the table."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from executor.compiler import ir
from executor.compiler.ir import Node, Op
from executor.errors import DynamicShape, MalformedGraph, TooLarge, UnsupportedAttribute, UnsupportedType
from executor.graph.parse import Graph, Step
from executor.ops import apply
from executor.ops.shapes import value_of_array
from executor.ops.values import Value

IR_NODES_MAX = 20_000


@dataclass(frozen=True)
class Model:
    """Inputs, parameters (initialisers that may be trained) and outputs as nodes."""

    inputs: dict[str, Node]
    parameters: dict[str, Node]
    values: dict[str, NDArray[np.float32]]
    outputs: dict[str, Node]


def build(graph: Graph, is_parameter: Callable[[str, tuple[int, ...]], bool]) -> Model:
    """The IR of a graph. Initialisers chosen by `is_parameter(name, shape)` stay variable, others are
    constants. Raises a ModelError."""
    inputs = {port.name: ir.make(Op.INPUT, (), port.features, True, port.name) for port in graph.inputs}
    values: dict[str, Value] = dict(inputs)
    parameters: dict[str, Node] = {}
    data: dict[str, NDArray[np.float32]] = {}
    for name, array in graph.initialisers.items():
        if array.dtype == np.float32 and array.size and is_parameter(name, array.shape):
            parameters[name] = values[name] = ir.make(Op.PARAM, (), array.shape, False, name)
            data[name] = array.astype(np.float32)
        elif array.size or array.dtype != np.float32:
            values[name] = value_of_array(array)
    for step in graph.steps:
        _run(graph.opset, step, values)
    outputs = {}
    for name in graph.outputs:
        value = values.get(name)
        if not isinstance(value, Node):
            raise UnsupportedType(f"the output {name!r} is not a float32 tensor")
        outputs[name] = value
    if len(ir.postorder(outputs.values())) > IR_NODES_MAX:
        raise TooLarge(f"a model of more than {IR_NODES_MAX} primitive operations")
    return Model(inputs, parameters, data, outputs)


def _run(opset: int, step: Step, values: dict[str, Value]) -> None:
    if not step.outputs or not step.outputs[0]:
        raise MalformedGraph(f"{step.op} without an output")
    try:
        inputs = [values[name] if name else None for name in step.inputs]
    except KeyError as error:
        raise UnsupportedAttribute(
            f"{step.op} reads {error.args[0]!r}, which is empty or a second output"
        ) from None
    value = apply(step.op, opset, inputs, step.attributes)
    values[step.outputs[0]] = value


def batched_output(model: Model, name: str) -> Node:
    """An output that has one row for each row of the batch. Raises DynamicShape."""
    node = model.outputs[name]
    if not node.batched:
        raise DynamicShape(f"the output {name!r} does not depend on the batch")
    return node
