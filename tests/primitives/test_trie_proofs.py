"""Read proofs: ours as smoldot's decoder reads them, and hostile ones."""

from __future__ import annotations

import json
import random
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primitives.trie import (
    CHILD_PREFIX,
    InvalidNode,
    MissingNode,
    Trie,
    TrieError,
    make_proof,
    root,
    state_root,
    verify_child_proof,
    verify_proof,
)
from tests.nodejs import CLIENTS

SPACES = st.dictionaries(st.binary(max_size=4), st.binary(max_size=40), max_size=12)


def random_state(rng: random.Random) -> dict[bytes, bytes]:
    """Storage-like keys: shared prefixes, nested keys, values around the bounds of what is hashed."""
    prefixes = [rng.randbytes(16) for _ in range(3)]
    keys = [
        rng.choice(prefixes) + rng.randbytes(rng.choice([0, 2, 16])) for _ in range(rng.choice([1, 8, 200]))
    ]
    return {key: rng.randbytes(rng.choice([1, 20, 31, 32, 33, 34, 300])) for key in keys}


def test_smoldots_decoder_reads_our_proofs(node_js: str) -> None:
    rng = random.Random(7)
    cases = []
    for version in (0, 1) * 12:
        state = random_state(rng)
        trie = Trie().update(state, version).trie
        asked = rng.sample(sorted(state), min(5, len(state)))
        strangers = [rng.randbytes(18) for _ in range(2)]
        proof = make_proof(trie, [*asked, *strangers], state.get)
        cases.append((trie.root_hash, proof, {key: state[key] for key in asked}))
    lines = [
        json.dumps({"root": "0x" + top.hex(), "proof": ["0x" + item.hex() for item in proof]})
        for top, proof, _ in cases
    ]
    done = subprocess.run(
        [node_js, "proofs.mjs"],
        cwd=CLIENTS,
        input="\n".join(lines),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    for line, (_, _, expected) in zip(done.stdout.splitlines(), cases, strict=True):
        reply = json.loads(line)
        assert "error" not in reply, reply
        found = {bytes.fromhex(key[2:]): bytes.fromhex(value[2:]) for key, value in reply["pairs"] if value}
        assert expected.items() <= found.items()


@given(
    SPACES, st.dictionaries(st.binary(min_size=1, max_size=3), SPACES, max_size=3), st.sampled_from([0, 1])
)
def test_child_proofs(
    top: dict[bytes, bytes], children: dict[bytes, dict[bytes, bytes]], version: int
) -> None:
    whole = state_root(top, children, version)
    roots = {CHILD_PREFIX + name: root(space.items(), version) for name, space in children.items() if space}
    top_pairs = {**top, **roots}
    top_trie = Trie().update(top_pairs, version).trie
    assert top_trie.root_hash == whole
    for name, space in {**children, b"none": {}}.items():
        trie = Trie().update(space, version).trie
        to_child = make_proof(top_trie, [CHILD_PREFIX + name], top_pairs.get)
        for key in [*space, b"no such key"]:
            proof = make_proof(trie, [key], space.get) + to_child
            assert verify_child_proof(whole, proof, name, key) == space.get(key)
            for item in to_child if space else ():
                with pytest.raises(MissingNode):
                    verify_child_proof(whole, [part for part in proof if part != item], name, key)


@given(SPACES.filter(bool), st.lists(st.binary(max_size=80), max_size=4), st.data())
def test_a_hostile_proof_never_proves_another_value(
    state: dict[bytes, bytes], junk: list[bytes], data: st.DataObject
) -> None:
    trie = Trie().update(state, 1).trie
    key = data.draw(st.sampled_from([*sorted(state), b"stranger"]))
    proof = make_proof(trie, [key], state.get)
    spoilt = data.draw(st.integers(0, len(proof) - 1))
    item = proof[spoilt]
    at = data.draw(st.integers(0, len(item) - 1)) if item else 0
    changed = (
        item[:at] + bytes((item[at] ^ data.draw(st.integers(1, 255)),)) + item[at + 1 :] if item else b"x"
    )
    proof[spoilt : spoilt + 1] = [changed, *junk]
    with pytest.raises(TrieError):
        verify_proof(trie.root_hash, proof, key)
    with pytest.raises(TrieError):
        verify_child_proof(trie.root_hash, junk, b"child", key)


def test_a_child_root_that_is_no_hash() -> None:
    state = {CHILD_PREFIX + b"odd": b"short"}
    trie = Trie().update(state, 1).trie
    with pytest.raises(InvalidNode, match="has 5 bytes"):
        verify_child_proof(trie.root_hash, make_proof(trie, state, state.get), b"odd", b"key")
