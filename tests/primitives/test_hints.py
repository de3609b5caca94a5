"""`primitives.hints` says what `typing` says, of all that the runtime declares and of odd annotations."""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, Optional, TypeVar

import pytest

from primitives.hints import type_hints
from primitives.scale import U32
from runtime import GristmillRuntime

T = TypeVar("T")
Later = list["Plain"]
number = 7


@dataclass
class Plain:
    one: U32
    many: list[U32] | None
    none: None
    other: ClassVar[Plain]


class Derived(Plain, Generic[T]):
    one: Annotated[bytes, "more"]  # type: ignore[assignment]
    extra: T


class Quoted:
    here: list["Plain"]  # noqa: UP037
    there: Optional["Derived[int]"]  # noqa: UP037, UP045


class Aliased:
    hidden: Later
    deep: dict[str, list[Later]]


class Number:
    field: number  # type: ignore[valid-type]


class Shadowed:
    U32: U32
    bytes: bytes
    after: bytes


def plain(a: U32, b: Plain | None = None, *rest: Any, c: Callable[[int], None]) -> None:
    """Nothing."""


@functools.wraps(plain)
def wrapped(*args: Any) -> None:
    """Nothing."""


def bare(a, b=1):  # type: ignore[no-untyped-def]
    """Nothing."""


OWNERS = [Plain, Derived, Quoted, Aliased, Number, Shadowed, plain, wrapped, bare, int, object]


def declared() -> Iterator[Any]:
    """What the runtime is made of."""
    for pallet in GristmillRuntime().pallets:
        declaration = type(pallet).declaration
        yield from (call.function for call in declaration.calls)
        yield from declaration.events
        yield from filter(None, (declaration.config, declaration.genesis))


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.__name__)
def test_odd_annotations(owner: Any) -> None:
    assert type_hints(owner) == typing.get_type_hints(owner, include_extras=True)
    names = {"Plain": int, "U32": str}
    assert type_hints(owner, names) == typing.get_type_hints(owner, localns=names, include_extras=True)


def test_all_that_the_runtime_declares() -> None:
    owners = list(declared())
    assert len(owners) > 100
    for owner in owners:
        names = dict(vars(owner)) if isinstance(owner, type) else {}
        expected = typing.get_type_hints(owner, localns=names, include_extras=True)
        assert type_hints(owner, names) == expected, owner


def test_a_name_that_is_not_there_is_said() -> None:
    class Unknown:
        field: NoSuchName  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(NameError, match="NoSuchName"):
        type_hints(Unknown)
