"""Chain specs: the presets, plain and raw JSON as Substrate's tools write it, and the genesis block.

spec = resolve("dev")                 # a preset's name or a file
block = genesis_block(spec)           # header, hash, delta for the first commit, state version
spec.with_genesis(raw_genesis(spec)).to_json()
"""

from __future__ import annotations

from chain_spec.errors import (
    ChainSpecError,
    CodeMalformed,
    NoState,
    OtherRuntime,
    SpecMalformed,
    SpecTooLarge,
    SpecUnreadable,
    StateVersionUnread,
)
from chain_spec.genesis import GenesisBlock, GenesisBuilder, genesis_block, raw_genesis, runtime_of
from chain_spec.presets import PRESETS
from chain_spec.spec import ChainSpec, PlainGenesis, RawGenesis, RootGenesis, load, parse

__all__ = [
    "PRESETS",
    "ChainSpec",
    "ChainSpecError",
    "CodeMalformed",
    "GenesisBlock",
    "GenesisBuilder",
    "NoState",
    "OtherRuntime",
    "PlainGenesis",
    "RawGenesis",
    "RootGenesis",
    "SpecMalformed",
    "SpecTooLarge",
    "SpecUnreadable",
    "StateVersionUnread",
    "genesis_block",
    "load",
    "parse",
    "raw_genesis",
    "resolve",
    "runtime_of",
]


def resolve(chain: str) -> ChainSpec:
    """The preset of that name, else the spec in that file. Raises ChainSpecError."""
    preset = PRESETS.get(chain)
    if preset is not None:
        return preset()
    try:
        return load(chain)
    except SpecUnreadable as error:
        raise SpecUnreadable(f"{error}; the presets are {', '.join(PRESETS)}") from None
