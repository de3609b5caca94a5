"""The base weight of an extrinsic, measured. Do not edit, but run
`gristmill benchmark overhead`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
20 blocks of 1000 remarks; median · 1 + 0 ns
20 timings, average 265,149 ns, median 266,058 ns, standard deviation 33,977 ns
min 204,112 ns, max 319,189 ns, 75th percentile 295,963 ns, 95th percentile 319,189 ns, 99th
percentile 319,189 ns
"""

from __future__ import annotations

from typing import Final

from frame.weights import weight

BASE_EXTRINSIC: Final = weight(266_058_000, 5_142)
"""An empty extrinsic: signature, extensions, account, events, roots."""
