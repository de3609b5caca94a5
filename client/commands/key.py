"""`gristmill key`: make and look at keys. Secrets are shown only when asked for, and read from files only."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from client.commands.shared import hex_of, show, show_rows, verb
from client.errors import InputError
from client.files import read_private
from client.keyring import Identity, Keyring
from primitives import ss58
from primitives.keys import Scheme, generate_mnemonic


def configure(parser: ArgumentParser) -> None:
    """Arguments of `gristmill key`."""
    verbs = parser.add_subparsers(required=True, metavar="generate | inspect")
    generate = verb(verbs, "generate", "make a key and keep it in the keyring", _generate)
    generate.add_argument("name", help="what to call it")
    generate.add_argument("--scheme", choices=["sr25519", "ed25519", "ecdsa"], default="sr25519")
    generate.add_argument("--words", type=int, choices=[12, 15, 18, 21, 24], default=12)
    generate.add_argument(
        "--secret-file",
        type=Path,
        metavar="FILE",
        help="keep the secret in this private file instead of a new one",
    )
    generate.add_argument(
        "--show-secret", action="store_true", help="print the secret phrase once, for a backup"
    )
    inspect = verb(verbs, "inspect", "show a key's public side; without a name, all keys", _inspect)
    inspect.add_argument("name", nargs="?", help="a key of the keyring, //Alice, or an address")


def _generate(arguments: Namespace) -> int:
    secret = _secret(arguments)
    keyring = Keyring()
    identity = keyring.add(arguments.name, secret, Scheme[arguments.scheme.upper()])
    figures = {**_public(identity), "keyring": str(keyring.path)}
    if arguments.show_secret:
        figures["secret"] = secret
    return show(arguments, figures)


def _secret(arguments: Namespace) -> str:
    if arguments.secret_file is None:
        return generate_mnemonic(arguments.words)
    text = read_private(arguments.secret_file).decode(errors="replace").strip()
    if not text or "\n" in text:
        raise InputError("BadSecret", f"{arguments.secret_file} does not hold one line with a secret")
    return text


def _inspect(arguments: Namespace) -> int:
    keyring = Keyring()
    if arguments.name is None:
        rows = [_public(keyring.get(name)) for name in keyring.names()]
        if not arguments.json:
            rows = [{name: row[name] for name in ("name", "scheme", "address")} for row in rows]
        return show_rows(arguments, rows, f"no keys in {keyring.path}")
    if arguments.name in keyring.names() or arguments.name.startswith("//"):
        return show(arguments, _public(keyring.get(arguments.name)))
    try:
        account, prefix = ss58.decode(arguments.name)
    except ValueError:
        raise InputError(
            "NoSuchKey", f"{arguments.name} is no key in {keyring.path} and no address"
        ) from None
    return show(arguments, {"address": arguments.name, "account": hex_of(account), "prefix": prefix})


def _public(identity: Identity) -> dict[str, object]:
    return {
        "name": identity.name,
        "address": identity.keypair.address,
        "account": hex_of(identity.keypair.account_id),
        "scheme": identity.keypair.scheme.name.lower(),
        "encryption_key": hex_of(identity.seal_public),
    }
