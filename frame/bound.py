"""Storage items on the state that a pallet runs on: what `self.something` is.

Writing a value that its type cannot hold raises `ArithmeticFailure` (the usual case is a counter that
overflows). Reading a missing value raises `StorageMissing` unless the item has a default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypeVar, overload

from frame.codecs import compiled_decoder, range_check
from frame.errors import Arithmetic, ArithmeticFailure, Corruption, StorageMissing
from frame.item import MISSING, Item
from frame.shortcuts import (
    key_maker,
    map_changer,
    map_getter,
    map_putter,
    value_getter,
    value_keeper,
    value_putter,
)
from frame.state import ABSENT, Overlay
from primitives.hashing import twox_128
from primitives.scale import ScaleError, StructCodec, changer

if TYPE_CHECKING:
    from frame.pallet import Pallet

V = TypeVar("V")
K = TypeVar("K")
K1 = TypeVar("K1")
K2 = TypeVar("K2")
D = TypeVar("D")

_CACHED_KEYS: Final = 65_536


def _encode_failed(where: str, value: object, error: ScaleError) -> NoReturn:
    if isinstance(value, int):
        raise ArithmeticFailure(Arithmetic.Underflow if value < 0 else Arithmetic.Overflow) from error
    if isinstance(value, bytes | str | list | tuple) or hasattr(value, "encode"):
        raise ArithmeticFailure(Arithmetic.Overflow) from error
    raise TypeError(f"{where}: {error}") from error


class BoundItem:
    """What bound items share."""

    __slots__ = ("_decode", "_default", "_encode", "_item", "_keep", "_key", "_overlay", "_test")

    def __init__(self, item: Item, pallet: Pallet[Any]) -> None:
        self._item = item
        self._overlay: Overlay = pallet.machine.overlay
        self._key = item.prefix(pallet)
        self._decode, self._encode, self._test, self._keep = item.coders()
        self._default = item.default

    def _read(self, raw: bytes) -> Any:
        try:
            return self._decode(raw)
        except ScaleError as error:
            raise self._corrupt(error) from error

    def _read_at(self, key: bytes, default: object = None) -> Any:
        """The value at `key`, or `default` when nothing is stored."""
        try:
            value = self._overlay.read(key, self._decode, self._keep)
        except ScaleError as error:
            raise self._corrupt(error) from error
        return default if value is ABSENT else value

    def _corrupt(self, error: ScaleError) -> Corruption:
        return Corruption(f"{self._item.name}: {error}")

    def _write_at(self, key: bytes, value: object) -> None:
        """Store a value, decoded if it can stay so."""
        fits = None if self._test is None else range_check(self._item.codec)
        if fits is not None and fits(value):
            self._overlay.write(key, value, self._encode)
        else:
            self._write(key, value)

    def _write(self, key: bytes, value: object) -> None:
        """Store what cannot stay decoded, or does not fit."""
        try:
            raw = self._encode(value)
        except ScaleError as error:
            _encode_failed(self._item.name, value, error)
        self._overlay.put(key, raw)

    def _absent(self) -> Any:
        default = self._default
        if default is MISSING:
            raise StorageMissing(f"{self._item.name} holds no value")
        return default.copy() if type(default) is list else default

    def forget(self) -> None:
        """Forget remembered values: the next read decodes."""
        self._decode, self._encode, self._test, self._keep = self._item.coders()

    @property
    def key(self) -> bytes:
        """The storage key, or for a map the prefix of all its keys."""
        return self._key


class BoundValue(BoundItem, Generic[V]):
    """One value in the state that the pallet runs on."""

    __slots__ = ("get", "put", "put_checked")

    get: Callable[[], V]
    """The value, or the declared default; StorageMissing without either."""
    put: Callable[[V], None]
    """Store a value."""
    put_checked: Callable[[V], None]
    """Store a value that the caller has found to be in the range of its type: `put` without the test."""

    def __init__(self, item: Item, pallet: Pallet[Any]) -> None:
        super().__init__(item, pallet)
        self._shorten()

    def _shorten(self) -> None:
        overlay, key = self._overlay, self._key
        if type(overlay) is not Overlay:  # one that counts, say
            self.get, self.put = self._get, self._put
            self.put_checked = self._put
            return
        self.get = value_getter(overlay, key, self._decode, self._keep, self._absent, self._corrupt)
        self.put = value_putter(overlay, key, self._encode, self._test, self._write)
        self.put_checked = (
            self.put if self._test is None else value_keeper(overlay, key, self._encode, self._test)
        )

    def getter(self, default: V) -> Callable[[], V]:
        """A function like `get` with a default of its own."""
        if type(self._overlay) is not Overlay:
            return lambda: self._read_at(self._key, default)
        return value_getter(
            self._overlay, self._key, self._decode, self._keep, lambda: default, self._corrupt
        )

    def _get(self) -> V:
        value: V = self._read_at(self._key, ABSENT)
        return self._absent() if value is ABSENT else value

    def _put(self, value: V) -> None:
        self._write_at(self._key, value)

    def forget(self) -> None:
        super().forget()
        self._shorten()

    def try_get(self) -> V | None:
        """The value, or None when nothing is stored (whatever the default)."""
        value: V | None = self._read_at(self._key)
        return value

    def exists(self) -> bool:
        """Whether something is stored."""
        return self._overlay.get(self._key) is not None

    def kill(self) -> None:
        """Remove what is stored."""
        self._overlay.put(self._key, None)

    def take(self) -> V | None:
        """Remove what is stored and return it, None when there was nothing."""
        value = self.try_get()
        if value is not None:
            self.kill()
        return value


class BoundMap(BoundItem, Generic[K, V]):
    """A map in the state that the pallet runs on."""

    __slots__ = ("_cache", "_key_codec", "_skip", "key_of", "read", "store")

    key_of: Callable[[K], bytes]
    """The full storage key of an entry."""

    read: Callable[[K], V]
    """`self[k]`, one step shorter."""
    store: Callable[[K, V], None]
    """`self[k] = value`, one step shorter."""

    def __init__(self, item: Item, pallet: Pallet[Any]) -> None:
        super().__init__(item, pallet)
        # A key depends on nothing but the names: one table serves the pallet's copies on all states.
        self._cache: dict[K, bytes] = pallet.known_keys.setdefault(item.attribute, {})
        self._key_codec = item.key_codecs[0]
        self._skip = item.hashers[0].skip
        encode_key = self._key_codec.encoder()
        self.key_of = key_maker(self._key, self._cache, _CACHED_KEYS, encode_key, item.hashers[0].hash)
        self._shorten()

    def _shorten(self) -> None:
        overlay, known, key_of = self._overlay, self._cache, self.key_of
        if type(overlay) is not Overlay:
            self.read, self.store = self._get, self._put
            return
        self.read = map_getter(overlay, known, key_of, self._decode, self._keep, self._absent, self._corrupt)
        self.store = map_putter(overlay, known, key_of, self._encode, self._test, self._write)

    def changer(self, *path: str) -> Callable[[K, V, Any], None]:
        """What stores `x`, which the map holds at `k`, with another value of a field: `change(k, x, value)`;
        with a longer path, of a field of that field. Only that value is tested for its range.
        """
        codec = self._item.codec
        if not isinstance(codec, StructCodec):
            raise TypeError(f"{self._item.name}: only structs have fields")
        if type(self._overlay) is not Overlay or self._test is None:
            changed = changer(codec.cls, *path)
            return lambda k, x, value: self.store(k, changed(x, value))  # type: ignore[arg-type]
        return map_changer(self._overlay, self._cache, self.key_of, codec, path, self._write)

    def _get(self, k: K) -> V:
        value: V = self._read_at(self.key_of(k), ABSENT)
        return self._absent() if value is ABSENT else value

    def _put(self, k: K, value: V) -> None:
        self._write_at(self.key_of(k), value)

    def forget(self) -> None:
        super().forget()
        self._cache.clear()
        self._shorten()

    def __getitem__(self, k: K) -> V:
        return self.read(k)

    @overload
    def get(self, k: K) -> V | None: ...
    @overload
    def get(self, k: K, default: D) -> V | D: ...
    def get(self, k: K, default: object = None) -> object:
        """The entry, or `default` when nothing is stored (whatever the declared default)."""
        return self._read_at(self.key_of(k), default)

    def __setitem__(self, k: K, value: V) -> None:
        self.store(k, value)

    def __contains__(self, k: K) -> bool:
        return self._overlay.get(self.key_of(k)) is not None

    def remove(self, k: K) -> None:
        """Remove the entry; nothing happens when there is none."""
        self._overlay.put(self.key_of(k), None)

    def __delitem__(self, k: K) -> None:
        self.remove(k)

    def take(self, k: K) -> V | None:
        """Remove the entry and return it, None when there was none."""
        value = self.get(k)
        if value is not None:
            self.remove(k)
        return value

    def keys(self) -> Iterator[K]:
        """The keys in the order of their storage keys."""
        start = len(self._key) + self._skip
        decode = compiled_decoder(self._key_codec)
        for key in self._overlay.keys(self._key):
            yield decode(key[start:])

    def items(self) -> Iterator[tuple[K, V]]:
        """The entries in the order of their storage keys."""
        for k in self.keys():
            yield k, self[k]

    def values(self) -> Iterator[V]:
        """The values in the order of their storage keys."""
        for k in self.keys():
            yield self[k]

    def __iter__(self) -> Iterator[K]:
        return self.keys()

    def clear(self, limit: int | None = None) -> int:
        """Remove up to `limit` entries in key order; returns how many."""
        return self._overlay.kill_prefix(self._key, limit)


class BoundCountedMap(BoundMap[K, V]):
    """A map that also stores how many entries it has."""

    __slots__ = ("_counter",)

    def __init__(self, item: Item, pallet: Pallet[Any]) -> None:
        super().__init__(item, pallet)
        self._counter = twox_128(pallet.name.encode()) + twox_128(f"CounterFor{item.name}".encode())

    def count(self) -> int:
        """How many entries there are."""
        raw = self._overlay.get(self._counter)
        return 0 if raw is None else int.from_bytes(raw, "little")

    def _count(self, change: int) -> None:
        self._overlay.put(self._counter, (self.count() + change).to_bytes(4, "little"))

    def __setitem__(self, k: K, value: V) -> None:
        fresh = k not in self
        super().__setitem__(k, value)
        if fresh:
            self._count(1)

    def remove(self, k: K) -> None:
        if k in self:
            super().remove(k)
            self._count(-1)

    def clear(self, limit: int | None = None) -> int:
        count = super().clear(limit)
        self._count(-count)
        return count


class BoundDoubleMap(BoundItem, Generic[K1, K2, V]):
    """A map of two keys in the state that the pallet runs on."""

    __slots__ = ("_encode1", "_encode2", "_hasher1", "_hasher2")

    def __init__(self, item: Item, pallet: Pallet[Any]) -> None:
        super().__init__(item, pallet)
        self._encode1, self._encode2 = (codec.encoder() for codec in item.key_codecs)
        self._hasher1, self._hasher2 = item.hashers

    def prefix_of(self, k1: K1) -> bytes:
        """The prefix of all entries under `k1`."""
        return self._key + self._hasher1.hash(self._encode1(k1))

    def key_of(self, k: tuple[K1, K2]) -> bytes:
        """The full storage key of an entry."""
        return self.prefix_of(k[0]) + self._hasher2.hash(self._encode2(k[1]))

    def __getitem__(self, k: tuple[K1, K2]) -> V:
        value: V = self._read_at(self.key_of(k), ABSENT)
        return self._absent() if value is ABSENT else value

    def get(self, k1: K1, k2: K2) -> V | None:
        """The entry, or None when nothing is stored (whatever the default)."""
        value: V | None = self._read_at(self.key_of((k1, k2)))
        return value

    def __setitem__(self, k: tuple[K1, K2], value: V) -> None:
        self._write(self.key_of(k), value)

    def __contains__(self, k: tuple[K1, K2]) -> bool:
        return self._overlay.get(self.key_of(k)) is not None

    def remove(self, k1: K1, k2: K2) -> None:
        """Remove the entry; nothing happens when there is none."""
        self._overlay.put(self.key_of((k1, k2)), None)

    def take(self, k1: K1, k2: K2) -> V | None:
        """Remove the entry and return it, None when there was none."""
        value = self.get(k1, k2)
        if value is not None:
            self.remove(k1, k2)
        return value

    def keys_prefix(self, k1: K1) -> Iterator[K2]:
        """The second keys under `k1`, in the order of their storage keys."""
        prefix = self.prefix_of(k1)
        decode = compiled_decoder(self._item.key_codecs[1])
        start = len(prefix) + self._hasher2.skip
        for key in self._overlay.keys(prefix):
            yield decode(key[start:])

    def items_prefix(self, k1: K1) -> Iterator[tuple[K2, V]]:
        """The entries under `k1`, in the order of their storage keys."""
        for k2 in self.keys_prefix(k1):
            yield k2, self[k1, k2]

    def keys(self) -> Iterator[tuple[K1, K2]]:
        """All pairs of keys, in the order of their storage keys."""
        first, second = self._item.key_codecs
        for key in self._overlay.keys(self._key):
            k1, end = first.decode_from(key, len(self._key) + self._hasher1.skip)
            k2, _ = second.decode_from(key, end + self._hasher2.skip)
            yield k1, k2

    def items(self) -> Iterator[tuple[tuple[K1, K2], V]]:
        """All entries, in the order of their storage keys."""
        for pair in self.keys():
            yield pair, self[pair]

    def remove_prefix(self, k1: K1, limit: int | None = None) -> int:
        """Remove up to `limit` entries under `k1` in key order; returns how many."""
        return self._overlay.kill_prefix(self.prefix_of(k1), limit)
