"""Parquet files, image folders, class names; rows on disk: same rows, same root, bounded memory."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from executor.errors import BadData, BadTable
from executor.readers import Reading, parse_classes, read_table, segments
from executor.rows import MemoryRows, checked_chunks
from executor.spool import SpooledRows, rows_of, spooled
from primitives.data import Dtype
from tests.executor.planted import ROOT


def parquet(folder: Path, **columns: object) -> Path:
    path = folder / "rows.parquet"
    pq.write_table(pa.table(columns), path)
    return path


# --- Parquet ------------------------------------------------------------------------------------------------


def test_parquet_types_and_shapes(tmp_path: Path) -> None:
    path = parquet(
        tmp_path,
        small=pa.array([1, 2, 3], pa.int16()),
        half=pa.array(np.array([1, 2, 3], np.float16)),
        flag=[True, False, True],
        text=pa.array(["a", "é", "a"]).dictionary_encode(),
        fixed=pa.FixedSizeListArray.from_arrays(pa.array(range(12), pa.uint8()), 4),
        lists=[[1.5, 2.0], [3.0, 4.0], [5.0, 6.0]],
    )
    table = read_table(path, shapes={"fixed": (1, 2, 2)})
    assert list(table.dtypes.values()) == [
        Dtype.I16, Dtype.F32, Dtype.Bool, Dtype.Utf8, Dtype.U8, Dtype.F64,
    ]  # fmt: skip
    assert table.columns["fixed"].tolist()[2] == [[[8, 9], [10, 11]]]
    assert table.columns["lists"].tolist() == [[1.5, 2.0], [3.0, 4.0], [5.0, 6.0]]
    assert table.columns["flag"].tolist() == [1, 0, 1] and table.columns["text"].tolist() == ["a", "é", "a"]


def test_parquet_missing_values_need_a_fill(tmp_path: Path) -> None:
    path = parquet(tmp_path, x=[1, None, 3], t=["a", "b", None])
    with pytest.raises(BadTable, match="'x' has missing values"):
        read_table(path)
    table = read_table(path, fill="7")
    assert table.columns["x"].tolist() == [1, 7, 3] and table.columns["t"].tolist() == ["a", "b", "7"]
    with pytest.raises(BadTable, match="cannot fill"):
        read_table(path, fill="many")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 2], pa.timestamp("ms")),
        pa.array([{"a": 1}, {"a": 2}]),
        pa.array([[1], [1, 2]]),
        pa.array([[[1]], [[2]]]),
        pa.array([["a"], ["b"]]),
        pa.array([[], []], pa.list_(pa.int8())),
        pa.array([b"a", b"b"]),
    ],
    ids=str,
)
def test_parquet_columns_that_no_dataset_has(tmp_path: Path, column: object) -> None:
    with pytest.raises(BadTable, match="column 'x'"):
        read_table(parquet(tmp_path, x=column))


def test_parquet_files_that_are_broken(tmp_path: Path) -> None:
    good = parquet(tmp_path, x=list(range(1000)))
    data = good.read_bytes()
    broken = tmp_path / "broken.parquet"
    for wrong in (b"", b"PAR1", data[:50], data[:-40], b"\0" * 4096, data[:20] + b"\xff" * 40 + data[60:]):
        broken.write_bytes(wrong)
        with pytest.raises(BadTable, match=r"broken\.parquet"):
            read_table(broken)
    with pytest.raises(BadTable, match="NaN"):
        try:
            read_table(parquet(tmp_path, x=[1.0, float("nan")]))
        except BadData as error:
            raise BadTable(str(error)) from error
    empty = parquet(tmp_path, x=pa.array([], pa.int8()))
    with pytest.raises(BadTable, match="at least one row"):
        read_table(empty)


# --- images -------------------------------------------------------------------------------------------------


def folder_of_images(path: Path, mode: str = "RGB") -> Path:
    for number, name in enumerate(("cat", "dog", "ape")):
        (path / name).mkdir(parents=True)
        for index in range(3):
            pixels = np.full((4, 6, 3), 40 * number + index, np.uint8)
            pixels[0, 0] = (200, 100, 0)
            Image.fromarray(pixels).convert(mode).save(path / name / f"{index}.png")
    return path


def test_an_image_folder_is_a_table(tmp_path: Path) -> None:
    path = folder_of_images(tmp_path / "pets")
    (path / "cat" / ".hidden").write_text("skipped")
    table = read_table(path)
    assert table.columns["image"].shape == (9, 3, 4, 6) and table.dtypes["image"] == Dtype.U8
    assert table.columns["label"].tolist() == [0] * 3 + [1] * 3 + [2] * 3, "ape, cat, dog: by name"
    assert table.columns["image"][0, :, 0, 0].tolist() == [200, 100, 0]
    assert table.columns["image"][3, :, 1, 1].tolist() == [0, 0, 0]
    grey = read_table(folder_of_images(tmp_path / "grey", "L"))
    assert grey.columns["image"].shape == (9, 1, 4, 6)
    resized = read_table(path, shapes={"image": (1, 2, 3)})
    assert resized.columns["image"].shape == (9, 1, 2, 3)
    last = read_table(path, shapes={"image": (4, 6, 3)})
    assert np.array_equal(last.columns["image"], table.columns["image"].transpose(0, 2, 3, 1))
    with pytest.raises(BadTable, match="1 or 3 channels"):
        read_table(path, shapes={"image": (4, 3, 6)})


def test_image_folders_that_are_refused(tmp_path: Path) -> None:
    path = folder_of_images(tmp_path / "pets")
    Image.new("RGB", (5, 5)).save(path / "cat" / "9.png")
    with pytest.raises(BadTable, match="differ in size"):
        read_table(path)
    (path / "cat" / "9.png").write_bytes(b"no image at all")
    with pytest.raises(BadTable, match=r"cat/9.png is no image"):
        read_table(path)
    good = (path / "cat" / "0.png").read_bytes()
    (path / "cat" / "9.png").write_bytes(good[: len(good) // 2])
    with pytest.raises(BadTable, match=r"cat/9.png"):
        read_table(path)
    huge = bytearray(good)
    huge[16:24] = (60_000).to_bytes(4, "big") + (60_000).to_bytes(4, "big")
    (path / "cat" / "9.png").write_bytes(bytes(huge))
    with pytest.raises(BadTable, match=r"cat/9.png"):
        read_table(path, shapes={"image": (3, 4, 6)})
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadTable, match="a subfolder for each class"):
        read_table(tmp_path / "empty")


# --- class names --------------------------------------------------------------------------------------------


def test_declared_class_names_become_their_places(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("x,pet\n1,dog\n2,cat\n3,dog\n")
    table = read_table(path, classes=parse_classes(["pet=cat,dog,ape"]))
    assert table.columns["pet"].tolist() == [1, 0, 1] and table.dtypes["pet"] == Dtype.U8
    with pytest.raises(BadData, match="something else than its classes"):
        read_table(path, classes={"pet": ("cat",)})
    numbers = read_table(path, classes={"x": ("3", "2", "1")})
    assert numbers.columns["x"].tolist() == [2, 1, 0]
    for wrong in ("pet", "pet=", "pet=a,,b", "pet=a,a", "=a"):
        with pytest.raises(BadTable, match="names no classes"):
            parse_classes([wrong])


# --- rows on disk -------------------------------------------------------------------------------------------


def everything(rows: SpooledRows | MemoryRows) -> tuple[bytes, object, int, list[bytes]]:
    return rows.root, rows.schema, rows.rows, checked_chunks(rows)


@pytest.mark.parametrize("kind", ["csv", "npz", "parquet", "images"])
def test_rows_on_disk_are_the_rows_in_memory(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Segments of 7 rows: types, chunks and root must come out as from the whole file."""
    monkeypatch.setattr("executor.spool.SEGMENT", 7)
    rng = np.random.default_rng(1)
    count = 40
    x, n = rng.standard_normal((count, 3)).astype(np.float32), rng.integers(-5, 5, count)
    n[33] = 70_000
    words = [f"w{i % 4}" for i in range(count)]
    reading = Reading(shapes={"x": (3, 1)}, classes={"w": ("w0", "w1", "w2", "w3")})
    path = tmp_path / f"rows.{kind}"
    if kind == "csv":
        lines = [
            f"{a},{b},{c},{k},{w}" for (a, b, c), k, w in zip(x.tolist(), n.tolist(), words, strict=True)
        ]
        path.write_text("x[0],x[1],x[2],n,w\n" + "\n".join(lines) + "\n")
    elif kind == "npz":
        np.savez_compressed(tmp_path / "rows", x=np.asfortranarray(x), n=n, w=np.array(words))
    elif kind == "parquet":
        pq.write_table(pa.table({"x": x.tolist(), "n": n, "w": words}), path, row_group_size=11)
    else:
        path, reading = folder_of_images(tmp_path / "pets"), Reading(shapes={"image": (3, 4, 6)})
    for secret in (None, bytes(32)):
        table = read_table(path, reading.shapes, reading.dtypes, reading.fill, reading.classes)
        whole = MemoryRows(table.schema(5), table.columns, secret)
        assert everything(spooled(path, reading, secret, 5)) == everything(whole)


def test_a_csv_column_has_one_type_whatever_its_parts_look_like(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("executor.spool.SEGMENT", 2)
    path = tmp_path / "rows.csv"
    path.write_text("a,b,c,d\n1,true,1,-1\n2,false,2,2\n0.5,1,x,300\n4,0,3,4\n")
    table = read_table(path)
    assert everything(spooled(path, Reading())) == everything(MemoryRows(table.schema(), table.columns))


LARGE = """
import json, resource, sys
import numpy as np
from pathlib import Path
from executor.readers import Reading
from executor.spool import spooled
rows = spooled(Path(sys.argv[1]), Reading())
print(json.dumps([rows.root.hex(), rows.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
"""


def test_memory_stays_bounded_however_large_the_file(tmp_path: Path) -> None:
    """200 MB of rows under a limit of data memory that could not hold them."""
    path = tmp_path / "rows.npz"
    rows = 50_000
    np.savez(path, x=np.arange(rows * 1000, dtype=np.float32).reshape(rows, 1000), y=np.arange(rows))

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (700 << 20, 700 << 20))

    done = subprocess.run(
        [sys.executable, "-c", LARGE, str(path)], capture_output=True, text=True, check=True, cwd=ROOT,
        preexec_fn=limit, timeout=120,
    )  # fmt: skip
    _, count, peak = json.loads(done.stdout)
    assert count == rows and peak < 400_000, f"{peak} KiB"


def test_small_files_stay_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a\n1\n2\n")
    assert isinstance(rows_of(path, Reading()), MemoryRows)
    monkeypatch.setattr("executor.spool.RESIDENT_FILE", 1)
    assert isinstance(rows_of(path, Reading()), SpooledRows)


def test_columns_are_joined(tmp_path: Path) -> None:
    """A table as people have it, each feature with a name of its own."""
    path = tmp_path / "rows.csv"
    path.write_text("age,kind,height,flag,label\n1,a,0.5,true,0\n2,b,1.5,false,1\n")
    joins = {"x": ("height", "a*")}
    (table,) = segments(path, Reading(joins=joins))
    assert list(table.columns) == ["kind", "x", "flag", "label"]
    assert table.dtypes["x"] is Dtype.F32
    assert table.columns["x"].tolist() == [[0.5, 1.0], [1.5, 2.0]]
    classes = {"kind": ("a", "b")}
    everything = Reading(
        joins={"x": ("*",)}, apart=frozenset({"label"}), classes=classes, shapes={"x": (2, 2)}
    )
    (table,) = segments(path, everything)
    assert table.columns["x"].tolist() == [[[1, 0], [0.5, 1]], [[2, 1], [1.5, 0]]]
    assert list(table.columns) == ["x", "label"]
    for joins, text in (
        ({"x": ("weight",)}, "nothing to join for 'weight': there are age, kind"),
        ({"x": ("kind", "age")}, "'kind' is not one number a row"),
        ({"label": ("age",)}, "would hide the column"),
    ):
        with pytest.raises(BadTable, match=text):
            list(segments(path, Reading(joins=joins)))


def test_joined_columns_do_not_depend_on_segments(tmp_path: Path) -> None:
    """A column is whole-numbered for a while: it is float32 all the same."""
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n" + "".join(f"{n},{n if n < 6 else n + 0.5}\n" for n in range(9)))
    (whole,) = segments(path, Reading(joins={"x": ("a", "b")}))
    parts = list(segments(path, Reading(joins={"x": ("a", "b")}, segment=2)))
    assert len(parts) > 1
    np.testing.assert_array_equal(np.concatenate([part.columns["x"] for part in parts]), whole.columns["x"])


def test_joined_columns_on_disk_have_the_same_root(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,b,c\n" + "".join(f"{n},{'uv'[n % 2]},{n / 4}\n" for n in range(300)))
    reading = Reading(
        joins={"x": ("*",)}, apart=frozenset("c"), classes={"b": ("u", "v")}, shapes={"x": (2, 1)}
    )
    held = rows_of(path, reading)
    assert spooled(path, reading).root == held.root
