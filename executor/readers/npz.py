"""NPZ files as tables: one array a column, first axis the rows, in the file's order; no pickled objects."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from executor.errors import BadTable
from executor.readers.table import Shape, Table, finished
from executor.rows import Array
from primitives.data import Dtype

DTYPES: dict[str, Dtype] = {
    "uint8": Dtype.U8,
    "int8": Dtype.I8,
    "uint16": Dtype.U16,
    "int16": Dtype.I16,
    "uint32": Dtype.U32,
    "int32": Dtype.I32,
    "uint64": Dtype.U64,
    "int64": Dtype.I64,
    "float32": Dtype.F32,
    "float64": Dtype.F64,
    "bool": Dtype.Bool,
}
"""numpy's types keep their own width: an array says what it is."""


def read_npz(path: Path, shapes: Mapping[str, Shape], dtypes: Mapping[str, Dtype], fill: str | None) -> Table:
    """The table in an NPZ file; `fill` does not apply. See `executor.readers.read_table`."""
    columns: dict[str, Array] = {}
    chosen: dict[str, Dtype] = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            for name in file.files:
                array = file[name]
                if array.ndim == 0:
                    raise BadTable(f"{path.name}: array {name!r} has no axis of rows")
                chosen[name] = dtypes.get(name, _dtype(path, name, array))
                columns[name] = finished(name, array, chosen[name], shapes.get(name))
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise BadTable(f"{path.name} is no NPZ file of plain arrays: {error}") from None
    if len({len(array) for array in columns.values()}) != 1:
        raise BadTable(f"{path.name}: the arrays have different numbers of rows, or there are none")
    return Table(columns, chosen)


def _dtype(path: Path, name: str, array: Array) -> Dtype:
    if array.dtype.kind == "U" and array.ndim == 1:
        return Dtype.Utf8
    dtype = DTYPES.get(array.dtype.newbyteorder("=").name)
    if dtype is None:
        raise BadTable(f"{path.name}: array {name!r} holds {array.dtype}, which no column can")
    return dtype
