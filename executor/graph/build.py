"""A checked graph as IR: every operator replaced by its function in the table, or by ONNX's own definition in
terms of others (executor/graph/functions.py)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from executor.compiler import ir
from executor.compiler.ir import Node
from executor.compiler.op import Op
from executor.errors import (
    DynamicShape,
    MalformedGraph,
    ShapeMismatch,
    TooLarge,
    UnsupportedAttribute,
    UnsupportedType,
)
from executor.graph import sequences
from executor.graph.functions import expanded
from executor.graph.normalisation import factors, new_statistics, shifts, trained_statistics
from executor.graph.parse import Graph, Step, Subgraph
from executor.ops import OPERATORS, apply
from executor.ops.shapes import value_of_array
from executor.ops.table import fitting
from executor.ops.values import Value, tensor

IR_NODES_MAX = 20_000
NODES_MADE_MAX = 400_000
"""Nodes made while a graph is read, those that nothing uses included."""
ANY = "an operator "
STEPS_MAX = 16_384
"""Operators that are applied, those of unrolled loops and expanded functions included."""


@dataclass(frozen=True)
class Model:
    """Inputs, parameters (initialisers that may be trained) and outputs as nodes."""

    inputs: dict[str, Node]
    parameters: dict[str, Node]
    values: dict[str, NDArray[np.float32]]
    outputs: dict[str, Node]
    running: dict[str, Node] = field(default_factory=dict)
    """Running statistics by parameter: what they become after a step of training."""
    starts: dict[str, float] = field(default_factory=dict)
    """What every element of a fresh parameter starts as, where it is neither drawn nor zero."""


def build(
    graph: Graph, is_parameter: Callable[[str, tuple[int, ...]], bool], key: bytes | None = None
) -> Model:
    """The IR of a graph whose inputs are batches of rows. Initialisers chosen by `is_parameter(name, shape)`
    stay variable, others are constants. `key` is that of a training run's random numbers. Raises a
    ModelError."""
    if not graph.inputs:
        raise MalformedGraph("a graph has at least one input and one output")
    inputs = {
        port.name: ir.make(Op.INPUT, (), port.features, True, port.name, dtype=port.dtype)
        for port in graph.inputs
    }
    token = ir.RANDOMNESS.set(None if key is None else ir.Randomness(key))
    try:
        return _built(graph, inputs, dict(inputs), is_parameter)
    except (DynamicShape, ShapeMismatch, UnsupportedAttribute) as error:
        fixed = next((port for port in graph.inputs if port.first), None)
        if fixed is None:
            raise
        hint = f"the file fixes the batch of {fixed.name!r} at {fixed.first}: export it with a free first one"
        raise type(error)(f"{error}; {hint}") from None
    finally:
        ir.RANDOMNESS.reset(token)


def build_whole(
    graph: Graph, shapes: Mapping[str, tuple[int, ...]], known: Mapping[str, NDArray[np.generic]]
) -> Model:
    """The IR of a graph over whole tensors, without a batch: inputs have the given shapes, or are constants
    where they are `known`. Raises a ModelError."""
    inputs: dict[str, Node] = {}
    values: dict[str, Value] = {}
    for port in graph.inputs:
        if port.name in known:
            values[port.name] = value_of_array(known[port.name])
            continue
        if port.name not in shapes:
            raise DynamicShape(f"the input {port.name!r} has no shape")
        shape = shapes[port.name]
        inputs[port.name] = ir.make(Op.INPUT, (), shape, False, port.name, dtype=port.dtype)
        values[port.name] = inputs[port.name]
    return _built(graph, inputs, values, lambda name, shape: False)


def _built(
    graph: Graph,
    inputs: dict[str, Node],
    values: dict[str, Value],
    is_parameter: Callable[[str, tuple[int, ...]], bool],
) -> Model:
    parameters: dict[str, Node] = {}
    data: dict[str, NDArray[np.float32]] = {}
    for name, array in graph.initialisers.items():
        if array.dtype == np.float32 and array.size and is_parameter(name, array.shape):
            parameters[name] = values[name] = ir.make(Op.PARAM, (), array.shape, False, name)
            data[name] = array.astype(np.float32)
        else:
            values[name] = value_of_array(array)
    token = ir.NODES_LEFT.set([NODES_MADE_MAX])
    try:
        runner = Runner(graph.opset)
        runner.run(graph.steps, values)
    finally:
        ir.NODES_LEFT.reset(token)
    running = new_statistics(graph, values)
    starts = {
        **dict.fromkeys(sorted(shifts(graph)), 0.0),
        **dict.fromkeys(sorted(factors(graph)), 1.0),
        **trained_statistics(graph),
    }
    outputs = {name: tensor(values[name]) for name in graph.outputs if name in values}
    for name in graph.outputs:
        if name in runner.lists:
            raise UnsupportedType(f"the output {name!r} is a list of tensors")
        if name not in outputs:
            raise UnsupportedAttribute(f"the output {name!r} is one that its operator does not give")
    if len(ir.postorder(outputs.values())) > IR_NODES_MAX:
        raise TooLarge(f"a model of more than {IR_NODES_MAX} primitive operations")
    running = {name: node for name, node in running.items() if name in parameters}
    return Model(inputs, parameters, data, outputs, running, starts)


class Runner:
    """Applies the table to nodes, one after another; bounds what unrolled loops may make of a small file."""

    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.left = STEPS_MAX
        self.lists: sequences.Lists = {}

    def run(self, steps: Sequence[Step], values: dict[str, Value]) -> None:
        """Enter the outputs of every step into `values`. Raises a ModelError."""
        for step in steps:
            self._step(step, values)

    def _step(self, step: Step, values: dict[str, Value]) -> None:
        self.left -= 1
        if self.left < 0:
            raise TooLarge(f"a model runs more than {STEPS_MAX} operators")
        if not any(step.outputs):
            raise MalformedGraph(f"{step.op} without an output")
        if step.op in sequences.SEQUENCES:
            sequences.run(step, values, self.lists, self.opset)
            return
        try:
            inputs = [values[name] if name else None for name in step.inputs]
        except KeyError as error:
            if error.args[0] in self.lists:
                raise UnsupportedType(f"{step.op} of a list of tensors") from None
            raise UnsupportedAttribute(
                f"{step.op} reads {error.args[0]!r}, an output that its operator does not give"
            ) from None
        attributes = {
            name: self._body(value, values) if isinstance(value, Subgraph) else value
            for name, value in step.attributes.items()
        }
        try:
            found = self._values(step, inputs, attributes)
        except UnsupportedAttribute as error:
            raise _placed(error, step) from None
        for name, value in zip(step.outputs, found, strict=False):
            if name and value is not None:
                values[name] = value

    def _values(
        self, step: Step, inputs: list[Value | None], attributes: dict[str, object]
    ) -> Sequence[Value | None]:
        if step.op not in OPERATORS:
            with fitting(step.op):
                function = expanded(step, self.opset, inputs)
            if function is not None:
                inner = dict(zip(function.inputs, inputs, strict=False))
                known = {name: value for name, value in inner.items() if value is not None}
                self.run(function.steps, known)
                return [known.get(name) for name in function.outputs]
        value = apply(step.op, self.opset, inputs, attributes, len(step.outputs))
        return value if isinstance(value, tuple) else (value,)

    def _body(self, graph: Subgraph, around: Mapping[str, Value]) -> Callable[..., list[Value]]:
        """A sub-graph as a function of its inputs."""

        def body(*inputs: Value) -> list[Value]:
            if len(inputs) != len(graph.inputs):
                raise MalformedGraph(f"a sub-graph takes {len(graph.inputs)} inputs, not {len(inputs)}")
            values = dict(around)
            values.update({name: value_of_array(array) for name, array in graph.initialisers.items()})
            values.update(zip(graph.inputs, inputs, strict=True))
            self.run(graph.steps, values)
            try:
                return [values[name] for name in graph.outputs]
            except KeyError as error:
                if error.args[0] in self.lists:
                    raise UnsupportedType("a sub-graph gives a list of tensors") from None
                raise MalformedGraph("an output of a sub-graph is not defined") from None

        return body


def _placed(error: UnsupportedAttribute, step: Step) -> UnsupportedAttribute:
    """The refusal of "an operator" with the one that it is."""
    text, place = str(error), next(name for name in step.outputs if name)
    if not text.startswith(ANY):
        return error
    return UnsupportedAttribute(f"{step.op} at {place!r} {text.removeprefix(ANY)}")


def batched_output(model: Model, name: str) -> Node:
    """An output that has one row for each row of the batch. Raises DynamicShape."""
    node = model.outputs[name]
    if not node.batched:
        raise DynamicShape(f"the output {name!r} does not depend on the batch")
    return node
