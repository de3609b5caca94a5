"""What a key read from or written to RocksDB weighs, measured. Do not edit, but run
`gristmill benchmark storage`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
100000 keys, values of 80 bytes, 1000 writes a block; median · 1 + 0 ns
reads: 20000 timings, average 5,459 ns, median 4,519 ns, standard deviation 5,143 ns
reads: min 2,965 ns, max 137,962 ns, 75th percentile 5,469 ns, 95th percentile 9,126 ns, 99th
percentile 13,435 ns
writes: 20 timings, average 86,866 ns, median 84,143 ns, standard deviation 16,352 ns
writes: min 65,693 ns, max 134,604 ns, 75th percentile 97,026 ns, 95th percentile 134,604 ns, 99th
percentile 134,604 ns
"""

from __future__ import annotations

from typing import Final

READ: Final = 4_519_000
"""Picoseconds of one read."""

WRITE: Final = 84_143_000
"""Picoseconds of one write: its trie nodes and its history too."""

LONGEST_FREE: Final = 80
"""Bytes of a value that these two cover."""

READ_BYTE: Final = 200
"""Picoseconds of each byte more that is read."""

WRITE_BYTE: Final = 6_579
"""Picoseconds of each byte more that is written."""
