"""Events: typed records that a call leaves for everyone to see."""

from __future__ import annotations

from typing import Final

from primitives.scale import Struct

NO_TOPICS: Final = b"\0"
"""What follows an event in `System.Events`: an empty list."""


class Event(Struct):
    """The base of a pallet's events, nested in the pallet's class; the index follows the order of definition.

        class Stored(Event):
            "A user set a new value."
            something: U32
            who: AccountId

    The docstring becomes the documentation in metadata; the fields are typed and built by keyword.
    """
