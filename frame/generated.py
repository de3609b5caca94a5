"""Functions made of source text, as `dataclasses` makes them. The same text is compiled once; what its names
mean differs from machine to machine.
"""

from __future__ import annotations

from functools import lru_cache
from types import CodeType
from typing import Any


def function(name: str, text: str, names: dict[str, Any]) -> Any:
    """The function `name` that `text` defines, where it sees `names`."""
    space = dict(names)
    exec(_compiled(name, text), space)
    return space[name]


@lru_cache(maxsize=1024)
def _compiled(name: str, text: str) -> CodeType:
    return compile(text, f"<frame {name}>", "exec")
