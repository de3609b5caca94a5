"""Judging many transactions on one state, as the pool does between two blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from frame import executive
from frame.backend import Backend
from frame.extrinsic import Checked, check, parse
from frame.forms import Admitted, Form, FormJudge
from frame.host import Host
from frame.machine import MOST_KEPT, Trap
from frame.transaction import Source, TransactionValidityError, Validity
from primitives.extrinsic import Parsed

if TYPE_CHECKING:
    from frame.runtime import Runtime


class Validator:
    """`Runtime.validate` on the state of the block `at`, with the next block begun once and for all.

    Each judgement is undone before the next: they do not depend on each other. What was read stays in
    memory; who keeps a validator for long asks `size`.
    """

    def __init__(self, runtime: Runtime, state: Backend, at: bytes, host: Host) -> None:
        self.checked: Checked | None = None
        """The last transaction that was found valid, for `BlockBuilder.apply`."""
        self._runtime = runtime
        self._machine = runtime.borrow(state, host)
        self._forms = FormJudge(self._machine)
        self._begin(at)

    def _begin(self, at: bytes) -> None:
        self.at = at
        self._forms.forget()
        self._machine.overlay.begin()  # to be undone when the next block has come
        executive.begin_validation(self._machine, at)

    def move(self, state: Backend, at: bytes, host: Host) -> None:
        """Stand on the state of another block. If that follows this one and has just been made or executed
        here, what is known of the state stays in memory.
        """
        machine, maker = self._machine, self._runtime.maker_of(at)
        if maker is not None and maker.began == self.at:
            overlay = machine.overlay
            overlay.rollback()
            overlay.follow(maker.overlay, state, MOST_KEPT)
            machine.host = host
        else:
            machine.reset(state, host)
        self.checked = None
        self._begin(at)

    @property
    def size(self) -> int:
        """How many values of the state are in memory."""
        return len(self._machine.overlay.view)

    def parse(self, extrinsic: bytes) -> Parsed:
        """Take an extrinsic apart. BadFormat."""
        return parse(self._machine, extrinsic)

    def validate(self, source: Source, extrinsic: bytes, parsed: Parsed | None = None) -> Validity:
        """Whether the pool may keep `extrinsic`; `parsed` is what `parse` makes of it.

        Raises TransactionValidityError, or machine.Trap for a defect of the runtime.
        """
        machine, self.checked = self._machine, None
        overlay = machine.overlay
        overlay.begin()
        try:
            tx = check(machine, extrinsic, parsed)
            found = executive.judge(machine, tx)
        except (TransactionValidityError, Trap):
            raise
        except Exception as error:
            raise executive.as_trap(error) from error
        finally:
            overlay.rollback()
        self.checked = tx
        return found

    def judge_row(
        self, extrinsics: Iterable[bytes], nonces: Iterable[int], forms: Iterable[Form]
    ) -> Iterator[Admitted | None]:
        """What `validate` says of each of these, whose signatures hold and whose nonces and forms are known;
        None for those that it must be asked of.
        """
        return self._forms.judge(extrinsics, nonces, forms)
