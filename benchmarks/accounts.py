"""A chain of many accounts: a database with nothing but its genesis, and the chain spec to it.

The spec says only the root of the genesis state, as Substrate's light specs do: the state is in the database
already, and the node starts on it at once.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

from chain_spec.genesis import genesis_block, raw_genesis
from chain_spec.presets import dev
from chain_spec.spec import load
from frame.accounts import NEW_LOGIC, AccountData, AccountInfo
from frame.backend import Delta
from node.database import Database
from primitives.keys import Keypair
from primitives.scale import U128, codec, encode
from runtime import GristmillRuntime, runtime

GRIST = 10**12
FUNDS = 1000 * GRIST
SIGNERS = 1000
"""Accounts with keys, which send; the others only receive."""


class Prepared(NamedTuple):
    """A base path with a database in it, and the spec file of its chain."""

    base_path: Path
    spec: Path
    accounts: int


def signer(i: int) -> Keypair:
    """The key of a sending account."""
    return Keypair.from_seed(hashlib.blake2b(b"load %d" % i, digest_size=32).digest())


def receiver(i: int) -> bytes:
    """An account without a known key."""
    return hashlib.blake2b(b"account %d" % i, digest_size=32).digest()


def prepare(folder: Path, accounts: int) -> Prepared:
    """`accounts` accounts, `SIGNERS` of them with keys, each with money."""
    made = runtime()
    top: dict[bytes, bytes | None] = dict(raw_genesis(dev(), made).top)
    machine = made.machine()
    info = AccountInfo(
        nonce=0,
        consumers=0,
        providers=1,
        sufficients=0,
        data=AccountData(free=FUNDS, reserved=0, frozen=0, flags=NEW_LOGIC),
    )
    value, key_of = codec(AccountInfo).encode(info), machine.of(GristmillRuntime.system).account_info.key_of
    for i in range(accounts):
        top[key_of(signer(i).account_id if i < SIGNERS else receiver(i))] = value
    issuance = machine.of(GristmillRuntime.balances).total_issuance_value.key
    before = int.from_bytes(top[issuance] or b"", "little")
    top[issuance] = encode(U128, before + accounts * FUNDS)
    delta = Delta({key: top[key] for key in sorted(top)})
    spec = folder / "spec.json"
    with Database.open(folder / "base" / "chains" / "load" / "db", sync=False) as database:
        root = database.root_at(-1, delta, made.version.state_version)
        text = {
            "name": f"Load of {accounts} accounts",
            "id": "load",
            "chainType": "Development",
            "bootNodes": [],
            "properties": {},
            "genesis": {"stateRootHash": "0x" + root.hex()},
        }
        spec.write_text(json.dumps(text), encoding="utf-8")
        header = genesis_block(load(spec)).header
        database.commit(header, header.hash, [], delta, state_version=made.version.state_version)
    return Prepared(folder / "base", spec, accounts)
