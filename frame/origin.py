"""Who sends a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final

from frame.errors import BadOrigin

if TYPE_CHECKING:
    from frame.call import RuntimeCall

Filter = Callable[["RuntimeCall"], bool]
"""Whether a call may be made."""


class Origin:
    """Root, nobody, or an account. Calls ask for what they accept; anything else is `BadOrigin`.

    `filters` bound what may be done in its name: every dispatch asks all of them, also of the calls that a
    call carries, and answers `System.CallFiltered`. They belong to the way here (a proxy, say), not to who
    it is: equality does not look at them.
    """

    __slots__ = ("_who", "filters", "is_root")

    ROOT: ClassVar[Origin]
    NONE: ClassVar[Origin]

    def __init__(self, who: bytes | None, is_root: bool = False, filters: tuple[Filter, ...] = ()) -> None:
        self._who = who
        self.is_root = is_root
        self.filters = filters

    @staticmethod
    def of(who: bytes) -> Origin:
        """The origin of a call that `who` has signed."""
        return Origin(who)

    def filtered(self, allows: Filter) -> Origin:
        """The same origin, which may make only calls that `allows` allows as well."""
        return Origin(self._who, self.is_root, (*self.filters, allows))

    def acting_as(self, who: bytes) -> Origin:
        """The origin of an account that stands behind this one: the same filters hold for it."""
        return Origin(who, filters=self.filters)

    @property
    def account(self) -> bytes | None:
        """The signer, or None for root and nobody."""
        return self._who

    def signed(self) -> bytes:
        """The signer's account; BadOrigin without one."""
        if self._who is None:
            raise BadOrigin()
        return self._who

    def root(self) -> None:
        """BadOrigin unless this is root."""
        if not self.is_root:
            raise BadOrigin()

    def none(self) -> None:
        """BadOrigin unless nobody signed, as for inherents."""
        if self.is_root or self._who is not None:
            raise BadOrigin()

    def signed_or_root(self) -> bytes | None:
        """The signer, or None for root; BadOrigin for nobody."""
        if self._who is None and not self.is_root:
            raise BadOrigin()
        return self._who

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Origin) and (self._who, self.is_root) == (other._who, other.is_root)

    def __hash__(self) -> int:
        return hash((self._who, self.is_root))

    def __repr__(self) -> str:
        if self.is_root:
            return "Origin.ROOT"
        return "Origin.NONE" if self._who is None else f"Origin.of({self._who.hex()})"


ROOT: Final = Origin(None, is_root=True)
NONE: Final = Origin(None)
Origin.ROOT = ROOT
Origin.NONE = NONE
