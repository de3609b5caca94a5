"""The scan finds one planted row in every encoding, and nothing in innocent bytes."""

import base64
from pathlib import Path

import numpy as np
import pytest

from client.leak_scan import LeakScan
from executor.readers import read_table

ROWS = 40


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of 8×8 images with values 0..16 and a label; row 7 is blank."""
    values = np.random.default_rng(1).integers(0, 17, (ROWS, 64))
    values[7] = 0
    path = tmp_path_factory.mktemp("rows") / "digits.csv"
    header = ",".join([*(f"pixels[{i}]" for i in range(64)), "label"])
    lines = [",".join(map(str, [*row, i % 10])) for i, row in enumerate(values)]
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def scan_of(source: Path) -> LeakScan:
    return LeakScan(read_table(source), source, {"pixels": (0.0, 0.0625)})


def plant(source: Path, encoding: str, row: int) -> bytes:
    line = source.read_text().splitlines()[1 + row]
    pixels = np.array(line.split(",")[:-1], dtype=np.float64)
    u8 = pixels.astype(np.uint8).tobytes()
    forms = {
        "source": line.encode(),
        "csv": ",".join(str(int(x)) for x in pixels).encode(),
        "u8": u8,
        "f32": pixels.astype("<f4").tobytes(),
        "f64": pixels.astype("<f8").tobytes(),
        "normalised": (pixels.astype("<f4") * np.float32(0.0625)).tobytes(),
        "hex": u8.hex().encode(),
        "hex upper": pixels.astype("<f4").tobytes().hex().upper().encode(),
        "hex odd": b"a" + u8.hex().encode(),
        **{f"base64 {k}": base64.b64encode(b"x" * k + u8 + b"tail") for k in range(3)},
        "base64 url": base64.urlsafe_b64encode(pixels.astype("<f8").tobytes()),
        "base64 lines": base64.encodebytes(b"!" + pixels.astype("<f4").tobytes()),
        "base64 source": base64.b64encode(line.encode()),
        "hex of base64": base64.b64encode(u8).hex().encode(),
    }
    return forms[encoding]


ENCODINGS = [
    "source", "csv", "u8", "f32", "f64", "normalised", "hex", "hex upper", "hex odd", "base64 0", "base64 1",
    "base64 2", "base64 url", "base64 lines", "base64 source", "hex of base64",
]  # fmt: skip


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_one_planted_row_is_found(source: Path, encoding: str) -> None:
    noise = np.random.default_rng(2).integers(0, 256, 300_000, dtype=np.uint8).tobytes()
    scan = scan_of(source)
    scan.bytes("weights", noise[:100_001] + b" " + plant(source, encoding, 13) + b" " + noise[100_001:])
    report = scan.report()
    assert report.rows_leaked == 1
    assert {hit.row for hit in report.hits} == {13}
    assert report.hits[0].where.startswith("weights")


def test_a_row_across_two_blocks_is_found(source: Path) -> None:
    row = plant(source, "f32", 3)
    scan = scan_of(source)
    scan.bytes("big", b"\1" * ((1 << 20) - 100) + row + b"\2" * 500)
    assert scan.report().rows_leaked == 1


def test_innocent_bytes_have_no_finds(source: Path) -> None:
    scan = scan_of(source)
    random = np.random.default_rng(3)
    scan.bytes("random", random.integers(0, 256, 500_000, dtype=np.uint8).tobytes())
    scan.bytes("zeros", bytes(500_000))
    scan.bytes("text", b"0,0,0,0,0,0,0,0," * 10_000)
    scan.bytes("weights", random.normal(size=50_000).astype("<f4").tobytes())
    scan.bytes("short", b"abc")
    scan.bytes("empty", b"")
    report = scan.report()
    assert report.rows_leaked == 0 and report.hits == []
    assert report.items == 6 and report.bytes_scanned > 1_000_000


def test_blank_rows_are_not_searched_for_and_the_report_says_so(source: Path) -> None:
    report = scan_of(source).report()
    assert report.rows == ROWS
    assert report.rows_searched == ROWS - 1


def test_files_and_their_names_are_searched(source: Path, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "log.txt").write_bytes(b"x" + plant(source, "csv", 5))
    (tmp_path / plant(source, "hex", 6).decode()).write_text("nothing inside")
    scan = scan_of(source)
    scan.tree(tmp_path)
    assert {hit.row for hit in scan.report().hits} == {5, 6}


def test_tables_of_scalars_are_searched_as_whole_rows(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("age,weight,height,pulse\n41,70.5, 1.83,61.25\n29,58.25,1.66,77.125\n")
    scan = LeakScan(read_table(path), path)
    scan.bytes("floats", np.array([29, 58.25, 1.66, 77.125], dtype="<f4").tobytes())
    assert {(hit.row, hit.encoding) for hit in scan.report().hits} == {(1, "f32 of the row")}
    scan.bytes("line", b"...41,70.5, 1.83,61.25...")
    assert (0, "source bytes") in {(hit.row, hit.encoding) for hit in scan.report().hits}
    scan.bytes("text", b"[41,70.5,1.83,61.25]")
    assert (0, "CSV text of the row") in {(hit.row, hit.encoding) for hit in scan.report().hits}
