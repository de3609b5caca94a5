"""`gristmill provider`: a data directory, and the daemon that serves jobs beside private rows."""

import json
import logging
import signal
import sys
import threading
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from client.audit import Audit
from client.chain import Chain
from client.commands.shared import hex_of, show, verb
from client.dataset_file import DatasetFile
from client.errors import InputError
from client.files import private_directory, write_atomically
from client.keyring import Keyring
from client.provider import Provider
from client.provider_file import FILE_NAME, read_provider_file, template
from client.provider_secret import Lock, create_secret
from client.rpc import Rpc
from executor.readers import parse_shapes
from executor.rows import column_name
from primitives import ss58
from primitives.data import GivenWeights, Policy, WithoutDp

WITHOUT_DP: dict[type[object], str] = {
    WithoutDp.Never: "Jobs without differential privacy are refused.",
    WithoutDp.Trusted: "The buyers you listed get weights that may memorise single rows.",
    WithoutDp.Anyone: "Any buyer gets weights that may memorise single rows; a skilled one may read some "
    "out again.",
}
"""What a policy means, said plainly wherever one is put to use."""


def configure(parser: ArgumentParser) -> None:
    """Arguments of `gristmill provider`."""
    verbs = parser.add_subparsers(required=True, metavar="init | run")
    init = verb(verbs, "init", "make a data directory with a commented policy file and a secret", _init)
    init.add_argument("directory", type=Path)
    init.add_argument(
        "--file",
        type=Path,
        required=True,
        help="the private rows: .csv, .npz, .parquet, or a folder; read, never copied",
    )
    init.add_argument("--account", required=True, metavar="KEY", help="a key of the keyring, or //Alice")
    init.add_argument("--shape", action="append", default=[], metavar="COLUMN=SIZES", help="pixels=1,8,8")
    init.add_argument(
        "--without-dp",
        required=True,
        type=_people,
        metavar="WHO",
        help="who may train without differential privacy: never, anyone, or addresses separated by commas",
    )
    serve = verb(verbs, "run", "register the dataset if needed, then serve jobs until stopped", _run)
    serve.add_argument("directory", type=Path)
    serve.add_argument("--node", metavar="URL", help="the node (default: as provider.toml says)")
    serve.add_argument(
        "--audit-dir", type=Path, metavar="DIR", help="keep a plaintext copy of all that leaves"
    )
    serve.add_argument("--once", action="store_true", help="take the next step of every open job, then stop")


def _people(text: str) -> str | list[str]:
    """Who may train without differential privacy (an argparse type)."""
    if text in {"never", "anyone"}:
        return text
    addresses = [part.strip() for part in text.split(",")]
    for address in addresses:
        try:
            ss58.decode(address)
        except ValueError:
            raise ArgumentTypeError(f"{address!r} is neither never nor anyone nor an address") from None
    return addresses


def _init(arguments: Namespace) -> int:
    path = arguments.directory / FILE_NAME
    if path.exists():
        raise InputError("PolicyFileExists", f"there already is a {path}")
    rows = DatasetFile(arguments.file, parse_shapes(arguments.shape)).source(None)
    Keyring().get(arguments.account)
    text = template(arguments.account, arguments.file.resolve(), arguments.shape, arguments.without_dp)
    directory = private_directory(arguments.directory)
    write_atomically(path, text.encode())
    try:
        settings = read_provider_file(directory)
    except InputError:
        path.unlink()
        raise
    create_secret(directory)
    explain(settings.policy)
    return show(
        arguments,
        {"policy_file": str(path), "rows": rows.rows, "columns": list(map(column_name, rows.schema.columns))},
    )


def _run(arguments: Namespace) -> int:
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s: %(message)s", datefmt="%H:%M:%S"
    )
    read_provider_file(arguments.directory)  # says what is missing, before a lock is made there
    lock = Lock(arguments.directory)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell may start background jobs with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    try:
        audit = Audit(arguments.audit_dir) if arguments.audit_dir else None
        provider = provider_of(arguments, audit)
        dataset = provider.prepare()
        explain(provider.settings.policy)
        ready = {"dataset": dataset, "root": hex_of(provider.rows.root), "rows": provider.rows.rows}
        if arguments.json:
            print(json.dumps(ready), flush=True)
        logging.getLogger("gristmill.provider").info(
            "dataset %d: serving %d rows", dataset, provider.rows.rows
        )
        if arguments.once:
            provider.tick()
        else:
            provider.run(threading.Event())
    except KeyboardInterrupt:
        # Every step may be cut off anywhere: what was not done is still to be done, as after kill -9.
        logging.getLogger("gristmill.provider").info("stopped")
    finally:
        lock.release()
    return 0


def provider_of(arguments: Namespace, audit: Audit | None) -> Provider:
    """The provider of a data directory, talking to `--node` or the node of its policy file."""
    settings = read_provider_file(arguments.directory)
    rpc = Rpc(arguments.node or settings.node, patience=10.0)
    if audit is not None:
        rpc.tap = audit.traffic
    return Provider(arguments.directory, settings, Chain(rpc), Keyring().get(settings.account), audit)


def explain(policy: Policy) -> None:
    """Say on stderr what the policy means for the rows."""
    print(f"note: {WITHOUT_DP[type(policy.without_dp)]}", file=sys.stderr)
    if isinstance(policy.given_weights, GivenWeights.Trusted):
        print(
            "note: The buyers you listed may bring weights that are built to carry rows out.", file=sys.stderr
        )
