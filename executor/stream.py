"""Rows that do not fit in memory, on their way into the enclave: in the order in which training takes them.

The parent copies what the spec reads into an unlinked file of fixed-size records while it checks every chunk
against the root; only when all of it has been found to be the committed dataset does the first row go to the
child. Then it sends, call by call, the rows of each epoch in their shuffled order (`executor.shuffle`); the
child holds one call's rows at a time. Order, and so every bit of the result, are those of a dataset that is
held whole.
"""

import os
import tempfile
import weakref
from collections.abc import Iterator
from typing import IO

import numpy as np

from executor.rows import (
    Array,
    RowSource,
    check_leaf_form,
    check_root,
    check_values,
    column_name,
    decode_chunk,
    row_dtype,
)
from executor.shuffle import Order, order
from primitives import merkle
from primitives.data import Dtype, Schema, chunk_count, chunk_rows
from primitives.spec import TrainingSpec


def record_schema(schema: Schema, spec: TrainingSpec) -> Schema:
    """The columns that a spec reads, in the schema's order; text is never trained on."""
    names = {item.column for item in spec.inputs} | {term.target.column for term in spec.terms}
    columns = [column for column in schema.columns if column.name in names and column.dtype != Dtype.Utf8]
    return Schema(columns=columns, rows_per_chunk=1)


def records(schema: Schema, columns: dict[str, Array]) -> bytes:
    """Columns as packed records of `record_schema`."""
    count = len(next(iter(columns.values())))
    packed = np.empty(count, dtype=row_dtype(schema))
    for column in schema.columns:
        packed[column_name(column)] = columns[column_name(column)]
    return packed.tobytes()


def columns_of(schema: Schema, data: bytes) -> dict[str, Array]:
    """Packed records as columns. Raises BadTable, BadData."""
    packed = np.frombuffer(data, dtype=row_dtype(schema))
    columns: dict[str, Array] = {}
    for column in schema.columns:
        values: Array = packed[column_name(column)]
        check_values(column, values)
        columns[column_name(column)] = values
    return columns


class Stream:
    """A dataset's records on disk, checked against its root. Raises CommitmentMismatch, BadTable, BadData."""

    def __init__(self, source: RowSource, spec: TrainingSpec) -> None:
        self.schema = record_schema(source.schema, spec)
        self.rows = source.rows
        self.width = row_dtype(self.schema).itemsize
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="gristmill-records-")  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        leaves = []
        for i in range(chunk_count(source.schema, source.rows)):
            salt, chunk = source.chunk(i)
            check_leaf_form(i, salt, chunk)
            leaves.append(merkle.leaf(i, salt, chunk))
            columns = decode_chunk(source.schema, chunk, chunk_rows(source.schema, source.rows, i))
            self._file.write(records(self.schema, columns))
        check_root(source, leaves)
        self._file.flush()

    def parts(self, spec: TrainingSpec, rows_per_call: int, first_epoch: int = 0) -> Iterator[bytes]:
        """The records of every call, epoch after epoch."""
        for epoch in range(first_epoch, spec.epochs):
            places = order(spec.seed, epoch, self.rows, spec.shuffle)
            for start in range(0, self.rows, rows_per_call):
                taken = places[start : start + rows_per_call]
                yield self._in_order(int(taken[0]), len(taken)) if not spec.shuffle else self._rows(taken)

    def _in_order(self, first: int, count: int) -> bytes:
        return os.pread(self._file.fileno(), count * self.width, first * self.width)

    def _rows(self, places: Order) -> bytes:
        file, width = self._file.fileno(), self.width
        return b"".join([os.pread(file, width, int(place) * width) for place in places])
