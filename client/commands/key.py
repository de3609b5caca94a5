"""`gristmill key`: make and look at keys. Secrets are shown only when asked for, and read from files only;
the development keys (`//Alice` and the like), which everybody knows, may be written out.
"""

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace, _SubParsersAction
from pathlib import Path

from client.commands.shared import hex_of, show, show_rows, verb
from client.errors import InputError
from client.files import read_private, write_atomically
from client.keyring import Identity, Keyring, no_such_key
from primitives import node_key, ss58
from primitives.keys import Keypair, Scheme, SecretError, generate_mnemonic, verify

VERBS = "generate | inspect | insert | sign | verify | generate-node-key | inspect-node-key"
NETWORKS = {"substrate": 42, "polkadot": 0, "kusama": 2}
"""Names that Substrate's tools know; any prefix may be given as a number."""
MESSAGE_MAX = 64 << 20


def configure(parser: ArgumentParser) -> None:
    """Arguments of `gristmill key`."""
    verbs = parser.add_subparsers(required=True, metavar=VERBS)
    generate = verb(verbs, "generate", "make a key; with a name, and keep it in the keyring", _generate)
    generate.add_argument(
        "name", nargs="?", help="what to call it; without one, the phrase is printed, not kept"
    )
    _add_scheme(generate)
    _add_network(generate)
    generate.add_argument("-w", "--words", type=int, choices=[12, 15, 18, 21, 24], default=12)
    _add_secret_file(generate, "keep the secret in this private file instead of a new one")
    generate.add_argument(
        "--show-secret", action="store_true", help="print the secret phrase once, for a backup"
    )
    inspect = verb(verbs, "inspect", "show a key's public side; without a name, all keys", _inspect)
    inspect.add_argument(
        "name", nargs="?", help="a key of the keyring, //Alice, an address, a public key in hex"
    )
    _add_scheme(inspect)
    _add_network(inspect)
    _add_secret_file(inspect, "the key whose secret is in this private file")
    insert = verb(verbs, "insert", "keep a secret that you have in the keyring", _generate)
    insert.set_defaults(words=12, show_secret=False, network=ss58.DEV_PREFIX)
    insert.add_argument("name", help="what to call it")
    _add_scheme(insert)
    _add_secret_file(insert, "the private file with the phrase, seed or URI", required=True)
    _configure_signing(verbs)
    _configure_node_keys(verbs)


def _configure_signing(verbs: "_SubParsersAction[ArgumentParser]") -> None:
    sign = verb(verbs, "sign", "sign a message (stdin unless --message)", _sign)
    sign.add_argument("name", help="a key of the keyring, or //Alice")
    check = verb(verbs, "verify", "check a signature; exit code 1 if it does not hold", _verify)
    check.add_argument("signature", type=_hex, help="in hex")
    check.add_argument("signer", help="an address, a key of the keyring, //Alice, or a public key in hex")
    _add_scheme(check)
    for parser in (sign, check):
        parser.add_argument("--message", help="the text, instead of stdin")
        parser.add_argument("--hex", action="store_true", help="the message is given in hex")


def _configure_node_keys(verbs: "_SubParsersAction[ArgumentParser]") -> None:
    made = verb(
        verbs, "generate-node-key", "make the key that names a node; its peer id to stderr", _node_key
    )
    made.add_argument("--file", type=Path, metavar="FILE", help="write it there, for --node-key-file")
    made.add_argument("--bin", action="store_true", help="raw bytes instead of hex")
    shown = verb(verbs, "inspect-node-key", "print the peer id of a node key (stdin unless --file)", _peer_id)
    shown.add_argument("--file", type=Path, metavar="FILE", help="the node key's file")


def _add_scheme(parser: ArgumentParser) -> None:
    names = [scheme.name.lower() for scheme in (Scheme.SR25519, Scheme.ED25519, Scheme.ECDSA)]
    parser.add_argument("--scheme", type=str.lower, choices=names, default=names[0])


def _add_network(parser: ArgumentParser) -> None:
    parser.add_argument(
        "-n",
        "--network",
        type=_network,
        default=ss58.DEV_PREFIX,
        metavar="NAME|PREFIX",
        help=f"whose addresses to print: {', '.join(NETWORKS)} or a prefix (default {ss58.DEV_PREFIX})",
    )


def _add_secret_file(parser: ArgumentParser, help: str, required: bool = False) -> None:
    parser.add_argument("--secret-file", type=Path, metavar="FILE", help=help, required=required)


def _network(text: str) -> int:
    prefix = NETWORKS.get(text.lower(), int(text) if text.isascii() and text.isdigit() else -1)
    try:
        ss58.encode(bytes(32), prefix)
    except ss58.Ss58Error:
        raise ArgumentTypeError(f"{text!r} is no network") from None
    return prefix


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise ArgumentTypeError("expected hex digits") from None


# ── keys of accounts ────────────────────────────────────────────────────────


def _generate(arguments: Namespace) -> int:
    secret, scheme = _secret(arguments), Scheme[arguments.scheme.upper()]
    if arguments.name is None:
        return show(
            arguments, {"secret_phrase": secret, **_pair(Keypair.from_uri(secret, scheme), arguments.network)}
        )
    keyring = Keyring()
    identity = keyring.add(arguments.name, secret, scheme)
    figures = {**_public(identity, arguments.network), "keyring": str(keyring.path)}
    if arguments.show_secret:
        figures["secret"] = secret
    return show(arguments, figures)


def _secret(arguments: Namespace) -> str:
    if arguments.secret_file is None:
        return generate_mnemonic(arguments.words)
    return _secret_in(arguments.secret_file)


def _secret_in(file: Path) -> str:
    text = read_private(file).decode(errors="replace").strip()
    if not text or "\n" in text:
        raise InputError("BadSecret", f"{file} does not hold one line with a secret")
    return text


def _pair(pair: Keypair, network: int) -> dict[str, object]:
    """What Substrate's `key generate` shows, in its order."""
    return {
        "network_id": network,
        "secret_seed": None if pair.seed is None else hex_of(pair.seed),
        "public_key": hex_of(pair.public),
        "account_id": hex_of(pair.account_id),
        "address": ss58.encode(pair.account_id, network),
    }


def _inspect(arguments: Namespace) -> int:
    keyring, name, network = Keyring(), arguments.name, arguments.network
    scheme = Scheme[arguments.scheme.upper()]
    if arguments.secret_file is not None:
        figures = _pair(_of_uri(_secret_in(arguments.secret_file), scheme), network)
        return show(arguments, {key: value for key, value in figures.items() if key != "secret_seed"})
    if name is None:
        rows = [_public(keyring.get(name), network) for name in keyring.names()]
        if not arguments.json:
            rows = [{name: row[name] for name in ("name", "scheme", "address")} for row in rows]
        return show_rows(arguments, rows, f"no keys in {keyring.path}")
    if name in keyring.names():
        return show(arguments, _public(keyring.get(name), network))
    if name.startswith("//"):
        identity = keyring.get(name)
        if scheme is Scheme.SR25519:
            return show(arguments, _public(identity, network))
        return show(arguments, {"name": name, **_pair(_of_uri(name, scheme), network)})
    if name.startswith("0x"):
        account = _public_key(name)
        return show(arguments, {"account": hex_of(account), "address": ss58.encode(account, network)})
    account, prefix = _address(name, keyring)
    return show(arguments, {"address": name, "account": hex_of(account), "prefix": prefix})


def _of_uri(uri: str, scheme: Scheme) -> Keypair:
    try:
        return Keypair.from_uri(uri, scheme)
    except ValueError:
        raise InputError("BadSecret", "the secret is no phrase, seed or URI of this scheme") from None


def _address(text: str, keyring: Keyring) -> tuple[bytes, int]:
    try:
        return ss58.decode(text)
    except ValueError:
        raise no_such_key(text, f"{text} is no key in {keyring.path} and no address") from None


def _public_key(text: str) -> bytes:
    try:
        account = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        account = b""
    if len(account) != 32:
        raise InputError("BadAccount", f"{text} is no public key of 32 bytes in hex")
    return account


def _public(identity: Identity, network: int = ss58.DEV_PREFIX) -> dict[str, object]:
    return {
        "name": identity.name,
        "address": ss58.encode(identity.keypair.account_id, network),
        "account": hex_of(identity.keypair.account_id),
        "scheme": identity.keypair.scheme.name.lower(),
        "encryption_key": hex_of(identity.seal_public),
    }


# ── signatures ──────────────────────────────────────────────────────────────


def _message(arguments: Namespace) -> bytes:
    if arguments.message is not None:
        data = arguments.message.encode()
    else:
        data = sys.stdin.buffer.read(MESSAGE_MAX + 1)
        if len(data) > MESSAGE_MAX:
            raise InputError("MessageTooLarge", f"the message has more than {MESSAGE_MAX} bytes")
    if not arguments.hex:
        return bytes(data)
    try:
        return bytes.fromhex(data.decode("ascii").strip().removeprefix("0x"))
    except ValueError:
        raise InputError("BadMessage", "the message is not hexadecimal") from None


def _sign(arguments: Namespace) -> int:
    signature = Keyring().get(arguments.name).keypair.sign(_message(arguments))
    return show(arguments, {"signature": hex_of(signature)})


def _verify(arguments: Namespace) -> int:
    keyring, name = Keyring(), arguments.signer
    scheme, account = Scheme[arguments.scheme.upper()], b""
    if name in keyring.names():
        pair = keyring.get(name).keypair
        scheme, account = pair.scheme, pair.account_id
    elif name.startswith("//"):
        account = _of_uri(name, scheme).account_id
    else:
        account = _public_key(name) if name.startswith("0x") else _address(name, keyring)[0]
    holds = verify(scheme, arguments.signature, _message(arguments), account)
    show(arguments, {"verified": holds})
    return 0 if holds else 1


# ── keys of nodes ───────────────────────────────────────────────────────────


def _node_key(arguments: Namespace) -> int:
    seed = node_key.generate()
    data = seed if arguments.bin else seed.hex().encode()
    print(node_key.peer_id(seed), file=sys.stderr)
    if arguments.file is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return 0
    if os.path.lexists(arguments.file):
        raise InputError("FileExists", f"there is already a file {arguments.file}")
    write_atomically(arguments.file, data)
    return 0


def _peer_id(arguments: Namespace) -> int:
    data = sys.stdin.buffer.read(1024) if arguments.file is None else read_private(arguments.file)
    try:
        seed = node_key.parse(data)
    except SecretError as error:
        raise InputError("BadSecret", str(error)) from None
    return (
        show(arguments, {"peer_id": node_key.peer_id(seed)})
        if arguments.json
        else _say(node_key.peer_id(seed))
    )


def _say(text: str) -> int:
    print(text)
    return 0
