"""Node bytes: published goldens, round trips, hostile input."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primitives.hashing import blake2_256
from primitives.trie import (
    EMPTY_ROOT,
    InvalidNode,
    Node,
    decode_node,
    encode_node,
    ordered_root,
    root,
    state_root,
)
from primitives.trie.codec import reference

DIGITS = "0123456789abcdef"


def test_the_empty_root() -> None:
    assert EMPTY_ROOT.hex() == "03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314"
    assert root([], 0) == root([], 1) == ordered_root([], 0) == state_root({}, {b"c": {}}, 1) == EMPTY_ROOT


@pytest.mark.parametrize(
    ("nibbles", "hashed", "header"),
    [
        (62, False, "7e"),
        (63, False, "7f00"),
        (64, False, "7f01"),
        (300, False, "7fed"),
        (300, True, "3fff0e"),
    ],
)
def test_headers_of_leaves(nibbles: int, hashed: bool, header: str) -> None:
    """Values published with Substrate's codec."""
    node = Node("0" * nibbles, bytes(32) if hashed else b"\0", hashed)
    assert encode_node(node).hex().startswith(header)
    decoded = decode_node(encode_node(node))
    assert decoded is not None
    assert (decoded.partial, decoded.hashed) == (node.partial, hashed)


partials = st.text(DIGITS, max_size=80) | st.integers(0, 65535).map(lambda count: "7" * count)
references = st.one_of(
    st.just(b""),
    st.binary(min_size=1, max_size=31).map(lambda data: bytes((len(data) << 2,)) + data),
    st.binary(min_size=32, max_size=32).map(lambda data: b"\x80" + data),
)
children = st.lists(references, min_size=16, max_size=16).filter(any)


def values(hashed: bool) -> st.SearchStrategy[bytes]:
    if hashed:
        return st.binary(min_size=32, max_size=32)
    return st.binary(max_size=60).map(lambda data: bytes((len(data) << 2,)) + data)


leaves = st.booleans().flatmap(lambda hashed: st.builds(Node, partials, values(hashed), st.just(hashed)))
branches = st.booleans().flatmap(
    lambda hashed: st.builds(
        Node, partials, values(hashed) if hashed else st.none() | values(False), st.just(hashed), children
    )
)


@given(leaves | branches)
def test_nodes_come_back_from_their_bytes(node: Node) -> None:
    data = encode_node(node)
    back = decode_node(data)
    assert back is not None
    assert (back.partial, back.value, back.hashed, back.refs) == (
        node.partial,
        node.value,
        node.hashed,
        node.refs,
    )


@given(leaves | branches, st.data())
def test_cut_or_longer_nodes_are_refused(node: Node, data: st.DataObject) -> None:
    encoded = encode_node(node)
    with pytest.raises(InvalidNode):
        decode_node(encoded + b"\0")
    with pytest.raises(InvalidNode):
        decode_node(encoded[: data.draw(st.integers(1, len(encoded) - 1))] if len(encoded) > 1 else b"")


@given(st.binary(max_size=200))
def test_any_bytes_decode_canonically_or_are_refused(data: bytes) -> None:
    try:
        node = decode_node(data)
    except InvalidNode:
        return
    assert data == (b"\0" if node is None else encode_node(node))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("", "no bytes"),
        ("01", "unknown node header"),
        ("410f04", "cut off|ends inside"),
        ("41f00400", "padding"),
        ("8000000000", "without children"),
        ("4003000000", "too large"),
        ("400100", "shortest"),
        ("4002010000" + 64 * "00", "shortest"),
        ("80010000", "a child reference of a wrong length"),
        ("80010084" + 33 * "00", "a child reference of a wrong length"),
        ("7f" + "ff" * 300, "longer than 65535"),
        ("40feffffff", "ends inside the value"),
    ],
)
def test_hostile_nodes(data: str, why: str) -> None:
    with pytest.raises(InvalidNode, match=why):
        decode_node(bytes.fromhex(data))


def test_a_node_of_32_bytes_is_known_by_its_hash() -> None:
    """Its own bytes would pass for a hash."""
    assert reference(bytes(31)) == bytes([31 << 2]) + bytes(31)
    assert reference(bytes(32)) == bytes([32 << 2]) + blake2_256(bytes(32))


def test_an_ordered_root_is_the_root_over_compact_indexes() -> None:
    items = [bytes((index % 251,)) * (index % 40) for index in range(70)]
    pairs = [
        (bytes((i << 2,)) if i < 64 else (i << 2 | 1).to_bytes(2, "little"), x) for i, x in enumerate(items)
    ]
    for version in (0, 1):
        assert ordered_root(items, version) == root(pairs, version)


def test_a_child_trie_is_a_value_of_the_top_one() -> None:
    child = {b"a": b"1", b"b": b"2" * 40}
    top = {b"k": b"v"}
    pairs = [(b"k", b"v"), (b":child_storage:default:name", root(child.items(), 1))]
    assert state_root(top, {b"name": child, b"empty": {}}, 1) == root(pairs, 1)
