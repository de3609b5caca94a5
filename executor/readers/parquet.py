"""Parquet files as tables, read by pyarrow (the extra `parquet`).

A column of numbers or flags is a column; a fixed-size list, or a list whose rows all have the same length, of
numbers is a column with that shape; text (also dictionary-encoded) is a text column. Numbers keep their own
width; float16 becomes float32. Missing values are refused unless a fill is given, which must be a number for
a column of numbers. Anything else (dates, decimals, structs, maps, nested lists) is refused by name.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from executor.errors import BadTable
from executor.readers.table import Reading, Table, finished
from executor.rows import Array
from primitives.data import COLUMNS_MAX, Dtype

BATCH = 65_536
GROUP_MAX = 4 << 30
"""Unpacked bytes of one row group, which is what pyarrow may have to hold."""
LIST_MAX = 65_536
DTYPES = {
    "bool": Dtype.Bool, "uint8": Dtype.U8, "int8": Dtype.I8, "uint16": Dtype.U16, "int16": Dtype.I16,
    "uint32": Dtype.U32, "int32": Dtype.I32, "uint64": Dtype.U64, "int64": Dtype.I64,
    "halffloat": Dtype.F32, "float": Dtype.F32, "double": Dtype.F64,
}  # fmt: skip


def parquet_segments(path: Path, reading: Reading) -> Iterator[Table]:
    """The tables in a Parquet file; see `executor.readers.read_table`. BadTable where pyarrow is missing."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise BadTable("reading Parquet needs pyarrow: pip install -e '.[parquet]'") from None
    try:
        with pyarrow.parquet.ParquetFile(path, memory_map=False, buffer_size=1 << 20) as file:
            _check(path, file)
            step = reading.rows_at_once(BATCH, _row_bytes(file))
            tables: list[Table] = []
            for batch in file.iter_batches(batch_size=step, use_threads=False):
                if not batch.num_rows:
                    continue
                tables.append(_table(path, batch, reading))
                if reading.segment is not None:
                    yield tables.pop()
    except (pyarrow.ArrowException, OSError, ValueError, MemoryError) as error:
        if isinstance(error, OSError) and not path.exists():
            raise
        raise BadTable(f"{path.name} is no Parquet file that can be read: {str(error)[:200]}") from None
    if reading.segment is None:
        if not tables:
            raise BadTable(f"{path.name} has no rows")
        yield _joined(path, tables)


def _check(path: Path, file: Any) -> None:
    """The file's own figures against the bounds, before anything is decoded."""
    metadata = file.metadata
    if metadata.num_rows < 1 or not 1 <= metadata.num_columns <= COLUMNS_MAX:
        raise BadTable(f"{path.name}: a table has at least one row and 1 to {COLUMNS_MAX} columns")
    for place in range(metadata.num_row_groups):
        if metadata.row_group(place).total_byte_size > GROUP_MAX:
            raise BadTable(f"{path.name}: a row group unpacks to more than {GROUP_MAX} bytes")
    names = file.schema_arrow.names
    if len(set(names)) != len(names) or "" in names:
        raise BadTable(f"{path.name}: column names repeat or are empty")


def _row_bytes(file: Any) -> int:
    """Unpacked bytes of a row, as the file's own figures say."""
    metadata = file.metadata
    total: int = sum(metadata.row_group(place).total_byte_size for place in range(metadata.num_row_groups))
    return max(1, total // int(metadata.num_rows))


def _table(path: Path, batch: Any, reading: Reading) -> Table:
    columns: dict[str, Array] = {}
    chosen: dict[str, Dtype] = {}
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        dtype, array = _column(path, name, values, reading.fill)
        told = reading.told(name)
        if (told == Dtype.Utf8) != (dtype == Dtype.Utf8) and told is not None:
            if dtype == Dtype.Utf8 or array.ndim > 1:
                raise BadTable(f"{path.name}: column {name!r} does not have the type that it is told to have")
            array = np.array([str(value) for value in array], dtype=object)
        chosen[name] = told or dtype
        columns[name] = finished(name, array, chosen[name], reading.shapes.get(name))
    return Table(columns, chosen)


def _column(path: Path, name: str, values: Any, fill: str | None) -> tuple[Dtype, Array]:
    import pyarrow
    from pyarrow import types

    if types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if values.null_count:
        values = _filled(path, name, values, fill)
    kind = values.type
    if types.is_string(kind) or types.is_large_string(kind):
        return Dtype.Utf8, np.array(values.to_pylist(), dtype=object)
    if types.is_fixed_size_list(kind) or types.is_list(kind) or types.is_large_list(kind):
        size = _list_size(path, name, values)
        dtype, flat = _column(path, name, values.flatten(), None)
        if dtype == Dtype.Utf8 or flat.ndim > 1:
            raise BadTable(f"{path.name}: column {name!r} holds lists of something else than numbers")
        return dtype, flat.reshape(len(values), size)
    if str(kind) not in DTYPES:
        raise BadTable(f"{path.name}: column {name!r} holds {kind}, which no column can")
    if types.is_boolean(kind):
        values = values.cast(pyarrow.uint8())
    array: Array = values.to_numpy(zero_copy_only=False)
    return DTYPES[str(kind)], array


def _filled(path: Path, name: str, values: Any, fill: str | None) -> Any:
    import pyarrow

    if fill is None:
        raise BadTable(f"{path.name}: column {name!r} has missing values; give a fill to allow that")
    try:
        return values.fill_null(pyarrow.scalar(fill).cast(values.type))
    except pyarrow.ArrowException:
        raise BadTable(f"{path.name}: {fill!r} cannot fill column {name!r} of {values.type}") from None


def _list_size(path: Path, name: str, values: Any) -> int:
    import pyarrow.compute

    sizes = pyarrow.compute.list_value_length(values)
    bounds = pyarrow.compute.min_max(sizes).as_py()
    if bounds["min"] != bounds["max"] or not 1 <= bounds["max"] <= LIST_MAX:
        raise BadTable(
            f"{path.name}: the lists of column {name!r} differ in length, or are empty or too long"
        )
    return int(bounds["max"])


def _joined(path: Path, tables: list[Table]) -> Table:
    shapes = {tuple(array.shape[1:] for array in table.columns.values()) for table in tables}
    if len(shapes) != 1:
        raise BadTable(f"{path.name}: the lists of a column differ in length")
    first = tables[0]
    columns = {name: np.concatenate([table.columns[name] for table in tables]) for name in first.columns}
    return Table(columns, first.dtypes)
