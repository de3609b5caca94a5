"""Parsing and the checks that need no shapes: sizes, domains, opset, names, order, types.

Everything is bounded before it is allocated: the file by `MODEL_MAX`, protobuf nesting by protobuf's own
limit, counts and declared tensor sizes by the constants below.
"""

from dataclasses import dataclass
from math import prod

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, numpy_helper

from executor.compiler.ir import ELEMENTS_MAX, RANK_MAX
from executor.errors import (
    DynamicShape,
    ExternalData,
    MalformedGraph,
    NotOnnx,
    ShapeMismatch,
    TooLarge,
    UnknownOp,
    UnsupportedAttribute,
    UnsupportedOpset,
    UnsupportedType,
)
from executor.ops.values import INTEGERS_MAX

MODEL_MAX = 64 << 20
NODES_MAX = 2048
TENSORS_MAX = 2048
PORTS_MAX = 64
"""Graph inputs, graph outputs, inputs of a node."""
NAME_MAX = 256
OPSETS = range(7, 26)
DOMAINS = ("", "ai.onnx")
FLOAT, INTEGERS = TensorProto.FLOAT, (TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL)

WIDTHS = {
    int(TensorProto.FLOAT): 4,
    int(TensorProto.INT64): 8,
    int(TensorProto.INT32): 4,
    int(TensorProto.BOOL): 1,
}
"""Bytes of an element in `raw_data`."""

Array = NDArray[np.float32] | NDArray[np.int64]


@dataclass(frozen=True)
class Port:
    """A graph input or output. `features` are the dimensions after the first; `first` is the first one if the
    file gives a number."""

    name: str
    features: tuple[int, ...]
    first: int | None


@dataclass(frozen=True)
class Step:
    """A node: operator, names of inputs ("" = left out) and outputs, attributes as plain values."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, object]


@dataclass(frozen=True)
class Graph:
    """A checked graph; `steps` are in an order in which every name is defined before it is used."""

    opset: int
    inputs: tuple[Port, ...]
    initialisers: dict[str, Array]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]


def parse(data: bytes) -> Graph:
    """Check a serialized ModelProto. Raises a ModelError; see the table in executor/errors.py."""
    model = _decode(data)
    graph = model.graph
    opset = _opset(model)
    if model.functions or model.training_info:
        raise UnknownOp("a model brings functions or training graphs of its own")
    if graph.sparse_initializer:
        raise UnsupportedType("sparse initialisers are not supported")
    counts = ((graph.node, NODES_MAX), (graph.initializer, TENSORS_MAX), (graph.input, TENSORS_MAX))
    for items, bound in (*counts, (graph.output, PORTS_MAX)):
        if len(items) > bound:
            raise TooLarge(f"a graph has {len(items)} parts where {bound} are allowed")
    initialisers = {}
    for tensor in graph.initializer:
        name = _named(tensor.name)
        if name in initialisers:
            raise MalformedGraph(f"two initialisers are called {name!r}")
        initialisers[name] = array_of(tensor)
    inputs = tuple(_port(info) for info in graph.input if info.name not in initialisers)
    if len(inputs) > PORTS_MAX:
        raise TooLarge(f"a graph has {len(inputs)} inputs where {PORTS_MAX} are allowed")
    steps = tuple(_step(node) for node in graph.node)
    outputs = tuple(_named(info.name) for info in graph.output)
    _check_names(graph, inputs, initialisers, steps, outputs)
    return Graph(opset, inputs, initialisers, steps, outputs)


def _decode(data: bytes) -> ModelProto:
    if len(data) > MODEL_MAX:
        raise TooLarge(f"a model of {len(data)} bytes; {MODEL_MAX} are allowed")
    model = ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError:
        raise NotOnnx("the bytes are not an ONNX model") from None
    if not data or not model.HasField("graph") or not model.opset_import or not model.ir_version:
        raise NotOnnx("the bytes hold no ONNX graph")
    return model


def _opset(model: ModelProto) -> int:
    versions = {}
    for item in model.opset_import:
        if item.domain in versions:
            raise MalformedGraph("an operator set is imported twice")
        versions[item.domain] = item.version
    found = [version for domain, version in versions.items() if domain in DOMAINS]
    if len(found) != 1:
        raise UnsupportedOpset("a model imports the standard operators once")
    if found[0] not in OPSETS:
        raise UnsupportedOpset(f"opset {found[0]} is not among {OPSETS.start} to {OPSETS.stop - 1}")
    return int(found[0])


def _text(value: object) -> str:
    """A string of the file. The parser hands out bytes where they are not UTF-8."""
    if not isinstance(value, str):
        raise NotOnnx("a name in the model is not UTF-8")
    return value


def _named(value: object) -> str:
    name = _text(value)
    if not name or len(name.encode()) > NAME_MAX:
        raise MalformedGraph("a tensor's name is empty or too long")
    return name


def _shape(dims: list[int]) -> tuple[int, ...]:
    if len(dims) > RANK_MAX:
        raise TooLarge(f"a tensor of {len(dims)} dimensions; {RANK_MAX} are allowed")
    if any(size < 0 for size in dims):
        raise ShapeMismatch("a dimension is negative")
    if prod(dims) > ELEMENTS_MAX:
        raise TooLarge(f"a tensor of shape {dims} has more than {ELEMENTS_MAX} elements")
    return tuple(dims)


def array_of(tensor: TensorProto) -> Array:
    """The values of a tensor: float32 as they are, integers as int64. Raises ExternalData, UnsupportedType,
    TooLarge, ShapeMismatch, MalformedGraph."""
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise ExternalData(f"the tensor {tensor.name!r} lives in another file")
    if tensor.data_type != FLOAT and tensor.data_type not in INTEGERS:
        raise UnsupportedType(f"the tensor {tensor.name!r} has element type {tensor.data_type}")
    shape = _shape(list(tensor.dims))
    if tensor.data_type != FLOAT and prod(shape) > INTEGERS_MAX:
        raise TooLarge(f"the integer tensor {tensor.name!r} has more than {INTEGERS_MAX} elements")
    width = WIDTHS[int(tensor.data_type)]
    lists = (tensor.float_data, tensor.int64_data, tensor.int32_data)
    stored = len(tensor.raw_data) / width if tensor.HasField("raw_data") else sum(map(len, lists))
    if stored != prod(shape):
        raise ShapeMismatch(
            f"the tensor {tensor.name!r} declares {list(shape)} but holds {stored:g} elements"
        )
    try:
        array = numpy_helper.to_array(tensor)
    except Exception:
        raise MalformedGraph(f"the tensor {tensor.name!r} cannot be read") from None
    return array.astype(np.float32) if tensor.data_type == FLOAT else array.astype(np.int64)


def _port(info: ValueInfoProto) -> Port:
    name = _named(info.name)
    if not info.type.HasField("tensor_type") or info.type.tensor_type.elem_type != FLOAT:
        raise UnsupportedType(f"the input {name!r} is not a float32 tensor")
    if not info.type.tensor_type.HasField("shape") or not info.type.tensor_type.shape.dim:
        raise DynamicShape(f"the input {name!r} has no batch dimension")
    first, *rest = info.type.tensor_type.shape.dim
    if any(not dim.HasField("dim_value") for dim in rest):
        raise DynamicShape(f"the input {name!r} has a free dimension besides the first")
    features = _shape([dim.dim_value for dim in rest])
    if any(size < 1 for size in features):
        raise ShapeMismatch(f"the input {name!r} is empty")
    number = first.dim_value if first.HasField("dim_value") else None
    return Port(name, features, number if number is None or number > 0 else None)


def _step(node: NodeProto) -> Step:
    op = _text(node.op_type)
    if _text(node.domain) not in DOMAINS:
        raise UnknownOp(f"the operator {op!r} of the domain {node.domain!r}")
    if max(len(node.input), len(node.output)) > PORTS_MAX:
        raise TooLarge(f"a node {op!r} has more than {PORTS_MAX} inputs or outputs")
    attributes: dict[str, object] = {}
    for item in node.attribute:
        if _text(item.name) in attributes:
            raise MalformedGraph(f"a node {op!r} has the attribute {item.name!r} twice")
        attributes[item.name] = _attribute(op, item)
    return Step(op, tuple(map(_text, node.input)), tuple(map(_text, node.output)), attributes)


def _attribute(op: str, item: AttributeProto) -> object:
    """A plain value; sub-graphs and other kinds are refused."""
    match item.type:
        case AttributeProto.FLOAT:
            return float(item.f)
        case AttributeProto.INT:
            return int(item.i)
        case AttributeProto.STRING:
            return item.s.decode("utf-8", "replace")
        case AttributeProto.INTS if len(item.ints) <= INTEGERS_MAX:
            return tuple(item.ints)
        case AttributeProto.FLOATS if len(item.floats) <= INTEGERS_MAX:
            return tuple(item.floats)
        case AttributeProto.TENSOR:
            return array_of(item.t)
    raise UnsupportedAttribute(f"the attribute {item.name!r} of {op!r} is of a kind that is not supported")


def _check_names(
    graph: GraphProto, inputs: tuple[Port, ...], initialisers: dict[str, Array], steps: tuple[Step, ...],
    outputs: tuple[str, ...],
) -> None:  # fmt: skip
    """Single assignment, definition before use (so: no cycle), outputs that exist."""
    if len({port.name for port in inputs}) != len(inputs):
        raise MalformedGraph("two graph inputs have one name")
    known = {port.name for port in inputs} | set(initialisers)
    for step in steps:
        for name in step.inputs:
            if name and name not in known:
                raise MalformedGraph(f"{step.op} reads {name!r}, which is not defined before it")
        for name in step.outputs:
            if name in known:
                raise MalformedGraph(f"{name!r} is defined twice")
            if name:
                known.add(_named(name))
    if not outputs or not inputs:
        raise MalformedGraph("a graph has at least one input and one output")
    if len(set(outputs)) != len(outputs) or not known.issuperset(outputs):
        raise MalformedGraph("a graph output is not defined, or named twice")
