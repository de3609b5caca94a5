"""The order of things in a block (`frame/executive/src/lib.rs`)."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from frame.call import DispatchClass, DispatchInfo, PostInfo
from frame.errors import DispatchError
from frame.extrinsic import Checked, check, parse
from frame.machine import Machine, Trap
from frame.migrations import migrate_all
from frame.origin import Origin
from frame.transaction import (
    Invalid,
    InvalidTransaction,
    Source,
    TransactionValidityError,
    Unknown,
    UnknownTransaction,
    Validity,
    all_together,
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


def apply_extrinsic(m: Machine, raw: bytes, parsed: Parsed | None = None) -> bytes:
    """Apply one extrinsic and return the SCALE bytes of its `DispatchResult`: `00`, or `01` and the error.

    `parsed` is what `frame.extrinsic.parse` makes of `raw`, for who has it already.

    TransactionValidityError: it must not be in the block, and nothing has changed. Trap: likewise, for a
    defect.
    """
    overlay = m.overlay
    overlay.begin()
    try:
        tx = check(m, raw, parsed)
        m.system.note_extrinsic()
        error = _apply(m, tx)
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
    return b"\0" if error is None else b"\1" + error.encode()


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


def _apply(m: Machine, tx: Checked) -> DispatchError | None:
    if tx.who is None:
        _bare(m, tx)
        prepared: list[Any] = []
        origin = Origin.NONE
    else:
        extra = tx.extra
        for check_extension, slot in m.checking:
            check_extension(tx, None if slot < 0 else extra[slot])
        prepared = [prepare(tx, None if slot < 0 else extra[slot]) for prepare, slot in m.preparing]
        origin = Origin(tx.who)
    failure: DispatchError | None = None
    try:
        post = post_info(m.dispatch(tx.call, origin))
    except DispatchError as error:
        if tx.info.dispatch_class is DispatchClass.Mandatory:
            raise InvalidTransaction(Invalid.BadMandatory) from error
        failure = error
        post = PostInfo(error.actual_weight)
    _finish(m, tx, prepared, post)
    m.system.note_applied_extrinsic(failure, tx.info, post)
    return failure


def _bare(m: Machine, tx: Checked) -> None:
    if not tx.call.entry.definition.inherent:
        raise UnknownTransaction(Unknown.NoUnsignedValidator)
    for extension in m.extensions:
        extension.validate_bare(tx)
    for extension in m.extensions:
        extension.prepare_bare(tx)


def _validate(m: Machine, tx: Checked) -> list[Validity]:
    found = []
    for extension in m.validating:
        validity = extension.validate(tx, None if extension.slot < 0 else tx.extra[extension.slot])
        if validity is not None:
            found.append(validity)
    return found


def _finish(m: Machine, tx: Checked, prepared: list[Any], post: PostInfo) -> None:
    if tx.who is None:
        for extension in m.extensions:
            extension.finish_bare(tx, post)
        return
    for finish, slot, place in m.finishing:
        finish(tx, None if slot < 0 else tx.extra[slot], None if place < 0 else prepared[place], post)


def post_info(result: Weight | PostInfo | None) -> PostInfo:
    """What a call returned, as the frame's record of it."""
    if result is None:
        return _AS_DECLARED
    return result if isinstance(result, PostInfo) else PostInfo(result)


_AS_DECLARED = PostInfo()


def validate_transaction(m: Machine, source: Source, raw: bytes, at: bytes) -> Validity:
    """Whether the pool may keep `raw`, judged as in the block after `at`. Raises TransactionValidityError."""
    with trapped(), m.overlay:
        begin_validation(m, at)
        return judge(m, source, raw)


def begin_validation(m: Machine, at: bytes) -> None:
    """Stand in the block after `at`, where `judge` is asked."""
    m.system.initialize(m.system.block_number() + 1, at, Digest(logs=[]))


def judge(m: Machine, source: Source, raw: bytes, parsed: Parsed | None = None) -> Validity:
    """Whether the pool may keep `raw`, after `begin_validation`. Raises TransactionValidityError."""
    tx = check(m, raw, parsed)
    if tx.info.dispatch_class == DispatchClass.Mandatory:
        raise InvalidTransaction(Invalid.MandatoryValidation)
    if tx.who is None:
        raise UnknownTransaction(Unknown.NoUnsignedValidator)
    return all_together(_validate(m, tx))


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
    inherents_over = False
    for index, raw in enumerate(extrinsics):
        try:
            signed = m.runtime.is_signed(raw)
            if not signed and inherents_over:
                raise InvalidBlock(f"extrinsic {index} is an inherent after other extrinsics")
            if signed and not inherents_over:
                inherents_applied(m)
                inherents_over = True
            results.append(apply_extrinsic(m, raw))
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
