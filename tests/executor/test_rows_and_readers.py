"""Rows as bytes and back, the commitment check, and the CSV and NPZ readers with their refusals."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from executor import rows
from executor.errors import BadData, BadTable, CommitmentMismatch
from executor.readers import parse_dtypes, parse_shapes, read_table
from executor.rows import MemoryRows, checked_chunks, decode_chunk, encode_chunks
from primitives.data import Column, Dtype, Schema
from primitives.spec import Affine, float_bits

DTYPES = [dtype for dtype in Dtype if dtype != Dtype.Utf8]
NUMPY = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "?"]


def schema(*columns: tuple[str, Dtype, list[int]], rows_per_chunk: int = 3) -> Schema:
    made = [Column(name=name.encode(), dtype=dtype, shape=shape) for name, dtype, shape in columns]
    return Schema(columns=made, rows_per_chunk=rows_per_chunk)


@given(data=st.data(), count=st.integers(1, 7))
def test_rows_survive_encoding(data: st.DataObject, count: int) -> None:
    shapes = [data.draw(st.lists(st.integers(1, 3), max_size=2)) for _ in DTYPES]
    layout = schema(*((f"c{d.value}", d, s) for d, s in zip(DTYPES, shapes, strict=True)))
    elements = {"allow_nan": False, "allow_infinity": False}
    columns = {
        f"c{dtype.value}": data.draw(
            hnp.arrays(kind, (count, *shape), elements=elements if kind[0] == "f" else None)
        )
        for dtype, kind, shape in zip(DTYPES, NUMPY, shapes, strict=True)
    }
    chunks = list(encode_chunks(layout, columns))
    table = rows.table(layout, chunks, count, list(columns))
    for name, array in columns.items():
        assert (table[name] == array).all()
    assert sum(map(len, chunks)) == count * (layout.row_bytes or 0)


def test_a_row_is_its_columns_little_endian_without_padding() -> None:
    layout = schema(("a", Dtype.U8, []), ("b", Dtype.F32, [2]), ("c", Dtype.Utf8, []), rows_per_chunk=2)
    columns = {
        "a": np.array([1, 2]),
        "b": np.array([[1.5, -0.0], [0, -2]]),
        "c": np.array(["é", "é"], dtype=object),
    }
    (chunk,) = encode_chunks(layout, columns)
    accent = bytes([8]) + "é".encode()
    assert chunk.hex() == "01" + "0000c03f00000000" + accent.hex() + "02" + "00000000000000c0" + accent.hex()
    decoded = decode_chunk(layout, chunk, 2)
    assert decoded["a"].tolist() == [1, 2] and decoded["b"].tolist() == [[1.5, 0.0], [0.0, -2.0]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
def test_no_number_that_is_not_finite(value: float) -> None:
    layout = schema(("a", Dtype.F32, []))
    with pytest.raises(BadData):
        list(encode_chunks(layout, {"a": np.array([1.0, value])}))


def test_whole_floats_become_integers_where_told() -> None:
    """As pandas writes words beside missing ones; what an integer cannot hold exactly is refused."""
    layout = schema(("a", Dtype.I32, []))
    expected = list(encode_chunks(layout, {"a": np.array([3, -7])}))
    for kind in ("f4", "f8"):
        assert list(encode_chunks(layout, {"a": np.array([3, -7], kind)})) == expected
    for value in (0.5, np.nan, np.inf, 2.0**31, 2.0**60):
        with pytest.raises(BadTable):
            list(encode_chunks(layout, {"a": np.array([1.0, value])}))


def test_hostile_chunks() -> None:
    floats, flags = schema(("a", Dtype.F32, [])), schema(("a", Dtype.Bool, []))
    text = schema(("a", Dtype.Utf8, []), ("b", Dtype.U8, []))
    with pytest.raises(BadData):
        decode_chunk(floats, np.array([np.nan], "<f4").tobytes(), 1)
    with pytest.raises(BadData):
        decode_chunk(flags, b"\x02", 1)
    for layout, chunk in (
        (floats, b"\0" * 5),
        (text, b"\x03"),
        (text, b""),
        (text, b"\xfc"),
        (text, b"\0\0\0"),
    ):
        with pytest.raises(BadTable):
            decode_chunk(layout, chunk, 1)


class Swapped:
    """A source that hands out something else than it committed to."""

    def __init__(self, inner: MemoryRows, chunk: bytes | None = None, salt: bytes | None = None) -> None:
        self.root, self.schema, self.rows = inner.root, inner.schema, inner.rows
        self._inner, self._chunk, self._salt = inner, chunk, salt

    def chunk(self, i: int) -> tuple[bytes, bytes]:
        salt, chunk = self._inner.chunk(i)
        return (salt if self._salt is None else self._salt), (chunk if self._chunk is None else self._chunk)


def test_every_leaf_is_checked_against_the_root() -> None:
    layout = schema(("a", Dtype.U8, []), rows_per_chunk=2)
    source = MemoryRows(layout, {"a": np.arange(5)}, secret=bytes(32))
    assert checked_chunks(source) == [b"\0\x01", b"\x02\x03", b"\x04"]
    assert source.root != MemoryRows(layout, {"a": np.arange(5)}).root, "the secret salts the leaves"
    for wrong in (
        Swapped(source, chunk=b"\0\x02"),
        Swapped(source, salt=bytes(16)),
        Swapped(source, salt=b""),
    ):
        with pytest.raises(CommitmentMismatch):
            checked_chunks(wrong)
    with pytest.raises(CommitmentMismatch):
        checked_chunks(Swapped(source, chunk=bytes(2**16 + 1)))


def test_normalisation_is_two_rounded_operations() -> None:
    affine = Affine(mean=float_bits(0.1), scale=float_bits(1 / 3))
    values = rows.inputs(np.array([7], dtype=np.uint8), affine)
    mean, scale = np.float32(0.1), np.float32(1 / 3)
    assert values.dtype == np.float32 and values[0] == np.float32(np.float32(7) - mean) * scale


def test_classes_are_bounded() -> None:
    assert rows.classes(np.array([0, 9]), 10).tolist() == [0, 9]
    assert rows.classes(np.array([[0, 9], [-100, 3]]), 10, -100).tolist() == [[0, 9], [-100, 3]]
    for array in (np.array([10]), np.array([-1]), np.array([0.5]), np.array([2**64 - 1], dtype=np.uint64)):
        with pytest.raises(BadData):
            rows.classes(array, 10, -100)


# --- files --------------------------------------------------------------------------------------------------


def csv(folder: Path, text: str) -> Path:
    path = folder / "rows.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_types_groups_and_shapes(tmp_path: Path) -> None:
    path = csv(tmp_path, "x[0],x[1],n,d,f,s\n1,2,-1,0.5,true,é\n300,4,2,1,FALSE,b\n")
    table = read_table(path, shapes={"x": (1, 2)}, dtypes={"d": Dtype.F64})
    expected = [Dtype.U16, Dtype.I8, Dtype.F64, Dtype.Bool, Dtype.Utf8]
    assert list(table.dtypes.values()) == expected and list(table.columns) == ["x", "n", "d", "f", "s"]
    assert table.columns["x"].tolist() == [[[1, 2]], [[300, 4]]]
    assert table.columns["f"].tolist() == [1, 0]
    assert [column.shape for column in table.schema().columns] == [[1, 2], [], [], [], []]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", BadTable),
        ("a\n", BadTable),
        ("a,a\n1,2\n", BadTable),
        ("a,\n1,2\n", BadTable),
        ("a[0],a[2]\n1,2\n", BadTable),
        ("a[0],b,a[1]\n1,2,3\n", BadTable),
        ("a,b\n1\n", BadTable),
        ("a\n1\n\n,\n", BadTable),
        ('a\n"1\n', BadTable),
        ("a[0],a[1]\n1,x\n", BadTable),
        ("a\n1e999\n", BadData),
        ("a\n99999999999999999999\n", BadTable),
        ("a\n18446744073709551615\n-1\n", BadTable),
    ],
)
def test_csv_refusals(tmp_path: Path, text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_table(csv(tmp_path, text))


def test_csv_integers_of_every_width(tmp_path: Path) -> None:
    path = csv(tmp_path, "a,b\n18446744073709551615,-9223372036854775808\n0,1\n")
    table = read_table(path)
    assert table.dtypes == {"a": Dtype.U64, "b": Dtype.I64}
    assert table.columns["a"].tolist() == [2**64 - 1, 0] and table.columns["b"].tolist() == [-(2**63), 1]
    for told in (Dtype.U8, Dtype.U64, Dtype.Bool, Dtype.I32):
        with pytest.raises(BadTable):
            read_table(path, dtypes={"b": told})


@pytest.mark.parametrize("cell", ["nan", "-inf", "Infinity", "NA", "null"])
def test_a_number_column_may_not_hold_anything_like_nan(tmp_path: Path, cell: str) -> None:
    path = csv(tmp_path, f"a\n1\n{cell}\n")
    for dtypes in ({}, {"a": Dtype.F32}):
        with pytest.raises(BadData):
            read_table(path, dtypes=dtypes)
    assert read_table(path, dtypes={"a": Dtype.Utf8}).columns["a"].tolist() == ["1", cell]
    assert read_table(csv(tmp_path, f"a\nx\n{cell}\n")).dtypes["a"] == Dtype.Utf8


def test_empty_cells_need_a_fill(tmp_path: Path) -> None:
    path = csv(tmp_path, "a,b\n1,2\n,3\n")
    with pytest.raises(BadTable, match=r"line 3.*'a' is empty"):
        read_table(path)
    assert read_table(path, fill="7").columns["a"].tolist() == [1, 7]


def test_npz(tmp_path: Path) -> None:
    path = tmp_path / "rows.npz"
    np.savez(path, x=np.arange(12, dtype=">f8").reshape(3, 4), y=np.array([True, False, True]))
    table = read_table(path, shapes={"x": (2, 2)})
    assert table.dtypes == {"x": Dtype.F64, "y": Dtype.Bool}
    assert table.columns["x"].shape == (3, 2, 2) and table.columns["x"].dtype == np.dtype("<f8")


@pytest.mark.parametrize(
    "arrays",
    [
        {"a": np.array([None])},
        {"a": np.zeros(2), "b": np.zeros(3)},
        {"a": np.float64(1)},
        {"a": np.zeros(2, np.complex64)},
        {},
    ],
)
def test_npz_refusals(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    path = tmp_path / "rows.npz"
    np.savez(path, **arrays)
    with pytest.raises(BadTable):
        read_table(path)


def npy(descr: bytes, shape: bytes, data: bytes, version: bytes = b"\1\0") -> bytes:
    """A member of an NPZ whose header says whatever one likes."""
    header = b"{'descr': %s, 'fortran_order': False, 'shape': %s, }\n" % (descr, shape)
    return b"\x93NUMPY" + version + len(header).to_bytes(2, "little") + header + data


@pytest.mark.parametrize(
    "member",
    [
        npy(b"-" * 9000 + b"1", b"(1,)", bytes(4)),
        npy(b"'<f4'", b"(" + b"-" * 9000 + b"1,)", bytes(4)),
        npy(b"(" * 5000, b"(1,)", bytes(4)),
        npy(b"'<f4'", b"(" + b"9" * 5000 + b",)", bytes(4)),
        npy(b"'<f4'", b"(1.5,)", bytes(6)),
        npy(b"'<f4'", b"(-1,)", bytes(4)),
        npy(b"'<f4'", b"(99999999999, 99999999999)", bytes(4)),
        npy(b"'<f4'", b"(1,", bytes(4)),
        npy(b"__import__('os').abort()", b"(1,)", bytes(4)),
        npy(b"'<f4'", b"(1,)", bytes(4), b"\3\0"),
        npy(b"'<U1'", b"(1,)", b"\xff\xff\xff\xff"),
        npy(b"'>U1'", b"(1,)", b"\0\0\xd8\0"),
        b"",
    ],
)
def test_hostile_npz_headers(tmp_path: Path, member: bytes) -> None:
    """Python's own parser reads them, and fails in many ways."""
    path = tmp_path / "rows.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", member)
    with pytest.raises(BadTable) as caught:
        read_table(path)
    assert len(str(caught.value)) < 400


def test_an_encrypted_npz_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", npy(b"'<f4'", b"(1,)", bytes(4)))
    data = bytearray(path.read_bytes())
    data[6] |= 1  # the local header's flag
    data[data.index(b"PK\1\2") + 8] |= 1  # the directory's
    path.write_bytes(data)
    with pytest.raises(BadTable, match="encrypted"):
        read_table(path)


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    for name in ("a.csv", "a.npz", "a.xlsx"):
        (tmp_path / name).write_bytes(b"\xff\xfe\0PK")
        with pytest.raises(BadTable):
            read_table(tmp_path / name)


def test_options_of_the_readers(tmp_path: Path) -> None:
    assert parse_shapes(["x=1,8,8"]) == {"x": (1, 8, 8)} and parse_dtypes(["x=u8"]) == {"x": Dtype.U8}
    for wrong in ("x", "x=", "=1", "x=0", "x=a"):
        with pytest.raises(BadTable):
            parse_shapes([wrong])
    for wrong in ("x", "x=u9", "=u8"):
        with pytest.raises(BadTable):
            parse_dtypes([wrong])
    path = csv(tmp_path, "a\n1\n")
    with pytest.raises(BadTable, match="no column 'b'"):
        read_table(path, shapes={"b": (1,)})
    with pytest.raises(BadTable, match="1 values a row, not 2"):
        read_table(path, shapes={"a": (2,)})
