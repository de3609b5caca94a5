"""Substrate's checks, in the order of its solochain template (`frame/system/src/extensions/`)."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Any, Final

from frame.accounts import AccountInfo
from frame.call import PostInfo
from frame.extensions.base import Ask, Extension
from frame.extrinsic import Checked
from frame.transaction import (
    Invalid,
    InvalidTransaction,
    Judgement,
    Unknown,
    UnknownTransaction,
)
from primitives.era import ERA_CODEC, Era
from primitives.scale import H256, U32, CompactU32, FixedBytes


class CheckNonZeroSender(Extension):
    """The zero account signs nothing."""

    identifier = "CheckNonZeroSender"
    path = "frame_system::extensions::check_non_zero_sender::CheckNonZeroSender"
    judges_forms = True

    def check(self, tx: Checked, extra: Any) -> None:
        if tx.who == _ZERO:
            raise InvalidTransaction(Invalid.BadSigner)

    def validate(self, tx: Checked, extra: Any, found: Judgement) -> None:
        self.check(tx, extra)

    def judge_form(self, tx: Checked, extra: Any, found: Judgement) -> Ask:
        return _is_not_zero


def _is_not_zero(who: bytes, account: AccountInfo, nonce: int) -> bool:
    return who != _ZERO


_ZERO: Final = bytes(32)


class CheckSpecVersion(Extension):
    """Signed for this spec version."""

    identifier = "CheckSpecVersion"
    path = "frame_system::extensions::check_spec_version::CheckSpecVersion"
    implicit = U32

    def implicit_bytes(self, extra: Any) -> bytes:
        return self.machine.runtime.version.spec_version.to_bytes(4, "little")


class CheckTxVersion(Extension):
    """Signed for this transaction version."""

    identifier = "CheckTxVersion"
    path = "frame_system::extensions::check_tx_version::CheckTxVersion"
    implicit = U32

    def implicit_bytes(self, extra: Any) -> bytes:
        return self.machine.runtime.version.transaction_version.to_bytes(4, "little")


class CheckGenesis(Extension):
    """Signed for this chain."""

    identifier = "CheckGenesis"
    path = "frame_system::extensions::check_genesis::CheckGenesis"
    implicit = H256

    def implicit_bytes(self, extra: Any) -> bytes:
        return self.machine.system.block_hash(0) or bytes(32)


class CheckMortality(Extension):
    """Signed for a stretch of blocks; what is signed along is the hash of the first of them."""

    identifier = "CheckMortality"
    path = "frame_system::extensions::check_mortality::CheckMortality"
    judges_forms = True
    extra = Annotated[Era, ERA_CODEC]
    implicit = H256

    def implicit_bytes(self, extra: Era) -> bytes:
        system = self.machine.system
        birth = system.block_hash(0 if extra.is_immortal else extra.birth(system.block_number()))
        if birth is None:
            raise InvalidTransaction(Invalid.AncientBirthBlock)
        return birth

    def check(self, tx: Checked, extra: Era) -> None:
        """A block has checked the birth hash, as a part of what is signed: nothing is left to check."""

    def validate(self, tx: Checked, extra: Era, found: Judgement) -> None:
        if not extra.is_immortal:
            number = self.machine.system.block_number()
            found.longevity = min(found.longevity, max(extra.death(number) - number, 0))


class CheckNonce(Extension):
    """Each transaction of an account once, in order."""

    identifier = "CheckNonce"
    path = "frame_system::extensions::check_nonce::CheckNonce"
    prepare_checks = True
    judges_forms = True
    extra = CompactU32

    def check(self, tx: Checked, extra: int) -> None:
        self._nonce_of(tx, extra)

    def _nonce_of(self, tx: Checked, nonce: int) -> int:
        """The account's nonce, which `nonce` may not be below."""
        account = self.machine.system.account(tx.who or b"")
        if not account.providers and not account.sufficients:
            raise InvalidTransaction(Invalid.Payment)
        if nonce < account.nonce:
            raise InvalidTransaction(Invalid.Stale)
        return account.nonce

    def validate(self, tx: Checked, extra: int, found: Judgement) -> None:
        who = tx.who or b""
        if extra > self._nonce_of(tx, extra):
            found.requires.append(who + (extra - 1).to_bytes(4, "little"))
        found.provides.append(who + extra.to_bytes(4, "little"))

    def judge_form(self, tx: Checked, extra: int, found: Judgement) -> Ask:
        """The tags, `frame.forms` makes."""
        return _is_due

    def prepare(self, tx: Checked, extra: int) -> None:
        self.machine.system.use_account_nonce(tx.who or b"", extra)


def _is_due(who: bytes, account: AccountInfo, nonce: int) -> bool:
    return nonce >= account.nonce and bool(account.providers or account.sufficients)


class CheckWeight(Extension):
    """The block has room for the extrinsic's weight and length."""

    identifier = "CheckWeight"
    path = "frame_system::extensions::check_weight::CheckWeight"
    prepare_checks = True
    judges_forms = True

    def validate(self, tx: Checked, extra: Any, found: Judgement) -> None:
        self.machine.system.check_room(tx.info, tx.length)

    def validate_bare(self, tx: Checked) -> None:
        self.machine.system.check_room(tx.info, tx.length)

    def prepare(self, tx: Checked, extra: Any) -> None:
        self.machine.system.use_room(tx.info, tx.length)

    def prepare_bare(self, tx: Checked) -> None:
        self.machine.system.use_room(tx.info, tx.length)

    def finish_bare(self, tx: Checked, post: PostInfo) -> None:
        self.machine.system.reclaim(tx.info, post)


class MetadataHashMode(IntEnum):
    """Whether the signer committed to the metadata (`frame_metadata_hash_extension::Mode`)."""

    __scale_path__ = "frame_metadata_hash_extension::Mode"

    Disabled = 0
    Enabled = 1


class CheckMetadataHash(Extension):
    """A wallet may sign along the digest of the metadata by which it showed the call (RFC 78)."""

    identifier = "CheckMetadataHash"
    path = "frame_metadata_hash_extension::CheckMetadataHash"
    extra = MetadataHashMode
    extra_field = "mode"
    implicit = Annotated[bytes, FixedBytes(32)] | None

    def implicit_bytes(self, extra: MetadataHashMode) -> bytes:
        if extra is not MetadataHashMode.Enabled:
            return b"\0"
        digest = self.machine.runtime.metadata_hash()
        if digest is None:
            raise UnknownTransaction(Unknown.CannotLookup)
        return b"\1" + digest


class WeightReclaim(Extension):
    """Gives back to the block the weight that the call did not use."""

    identifier = "WeightReclaim"
    path = "frame_system::extensions::weight_reclaim::WeightReclaim"
    finishes_changes_alone = True

    def finish(self, tx: Checked, extra: Any, prepared: Any, post: PostInfo) -> None:
        self.machine.system.reclaim(tx.info, post)
