"""What a key read from or written to RocksDB weighs, measured. Do not edit, but run
`gristmill benchmark storage`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
100000 keys, values of 80 bytes, 1000 writes a block; median · 1 + 0 ns
reads: 20000 timings, average 7,756 ns, median 7,113 ns, standard deviation 6,792 ns
reads: min 3,186 ns, max 378,547 ns, 75th percentile 8,295 ns, 95th percentile 10,750 ns, 99th
percentile 15,038 ns
writes: 20 timings, average 90,169 ns, median 90,711 ns, standard deviation 10,507 ns
writes: min 72,082 ns, max 106,239 ns, 75th percentile 98,799 ns, 95th percentile 106,239 ns, 99th
percentile 106,239 ns
"""

from __future__ import annotations

from typing import Final

READ: Final = 7_113_000
"""Picoseconds of one read."""

WRITE: Final = 90_711_000
"""Picoseconds of one write: its trie nodes and its history too."""

LONGEST_FREE: Final = 80
"""Bytes of a value that these two cover."""

READ_BYTE: Final = 60
"""Picoseconds of each byte more that is read."""

WRITE_BYTE: Final = 3_394
"""Picoseconds of each byte more that is written."""
