"""aiohttp's server without its client: what the node takes of aiohttp, it takes from here.

`import aiohttp` loads the client too, and with it, twice, the certificates of the machine: an eighth of the
time to boot, in the node and in each worker, none of which calls anybody. So the package is entered without
running its `__init__`, which runs all the same as soon as someone asks the package for one of its names.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from importlib.util import find_spec, module_from_spec
from threading import RLock
from types import ModuleType
from typing import Any

NAME = "aiohttp"
_loading = RLock()


class _Unopened(ModuleType):
    """The package before its `__init__` has run: its modules can be imported, its names are not there yet."""

    def __getattr__(self, name: str) -> Any:
        asked_by_python = name.startswith("__") and name != "__all__"
        if asked_by_python or find_spec(f"{NAME}.{name}") is not None:
            raise AttributeError(f"module {NAME!r} has no attribute {name!r}")  # a module: import finds it
        with _loading:
            if type(self) is _Unopened:
                self.__class__ = ModuleType  # type: ignore[assignment]
                assert self.__spec__ is not None and self.__spec__.loader is not None
                self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def _enter() -> None:
    spec = find_spec(NAME)
    if NAME in sys.modules or spec is None:
        return
    package = module_from_spec(spec)
    package.__class__ = _Unopened
    package.__version__ = version(NAME)  # type: ignore[attr-defined]
    sys.modules[NAME] = package


_enter()

from aiohttp import web  # noqa: E402
from aiohttp.http import WSCloseCode, WSMsgType  # noqa: E402

__all__ = ["WSCloseCode", "WSMsgType", "web"]
