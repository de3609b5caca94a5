"""The base weight of a block, measured. Do not edit, but run
`gristmill benchmark overhead`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
blocks of 0 remarks; median · 1 + 0 ns
reference time: timings × 0.51 (0.44 to 0.69)
20 timings, average 1,080,664 ns, median 988,988 ns, standard deviation 220,634 ns
min 901,607 ns, max 1,724,273 ns, 75th percentile 1,105,258 ns, 95th percentile 1,724,273 ns, 99th
percentile 1,724,273 ns
"""

from __future__ import annotations

from typing import Final

from frame.weights import weight

BASE_BLOCK: Final = weight(988_988_000, 0)
"""An empty block: opening and closing it, its roots, its place in the database."""
