"""NPZ files as tables: one array a column, first axis the rows, in the file's order; no pickled objects."""

import zipfile
import zlib
from collections.abc import Mapping
from math import prod
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


TABLE_MAX = 4 << 30
"""Bytes of all arrays of a file, unpacked."""
MALFORMED = (ValueError, OSError, EOFError, KeyError, NotImplementedError, zlib.error, zipfile.BadZipFile)
"""What zipfile and numpy raise for files that are none of theirs."""


def read_npz(path: Path, shapes: Mapping[str, Shape], dtypes: Mapping[str, Dtype], fill: str | None) -> Table:
    """The table in an NPZ file; `fill` does not apply. See `executor.readers.read_table`."""
    columns: dict[str, Array] = {}
    chosen: dict[str, Dtype] = {}
    for name, array in _arrays(path).items():
        if array.ndim == 0:
            raise BadTable(f"{path.name}: array {name!r} has no axis of rows")
        chosen[name] = dtypes.get(name, _dtype(path, name, array))
        columns[name] = finished(name, array, chosen[name], shapes.get(name))
    if len({len(array) for array in columns.values()}) != 1:
        raise BadTable(f"{path.name}: the arrays have different numbers of rows, or there are none")
    return Table(columns, chosen)


def _arrays(path: Path) -> dict[str, Array]:
    """All arrays, after the file's own figures have been found to agree with each other and with the
    bound.
    """
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                if sum(member.file_size for member in archive.infolist()) > TABLE_MAX:
                    raise BadTable(f"{path.name} unpacks to more than {TABLE_MAX} bytes")
                for member in archive.infolist():
                    _check_header(path, archive, member)
            with np.load(path, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except MALFORMED as error:
            raise BadTable(f"{path.name} is no NPZ file of plain arrays: {error}") from None


def _check_header(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Refuse an array whose header promises another size than its bytes have."""
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in readers:
            raise BadTable(f"{path.name}: {member.filename} has an array format of version {version}")
        shape, _, dtype = readers[version](file)
        if prod(shape) * dtype.itemsize != member.file_size - file.tell():
            raise BadTable(f"{path.name}: {member.filename} does not have the size that its header says")


def _dtype(path: Path, name: str, array: Array) -> Dtype:
    if array.dtype.kind == "U" and array.ndim == 1:
        return Dtype.Utf8
    dtype = DTYPES.get(array.dtype.newbyteorder("=").name)
    if dtype is None:
        raise BadTable(f"{path.name}: array {name!r} holds {array.dtype}, which no column can")
    return dtype
