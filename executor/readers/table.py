"""A table in memory and how its columns get their types.

A column of whole numbers gets the smallest type that holds all its values: u8, u16, u32, u64 when none is
negative, else i8, i16, i32, i64. Decimals become f32, which is what training computes with; say f64 to
keep more. `true` and `false` become bool, all else utf8. The schema is public, so the choice tells the
range of a column and no more.
"""

from dataclasses import dataclass
from math import prod

import numpy as np

from executor.errors import BadTable
from executor.rows import Array, canonical, column_name, row_count
from primitives.data import Column, Dtype, Schema, check_schema, default_rows_per_chunk

Shape = tuple[int, ...]

UNSIGNED = (Dtype.U8, Dtype.U16, Dtype.U32, Dtype.U64)
SIGNED = (Dtype.I8, Dtype.I16, Dtype.I32, Dtype.I64)


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
