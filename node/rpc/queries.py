"""Storage queries as `chainHead_v1_storage` and `archive_v1_storage` take them, and their results.

Source: paritytech/json-rpc-interface-spec, `chainHead_v1_storage` and `archive_v1_storage`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from node.database import BlockState
from node.rpc.params import MAX_KEYS, Read, unhex
from node.rpc.wire import hexed
from primitives.hashing import blake2_256


class Kind(StrEnum):
    """What is asked about a key."""

    VALUE = "value"
    HASH = "hash"
    MERKLE = "closestDescendantMerkleValue"
    VALUES = "descendantsValues"
    HASHES = "descendantsHashes"


class Query(NamedTuple):
    """One item of a request; `start` is where a descendants query goes on, that key not included."""

    key: bytes
    kind: Kind
    start: bytes | None = None


def _query(item: Any) -> Query:
    if not isinstance(item, dict):
        raise ValueError("expected an object with `key` and `type`")
    if item.get("type") not in list(Kind):
        raise ValueError(f"the `type` of a query is one of {', '.join(Kind)}")
    kind = Kind(item["type"])
    start = item.get("paginationStartKey")
    if start is not None and kind not in (Kind.VALUES, Kind.HASHES):
        raise ValueError("a pagination start key is only for queries of descendants")
    return Query(unhex(item.get("key")), kind, None if start is None else unhex(start))


def _queries(value: Any) -> list[Query]:
    if not isinstance(value, list) or len(value) > MAX_KEYS:
        raise ValueError(f"expected a list of at most {MAX_KEYS} queries")
    return [_query(item) for item in value]


Queries = Annotated[list[Query], Read(_queries)]


def answers(state: BlockState, queries: Iterable[Query], child: bytes | None) -> Iterator[dict[str, Any]]:
    """The results, one at a time, read only when they are asked for."""
    trie = {} if child is None else {"childTrieKey": hexed(child)}
    for query in queries:
        for result in _RULES[query.kind](state, query, child):
            yield {**result, **trie}


Result = Mapping[str, Any]


def _value(state: BlockState, query: Query, child: bytes | None) -> Iterator[Result]:
    value = state.get(query.key, child)
    if value is not None:
        yield {"key": hexed(query.key), "value": hexed(value)}


def _hash(state: BlockState, query: Query, child: bytes | None) -> Iterator[Result]:
    value = state.get(query.key, child)
    if value is not None:
        yield {"key": hexed(query.key), "hash": hexed(blake2_256(value))}


def _merkle(state: BlockState, query: Query, child: bytes | None) -> Iterator[Result]:
    value = state.merkle_value(query.key, child)
    if value is not None:
        yield {"key": hexed(query.key), "closestDescendantMerkleValue": hexed(value)}


def _values(state: BlockState, query: Query, child: bytes | None) -> Iterator[Result]:
    for key, value in descendants(state, query.key, query.start, child):
        yield {"key": hexed(key), "value": hexed(value)}


def _hashes(state: BlockState, query: Query, child: bytes | None) -> Iterator[Result]:
    for key, value in descendants(state, query.key, query.start, child):
        yield {"key": hexed(key), "hash": hexed(blake2_256(value))}


_RULES: Mapping[Kind, Callable[[BlockState, Query, bytes | None], Iterator[Result]]] = {
    Kind.VALUE: _value,
    Kind.HASH: _hash,
    Kind.MERKLE: _merkle,
    Kind.VALUES: _values,
    Kind.HASHES: _hashes,
}


def descendants(
    state: BlockState, prefix: bytes, after: bytes | None, child: bytes | None
) -> Iterator[tuple[bytes, bytes]]:
    """The pairs whose key begins with `prefix`, in key order; those up to `after` are left out."""
    for key in keys_under(state, prefix, after, child):
        value = state.get(key, child)
        if value is not None:
            yield key, value


def keys_under(
    state: BlockState, prefix: bytes, after: bytes | None = None, child: bytes | None = None
) -> Iterator[bytes]:
    """The keys that begin with `prefix`, the prefix itself included, in order; those up to `after` are left
    out.
    """
    if after is None or after < prefix:
        if state.get(prefix, child) is not None:
            yield prefix
        after = prefix
    key = state.next_key(after, child)
    while key is not None and key.startswith(prefix):
        yield key
        key = state.next_key(key, child)
