"""The base weight of a block, measured. Do not edit, but run
`gristmill benchmark overhead`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
blocks of 0 remarks; median · 1 + 0 ns
20 timings, average 1,980,232 ns, median 2,045,998 ns, standard deviation 494,068 ns
min 862,459 ns, max 2,569,526 ns, 75th percentile 2,443,251 ns, 95th percentile 2,569,526 ns, 99th
percentile 2,569,526 ns
"""

from __future__ import annotations

from typing import Final

from frame.weights import weight

BASE_BLOCK: Final = weight(2_045_998_000, 0)
"""An empty block: opening and closing it, its roots, its place in the database."""
