"""How good a model is on rows of one's own: onnxruntime on the caller's data.

For the owner of both, model and rows, only: onnxruntime never sees private data of others or a hostile model.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx

from executor import rows
from executor.errors import BadTable, SpecError
from executor.metrics import F64, Predictions, applies, default_metrics, measure
from executor.onnx_runtime import onnxruntime
from executor.rows import Array, same_order
from primitives.spec import LossSpec, LossTerm, TrainingSpec

BATCH = 1024


@dataclass(frozen=True)
class Evaluation:
    """Figures by name, see `executor.metrics`."""

    rows: int
    values: Mapping[str, float] = field(default_factory=dict)

    @property
    def accuracy(self) -> float | None:
        """The share of rows whose class was found; None where there are no classes."""
        return self.values.get("accuracy")

    @property
    def mse(self) -> float | None:
        """The mean squared error; None where it was not asked for."""
        return self.values.get("mse")


def evaluate(
    model: bytes, spec: TrainingSpec, columns: Mapping[str, Array], metrics: Sequence[str] = ()
) -> Evaluation:
    """Run the model over a table's columns, normalised as the spec says, and compare with its targets. Where
    losses are added up, `loss` is their sum and all other figures are called OUTPUT.NAME.

    Raises BadTable when a column is missing or does not fit the model, SpecError for an unknown tensor or
    metric.
    """
    session, terms = _session(model), spec.terms
    tensors = [term.target.tensor.decode() for term in terms]
    for name in tensors:
        if name not in {output.name for output in session.get_outputs()}:
            raise SpecError(f"the model has no output {name!r}")
    feeds = _feeds(session, spec, columns)
    targets = [_column(columns, term.target.column) for term in terms]
    count = len(targets[0])
    parts = [session.run(tensors, part) for part in _batches(session, feeds, count)]
    found = []
    for term, target, pieces in zip(terms, targets, zip(*parts, strict=True), strict=True):
        outputs = np.concatenate(pieces)[:count]
        found.append(Predictions(term.loss, outputs.astype(np.float64), _target(term, outputs, target)))
    if len(terms) > 1 or isinstance(spec.loss, LossSpec.Sum):
        return Evaluation(count, _of_sum(terms, found, metrics))
    return Evaluation(
        count, {name: measure(name, found[0]) for name in metrics or default_metrics(terms[0].loss)}
    )


def _of_sum(
    terms: Sequence[LossTerm], found: Sequence[Predictions], metrics: Sequence[str]
) -> dict[str, float]:
    """The sum, then every figure of every output that has it."""
    for name in metrics:
        if not any(applies(name, one) for one in found):
            measure(name, found[0])  # which says why not
    values: dict[str, float] = {}
    if not metrics or "loss" in metrics:
        weights = [term.weight_num / term.weight_den for term in terms]
        values["loss"] = float(sum(w * measure("loss", one) for w, one in zip(weights, found, strict=True)))
    outputs = Counter(term.target.tensor for term in terms)
    for term, one in zip(terms, found, strict=True):
        title = term.target.tensor.decode()
        if outputs[term.target.tensor] > 1:
            title += f".{term.target.column.decode()}.{type(term.loss).__name__}"
        for name in metrics or default_metrics(one.loss):
            if applies(name, one):
                values[f"{title}.{name}"] = measure(name, one)
    return values


def _session(model: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(inference_form(model), options, providers=["CPUExecutionProvider"])


def inference_form(model: bytes) -> bytes:
    """The model with its batch normalisation and dropout as they are when it is used, not trained."""
    proto = onnx.load_model_from_string(model)
    changed = False
    for node in proto.graph.node:
        if node.op_type == "BatchNormalization":
            for attribute in node.attribute:
                if attribute.name == "training_mode" and attribute.i:
                    attribute.i, changed = 0, True
                    del node.output[1:]
        if node.op_type == "Dropout" and len(node.input) > 2:
            changed = True
            del node.input[1:]
    if not changed:
        return model
    made = {name for node in proto.graph.node for name in node.output}
    made |= {tensor.name for tensor in proto.graph.initializer} | {value.name for value in proto.graph.input}
    kept = [output for output in proto.graph.output if output.name in made]
    del proto.graph.output[:]
    proto.graph.output.extend(kept)
    data: bytes = proto.SerializeToString()
    return data


def _feeds(session: Any, spec: TrainingSpec, columns: Mapping[str, Array]) -> dict[str, Array]:
    tensors = {tensor.name: tensor for tensor in session.get_inputs()}
    feeds = {}
    for item in spec.inputs:
        name = item.tensor.decode()
        if name not in tensors:
            raise SpecError(f"the model has no input {name!r}")
        column = _column(columns, item.column)
        if tensors[name].type == "tensor(float)":
            values: Array = rows.inputs(column, item.affine)
        else:
            values = column.astype(TYPES.get(tensors[name].type, np.int64))
        feeds[name] = _shaped(values, tensors[name].shape)
    return feeds


TYPES: dict[str, type[np.generic]] = {
    "tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(int16)": np.int16, "tensor(int8)": np.int8,
    "tensor(uint64)": np.uint64, "tensor(uint32)": np.uint32, "tensor(uint16)": np.uint16,
    "tensor(uint8)": np.uint8, "tensor(bool)": np.bool_, "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
}  # fmt: skip


def _batches(session: Any, feeds: Mapping[str, Array], count: int) -> Iterator[dict[str, Array]]:
    """The rows in pieces; where the model fixes its first dimension, the last one filled up."""
    first = session.get_inputs()[0].shape[:1]
    fixed = first[0] if first and isinstance(first[0], int) else None
    size = fixed or BATCH
    for start in range(0, count, size):
        part = {name: array[start : start + size] for name, array in feeds.items()}
        if fixed and count - start < size:
            part = {name: np.resize(array, (size, *array.shape[1:])) for name, array in part.items()}
        yield part


def _target(term: LossTerm, outputs: Array, target: Array) -> F64:
    """The target with as many values as the loss compares."""
    loss, values = term.loss, target.astype(np.float64)
    soft = isinstance(loss, LossSpec.WeightedCrossEntropy) and loss.probabilities
    classes = isinstance(loss, LossSpec.CrossEntropy | LossSpec.WeightedCrossEntropy) and not soft
    shape = (outputs.shape[0], *outputs.shape[2:]) if classes else outputs.shape
    if classes and outputs.ndim < 2:
        raise BadTable("cross-entropy compares logits [rows, classes]")
    if values.size != np.prod(shape):
        raise BadTable(f"targets of shape {list(target.shape)} do not fit outputs of {list(outputs.shape)}")
    return values.reshape(shape)


def _column(columns: Mapping[str, Array], name: bytes) -> Array:
    text = name.decode()
    if text not in columns:
        raise BadTable(f"the table has no column {text!r}")
    return columns[text]


def _shaped(array: Array, shape: list[int | str | None]) -> Array:
    """The rows in the tensor's shape, whose first dimension is the batch."""
    sizes = [size for size in shape[1:] if isinstance(size, int)]
    if len(sizes) != len(shape) - 1 or not same_order(array.shape[1:], sizes):
        raise BadTable(f"rows of shape {list(array.shape[1:])} do not fit a tensor of shape {shape}")
    return array.reshape((len(array), *sizes))
