"""Do whole runs of `gristmill benchmark pallet` agree with each other?

    for i in 1 2 3 4 5 6; do
        gristmill benchmark pallet --pallet '*' --steps 20 --repeat 10 --output - --json > out/$i.json
    done
    python -m benchmarks.weights_agree out/?.json

The medians over the first half of the runs are set against those over the second half: for each benchmark the
time with its components at their highest, and at their lowest.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

WITHIN = 0.25
WANTED = 0.9


def main(paths: list[str]) -> int:
    """Print the disagreements and the share that agrees; 1 when it is below nine in ten."""
    runs = [times(json.loads(Path(path).read_text(encoding="utf-8"))) for path in paths]
    if len(runs) < 2:
        print("usage: python -m benchmarks.weights_agree RUN.json RUN.json …", file=sys.stderr)
        return 2
    half = len(runs) // 2
    names = [name for name in runs[0] if all(name in run for run in runs)]
    apart = {}
    for name in names:
        first, second = (median(run[name] for run in group) for group in (runs[:half], runs[half:]))
        apart[name] = max(first, second) / max(min(first, second), 1) - 1
    for name, gap in sorted(apart.items(), key=lambda item: -item[1])[:20]:
        print(f"{gap:7.1%}  {name}")
    share = sum(gap <= WITHIN for gap in apart.values()) / max(len(apart), 1)
    print(f"{share:.1%} of {len(apart)} agree within {WITHIN:.0%}")
    return 0 if share >= WANTED else 1


def times(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Picoseconds by benchmark and end of its components."""
    found = {}
    for row in rows:
        fit, ranges = row["time_ps"], row["components"]
        for end, place in (("lowest", 0), ("highest", 1)) if ranges else (("", 0),):
            value = fit["base"] + sum(slope * ranges[name][place] for name, slope in fit["slopes"].items())
            found[f"{row['pallet']}::{row['benchmark']} {end}".strip()] = value
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
