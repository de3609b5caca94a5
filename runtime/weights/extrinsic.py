"""The base weight of an extrinsic, measured. Do not edit, but run
`gristmill benchmark overhead`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
blocks of 1000 remarks; median · 1 + 0 ns
reference time: timings × 0.51 (0.44 to 0.69)
20 timings, average 132,050 ns, median 134,183 ns, standard deviation 9,927 ns
min 114,116 ns, max 149,153 ns, 75th percentile 139,681 ns, 95th percentile 149,153 ns, 99th
percentile 149,153 ns
"""

from __future__ import annotations

from typing import Final

from frame.weights import weight

BASE_EXTRINSIC: Final = weight(134_183_000, 5_142)
"""An empty extrinsic: signature, extensions, account, events, roots."""
