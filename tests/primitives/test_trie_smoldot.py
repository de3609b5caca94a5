"""Our state roots against smoldot's, a light client by others: random states, versions 0 and 1."""

from __future__ import annotations

import json
import random

import pytest

from frame.manifest import runtime_manifest
from frame.version import RuntimeVersion
from primitives.digest import Digest
from primitives.header import Header
from primitives.trie import EMPTY_ROOT, Trie, root
from tests.nodejs import Smoldot

APIS = [(bytes.fromhex("df6acb689907609b"), 5)]


def module(system_version: int) -> bytes:
    """A runtime of that system version; what it is called does not matter here."""
    version = RuntimeVersion(
        spec_name="t",
        impl_name="t",
        authoring_version=1,
        spec_version=1,
        impl_version=1,
        apis=[],
        transaction_version=1,
        system_version=system_version,
    )
    return runtime_manifest(version.encode(), APIS)


def raw_spec(top: dict[bytes, bytes]) -> str:
    state = {"0x" + key.hex(): "0x" + value.hex() for key, value in top.items()}
    fields = {"name": "t", "id": "t", "bootNodes": [], "properties": {}, "codeSubstitutes": {}}
    return json.dumps({**fields, "genesis": {"raw": {"top": state, "childrenDefault": {}}}})


def genesis_hash(state_root: bytes) -> bytes:
    return Header(
        parent_hash=bytes(32),
        number=0,
        state_root=state_root,
        extrinsics_root=EMPTY_ROOT,
        digest=Digest(logs=[]),
    ).hash


def random_state(rng: random.Random) -> dict[bytes, bytes]:
    """Keys that share long prefixes, nest, and end within one another; value lengths around the bounds."""
    prefixes = [rng.randbytes(rng.choice([0, 1, 16, 32])) for _ in range(3)]
    state = {}
    for _ in range(rng.choice([1, 3, 30, 300])):
        tail = bytes(rng.choice([0, 1, 0x10, 0xFF, rng.randrange(256)]) for _ in range(rng.randrange(5)))
        state[rng.choice(prefixes) + tail] = rng.randbytes(rng.choice([0, 1, 20, 31, 32, 33, 34, 80, 300]))
    return state


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("seed", range(25))
def test_random_states_have_smoldots_root(smoldot: Smoldot, version: int, seed: int) -> None:
    top = random_state(random.Random(seed))
    top[b":code"] = module(version)
    assert genesis_hash(root(top.items(), version)) == smoldot.genesis_hash(raw_spec(top))


@pytest.mark.parametrize("version", [0, 1])
def test_updates_and_deletes_end_at_smoldots_root(smoldot: Smoldot, version: int) -> None:
    rng = random.Random(7)
    trie, state = Trie(), dict[bytes, bytes]()
    for _ in range(8):
        changes: dict[bytes, bytes | None] = dict(random_state(rng))
        changes.update({key: None for key in sorted(state) if rng.random() < 0.4})
        changes[b":code"] = module(version)
        trie = trie.update(changes, version).trie
        state = {key: value for key, value in {**state, **changes}.items() if value is not None}
        assert genesis_hash(trie.root_hash) == smoldot.genesis_hash(raw_spec(state))
