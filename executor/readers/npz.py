"""NPZ files as tables: one array a column, first axis the rows, in the file's order; no pickled objects."""

import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import IO
from warnings import catch_warnings, simplefilter

import numpy as np

from executor.errors import BadTable
from executor.readers.table import Reading, Table, finished
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
MALFORMED = (
    ValueError,
    OSError,
    EOFError,
    KeyError,
    RuntimeError,  # an encrypted member, an unknown compression, a header nested too deep
    MemoryError,  # Python's parser, of a header nested too deep
    TypeError,
    SyntaxError,
    TokenError,
    zlib.error,
    zipfile.BadZipFile,
)
"""What zipfile, numpy and Python's parser, which reads headers, raise for files that are none of theirs."""
SAID_MAX = 200
"""Characters of what they say that are worth repeating: it may quote the whole header."""


def npz_segments(path: Path, reading: Reading) -> Iterator[Table]:
    """The tables in an NPZ file; `fill` does not apply. See `executor.readers.read_table`."""
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive, ExitStack() as opened:
                members = archive.infolist()
                if reading.segment is None and sum(member.file_size for member in members) > TABLE_MAX:
                    raise BadTable(f"{path.name} unpacks to more than {TABLE_MAX} bytes")
                arrays = [_Array(path, opened.enter_context(archive.open(item)), item) for item in members]
                yield from _segments(path, arrays, reading)
        except MALFORMED as error:
            said = " ".join(str(error)[:SAID_MAX].split()) or type(error).__name__
            raise BadTable(f"{path.name} is no NPZ file of plain arrays: {said}") from None


def _segments(path: Path, arrays: list["_Array"], reading: Reading) -> Iterator[Table]:
    counts = {array.rows for array in arrays}
    if len(counts) != 1 or len({array.name for array in arrays}) != len(arrays):
        raise BadTable(f"{path.name}: the arrays have different numbers of rows, or there are none")
    (rows,) = counts
    step = reading.rows_at_once(rows, sum(array.row_bytes for array in arrays))
    for start in range(0, rows, step):
        columns: dict[str, Array] = {}
        chosen: dict[str, Dtype] = {}
        for array in arrays:
            values, name = array.take(min(step, rows - start)), array.name
            if values.dtype.kind == "U":
                _check_text(path, name, values)
            chosen[name] = reading.told(name) or _dtype(path, name, values)
            columns[name] = finished(name, values, chosen[name], reading.shapes.get(name))
        yield Table(columns, chosen)


class _Array:
    """One array of the file, read front to back; its header's figures agree with its bytes."""

    def __init__(self, path: Path, file: IO[bytes], member: zipfile.ZipInfo) -> None:
        version = np.lib.format.read_magic(file)
        readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in readers:
            raise BadTable(f"{path.name}: {member.filename} has an array format of version {version}")
        self.name = member.filename.removesuffix(".npy")
        with catch_warnings():
            simplefilter("ignore")  # that Python 2 wrote the file
            self.shape, fortran, self.dtype = readers[version](file)
        self.file = file
        if prod(self.shape) * self.dtype.itemsize != member.file_size - file.tell():
            raise BadTable(f"{path.name}: {member.filename} does not have the size that its header says")
        if not self.shape:
            raise BadTable(f"{path.name}: array {self.name!r} has no axis of rows")
        if self.dtype.hasobject:
            raise BadTable(f"{path.name}: array {self.name!r} holds Python objects")
        self.rows = self.shape[0]
        if not self.rows or not prod(self.shape):
            raise BadTable(f"{path.name}: array {self.name!r} is empty")
        self.row_bytes = prod(self.shape[1:]) * self.dtype.itemsize
        self.whole = self._all() if fortran and len(self.shape) > 1 else None
        self.place = 0

    def _all(self) -> Array:
        """An array in column order: its rows do not lie together."""
        if self.rows * self.row_bytes > TABLE_MAX:
            raise BadTable(f"array {self.name!r} is in Fortran order and larger than {TABLE_MAX} bytes")
        data = np.frombuffer(self.file.read(self.rows * self.row_bytes), self.dtype)
        return np.ascontiguousarray(data.reshape(self.shape, order="F"))

    def take(self, count: int) -> Array:
        """The next rows."""
        start, self.place = self.place, self.place + count
        if self.whole is not None:
            return self.whole[start : self.place]
        data = self.file.read(count * self.row_bytes)
        return np.frombuffer(data, self.dtype).reshape((count, *self.shape[1:]))


def _dtype(path: Path, name: str, array: Array) -> Dtype:
    if array.dtype.kind == "U" and array.ndim == 1:
        return Dtype.Utf8
    dtype = DTYPES.get(array.dtype.newbyteorder("=").name)
    if dtype is None:
        raise BadTable(f"{path.name}: array {name!r} holds {array.dtype}, which no column can")
    return dtype


def _check_text(path: Path, name: str, array: Array) -> None:
    """Every character is one that UTF-8 can write; numpy takes any 32 bits for a character."""
    points = np.ascontiguousarray(array).view(f"{array.dtype.byteorder}u4")
    if points.size and (points.max() > sys.maxunicode or ((points >= 0xD800) & (points < 0xE000)).any()):
        raise BadTable(f"{path.name}: array {name!r} holds what is no Unicode text")
