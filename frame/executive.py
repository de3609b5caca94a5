"""The order of things in a block (`frame/executive/src/lib.rs`)."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from frame.call import AS_DECLARED, DispatchClass, DispatchInfo, PostInfo
from frame.errors import DispatchError
from frame.extrinsic import Checked, Vouched, check, checked_again, parse
from frame.machine import Machine, Trap
from frame.migrations import migrate_all
from frame.origin import Origin
from frame.rows import Row
from frame.transaction import (
    Invalid,
    InvalidTransaction,
    Source,
    TransactionValidityError,
    Unknown,
    UnknownTransaction,
    Validity,
)
from frame.weights import ZERO, Weight
from primitives.digest import Digest, DigestItem
from primitives.extrinsic import Parsed
from primitives.header import Header

OK = b"\0\0"


class InvalidBlock(Exception):
    """A block that does not follow the rules; nothing of it is kept."""


def initialize_block(m: Machine, number: int, parent_hash: bytes, digest: Digest) -> None:
    """Events reset, upgrade, system, hooks, the base weight: what comes before the first extrinsic."""
    if number == 0:
        raise InvalidBlock("the genesis block is not executed")
    m.extrinsics = []
    m.system.reset_events()
    upgraded, used = _upgrade(m)
    m.system.initialize(number, parent_hash, digest)
    if upgraded:
        m.system.note_upgrade()
    for pallet in m.pallets:
        used = used + pallet.on_initialize(number)
    m.system.register_extra_weight(used + m.system.block_weights().base_block, DispatchClass.Mandatory)
    m.system.note_finished_initialize()


def _upgrade(m: Machine) -> tuple[bool, Weight]:
    if not m.system.is_upgrade_due():
        return False, ZERO
    used = migrate_all(m.pallets)
    for pallet in m.pallets:
        used = used + pallet.on_runtime_upgrade()
    return True, used


def apply_extrinsic(
    m: Machine,
    raw: bytes,
    parsed: Parsed | None = None,
    checked: Checked | Vouched | None = None,
    row: Row | None = None,
) -> bytes:
    """Apply one extrinsic and return the SCALE bytes of its `DispatchResult`: `00`, or `01` and the error.

    `parsed` is what `frame.extrinsic.parse` makes of `raw`, and `checked` what `frame.extrinsic.check` made
    of it before, on this block or another one, or what is left of that, for who has them already; `row` is
    that of the block, for who has neither.

    TransactionValidityError: it must not be in the block, and nothing has changed. Trap: likewise, for a
    defect.
    """
    return _applied(m, raw, parsed, checked, row)[1]


def admit_extrinsic(m: Machine, raw: bytes, parsed: Parsed | None = None) -> tuple[Validity, bytes]:
    """`judge` and `apply_extrinsic` in one: what the pool hears of it, and its `DispatchResult`.

    Raises what either of them raises; then nothing has changed.
    """
    validity, result = _applied(m, raw, parsed, judged=True)
    assert validity is not None
    return validity, result


def _applied(
    m: Machine,
    raw: bytes,
    parsed: Parsed | None = None,
    checked: Checked | Vouched | None = None,
    row: Row | None = None,
    judged: bool = False,
) -> tuple[Validity | None, bytes]:
    overlay = m.overlay
    overlay.begin()
    validity = None
    try:
        tx = None if checked is None else checked_again(m, raw, checked)
        if tx is None:
            tx = check(m, raw, parsed) if row is None else row.check(raw)
        if judged:
            validity = judge(m, tx)
        error = apply_bare(m, tx) if tx.who is None else m.apply_signed(tx)
    except (TransactionValidityError, Trap):
        overlay.rollback()
        raise
    except BaseException as defect:
        overlay.rollback()
        if isinstance(defect, Exception):
            raise as_trap(defect) from defect
        raise
    overlay.commit()
    m.extrinsics.append(raw)
    return validity, b"\0" if error is None else b"\1" + error.encode()


def as_trap(error: Exception) -> Trap:
    """What an exception becomes that is no verdict on the transaction."""
    return Trap(f"{type(error).__name__}: {error}")


class trapped:
    """`with trapped():` turns every exception that is no verdict on the transaction into a Trap."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, TransactionValidityError | Trap):
            raise as_trap(error) from error


def apply_bare(m: Machine, tx: Checked) -> DispatchError | None:
    """Apply an unsigned extrinsic, in an open layer: an inherent, or it is UnknownTransaction."""
    if not tx.call.entry.definition.inherent:
        raise UnknownTransaction(Unknown.NoUnsignedValidator)
    for extension in m.extensions:
        extension.validate_bare(tx)
    for extension in m.extensions:
        extension.prepare_bare(tx)
    failure, post = _dispatched(m, tx, Origin.NONE)
    for extension in m.extensions:
        extension.finish_bare(tx, post)
    m.system.note_applied_extrinsic(failure, tx.info, post)
    return failure


def plainly_applied(m: Machine, tx: Checked) -> DispatchError | None:
    """What `Machine.apply_signed` does, said in plain words: tests hold the two together."""
    own = [(e, None if e.slot < 0 else tx.extra[e.slot]) for e in m.extensions]
    for extension, extra in own:
        extension.check(tx, extra)
    prepared = [extension.prepare(tx, extra) for extension, extra in own]
    failure, post = _dispatched(m, tx, Origin(tx.who))
    for (extension, extra), before in zip(own, prepared, strict=True):
        extension.finish(tx, extra, before, post)
    m.system.note_applied_extrinsic(failure, tx.info, post)
    return failure


def _dispatched(m: Machine, tx: Checked, origin: Origin) -> tuple[DispatchError | None, PostInfo]:
    try:
        return None, post_info(m.dispatch(tx.call, origin))
    except DispatchError as error:
        if tx.info.dispatch_class is DispatchClass.Mandatory:
            raise InvalidTransaction(Invalid.BadMandatory) from error
        return error, PostInfo(error.actual_weight)


def post_info(result: Weight | PostInfo | None) -> PostInfo:
    """What a call returned, as the frame's record of it."""
    if result is None:
        return AS_DECLARED
    return result if isinstance(result, PostInfo) else PostInfo(result)


def validate_transaction(m: Machine, source: Source, raw: bytes, at: bytes) -> Validity:
    """Whether the pool may keep `raw`, judged as in the block after `at`. Raises TransactionValidityError."""
    with trapped(), m.overlay:
        begin_validation(m, at)
        return judge(m, check(m, raw))


def begin_validation(m: Machine, at: bytes) -> None:
    """Stand in the block after `at`, where `judge` is asked."""
    m.system.initialize(m.system.block_number() + 1, at, Digest(logs=[]))


def judge(m: Machine, tx: Checked) -> Validity:
    """Whether the pool may keep `tx`, after `begin_validation` or in an open block; writes nothing. Raises
    TransactionValidityError.
    """
    if tx.info.dispatch_class is DispatchClass.Mandatory:
        raise InvalidTransaction(Invalid.MandatoryValidation)
    if tx.who is None:
        raise UnknownTransaction(Unknown.NoUnsignedValidator)
    return m.judge_signed(tx)


def finish_extrinsics(m: Machine) -> None:
    """After the last extrinsic: idle work, then the hooks that end the block."""
    m.system.note_finished_extrinsics()
    number = m.system.block_number()
    left = m.system.weight_left()
    if left.ref_time:
        for pallet in m.pallets:
            used = pallet.on_idle(number, left)
            if used.ref_time or used.proof_size:
                m.system.register_extra_weight(used, DispatchClass.Mandatory)
                left = left - used
    for pallet in m.pallets:
        pallet.on_finalize(number)


def finalize_block(m: Machine) -> Header:
    """Finish the block: the header with the roots of state and extrinsics."""
    finish_extrinsics(m)
    return m.system.finalize()


def execute_block(m: Machine, header: Header, extrinsics: list[bytes]) -> list[bytes]:
    """Execute a block and check that it is what its header says; returns the dispatch results.

    InvalidBlock when anything differs; the caller then throws the overlay away.
    """
    initialize_block(m, header.number, header.parent_hash, pre_digest(header))
    _initial_checks(m, header)
    results = _apply_all(m, extrinsics)
    final = finalize_block(m)
    _final_checks(header, final)
    return results


def pre_digest(header: Header) -> Digest:
    """What of the digest was there before the block was executed: the author's notes to the runtime."""
    return Digest(logs=[item for item in header.digest.logs if type(item) is DigestItem.PreRuntime])


def _initial_checks(m: Machine, header: Header) -> None:
    if m.system.block_hash(header.number - 1) != header.parent_hash:
        raise InvalidBlock("the parent hash is wrong")


def _apply_all(m: Machine, extrinsics: list[bytes]) -> list[bytes]:
    results = []
    row = Row(m)
    inherents_over = False
    for index, raw in enumerate(extrinsics):
        try:
            signed = m.runtime.is_signed(raw)
            if not signed and inherents_over:
                raise InvalidBlock(f"extrinsic {index} is an inherent after other extrinsics")
            if signed and not inherents_over:
                inherents_applied(m)
                inherents_over = True
            results.append(apply_extrinsic(m, raw, row=row))
        except InvalidBlock:
            raise
        except Exception as error:
            raise InvalidBlock(f"extrinsic {index}: {error}") from error
    if not inherents_over:
        inherents_applied(m)
    return results


def inherents_applied(m: Machine) -> None:
    """Between the inherents and the other extrinsics."""
    m.system.note_inherents_applied()


def _final_checks(header: Header, final: Header) -> None:
    checks: tuple[tuple[str, Callable[[Header], object]], ...] = (
        ("number", lambda h: h.number),
        ("digest", lambda h: _without_seals(h.digest)),
        ("state root", lambda h: h.state_root),
        ("extrinsics root", lambda h: h.extrinsics_root),
    )
    for name, read in checks:
        if read(header) != read(final):
            raise InvalidBlock(f"the {name} is wrong")


def _without_seals(digest: Digest) -> list[DigestItem]:
    return [item for item in digest.logs if not isinstance(item, DigestItem.Seal)]


def dispatch_info_of(m: Machine, raw: bytes) -> tuple[DispatchInfo, int]:
    """Weight, class and length of an extrinsic, whose signature is not looked at."""
    return parse(m, raw).extrinsic.call.info(), len(raw)
