"""The base weight of an extrinsic, measured. Do not edit, but run
`gristmill benchmark overhead`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
blocks of 1000 remarks; median · 1 + 0 ns
20 timings, average 267,914 ns, median 268,625 ns, standard deviation 45,311 ns
min 205,111 ns, max 353,884 ns, 75th percentile 291,954 ns, 95th percentile 353,884 ns, 99th
percentile 353,884 ns
"""

from __future__ import annotations

from typing import Final

from frame.weights import weight

BASE_EXTRINSIC: Final = weight(268_625_000, 5_142)
"""An empty extrinsic: signature, extensions, account, events, roots."""
