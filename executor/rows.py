"""Rows as bytes and as arrays: the fixed encoding of `primitives/data.py`, read and written by numpy.

A row is its columns in order, C order, little-endian, no padding: exactly a packed numpy record. Text
columns have no fixed size and take a slower path; training skips them. Nothing here trusts a chunk:
lengths, flags and floats are checked, and `checked_chunks` hands out no row before the whole dataset has
been found to be the committed one.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from operator import mul
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from executor.errors import BadData, BadTable, CommitmentMismatch
from primitives import merkle
from primitives.data import CHUNK_MAX, Column, Dtype, Schema, chunk_count, chunk_rows
from primitives.scale import encode
from primitives.spec import Affine, bits_float

Array = NDArray[np.generic]
Columns = Mapping[str, Array]
"""Column name → array of shape (rows, *column shape); text columns hold Python strings (dtype object)."""

NUMPY: dict[Dtype, str] = {
    Dtype.U8: "u1",
    Dtype.I8: "i1",
    Dtype.U16: "<u2",
    Dtype.I16: "<i2",
    Dtype.U32: "<u4",
    Dtype.I32: "<i4",
    Dtype.U64: "<u8",
    Dtype.I64: "<i8",
    Dtype.F32: "<f4",
    Dtype.F64: "<f8",
    Dtype.Bool: "u1",
}
"""How an element lies in a row; a flag is one byte, 0 or 1."""


class RowSource(Protocol):
    """A dataset that is read chunk by chunk."""

    @property
    def root(self) -> bytes: ...
    @property
    def schema(self) -> Schema: ...
    @property
    def rows(self) -> int: ...
    def chunk(self, i: int) -> tuple[bytes, bytes]:
        """Salt (16 bytes) and encoded rows of chunk `i`."""
        ...


class MemoryRows:
    """A dataset held in memory, committed to under a secret (32 bytes), or with zero salts when it is
    public.
    """

    def __init__(self, schema: Schema, columns: Columns, secret: bytes | None = None) -> None:
        self.schema = schema
        self.rows = row_count(columns)
        self._chunks = list(encode_chunks(schema, columns))
        self._secret = secret
        self.root = commitment(self)

    def chunk(self, i: int) -> tuple[bytes, bytes]:
        """Salt and encoded rows of chunk `i`."""
        salt = merkle.COMMON_SALT if self._secret is None else merkle.salt(self._secret, i)
        return salt, self._chunks[i]


def commitment(source: RowSource) -> bytes:
    """The Merkle root of a source's chunks, read once."""
    chunks = chunk_count(source.schema, source.rows)
    return _root(source, [merkle.leaf(i, *source.chunk(i)) for i in range(chunks)])


def checked_chunks(source: RowSource) -> list[bytes]:
    """All chunks of a source, after every leaf has been checked against its root.

    Raises CommitmentMismatch when the rows are not those of the root, or a chunk is longer than any may be.
    """
    chunks, leaves = [], []
    for i in range(chunk_count(source.schema, source.rows)):
        salt, chunk = source.chunk(i)
        check_leaf_form(i, salt, chunk)
        leaves.append(merkle.leaf(i, salt, chunk))
        chunks.append(chunk)
    check_root(source, leaves)
    return chunks


def check_leaf_form(index: int, salt: bytes, chunk: bytes) -> None:
    """Refuse a chunk that none of a dataset's can be: CommitmentMismatch."""
    if len(salt) != merkle.SALT_SIZE or len(chunk) > CHUNK_MAX:
        raise CommitmentMismatch(f"chunk {index} is not of the form that the dataset commits to")


def check_root(source: RowSource, leaves: Sequence[bytes]) -> None:
    """Refuse leaves that are not those of the source's root: CommitmentMismatch."""
    if _root(source, leaves) != source.root:
        raise CommitmentMismatch("the rows are not those that the dataset's root commits to")


def _root(source: RowSource, leaves: Sequence[bytes]) -> bytes:
    return root_of_leaves(source.schema, source.rows, leaves)


def root_of_leaves(schema: Schema, rows: int, leaves: Sequence[bytes]) -> bytes:
    """The root over the leaves of all chunks, in order."""
    return merkle.root(schema.hash, rows, len(leaves), merkle.Tree(leaves).top)


# --- encoding -----------------------------------------------------------------------------------------------


def column_name(column: Column) -> str:
    """A column's name as text."""
    return column.name.decode("utf-8")


def row_dtype(schema: Schema) -> np.dtype[np.void]:
    """The packed numpy record of one row. Raises BadTable for a schema with text columns."""
    if schema.row_bytes is None:
        raise BadTable("a row with a text column has no fixed size")
    return np.dtype([(column_name(c), NUMPY[Dtype(c.dtype)], tuple(c.shape)) for c in schema.columns])


def row_count(columns: Columns) -> int:
    """Rows of a table. Raises BadTable when its columns differ in length or there are none."""
    counts = {len(array) for array in columns.values()}
    if len(counts) != 1 or counts == {0}:
        raise BadTable("a table has at least one row, and every column has the same number")
    return counts.pop()


def encode_chunks(schema: Schema, columns: Columns) -> Iterator[bytes]:
    """A table as the chunks of its dataset.

    Raises BadTable when a column is missing or does not fit its type and shape, BadData for NaN or infinity.
    """
    rows = row_count(columns)
    arrays = [canonical(c, columns, rows) for c in schema.columns]
    encoded = _encode_fixed if schema.row_bytes is not None else _encode_text
    for i in range(chunk_count(schema, rows)):
        start = i * schema.rows_per_chunk
        stop = start + chunk_rows(schema, rows, i)
        chunk = encoded(schema, [array[start:stop] for array in arrays])
        if len(chunk) > CHUNK_MAX:
            raise BadTable(f"a chunk is over {CHUNK_MAX} bytes; use fewer rows a chunk")
        yield chunk


def canonical(column: Column, columns: Columns, rows: int) -> Array:
    """A column's array in its one valid form: its dtype and shape, finite, −0.0 as +0.0, flags as 0 and 1."""
    name = column_name(column)
    if name not in columns:
        raise BadTable(f"the table has no column {name!r}")
    array = columns[name]
    if column.dtype == Dtype.Utf8:
        return np.array([unicodedata.normalize("NFC", str(value)) for value in array], dtype=object)
    if array.shape != (rows, *column.shape):
        raise BadTable(
            f"column {name!r} has values of shape {list(array.shape[1:])}, not {list(column.shape)}"
        )
    exact = _exactly(array, NUMPY[Dtype(column.dtype)], name)
    if column.dtype == Dtype.Bool and exact.size and int(exact.max()) > 1:
        raise BadData(f"column {name!r} holds something else than true and false")
    return exact


def same_order(shape: Sequence[int], wanted: Sequence[int]) -> bool:
    """Whether one shape is the other with neighbouring axes put together: [3, 4, 4] is [3, 16] and [48], but
    [4, 4, 3] holds the same numbers in another order."""
    ends, others = set(accumulate(shape, mul)) | {1}, set(accumulate(wanted, mul)) | {1}
    return max(ends) == max(others) and (ends <= others or others <= ends)


def _whole(floats: Array) -> bool:
    """Whether all are integers, and small enough that each is one only."""
    return bool((np.abs(floats) <= 2**53).all() and (floats == np.floor(floats)).all())


def _exactly(array: Array, dtype: str, name: str) -> Array:
    """The same values in another type; integers may not change, floats may round but must be finite."""
    kind = np.dtype(dtype).kind
    if kind == "f":
        floats = array.astype(np.float64)
        with np.errstate(over="ignore"):
            rounded = floats.astype(dtype)
        if not np.isfinite(rounded).all():
            raise BadData(f"column {name!r} holds NaN, infinity, or a number too large for its type")
        positive: Array = rounded + rounded.dtype.type(0)  # −0.0 + 0.0 = +0.0
        return positive
    if array.dtype.kind == "f" and _whole(array):
        array = array.astype(np.int64)
    if array.dtype.kind not in "iub":
        raise BadTable(f"column {name!r} holds no integers")
    bounds = np.iinfo(dtype)
    if array.size and not (bounds.min <= int(array.min()) and int(array.max()) <= bounds.max):
        raise BadTable(f"column {name!r} holds an integer beyond its type")
    return array.astype(dtype)


def _encode_fixed(schema: Schema, arrays: Sequence[Array]) -> bytes:
    records = np.empty(len(arrays[0]), dtype=row_dtype(schema))
    for column, array in zip(schema.columns, arrays, strict=True):
        records[column_name(column)] = array
    return records.tobytes()


def _encode_text(schema: Schema, arrays: Sequence[Array]) -> bytes:
    parts = []
    for row in zip(*arrays, strict=True):
        for column, value in zip(schema.columns, row, strict=True):
            parts.append(encode(str, value) if column.dtype == Dtype.Utf8 else value.tobytes())
    return b"".join(parts)


# --- decoding -----------------------------------------------------------------------------------------------


def decode_chunk(schema: Schema, chunk: bytes, rows: int) -> dict[str, Array]:
    """The columns of one chunk of `rows` rows; text columns are left out.

    Raises BadTable when the length does not fit, BadData for a NaN, an infinity or a flag that is not 0 or 1.
    """
    records = _records(schema, chunk, rows)
    columns = {}
    for column in schema.columns:
        if column.dtype == Dtype.Utf8:
            continue
        array: Array = records[column_name(column)]
        check_values(column, array)
        columns[column_name(column)] = array
    return columns


def _records(schema: Schema, chunk: bytes, rows: int) -> NDArray[np.void]:
    if schema.row_bytes is None:
        schema, chunk = _without_text(schema, chunk, rows)
    record = row_dtype(schema)
    if len(chunk) != rows * record.itemsize:
        raise BadTable(f"a chunk of {rows} rows has {rows * record.itemsize} bytes, not {len(chunk)}")
    return np.frombuffer(chunk, dtype=record)


def _without_text(schema: Schema, chunk: bytes, rows: int) -> tuple[Schema, bytes]:
    """The chunk without its text columns."""
    parts, at = [], 0
    for _ in range(rows):
        for column in schema.columns:
            if column.dtype == Dtype.Utf8:
                length, at = _compact(chunk, at)
                at += length
            else:
                size = column.row_bytes or 0
                parts.append(chunk[at : at + size])
                at += size
    if at != len(chunk):
        raise BadTable("a chunk's length does not fit its rows")
    fixed = [column for column in schema.columns if column.dtype != Dtype.Utf8]
    return Schema(columns=fixed, rows_per_chunk=schema.rows_per_chunk), b"".join(parts)


def _compact(data: bytes, at: int) -> tuple[int, int]:
    """A SCALE compact length (1, 2 or 4 bytes: a chunk is ≤ 64 KiB) and where it ends."""
    size = 1 << (data[at] & 3) if at < len(data) else 8
    if size > 4 or at + size > len(data):
        raise BadTable("a text column's length is malformed")
    return int.from_bytes(data[at : at + size], "little") >> 2, at + size


def check_values(column: Column, array: Array) -> None:
    """Refuse NaN, infinities, and flags that are not 0 or 1: BadData."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise BadData(f"column {column_name(column)!r} holds NaN or infinity")
    if column.dtype == Dtype.Bool and array.size and int(array.max()) > 1:
        raise BadData(f"column {column_name(column)!r} holds something else than true and false")


# --- what training reads ------------------------------------------------------------------------------------


def table(schema: Schema, chunks: Sequence[bytes], rows: int, names: Sequence[str]) -> dict[str, Array]:
    """The named columns of a whole dataset, each of shape (rows, *column shape)."""
    parts: dict[str, list[Array]] = {name: [] for name in names}
    for i, chunk in enumerate(chunks):
        columns = decode_chunk(schema, chunk, chunk_rows(schema, rows, i))
        for name, arrays in parts.items():
            if name not in columns:
                raise BadTable(f"the dataset has no column {name!r} that holds numbers")
            arrays.append(columns[name])
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def inputs(array: Array, affine: Affine | None, private: bool = False) -> NDArray[np.float32]:
    """A column as float32, normalised: (float32(x) − mean) · scale, two rounded float32 operations in this
    order. BadData where that is not finite.

    Where the run has to be `private`, such a value becomes the nearest finite one (NaN: 0) instead: the buyer
    chooses mean and scale, and whether a run fails must not depend on a single row.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.ascontiguousarray(array).astype(np.float32)
        if affine is not None:
            values -= np.float32(bits_float(affine.mean))
            values *= np.float32(bits_float(affine.scale))
    if np.isfinite(values).all():
        return values
    if not private:
        raise BadData("an input is NaN or infinite after normalisation")
    found: NDArray[np.float32] = np.nan_to_num(values)
    return found


def typed(array: Array, dtype: np.dtype[np.generic], private: bool = False) -> Array:
    """A column as an input of another type than float32: the same numbers, or BadData. Floats may round.

    Where the run has to be `private`, a number beyond the type becomes the nearest one of it: the buyer
    chooses the type. What follows from the types alone is refused all the same.
    """
    if dtype.kind in "iub" and array.dtype.kind == "f":
        raise BadData("the graph's input takes whole numbers")
    values = np.ascontiguousarray(array)
    if dtype.kind in "iub" and array.dtype.kind in "iu":
        low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype.name).min, np.iinfo(dtype.name).max)
        if int(values.min()) < low or int(values.max()) > high:
            if not private:
                raise BadData("a number is beyond the type of the graph's input")
            own = np.iinfo(values.dtype.name)
            values = np.clip(values, max(low, own.min), min(high, own.max))
    with np.errstate(over="ignore"):
        converted: Array = values.astype(dtype)
    return converted


def classes(array: Array, count: int, ignored: int | None = None, private: bool = False) -> NDArray[np.int32]:
    """An integer target as class numbers below `count`, or `ignored`; its shape stays. BadData beyond it, or
    for floats.

    Where the run has to be `private`, a class beyond the model's outputs becomes −1, no class at all: whether
    a run fails must not depend on a single row.
    """
    if array.dtype.kind not in "iu":
        raise BadData("cross entropy needs integer classes")
    values = array.astype(np.int64)  # what a u64 has beyond becomes negative, and is refused
    wrong = (values < 0) | (values >= count)
    if ignored is not None:
        wrong &= values != ignored
    if private:
        return np.where(wrong, -1, values).astype(np.int32)
    if wrong.any():
        raise BadData(f"a class is not in 0 … {count - 1}, the model's outputs")
    return array.astype(np.int32)
