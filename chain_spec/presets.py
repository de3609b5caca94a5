"""The chains that come with the program: `dev` and `local`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chain_spec.spec import ChainSpec, PlainGenesis
from primitives import ss58
from primitives.keys import Keypair
from runtime.constants import TOKEN

GRIST = 10**12
DEV_NAMES = ("Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie")
"""Accounts whose keys everybody knows: //Alice and so on, each with its //Alice//stash."""
ENDOWMENT = 1_000_000 * GRIST
PROPERTIES = {"ss58Format": ss58.DEV_PREFIX, "tokenDecimals": TOKEN.decimals, "tokenSymbol": TOKEN.symbol}


def dev_account(uri: str) -> str:
    """SS58 address of the sr25519 key of a `//Name` URI."""
    return ss58.encode(Keypair.from_uri(uri).account_id)


def _genesis(pool: int) -> dict[str, Any]:
    uris = [f"//{name}{stash}" for stash in ("", "//stash") for name in DEV_NAMES]
    return {
        "balances": {"balances": [[dev_account(uri), ENDOWMENT] for uri in uris]},
        "sudo": {"key": dev_account("//Alice")},
        "rewards": {"pool": pool},
    }


def dev() -> ChainSpec:
    """One node that seals at once; everything forgotten unless a base path is given."""
    return ChainSpec(
        name="Gristmill Development",
        id="dev",
        chain_type="Development",
        properties=PROPERTIES,
        genesis=PlainGenesis(_genesis(1_000_000 * GRIST)),
    )


def local() -> ChainSpec:
    """A chain among one's own machines.

    Its pool differs from that of `dev`: two chains need two genesis hashes, or what is signed for one is good
    on the other.
    """
    return ChainSpec(
        name="Gristmill Local Testnet",
        id="local_testnet",
        chain_type="Local",
        properties=PROPERTIES,
        genesis=PlainGenesis(_genesis(2_000_000 * GRIST)),
    )


PRESETS: Mapping[str, Callable[[], ChainSpec]] = {"dev": dev, "local": local}
