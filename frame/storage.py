"""Typed storage items, as a pallet's class body declares them: `something = StorageValue[U32](default=0)`.

Reading the attribute on a pallet that runs (`self.something`) gives a bound item (`frame.bound`), made on
first use and kept in the pallet's `__dict__`: from then on the descriptor costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from frame.bound import BoundCountedMap, BoundDoubleMap, BoundMap, BoundValue
from frame.item import MISSING, Blake2_128Concat, Hasher, Item, Missing

if TYPE_CHECKING:
    from frame.pallet import Pallet

V = TypeVar("V")
K = TypeVar("K")
K1 = TypeVar("K1")
K2 = TypeVar("K2")


class StorageValue(Item, Generic[V]):
    """One value: `something = StorageValue[U32](default=0)`."""

    def __init__(self, *, default: V | Missing = MISSING, name: str | None = None, doc: str = "") -> None:
        super().__init__(default, name, doc)

    @overload
    def __get__(self, pallet: None, owner: type) -> Self: ...
    @overload
    def __get__(self, pallet: Pallet[Any], owner: type) -> BoundValue[V]: ...
    def __get__(self, pallet: Pallet[Any] | None, owner: type) -> Self | BoundValue[V]:
        if pallet is None:
            return self
        bound: BoundValue[V] = BoundValue(self, pallet)
        pallet.__dict__[self.attribute] = bound
        return bound


class StorageMap(Item, Generic[K, V]):
    """A map from one key: `changes = StorageMap[AccountId, U32](default=0)`."""

    def __init__(
        self,
        *,
        default: V | Missing = MISSING,
        hasher: Hasher = Blake2_128Concat,
        name: str | None = None,
        doc: str = "",
    ) -> None:
        super().__init__(default, name, doc)
        self.hashers = (hasher,)

    @overload
    def __get__(self, pallet: None, owner: type) -> Self: ...
    @overload
    def __get__(self, pallet: Pallet[Any], owner: type) -> BoundMap[K, V]: ...
    def __get__(self, pallet: Pallet[Any] | None, owner: type) -> Self | BoundMap[K, V]:
        if pallet is None:
            return self
        bound: BoundMap[K, V] = BoundMap(self, pallet)
        pallet.__dict__[self.attribute] = bound
        return bound


class CountedStorageMap(Item, Generic[K, V]):
    """A map that knows how many entries it has; the number is stored as `CounterFor<Name>`."""

    counted = True

    def __init__(
        self,
        *,
        default: V | Missing = MISSING,
        hasher: Hasher = Blake2_128Concat,
        name: str | None = None,
        doc: str = "",
    ) -> None:
        super().__init__(default, name, doc)
        self.hashers = (hasher,)

    @overload
    def __get__(self, pallet: None, owner: type) -> Self: ...
    @overload
    def __get__(self, pallet: Pallet[Any], owner: type) -> BoundCountedMap[K, V]: ...
    def __get__(self, pallet: Pallet[Any] | None, owner: type) -> Self | BoundCountedMap[K, V]:
        if pallet is None:
            return self
        bound: BoundCountedMap[K, V] = BoundCountedMap(self, pallet)
        pallet.__dict__[self.attribute] = bound
        return bound


class StorageDoubleMap(Item, Generic[K1, K2, V]):
    """A map from two keys, removable and readable by the first: `spent = StorageDoubleMap[U32, AccountId,
    U64]()`.
    """

    def __init__(
        self,
        *,
        default: V | Missing = MISSING,
        hashers: tuple[Hasher, Hasher] = (Blake2_128Concat, Blake2_128Concat),
        name: str | None = None,
        doc: str = "",
    ) -> None:
        super().__init__(default, name, doc)
        self.hashers = hashers

    @overload
    def __get__(self, pallet: None, owner: type) -> Self: ...
    @overload
    def __get__(self, pallet: Pallet[Any], owner: type) -> BoundDoubleMap[K1, K2, V]: ...
    def __get__(self, pallet: Pallet[Any] | None, owner: type) -> Self | BoundDoubleMap[K1, K2, V]:
        if pallet is None:
            return self
        bound: BoundDoubleMap[K1, K2, V] = BoundDoubleMap(self, pallet)
        pallet.__dict__[self.attribute] = bound
        return bound
