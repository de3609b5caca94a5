"""What a key read from or written to RocksDB weighs, measured. Do not edit, but run
`gristmill benchmark storage`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
100000 keys, values of 80 bytes, 1000 writes a block; average · 1 + 0 ns
reads: 20000 timings, average 5,755 ns, median 5,209 ns, standard deviation 4,393 ns
reads: min 3,046 ns, max 115,396 ns, 75th percentile 6,051 ns, 95th percentile 7,935 ns, 99th
percentile 12,684 ns
writes: 20 timings, average 96,308 ns, median 97,339 ns, standard deviation 11,550 ns
writes: min 71,799 ns, max 111,925 ns, 75th percentile 106,378 ns, 95th percentile 111,925 ns, 99th
percentile 111,925 ns
"""

from __future__ import annotations

from typing import Final

READ: Final = 5_755_000
"""Picoseconds of one read."""

WRITE: Final = 96_308_000
"""Picoseconds of one write: its trie nodes and its history too."""
