"""Maps of three keys and more: `spent = StorageNMap[tuple[U32, AccountId, H256], U64]()`.

A key is a tuple. Its first parts are a prefix, by which entries are read and removed together, as in
Substrate's `StorageNMap`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, get_args, get_origin, overload

from frame.bound import BoundItem
from frame.codecs import hint_codec
from frame.declaration_error import DeclarationError
from frame.item import MISSING, Blake2_128Concat, Hasher, Item, Missing
from primitives.scale import ScaleError

if TYPE_CHECKING:
    from frame.pallet import Pallet

K = TypeVar("K", bound=tuple[Any, ...])
V = TypeVar("V")
D = TypeVar("D")

Prefix = tuple[Any, ...]
"""The first parts of a key; the empty prefix stands for all entries."""


class BoundNMap(BoundItem, Generic[K, V]):
    """A map of several keys in the state that the pallet runs on."""

    __slots__ = ("_codecs", "_encoders", "_hashers")

    def __init__(self, item: Item, pallet: Pallet[Any]) -> None:
        super().__init__(item, pallet)
        self._codecs = item.key_codecs
        self._encoders = tuple(codec.encoder() for codec in item.key_codecs)
        self._hashers = item.hashers

    def prefix_of(self, prefix: Prefix) -> bytes:
        """The storage key that all entries under `prefix` begin with. TypeError for too many parts."""
        if len(prefix) > len(self._codecs):
            raise TypeError(f"{self._item.name} has {len(self._codecs)} keys, not {len(prefix)}")
        parts = zip(self._hashers, self._encoders, prefix, strict=False)
        return self._key + b"".join([hasher.hash(encode(part)) for hasher, encode, part in parts])

    def key_of(self, k: K) -> bytes:
        """The full storage key of an entry. TypeError for too few or too many parts."""
        if len(k) != len(self._codecs):
            raise TypeError(f"{self._item.name} has {len(self._codecs)} keys, not {len(k)}")
        return self.prefix_of(k)

    def __getitem__(self, k: K) -> V:
        raw = self._overlay.get(self.key_of(k))
        value: V = self._absent() if raw is None else self._read(raw)
        return value

    @overload
    def get(self, k: K) -> V | None: ...
    @overload
    def get(self, k: K, default: D) -> V | D: ...
    def get(self, k: K, default: object = None) -> object:
        """The entry, or `default` when nothing is stored (whatever the declared default)."""
        raw = self._overlay.get(self.key_of(k))
        return default if raw is None else self._read(raw)

    def __setitem__(self, k: K, value: V) -> None:
        self._write(self.key_of(k), value)

    def __contains__(self, k: K) -> bool:
        return self._overlay.get(self.key_of(k)) is not None

    def remove(self, k: K) -> None:
        """Remove the entry; nothing happens when there is none."""
        self._overlay.put(self.key_of(k), None)

    def take(self, k: K) -> V | None:
        """Remove the entry and return it, None when there was none."""
        value = self.get(k)
        if value is not None:
            self.remove(k)
        return value

    def keys(self, prefix: Prefix = ()) -> Iterator[K]:
        """The keys under `prefix`, whole, in the order of their storage keys."""
        for key in self._overlay.keys(self.prefix_of(prefix)):
            yield self._parts(key)

    def items(self, prefix: Prefix = ()) -> Iterator[tuple[K, V]]:
        """The entries under `prefix`, in the order of their storage keys."""
        for k in self.keys(prefix):
            yield k, self[k]

    def values(self, prefix: Prefix = ()) -> Iterator[V]:
        """The values under `prefix`, in the order of their storage keys."""
        for k in self.keys(prefix):
            yield self[k]

    def contains_prefix(self, prefix: Prefix) -> bool:
        """Whether there is any entry under `prefix`."""
        return next(self.keys(prefix), None) is not None

    def remove_prefix(self, prefix: Prefix, limit: int | None = None) -> int:
        """Remove up to `limit` entries under `prefix` in key order; returns how many."""
        return self._overlay.kill_prefix(self.prefix_of(prefix), limit)

    def clear(self, limit: int | None = None) -> int:
        """Remove up to `limit` entries in key order; returns how many."""
        return self.remove_prefix((), limit)

    def _parts(self, key: bytes) -> K:
        at, parts = len(self._key), []
        try:
            for codec, hasher in zip(self._codecs, self._hashers, strict=True):
                part, at = codec.decode_from(key, at + hasher.skip)
                parts.append(part)
        except ScaleError as error:
            raise self._corrupt(error) from error
        return tuple(parts)  # type: ignore[return-value]


class StorageNMap(Item, Generic[K, V]):
    """A map from a tuple of keys; `hashers` one for each, all of them Blake2_128Concat unless given."""

    def __init__(
        self,
        *,
        default: V | Missing = MISSING,
        hashers: tuple[Hasher, ...] = (),
        name: str | None = None,
        doc: str = "",
    ) -> None:
        super().__init__(default, name, doc)
        self.hashers = hashers

    def hints(self, arguments: tuple[Any, ...], where: str) -> tuple[Any, ...]:
        """The parts of the tuple, then the value."""
        keys, value = arguments
        parts = get_args(keys)
        if get_origin(keys) is not tuple or Ellipsis in parts or len(parts) < 2:
            raise DeclarationError(
                f"{where}: its key is a tuple, e.g. StorageNMap[tuple[U32, U32, U32], U64]()"
            )
        for part in parts:
            hint_codec(part, where)
        self.hashers = self.hashers or (Blake2_128Concat,) * len(parts)
        if len(self.hashers) != len(parts):
            raise DeclarationError(f"{where}: {len(parts)} keys and {len(self.hashers)} hashers")
        return (*parts, value)

    @overload
    def __get__(self, pallet: None, owner: type) -> Self: ...
    @overload
    def __get__(self, pallet: Pallet[Any], owner: type) -> BoundNMap[K, V]: ...
    def __get__(self, pallet: Pallet[Any] | None, owner: type) -> Self | BoundNMap[K, V]:
        if pallet is None:
            return self
        bound: BoundNMap[K, V] = BoundNMap(self, pallet)
        pallet.__dict__[self.attribute] = bound
        return bound
