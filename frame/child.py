"""Child tries: storage of a pallet's own, with a root of its own in the state.

    pages = ChildTries[U32, H256, Bytes]()          # in the class body
    self.pages.of(book)[key] = content              # one child trie for each `book`

A child trie costs the parent trie one entry, its root, whatever its size; it is proven, moved or removed as
one. Its name is twox128(pallet) ‖ twox128(item) ‖ SCALE of the id, at Substrate's
`:child_storage:default:` (`substrate/frame/support/src/storage/child.rs`). Metadata do not show child tries,
there as here; inside one, keys are the plain SCALE bytes: who owns the trie chooses keys that nobody can
make collide or crowd.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from frame.codecs import hint_codec
from frame.declaration_error import DeclarationError
from frame.errors import Arithmetic, ArithmeticFailure, Corruption
from frame.names import camel
from frame.state import Overlay
from primitives.hashing import twox_128
from primitives.scale import Codec, ScaleError
from primitives.trie import root

if TYPE_CHECKING:
    from frame.pallet import Pallet

I = TypeVar("I")  # noqa: E741 - the id of a child trie
K = TypeVar("K")
V = TypeVar("V")


class ChildTrie(Generic[K, V]):
    """One child trie in the state that the pallet runs on."""

    __slots__ = ("_key", "_overlay", "_value", "name")

    def __init__(self, name: bytes, overlay: Overlay, key: Codec[K], value: Codec[V]) -> None:
        self.name = name
        """What follows the prefix of child tries in the top-level key."""
        self._overlay = overlay
        self._key = key
        self._value = value

    def _at(self, k: K) -> tuple[bytes, bytes]:
        return self.name, self._key.encode(k)

    def get(self, k: K) -> V | None:
        """The entry, or None when there is none."""
        raw = self._overlay.get(self._at(k))
        return None if raw is None else self._read(raw)

    def __setitem__(self, k: K, value: V) -> None:
        try:
            raw = self._value.encode(value)
        except ScaleError as error:
            raise ArithmeticFailure(Arithmetic.Overflow) from error
        self._overlay.put(self._at(k), raw)

    def __contains__(self, k: K) -> bool:
        return self._overlay.get(self._at(k)) is not None

    def remove(self, k: K) -> None:
        """Remove the entry; nothing happens when there is none."""
        self._overlay.put(self._at(k), None)

    def keys(self) -> Iterator[K]:
        """The keys in the order of their bytes."""
        for key in self._overlay.keys(b"", self.name):
            try:
                yield self._key.decode(key)
            except ScaleError as error:
                raise Corruption(f"a key of child trie {self.name.hex()}: {error}") from error

    def items(self) -> Iterator[tuple[K, V]]:
        """The entries in the order of their keys' bytes."""
        for k in self.keys():
            value = self.get(k)
            if value is not None:
                yield k, value

    def kill(self, limit: int | None = None) -> int:
        """Remove up to `limit` entries in key order; returns how many. An empty child trie is none."""
        return self._overlay.kill_prefix(b"", limit, self.name)

    def root(self, version: int = 1) -> bytes:
        """The root as of now, under state `version`. Reads all of it: for small ones, and for tests."""
        pairs = []
        for key in self._overlay.keys(b"", self.name):
            value = self._overlay.get((self.name, key))
            if value is not None:
                pairs.append((key, value))
        return root(pairs, version)

    def _read(self, raw: bytes) -> V:
        try:
            return self._value.decode(raw)
        except ScaleError as error:
            raise Corruption(f"child trie {self.name.hex()}: {error}") from error


class BoundChildTries(Generic[I, K, V]):
    """The child tries of one item in the state that the pallet runs on."""

    __slots__ = ("_id", "_key", "_overlay", "_prefix", "_value")

    def __init__(self, prefix: bytes, overlay: Overlay, codecs: tuple[Codec[Any], ...]) -> None:
        self._prefix = prefix
        self._overlay = overlay
        self._id, self._key, self._value = codecs

    def of(self, id: I) -> ChildTrie[K, V]:
        """The child trie of this id; it need not exist yet."""
        return ChildTrie(self._prefix + self._id.encode(id), self._overlay, self._key, self._value)


class ChildTries(Generic[I, K, V]):
    """A child trie for each id: `pages = ChildTries[U32, H256, Bytes]()`."""

    def __init__(self, *, name: str | None = None) -> None:
        self.attribute = ""
        self.name = name or ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name
        self.name = self.name or camel(name)

    def codecs(self) -> tuple[Codec[Any], ...]:
        """Of id, key and value; TypeError for types without one."""
        arguments = getattr(self, "__orig_class__", None)
        if arguments is None:
            raise DeclarationError(f"{self.attribute}: say the types, e.g. ChildTries[U32, H256, U64]()")
        return tuple(hint_codec(hint, self.attribute) for hint in arguments.__args__)

    @overload
    def __get__(self, pallet: None, owner: type) -> Self: ...
    @overload
    def __get__(self, pallet: Pallet[Any], owner: type) -> BoundChildTries[I, K, V]: ...
    def __get__(self, pallet: Pallet[Any] | None, owner: type) -> Self | BoundChildTries[I, K, V]:
        if pallet is None:
            return self
        prefix = twox_128(pallet.name.encode()) + twox_128(self.name.encode())
        bound: BoundChildTries[I, K, V] = BoundChildTries(prefix, pallet.machine.overlay, self.codecs())
        pallet.__dict__[self.attribute] = bound
        return bound
