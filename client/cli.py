"""The client's part of the `gristmill` command. A word's module is imported when the word is used."""

from argparse import ArgumentParser
from importlib import import_module

from client.commands.shared import run_verb
from primitives.command import Command


def _command(word: str, help: str) -> Command:
    def configure(parser: ArgumentParser) -> None:
        import_module(f"client.commands.{word}").configure(parser)

    return Command(help=help, configure=configure, run=run_verb)


COMMANDS = {
    "key": _command("key", "make and look at keys"),
    "dataset": _command("dataset", "check, publish, list and show datasets"),
    "provider": _command("provider", "serve training jobs beside private data"),
    "job": _command("job", "quote, submit and follow training jobs, fetch their results"),
}
