"""`gristmill build-spec` and `gristmill export-chain-spec`, and what a spec amounts to."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chain_spec import (
    PRESETS,
    ChainSpec,
    PlainGenesis,
    RawGenesis,
    RootGenesis,
    StateVersionUnread,
    genesis_block,
    raw_genesis,
    resolve,
    runtime_of,
)
from primitives.command import Command
from primitives.files import write_whole
from primitives.hashing import blake2_256


def _chain_argument(parser: ArgumentParser) -> None:
    presets = ", ".join(PRESETS)
    chain = parser.add_mutually_exclusive_group()
    chain.add_argument(
        "--chain", default="dev", metavar="ID|FILE", help=f"{presets}, or a chain spec file (default: dev)"
    )
    chain.add_argument("--dev", dest="chain", action="store_const", const="dev", help="the chain `dev`")


def configure_build_spec(parser: ArgumentParser) -> None:
    _chain_argument(parser)
    parser.add_argument("--raw", action="store_true", help="write every key and value of the genesis state")
    parser.add_argument(
        "--disable-default-bootnode", action="store_true", help="accepted; presets have no boot node"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write there instead of to stdout")


def build_spec(arguments: Namespace) -> int:
    """Print the chain spec as JSON, as Substrate's tools read it."""
    spec = resolve(arguments.chain)
    spec = spec.with_genesis(raw_genesis(spec) if arguments.raw else _with_code(spec))
    text = spec.to_json() + "\n"
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        write_whole(arguments.output, text.encode())
    return 0


def _with_code(spec: ChainSpec) -> PlainGenesis | RawGenesis | RootGenesis:
    """A plain genesis says which runtime builds it."""
    if not isinstance(spec.genesis, PlainGenesis):
        return spec.genesis
    return PlainGenesis(spec.genesis.config, raw_genesis(spec).top.get(b":code"))


def describe(spec: ChainSpec, state_version: int | None = None) -> dict[str, Any]:
    """Genesis hash, state root and what they come from; hashes as 0x text."""
    if isinstance(spec.genesis, PlainGenesis):
        spec = spec.with_genesis(raw_genesis(spec))
    block = genesis_block(spec, state_version=state_version)
    info: dict[str, Any] = {
        "name": spec.name,
        "id": spec.id,
        "chain_type": spec.chain_type,
        "genesis_hash": "0x" + block.hash.hex(),
        "state_root": "0x" + block.header.state_root.hex(),
        "state_version": block.state_version,
        "properties": dict(spec.properties),
    }
    return info | (_state_info(spec.genesis) if isinstance(spec.genesis, RawGenesis) else {})


def _state_info(genesis: RawGenesis) -> dict[str, Any]:
    info: dict[str, Any] = {"keys": len(genesis.top), "child_tries": len(genesis.children)}
    code = genesis.top.get(b":code")
    if code is None:
        return info
    info["code_hash"] = "0x" + blake2_256(code).hex()
    try:
        version = runtime_of(genesis)
    except StateVersionUnread:  # told by --state-version then
        return info
    return info | {"spec_name": version.spec_name, "spec_version": version.spec_version}


COMMANDS: Mapping[str, Command] = {
    "build-spec": Command("write a chain spec as JSON, plain or raw", configure_build_spec, build_spec),
    "export-chain-spec": Command("write a chain spec to a file", configure_build_spec, build_spec),
}
