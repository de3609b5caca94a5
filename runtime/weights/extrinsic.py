"""The base weight of an extrinsic, measured. Do not edit, but run
`gristmill benchmark overhead`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
blocks of 1000 remarks; median · 1 + 0 ns
20 timings, average 281,888 ns, median 289,266 ns, standard deviation 22,252 ns
min 238,486 ns, max 310,003 ns, 75th percentile 298,676 ns, 95th percentile 310,003 ns, 99th
percentile 310,003 ns
"""

from __future__ import annotations

from typing import Final

from frame.weights import weight

BASE_EXTRINSIC: Final = weight(289_266_000, 5_142)
"""An empty extrinsic: signature, extensions, account, events, roots."""
