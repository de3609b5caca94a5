"""What a command of `gristmill` is: a line of help, its arguments, and the function that runs it.

Lower layers may not import `cli`, so the type that both sides agree on lives here.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import NamedTuple


class Command(NamedTuple):
    """One command; a module offers its own as `COMMANDS: Mapping[str, Command]`, keyed by name."""

    help: str
    """One line for the list of commands, without a full stop."""
    configure: Callable[[ArgumentParser], None]
    """Adds the command's arguments to a parser of its own."""
    run: Callable[[Namespace], int]
    """Runs with the parsed arguments; returns 0, or 1 when a claim did not hold. Errors are raised."""


def printable(text: str) -> str:
    """Text for a terminal: what is no visible character becomes `?`.

    Names on the chain and in files are other people's bytes, and an escape sequence among them could repaint
    what a person reads.
    """
    return "".join(character if character.isprintable() else "?" for character in text)
