"""Do whole runs of `gristmill benchmark pallet` agree with each other?

    for i in 1 2 3 4 5 6; do
        gristmill benchmark pallet --pallet '*' --steps 20 --repeat 10 --output - --json > out/$i.json
    done
    python -m benchmarks.weights_agree out/?.json

The medians over the first half of the runs are set against those over the second half. What is charged is a
call's time at its arguments, so that is what decides: a call agrees when its predicted time does, both with
all its components at their lowest and with all at their highest. Database reads and writes, which are counted
and agree exactly, are left out: they would flatter. Bases and slopes by themselves are compared as well, and
only told: the slope of a component that hardly matters is mostly noise.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

WITHIN = 0.25
WANTED = 0.9
SHOWN = 20
Row = Mapping[str, Any]


def main(paths: list[str]) -> int:
    """Print the calls that disagree most, the share that agrees, and that of the raw figures; 1 when fewer
    than nine calls in ten agree.
    """
    if len(paths) < 2:
        print("usage: python -m benchmarks.weights_agree RUN.json RUN.json …", file=sys.stderr)
        return 2
    try:
        runs: list[list[Row]] = [json.loads(Path(path).read_text(encoding="utf-8")) for path in paths]
    except (OSError, ValueError) as error:
        print(f"not the output of `gristmill benchmark pallet --json`: {error}", file=sys.stderr)
        return 2
    ends = apart([dict(predictions(run)) for run in runs])
    calls: dict[str, tuple[float, str]] = {}
    for (name, end), found in ends.items():
        calls[name] = max(calls.get(name, (0.0, "")), (found[0], f"{end:8} {_text(found)}"))
    print(f"{'apart':>7}  {'call':44} components at their …")
    for name, (gap, text) in sorted(calls.items(), key=lambda item: -item[1][0])[:SHOWN]:
        print(f"{gap:7.1%}  {name:44} {text}")
    raw = apart([dict(figures(run)) for run in runs])
    half = len(runs) // 2
    print(
        f"\nmedians of runs 1 to {half} against those of runs {half + 1} to {len(runs)}, within {WITHIN:.0%}:"
    )
    share = _share([gap for gap, _ in calls.values()])
    print(f"  {share:6.1%} of {len(calls)} calls (predicted time, lowest and highest arguments)")
    print(f"  {_share([gap for gap, _, _ in ends.values()]):6.1%} of {len(ends)} such predictions")
    for what in ("base", "slope"):
        own = [gap for (_, kind, _), (gap, _, _) in raw.items() if kind == what]
        print(f"  {_share(own):6.1%} of {len(own)} raw {what}s (told, not judged)")
    for line in corrections(runs):
        print(line)
    return 0 if share >= WANTED else 1


def predictions(run: Sequence[Row]) -> Iterator[tuple[tuple[str, str], float]]:
    """(call, end of its components) → picoseconds that its weight says it executes."""
    for row in run:
        fit, ranges = row["time_ps"], row["components"]
        for end, place in (("lowest", 0), ("highest", 1)) if ranges else (("only", 0),):
            value = fit["base"] + sum(slope * ranges[name][place] for name, slope in fit["slopes"].items())
            yield (_name(row), end), value


def figures(run: Sequence[Row]) -> Iterator[tuple[tuple[str, str, str], float]]:
    """(call, base or slope, component) → picoseconds."""
    for row in run:
        yield (_name(row), "base", ""), row["time_ps"]["base"]
        for name, slope in row["time_ps"]["slopes"].items():
            yield (_name(row), "slope", name), slope


def apart(runs: Sequence[Mapping[Any, float]]) -> dict[Any, tuple[float, float, float]]:
    """What all runs have → (how far the halves' medians are apart, and both)."""
    half = len(runs) // 2
    found = {}
    for name in (name for name in runs[0] if all(name in run for run in runs)):
        first, second = (median(run[name] for run in group) for group in (runs[:half], runs[half:]))
        found[name] = max(first, second) / max(min(first, second), 1) - 1, first, second
    return found


def corrections(runs: Sequence[Sequence[Row]]) -> Iterator[str]:
    """How fast the machine was in each run."""
    for number, run in enumerate(runs, 1):
        known = [row["correction"] for row in run if row.get("correction")]
        if known:
            low, high = min(c["lowest"] for c in known), max(c["highest"] for c in known)
            middle = median(c["median"] for c in known)
            yield f"  run {number}: timings were corrected by {middle:.2f} ({low:.2f} to {high:.2f})"


def _share(gaps: Sequence[float]) -> float:
    return sum(gap <= WITHIN for gap in gaps) / max(len(gaps), 1)


def _name(row: Row) -> str:
    return f"{row.get('folder') or row['pallet']}::{row['benchmark']}"


def _text(found: tuple[float, float, float]) -> str:
    _, first, second = found
    return f"{first / 1e6:,.1f} µs, {second / 1e6:,.1f} µs"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
