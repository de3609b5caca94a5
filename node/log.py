"""Log lines on stderr that read like Substrate's: the time, then the sentence."""

from __future__ import annotations

import logging
import sys

from node.errors import BadOption

LEVELS = {
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": logging.DEBUG,
    "off": logging.CRITICAL + 1,
}

ROOT = logging.getLogger()


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
    ROOT.setLevel(logging.INFO)
    for directive in filter(None, directives.split(",")):
        target, _, level = directive.rpartition("=")
        if level not in LEVELS:
            raise BadOption(f"{level!r} is no log level: use one of {', '.join(LEVELS)}")
        logging.getLogger(target or None).setLevel(LEVELS[level])


def short(digest: bytes) -> str:
    """A hash as people read it: `0x1234…abcd`."""
    text = digest.hex()
    return f"0x{text[:4]}…{text[-4:]}"
