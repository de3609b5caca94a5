"""The transaction extension: what is checked, charged and noted around every signed call."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self

from frame.accounts import AccountInfo
from frame.call import PostInfo
from frame.extrinsic import Checked
from frame.pallet import rebind
from frame.transaction import Judgement

if TYPE_CHECKING:
    from frame.machine import Machine

Ask = Callable[[bytes, AccountInfo, int], bool]
"""Whether an extrinsic of this signer, of what is stored of it, and with this nonce is valid."""


class Extension:
    """One extension. A runtime lists them in order; the order is part of the chain's format.

    `extra` is the hint of what the transaction carries, `implicit` of what is only signed; None for nothing.
    """

    identifier: ClassVar[str]
    path: ClassVar[str]
    """The type path in metadata."""
    extra: ClassVar[Any] = None
    extra_field: ClassVar[str | None] = None
    """The name of the field of `extra` in metadata; None makes it positional."""
    implicit: ClassVar[Any] = None
    prepare_checks: ClassVar[bool] = False
    """Whether `prepare` refuses all that `check` refuses: then a block asks it alone. It is said of the class
    that says it: one derived from it, with a `check`, `validate` or `prepare` of its own, has to say so anew.
    """

    judges_forms: ClassVar[bool] = False
    """Whether `judge_form` says the same as `validate`; said of the class that says it, likewise."""

    finishes_changes_alone: ClassVar[bool] = False
    """Whether `finish` does nothing after a call that said nothing of its weight; likewise."""

    machine: Machine
    slot: int = -1
    """The place in the tuple of extras."""

    def bound(self, machine: Machine) -> Self:
        """A copy for `machine`, with declared pallets replaced by bound ones."""
        new = copy.copy(self)
        new.machine = machine
        for name, value in list(vars(new).items()):
            new.__dict__[name] = rebind(value, machine.by_index)
        return new

    def defines(self, method: str) -> bool:
        """Whether this extension has its own `method`; those without are not called at all."""
        return getattr(type(self), method) is not getattr(Extension, method)

    @property
    def checks(self) -> bool:
        """Whether a block has something to ask this extension before dispatch."""
        return self.defines("validate" if not self.defines("check") else "check")

    @property
    def checks_in_prepare(self) -> bool:
        """Whether `prepare_checks` holds for this class."""
        return self.says("prepare_checks", ("check", "validate", "prepare"))

    def says(self, claim: str, of: tuple[str, ...]) -> bool:
        """Whether a `claim` on the methods `of` holds for this class: no class derived from the one that
        makes it has replaced one of them without making it anew.
        """
        for cls in type(self).__mro__:
            own = vars(cls)
            if claim in own:
                return bool(own[claim])
            if not own.keys().isdisjoint(of):
                return False
        return False

    def implicit_bytes(self, extra: Any) -> bytes:
        """The encoding of what is signed along."""
        return b""

    def validate(self, tx: Checked, extra: Any, found: Judgement) -> None:
        """Check without writing, and add to `found` what the pool must know. Raises
        TransactionValidityError.
        """

    def check(self, tx: Checked, extra: Any) -> None:
        """What `validate` checks, for a block, which has no use for what it finds. Unless an extension has a
        shorter way, it is `validate`.
        """
        self.validate(tx, extra, Judgement())

    def judge_form(self, tx: Checked, extra: Any, found: Judgement) -> Ask | None:
        """`validate` for all extrinsics of the form of `tx` at once (see `frame.forms`), where `judges_forms`
        says that it is: it may look at `info` and `length` of `tx`, and at `extra` if that is no nonce.
        Returns what each of them must still be asked, if anything. What is refused is judged again, alone.
        """
        self.validate(tx, extra, found)
        return None

    def validate_bare(self, tx: Checked) -> None:
        """Check an unsigned extrinsic."""

    def prepare(self, tx: Checked, extra: Any) -> Any:
        """Just before dispatch, after all have validated: write what stays even if the call fails."""
        return None

    def prepare_bare(self, tx: Checked) -> None:
        """Just before an unsigned extrinsic is dispatched."""

    def finish(self, tx: Checked, extra: Any, prepared: Any, post: PostInfo) -> None:
        """After dispatch, whether it succeeded or not; `prepared` is what `prepare` returned."""

    def finish_bare(self, tx: Checked, post: PostInfo) -> None:
        """After an unsigned extrinsic was dispatched."""
