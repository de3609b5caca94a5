"""Whose keys: a keyring file of named secrets, readable by its owner only.

The file is JSON, `{"keys": {name: {"scheme": "sr25519", "secret": "phrase, 0xseed or URI"}}}`, at
`$GRISTMILL_KEYRING` or `~/.config/gristmill/keyring.json`. Commands name a key, never a secret; only the
development keys (`//Alice` and the like), which everybody knows, may be written out.

Every key also has an encryption key (ristretto255), derived from the same secret, so that one phrase is the
whole backup.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from client.errors import InputError
from client.files import held, private_directory, read_private, write_atomically
from primitives.hashing import tagged
from primitives.keys import Keypair, Scheme
from primitives.sealing import ORDER, public_key

VARIABLE = "GRISTMILL_KEYRING"
NAME_MAX = 64
PHRASE_WORDS = 12
"""The shortest secret phrase."""


@dataclass(frozen=True)
class Identity:
    """A named key pair and the encryption key that goes with it. Its text form shows the address only."""

    name: str
    keypair: Keypair
    seal_secret: bytes
    seal_public: bytes

    def __repr__(self) -> str:
        return f"Identity({self.name}, {self.keypair.address})"


def default_path() -> Path:
    """Where the keyring is: the environment decides, else the user's configuration directory."""
    told = os.environ.get(VARIABLE)
    return Path(told) if told else Path.home() / ".config" / "gristmill" / "keyring.json"


def encryption_secret(secret: str) -> bytes:
    """The scalar that belongs to a secret phrase or URI: 64 hashed bytes reduced, never zero."""
    text = secret.encode()
    wide = tagged("encryption-key", b"\0", text) + tagged("encryption-key", b"\1", text)
    return (int.from_bytes(wide, "little") % (ORDER - 1) + 1).to_bytes(32, "little")


def identity_of(name: str, secret: str, scheme: Scheme = Scheme.SR25519) -> Identity:
    """The identity behind a secret. Raises InputError BadSecret without repeating it."""
    try:
        keypair = Keypair.from_uri(secret, scheme)
    except ValueError:
        raise InputError("BadSecret", f"the secret of key {name!r} is no phrase, seed or URI") from None
    scalar = encryption_secret(secret)
    return Identity(name, keypair, scalar, public_key(scalar))


def no_such_key(text: str, why: str) -> InputError:
    """The error for a name that names no key. A phrase that somebody typed in its place is not repeated:
    errors go into logs.
    """
    if len(text.split()) < PHRASE_WORDS:
        return InputError("NoSuchKey", why)
    return InputError(
        "SecretOnCommandLine",
        "that looks like a secret phrase, and others see a command line (`ps`, the shell's history): put it "
        "into a file that only you can read, and keep it by `gristmill key insert NAME --secret-file FILE`",
    )


class Keyring:
    """The keys in one file."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or default_path()

    def names(self) -> list[str]:
        """Names of the keys, sorted."""
        return sorted(self._read())

    def get(self, name: str) -> Identity:
        """A key by name, or a development key by URI. InputError NoSuchKey, SecretExposed, BadKeyring."""
        if name.startswith("//"):
            return identity_of(name, name)
        entry = self._read().get(name)
        if entry is None:
            raise no_such_key(
                name, f"there is no key {name!r} in {self.path}; make one: gristmill key generate"
            )
        return identity_of(name, entry["secret"], Scheme[entry["scheme"].upper()])

    def add(self, name: str, secret: str, scheme: Scheme = Scheme.SR25519) -> Identity:
        """Keep a secret under a new name. Raises InputError BadName, KeyExists."""
        if not name or len(name) > NAME_MAX or name.startswith("/") or not name.isprintable():
            raise InputError(
                "BadName", f"a key's name has 1 to {NAME_MAX} characters and does not start with /"
            )
        identity = identity_of(name, secret, scheme)
        private_directory(self.path.parent)
        with held(self.path):  # between reading and writing, nobody else adds a key
            keys = self._read()
            if name in keys:
                raise InputError("KeyExists", f"there is already a key {name!r} in {self.path}")
            entry = {"scheme": scheme.name.lower(), "secret": secret}
            write_atomically(self.path, json.dumps({"keys": {**keys, name: entry}}, indent=1).encode())
        return identity

    def _read(self) -> dict[str, Mapping[str, Any]]:
        if not self.path.exists():
            return {}
        try:
            keys = json.loads(read_private(self.path))["keys"]
            valid = all(
                isinstance(entry["secret"], str) and entry["scheme"].upper() in Scheme.__members__
                for entry in keys.values()
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            valid, keys = False, {}
        if not valid:
            raise InputError("BadKeyring", f"{self.path} is no keyring file")
        return dict(keys)
