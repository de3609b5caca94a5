"""A table in memory and how its columns get their types.

A column of whole numbers gets the smallest type that holds all its values: u8, u16, u32, u64 when none is
negative, else i8, i16, i32, i64. Decimals become f32, which is what training computes with; say f64 to
keep more. `true` and `false` become bool, all else utf8. The schema is public, so the choice tells the
range of a column and no more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from math import prod

import numpy as np

from executor.errors import BadData, BadTable
from executor.rows import Array, canonical, column_name, row_count
from primitives.data import Column, Dtype, Schema, check_schema, default_rows_per_chunk

Shape = tuple[int, ...]

UNSIGNED = (Dtype.U8, Dtype.U16, Dtype.U32, Dtype.U64)
SIGNED = (Dtype.I8, Dtype.I16, Dtype.I32, Dtype.I64)


SEGMENT_BYTES = 16 << 20
"""Unpacked bytes of one segment; a few copies of it exist for a while."""


@dataclass(frozen=True)
class Reading:
    """How a file is to be taken.

    `shapes` give columns another shape of one row's value (same number of elements; an image folder's images
    another size); `dtypes` another type than the reader would choose; `fill` is the text that stands in for
    an empty CSV cell; `classes` the names whose places a text column's values become. A segment holds at most
    `segment` rows; None takes the whole file at once.
    """

    shapes: Mapping[str, Shape] = field(default_factory=dict)
    dtypes: Mapping[str, Dtype] = field(default_factory=dict)
    fill: str | None = None
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    segment: int | None = None
    joins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Columns that become one of float32 in this order, by name; * and ? match."""
    apart: frozenset[str] = frozenset()
    """Columns that no pattern joins."""

    def rows_at_once(self, rows: int, row_bytes: int) -> int:
        """Rows of the next table, of `rows` that are there: all, or a segment of at most SEGMENT_BYTES."""
        if self.segment is None:
            return rows
        return max(1, min(self.segment, SEGMENT_BYTES // max(1, row_bytes)))

    def told(self, name: str) -> Dtype | None:
        """The type that a column must have, if any; classes are read as the text that they are."""
        return Dtype.Utf8 if name in self.classes else self.dtypes.get(name)


@dataclass(frozen=True)
class Table:
    """Named columns, in file order; every array has shape (rows, *shape of one row's value)."""

    columns: dict[str, Array]
    dtypes: dict[str, Dtype]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return row_count(self.columns)

    def schema(self, rows_per_chunk: int | None = None) -> Schema:
        """The schema of these columns; chunks as large as may be unless told. Raises primitives'
        DataError.
        """
        columns = [
            Column(name=name.encode(), dtype=self.dtypes[name], shape=list(array.shape[1:]))
            for name, array in self.columns.items()
        ]
        schema = Schema(columns=columns, rows_per_chunk=rows_per_chunk or default_rows_per_chunk(columns))
        check_schema(schema)
        return schema


def with_classes(table: Table, classes: Mapping[str, tuple[str, ...]]) -> Table:
    """The table with declared class names turned into their places, in the smallest unsigned type.

    Raises BadData for a value that is no declared name.
    """
    columns, dtypes = dict(table.columns), dict(table.dtypes)
    for name, names in classes.items():
        if name not in columns:
            continue
        places = {text: place for place, text in enumerate(names)}
        values = columns[name]
        if values.ndim != 1 or not all(str(value) in places for value in values):
            raise BadData(f"column {name!r} holds something else than its classes {', '.join(names)}")
        dtypes[name] = integer_dtype(0, len(names) - 1)
        numbers = np.array([places[str(value)] for value in values], dtype=np.int64)
        columns[name] = finished(name, numbers, dtypes[name], None)
    return Table(columns, dtypes)


def with_joins(table: Table, reading: Reading) -> Table:
    """The table with its joined columns, each where the first of its members was. Raises BadTable."""
    for name, patterns in reading.joins.items():
        columns, members = table.columns, _members(table, name, patterns, reading.apart)
        values = np.stack([columns[member].astype(np.float32) for member in members], axis=1)
        line = finished(name, values, Dtype.F32, reading.shapes.get(name))
        order = [name if column == members[0] else column for column in columns]
        kept = [column for column in order if column == name or column not in members]
        table = Table(
            {column: line if column == name else columns[column] for column in kept},
            {column: Dtype.F32 if column == name else table.dtypes[column] for column in kept},
        )
    return table


def _members(table: Table, name: str, patterns: Sequence[str], apart: frozenset[str]) -> list[str]:
    found: dict[str, None] = {}
    for pattern in patterns:
        matches = [column for column in table.columns if fnmatchcase(column, pattern) and column not in apart]
        if pattern in table.columns:
            matches = [pattern]
        if not matches:
            raise BadTable(f"nothing to join for {pattern!r}: there are {', '.join(table.columns)}")
        found.update(dict.fromkeys(matches))
    for member in found:
        if table.dtypes[member] is Dtype.Utf8 or table.columns[member].ndim != 1:
            raise BadTable(f"column {member!r} is not one number a row: it cannot be joined into {name!r}")
    if name in table.columns and name not in found:
        raise BadTable(f"the columns joined as {name!r} would hide the column of that name")
    return list(found)


def dtype_named(text: str) -> Dtype:
    """The type of this name (u8 … f64, bool, utf8). Raises BadTable."""
    names = {dtype.name.lower(): dtype for dtype in Dtype}
    if text.lower() not in names:
        raise BadTable(f"{text!r} is no type; the types are {', '.join(names)}")
    return names[text.lower()]


def integer_dtype(low: int, high: int) -> Dtype:
    """The smallest integer type that holds `low` … `high`. Raises BadTable beyond 64 bits."""
    for dtype in SIGNED if low < 0 else UNSIGNED:
        bounds = np.iinfo(dtype.name.lower().replace("i", "int").replace("u", "uint"))
        if bounds.min <= low and high <= bounds.max:
            return dtype
    raise BadTable("an integer is beyond 64 bits")


def finished(name: str, array: Array, dtype: Dtype, shape: Shape | None) -> Array:
    """A column in its canonical form: told shape, told type. Raises BadTable or BadData with the column's
    name.
    """
    rows = len(array)
    if shape is not None:
        if prod(shape) * rows != array.size:
            raise BadTable(
                f"column {name!r} has {array.size // max(rows, 1)} values a row, not {prod(shape)}"
            )
        array = array.reshape((rows, *shape))
    column = Column(name=name.encode(), dtype=dtype, shape=list(array.shape[1:]))
    return canonical(column, {column_name(column): array}, rows)
