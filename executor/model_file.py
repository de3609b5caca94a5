"""A model of one's own as one piece: the file, and the tensors that its exporter put into files beside it.

A job's model is one blob, and the enclave has no files; it refuses tensors that live elsewhere. PyTorch's
newer exporter writes weights beside the model unless it is told `external_data=False`.
"""

from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx.external_data_helper import ExternalDataInfo, load_external_data_for_tensor, uses_external_data

from executor.enclave import MODEL_MAX
from executor.errors import ExternalData, TooLarge
from primitives.files import read_at_most

NAME_MAX = 80
"""Characters of a name that a message repeats."""


def model_file(path: Path) -> bytes:
    """A model's bytes, with all its tensors inside. Raises TooLarge where that is over 64 MiB, or without an
    end; ExternalData for a file that is not there, too short, or in another folder; OSError."""
    data = read_at_most(path, MODEL_MAX)
    if data is None:
        raise TooLarge(f"{path} has more than {MODEL_MAX} bytes")
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError:
        return data  # refused where it is used, and with which words
    outside = [tensor for tensor in _tensors(model.graph) if uses_external_data(tensor)]
    return _whole(path, model, outside) if outside else data


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """All tensors of a graph, those in attributes and sub-graphs included."""
    yield from graph.initializer
    for item in (attribute for node in graph.node for attribute in node.attribute):
        yield from (item.t, *item.tensors)
        for inner in (item.g, *item.graphs):
            yield from _tensors(inner)


def _whole(path: Path, model: onnx.ModelProto, outside: list[onnx.TensorProto]) -> bytes:
    size = 0
    for tensor in outside:
        place = path
        try:
            info = ExternalDataInfo(tensor)
            place = path.parent / info.location
            size += tensor.ByteSize() + (_length(info, place) if place.is_file() else 0)
            if size <= MODEL_MAX:
                load_external_data_for_tensor(tensor, str(path.parent))
        except (OSError, ValueError, onnx.checker.ValidationError):
            raise ExternalData(
                f"{path} keeps the tensor {tensor.name!r} in {place.name[:NAME_MAX]!r}, which cannot be read "
                "beside it: bring both files, or export with external_data=False"
            ) from None
        if size > MODEL_MAX:
            raise TooLarge(f"{path} and {place.name} have more than {MODEL_MAX} bytes")
    data: bytes = model.SerializeToString()
    if len(data) > MODEL_MAX:
        raise TooLarge(f"{path} with its tensors has more than {MODEL_MAX} bytes")
    return data


def _length(info: ExternalDataInfo, place: Path) -> int:
    return info.length or place.stat().st_size - (info.offset or 0)
