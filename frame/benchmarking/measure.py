"""Running benchmarks: a database pass that records reads and writes, and timed passes."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from frame.benchmarking.bench import Bench, Benchmark, Measured
from frame.pallet import Pallet
from frame.state import Backend, Delta
from frame.storage import Item
from frame.testing import Externalities
from primitives.hashing import twox_128

PROOF_NODE = 495
"""Bytes of a full branch of the base-16 trie: 15 sibling hashes."""
UNBOUNDED_ENTRIES = 1_000_000
"""Entries that a map without a bound is taken to have, as Substrate does."""

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


@dataclass(frozen=True)
class StorageUse:
    """How a call uses one storage item."""

    name: str
    reads: int
    writes: int
    max_size: int | None
    """Bytes of the largest entry, key included; None when the type has no bound."""
    proof: int
    """Bytes of proof that all reads may need."""


@dataclass(frozen=True)
class Sample:
    """One point: the component values, the times taken there in nanoseconds, the storage used."""

    components: Mapping[str, int]
    times: tuple[int, ...]
    storage: tuple[StorageUse, ...]

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
        """Bytes of proof."""
        return sum(use.proof for use in self.storage)


@dataclass(frozen=True)
class Measurement:
    """All points of one benchmark."""

    pallet: str
    benchmark: Benchmark
    samples: tuple[Sample, ...]
    docs: str = ""


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


def measure(
    make: Callable[[], Externalities],
    kind: type[Pallet[object]],
    benchmark: Benchmark,
    *,
    steps: int,
    repeat: int,
    progress: Callable[[], None] = lambda: None,
) -> Measurement:
    """Run a benchmark at all its points: once for the database, `repeat` times for the time.

    AssertionError when a benchmark's own verification fails; TypeError when it does not yield exactly once.
    """
    samples = []
    pallet = ""
    for point in benchmark.points(steps):
        ext = make()
        pallet = ext.pallet(kind).name
        storage = _storage_pass(ext, kind, benchmark, point)
        times = []
        for _ in range(repeat):
            times.append(_time_pass(make(), kind, benchmark, point))
            progress()
        samples.append(Sample(point, tuple(times), storage))
    return Measurement(pallet, benchmark, tuple(samples))


def _prepare(
    ext: Externalities, kind: type[Pallet[object]], benchmark: Benchmark, point: Mapping[str, int]
) -> tuple[Iterator[Measured], Measured, Recorder]:
    # After the setup the changes move into the backend, so that the measured code reads them from there.
    run = benchmark.function(Bench(ext, ext.pallet(kind)), **point)
    thunk = next(run)
    ext.clear_events()
    recorder = Recorder(ext.backend.after(ext.overlay.delta()))
    ext.overlay.reset(recorder)
    return run, thunk, recorder


def _verify(run: Iterator[Measured], benchmark: Benchmark) -> None:
    for _ in run:
        raise TypeError(f"{benchmark.name}: a benchmark yields exactly once")


def _storage_pass(
    ext: Externalities, kind: type[Pallet[object]], benchmark: Benchmark, point: Mapping[str, int]
) -> tuple[StorageUse, ...]:
    run, thunk, recorder = _prepare(ext, kind, benchmark, point)
    thunk()
    read, written = dict(recorder.read), list(ext.overlay.delta().top)
    _verify(run, benchmark)
    return tuple(_uses(ext, read, written))


def _time_pass(
    ext: Externalities, kind: type[Pallet[object]], benchmark: Benchmark, point: Mapping[str, int]
) -> int:
    run, thunk, recorder = _prepare(ext, kind, benchmark, point)
    with ext.undone():  # a node's machine is warm: items and codecs are made, only values are not read yet
        thunk()
    ext.overlay.reset(recorder)
    gc.disable()
    try:
        start = time.perf_counter_ns()
        thunk()
        taken = time.perf_counter_ns() - start
    finally:
        gc.enable()
    _verify(run, benchmark)
    return taken


def _uses(ext: Externalities, read: Mapping[bytes, int], written: list[bytes]) -> Iterator[StorageUse]:
    items = {
        item.prefix(pallet): (f"{pallet.name}::{item.name}", item)
        for pallet in ext.machine.pallets
        for item in pallet.declaration.storage
    }
    touched: dict[bytes, tuple[list[bytes], list[bytes]]] = {}
    for place, keys in enumerate((list(read), written)):
        for key in keys:
            prefix = key[:32] if key[:32] in items else key
            if prefix not in _WHITELIST and not prefix.startswith(b":"):
                touched.setdefault(prefix, ([], []))[place].append(key)
    for prefix in sorted(touched, key=lambda prefix: items[prefix][0] if prefix in items else "~"):
        reads, writes = touched[prefix]
        name, item = items.get(prefix, (f"unknown 0x{prefix.hex()[:16]}…", None))
        size = None if item is None else max_size(item)
        largest = size if size is not None else max((read[key] + len(key) for key in reads), default=0)
        yield StorageUse(name, len(reads), len(writes), size, proof_size(item, largest) * len(reads))


def max_size(item: Item) -> int | None:
    """The bytes of the largest entry: hashes, key and value; None without a bound."""
    value = item.codec.max_len
    keys = [codec.max_len for codec in item.key_codecs]
    if value is None or any(length is None for length in keys):
        return None
    return value + sum(length or 0 for length in keys) + sum(hasher.skip for hasher in item.hashers)


def proof_size(item: Item | None, largest: int) -> int:
    """The proof of one entry: a branch for each level of the trie, and the entry.

    A map is taken to have `UNBOUNDED_ENTRIES` entries: ⌈log₁₆⌉ of that is 5 levels.
    """
    entries = UNBOUNDED_ENTRIES if item is None or item.key_codecs else 1
    levels = 0
    while 16**levels < entries:
        levels += 1
    return PROOF_NODE * levels + largest
