"""The two sides of a `Result`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar, Union

T = TypeVar("T")
E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Ok(Generic[T]):
    """The good side of a `Result`."""

    value: T


@dataclass(frozen=True, slots=True)
class Err(Generic[E]):
    """The other side of a `Result`."""

    error: E


Result = Union[Ok[T], Err[E]]  # noqa: UP007 - a generic alias: Result[U32, Text] is a hint with a codec
