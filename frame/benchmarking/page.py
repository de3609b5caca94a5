"""One HTML page about a whole run: which call is expensive, why, and how far to believe it.

The page stands alone: styles, plots and the few lines of script that sort and filter are inside.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Any

from frame.benchmarking.reference import correction
from frame.benchmarking.result import Result
from frame.benchmarking.svg import micros, plot, strip
from frame.benchmarking.text import as_sum
from frame.benchmarking.worst import LIMIT, slowest, worst_section, worst_tiles
from frame.weights import DB

RATIO = """ “Full block” is what a block full of the call took, of what it declares: see
<a href="#worst">below</a>."""


@dataclass(frozen=True)
class Cost:
    """What a call weighs with given components, in picoseconds, and its proof in bytes."""

    time: int
    reads: int
    writes: int
    proof: int
    recorded: int

    @property
    def total(self) -> int:
        """All of the reference time."""
        return self.time + self.reads * DB.read + self.writes * DB.write

    def parts(self) -> list[tuple[str, int, str]]:
        """(class of the colour, picoseconds, words)."""
        return [
            ("time", self.time, f"execution {micros(self.time)}"),
            ("reads", self.reads * DB.read, f"{_many(self.reads, 'read')} {micros(self.reads * DB.read)}"),
            (
                "writes",
                self.writes * DB.write,
                f"{_many(self.writes, 'write')} {micros(self.writes * DB.write)}",
            ),
        ]


def cost(result: Result, values: Mapping[str, int]) -> Cost:
    """The cost that becomes the weight, at these values of the components."""
    fits = (result.time, result.reads, result.writes, result.proof, result.recorded)
    return Cost(*(fit.at(values) for fit in fits))


def top(result: Result) -> dict[str, int]:
    """The components at their highest."""
    return {name: part.high for name, part in result.measurement.benchmark.components.items()}


def bottom(result: Result) -> dict[str, int]:
    """The components at their lowest."""
    return {name: part.low for name, part in result.measurement.benchmark.components.items()}


def render_page(
    results: Sequence[Result],
    machine: Sequence[str],
    steps: int,
    repeat: int,
    *,
    block: int = 1_500_000_000_000,
    worst: Sequence[Mapping[str, Any]] = (),
) -> str:
    """The page. `block` is the weight that Normal calls may fill, in picoseconds; `worst` is what
    `benchmark worst-case --output` wrote.
    """
    ordered = sorted(results, key=lambda r: -cost(r, top(r)).total)
    style = files("frame.benchmarking").joinpath("data/page.css").read_text(encoding="utf-8")
    script = files("frame.benchmarking").joinpath("data/page.js").read_text(encoding="utf-8")
    body = [
        _head(ordered, machine, steps, repeat, block, worst),
        _ranking(ordered, block, worst),
        worst_section(worst) if worst else "",
        _flags(ordered),
        '<section id="details"><h2>Every benchmark</h2>',
        *(_card(result, block, worst) for result in sorted(results, key=lambda r: r.name)),
        "</section>",
        _method(),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Weights</title><style>{style}</style></head>\n<body><main>"
        + "\n".join(part for part in body if part)
        + f"</main><script>{script}</script></body></html>\n"
    )


def _head(
    ordered: Sequence[Result],
    machine: Sequence[str],
    steps: int,
    repeat: int,
    block: int,
    worst: Sequence[Mapping[str, Any]],
) -> str:
    dearest = ordered[0]
    price = cost(dearest, top(dearest)).total
    flagged = sum(bool(_serious(result)) for result in ordered)
    noisy = sum(any(note.kind == "noisy" for note in result.findings) for result in ordered)
    share = f"the dearest: {dearest.name}, {_percent(price / block)} of a block"
    growth = "does not grow in proportion" if flagged == 1 else "do not grow in proportion"
    tiles = [
        (f"{len(ordered)}", f"benchmarks of {len({_pallet(r) for r in ordered})} pallets", ""),
        (micros(price), share, f"#{_anchor(dearest)}"),
        (f"{flagged}", growth, "#flags"),
        (f"{noisy}", "were measured in noise", "#flags"),
        (micros(DB.write), f"a database write; {micros(DB.read)} a read", ""),
    ]
    tiles += worst_tiles(worst)
    speeds = [speed for result in ordered for speed in result.speeds]
    how = correction(speeds)
    cards = "".join(
        f'<a class="tile"{f" href={link!r}" if link else ""}>'
        f"<b>{escape(big)}</b><span>{escape(small)}</span></a>"
        for big, small, link in tiles
    )
    return (
        "<header><h1>What calls weigh</h1>"
        f"<p>{escape('; '.join(machine))}; {steps} steps, {repeat} repeats; {how}.</p>"
        f'<div class="tiles">{cards}</div></header>'
    )


def _ranking(ordered: Sequence[Result], block: int, worst: Sequence[Mapping[str, Any]]) -> str:
    costs = {result.name: (cost(result, top(result)), cost(result, bottom(result))) for result in ordered}
    high = max(dear.total for dear, _ in costs.values())
    low = min(cheap.total for _, cheap in costs.values())
    scale = _Log(low, high)
    pallets = sorted({_pallet(result) for result in ordered})
    options = "".join(f"<option>{escape(name)}</option>" for name in pallets)
    rows = "".join(_row(result, *costs[result.name], scale, block, worst) for result in ordered)
    ticks = "".join(
        f'<span style="left:{scale.percent(tick):.2f}%">{micros(tick)}</span>' for tick in scale.ticks()
    )
    return f"""<section id="ranking"><h2>Which call is expensive, and why</h2>
<p>Each bar is pale up to the call with its cheapest arguments and full up to its dearest, on a logarithmic
scale. Beside it stands what the dearest consist of: <i class="key time"></i> executing code and moving long
values, <i class="key reads"></i> reading and <i class="key writes"></i> writing the database.
Proof is the most that all reads may need.{RATIO if worst else ""}</p>
<p class="tools"><label>Pallet <select id="pallet"><option value="">all</option>{options}</select></label>
<label>Find <input id="find" type="search" placeholder="name"></label>
<span>Click a heading to sort.</span></p>
<div class="scroll"><table id="calls"><thead><tr>
<th data-key="name">call</th><th data-key="total" class="wide">weight of one call
<div class="scale">{ticks}</div></th><th data-key="split">why (at its dearest)</th>
<th data-key="total" class="num">dearest</th><th data-key="share" class="num">of a block</th>
<th data-key="proof" class="num">proof</th><th data-key="quality" class="num">R²</th>
{'<th data-key="ratio" class="num">full block</th>' if worst else ""}
<th data-key="flags">flags</th>
</tr></thead><tbody>{rows}</tbody></table></div></section>"""


def _row(
    result: Result, dear: Cost, cheap: Cost, scale: _Log, block: int, worst: Sequence[Mapping[str, Any]]
) -> str:
    left, right = scale.percent(cheap.total), scale.percent(dear.total)
    span = max(right - left, 0.8)
    words = f"{micros(cheap.total)} … {micros(dear.total)}" if result.components else micros(dear.total)
    flags = "".join(
        f'<abbr class="flag {note.kind}" title="{escape(note.text)}">{note.kind}</abbr>'
        for note in result.findings
    )
    quality = f"{result.time.quality / 10:.1f} %" if result.components else "–"
    writes = dear.parts()[2][1] / max(dear.total, 1)
    tried = slowest(result.name, worst)
    ratio = float(tried["ratio"]) if tried else 0.0
    sort = {
        "name": result.name, "total": dear.total, "share": dear.total, "proof": dear.proof,
        "quality": result.time.quality, "split": round(1 - writes, 4), "ratio": ratio,
        "flags": len(result.findings),
    }  # fmt: skip
    late = f'<td class="num{" late" if ratio > LIMIT else ""}">{f"{ratio:.2f}" if tried else "–"}</td>'
    data = " ".join(f'data-{key}="{escape(str(value))}"' for key, value in sort.items())
    pallet, name = result.name.split("::")
    components = f"<small>({escape(', '.join(result.components))})</small>" if result.components else ""
    return (
        f'<tr data-pallet="{escape(pallet)}" {data}>'
        f'<td class="name"><a href="#{_anchor(result)}"><span>{escape(pallet)}::</span>{escape(name)}</a> '
        f"{components}</td>"
        f'<td class="wide"><div class="track" title="{escape(words)}">'
        f'<i class="least" style="width:{left:.2f}%"></i>'
        f'<i class="range" style="left:{min(left, 99.2):.2f}%;width:{span:.2f}%"></i></div></td>'
        f"<td>{_split(dear)}</td>"
        f'<td class="num">{micros(dear.total)}</td><td class="num">{_percent(dear.total / block)}</td>'
        f'<td class="num">{_bytes(dear.proof)}</td><td class="num">{quality}</td>'
        f"{late if worst else ''}<td>{flags}</td></tr>"
    )


def _split(dear: Cost) -> str:
    parts = "".join(
        f'<i class="{kind}" style="width:{100 * part / max(dear.total, 1):.2f}%" title="{escape(words)}"></i>'
        for kind, part, words in dear.parts()
        if part
    )
    return f'<div class="split">{parts}</div>'


def _flags(ordered: Sequence[Result]) -> str:
    lines = "".join(
        f'<li><a href="#{_anchor(result)}">{escape(result.name)}</a> '
        f'<abbr class="flag {note.kind}">{note.kind}</abbr> {escape(note.text)}</li>'
        for result in ordered
        for note in sorted(result.findings, key=lambda n: n.kind)
    )
    if not lines:
        return '<section id="flags"><h2>Flags</h2><p>Nothing: every time grows in proportion.</p></section>'
    return f"""<section id="flags"><h2>Flags</h2>
<p><b>curved</b>: a parabola fits clearly better than the line, so that the weight is wrong between or
beyond the points; <b>noisy</b>: the middle half of the timings spreads widely, so measure again on a quiet
machine.</p>
<ul>{lines}</ul></section>"""


def _card(result: Result, block: int, worst: Sequence[Mapping[str, Any]]) -> str:
    components = result.components
    pictures = "".join(f"<figure>{plot(result, name)}</figure>" for name in components) or (
        f"<figure>{strip(result)}</figure>"
    )
    dear = cost(result, top(result))
    formula = " + ".join(
        [f"<b>{micros(result.time.base)}</b>", *(
            f"<b>{micros(result.time.slopes[name])}</b>{_error(result, name)} · {escape(name)}"
            for name in components
        )]
    )  # fmt: skip
    items = "".join(
        f"<tr><td>{escape(use.name)}</td><td class='num'>{use.reads:,}</td>"
        f"<td class='num'>{use.writes:,}</td>"
        f"<td class='num'>{_bytes(use.max_size) if use.max_size else 'no bound'}</td>"
        f"<td class='num'>{_bytes(use.proof)}</td></tr>"
        for use in result.storage
    )
    ranges = ", ".join(
        f"{escape(name)} from {part.low:,} to {part.high:,}"
        for name, part in result.measurement.benchmark.components.items()
    )
    notes = "".join(
        f'<p class="note"><abbr class="flag {note.kind}">{note.kind}</abbr> {escape(note.text)}</p>'
        for note in result.findings
    )
    tried = slowest(result.name, worst)
    block_of_it = (
        f"<p>A block of {int(tried['extrinsics']):,} such calls took <b>{float(tried['ratio']):.2f}</b> "
        f"of the {micros(int(tried['declared_ns']) * 1000)} that it declared.</p>"
        if tried
        else ""
    )
    table = (
        f"<table><thead><tr><th>storage</th><th class='num'>reads</th><th class='num'>writes</th>"
        f"<th class='num'>largest entry</th><th class='num'>proof</th></tr></thead>"
        f"<tbody>{items}</tbody></table>"
        if items
        else "<p>Touches no storage that counts.</p>"
    )
    quality = f" R² is {result.time.quality / 10:.1f} %." if components else ""
    return f"""<article id="{_anchor(result)}" data-pallet="{escape(_pallet(result))}">
<h3>{escape(result.name)}</h3><p>{escape(result.measurement.docs.partition(chr(10))[0])}
{f"<small>{ranges}</small>" if ranges else ""}</p>
<div class="body"><div class="facts">{_split(dear)}
<p>At its dearest <b>{micros(dear.total)}</b>, {_percent(dear.total / block)} of a block:
{", ".join(escape(words) for _, part, words in dear.parts() if part)}.</p>
<p>Time ≈ {formula}.{quality}<br>Reads = {as_sum(result.reads)}, writes = {as_sum(result.writes)},
proof ≤ {as_sum(result.proof)} bytes (measured here: {dear.recorded:,}).</p>{block_of_it}{notes}{table}</div>
<div class="plots">{pictures}</div></div></article>"""


def _error(result: Result, name: str) -> str:
    error = result.time.errors.get(name)
    return "" if error is None else f" <small>± {micros(error)}</small>"


def _method() -> str:
    return """<section id="method"><h2>How to read this</h2>
<p>Every dot is one timing, in reference time: the processor time of the thread, times what a fixed loop took
on the recorded machine over what it took beside the timing; ringed dots are medians. The line is the
least-squares fit through the middle half of the timings at each point; with the counts of database reads and
writes it becomes the weight. The stems below show what the line misses: scattered around zero they are noise;
bent like a bowl or a dome they say that the cost does not grow in proportion. Where a benchmark has several
components, each varies with the others at their top.</p></section>"""


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


class _Log:
    """A logarithmic scale to percent."""

    def __init__(self, low: float, high: float) -> None:
        self.low = math.log10(max(low, 1) * 0.8)
        self.high = math.log10(max(high, 10) * 1.25)

    def percent(self, value: float) -> float:
        return 100 * (math.log10(max(value, 1)) - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        return [float(10**power) for power in range(math.ceil(self.low), math.floor(self.high) + 1)]


def _serious(result: Result) -> bool:
    return any(note.kind != "noisy" for note in result.findings)


def _pallet(result: Result) -> str:
    return result.name.split("::")[0]


def _anchor(result: Result) -> str:
    return result.name.replace("::", "-")


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"


def _bytes(count: int | None) -> str:
    if count is None:
        return "–"
    if count < 10_000:
        return f"{count:,} B"
    return f"{count / 1024:,.1f} KiB" if count < 1 << 20 else f"{count / (1 << 20):,.2f} MiB"
