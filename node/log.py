"""Log lines on stderr that read like Substrate's: the time, then the sentence."""

from __future__ import annotations

import logging
import sys

from node.errors import BadOption

TRACE = 5
"""Below DEBUG: what comes in and goes out, word for word."""

LEVELS = {
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": TRACE,
    "off": logging.CRITICAL + 1,
}

ROOT = logging.getLogger()
logging.addLevelName(TRACE, "TRACE")


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        return (
            line
            if record.levelno == logging.INFO
            else f"{line[:19]} {record.levelname:>5} {record.name}:{line[19:]}"
        )


def start(directives: str = "") -> None:
    """Log to stderr. `directives` is Substrate's `-l`: `level` or `target=level`, separated by commas.

    Raises `BadOption` for a level that does not exist.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line("%(asctime)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S"))
    ROOT.handlers[:] = [handler]
    _Start.directives = directives
    reset()


class _Start:
    directives = ""


def direct(directives: str) -> None:
    """Set levels while the node runs. Raises `BadOption`, and sets none, for a level that does not exist."""
    parts = [directive.strip().rpartition("=") for directive in directives.split(",") if directive.strip()]
    for _, _, level in parts:
        if level not in LEVELS:
            raise BadOption(f"{level!r} is no log level: use one of {', '.join(LEVELS)}")
    for target, _, level in parts:
        logging.getLogger(target or None).setLevel(LEVELS[level])
        _directed[target] = None


_directed: dict[str, None] = {}


def reset() -> None:
    """Back to the levels of the start."""
    for target in _directed:
        logging.getLogger(target or None).setLevel(logging.NOTSET)
    _directed.clear()
    ROOT.setLevel(logging.INFO)
    direct(_Start.directives)


def short(digest: bytes) -> str:
    """A hash as people read it: `0x1234…abcd`."""
    text = digest.hex()
    return f"0x{text[:4]}…{text[-4:]}"
