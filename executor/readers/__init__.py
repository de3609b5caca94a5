"""Files as tables: the one documented way from a CSV or NPZ file to the rows of a dataset.

`read_table` picks the reader by the file's suffix. File bytes are never hashed; only the rows they become
are.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from executor.errors import BadTable
from executor.readers.csv import read_csv
from executor.readers.npz import read_npz
from executor.readers.table import Shape, Table, dtype_named
from primitives.data import Dtype

__all__ = ["SUFFIXES", "Shape", "Table", "dtype_named", "parse_dtypes", "parse_shapes", "read_table"]

Reader = Callable[[Path, Mapping[str, Shape], Mapping[str, Dtype], str | None], Table]
SUFFIXES: dict[str, Reader] = {".csv": read_csv, ".npz": read_npz}


def read_table(
    path: Path,
    shapes: Mapping[str, Shape] | None = None,
    dtypes: Mapping[str, Dtype] | None = None,
    fill: str | None = None,
) -> Table:
    """The table in a file.

    `shapes` gives columns another shape of one row's value (same number of elements); `dtypes` another
    type than the reader would choose; `fill` is the text that stands in for an empty CSV cell. Raises
    BadTable and BadData with the column and line, OSError when the file cannot be read.
    """
    reader = SUFFIXES.get(path.suffix.lower())
    if reader is None:
        raise BadTable(
            f"{path.name}: no reader for {path.suffix or 'a file without a suffix'}; use .csv or .npz"
        )
    table = reader(path, shapes or {}, dtypes or {}, fill)
    unknown = sorted({*(shapes or {}), *(dtypes or {})} - set(table.columns))
    if unknown:
        raise BadTable(f"{path.name} has no column {unknown[0]!r}; it has {', '.join(table.columns)}")
    return table


def parse_shapes(options: list[str]) -> dict[str, Shape]:
    """`--shape` options, `pixels=1,8,8` each. Raises BadTable."""
    shapes = {}
    for option in options:
        name, _, text = option.rpartition("=")
        sizes = text.split(",")
        if not name or not all(size.isdecimal() and int(size) > 0 for size in sizes):
            raise BadTable(f"{option!r} is no shape; write COLUMN=SIZE,SIZE such as pixels=1,8,8")
        shapes[name] = tuple(map(int, sizes))
    return shapes


def parse_dtypes(options: list[str]) -> dict[str, Dtype]:
    """`--dtype` options, `age=u8` each. Raises BadTable."""
    dtypes = {}
    for option in options:
        name, _, text = option.rpartition("=")
        if not name:
            raise BadTable(f"{option!r} is no type; write COLUMN=TYPE such as age=u8")
        dtypes[name] = dtype_named(text)
    return dtypes
