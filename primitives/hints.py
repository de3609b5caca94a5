"""`typing.get_type_hints`, faster, for the hundreds of functions and classes that are read at the start.

Most annotations say the same few things (`U32`, `AccountId`, `Origin`): each text is compiled once.
"""

from __future__ import annotations

import sys
import typing
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import CodeType, FunctionType, NoneType, UnionType
from typing import Any, ForwardRef


def type_hints(owner: type | Callable[..., Any], localns: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What `typing.get_type_hints(owner, localns=localns, include_extras=True)` gives. Raises NameError.

    Annotations that are no texts, and texts with strings in them, are left to `typing`.
    """
    if isinstance(owner, type):
        bases = [
            (vars(base).get("__annotations__") or {}, *_spaces(base, localns))
            for base in reversed(owner.__mro__)
        ]
    elif type(owner) is FunctionType and not hasattr(owner, "__wrapped__"):
        space = owner.__globals__
        bases = [(owner.__annotations__, space, space if localns is None else localns)]
    else:
        return _slowly(owner, localns)
    found: dict[str, Any] = {}
    for written, globalns, names in bases:
        for name, text in written.items():
            if type(text) is not str or "'" in text or '"' in text:
                return _slowly(owner, localns)
            hint = eval(_compiled(text), globalns, names)
            if _is_for_typing(hint):
                return _slowly(owner, localns)
            found[name] = NoneType if hint is None else hint
    return found


def _is_for_typing(hint: Any) -> bool:
    """What is no type, which `typing` says better, or has names in it that are not looked up yet."""
    if not (hint is None or callable(hint) or isinstance(hint, UnionType)):
        return True
    return type(hint) is ForwardRef or any(
        type(part) is str or _is_for_typing(part) for part in getattr(hint, "__args__", ())
    )


def _spaces(base: type, localns: Mapping[str, Any] | None) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Where a class's annotations are looked up, globals and locals, in the order of `typing`."""
    module: dict[str, Any] = getattr(sys.modules.get(base.__module__), "__dict__", {})
    return (dict(vars(base)), module) if localns is None else (module, localns)


def _slowly(owner: Any, localns: Mapping[str, Any] | None) -> dict[str, Any]:
    names = None if localns is None else dict(localns)
    return typing.get_type_hints(owner, localns=names, include_extras=True)


@lru_cache(maxsize=4096)
def _compiled(text: str) -> CodeType:
    return compile(text, "<annotation>", "eval")
