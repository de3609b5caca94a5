"""What a key read from or written to RocksDB weighs, measured. Do not edit, but run
`gristmill benchmark storage`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
100000 keys, values of 80 bytes, 1000 writes a block; median · 1 + 0 ns
reference time: timings × 0.61 (0.42 to 0.99)
reads: 20000 timings, average 5,005 ns, median 4,600 ns, standard deviation 2,635 ns
reads: min 1,677 ns, max 84,807 ns, 75th percentile 5,427 ns, 95th percentile 7,463 ns, 99th
percentile 11,196 ns
writes: 20 timings, average 23,697 ns, median 24,794 ns, standard deviation 5,644 ns
writes: min 0 ns, max 29,060 ns, 75th percentile 26,160 ns, 95th percentile 29,060 ns, 99th
percentile 29,060 ns
"""

from __future__ import annotations

from typing import Final

READ: Final = 4_600_000
"""Picoseconds of one read."""

WRITE: Final = 24_794_000
"""Picoseconds of one write: its trie nodes and its history too."""

LONGEST_FREE: Final = 80
"""Bytes of a value that these two cover."""

READ_BYTE: Final = 34
"""Picoseconds of each byte more that is read."""

WRITE_BYTE: Final = 5_281
"""Picoseconds of each byte more that is written."""
