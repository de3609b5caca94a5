"""Straight-line code around a signed call: one function that judges and one that applies, made once for a
machine from its list of extensions. No loop over extensions and no list of what they prepared is left.

What they do is what `frame.executive` says in plain words (`plainly_applied`); tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from frame.call import AS_DECLARED, DispatchClass, PostInfo
from frame.errors import DispatchError
from frame.generated import function
from frame.origin import Origin
from frame.transaction import (
    Invalid,
    InvalidTransaction,
    Judgement,
    TransactionValidityError,
    Validity,
)

if TYPE_CHECKING:
    from frame.extensions.base import Extension
    from frame.extrinsic import Checked
    from frame.machine import Machine

Apply = Callable[["Checked"], DispatchError | None]
Judge = Callable[["Checked"], Validity]


def applier(m: Machine) -> Apply:
    """What applies a signed extrinsic, in an open layer of the overlay: None, or the error of its call.

    TransactionValidityError: it must not be in the block; the layer holds nothing then. An extension whose
    `prepare` refuses all that its `check` refuses (`prepare_checks`) is not asked twice; when something is
    refused, all are asked again in their order, so that the first refusal counts, as without this short cut.
    The call needs no layer of its own: what it wrote is undone when it fails, and all is when it traps.
    """
    from frame.machine import Trap

    source = _Source(m)
    for e in m.extensions:
        if e.checks and not e.checks_in_prepare:
            source.line(2, source.call(e, "check"))
    for e in m.extensions:
        if e.defines("prepare"):
            name = f"prepared{source.place(e)}"
            source.line(2, f"{name} = {source.call(e, 'prepare')}")
    checks = [source.call(e, "check") for e in m.extensions if e.checks]
    finishes = []
    for e in m.extensions:
        if e.defines("finish"):
            prepared = f"prepared{source.place(e)}" if e.defines("prepare") else "None"
            seldom = e.says("finishes_changes_alone", ("finish",))
            condition = "if post is not AS_DECLARED: " if seldom else ""
            finishes.append(condition + source.call(e, "finish", prepared, "post"))
    after = ["overlay.rollback()", "overlay.begin()", *checks, "raise"]
    body = _APPLY.format(
        prepares="\n".join(source.lines),
        checks="\n".join("        " + line for line in after),
        finishes="\n".join("    " + line for line in finishes),
    )
    names = {
        "AS_DECLARED": AS_DECLARED,
        "BAD_MANDATORY": Invalid.BadMandatory,
        "DispatchError": DispatchError,
        "InvalidTransaction": InvalidTransaction,
        "MANDATORY": DispatchClass.Mandatory,
        "Origin": Origin,
        "PostInfo": PostInfo,
        "TransactionValidityError": TransactionValidityError,
        "Trap": Trap,
        "journal": m.overlay.journal,
        "located": m.located,
        "methods": m.methods,
        "note": m.system.note_applied_extrinsic,
        "overlay": m.overlay,
        "trap": m.trap,
        "undo": m.overlay.undo,
    }
    made: Apply = function("apply", body, source.names | names)
    return made


_APPLY = """
def apply(tx):
    extra = tx.extra
    try:
        pass
{prepares}
    except TransactionValidityError:
{checks}
    failure = None
    call = tx.call
    start = len(journal)
    try:
        post = methods[call.entry](Origin(tx.who), *call.args)
        if post is None:
            post = AS_DECLARED
        elif type(post) is not PostInfo:
            post = PostInfo(post)
    except DispatchError as error:
        undo(start)
        if tx.info.dispatch_class is MANDATORY:
            raise InvalidTransaction(BAD_MANDATORY) from error
        failure = located(error)
        post = PostInfo(error.actual_weight)
    except Trap:
        raise
    except Exception as error:
        raise trap(call, error) from error
{finishes}
    note(failure, tx.info, post)
    return failure
"""


def judger(m: Machine) -> Judge:
    """What says whether a signed extrinsic is valid, writing nothing; TransactionValidityError if not."""
    source = _Source(m)
    for e in m.extensions:
        if e.defines("validate"):
            source.line(1, source.call(e, "validate", "found"))
    lines = ["def judge(tx):", "    extra = tx.extra", "    found = Judgement()", *source.lines]
    body = "\n".join([*lines, "    return found.validity()"])
    made: Judge = function("judge", body, source.names | {"Judgement": Judgement})
    return made


class _Source:
    """Lines of a function under way, and the methods that they call."""

    def __init__(self, m: Machine) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {}
        self._places = {id(e): place for place, e in enumerate(m.extensions)}

    def place(self, extension: Extension) -> int:
        return self._places[id(extension)]

    def line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def call(self, extension: Extension, method: str, *more: str) -> str:
        """The expression that calls a method of an extension with its own part of the extra."""
        name = f"{method}{self.place(extension)}"
        self.names[name] = getattr(extension, method)
        own = "None" if extension.slot < 0 else f"extra[{extension.slot}]"
        return f"{name}({', '.join(['tx', own, *more])})"
