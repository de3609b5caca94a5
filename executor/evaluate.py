"""How good a model is on rows of one's own: onnxruntime on the caller's data.

For the owner of both, model and rows, only: onnxruntime never sees private data of others or a hostile model.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from executor import rows
from executor.errors import BadTable, SpecError
from executor.onnx_runtime import onnxruntime
from executor.rows import Array
from primitives.job import LossSpec, TrainingSpec

BATCH = 1024


@dataclass(frozen=True)
class Evaluation:
    """The share of rows whose class was found (cross entropy), or the mean squared error; the other is
    None.
    """

    rows: int
    accuracy: float | None = None
    mse: float | None = None


def evaluate(model: bytes, spec: TrainingSpec, columns: Mapping[str, Array]) -> Evaluation:
    """Run the model over a table's columns, normalised as the spec says, and compare with its target.

    Raises BadTable when a column is missing or does not fit the model, SpecError for an unknown tensor.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    target_tensor = spec.target.tensor.decode()
    if target_tensor not in {output.name for output in session.get_outputs()}:
        raise SpecError(f"the model has no output {target_tensor!r}")
    shapes = {tensor.name: tensor.shape for tensor in session.get_inputs()}
    feeds = {}
    for item in spec.inputs:
        name = item.tensor.decode()
        if name not in shapes:
            raise SpecError(f"the model has no input {name!r}")
        feeds[name] = _shaped(rows.inputs(_column(columns, item.column), item.affine), shapes[name])
    target = _column(columns, spec.target.column)
    outputs = np.concatenate(
        [
            session.run([target_tensor], {name: array[i : i + BATCH] for name, array in feeds.items()})[0]
            for i in range(0, len(target), BATCH)
        ]
    )
    if isinstance(spec.loss, LossSpec.CrossEntropy):
        right = outputs.reshape(len(target), -1).argmax(axis=1) == target.reshape(len(target))
        return Evaluation(len(target), accuracy=float(np.mean(right)))
    errors = outputs.astype(np.float64).reshape(-1) - target.astype(np.float64).reshape(-1)
    return Evaluation(len(target), mse=float(np.mean(errors**2)))


def _column(columns: Mapping[str, Array], name: bytes) -> Array:
    text = name.decode()
    if text not in columns:
        raise BadTable(f"the table has no column {text!r}")
    return columns[text]


def _shaped(array: Array, shape: list[int | str | None]) -> Array:
    """The rows in the tensor's shape, whose first dimension is the batch."""
    sizes = [size for size in shape[1:] if isinstance(size, int)]
    if len(sizes) != len(shape) - 1 or int(np.prod(sizes)) * len(array) != array.size:
        raise BadTable(f"rows of shape {list(array.shape[1:])} do not fit a tensor of shape {shape}")
    return array.reshape((len(array), *sizes))
