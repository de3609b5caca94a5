"""`gristmill try-state` and `try-upgrade`: is a state sound, and what would this program's first block do to
it. Nothing is written.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from typing import Any

from node.commands import flags
from node.commands.block_names import block_named


def configure_try_state(parser: ArgumentParser) -> None:
    """Which block."""
    parser.add_argument("--list", action="store_true", help="say what would be checked, and stop")
    _add(parser)


def configure_try_upgrade(parser: ArgumentParser) -> None:
    """Which block."""
    _add(parser)


def _add(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--at", metavar="HASH|NUMBER", help="the block whose state is tried (default: the best one)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    flags.add_chain(parser)


def try_state(arguments: Namespace) -> int:
    """Check every invariant of every pallet; 1 when one does not hold, each named on a line of its own."""
    from frame.invariants import invariants_of
    from frame.try_runtime import try_state as found_in
    from runtime import GristmillRuntime

    checks = [(p.name, name, docs) for p in GristmillRuntime.pallets for name, docs in invariants_of(p)]
    if arguments.list:
        _list(checks, arguments.json)
        return 0
    with flags.open_chain(arguments) as chain:
        head = block_named(chain, arguments.at)
        found = found_in(chain.runtime, chain.state(head.hash))
    where = f"block #{head.number} (0x{head.hash.hex()})"
    if arguments.json:
        rows = [{"pallet": v.pallet, "invariant": v.invariant, "text": v.text} for v in found]
        print(json.dumps({**_block(head), "checked": len(checks), "violations": rows}, indent=2))
    else:
        for violation in found:
            print(violation)
        broken = len({(v.pallet, v.invariant) for v in found})
        print(
            f"{broken} of {len(checks)} invariants do not hold at {where}"
            if found
            else f"all {len(checks)} invariants hold at {where}"
        )
    return 1 if found else 0


def _list(checks: list[tuple[str, str, str]], as_data: bool) -> None:
    if as_data:
        print(json.dumps([{"pallet": p, "invariant": n, "says": d} for p, n, d in checks], indent=2))
        return
    for pallet, name, docs in checks:
        print(f"{pallet}.{name}: {' '.join(docs.split())}")


def try_upgrade(arguments: Namespace) -> int:
    """Run the migrations that this program would run on the state, with their checks; 1 for a problem."""
    from frame.try_runtime import try_upgrade as tried

    with flags.open_chain(arguments) as chain:
        head = block_named(chain, arguments.at)
        report = tried(chain.runtime, chain.state(head.hash))
    if arguments.json:
        print(
            json.dumps(
                {
                    **_block(head),
                    "from": report.old_version,
                    "to": report.new_version,
                    "due": report.is_due,
                    "migrations": [
                        {"pallet": m.pallet, "name": m.name, "to": m.to, "ref_time": m.weight.ref_time}
                        for m in report.migrations
                    ],
                    "problems": report.problems,
                },
                indent=2,
            )
        )
        return 1 if report.problems else 0
    for done in report.migrations:
        milliseconds = done.weight.ref_time / 10**9
        print(f"{done.pallet}: to storage version {done.to} by {done.name} ({milliseconds:.1f} ms)")
    for problem in report.problems:
        print(f"problem: {problem}")
    change = f"spec version {report.old_version} to {report.new_version}"
    if report.problems:
        print(f"The upgrade from {change} fails at block #{head.number}.")
        return 1
    print(
        f"The upgrade from {change} works at block #{head.number}."
        if report.is_due
        else f"No upgrade is due at block #{head.number}: the state has spec version {report.old_version}."
    )
    return 0


def _block(head: Any) -> dict[str, Any]:
    return {"block": head.number, "hash": "0x" + head.hash.hex()}
