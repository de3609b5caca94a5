"""Keys that an operator gives to the node, as Substrate's nodes keep them: one file a key in `keystore/`.

The file's name is the key type (4 bytes) and the public key in hex, its content the secret URI as a JSON
string; only the owner may read it. Source: `substrate/client/keystore/src/local.rs`.
"""

from __future__ import annotations

import json
from pathlib import Path

from node.errors import BadOption
from primitives.files import write_whole

KEY_TYPE_LENGTH = 4
MAX_PUBLIC = 64
MAX_URI = 4096


class Keystore:
    """The folder of the keys; made with the first one."""

    def __init__(self, folder: Path | None) -> None:
        """None: keys live as long as the node."""
        self._folder = folder
        self._memory: dict[str, str] = {}

    def insert(self, key_type: str, uri: str, public: bytes) -> None:
        """Keep a key, also again; raises `BadOption` for what is none."""
        if len(uri) > MAX_URI:
            raise BadOption(f"a secret URI has at most {MAX_URI} characters")
        name = _name(key_type, public)
        if self._folder is None:
            self._memory[name] = uri
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self._folder / name, json.dumps(uri).encode(), mode=0o600)

    def has(self, public: bytes, key_type: str) -> bool:
        """Whether the key is here; raises `BadOption` for a key type that is none."""
        name = _name(key_type, public)
        return name in self._memory if self._folder is None else (self._folder / name).is_file()


def _name(key_type: str, public: bytes) -> str:
    kind = key_type.encode()
    if len(kind) != KEY_TYPE_LENGTH:
        raise BadOption("Invalid key type ID format (should be of length four)")
    if not 0 < len(public) <= MAX_PUBLIC:
        raise BadOption(f"a public key has 1 to {MAX_PUBLIC} bytes, not {len(public)}")
    return kind.hex() + public.hex()
