"""A file with private rows, as the dataset that its owner commits to.

The reader (`executor.readers`) turns the file into a table, the table becomes chunks, and the chunks are
committed to under a secret of the provider's data directory. The same file, options and secret always give
the same root.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from client.datasets import Commitment
from client.errors import InputError
from executor.readers import Reading, Shape, Table, read_table
from executor.rows import MemoryRows, RowSource
from executor.spool import rows_of
from primitives.data import Dtype, Schema, chunk_count, chunk_rows
from primitives.hashing import tagged
from primitives.scale import decode_compact

FILE_MAX = 2 * 2**30
"""Largest file that is read into memory, in bytes; `source` keeps larger ones on disk."""


@dataclass(frozen=True)
class DatasetFile:
    """Where the rows are and how the reader is to take them; see `executor.readers.read_table`."""

    path: Path
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    dtypes: Mapping[str, Dtype] = field(default_factory=dict)
    fill: str | None = None
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rows_per_chunk: int | None = None

    def table(self) -> Table:
        """The file's table. Raises InputError FileMissing, FileTooLarge; executor's BadTable, BadData."""
        self._check_present()
        if self.path.is_file() and self.path.stat().st_size > FILE_MAX:
            raise InputError("FileTooLarge", f"{self.path} is over {FILE_MAX} bytes")
        return read_table(self.path, self.shapes, self.dtypes, self.fill, self.classes)

    def source(self, secret: bytes | None) -> RowSource:
        """The file as committed rows, on disk where it is large. Raises as `table` does."""
        self._check_present()
        reading = Reading(self.shapes, self.dtypes, self.fill, self.classes)
        return rows_of(self.path, reading, secret, self.rows_per_chunk)

    def _check_present(self) -> None:
        if not self.path.exists():
            raise InputError("FileMissing", f"there is no file {self.path}")

    def rows(self, table: Table, secret: bytes | None) -> MemoryRows:
        """The table as committed rows; `secret` None is for data that are public anyway."""
        return MemoryRows(table.schema(self.rows_per_chunk), table.columns, secret)


def dataset_secret(daemon_secret: bytes) -> bytes:
    """The secret that salts a data directory's leaves."""
    return tagged("dataset-secret", daemon_secret)


def commitment(rows: RowSource) -> Commitment:
    """What may be said of rows in public."""
    return Commitment(schema=rows.schema, root=rows.root, rows=rows.rows)


def encoded_rows(source: RowSource) -> Iterator[bytes]:
    """Every row's bytes, in order."""
    for index in range(chunk_count(source.schema, source.rows)):
        _, chunk = source.chunk(index)
        yield from split_rows(source.schema, chunk, chunk_rows(source.schema, source.rows, index))


def split_rows(schema: Schema, chunk: bytes, count: int) -> Iterator[bytes]:
    """A chunk of our own, cut into its rows."""
    offset = 0
    for _ in range(count):
        start = offset
        for column in schema.columns:
            size = column.row_bytes
            if size is None:
                length, offset = decode_compact(chunk, offset)
                size = length
            offset += size
        yield chunk[start:offset]
