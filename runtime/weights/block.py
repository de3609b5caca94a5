"""The base weight of a block, measured. Do not edit, but run
`gristmill benchmark overhead`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
blocks of 0 remarks; median · 1 + 0 ns
20 timings, average 1,471,239 ns, median 1,401,516 ns, standard deviation 445,880 ns
min 924,135 ns, max 2,350,617 ns, 75th percentile 1,793,908 ns, 95th percentile 2,350,617 ns, 99th
percentile 2,350,617 ns
"""

from __future__ import annotations

from typing import Final

from frame.weights import weight

BASE_BLOCK: Final = weight(1_401_516_000, 0)
"""An empty block: opening and closing it, its roots, its place in the database."""
