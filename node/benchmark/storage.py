"""`gristmill benchmark storage`: what reading and writing one key costs in the real database.

A state of so many keys is made, with values of an account's size under keys of an account's. Reads are of
random keys, with nothing of them in the node's own cache. Writes are of random keys in blocks of so many, and
count everything that a changed key makes a block do: the trie's nodes and its root, the value, the history
that lets the head go back, the batch. Reference time of the thread; RocksDB's own threads and the disk's
waiting do not count. A second state of fewer keys with long values tells what each byte beyond costs.
"""

from __future__ import annotations

import json
import random
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from frame.backend import Delta
from frame.benchmarking.constants_file import render_constants
from frame.benchmarking.machine import describe_machine
from frame.benchmarking.reference import Reference
from frame.benchmarking.stopwatch import nanoseconds, steady
from frame.rocksdb_weights import LONGEST_FREE
from node.benchmark.errors import BenchmarkError
from node.benchmark.figures import METRICS, Spread, spread, write_file
from node.benchmark.machine import add_normalise, recorded_reference
from node.benchmark.progress import progress
from node.database import Database
from primitives.digest import Digest
from primitives.hashing import blake2_256, twox_128
from primitives.header import Header
from primitives.trie import EMPTY_ROOT

KEYS = 100_000
READS = 20_000
BATCH = 1_000
BLOCKS = 20
VALUE = LONGEST_FREE
LONG = 16_384
"""Bytes of the long values."""
STEP = 2_000
"""Reads between two reports."""
LOOK = 200
"""Reads between two looks at the machine's speed."""
VERSION = 1


def configure(parser: ArgumentParser) -> None:
    """Sizes, and what becomes of the figures."""
    add = parser.add_argument
    add("--keys", type=int, default=KEYS, help="keys of the state (default: %(default)s)")
    add("--reads", type=int, default=READS, help="reads to be timed (default: %(default)s)")
    add("--batch", type=int, default=BATCH, help="keys that a block writes (default: %(default)s)")
    add("--blocks", type=int, default=BLOCKS, help="blocks to be timed (default: %(default)s)")
    add("--value-size", type=int, default=VALUE, help="bytes of a value (default: %(default)s)")
    add("--seed", type=int, default=0, help="of the choice of keys (default: %(default)s)")
    add("--base-path", type=Path, metavar="FOLDER", help="where the database is made (default: a temporary)")
    add("--weight-metric", choices=METRICS, default="median", help="what becomes the weight (median)")
    add("--mul", type=float, default=1.0, help="the weight is the metric times this …")
    add("--add", type=int, default=0, metavar="NS", help="… and this many nanoseconds more")
    add("--output", metavar="FILE", help="the file to write (default: frame/rocksdb_weights.py; - for none)")
    add_normalise(parser)
    add("--json", action="store_true", help="print JSON")


def run(arguments: Namespace) -> int:
    """Measure, print, write."""
    for name in ("keys", "reads", "batch", "blocks", "value_size"):
        if getattr(arguments, name) < 1:
            raise BenchmarkError(f"--{name.replace('_', '-')} is at least 1")
    if arguments.batch > arguments.keys:
        raise BenchmarkError("--batch is at most --keys")
    if arguments.mul < 0 or arguments.add < 0:
        raise BenchmarkError("--mul and --add are not below 0")
    reference = recorded_reference(arguments.normalise)
    reads, writes = measure(arguments, reference, arguments.keys, arguments.batch, arguments.value_size)
    long_reads, long_writes = measure(
        arguments, reference, max(arguments.keys // 100, 1), max(arguments.batch // 50, 1), LONG
    )
    chosen = {
        name: round(found.metric(arguments.weight_metric) * arguments.mul) + arguments.add
        for name, found in (("read", reads), ("write", writes))
    }
    for name, short, long in (("read", reads, long_reads), ("write", writes, long_writes)):
        more = long.metric(arguments.weight_metric) - short.metric(arguments.weight_metric)
        chosen[f"{name}_byte"] = max(round(more * 1000 * arguments.mul / (LONG - arguments.value_size)), 0)
    if arguments.json:
        units = {name: f"{name}_ps" if name.endswith("byte") else f"{name}_ns" for name in chosen}
        print(json.dumps({"keys": arguments.keys, **{units[name]: chosen[name] for name in chosen}}))
    else:
        for title, found in (("Reads of one key", reads), ("Writes of one key", writes)):
            print("\n".join([title, *(f"  {line}" for line in found.lines())]))
        print(f"Each byte beyond: read {chosen['read_byte']} ps, write {chosen['write_byte']} ps")
    if arguments.output != "-":
        target = Path(arguments.output) if arguments.output else default_output()
        write_file(target, _file(arguments, chosen, reads, writes, reference.summary()))
    return 0


def default_output() -> Path:
    """The file that `frame.weights` reads."""
    import frame

    return Path(str(frame.__file__)).parent / "rocksdb_weights.py"


def measure(
    arguments: Namespace, reference: Reference, count: int, batch: int, size: int
) -> tuple[Spread, Spread]:
    """Timings of reads, one by one, and of writes, a block's share each."""
    total = -(-arguments.reads // STEP) + arguments.blocks
    with (
        tempfile.TemporaryDirectory(prefix="gristmill-storage-", dir=arguments.base_path) as folder,
        Database.open(Path(folder), sync=False) as database,
        progress(total, f"a state of {count} keys") as advance,
        steady(),
    ):
        keys = [_key(number) for number in range(count)]
        values: dict[bytes, bytes | None] = {key: _value(key, 0, size) for key in keys}
        header = _commit(database, None, values)
        chance = random.Random(arguments.seed)
        chosen = [chance.choice(keys) for _ in range(arguments.reads)]
        reads = list(_reads(database, reference, chosen, advance))
        writes = []
        for number in range(1, arguments.blocks + 1):
            changed = chance.sample(keys, batch)
            new: dict[bytes, bytes | None] = {key: _value(key, number, size) for key in sorted(changed)}
            taken, header = _block(database, reference, header, new)
            alone, header = _block(database, reference, header, {changed[0]: b"alone"})
            writes.append(max(taken - alone, 0) // max(batch - 1, 1))
            advance("writes")
        return spread(reads), spread(writes)


def _key(number: int) -> bytes:
    account = blake2_256(number.to_bytes(8, "little"))
    return twox_128(b"System") + twox_128(b"Account") + blake2_256(account)[:16] + account


def _value(key: bytes, number: int, size: int) -> bytes:
    seed = blake2_256(key + number.to_bytes(8, "little"))
    return (seed * (size // len(seed) + 1))[:size]


def _reads(
    database: Database, reference: Reference, keys: Sequence[bytes], advance: Callable[[str], None]
) -> Iterator[int]:
    state = database.backend()
    before = reference.speed()
    for start in range(0, len(keys), LOOK):
        if start % STEP == 0:
            advance("reads")
        taken = []
        for key in keys[start : start + LOOK]:
            database.cache.clear()
            taken.append(nanoseconds(lambda key=key: state.get(key)))  # type: ignore[misc]
        after = reference.speed()
        speed = reference.between(before, after)
        yield from (round(each * speed) for each in taken)
        before = after


def _block(
    database: Database, reference: Reference, parent: Header, changes: dict[bytes, bytes | None]
) -> tuple[int, Header]:
    made: list[Header] = []
    taken = reference.take(lambda: made.append(_commit(database, parent, changes)))
    return taken, made[0]


def _commit(database: Database, parent: Header | None, changes: dict[bytes, bytes | None]) -> Header:
    delta = Delta({key: changes[key] for key in sorted(changes)})
    number = 0 if parent is None else parent.number + 1
    header = Header(
        parent_hash=bytes(32) if parent is None else parent.hash,
        number=number,
        state_root=database.root_at(number - 1, delta, VERSION),
        extrinsics_root=EMPTY_ROOT,
        digest=Digest(logs=[]),
    )
    database.commit(header, header.hash, [], delta, state_version=VERSION)
    return header


def _file(arguments: Namespace, chosen: dict[str, int], reads: Spread, writes: Spread, how: str) -> str:
    sizes = f"{arguments.keys} keys, values of {arguments.value_size} bytes, {arguments.batch} writes a block"
    notes = [
        *describe_machine(),
        f"{sizes}; {arguments.weight_metric} · {arguments.mul:g} + {arguments.add} ns",
        how,
        *(f"reads: {line}" for line in reads.lines()),
        *(f"writes: {line}" for line in writes.lines()),
    ]
    return render_constants(
        "What a key read from or written to RocksDB weighs",
        "gristmill benchmark storage",
        notes,
        [],
        {
            "READ": (f"{chosen['read'] * 1000:_}", "Picoseconds of one read."),
            "WRITE": (
                f"{chosen['write'] * 1000:_}",
                "Picoseconds of one write: its trie nodes and its history too.",
            ),
            "LONGEST_FREE": (f"{arguments.value_size}", "Bytes of a value that these two cover."),
            "READ_BYTE": (f"{chosen['read_byte']:_}", "Picoseconds of each byte more that is read."),
            "WRITE_BYTE": (f"{chosen['write_byte']:_}", "Picoseconds of each byte more that is written."),
        },
    )
