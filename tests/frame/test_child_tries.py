"""Child tries and maps of many keys: in memory, in blocks, in the database, and proven."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frame import (
    ArithmeticFailure,
    ChildTries,
    Corruption,
    Error,
    Identity,
    Origin,
    Pallet,
    RuntimeCall,
    StorageNMap,
    Twox64Concat,
    call,
)
from frame.backend import Delta
from frame.metadata.types import MetadataV14, StorageType
from frame.runtime import Runtime
from frame.testing import Chain, Externalities, externalities
from frame.weights import weight
from node.database import Database
from pallets.system import System
from pallets.timestamp import Timestamp
from primitives.hashing import blake2_128_concat, twox_64_concat, twox_128
from primitives.scale import H256, U8, U32, U64, AccountId, Bytes, codec
from primitives.trie import CHILD_PREFIX, root, verify_child_proof
from tests.frame.template_runtime import ALICE

A, B = b"a" * 32, b"b" * 32


class Shelf(Pallet[None]):
    """Books with pages, and who has spent what on which."""

    pages = ChildTries[U32, Bytes, Bytes]()
    numbers = ChildTries[AccountId, U32, U8](name="Counted")
    spent = StorageNMap[tuple[U32, AccountId, H256], U64](
        hashers=(Twox64Concat, Twox64Concat, Identity), default=0, doc="By book, reader and page."
    )
    marks = StorageNMap[tuple[U32, U32, U32, U32], Bytes]()

    class Unreadable(Error):
        """The page is refused after it was written."""

    @call(0, weight=weight(1))
    def write(self, origin: Origin, book: U32, page: Bytes, text: Bytes) -> None:
        """Write a page."""
        origin.signed()
        self.pages.of(book)[page] = text
        if text == b"unreadable":
            raise self.Unreadable()

    @call(1, weight=weight(1))
    def burn(self, origin: Origin, book: U32, most: U32) -> None:
        """Remove pages."""
        origin.signed()
        self.pages.of(book).kill(most)


class Library(Runtime, spec_name="library", spec_version=1):
    """One pallet with child tries."""

    system = System(index=0)
    timestamp = Timestamp(index=1)
    shelf = Shelf(index=5)


def shelf_of(ext: Externalities) -> Shelf:
    return ext.of(Library.shelf)


def test_a_child_trie() -> None:
    ext = externalities(Library)
    shelf = shelf_of(ext)
    book = shelf.pages.of(7)
    assert book.name == twox_128(b"Shelf") + twox_128(b"Pages") + b"\7\0\0\0"
    assert shelf.numbers.of(A).name == twox_128(b"Shelf") + twox_128(b"Counted") + A
    book[b"two"], book[b""], book[b"one"] = b"2", b"0", b"1"
    assert (book.get(b"two"), book.get(b"three"), b"one" in book, b"x" in book) == (b"2", None, True, False)
    assert list(book.items()) == [(b"", b"0"), (b"one", b"1"), (b"two", b"2")]
    encoded = codec(Bytes).encode
    assert book.root() == root([(encoded(k), encoded(v)) for k, v in book.items()], 1)
    assert list(shelf.pages.of(8).keys()) == []
    book.remove(b"one")
    assert book.kill(1) == 1 and list(book.keys()) == [b"two"]
    assert book.kill() == 1 and book.root() == root([], 1)


def test_what_a_child_trie_refuses() -> None:
    ext = externalities(Library)
    numbers = shelf_of(ext).numbers.of(A)
    with pytest.raises(ArithmeticFailure):
        numbers[1] = 256
    ext.overlay.put((numbers.name, b"\1\0\0\0"), b"too long")
    with pytest.raises(Corruption):
        numbers.get(1)
    ext.overlay.put((numbers.name, b"short"), b"\1")
    with pytest.raises(Corruption):
        list(numbers.keys())
    with pytest.raises(TypeError, match="say the types"):
        ChildTries().codecs()


def alice_chain() -> Chain:
    chain = Chain(Library())
    machine = chain.runtime.machine()
    machine.overlay.reset(chain.state)
    machine.system.inc_providers(ALICE.account_id)
    chain.state = chain.state.after(machine.overlay.delta())
    return chain


def write(chain: Chain, nonce: int, book: int, page: bytes, text: bytes) -> bytes:
    return chain.sign(ALICE, RuntimeCall(Library.shelf.entry("write"), (book, page, text)), nonce=nonce)


def commit(db: Database, chain: Chain, delta: Delta) -> None:
    db.commit(chain.header, chain.header.hash, [], delta)


def test_child_tries_in_blocks_and_in_the_database(tmp_path: Path) -> None:
    """Each block is built, executed again, and committed to a real database, which computes the root anew."""
    chain = alice_chain()
    genesis = Delta(dict(sorted(chain.state.top.items())))
    with Database.open(tmp_path / "db", sync=False) as db:
        header = chain.header
        chain.header = type(header)(
            parent_hash=header.parent_hash,
            number=0,
            state_root=db.backend().root(genesis, 1),
            extrinsics_root=header.extrinsics_root,
            digest=header.digest,
        )
        chain.genesis_hash = chain.header.hash
        commit(db, chain, genesis)
        first = chain.block(write(chain, 0, 1, b"p1", b"x" * 50), write(chain, 1, 2, b"p1", b"other book"))
        commit(db, chain, first.delta)
        before = chain.header
        failed = chain.block(write(chain, 2, 1, b"p1", b"unreadable"), write(chain, 3, 1, b"p2", b"second"))
        assert failed.results[-2][0] == 1
        commit(db, chain, failed.delta)
        burn = RuntimeCall(Library.shelf.entry("burn"), (2, 10))
        emptied = chain.block(chain.sign(ALICE, burn, nonce=4))
        commit(db, chain, emptied.delta)

        name = codec(U32).encode
        one, two = (twox_128(b"Shelf") + twox_128(b"Pages") + name(book) for book in (1, 2))
        key = codec(Bytes).encode
        now, then = db.backend(), db.backend(before.hash)
        assert now.get(key(b"p1"), one) == key(b"x" * 50) and now.get(key(b"p2"), one) == key(b"second")
        assert now.get(CHILD_PREFIX + two) is None and then.get(CHILD_PREFIX + two) is not None
        for header, state in ((chain.header, now), (before, then)):
            for child in (one, two):
                proof = state.proof([key(b"p1"), key(b"p2")], child)
                for page in (key(b"p1"), key(b"p2")):
                    assert verify_child_proof(header.state_root, proof, child, page) == state.get(page, child)


def test_maps_of_many_keys() -> None:
    ext = externalities(Library)
    spent = shelf_of(ext).spent
    h, g = b"h" * 32, b"g" * 32
    prefix = twox_128(b"Shelf") + twox_128(b"Spent")
    assert spent.key_of((5, A, h)) == prefix + twox_64_concat(b"\5\0\0\0") + twox_64_concat(A) + h
    assert spent.prefix_of((5,)) == prefix + twox_64_concat(b"\5\0\0\0")
    marks = shelf_of(ext).marks
    marks[1, 2, 3, 4] = b"mark"
    assert marks.key_of((1, 2, 3, 4)).startswith(marks.key + blake2_128_concat(b"\1\0\0\0"))
    assert spent[5, A, h] == 0 and spent.get((5, A, h)) is None and spent.get((5, A, h), 9) == 9
    spent[5, A, h], spent[5, A, g], spent[5, B, h], spent[6, A, h] = 1, 2, 3, 4
    assert (5, A, g) in spent and (5, B, g) not in spent
    assert spent.contains_prefix((5, B)) and not spent.contains_prefix((7,))
    assert dict(spent.items((5, A))) == {(5, A, h): 1, (5, A, g): 2}
    assert sorted(spent.values()) == [1, 2, 3, 4] and len(list(spent.keys((5,)))) == 3
    assert spent.take((5, B, h)) == 3 and spent.take((5, B, h)) is None
    assert spent.remove_prefix((5,), 1) == 1 and spent.remove_prefix((5,)) == 1
    assert list(spent.keys()) == [(6, A, h)] and spent.clear() == 1
    assert marks[1, 2, 3, 4] == b"mark"
    for wrong in ((5,), (5, A, h, h)):
        with pytest.raises(TypeError, match="Spent has 3 keys"):
            spent.key_of(wrong)  # type: ignore[arg-type]


PARTS = st.tuples(st.integers(0, 3), st.sampled_from([A, B]), st.sampled_from([b"h" * 32, b"g" * 32]))


@given(st.dictionaries(PARTS, st.integers(0, 9), max_size=12), PARTS, st.integers(0, 3))
def test_prefixes_against_a_plain_dict(entries: dict[Any, int], key: Any, length: int) -> None:
    spent = shelf_of(externalities(Library)).spent
    for k, value in entries.items():
        spent[k] = value
    prefix = key[:length]
    under = {k: value for k, value in entries.items() if k[:length] == prefix}
    assert dict(spent.items(prefix)) == under
    assert spent.remove_prefix(prefix) == len(under)
    assert dict(spent.items()) == {k: value for k, value in entries.items() if k not in under}


def test_metadata_of_many_keys() -> None:
    metadata = codec(MetadataV14).decode(Library().metadata(14)[5:])
    storage = metadata.pallets[2].storage
    assert storage is not None
    assert [entry.name for entry in storage.entries] == ["Spent", "Marks"], "child tries are not shown"
    kind = storage.entries[0].type_
    assert isinstance(kind, StorageType.Map) and kind.hashers == [5, 5, 6]
    assert len(metadata.types[kind.key].def_.types) == 3  # type: ignore[attr-defined]


def test_declarations_of_many_keys_are_checked() -> None:
    with pytest.raises(TypeError, match="its key is a tuple"):

        class One(Pallet[None]):
            wrong = StorageNMap[U32, U32]()  # type: ignore[type-var]

    with pytest.raises(TypeError, match="3 keys and 1 hashers"):

        class Two(Pallet[None]):
            wrong = StorageNMap[tuple[U32, U32, U32], U32](hashers=(Identity,))
