"""Receipts of `gristmill train`: what a run on one's own data was, so that it can go on or be checked.

A record is a JSON file beside the weights. It holds the whole specification (SCALE, hex) and the hashes of
all that decides a run (model, rows, module) and of what came out (weights, losses, fuel). A run is a pure
function of the former, so whoever has model and data can execute it again and must find the latter, byte for
byte. A run that was taken up again has the record of one that never stopped.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from executor.errors import ReceiptError
from executor.receipt import decoded
from primitives.files import read_at_most, write_whole
from primitives.hashing import tagged
from primitives.scale import ScaleError, decode, encode
from primitives.spec import TrainingSpec

VERSION = 1
RECORD_MAX = 64 << 20


@dataclass(frozen=True)
class Record:
    """Hashes are hex; losses are the epochs' mean losses, `numerics` and `executor` say by which rules and
    program. `state` is the hash of the optimizer's state, empty where there is none."""

    version: int
    spec: str
    spec_hash: str
    numerics: int
    executor: str
    model_hash: str
    dataset_root: str
    rows: int
    module_hash: str
    weights_hash: str
    state: str
    epochs: int
    steps: int
    fuel: int
    losses: tuple[float, ...]

    def training_spec(self) -> TrainingSpec:
        """The specification. Raises ReceiptError."""
        try:
            spec = decode(TrainingSpec, bytes.fromhex(self.spec))
        except (ScaleError, ValueError):
            raise ReceiptError("the receipt's specification does not decode") from None
        if spec.hash.hex() != self.spec_hash:
            raise ReceiptError("the receipt's specification is not the one whose hash it gives")
        return spec


def spec_hex(spec: TrainingSpec) -> str:
    """A specification as a record holds it."""
    return encode(TrainingSpec, spec).hex()


def state_hash(states: bytes) -> str:
    """Hash of an optimizer's state; empty for none."""
    return tagged("optimizer-state", states).hex() if states else ""


def read_record(path: Path) -> Record:
    """A record's file. Raises ReceiptError, OSError."""
    data = read_at_most(path, RECORD_MAX)
    if data is None:
        raise ReceiptError(f"{path.name} is too large for a receipt")
    try:
        values: Any = json.loads(data.decode())
        fields = {name: _field(values, name, kind) for name, kind in Record.__annotations__.items()}
    except (ValueError, TypeError, KeyError, RecursionError):
        if _of_a_job(data):
            said = f"{path.name} is the receipt of a job on a chain: check it with gristmill job verify"
            raise ReceiptError(f"{said} JOB --receipt {path.name} --data-dir DIR") from None
        raise ReceiptError(f"{path.name} is no receipt of gristmill train") from None
    record = Record(**fields)
    if record.version != VERSION:
        raise ReceiptError(f"{path.name} is a receipt of version {record.version}, not {VERSION}")
    return record


def _of_a_job(data: bytes) -> bool:
    """The other kind of receipt: what `gristmill job fetch --receipt` writes."""
    try:
        decoded(data)
    except ReceiptError:
        return False
    return True


def _field(values: Mapping[str, Any], name: str, kind: object) -> Any:
    value = values[name]
    if kind is int and type(value) is int:
        return value
    if kind is str and isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, float) for item in value):
        return tuple(value)
    raise TypeError(name)


def write_record(path: Path, record: Record) -> None:
    """Write a record's file."""
    write_whole(path, (json.dumps(asdict(record), indent=1) + "\n").encode())


def differences(said: Record, found: Record) -> dict[str, tuple[object, object]]:
    """Parts in which two records differ: what the receipt says, what was found. The program's version is not
    one: only the numbers count."""
    one, other = asdict(said), asdict(found)
    return {name: (one[name], other[name]) for name in one if name != "executor" and one[name] != other[name]}


def differing_tensor(kept: bytes, found: bytes) -> str | None:
    """Where two weight files differ: the first tensor's name and how far, or that it is the graph; None if
    they are the same bytes."""
    if kept == found:
        return None
    try:
        protos = [onnx.load_model_from_string(data) for data in (kept, found)]
        tensors = [{t.name: numpy_helper.to_array(t) for t in proto.graph.initializer} for proto in protos]
    except Exception:  # protobuf's and numpy's errors for bytes that are no model
        return "the file is no ONNX model"
    for name, value in tensors[1].items():
        other = tensors[0].get(name)
        if other is None or other.shape != value.shape or other.dtype != value.dtype:
            return f"tensor {name!r} is missing or has another shape"
        if other.tobytes() != value.tobytes():
            where = np.flatnonzero(other.reshape(-1) != value.reshape(-1))
            return f"tensor {name!r} differs in {len(where)} of {value.size} numbers"
    return "the graph differs, the tensors do not"
