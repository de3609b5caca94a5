"""How a command's words are read, and what is said of those that mean nothing here.

People come with the command lines of other Substrate nodes. A flag whose meaning this node lacks, or has
under another name, is refused like any unknown one, and the sentence says what to do instead.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from difflib import get_close_matches
from typing import Any, NoReturn

_NO_PEERS = "there are no peers: one node makes all blocks"
_ONE_PORT = "HTTP and WebSocket share one port: --rpc-port"
_IN_FILES = "keys come by `author_insertKey` and lie in the base path"

ELSEWHERE: dict[str, str] = {
    "--bootnodes": _NO_PEERS,
    "--reserved-nodes": _NO_PEERS,
    "--reserved-only": _NO_PEERS,
    "--in-peers": _NO_PEERS,
    "--out-peers": _NO_PEERS,
    "--sync": _NO_PEERS,
    "--light": _NO_PEERS,
    "--ws-port": _ONE_PORT,
    "--ws-external": "it is --rpc-external",
    "--unsafe-ws-external": "it is --unsafe-rpc-external",
    "--ws-max-connections": "it is --rpc-max-connections",
    "--rpc-listen-addr": "it is --rpc-port, with --rpc-external for all interfaces",
    "--experimental-rpc-endpoint": "it is --rpc-port, with --rpc-external for all interfaces",
    "--url": "it is --node",
    "--rpc-max-payload": "it is --rpc-max-request-size and --rpc-max-response-size",
    "--pruning": "it is --state-pruning",
    "--keep-blocks": "it is --blocks-pruning",
    "--instant-seal": "it is --sealing instant, the default",
    "--block-time": "it is --sealing interval=MS",
    "--keystore-path": _IN_FILES,
    "--password": _IN_FILES,
    "--password-filename": _IN_FILES,
    "--password-interactive": _IN_FILES,
    "--suri": "a secret comes from a file (--secret-file), or is a development key such as //Alice",
    "--output-type": "it is --json",
    "--wasm-execution": "the runtime is part of the program",
    "--execution": "the runtime is part of the program",
    "--runtime": "the runtime is part of the program",
    "--heap-pages": "the runtime is part of the program",
    "--tracing-targets": "there is no tracing: -l sets what is logged",
    "--chain": "this needs no chain",
    "--dev": "this needs no chain",
    "--template": "`weights.py` has one form",
}
"""Flags of Substrate's nodes and tools, with what stands in for them."""


class Words(ArgumentParser):
    """The parser of one command, and of its sub-commands. Flags are whole words."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **options})

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Name the unknown words here, where the flags of this command are known."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(self._unknown(unknown))
        return found, unknown

    def _unknown(self, words: list[str]) -> str:
        flag = next((word.partition("=")[0] for word in words if word.startswith("-")), None)
        if flag is None:
            return f"nothing here takes {' '.join(words)!r}"
        if flag in ELSEWHERE:
            return f"there is no {flag}: {ELSEWHERE[flag]}"
        near = get_close_matches(flag, self._option_string_actions, 1)
        return f"there is no {flag}" + (f"; did you mean {near[0]}?" if near else "")

    def error(self, message: str) -> NoReturn:
        """One sentence, and exit code 2: the whole usage would push it off the screen."""
        print(f"error[Usage]: {message}; `{self.prog} --help` lists what there is", file=sys.stderr)
        raise SystemExit(2)
