"""`gristmill benchmark machine`: this machine against the one that the runtime's weights were measured on.

A node whose machine is slower than the reference may not keep up with full blocks. Each score is a rate,
bigger is better, the best of several runs in processor time, or, for the disk, in time on the wall.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from rich.console import Console
from rich.table import Table

from frame.benchmarking.machine import describe_machine
from frame.benchmarking.reference import Reference, loop_ns
from frame.benchmarking.stopwatch import nanoseconds, steady
from node.benchmark.errors import BenchmarkError
from node.benchmark.figures import write_file
from primitives.hashing import blake2_256
from primitives.keys import Keypair, verify
from primitives.scale import U32, codec

REPEAT = 5
TOLERANCE = 10
"""Percent below the reference that still pass, as in Substrate."""
MIB = 1 << 20
RECORD = "data/reference_machine.json"
LOOP = "Reference loop"
"""The score whose recorded value makes timings reference time."""
LOOPS = 2_000


@dataclass(frozen=True)
class Score:
    """One rate, and what it counts a second."""

    name: str
    unit: str
    value: float


def configure(parser: ArgumentParser) -> None:
    """How strict, and whether to become the reference."""
    add = parser.add_argument
    add(
        "--repeat",
        type=int,
        default=REPEAT,
        help="the best of so many runs, or four times as many (default: %(default)s)",
    )
    add("--tolerance", type=float, default=TOLERANCE, metavar="PERCENT", help="below the reference: 10")
    add("--allow-fail", action="store_true", help="exit with 0 even when it is too slow")
    add("--base-path", type=Path, metavar="FOLDER", help="where the disk is measured (default: temporary)")
    add("--record", nargs="?", type=Path, const=_record_file(), metavar="FILE",
        help="write the scores as the reference, and stop")  # fmt: skip
    add("--reference", type=Path, metavar="FILE", help="another reference than the recorded one")
    add("--json", action="store_true", help="print JSON")


def run(arguments: Namespace) -> int:
    """Measure and compare; 1 when a score is too low."""
    if arguments.repeat < 1 or not 0 <= arguments.tolerance < 100:
        raise BenchmarkError("--repeat is at least 1, --tolerance a percentage")
    reference = {} if arguments.record else read_reference(arguments.reference)
    scores = list(measure(arguments.repeat, arguments.base_path))
    if arguments.record:
        data = {"machine": describe_machine()[0], "scores": {s.name: round(s.value, 3) for s in scores}}
        write_file(arguments.record, json.dumps(data, indent=2) + "\n")
        return 0
    rows = [
        (s, reference.get(s.name), _passes(s, reference.get(s.name), arguments.tolerance)) for s in scores
    ]
    if arguments.json:
        data_rows = [
            {"name": s.name, "unit": s.unit, "score": round(s.value, 3), "reference": r, "passes": ok}
            for s, r, ok in rows
        ]
        print(json.dumps(data_rows, indent=2))
    else:
        table = Table("function", "score", "reference", "share", "result", title=describe_machine()[0])
        for s, r, ok in rows:
            share = "–" if r is None else f"{100 * s.value / r:.0f} %"
            known = "–" if r is None else f"{r:,.1f} {s.unit}"
            table.add_row(s.name, f"{s.value:,.1f} {s.unit}", known, share, "✅ Pass" if ok else "❌ Fail")
        Console(width=None if sys.stdout.isatty() else 110).print(table)
        passed = sum(ok for _, _, ok in rows)
        print(f"From {len(rows)} benchmarks in total, {passed} passed and {len(rows) - passed} failed.")
    return 0 if arguments.allow_fail or all(ok for _, _, ok in rows) else 1


def _passes(score: Score, reference: float | None, tolerance: float) -> bool:
    return reference is None or score.value >= reference * (100 - tolerance) / 100


def _record_file() -> Path:
    return Path(str(files("node.benchmark").joinpath(RECORD)))


def read_reference(path: Path | None) -> Mapping[str, float]:
    """Scores by name. BenchmarkError when the file is none."""
    try:
        found = json.loads((path or _record_file()).read_text(encoding="utf-8"))
        return {str(name): float(value) for name, value in found["scores"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BenchmarkError(f"{path or _record_file()} is no reference: {error}") from None


def measure(repeat: int, folder: Path | None) -> Iterator[Score]:
    """All scores."""
    tries = 4 * repeat  # of the processor, which is quick to ask and often disturbed
    with steady():
        data = os.urandom(MIB)
        yield Score("BLAKE2-256", "MiB/s", 16 * _best(tries, lambda: _times(16, lambda: blake2_256(data))))
        yield Score("SR25519 verify", "1/s", 100 * _best(tries, _verify()))
        block = bytearray(64 * MIB)
        yield Score("Copy", "MiB/s", 64 * _best(tries, lambda: bytes(block)))
        numbers = codec(list[U32])
        raw = numbers.encode(list(range(10_000)))
        yield Score("SCALE decode", "million numbers/s", _best(tries, lambda: numbers.decode(raw)) / 100)
        yield Score(LOOP, "1/s", 1e9 / quiet_loop_ns())
        yield Score("Python calls", "million/s", 0.1 * _best(tries, lambda: _times(100_000, _nothing)))
    with tempfile.TemporaryDirectory(prefix="gristmill-machine-", dir=folder) as path:
        file = Path(path) / "data"
        yield Score(
            "Disk, sequential writes", "MiB/s", 64 * _wall(repeat, lambda: _write(file, bytes(block)))
        )
        yield Score("Disk, synced small writes", "1/s", 20 * _wall(repeat, lambda: _synced(file, 20)))


def quiet_loop_ns() -> int:
    """Nanoseconds of the reference loop while nothing else slows the processor: the tenth percentile of
    many looks.
    """
    return sorted(loop_ns() for _ in range(LOOPS))[LOOPS // 10]


def recorded_reference(normalise: bool = True) -> Reference:
    """What makes timings those of the recorded machine; one that corrects nothing without `normalise`.

    BenchmarkError when the machine was recorded before there was the loop.
    """
    if not normalise:
        return Reference()
    loops = read_reference(None).get(LOOP)
    if not loops:
        raise BenchmarkError(
            "the recorded machine has no reference loop: run `gristmill benchmark machine --record` "
            "on a quiet machine, or give --no-normalise"
        )
    return Reference(round(1e9 / loops))


def add_normalise(parser: ArgumentParser) -> None:
    """The flag of all kinds that take times."""
    parser.add_argument(
        "--no-normalise",
        dest="normalise",
        action="store_false",
        help="leave timings as they are, uncorrected for this machine's present speed",
    )


def _best(repeat: int, work: Callable[[], object]) -> float:
    """Runs a second, the best of some."""
    return 1e9 / max(min(nanoseconds(work) for _ in range(repeat)), 1)


def _wall(repeat: int, work: Callable[[], object]) -> float:
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return 1 / min(times)


def _verify() -> Callable[[], None]:
    key = Keypair.from_uri("//Alice")
    signature = key.sign(b"message")

    def work() -> None:
        for _ in range(100):
            verify(key.scheme, signature, b"message", key.public)

    return work


def _times(count: int, work: Callable[[], object]) -> None:
    for _ in range(count):
        work()


def _nothing() -> None:
    """As quick as a call is."""


def _write(file: Path, data: bytes) -> None:
    with file.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())


def _synced(file: Path, count: int) -> None:
    with file.open("ab") as out:
        for _ in range(count):
            out.write(bytes(4096))
            out.flush()
            os.fsync(out.fileno())
