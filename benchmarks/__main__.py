"""`make bench`: measures, prints a table with ratios against peers, writes `benchmarks/results.json`, and
from it the tables of README.md and docs/.

A module of this folder that offers `figures() -> Iterable[Figure]` is one group; name some to run only those:
`python -m benchmarks codec executor`.
"""

import json
import os
import platform
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import import_module

from rich.console import Console
from rich.table import Table

from benchmarks import pages
from benchmarks.figure import Figure

GROUPS = ("codec", "runtime", "trie", "executor", "privacy", "node")


def main(words: list[str]) -> int:
    """Run the named groups, or all; figures that were not measured now keep their last value."""
    unknown = [word for word in words if word not in GROUPS]
    if unknown:
        print(f"no such group: {', '.join(unknown)}; there are {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    results = json.loads(pages.RESULTS.read_text(encoding="utf-8")) if pages.RESULTS.exists() else {}
    console = Console()
    for group in words or GROUPS:
        measured = list(_measure(group))
        console.print(_table(group, measured))
        results.update({figure.name: _record(figure) for figure in measured})
        pages.RESULTS.write_text(json.dumps(dict(sorted(results.items())), indent=2) + "\n", encoding="utf-8")
    pages.main()
    return 0


def _measure(group: str) -> Iterable[Figure]:
    figures: Iterable[Figure] = import_module(f"benchmarks.{group}").figures()
    for figure in figures:
        print(f"  {figure.name}: {figure.value:.4g} {figure.unit}", file=sys.stderr)
        yield figure


def _table(group: str, figures: list[Figure]) -> Table:
    table = Table(
        "figure",
        "ours",
        "unit",
        "peer",
        "peer's",
        "peer / ours",
        "by medians",
        title=group,
        title_justify="left",
    )
    for figure in figures:
        peer_value, ratio = "", ""
        if figure.peer_value is not None:
            peer_value, ratio = f"{figure.peer_value:.4g}", f"{figure.peer_value / figure.value:.2f}"
        medians = "" if figure.by_medians is None else f"{figure.by_medians:.4g}"
        table.add_row(
            figure.name, f"{figure.value:.4g}", figure.unit, figure.peer, peer_value, ratio, medians
        )
    return table


def _record(figure: Figure) -> dict[str, object]:
    return {
        "value": figure.value,
        "unit": figure.unit,
        "peer": {"name": figure.peer, "value": figure.peer_value} if figure.peer else None,
        **({} if figure.by_medians is None else {"by_medians": figure.by_medians}),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
