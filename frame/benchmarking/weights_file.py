"""Results as Python: a pallet's `weights.py`."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from frame.benchmarking.analysis import Fit
from frame.benchmarking.result import Result
from frame.benchmarking.text import as_sum, one_line, time_range

WIDTH = 110
INDENT = 8


def render_weights(pallet: str, results: Sequence[Result], command: str, header: Sequence[str]) -> str:
    """The source of the pallet's `weights.py`: a class `Weights` with one function for each benchmark.

    `header` are lines for the docstring: on what machine, and how, it was measured.
    """
    lines = [f'"""Weights of the pallet `{pallet}`, measured. Do not edit, but run', f"`{command}`.", ""]
    lines += [*header, '"""', "", "from __future__ import annotations", ""]
    body: list[str] = []
    for result in results:
        body += ["", *(f"    {line}" if line else "" for line in _function(result))]
    names = ["Weight", "WeightTable", *(["db"] if any(" db(" in line for line in body) else [])]
    lines += [f"from frame.weights import {', '.join(names)}, weight", "", ""]
    lines += ["class Weights(WeightTable):", '    """One function a benchmark."""']
    return "\n".join([*lines, *body]) + "\n"


def _function(result: Result) -> list[str]:
    arguments = ", ".join(f"{name}: int" for name in result.components)
    reads, writes = _expression(result.reads), _expression(result.writes)
    counts = "" if reads == writes == "0" else f" + db({reads}, {writes})"
    return [
        "@staticmethod",
        f"def {result.measurement.benchmark.name}({arguments}) -> Weight:",
        *_docstring(_docs(result)),
        *_returned(_expression(result.time), _expression(result.proof), counts),
    ]


def _returned(time: str, proof: str, counts: str) -> list[str]:
    """The body, broken as `ruff format` breaks it."""
    short = f"return weight({time}, {proof}){counts}"
    if len(short) <= WIDTH - INDENT:
        return [f"    {short}"]
    if len(time) + len(proof) + 2 <= WIDTH - INDENT - 4:
        return ["    return weight(", f"        {time}, {proof}", f"    ){counts}"]
    return ["    return weight(", f"        {time},", f"        {proof},", f"    ){counts}"]


def _docstring(lines: Sequence[str]) -> list[str]:
    if len(lines) == 1:
        return [f'    """{lines[0]}"""']
    return [f'    """{lines[0]}', *(f"    {line}".rstrip() for line in lines[1:]), '    """']


def _docs(result: Result) -> list[str]:
    first = f"{one_line(result.time)}. {time_range(result)}"
    lines = [*textwrap.wrap(first, WIDTH - INDENT - 3), ""]
    ranges = result.measurement.benchmark.components
    if ranges:
        text = ", ".join(f"`{name}` is in [{c.low}, {c.high}]" for name, c in ranges.items())
        lines += [*textwrap.wrap(f"{text}.", WIDTH - INDENT), ""]
    lines += [
        f"`{use.name}` (r:{use.reads} w:{use.writes}), at most {use.max_size or '?'} bytes an entry"
        for use in result.storage
    ]
    proof = f"Proof: {as_sum(result.proof)} bytes at most, {as_sum(result.recorded)} measured."
    return [*lines, *textwrap.wrap(proof, WIDTH - INDENT)]


def _expression(fit: Fit) -> str:
    parts = [f"{fit.base:_}"] if fit.base else []
    for name, slope in fit.slopes.items():
        if slope:
            parts.append(name if slope == 1 else f"{slope:_} * {name}")
    return " + ".join(parts) or "0"
