"""CSV files as tables.

UTF-8 (a byte order mark is skipped), comma-separated as in RFC 4180, first line the column names. Headers
`x[0]`, `x[1]`, … `x[n-1]` that stand together and count up from 0 form one column `x` with n values a row.
Spaces around a cell are ignored. An empty cell is refused unless a fill is given. Types are chosen as
`executor.readers.table` says.
"""

import csv
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path

import numpy as np

from executor.errors import BadData, BadTable
from executor.readers.table import SIGNED, UNSIGNED, Reading, Table, finished, integer_dtype
from executor.rows import NUMPY, Array
from primitives.data import COLUMNS_MAX, Dtype

CELL_MAX = 65_536
HEADERS_MAX = 65_536
CELL_BYTES = 64
"""What a cell takes as a Python string."""
PART = re.compile(r"(.+)\[(0|[1-9]\d{0,5})\]")
INTEGER = re.compile(r"[+-]?\d{1,100}")
DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?")
NO_VALUE = re.compile(r"[+-]?(nan|inf|infinity|na|n/a|null|none)", re.IGNORECASE)
FLAGS = {"true": 1, "false": 0}


def csv_segments(path: Path, reading: Reading) -> Iterator[Table]:
    """The tables in a CSV file; see `executor.readers.read_table` for the errors."""
    headers: list[str] = []
    found = False
    for rows in _batches(path, reading, headers):
        found = True
        yield _table(path, headers, [list(column) for column in zip(*rows, strict=True)], reading)
    if not found:
        raise BadTable(f"{path.name} has no rows")


def _table(path: Path, headers: list[str], cells: list[list[str]], reading: Reading) -> Table:
    columns: dict[str, Array] = {}
    chosen: dict[str, Dtype] = {}
    for name, places in _groups(path, headers).items():
        grouped = [cells[place] for place in places]
        dtype, array = _column(name, grouped, reading.told(name))
        if headers[places[0]] == name:
            array = array[:, 0]
        chosen[name] = dtype
        columns[name] = finished(name, array, dtype, reading.shapes.get(name))
    return Table(columns, chosen)


def _batches(path: Path, reading: Reading, headers: list[str]) -> Iterator[list[list[str]]]:
    """Fills `headers`, then yields the cells of as many rows as a segment holds."""
    csv.field_size_limit(CELL_MAX)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            headers += [header.strip() for header in next(reader, [])]
            if not headers or len(headers) > HEADERS_MAX:
                raise BadTable(f"{path.name}: the first line names 1 to {HEADERS_MAX} columns")
            rows = (_row(path, reader.line_num, row, headers, reading.fill) for row in reader if row)
            step = reading.rows_at_once(sys.maxsize, CELL_BYTES * len(headers))
            while batch := list(islice(rows, step)):
                yield batch
    except UnicodeDecodeError:
        raise BadTable(f"{path.name} is not UTF-8 text") from None
    except csv.Error as error:
        raise BadTable(f"{path.name} is no CSV: {error}") from None


def _row(path: Path, line: int, row: list[str], headers: list[str], fill: str | None) -> list[str]:
    if len(row) != len(headers):
        raise BadTable(f"{path.name}, line {line}: {len(row)} cells for {len(headers)} columns")
    cells = [cell.strip() for cell in row]
    if "" in cells:
        if fill is None:
            name = headers[cells.index("")]
            raise BadTable(f"{path.name}, line {line}: column {name!r} is empty; give a fill to allow that")
        cells = [cell or fill for cell in cells]
    return cells


def _groups(path: Path, headers: Sequence[str]) -> dict[str, list[int]]:
    """Column name → places of its cells."""
    groups: dict[str, list[int]] = {}
    for stem, members in groupby(range(len(headers)), key=lambda i: _stem(headers[i])):
        places = list(members)
        if stem is None:
            named = {headers[place]: [place] for place in places}
            fresh = len(named) == len(places)
        else:
            named = {stem: places}
            fresh = [headers[place] for place in places] == [f"{stem}[{i}]" for i in range(len(places))]
        if not fresh or groups.keys() & named.keys() or "" in named:
            raise BadTable(f"{path.name}: column names repeat, are empty, or do not count up from [0]")
        groups |= named
    if len(groups) > COLUMNS_MAX:
        raise BadTable(f"{path.name}: more than {COLUMNS_MAX} columns; group them as x[0], x[1], …")
    return groups


def _stem(header: str) -> str | None:
    match = PART.fullmatch(header)
    return match[1] if match else None


def _column(name: str, cells: list[list[str]], told: Dtype | None) -> tuple[Dtype, Array]:
    """A column's type and its values, shape (rows, cells of a row)."""
    seen = {cell for part in cells for cell in part}
    if told == Dtype.Utf8 or (told is None and not _numeric(name, seen) and not _flags(seen)):
        if len(cells) > 1:
            raise BadTable(f"column {name!r} has several parts, so they must be numbers")
        return Dtype.Utf8, np.array(cells, dtype=object).T
    dtype, values = _numbers(name, seen, told)
    wide = {"f": "f8", "i": "i8", "u": "u8"}[np.dtype(NUMPY[dtype]).kind]
    return dtype, np.array([[values[cell] for cell in part] for part in cells], dtype=wide).T


def _numeric(name: str, seen: set[str]) -> bool:
    """Whether a column holds numbers only. BadData when all that does not is like NaN, inf or NA."""
    others = {cell for cell in seen if not DECIMAL.fullmatch(cell)}
    if others and all(map(NO_VALUE.fullmatch, others)):
        raise BadData(f"column {name!r} holds {min(others)!r}; leave such cells empty and give a fill")
    return not others


def _flags(seen: set[str]) -> bool:
    return {cell.lower() for cell in seen} <= FLAGS.keys()


def _numbers(name: str, seen: set[str], told: Dtype | None) -> tuple[Dtype, dict[str, float]]:
    """The type of a column of numbers or flags, and the value of each different cell."""
    if _flags(seen):
        return Dtype.Bool if told is None else told, {cell: FLAGS[cell.lower()] for cell in seen}
    decimal = told in (Dtype.F32, Dtype.F64)
    if not decimal and all(map(INTEGER.fullmatch, seen)):
        integers = {cell: int(cell) for cell in seen}
        fitting = integer_dtype(min(integers.values()), max(integers.values()))
        return _able(name, fitting, told), dict(integers)
    if told is not None and not decimal:
        raise BadTable(f"column {name!r} holds something else than whole numbers")
    if not all(map(DECIMAL.fullmatch, seen)):
        raise BadData(f"column {name!r} holds something else than finite numbers")
    return told or Dtype.F32, {cell: float(cell) for cell in seen}


def _able(name: str, fitting: Dtype, told: Dtype | None) -> Dtype:
    """The type told, if it can hold what the smallest fitting type holds; `canonical` checks the exact
    range.
    """
    if told is None:
        return fitting
    if fitting in SIGNED and told in (*UNSIGNED, Dtype.Bool):
        raise BadTable(f"column {name!r} holds negative numbers")
    return told
