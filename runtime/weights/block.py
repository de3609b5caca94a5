"""The base weight of a block, measured. Do not edit, but run
`gristmill benchmark overhead`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
20 blocks of 0 remarks; median · 1 + 0 ns
20 timings, average 1,387,858 ns, median 1,359,458 ns, standard deviation 290,935 ns
min 877,648 ns, max 1,938,609 ns, 75th percentile 1,606,168 ns, 95th percentile 1,938,609 ns, 99th
percentile 1,938,609 ns
"""

from __future__ import annotations

from typing import Final

from frame.weights import weight

BASE_BLOCK: Final = weight(1_359_458_000, 0)
"""An empty block: opening and closing it, its roots, its place in the database."""
