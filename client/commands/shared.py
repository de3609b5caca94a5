"""What the commands share: options, amounts, and how results are shown.

People read tables on stderr's terminal width; `--json` puts one JSON object and nothing else on stdout.
"""

import json
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace, _SubParsersAction
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Any

from client.chain import Chain
from client.keyring import Identity, Keyring
from client.rpc import DEFAULT_URL, Rpc
from primitives import ss58
from primitives.command import printable

UNIT = 10**12
EXACT = Context(prec=100)
"""Amounts have up to 39 digits; the usual context would round to 28."""
NODE_VARIABLE = "GRISTMILL_NODE"
SHORT = 16
"""Characters of a cell that a table does not break."""
Run = Callable[[Namespace], int]


def verb(verbs: "_SubParsersAction[ArgumentParser]", name: str, help: str, run: Run) -> ArgumentParser:
    """A sub-command such as `job submit`, with `--json`."""
    parser = verbs.add_parser(name, help=help, description=f"{help[:1].upper()}{help[1:]}.")
    parser.set_defaults(verb=run)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    return parser


def run_verb(arguments: Namespace) -> int:
    """Run the sub-command that was parsed."""
    run: Run = arguments.verb
    return run(arguments)


def add_node(parser: ArgumentParser) -> None:
    """`--node`, with the environment's default."""
    told = os.environ.get(NODE_VARIABLE, DEFAULT_URL)
    parser.add_argument("--node", default=told, metavar="URL", help=f"the node (default {told})")


def add_from(parser: ArgumentParser) -> None:
    """`--from`: who signs."""
    parser.add_argument(
        "--from",
        dest="key",
        required=True,
        metavar="KEY",
        help="a key of the keyring, or a development key such as //Alice",
    )


def chain_of(arguments: Namespace) -> Chain:
    """The chain behind `--node`."""
    return Chain(Rpc(arguments.node))


def identity_of(arguments: Namespace) -> Identity:
    """The key that `--from` names."""
    return Keyring().get(arguments.key)


def which(text: str) -> int:
    """The number of a job or dataset (an argparse type)."""
    if not (text.isascii() and text.isdigit()) or int(text) >= 2**32:
        raise ArgumentTypeError(f"{text!r} is no number from 0 to {2**32 - 1}")
    return int(text)


def amount(text: str) -> int:
    """An amount in GRIST, such as 1.5, as smallest units (an argparse type)."""
    try:
        units = EXACT.multiply(Decimal(text), UNIT)
        valid = units.is_finite() and units == units.to_integral_value() and 0 <= units < 2**128
    except ArithmeticError:
        valid = False
    if not valid:
        raise ArgumentTypeError(f"{text!r} is no amount in GRIST with at most 12 decimals")
    return int(units)


def grist(units: int) -> str:
    """An amount for people, exact."""
    whole, rest = divmod(units, UNIT)
    return f"{whole}.{rest:012d}".rstrip("0").rstrip(".") + " GRIST"


def hex_of(data: bytes) -> str:
    """Bytes for people and JSON."""
    return "0x" + data.hex()


def address(account: bytes) -> str:
    """An account for people and JSON."""
    return ss58.encode(account)


def moment(ms: int) -> str:
    """A moment on the chain for people."""
    try:
        return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{ms:,} ms"


def shorter(address: str) -> str:
    """An address in a table, where whole ones would not fit side by side."""
    return f"{address[:6]}…{address[-6:]}"


def show(arguments: Namespace, figures: Mapping[str, Any], shown: Mapping[str, str] | None = None) -> int:
    """Print one result: JSON of `figures`, or a line a figure, where `shown` replaces figures for people.

    Lines are not wrapped: hashes and addresses are there to be copied.
    """
    if arguments.json:
        print(json.dumps(figures))
        return 0
    rows = [(name.replace("_", " "), _plain(value)) for name, value in {**figures, **(shown or {})}.items()]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        if value:
            print(f"{name:<{width}}  {value}")
    return 0


def show_rows(arguments: Namespace, rows: Iterable[Mapping[str, Any]], nothing: str) -> int:
    """Print many results: a JSON list, or a table with a column a name."""
    found = list(rows)
    if arguments.json:
        print(json.dumps(found))
        return 0
    if not found:
        print(nothing, file=sys.stderr)
        return 0
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in found[0]:
        short = all(len(_plain(row[name])) <= SHORT for row in found)
        table.add_column(name.replace("_", " "), overflow="fold", no_wrap=short)
    for row in found:
        table.add_row(*(escape(_plain(value)) for value in row.values()))
    Console(highlight=False).print(table)
    return 0


def _plain(value: Any) -> str:
    """A cell's text; empty for nothing."""
    if isinstance(value, Mapping):
        value = [f"{name} {part}" for name, part in value.items()]
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_plain, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable("" if value is None else f"{value:,}" if isinstance(value, int) else str(value))


@contextmanager
def spinner(title: str) -> Iterator[None]:
    """A moving mark on stderr while something is waited for; a plain line where nobody watches."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        print(f"{title} …", file=sys.stderr)
        yield
        return
    with console.status(title):
        yield


@contextmanager
def progress_bar(title: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, drawn only where a person reads it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
