"""Datasets that are larger than memory: rows on disk, read back chunk by chunk or row by row.

`spooled` takes a file through its reader segment by segment and keeps the encoded chunks in an unlinked
temporary file: nobody else can open it, and it is gone when the process ends, however it ends. The root is
computed on the way, so what is read back is what was committed to. Memory stays bounded by a segment,
whatever the file's size.
"""

import os
import tempfile
import weakref
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np

from executor.errors import BadTable
from executor.readers import Reading, Table, segments
from executor.readers.table import integer_dtype
from executor.rows import Array, Columns, MemoryRows, RowSource, encode_chunks, root_of_leaves
from primitives import merkle
from primitives.data import Column, Dtype, Schema, check_schema, chunk_rows, default_rows_per_chunk

SEGMENT = 16_384
"""Rows that are in memory at once; a reader may give fewer."""
RESIDENT_FILE = 64 << 20
"""Files up to this size are held in memory; images and compressed arrays grow when they are unpacked."""
INTEGERS = frozenset((Dtype.U8, Dtype.I8, Dtype.U16, Dtype.I16, Dtype.U32, Dtype.I32, Dtype.U64, Dtype.I64))
NUMBERS = INTEGERS | {Dtype.F32, Dtype.F64}


class SpooledRows:
    """A `RowSource` on disk; see the module."""

    def __init__(self, schema: Schema, secret: bytes | None) -> None:
        self.schema = schema
        self.rows = 0
        self.root = b""
        self._secret = secret
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="gristmill-rows-")  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._ends: list[int] = []
        self._leaves: list[bytes] = []

    def add(self, chunk: bytes, rows: int) -> None:
        """Append a chunk."""
        index = len(self._ends)
        self._leaves.append(merkle.leaf(index, self._salt(index), chunk))
        self._file.write(chunk)
        self._ends.append((self._ends[-1] if self._ends else 0) + len(chunk))
        self.rows += rows

    def close(self) -> None:
        """All chunks are there: the root follows."""
        if not self.rows:
            raise BadTable("a table has at least one row")
        self._file.flush()
        self.root = root_of_leaves(self.schema, self.rows, self._leaves)
        self._leaves = []

    def chunk(self, i: int) -> tuple[bytes, bytes]:
        """Salt and encoded rows of chunk `i`."""
        start = self._ends[i - 1] if i else 0
        return self._salt(i), os.pread(self._file.fileno(), self._ends[i] - start, start)

    def _salt(self, index: int) -> bytes:
        return merkle.COMMON_SALT if self._secret is None else merkle.salt(self._secret, index)


def rows_of(
    path: Path, reading: Reading, secret: bytes | None = None, rows_per_chunk: int | None = None
) -> RowSource:
    """A file's rows: in memory where the file is small, else on disk. The root is the same either way."""
    size = path.stat().st_size if path.is_file() else sum(file.stat().st_size for file in path.rglob("*"))
    if size > RESIDENT_FILE:
        return spooled(path, reading, secret, rows_per_chunk)
    (table,) = segments(path, reading)
    return MemoryRows(table.schema(rows_per_chunk), table.columns, secret)


def spooled(
    path: Path, reading: Reading, secret: bytes | None = None, rows_per_chunk: int | None = None
) -> SpooledRows:
    """A file's rows on disk. The same file, reading and secret give the root that `MemoryRows` gives.

    Raises BadTable, BadData as the readers do.
    """
    reading = replace(reading, segment=SEGMENT)
    if path.suffix.lower() == ".csv":
        reading = replace(reading, dtypes={**_csv_dtypes(path, reading), **reading.dtypes})
    rows: SpooledRows | None = None
    waiting: dict[str, Array] = {}
    for table in segments(path, reading):
        if rows is None:
            rows = SpooledRows(_schema(table, rows_per_chunk), secret)
            waiting = dict(table.columns)
        else:
            waiting = _after(waiting, table.columns)
        waiting = _add(rows, waiting, last=False)
    if rows is None:
        raise BadTable(f"{path.name} has no rows")
    _add(rows, waiting, last=True)
    rows.close()
    return rows


def _add(rows: SpooledRows, columns: dict[str, Array], last: bool) -> dict[str, Array]:
    """Put whole chunks, or all rows if these are the last; what is left."""
    step = rows.schema.rows_per_chunk
    count = len(next(iter(columns.values())))
    whole = count if last else count - count % step
    if whole:
        part = {name: array[:whole] for name, array in columns.items()}
        for index, chunk in enumerate(encode_chunks(rows.schema, part)):
            rows.add(chunk, chunk_rows(rows.schema, whole, index))
    return {name: array[whole:] for name, array in columns.items()}


def _after(waiting: dict[str, Array], columns: Columns) -> dict[str, Array]:
    for name, array in columns.items():
        if waiting[name].shape[1:] != array.shape[1:]:
            raise BadTable(f"the lists of column {name!r} differ in length")
    return {name: np.concatenate([waiting[name], array]) for name, array in columns.items()}


def _schema(table: Table, rows_per_chunk: int | None) -> Schema:
    columns = [
        Column(name=name.encode(), dtype=table.dtypes[name], shape=list(array.shape[1:]))
        for name, array in table.columns.items()
    ]
    schema = Schema(columns=columns, rows_per_chunk=rows_per_chunk or default_rows_per_chunk(columns))
    check_schema(schema)
    return schema


def _csv_dtypes(path: Path, reading: Reading) -> dict[str, Dtype]:
    """The types that the whole file's columns get, from those that its segments get."""
    found: dict[str, Dtype] = {}
    bounds: dict[str, tuple[int, int]] = {}
    for table in segments(path, replace(reading, classes={}, joins={}, shapes={}, dtypes=_text_of(reading))):
        for name, dtype in table.dtypes.items():
            found[name] = dtype if name not in found else _joined(found[name], dtype)
            if dtype in INTEGERS:
                low, high = bounds.get(name, (0, 0))
                values = table.columns[name]
                bounds[name] = min(low, int(values.min())), max(high, int(values.max()))
    for name, (low, high) in bounds.items():
        if found[name] in INTEGERS and name not in reading.dtypes:
            found[name] = integer_dtype(low, high)
    return {name: dtype for name, dtype in found.items() if name not in reading.classes}


def _text_of(reading: Reading) -> dict[str, Dtype]:
    return {**reading.dtypes, **dict.fromkeys(reading.classes, Dtype.Utf8)}


def _joined(one: Dtype, other: Dtype) -> Dtype:
    """The type of a column in which both were found."""
    if one == other:
        return one
    if one in INTEGERS and other in INTEGERS:
        return one
    if one in NUMBERS and other in NUMBERS:
        return Dtype.F64 if Dtype.F64 in (one, other) else Dtype.F32
    return Dtype.Utf8
