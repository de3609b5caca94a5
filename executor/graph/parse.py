"""Parsing and the checks that need no shapes: sizes, domains, opset, names, order, types.

Everything is bounded before it is allocated: the file by `MODEL_MAX`, protobuf nesting by protobuf's own
limit, counts and declared tensor sizes by the constants below.
"""

from dataclasses import dataclass, replace
from math import prod

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, numpy_helper

from executor.compiler.ir import ELEMENTS_MAX, RANK_MAX
from executor.compiler.types import BY_ONNX, DType
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
from executor.ops.elsewhere import instead
from executor.ops.values import INTEGERS_MAX

MODEL_MAX = 64 << 20
NODES_MAX = 2048
TENSORS_MAX = 2048
PORTS_MAX = 64
"""Graph inputs, graph outputs, inputs of a node."""
NAME_MAX = 256
SIGNATURE = "pkg.torch.export.ExportedProgram.graph_signature"
SIGNATURE_MAX = 1 << 20
DEPTH_MAX = 4
"""Sub-graphs inside one another."""
OPSETS = range(1, 29)
DOMAINS = ("", "ai.onnx")
PREVIEW = "ai.onnx.preview"
"""Its operators stand in the table under their full name."""
Array = NDArray[np.generic]


@dataclass(frozen=True)
class Port:
    """A graph input. `dims` are its dimensions, None where the file gives no number; None if it says
    nothing about them."""

    name: str
    dtype: DType
    dims: tuple[int | None, ...] | None

    @property
    def features(self) -> tuple[int, ...]:
        """The dimensions of one row: all but the first. Raises DynamicShape, ShapeMismatch, TooLarge."""
        if not self.dims:
            raise DynamicShape(f"the input {self.name!r} has no batch dimension")
        rest = self.dims[1:]
        if any(size is None for size in rest):
            raise DynamicShape(
                f"the input {self.name!r} has a free dimension besides the first: export it fixed"
            )
        features = _shape([size for size in rest if size is not None])
        if any(size < 1 for size in features):
            raise ShapeMismatch(f"the input {self.name!r} is empty")
        return features

    @property
    def first(self) -> int | None:
        """The first dimension, if the file gives a number above zero."""
        number = self.dims[0] if self.dims else None
        return number or None


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
    signature: str = ""
    """What PyTorch's newer exporter says of the program: which tensors are parameters, and which buffers."""
    producer: str = ""
    """The program that wrote the file, as it names itself."""


@dataclass(frozen=True)
class Subgraph:
    """The body of an If, Loop or Scan: it sees the names of the graph around it."""

    inputs: tuple[str, ...]
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
    if _nodes(graph, 0) > NODES_MAX:
        raise TooLarge(f"a model has more than {NODES_MAX} nodes")
    initialisers = _initialisers(graph)
    inputs = tuple(_port(info) for info in graph.input if info.name not in initialisers)
    if len(inputs) > PORTS_MAX:
        raise TooLarge(f"a graph has {len(inputs)} inputs where {PORTS_MAX} are allowed")
    steps = tuple(_marked(step(node), opset) for node in graph.node)
    outputs = tuple(_named(info.name) for info in graph.output)
    known = {port.name for port in inputs} | set(initialisers)
    if len({port.name for port in inputs}) != len(inputs):
        raise MalformedGraph("two graph inputs have one name")
    if not outputs:
        raise MalformedGraph("a graph has at least one output")
    _check_names(known, steps, outputs)
    return Graph(
        opset, inputs, initialisers, steps, outputs, _signature(graph), _text(model.producer_name)[:NAME_MAX]
    )


def _signature(graph: GraphProto) -> str:
    """The exporter's list of parameters and buffers, empty where there is none."""
    found = (item.value for item in graph.metadata_props[:PORTS_MAX] if item.key == SIGNATURE)
    return _text(next(found, ""))[:SIGNATURE_MAX]


def numbers_in(graph: Graph | Subgraph) -> int:
    """Numbers that the file gives: those of initialisers, of tensors and lists in attributes, in sub-graphs
    too."""
    found = sum(array.size for array in graph.initialisers.values())
    for item in (value for step in graph.steps for value in step.attributes.values()):
        if isinstance(item, Subgraph):
            found += numbers_in(item)
        elif isinstance(item, np.ndarray):
            found += item.size
        elif isinstance(item, tuple):
            found += len(item)
    return found


def _nodes(graph: GraphProto, depth: int) -> int:
    """Nodes of a graph and of what lies inside it; also checks the other counts. Raises TooLarge."""
    if depth > DEPTH_MAX:
        raise TooLarge(f"sub-graphs lie more than {DEPTH_MAX} deep")
    counts = (
        (graph.node, NODES_MAX), (graph.initializer, TENSORS_MAX), (graph.input, TENSORS_MAX),
        (graph.output, PORTS_MAX),
    )  # fmt: skip
    for items, bound in counts:
        if len(items) > bound:
            raise TooLarge(f"a graph has {len(items)} parts where {bound} are allowed")
    total = len(graph.node)
    for node in graph.node:
        for item in node.attribute:
            if item.HasField("g"):
                total += _nodes(item.g, depth + 1)
    return total


def _initialisers(graph: GraphProto) -> dict[str, Array]:
    found: dict[str, Array] = {}
    for tensor in graph.initializer:
        name = _named(tensor.name)
        if name in found:
            raise MalformedGraph(f"two initialisers are called {name!r}")
        found[name] = array_of(tensor)
    return found


def _subgraph(graph: GraphProto) -> Subgraph:
    """Its names are checked where it is run: they depend on the graph around it."""
    if graph.sparse_initializer:
        raise UnsupportedType("sparse initialisers are not supported")
    return Subgraph(
        tuple(_named(info.name) for info in graph.input),
        _initialisers(graph),
        tuple(step(node) for node in graph.node),
        tuple(_named(info.name) for info in graph.output),
    )


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
    versions: dict[str, int] = {}
    for item in model.opset_import:
        if versions.get(item.domain, item.version) != item.version:
            raise MalformedGraph("an operator set is imported twice")
        versions[item.domain] = item.version
    found = [version for domain, version in versions.items() if domain in DOMAINS]
    if len(found) != 1:
        domains = ", ".join(repr(str(domain)[:40]) for domain in list(versions)[:4])
        raise UnsupportedOpset(f"a model imports the standard operators once; this one imports {domains}")
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
    """The values of a tensor. Raises ExternalData, UnsupportedType, TooLarge, ShapeMismatch,
    MalformedGraph."""
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise ExternalData(
            f"the tensor {tensor.name!r} lives in another file: export with external_data=False"
        )
    dtype = BY_ONNX.get(tensor.data_type)
    if dtype is None:
        raise UnsupportedType(f"the tensor {tensor.name!r} has {_type_name(tensor.data_type)} elements")
    shape = _shape(list(tensor.dims))
    lists = (
        tensor.float_data, tensor.int64_data, tensor.int32_data, tensor.double_data, tensor.uint64_data
    )  # fmt: skip
    stored = len(tensor.raw_data) / dtype.width if tensor.HasField("raw_data") else sum(map(len, lists))
    if stored != prod(shape):
        raise ShapeMismatch(
            f"the tensor {tensor.name!r} declares {list(shape)} but holds {stored:g} elements"
        )
    try:
        array = numpy_helper.to_array(tensor)
    except Exception:
        raise MalformedGraph(f"the tensor {tensor.name!r} cannot be read") from None
    if array.shape != shape:
        raise MalformedGraph(f"the tensor {tensor.name!r} cannot be read")
    found: Array = np.ascontiguousarray(array, dtype=dtype.numpy).reshape(shape)
    return found


def _type_name(number: int) -> str:
    try:
        return str(TensorProto.DataType.Name(number)).lower()
    except ValueError:
        return f"unknown ({number})"


def _port(info: ValueInfoProto) -> Port:
    name = _named(info.name)
    if not info.type.HasField("tensor_type"):
        raise UnsupportedType(f"the input {name!r} is not a tensor")
    dtype = BY_ONNX.get(info.type.tensor_type.elem_type)
    if dtype is None:
        kind = _type_name(info.type.tensor_type.elem_type)
        raise UnsupportedType(f"the input {name!r} has {kind} elements")
    if not info.type.tensor_type.HasField("shape"):
        return Port(name, dtype, None)
    dims = [dim.dim_value if dim.HasField("dim_value") else None for dim in info.type.tensor_type.shape.dim]
    _shape([size for size in dims if size is not None])
    return Port(name, dtype, tuple(dims))


def step(node: NodeProto) -> Step:
    op = _text(node.op_type)
    if _text(node.domain) == PREVIEW:
        op = f"{PREVIEW}.{op}"
    elif node.domain not in DOMAINS:
        raise UnknownOp(f"the operator {op!r} of the domain {node.domain!r}{instead(op)}")
    if max(len(node.input), len(node.output)) > PORTS_MAX:
        raise TooLarge(f"a node {op!r} has more than {PORTS_MAX} inputs or outputs")
    attributes: dict[str, object] = {}
    for item in node.attribute:
        if _text(item.name) in attributes:
            raise MalformedGraph(f"a node {op!r} has the attribute {item.name!r} twice")
        attributes[item.name] = _attribute(op, item)
    return Step(op, tuple(map(_text, node.input)), tuple(map(_text, node.output)), attributes)


def _marked(found: Step, opset: int) -> Step:
    """Before opset 14 a BatchNormalization says by the number of its outputs that it trains."""
    if found.op == "BatchNormalization" and opset < 14 and any(found.outputs[1:]):
        return replace(found, attributes={**found.attributes, "training_mode": 1})
    return found


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
        case AttributeProto.STRINGS if len(item.strings) <= INTEGERS_MAX:
            return tuple(text.decode("utf-8", "replace") for text in item.strings)
        case AttributeProto.TENSOR:
            return array_of(item.t)
        case AttributeProto.GRAPH:
            return _subgraph(item.g)
    raise UnsupportedAttribute(f"the attribute {item.name!r} of {op!r} is of a kind that is not supported")


def _check_names(known: set[str], steps: tuple[Step, ...], outputs: tuple[str, ...]) -> None:
    """Single assignment, definition before use (so: no cycle), outputs that exist. Adds to `known`."""
    for step in steps:
        for name in step.inputs:
            if name and name not in known:
                raise MalformedGraph(f"{step.op} reads {name!r}, which is not defined before it")
        for item in step.attributes.values():
            if isinstance(item, Subgraph):
                _check_names(known | set(item.inputs) | set(item.initialisers), item.steps, item.outputs)
        for name in step.outputs:
            if name in known:
                raise MalformedGraph(f"{name!r} is defined twice")
            if name:
                known.add(_named(name))
    if len(set(outputs)) != len(outputs) or not known.issuperset(outputs):
        raise MalformedGraph("a graph output is not defined, or named twice")
