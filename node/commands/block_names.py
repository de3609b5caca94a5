"""A block on the command line: its number or its hash."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING

from node.errors import BadOption, UnknownBlock

if TYPE_CHECKING:
    from node.chain import Chain, Head


def add_block(parser: ArgumentParser, help: str) -> None:
    """The positional argument."""
    parser.add_argument("block", nargs="?", metavar="HASH|NUMBER", help=help)


def block_named(chain: Chain, text: str | None) -> Head:
    """The block; none named: the best one. Raises `BadOption`, `UnknownBlock`."""
    if text is None:
        return chain.head
    if text.isascii() and text.isdigit() and len(text) < 20:
        digest = chain.hash_at(int(text))
        if digest is None:
            raise UnknownBlock(f"there is no block {text}: the best one is #{chain.head.number}")
        return chain.block(digest)
    try:
        digest = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise BadOption(f"{text!r} is no block: give its number or the 64 hex digits of its hash")
    return chain.block(digest)
