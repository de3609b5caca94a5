"""`gristmill demo`: one whole job on this machine, with nothing faked.

story.py      what happens: a node, a provider and a buyer, each a process, driven by their commands
actors.py     starting, logging and stopping those processes
recorder.py   a proxy between the actors and the node that keeps every byte
leaks.py      the byte scan over everything that left the provider
claims.py     what must hold in the end; the exit code is 0 only when all of it does
show.py       the summary for people
"""

import json
import signal
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from primitives.command import Command


def configure(parser: ArgumentParser) -> None:
    """Arguments of `gristmill demo`."""
    parser.add_argument("--model", choices=["mlp", "cnn", "both"], default="both", help="default: both")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep logs, traffic and results in DIR")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: Namespace) -> int:
    """Play the story, check its claims, show them; 1 when one does not hold."""
    from cli.demo import claims, show, story

    # Ended by a supervisor, the demo still stops its processes: the exception unwinds what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    names = ["mlp", "cnn"] if arguments.model == "both" else [arguments.model]
    told = story.play(names, arguments.keep, show.narrator(quiet=arguments.json))
    checked = [claims.check(job) for job in told.jobs]
    if arguments.json:
        print(json.dumps(show.figures(told, checked)))
    else:
        show.summary(told, checked)
    broken = [claim for job in checked for claim in job if not claim.holds]
    for claim in broken:
        print(f"error[ClaimBroken]: {claim.text}", file=sys.stderr)
    return 1 if broken else 0


COMMANDS = {
    "demo": Command(
        help="run one whole job: a chain, a provider and a buyer on this machine",
        configure=configure,
        run=run,
    )
}
