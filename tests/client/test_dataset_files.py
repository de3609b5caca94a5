"""Files as committed rows: what is refused, and that the same file always gives the same commitment."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from client.dataset_file import DatasetFile, encoded_rows, split_rows
from client.errors import InputError
from executor.errors import CommitmentMismatch, ExecutorError
from executor.rows import MemoryRows, checked_chunks
from primitives.data import chunk_rows

SECRET = b"s" * 32


def csv(tmp_path: Path, text: str) -> DatasetFile:
    path = tmp_path / "rows.csv"
    path.write_text(text)
    return DatasetFile(path)


def npz(tmp_path: Path, **arrays: Any) -> DatasetFile:
    path = tmp_path / "rows.npz"
    np.savez(path, **arrays)
    return DatasetFile(path)


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,nan\n",
        "a,b\n1,inf\n",
        "a,b\n1,-Infinity\n",
        "a,b\n1,\n",
        "a,b\n1\n",
        "a,b\n1,2,3\n",
        "a,a\n1,2\n",
        "a,\n1,2\n",
        "x[0],x[2]\n1,2\n",
        "a,b\n",
        "",
        "\n\n",
        'a,b\n"1,2\n',
        "a\n1e999\n",
        "a\n" + "9" * 30 + "\n",
    ],
)
def test_bad_csv_files_are_refused(tmp_path: Path, text: str) -> None:
    file = csv(tmp_path, text)
    with pytest.raises((ExecutorError, InputError)):
        file.table()


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a,b\n\xff\xfe,2\n")
    with pytest.raises(ExecutorError):
        DatasetFile(path).table()


def test_missing_and_foreign_files(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        DatasetFile(tmp_path / "none.csv").table()
    (tmp_path / "rows.xls").write_bytes(b"x")
    with pytest.raises(ExecutorError):
        DatasetFile(tmp_path / "rows.xls").table()


def test_a_fill_stands_in_for_missing_values(tmp_path: Path) -> None:
    path = csv(tmp_path, "a,b\n1,\n,4\n").path
    table = DatasetFile(path, fill="0").table()
    assert table.columns["a"].tolist() == [1, 0] and table.columns["b"].tolist() == [0, 4]


def test_nan_in_npz_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExecutorError):
        npz(tmp_path, a=np.array([1.0, np.nan])).table()
    with pytest.raises(ExecutorError):
        npz(tmp_path, a=np.zeros(3), b=np.zeros(4)).table()
    with pytest.raises(ExecutorError):
        npz(tmp_path, a=np.zeros((2, 2), dtype=complex)).table()


def test_pickled_npz_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.npz"
    np.savez(path, a=np.array([{"x": 1}], dtype=object))
    with pytest.raises(ExecutorError):
        DatasetFile(path).table()


def test_a_zip_bomb_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    """An .npy header that promises 64 GiB, and zeros that compress to almost nothing."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (8 * 2**30,)}
    )
    path = tmp_path / "rows.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", header.getvalue() + bytes(1 << 22))
    with pytest.raises(ExecutorError):
        DatasetFile(path).table()


def test_truncated_and_empty_npz(tmp_path: Path) -> None:
    whole = npz(tmp_path, a=np.arange(1000)).path.read_bytes()
    for size in (0, 10, 100, len(whole) - 30):
        (tmp_path / "cut.npz").write_bytes(whole[:size])
        with pytest.raises(ExecutorError):
            DatasetFile(tmp_path / "cut.npz").table()


def test_the_commitment_depends_on_rows_and_secret_only(tmp_path: Path) -> None:
    file = csv(tmp_path, "x[0],x[1],y\n1,2,0\n3,4,1\n")
    rows = file.rows(file.table(), SECRET)
    (tmp_path / "again").mkdir()
    again = csv(tmp_path / "again", "x[0], x[1], y\r\n1,2,0\r\n3,4,1\r\n")
    assert again.rows(again.table(), SECRET).root == rows.root
    assert file.rows(file.table(), b"t" * 32).root != rows.root
    assert file.rows(file.table(), None).root != rows.root
    changed = csv(tmp_path, "x[0],x[1],y\n1,2,0\n3,4,2\n")
    assert changed.rows(changed.table(), SECRET).root != rows.root


def test_negative_zero_is_zero(tmp_path: Path) -> None:
    plus, minus = (npz(tmp_path, a=np.array([value, 1.5])) for value in (0.0, -0.0))
    assert plus.rows(plus.table(), SECRET).root == minus.rows(minus.table(), SECRET).root


class Tampered:
    """Rows that differ from their root in one byte."""

    def __init__(self, rows: MemoryRows, salt: bool) -> None:
        self.root, self.schema, self.rows, self._of, self._salt = (
            rows.root,
            rows.schema,
            rows.rows,
            rows,
            salt,
        )

    def chunk(self, i: int) -> tuple[bytes, bytes]:
        salt, chunk = self._of.chunk(i)
        if self._salt:
            return bytes([salt[0] ^ 1]) + salt[1:], chunk
        return salt, chunk[:-1] + bytes([chunk[-1] ^ 1])


@pytest.mark.parametrize("salt", [True, False])
def test_rows_are_checked_against_the_root_before_use(tmp_path: Path, salt: bool) -> None:
    file = csv(tmp_path, "x[0],x[1],y\n" + "".join(f"{i},{i + 1},{i % 2}\n" for i in range(50)))
    rows = file.rows(file.table(), SECRET)
    assert len(checked_chunks(rows)) >= 1
    with pytest.raises(CommitmentMismatch):
        checked_chunks(Tampered(rows, salt))


def test_rows_are_split_where_they_begin(tmp_path: Path) -> None:
    file = DatasetFile(csv(tmp_path, "name,n\nŷé,1\n,2\nlonger text,3\n").path, fill="", rows_per_chunk=2)
    path = tmp_path / "t.csv"
    path.write_text("name,n\nŷé,1\nb,2\nlonger text,3\n")
    file = DatasetFile(path, rows_per_chunk=2)
    rows = file.rows(file.table(), SECRET)
    cut = list(encoded_rows(rows))
    assert len(cut) == 3
    assert b"".join(cut) == b"".join(rows.chunk(i)[1] for i in range(2))
    assert cut[2].endswith(b"longer text\x03")
    assert list(split_rows(rows.schema, rows.chunk(0)[1], chunk_rows(rows.schema, 3, 0))) == cut[:2]
