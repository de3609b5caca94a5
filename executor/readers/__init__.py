"""Files as tables: the one documented way from a file to the rows of a dataset.

CSV, NPZ, Parquet, and folders of images: the reader is chosen by the suffix, see its module for what it
takes and how. `read_table` holds a whole table in memory; `segments` gives it piece by piece, for tables that
are larger. File bytes are never hashed; only the rows they become are.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from executor.errors import BadTable
from executor.readers.csv import csv_segments
from executor.readers.images import image_segments
from executor.readers.npz import npz_segments
from executor.readers.parquet import parquet_segments
from executor.readers.table import Reading, Shape, Table, dtype_named, with_classes, with_joins
from primitives.data import Dtype

__all__ = [
    "SUFFIXES",
    "Reading",
    "Shape",
    "Table",
    "dtype_named",
    "parse_classes",
    "parse_dtypes",
    "parse_joins",
    "parse_shapes",
    "read_table",
    "segments",
]

Reader = Callable[[Path, Reading], Iterator[Table]]
SUFFIXES: dict[str, Reader] = {".csv": csv_segments, ".npz": npz_segments, ".parquet": parquet_segments}


def read_table(
    path: Path,
    shapes: Mapping[str, Shape] | None = None,
    dtypes: Mapping[str, Dtype] | None = None,
    fill: str | None = None,
    classes: Mapping[str, tuple[str, ...]] | None = None,
) -> Table:
    """The table in a file or image folder; the arguments are those of `Reading`.

    Raises BadTable and BadData with the column and line, OSError when the file cannot be read.
    """
    (table,) = segments(path, Reading(shapes or {}, dtypes or {}, fill, classes or {}))
    return table


def segments(path: Path, reading: Reading) -> Iterator[Table]:
    """A file's rows, in order, in tables of at most `reading.segment` rows. Each has the same columns; a CSV
    file's columns may get another type in each segment unless told.
    """
    for table in reader_of(path)(path, reading):
        named = {*reading.shapes, *reading.dtypes, *reading.classes} - set(reading.joins)
        unknown = sorted(named - set(table.columns))
        if unknown:
            raise BadTable(f"{path.name} has no column {unknown[0]!r}; it has {', '.join(table.columns)}")
        yield with_joins(with_classes(table, reading.classes), reading)


def reader_of(path: Path) -> Reader:
    """The reader for a path. Raises BadTable."""
    if path.is_dir():
        return image_segments
    reader = SUFFIXES.get(path.suffix.lower())
    if reader is None:
        kinds = ", ".join(SUFFIXES)
        found = path.suffix or "a file without a suffix"
        raise BadTable(f"{path.name}: no reader for {found}; use {kinds}, or a folder of image folders")
    return reader


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


def parse_joins(options: list[str]) -> dict[str, tuple[str, ...]]:
    """`--join` options, `x=age,height` each. Raises BadTable."""
    joins = {}
    for option in options:
        name, _, text = option.partition("=")
        if not name or name in joins or "" in text.split(","):
            raise BadTable(f"{option!r} joins nothing; write COLUMN=NAME,NAME such as x=age,height, or x=*")
        joins[name] = tuple(text.split(","))
    return joins


def parse_classes(options: list[str]) -> dict[str, tuple[str, ...]]:
    """`--classes` options, `species=setosa,virginica` each. Raises BadTable."""
    classes = {}
    for option in options:
        name, _, text = option.partition("=")
        names = tuple(text.split(","))
        if not name or "" in names or len(set(names)) != len(names):
            raise BadTable(f"{option!r} names no classes; write COLUMN=NAME,NAME such as pet=cat,dog")
        classes[name] = names
    return classes
