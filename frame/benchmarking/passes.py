"""Running benchmarks: a database pass that records reads, writes and proofs, and passes that take the time.

The set-up of a point is run once and becomes the state that the measured code reads. Repeats are interleaved:
each round measures every point of every benchmark once, so that a slow spell of the machine falls on all
alike. Before each timing the code runs once, undone, and then values and keys that storage items remember are
forgotten: code is warm as in a running node, state is not. Each timing stands between two looks at the speed
of the machine (`reference.py`) and is corrected by them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from frame.backend import Backend, Delta, MemoryBackend
from frame.benchmarking.bench import Bench, Benchmark, Dispatched, Measured
from frame.benchmarking.proof import max_size, proof_size, recorded_proof
from frame.benchmarking.reference import Reference
from frame.benchmarking.stopwatch import OVERHEAD, nanoseconds, steady
from frame.errors import DispatchError
from frame.host import PlainHost
from frame.machine import Trap
from frame.pallet import Pallet
from frame.rocksdb_weights import LONGEST_FREE, READ_BYTE, WRITE_BYTE
from frame.testing import Externalities
from primitives.hashing import twox_128

_WHITELIST = tuple(
    twox_128(pallet) + twox_128(item)
    for pallet, item in (
        (b"System", b"Number"),
        (b"System", b"ExecutionPhase"),
        (b"System", b"EventCount"),
        (b"System", b"Events"),
        (b"System", b"BlockWeight"),
        (b"Balances", b"TotalIssuance"),
    )
)
"""Values that every block touches anyway: not counted, as in Substrate."""


class BenchmarkFailed(Exception):
    """A benchmark did not do what it says; the text names it and the point where it happened."""


LONG = 5_000_000
"""Nanoseconds from which a run is long."""
TRIES = 3
"""Runs of which a short one counts with its quickest."""
ALONE = 5
"""Timings in each round of a benchmark without components, whose one point has no others to lean on."""
RETAKES = 2
"""Times that a timing is taken at most, when the machine's speed changes meanwhile."""


@dataclass(frozen=True)
class StorageUse:
    """How a call uses one storage item."""

    name: str
    reads: int
    writes: int
    max_size: int | None
    """Bytes of the largest entry, key included; None when the type has no bound."""
    proof: int
    """Bytes of proof that all reads may need at most."""


@dataclass(frozen=True)
class Sample:
    """One point: the component values, the times taken there in nanoseconds, the storage used."""

    components: Mapping[str, int]
    times: tuple[int, ...]
    storage: tuple[StorageUse, ...]
    recorded: int = 0
    """Bytes of the proof of its reads in the state it ran on."""
    long_read: int = 0
    """Bytes read beyond the `LONGEST_FREE` of each value."""
    long_written: int = 0
    """Bytes written beyond that; a call's own bytes and what it gives to the host count too."""
    speeds: tuple[float, ...] = ()
    """What each of `times` was multiplied with to become reference time; empty when nothing was corrected."""

    @property
    def moving(self) -> int:
        """Picoseconds that the database takes for long values, which a count of keys does not cover."""
        return self.long_read * READ_BYTE + self.long_written * WRITE_BYTE

    @property
    def reads(self) -> int:
        """Distinct keys read."""
        return sum(use.reads for use in self.storage)

    @property
    def writes(self) -> int:
        """Distinct keys written."""
        return sum(use.writes for use in self.storage)

    @property
    def proof(self) -> int:
        """Bytes of proof at most."""
        return sum(use.proof for use in self.storage)


@dataclass(frozen=True)
class Measurement:
    """All points of one benchmark. `folder` names the pallet's folder, `pallet` its name in the runtime."""

    pallet: str
    benchmark: Benchmark
    samples: tuple[Sample, ...]
    docs: str = ""
    folder: str = ""


@dataclass
class Recorder:
    """A backend that notes which keys are read."""

    backend: Backend
    read: dict[bytes, int] = field(default_factory=dict)
    """Key → length of the value."""

    def get(self, key: bytes, child: bytes | None = None) -> bytes | None:
        """The value, noted."""
        value = self.backend.get(key, child)
        if child is None:
            self.read[key] = len(value or b"")
        return value

    def next_key(self, key: bytes, child: bytes | None = None) -> bytes | None:
        """The next key, which counts as read."""
        found = self.backend.next_key(key, child)
        if found is not None and child is None:
            self.read.setdefault(found, 0)
        return found

    def root(self, delta: Delta, version: int) -> bytes:
        """The root, not noted."""
        return self.backend.root(delta, version)


@dataclass(frozen=True)
class Task:
    """A benchmark to be run: its pallet, and how a fresh chain is made."""

    make: Callable[[], Externalities]
    kind: type[Pallet[Any]]
    benchmark: Benchmark
    folder: str = ""

    @property
    def name(self) -> str:
        """`pallet::benchmark`."""
        return f"{self.folder or self.kind.__name__}::{self.benchmark.name}"


class Point:
    """One benchmark set up at one point: its state, and the code to be measured on it."""

    def __init__(self, task: Task, components: Mapping[str, int], seed: int = 0, verify: bool = True) -> None:
        """Sets up and runs the code once, for the database and, with `verify`, for the benchmark's checks.

        BenchmarkFailed when either goes wrong.
        """
        self.task = task
        self.components = components
        self.ext = task.make()
        self.times: list[int] = []
        self.speeds: list[float] = []
        self.pallet = self.ext.pallet(task.kind)
        with self._explained():
            run = task.benchmark.function(Bench(self.ext, self.pallet, seed), **components)
            self.thunk: Measured = next(run)
            # After the set-up the changes move into the backend, so that the measured code reads them there.
            self.ext.clear_events()
            self.backend = self.ext.backend.after(self.ext.overlay.delta())
            self._database_pass()
            if verify:
                self._verify(run)

    def _database_pass(self) -> None:
        recorder = Recorder(self.backend)
        self.ext.overlay.reset(recorder)
        given = len(self.blobs)
        self.thunk()
        read = dict(recorder.read)  # before the delta asks what was there
        written = self.ext.overlay.delta().top
        self.long_read = sum(_beyond(length) for key, length in read.items() if not _is_free(key))
        bodies = [len(data) for _, _, data in self.blobs[given:]]
        if isinstance(self.thunk, Dispatched):
            bodies.append(len(self.thunk.raw))
        values = [len(value or b"") for key, value in written.items() if not _is_free(key)]
        self.long_written = sum(_beyond(length) for length in (*values, *bodies))
        self.storage = tuple(_uses(self.ext, read, list(written)))
        self.recorded = recorded_proof(self.backend, [key for key in read if not _is_free(key)])

    @property
    def blobs(self) -> list[tuple[bytes, int, bytes]]:
        """What was given to the host."""
        host = self.ext.host
        return host.blobs if isinstance(host, PlainHost) else []

    def _verify(self, run: Iterator[Measured]) -> None:
        for _ in run:
            raise BenchmarkFailed(f"{self.where}: a benchmark yields exactly once")

    def time(self, reference: Reference) -> None:
        """Measure once more: after a run that warms up, the quickest of a few, so that a processor cache
        which others have emptied counts little. Long runs hardly feel that, and are timed once.
        """
        for _ in range(RETAKES):
            if not self.times or self.times[-1] < LONG:
                self.ext.overlay.reset(self.backend)
                self.thunk()
            before = reference.speed()
            taken = self._once()
            if taken < LONG:
                taken = min([taken, *(self._once() for _ in range(TRIES - 1))])
            after = reference.speed()
            if reference.steady(before, after):
                break
        speed = reference.between(before, after)
        if reference.recorded is not None:
            self.speeds.append(speed)
        self.times.append(max(round((taken - OVERHEAD) * speed), 1))

    def _once(self) -> int:
        self.ext.overlay.reset(self.backend)
        self.ext.machine.forget_values()
        return nanoseconds(self._run)

    def _run(self) -> None:
        self.thunk()
        self.ext.overlay.delta()  # values stay decoded until a block ends: encoding them is the call's doing

    def sample(self) -> Sample:
        """What was found."""
        return Sample(
            self.components,
            tuple(self.times),
            self.storage,
            self.recorded,
            self.long_read,
            self.long_written,
            tuple(self.speeds),
        )

    @property
    def where(self) -> str:
        """`pallet::benchmark(n = 5)`."""
        values = ", ".join(f"{name} = {value}" for name, value in self.components.items())
        return f"{self.task.name}({values})"

    def _explained(self) -> _Explained:
        return _Explained(self)


class _Explained:
    """Turns whatever a benchmark raises into a BenchmarkFailed that says where."""

    def __init__(self, point: Point) -> None:
        self._point = point

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None or not isinstance(error, Exception) or isinstance(error, BenchmarkFailed):
            return
        where = self._point.where
        if isinstance(error, AssertionError):
            text = f"its own check failed{f': {error}' if str(error) else ''}"
        elif isinstance(error, DispatchError):
            text = f"the call failed with {error.name}"
        elif isinstance(error, StopIteration):
            text = "a benchmark yields exactly once"
        elif isinstance(error, Trap):
            text = str(error)
        else:
            text = f"{type(error).__name__}: {error}"
        raise BenchmarkFailed(f"{where}: {text}") from error


def run_all(
    tasks: Sequence[Task],
    *,
    steps: int,
    repeat: int,
    seed: int = 0,
    verify: bool = True,
    progress: Callable[[str], None] = lambda name: None,
    reference: Reference | None = None,
) -> list[Measurement]:
    """Run benchmarks at all their points: once for the database, `repeat` times for the time, which
    `reference` corrects. A benchmark without components is timed `ALONE` times as often.

    `progress` hears the name of a benchmark after each of its runs, the database pass included. Raises
    BenchmarkFailed.
    """
    reference = reference or Reference()
    points: list[list[Point]] = []
    for task in tasks:
        points.append([])
        for components in task.benchmark.points(steps):
            points[-1].append(Point(task, components, seed, verify))
            progress(task.name)
    with steady():
        for _ in range(repeat):
            for group in points:
                for point in group:
                    for _ in range(ALONE if len(group) == 1 else 1):
                        point.time(reference)
                    progress(point.task.name)
    return [
        Measurement(
            group[0].pallet.name,
            task.benchmark,
            tuple(point.sample() for point in group),
            (task.benchmark.function.__doc__ or "").strip(),
            task.folder,
        )
        for task, group in zip(tasks, points, strict=True)
    ]


def measure(
    make: Callable[[], Externalities],
    kind: type[Pallet[Any]],
    benchmark: Benchmark,
    *,
    steps: int,
    repeat: int,
    progress: Callable[[], None] = lambda: None,
    seed: int = 0,
    verify: bool = True,
) -> Measurement:
    """Run one benchmark; see `run_all`."""
    (found,) = run_all(
        [Task(make, kind, benchmark)],
        steps=steps,
        repeat=repeat,
        seed=seed,
        verify=verify,
        progress=lambda name: progress(),
    )
    return found


def check_edges(make: Callable[[], Externalities], kind: type[Pallet[Any]], benchmark: Benchmark) -> None:
    """Run a benchmark, verification and all, where its components are lowest and highest: a unit test of
    the call. BenchmarkFailed.
    """
    for components in benchmark.edges():
        Point(Task(make, kind, benchmark), components)


OUTSIDE = b""
"""Stands for the prefix of keys that belong to no storage item: raw ones, which only root writes."""


def _beyond(length: int) -> int:
    return max(length - LONGEST_FREE, 0)


def _is_free(key: bytes) -> bool:
    return key[:32] in _WHITELIST or key.startswith(b":")


def _uses(ext: Externalities, read: Mapping[bytes, int], written: Sequence[bytes]) -> Iterator[StorageUse]:
    items = {
        item.prefix(pallet): (f"{pallet.name}::{item.name}", item)
        for pallet in ext.machine.pallets
        for item in pallet.declaration.storage
    }
    touched: dict[bytes, tuple[list[bytes], list[bytes]]] = {}
    for place, keys in enumerate((list(read), written)):
        for key in keys:
            prefix = key[:32] if key[:32] in items else OUTSIDE
            if not _is_free(key):
                touched.setdefault(prefix, ([], []))[place].append(key)
    for prefix in sorted(touched, key=lambda prefix: items[prefix][0] if prefix in items else "~"):
        reads, writes = touched[prefix]
        name, item = items.get(prefix, ("keys of no item", None))
        size = None if item is None else max_size(item)
        largest = size if size is not None else max((read[key] + len(key) for key in reads), default=0)
        yield StorageUse(name, len(reads), len(writes), size, proof_size(item, largest) * len(reads))


def plain_backend(ext: Externalities) -> MemoryBackend:
    """The whole state of `ext` as it is now."""
    return ext.backend.after(ext.overlay.delta())
