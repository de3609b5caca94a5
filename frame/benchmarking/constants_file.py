"""Measured constants as Python."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

WIDTH = 100


def render_constants(
    title: str,
    command: str,
    notes: Sequence[str],
    imports: Sequence[str],
    values: Mapping[str, tuple[str, str]],
) -> str:
    """A module of constants: name → (expression, what it is). `notes` say how they were measured."""
    lines = [f'"""{title}, measured. Do not edit, but run', f"`{command}`.", ""]
    for note in notes:
        lines += textwrap.wrap(note, WIDTH)
    lines += ['"""', "", "from __future__ import annotations", "", "from typing import Final", ""]
    lines += [*imports, *([""] if imports else [])]
    for name, (expression, about) in values.items():
        lines += [f"{name}: Final = {expression}", f'"""{about}"""', ""]
    return "\n".join(lines).rstrip() + "\n"
