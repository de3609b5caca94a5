"""Blocks full of one call, as `benchmark worst-case --output` wrote them, for the page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from frame.benchmarking.svg import micros

Trial = Mapping[str, Any]

LIMIT = 1.5
"""The highest ratio of measured to declared that is fine."""


def read_worst(text: str) -> list[dict[str, Any]]:
    """What `benchmark worst-case --output` wrote. ValueError for anything else."""
    found = json.loads(text)
    if not isinstance(found, list) or not all(
        isinstance(t, dict) and {"name", "ratio"} <= t.keys() for t in found
    ):
        raise ValueError("this is not the output of `benchmark worst-case`")
    return found


def slowest(benchmark: str, trials: Sequence[Trial]) -> Trial | None:
    """The trial of this benchmark that took longest for what it declared; None when none was timed."""
    own = [t for t in trials if str(t["name"]).partition("(")[0] == benchmark and "declared_ns" in t]
    return max(own, key=lambda t: float(t["ratio"]), default=None)


def worst_tiles(trials: Sequence[Trial]) -> list[tuple[str, str, str]]:
    """(number, words, link): the slowest block, and the worst mix."""
    if not trials:
        return []
    first = max(trials, key=lambda t: float(t["ratio"]))
    words = f"of what it declares took the slowest block, of {str(first['name']).partition('(')[0]}"
    found = [(f"{float(first['ratio']):.2f}", words, "#worst")]
    mixes = [t for t in trials if t.get("mix")]
    if mixes:
        mix = max(mixes, key=_taken)
        words = f"for the slowest mix of calls, of {micros(int(mix['block_ns']) * 1000)} in a block"
        found.append((micros(_taken(mix) * 1000), words, "#worst"))
    return found


def _taken(trial: Trial) -> int:
    return max(int(trial["build_ns"]), int(trial["import_ns"]))


def _mixes(tried: Sequence[Trial]) -> str:
    return "".join(_mix(trial) for trial in tried if trial.get("mix"))


def _mix(trial: Trial) -> str:
    built, taken, block = (micros(int(trial[key]) * 1000) for key in ("build_ns", "import_ns", "block_ns"))
    verdict = "within" if trial.get("in_time") else "longer than"
    name = escape(str(trial["name"]))
    return f" A block of {name} was built in {built} and imported in {taken}, {verdict} its {block}."


def _others(trials: Sequence[Trial]) -> str:
    lines = "".join(
        f"<li>{escape(str(t['name']))}: {escape(str(t['note']))}</li>" for t in trials if t.get("note")
    )
    return f"<details><summary>Left out, and why</summary><ul>{lines}</ul></details>" if lines else ""


def worst_section(trials: Sequence[Mapping[str, Any]]) -> str:
    """The table of all blocks that were tried, slowest first, and what was not."""
    tried = sorted((t for t in trials if "declared_ns" in t), key=lambda t: -float(t["ratio"]))
    high = max([LIMIT, *(float(trial["ratio"]) for trial in tried)]) * 1.05
    rows = "".join(
        f"<tr><td class='name'>{escape(str(t['name']))}</td>"
        f'<td class="wide"><div class="track"><i class="ratio{" over" if float(t["ratio"]) > LIMIT else ""}" '
        f'style="left:0;width:{100 * float(t["ratio"]) / high:.2f}%"></i>'
        f'<u style="left:{100 / high:.2f}%"></u><u class="limit" style="left:{100 * LIMIT / high:.2f}%"></u>'
        f"</div></td><td class='num'>{float(t['ratio']):.2f}</td><td class='num'>{t['extrinsics']:,}</td>"
        f"<td class='num'>{micros(int(t['declared_ns']) * 1000)}</td>"
        f"<td class='num'>{micros(int(t['build_ns']) * 1000)}</td>"
        f"<td class='num'>{micros(int(t['import_ns']) * 1000)}</td></tr>"
        for t in tried
    )
    return f"""<section id="worst"><h2>Denial of service, tried</h2>
<p>A block filled with each call at its dearest and at its cheapest arguments, built and imported on a real
database. At 1 (thin line) a block takes what it declares; {LIMIT} (red) is the most that is fine.
{_mixes(tried)}</p>
<div class="scroll"><table><thead><tr><th>block of</th><th class="wide">measured to declared</th>
<th class="num">ratio</th><th class="num">calls</th><th class="num">declared</th><th class="num">built in</th>
<th class="num">imported in</th></tr></thead><tbody>{rows}</tbody></table></div>{_others(trials)}</section>"""
