"""A byte scan for private rows in whatever left a provider. It is a search, not a proof of privacy.

What is searched for: of every row, its source line, its values as CSV text, and its values as u8, f32 and f64
(little endian; also f32 after an input's affine map, which is what a model sees). A table with vector columns
is searched for each vector of at least 8 elements, with or without the rest of the row; other tables for
whole rows.

Where: in the bytes themselves, and in every run of hexadecimal or base64 characters (standard and URL
alphabet, line breaks allowed) after decoding it at both parities or all four alignments, two levels deep: a
row in a hex dump inside a base64 text is found.

What is not searched for: forms under 16 bytes and rows with fewer than 4 different values (a blank image),
because they occur by chance in innocent bytes. The report says how many rows had a searchable form.
Compression, encryption, rounding or reordering hides a row from this scan.

How: every form contributes its most varied 16 bytes as an anchor; a hash of all 16-byte windows is looked up
in one table of anchors, and matches are compared in full. About 20 ms a MB and level.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from executor.readers import Table

ANCHOR = 16
VECTOR_MIN = 8
DISTINCT_MIN = 4
RUN_MIN = 24
"""Shortest run of hexadecimal or base64 characters that is decoded: an anchor's worth."""
BLOCK = 1 << 20
DEPTH = 2
HITS_MAX = 1000
SLOT_BITS = 22

HEX_RUN = re.compile(rb"[0-9a-fA-F]{%d,}" % RUN_MIN)
BASE64_RUN = re.compile(rb"[A-Za-z0-9+/_\-\r\n]{%d,}" % RUN_MIN)
STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")

Numbers = NDArray[np.float64]
Hashes = NDArray[np.uint64]
Data = bytes
"""The built-in type, under a name that the method `LeakScan.bytes` does not hide."""
MULTIPLIER_LOW = np.uint64(0x9E3779B97F4A7C15)
MULTIPLIER_HIGH = np.uint64(0xC2B2AE3D27D4EB4F)


@dataclass(frozen=True)
class Form:
    """One way of writing one row, and where in it the anchor starts."""

    row: int
    encoding: str
    pattern: bytes
    anchor: int


@dataclass(frozen=True)
class Hit:
    """A row found: its number, its form, the item, and the byte (of the decoded run, if any)."""

    row: int
    encoding: str
    where: str
    offset: int


@dataclass(frozen=True)
class Report:
    """The outcome. `rows_leaked` counts different rows; `hits` shows the first thousand finds."""

    rows: int
    rows_searched: int
    items: int
    bytes_scanned: int
    rows_leaked: int
    hits: list[Hit]


class LeakScan:
    """Searches any number of items for the rows of one table."""

    def __init__(
        self,
        table: Table,
        source: Path | None = None,
        affines: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        self._rows = table.rows
        forms = list(_forms(table, source, affines or {}))
        self._searched = len({form.row for form in forms})
        self._by_hash: dict[int, list[Form]] = {}
        for form in forms:
            window = form.pattern[form.anchor : form.anchor + ANCHOR]
            self._by_hash.setdefault(int(_hashes(window)[0]), []).append(form)
        self._slots = np.zeros(1 << SLOT_BITS, dtype=bool)
        self._slots[_slot(np.array(list(self._by_hash), dtype=np.uint64))] = True
        self._longest = max((len(form.pattern) for form in forms), default=ANCHOR)
        self._leaked: set[int] = set()
        self._hits: list[Hit] = []
        self._items = 0
        self._bytes = 0

    def bytes(self, name: str, data: Data) -> int:
        """Search one item; how many finds it had."""
        self._items += 1
        self._bytes += len(data)
        return self._search(name, data, DEPTH)

    def file(self, path: Path) -> int:
        """Search a file's bytes and its name."""
        return self.bytes(str(path), path.read_bytes()) + self._search(
            f"name of {path}", path.name.encode(), 1
        )

    def tree(self, directory: Path) -> int:
        """Search every file below a directory."""
        return sum(self.file(path) for path in sorted(directory.rglob("*")) if path.is_file())

    def report(self) -> Report:
        """What was found so far."""
        return Report(
            rows=self._rows,
            rows_searched=self._searched,
            items=self._items,
            bytes_scanned=self._bytes,
            rows_leaked=len(self._leaked),
            hits=list(self._hits),
        )

    def _search(self, name: str, data: Data, depth: int) -> int:
        found = self._search_raw(name, data)
        if depth:
            for how, decoded in _decoded(data):
                found += self._search(f"{name} ({how})", decoded, depth - 1)
        return found

    def _search_raw(self, name: str, data: Data) -> int:
        found = 0
        for start in range(0, max(1, len(data) - ANCHOR + 1), BLOCK):
            hashes = _hashes(data[start : start + BLOCK + ANCHOR - 1])
            likely = np.flatnonzero(self._slots[_slot(hashes)])
            for position in likely.tolist():
                at = start + position
                for form in self._by_hash.get(int(hashes[position]), ()):
                    begin = at - form.anchor
                    if begin >= 0 and data.startswith(form.pattern, begin):
                        found += self._note(Hit(form.row, form.encoding, name, begin))
        return found

    def _note(self, hit: Hit) -> int:
        self._leaked.add(hit.row)
        if len(self._hits) < HITS_MAX:
            self._hits.append(hit)
        return 1


# --- what a row looks like


def _forms(table: Table, source: Path | None, affines: Mapping[str, tuple[float, float]]) -> Iterator[Form]:
    for name, values in _vectors(table):
        varied = np.array([len(np.unique(row)) >= DISTINCT_MIN for row in values], dtype=bool)
        for encoding, patterns in _encodings(values, affines.get(name)):
            for row in np.flatnonzero(varied).tolist():
                yield from _form(row, f"{encoding} of {name}", patterns[row])
    for row, line in enumerate(_lines(source)):
        if len(set(line.split(b","))) >= DISTINCT_MIN:
            yield from _form(row, "source bytes", line)


def _vectors(table: Table) -> Iterator[tuple[str, Numbers]]:
    """(name, values of shape (rows, n)) of each vector column, or of the whole row where there is none."""
    numeric = {
        name: array.reshape(table.rows, -1).astype(np.float64)
        for name, array in table.columns.items()
        if array.dtype.kind in "biuf"
    }
    wide = {name: array for name, array in numeric.items() if array.shape[1] >= VECTOR_MIN}
    if wide:
        yield from wide.items()
    elif numeric:
        yield "the row", np.concatenate(list(numeric.values()), axis=1)


def _encodings(values: Numbers, affine: tuple[float, float] | None) -> Iterator[tuple[str, list[bytes]]]:
    whole = np.equal(np.floor(values), values)
    if whole.all() and values.min() >= 0 and values.max() <= 255:
        yield "u8", [row.tobytes() for row in values.astype(np.uint8)]
    with np.errstate(over="ignore"):
        yield "f32", [row.tobytes() for row in values.astype("<f4")]
        if affine is not None:
            mean, scale = np.float32(affine[0]), np.float32(affine[1])
            mapped = (values.astype("<f4") - mean) * scale
            yield "f32 after the affine map", [row.tobytes() for row in mapped]
    yield "f64", [row.tobytes() for row in values.astype("<f8")]
    yield "CSV text", [",".join(map(_text, row.tolist())).encode() for row in values]


def _text(value: float) -> str:
    """A number as people write it: no point in whole ones, others as short as float32 allows."""
    if value.is_integer():
        return str(int(value))
    short = str(np.float32(value))
    return short if float(np.float32(value)) == value else repr(value)


def _lines(source: Path | None) -> list[bytes]:
    """The data lines of a CSV file, without line ends; nothing for other files."""
    if source is None or source.suffix.lower() != ".csv":
        return []
    return [line.strip() for line in source.read_bytes().splitlines()[1:] if line.strip()]


def _form(row: int, encoding: str, pattern: bytes) -> Iterator[Form]:
    if len(pattern) >= ANCHOR:
        yield Form(row, encoding, pattern, _most_varied(pattern))


def _most_varied(pattern: bytes) -> int:
    """Where the 16 bytes with the most different values start."""
    windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(pattern, dtype=np.uint8), ANCHOR)
    ordered = np.sort(windows, axis=1)
    return int(np.argmax((ordered[:, 1:] != ordered[:, :-1]).sum(axis=1)))


# --- windows and runs


def _hashes(data: bytes) -> Hashes:
    """A 64-bit hash of every 16-byte window; empty for shorter data."""
    count = len(data) - 7
    if count < ANCHOR - 7:
        return np.empty(0, dtype=np.uint64)
    words = np.empty(count, dtype=np.uint64)
    for shift in range(8):
        whole = (len(data) - shift) // 8
        words[shift::8] = np.frombuffer(data, dtype="<u8", count=whole, offset=shift)
    return words[:-8] * MULTIPLIER_LOW ^ (words[8:] * MULTIPLIER_HIGH >> np.uint64(3))


def _slot(hashes: Hashes) -> NDArray[np.intp]:
    return (hashes >> np.uint64(64 - SLOT_BITS)).astype(np.intp)


def _decoded(data: bytes) -> Iterator[tuple[str, bytes]]:
    for match in HEX_RUN.finditer(data):
        run = match[0]
        for parity in (0, 1):
            even = len(run) - parity & ~1
            yield "hex", binascii.unhexlify(run[parity : parity + even])
    for match in BASE64_RUN.finditer(data):
        run = match[0].translate(STANDARD_ALPHABET, b"\r\n")
        for alignment in range(4):
            yield "base64", _unpadded(run[alignment:])


def _unpadded(run: bytes) -> bytes:
    """Decode base64 characters whose padding is missing; a single last character carries no byte."""
    rest = len(run) % 4
    return base64.b64decode(run[:-1] if rest == 1 else run + b"=" * (-rest % 4))
