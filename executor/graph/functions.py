"""Operators that ONNX itself defines by others: their function bodies, as steps.

The bodies come with the onnx package (its operator schemas), never from the submitted file. Those that depend
on the types of the inputs, or on which are given, are asked for with the node at hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import FunctionProto, NodeProto, TypeProto, defs, helper, numpy_helper

from executor.graph import parse
from executor.ops.aside import Aside
from executor.ops.batch import Batch
from executor.ops.values import Ints, Value, rank


@dataclass(frozen=True)
class Function:
    """Names of inputs and outputs, and what happens between them."""

    inputs: tuple[str, ...]
    steps: tuple["parse.Step", ...]
    outputs: tuple[str, ...]


def expanded(step: "parse.Step", opset: int, inputs: Sequence[Value | None]) -> Function | None:
    """The definition of an operator for this node, None if ONNX gives none."""
    try:
        schema: Any = defs.get_schema(step.op, opset, "")
    except defs.SchemaError:
        return None
    attributes = _attributes(step)
    if schema.has_context_dependent_function:
        node = helper.make_node(step.op, step.inputs, step.outputs)
        node.attribute.extend(attributes.values())
        body = _dependent(schema, node, opset, inputs)
    else:
        body = _plain(schema, opset)
    if body is None:
        return None
    for item in schema.attributes.values():
        if item.name not in attributes and item.default_value.name:
            attributes[item.name] = item.default_value
    steps = tuple(_step(node, attributes) for node in body.node)
    return Function(tuple(body.input), steps, tuple(body.output))


def _attributes(step: "parse.Step") -> dict[str, onnx.AttributeProto]:
    found = {}
    for name, value in step.attributes.items():
        if isinstance(value, np.ndarray):
            found[name] = helper.make_attribute(name, numpy_helper.from_array(value))
        elif not isinstance(value, parse.Subgraph) and value != ():
            found[name] = helper.make_attribute(name, value)
    return found


def _plain(schema: Any, opset: int) -> FunctionProto | None:
    versions = [version for version in schema.function_opset_versions if version <= opset]
    if not versions:
        return None
    body = FunctionProto()
    body.ParseFromString(schema.get_function_with_opset_version(max(versions)))
    return body


def _dependent(
    schema: Any, node: NodeProto, opset: int, inputs: Sequence[Value | None]
) -> FunctionProto | None:
    versions = [v for v in schema.context_dependent_function_opset_versions if v <= opset]
    if not versions:
        return None
    types = [_type(value).SerializeToString() for value in inputs]
    data = schema.get_context_dependent_function_with_opset_version(
        max(versions), node.SerializeToString(), types
    )
    body = FunctionProto()
    body.ParseFromString(data)
    return body if body.node else None


def _type(value: Value | None) -> TypeProto:
    if value is None:
        return TypeProto()
    if isinstance(value, Ints):
        return helper.make_tensor_type_proto(value.dtype.onnx, list(value.array.shape))
    if isinstance(value, Aside):
        dims = [f"{item!r}" if isinstance(item, Batch) else item for item in value.dims]
        return helper.make_tensor_type_proto(value.node.dtype.onnx, dims)
    shape: list[int | str | None] = ["batch"] if value.batched else []
    assert rank(value) == len(shape) + len(value.shape)
    return helper.make_tensor_type_proto(value.dtype.onnx, [*shape, *value.shape])


def _step(node: NodeProto, attributes: dict[str, onnx.AttributeProto]) -> "parse.Step":
    """A node of a body, with references to the function's attributes replaced."""
    bound = NodeProto()
    bound.CopyFrom(node)
    del bound.attribute[:]
    for item in node.attribute:
        if not item.ref_attr_name:
            bound.attribute.append(item)
        elif item.ref_attr_name in attributes:
            given = bound.attribute.add()
            given.CopyFrom(attributes[item.ref_attr_name])
            given.name = item.name
    return parse.step(bound)
