"""Column families and the layout of their keys. Numbers in keys are big-endian, so that key order is number
order.

| column | key | value |
|---|---|---|
| meta | name, or `aux:` ‖ name | format, genesis, best, finalized, pruning, oldest; what node parts keep |
| meta | `dropped:` ‖ u64 block ‖ blob hash, and by blob | nothing: that block dropped it (`content.py`) |
| state | key | value at the best block |
| child | escaped child name ‖ key | value at the best block |
| trie | `t` ‖ packed path, or `c` ‖ escaped child name ‖ packed path | branch of the best state's trie |
| history | u32 epoch ‖ place ‖ u64 block | the value *before* that block: `00` (absent) or `01` ‖ value |
| changes | u64 block | list of places that the block changed, for going back |
| headers | block hash | SCALE header |
| bodies | block hash | SCALE Vec of extrinsics |
| hashes | u64 block | block hash |
| numbers | block hash | u64 block |
| content | blob hash ‖ u32 piece | bytes |

`escaped` turns 00 into 00 ff and ends with 00 00: unambiguous, and byte order stays key order. A *place* is
`t` ‖ escaped key, or `c` ‖ escaped child name ‖ escaped key.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from rocksdict import BlockBasedOptions, Cache, DBCompressionType, Options

META, STATE, CHILD, TRIE, HISTORY, CHANGES = "meta", "state", "child", "trie", "history", "changes"
HEADERS, BODIES, HASHES, NUMBERS, CONTENT = "headers", "bodies", "hashes", "numbers", "content"
COLUMNS = (META, STATE, CHILD, TRIE, HISTORY, CHANGES, HEADERS, BODIES, HASHES, NUMBERS, CONTENT)

MIB = 1 << 20
_DENSE = (STATE, TRIE)
"""Read at random all the time, and mostly hashes and keys: unpacking them would cost more than it saves."""
_HOT = {STATE: 32 * MIB, TRIE: 32 * MIB, HISTORY: 16 * MIB, BODIES: 16 * MIB, CONTENT: 16 * MIB}
_BLOBS = (BODIES, CONTENT)
"""Columns of large values, which are kept out of compaction in files of their own."""


def main_options() -> Options:
    """Options of the database as a whole."""
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.create_missing_column_families(True)
    options.set_max_total_wal_size(256 * MIB)
    options.set_keep_log_file_num(4)
    options.set_max_open_files(512)
    return options


CACHE = 128 * MIB
"""Bytes of the block cache unless told otherwise."""


def column_options(cache_bytes: int) -> dict[str, Options]:
    """Options of each column; they share one block cache."""
    cache = Cache(cache_bytes)
    return {name: _options(name, cache) for name in COLUMNS}


def _options(name: str, cache: Cache) -> Options:
    options = Options(raw_mode=True)
    options.set_write_buffer_size(_HOT.get(name, 4 * MIB))
    packs = DBCompressionType.none() if name in _DENSE else DBCompressionType.lz4()
    options.set_compression_type(packs)
    if name in _DENSE:  # most look-ups of a key that no recent block wrote end at this filter
        options.set_memtable_whole_key_filtering(True)
        options.set_memtable_prefix_bloom_ratio(0.05)
    table = BlockBasedOptions()
    table.set_block_cache(cache)
    table.set_bloom_filter(10, False)
    options.set_block_based_table_factory(table)
    if name in _BLOBS:
        options.set_enable_blob_files(True)
        options.set_min_blob_size(4096)
        options.set_enable_blob_gc(True)
    return options


# ── keys ────────────────────────────────────────────────────────────────────


def be64(number: int) -> bytes:
    return number.to_bytes(8, "big")


def escaped(key: bytes) -> bytes:
    return key.replace(b"\0", b"\0\xff") + b"\0\0"


def unescaped(data: bytes) -> tuple[bytes, bytes]:
    """The key that `data` begins with, and the rest."""
    at = 0
    while True:
        at = data.index(b"\0", at)
        if data[at + 1] == 0:
            return data[:at].replace(b"\0\xff", b"\0"), data[at + 2 :]
        at += 2


def place(key: bytes, child: bytes | None) -> bytes:
    """Where a value's history is kept, without the block number."""
    if child is None:
        return b"t" + escaped(key)
    return b"c" + escaped(child) + escaped(key)


def places(keys: Iterable[bytes], child: bytes | None) -> list[bytes]:
    """The places of many keys."""
    prefix = b"t" if child is None else b"c" + escaped(child)
    return [prefix + key.replace(b"\0", b"\0\xff") + b"\0\0" for key in keys]


def place_parts(data: bytes) -> tuple[bytes, bytes | None]:
    """(key, child) of a place."""
    if data[:1] == b"t":
        return unescaped(data[1:])[0], None
    child, rest = unescaped(data[1:])
    return unescaped(rest)[0], child


def packed(path: str) -> bytes:
    """A nibble path as bytes: the nibbles two a byte, an odd one padded, and the parity at the end."""
    if len(path) & 1:
        return bytes.fromhex(path + "0") + b"\x01"
    return bytes.fromhex(path) + b"\x00"


def trie_prefix(child: bytes | None) -> bytes:
    return b"t" if child is None else b"c" + escaped(child)


def piece_key(blob_hash: bytes, index: int) -> bytes:
    return blob_hash + index.to_bytes(4, "big")


# ── values ──────────────────────────────────────────────────────────────────

_LENGTH = struct.Struct(">I")


def join_list(items: Iterable[bytes]) -> bytes:
    """A list of byte strings, each behind its u32 length."""
    pack = _LENGTH.pack
    return b"".join([pack(len(item)) + item for item in items])


def split_list(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        at += 4 + length
        yield data[at - length : at]
