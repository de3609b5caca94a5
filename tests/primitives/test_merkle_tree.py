"""The salted Merkle tree: every proof holds, no altered proof does, and domains are apart."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from primitives import merkle
from primitives.hashing import tagged

SCHEMA = bytes(range(32))


def leaves_of(count: int) -> list[bytes]:
    return [merkle.leaf(i, merkle.salt(b"s" * 32, i), b"chunk %d" % i) for i in range(count)]


def committed(leaves: list[bytes], rows: int) -> merkle.Commitment:
    top = merkle.Tree(leaves).top
    return merkle.Commitment(merkle.root(SCHEMA, rows, len(leaves), top), SCHEMA, rows, len(leaves))


@pytest.mark.parametrize("count", range(1, 34))
def test_every_leaf_of_every_size_has_a_proof_that_holds(count: int) -> None:
    leaves = leaves_of(count)
    tree, commitment = merkle.Tree(leaves), committed(leaves, 7 * count)
    for index, leaf in enumerate(leaves):
        assert merkle.verify_proof(commitment, index, leaf, tree.proof(index))


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 40))
def test_no_altered_proof_holds(data: st.DataObject, count: int) -> None:
    leaves = leaves_of(count)
    tree, commitment = merkle.Tree(leaves), committed(leaves, count)
    index = data.draw(st.integers(0, count - 1))
    proof = tree.proof(index)
    assert not merkle.verify_proof(commitment, index, leaves[index], [*proof, bytes(32)])
    assert not merkle.verify_proof(commitment, index + 1, leaves[index], proof)
    assert not merkle.verify_proof(commitment, -1, leaves[index], proof)
    assert not merkle.verify_proof(commitment, index, tagged("other", leaves[index]), proof)
    assert not merkle.verify_proof(commitment._replace(rows=count + 1), index, leaves[index], proof)
    if proof:
        place, byte, bit = data.draw(
            st.tuples(st.integers(0, len(proof) - 1), st.integers(0, 31), st.integers(0, 7))
        )
        changed = bytearray(proof[place])
        changed[byte] ^= 1 << bit
        altered = [*proof[:place], bytes(changed), *proof[place + 1 :]]
        assert not merkle.verify_proof(commitment, index, leaves[index], altered)
        assert not merkle.verify_proof(commitment, index, leaves[index], proof[:-1])
        assert not merkle.verify_proof(commitment, index, leaves[index], [*proof[:-1], proof[-1][:31]])


def test_the_root_binds_counts_and_schema() -> None:
    top = merkle.Tree(leaves_of(3)).top
    roots = {
        merkle.root(SCHEMA, 3, 3, top),
        merkle.root(SCHEMA, 4, 3, top),
        merkle.root(SCHEMA, 3, 4, top),
        merkle.root(bytes(32), 3, 3, top),
    }
    assert len(roots) == 4


def test_an_inner_node_cannot_pass_for_a_leaf() -> None:
    """The classic trap: a tree over [node(a, b), c] has the top of one over [a, b, c] without domains."""
    a, b, c = leaves_of(3)
    short = committed([merkle.node(a, b), c], 3)
    assert committed([a, b, c], 3).root != short.root


def test_an_odd_last_node_is_promoted_unchanged() -> None:
    a, b, c = leaves_of(3)
    assert merkle.Tree([a, b, c]).top == merkle.node(merkle.node(a, b), c)


def test_salts_differ_by_chunk_and_secret_and_are_short() -> None:
    salts = {merkle.salt(bytes([s]) * 32, i) for s in range(4) for i in range(50)}
    assert len(salts) == 200 and {len(salt) for salt in salts} == {16}
    with pytest.raises(ValueError, match="32 bytes"):
        merkle.salt(b"short", 0)
    with pytest.raises(ValueError, match="16 bytes"):
        merkle.leaf(0, b"", b"chunk")
    with pytest.raises(ValueError, match="one leaf"):
        merkle.Tree([])


def test_golden_root() -> None:
    """Pins every byte of the rule; a change of any domain or order shows here."""
    leaves = leaves_of(5)
    assert merkle.salt(b"s" * 32, 1) == tagged("salt", b"s" * 32, b"\1\0\0\0")[:16]
    assert leaves[1] == tagged("leaf", b"\1\0\0\0", merkle.salt(b"s" * 32, 1), b"chunk 1")
    assert committed(leaves, 10).root == tagged(
        "root", SCHEMA, (10).to_bytes(8, "little"), (5).to_bytes(4, "little"), merkle.Tree(leaves).top
    )
