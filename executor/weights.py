"""`weights.onnx`: the submitted graph with new initialisers, everything else as it was and in the same order.

The enclave prepares it *before* it sees a row, with zeros where the trained values will stand (their
`slots`). After the run only the raw float32 values leave, and the parent, which never parses the model,
puts them into the slots.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import onnx
from google.protobuf.message import DecodeError

from executor.compiler.plan import Plan
from executor.errors import EnclaveCrashed, ReceiptError

# Field numbers of onnx.proto.
MODEL_GRAPH = 7
GRAPH_INITIALIZER = 5
TENSOR_RAW_DATA = 9

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5


class Span(NamedTuple):
    """Where a tensor's values lie in the file."""

    offset: int
    length: int


def template(model: bytes, plan: Plan) -> tuple[bytes, list[Span]]:
    """`weights.onnx` with zeros in the trainable tensors, and their spans in plan order."""
    proto = onnx.load_model_from_string(model)
    parameters = {parameter.name: parameter for parameter in plan.parameters}
    for tensor in proto.graph.initializer:
        if tensor.name in parameters:
            fresh = onnx.TensorProto(
                dims=list(tensor.dims),
                data_type=onnx.TensorProto.FLOAT,
                name=tensor.name,
                doc_string=tensor.doc_string,
                raw_data=bytes(parameters[tensor.name].region.size),
            )
            tensor.CopyFrom(fresh)
    data: bytes = proto.SerializeToString()
    names = [tensor.name for tensor in proto.graph.initializer]
    spans = dict(zip(names, _raw_data_spans(data), strict=True))
    return data, [_found(spans[name], parameter.region.size) for name, parameter in parameters.items()]


def _found(span: Span | None, size: int) -> Span:
    if span is None or span.length != size:
        raise EnclaveCrashed("a trainable tensor is not where it was written")
    return span


def check_slots(template: bytes, slots: Sequence[Span]) -> None:
    """Refuse slots that overlap or leave the file: EnclaveCrashed."""
    at = 0
    for slot in sorted(slots):
        if slot.offset < at or slot.offset + slot.length > len(template):
            raise EnclaveCrashed("the slots for the weights do not fit the file")
        at = slot.offset + slot.length


def filled(template: bytes, slots: Sequence[Span], values: bytes) -> bytes:
    """The file with the slots' values, which lie one after another in `values`; EnclaveCrashed if not
    exactly.
    """
    check_slots(template, slots)
    if sum(slot.length for slot in slots) != len(values):
        raise EnclaveCrashed("the weights have another length than planned")
    buffer, used = bytearray(template), 0
    for slot in slots:
        buffer[slot.offset : slot.offset + slot.length] = values[used : used + slot.length]
        used += slot.length
    return bytes(buffer)


def check_same_graph(submitted: bytes, returned: bytes) -> None:
    """Refuse a returned model that is more than the submitted one with other initial values: ReceiptError.

    For the buyer, before anything runs what a provider sent.
    """
    try:
        protos = [onnx.load_model_from_string(model) for model in (submitted, returned)]
    except DecodeError:
        raise ReceiptError("the returned weights are no ONNX model") from None
    for tensor in protos[1].graph.initializer:
        if tensor.data_location != onnx.TensorProto.DEFAULT or tensor.external_data:
            raise ReceiptError("the returned model keeps tensors in other files")
    bare = [_without_values(proto).SerializeToString(deterministic=True) for proto in protos]
    if bare[0] != bare[1]:
        raise ReceiptError("the returned model is another graph than the submitted one")


def _without_values(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The model with float initialisers reduced to name, type and shape."""
    for tensor in proto.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            fresh = onnx.TensorProto(dims=list(tensor.dims), data_type=tensor.data_type, name=tensor.name)
            tensor.CopyFrom(fresh)
    return proto


def _raw_data_spans(model: bytes) -> Iterator[Span | None]:
    """The span of each initialiser's raw data, in the graph's order; None where a tensor has none."""
    whole = Span(0, len(model))
    for graph in _fields(model, whole, MODEL_GRAPH):
        for tensor in _fields(model, graph, GRAPH_INITIALIZER):
            yield next(_fields(model, tensor, TENSOR_RAW_DATA), None)


def _fields(data: bytes, message: Span, number: int) -> Iterator[Span]:
    """Contents of the length-delimited fields of one number in a protobuf message that we serialised
    ourselves.
    """
    at, end = message.offset, message.offset + message.length
    while at < end:
        tag, at = _varint(data, at)
        if tag & 7 == VARINT:
            _, at = _varint(data, at)
        elif tag & 7 == LENGTH:
            length, at = _varint(data, at)
            if tag >> 3 == number:
                yield Span(at, length)
            at += length
        else:
            at += {FIXED64: 8, FIXED32: 4}[tag & 7]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value, at
