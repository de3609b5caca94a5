"""The pallet `multisig` (`substrate/frame/multisig/src/lib.rs`).

A composite account follows from the sorted list of its owners and the number of them that must approve; it
needs no creation. The first approval of a call opens an operation and holds a deposit, which comes back
with the execution or the cancellation, whoever does it. One difference to Substrate: deposits are held under
a reason of this pallet instead of being reserved.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Annotated

from frame import (
    AnyCall,
    AnyDispatchError,
    Blake2_128Concat,
    Error,
    Event,
    Origin,
    Pallet,
    Pays,
    PostInfo,
    RuntimeCall,
    StorageDoubleMap,
    Twox64Concat,
    Weight,
    call,
    invariant,
)
from frame.traits import Currency
from pallets.multisig.rules import (
    as_multi_weight,
    class_of,
    completed,
    size_of,
    threshold_1_weight,
)
from pallets.multisig.types import MAX_SIGNATORIES, Operation, Timepoint
from pallets.multisig.weights import Weights
from primitives.hashing import blake2_256
from primitives.scale import U16, U32, U128, AccountId, Err, FixedBytes, Ok, Result, codec, replace

CallHash = Annotated[bytes, FixedBytes(32)]

_ACCOUNTS = codec(list[AccountId]).encode
_ACCOUNT_TAG = b"modlpy/utilisuba"


@dataclass(frozen=True)
class Config:
    """What the runtime decides.

    deposit_base: Held for a waiting operation, whoever must approve it.
    deposit_factor: Held in addition for each approval that it needs.
    max_signatories: The maximum amount of signatories allowed in the multisig.
    """

    currency: Currency
    deposit_base: U128
    deposit_factor: U128
    max_signatories: U32 = MAX_SIGNATORIES


class Multisig(Pallet[Config], weights=Weights, storage_version=1):
    """Accounts that several people own together."""

    multisigs = StorageDoubleMap[AccountId, CallHash, Operation](
        hashers=(Twox64Concat, Blake2_128Concat), doc="The set of open multisig operations."
    )

    class HoldReason(IntEnum):
        """Why this pallet holds money."""

        Deposit = 0

    # -- errors and events, in Substrate's order --------------------------------------------

    class MinimumThreshold(Error):
        """Threshold must be 2 or greater."""

    class AlreadyApproved(Error):
        """Call is already approved by this signatory."""

    class NoApprovalsNeeded(Error):
        """Call doesn't need any (more) approvals."""

    class TooFewSignatories(Error):
        """There are too few signatories in the list."""

    class TooManySignatories(Error):
        """There are too many signatories in the list."""

    class SignatoriesOutOfOrder(Error):
        """The signatories are not sorted, or one is there twice."""

    class SenderInSignatories(Error):
        """The sender is among the other signatories."""

    class NotFound(Error):
        """There is no such operation."""

    class NotOwner(Error):
        """Only the account that opened the operation may do this."""

    class NoTimepoint(Error):
        """The operation is underway, and no timepoint was given."""

    class WrongTimepoint(Error):
        """The operation that is underway began at another timepoint."""

    class UnexpectedTimepoint(Error):
        """A timepoint was given, and no operation is underway."""

    class MaxWeightTooLow(Error):
        """The call weighs more than `max_weight`."""

    class AlreadyStored(Error):
        """The data to be stored is already stored."""

    class NewMultisig(Event):
        """An operation has begun."""

        approving: AccountId
        multisig: AccountId
        call_hash: CallHash

    class MultisigApproval(Event):
        """Somebody has approved an operation."""

        approving: AccountId
        timepoint: Timepoint
        multisig: AccountId
        call_hash: CallHash

    class MultisigExecuted(Event):
        """An operation had its last approval and ran; `result` is its outcome."""

        approving: AccountId
        timepoint: Timepoint
        multisig: AccountId
        call_hash: CallHash
        result: Result[tuple[()], AnyDispatchError]

    class MultisigCancelled(Event):
        """An operation was called off."""

        cancelling: AccountId
        timepoint: Timepoint
        multisig: AccountId
        call_hash: CallHash

    class DepositPoked(Event):
        """The deposit of an operation follows the present rates."""

        who: AccountId
        call_hash: CallHash
        old_deposit: U128
        new_deposit: U128

    # -- calls --------------------------------------------

    @call(0, weight=threshold_1_weight, dispatch_class=class_of)
    def as_multi_threshold_1(
        self, origin: Origin, other_signatories: list[AccountId], call: AnyCall
    ) -> Weight | None:
        """Dispatch a call from an account of which each owner alone decides."""
        who = origin.signed()
        account = multi_account_id(self._signatories(who, other_signatories), 1)
        error, used = self.attempt(call, Origin.of(account))
        overhead = Weights.as_multi_threshold_1(size_of(call))
        if error is not None:
            raise error if used is None else error.after(used + overhead)
        return None if used is None else used + overhead

    @call(1, weight=as_multi_weight)
    def as_multi(
        self,
        origin: Origin,
        threshold: U16,
        other_signatories: list[AccountId],
        maybe_timepoint: Timepoint | None,
        call: AnyCall,
        max_weight: Weight,
    ) -> Weight | None:
        """Approve a call, and dispatch it when that was the last approval it needed.

        The first approval names no timepoint, the others that of the first. The call of the event
        `MultisigExecuted` may have failed: this one succeeds all the same.
        """
        return self._operate(
            origin.signed(), threshold, other_signatories, maybe_timepoint, call, b"", max_weight
        )

    @call(
        2,
        weight=lambda other_signatories, max_weight: (
            Weights.approve_as_multi_create(len(other_signatories)).max(
                Weights.approve_as_multi_approve(len(other_signatories))
            )
            + max_weight
        ),
    )
    def approve_as_multi(
        self,
        origin: Origin,
        threshold: U16,
        other_signatories: list[AccountId],
        maybe_timepoint: Timepoint | None,
        call_hash: CallHash,
        max_weight: Weight,
    ) -> Weight | None:
        """Approve a call by its hash. The last approval is `as_multi`'s, which brings the call."""
        return self._operate(
            origin.signed(), threshold, other_signatories, maybe_timepoint, None, call_hash, max_weight
        )

    @call(3, weight=lambda other_signatories: Weights.cancel_as_multi(len(other_signatories)))
    def cancel_as_multi(
        self,
        origin: Origin,
        threshold: U16,
        other_signatories: list[AccountId],
        timepoint: Timepoint,
        call_hash: CallHash,
    ) -> None:
        """Call an operation off and take the deposit back; only who opened it may."""
        who = origin.signed()
        account = self._account(who, threshold, other_signatories)
        operation = self._own(who, account, call_hash)
        if operation.when != timepoint:
            raise self.WrongTimepoint()
        self._close(account, call_hash, operation)
        self.deposit(
            self.MultisigCancelled(cancelling=who, timepoint=timepoint, multisig=account, call_hash=call_hash)
        )

    @call(4, weight=lambda other_signatories: Weights.poke_deposit(len(other_signatories)))
    def poke_deposit(
        self, origin: Origin, threshold: U16, other_signatories: list[AccountId], call_hash: CallHash
    ) -> PostInfo:
        """Bring an operation's deposit to the present rates; free of charge when that changes it."""
        who = origin.signed()
        account = self._account(who, threshold, other_signatories)
        operation = self._own(who, account, call_hash)
        old, new = operation.deposit, self._deposit(threshold)
        if old == new:
            return PostInfo(pays=Pays.Yes)
        if new > old:
            self.config.currency.hold(self._reason, who, new - old)
        else:
            self.config.currency.release(self._reason, who, old - new)
        self.multisigs[account, call_hash] = replace(operation, deposit=new)
        self.deposit(self.DepositPoked(who=who, call_hash=call_hash, old_deposit=old, new_deposit=new))
        return PostInfo(pays=Pays.No)

    # -- how an operation goes --------------------------------------------

    def _operate(
        self,
        who: bytes,
        threshold: int,
        others: list[bytes],
        timepoint: Timepoint | None,
        call: RuntimeCall | None,
        call_hash: bytes,
        max_weight: Weight,
    ) -> Weight | None:
        account = self._account(who, threshold, others)
        size = 0
        if call is not None:
            encoded = call.encode()
            call_hash, size = blake2_256(encoded), len(encoded)
        operation = self.multisigs.get(account, call_hash)
        if operation is None:
            if timepoint is not None:
                raise self.UnexpectedTimepoint()
            self._open(who, threshold, account, call_hash)
            return Weights.as_multi_create(len(others), size)
        if timepoint is None:
            raise self.NoTimepoint()
        if operation.when != timepoint:
            raise self.WrongTimepoint()
        approves = _is_new(who, operation.approvals) and len(operation.approvals) < threshold
        if call is not None and len(operation.approvals) + approves >= threshold:
            if not call.info().weight.fits(max_weight):
                raise self.MaxWeightTooLow()
            return self._execute(who, account, call_hash, operation, call, len(others))
        if not approves:
            raise self.AlreadyApproved()
        approvals = list(operation.approvals)
        insort(approvals, who)
        self.multisigs[account, call_hash] = replace(operation, approvals=approvals)
        self.deposit(
            self.MultisigApproval(approving=who, timepoint=timepoint, multisig=account, call_hash=call_hash)
        )
        return Weights.as_multi_approve(len(others), size)

    def _open(self, who: bytes, threshold: int, account: bytes, call_hash: bytes) -> None:
        deposit = self._deposit(threshold)
        self.config.currency.hold(self._reason, who, deposit)
        self.multisigs[account, call_hash] = Operation(
            when=Timepoint(height=self.block_number(), index=self.system.extrinsic_index()),
            deposit=deposit,
            depositor=who,
            approvals=[who],
        )
        self.deposit(self.NewMultisig(approving=who, multisig=account, call_hash=call_hash))

    def _execute(
        self,
        who: bytes,
        account: bytes,
        call_hash: bytes,
        operation: Operation,
        call: RuntimeCall,
        others: int,
    ) -> Weight | None:
        # The operation is gone before the call runs: the call may open it anew.
        self._close(account, call_hash, operation)
        error, used = self.attempt(call, Origin.of(account))
        self.deposit(
            self.MultisigExecuted(
                approving=who,
                timepoint=operation.when,
                multisig=account,
                call_hash=call_hash,
                result=Ok(()) if error is None else Err(error),
            )
        )
        return completed(others, call, used)

    def _close(self, account: bytes, call_hash: bytes, operation: Operation) -> None:
        self.multisigs.remove(account, call_hash)
        self.config.currency.release(self._reason, operation.depositor, operation.deposit)

    # -- checks --------------------------------------------

    def _account(self, who: bytes, threshold: int, others: list[bytes]) -> bytes:
        if threshold < 2:
            raise self.MinimumThreshold()
        return multi_account_id(self._signatories(who, others), threshold)

    def _signatories(self, who: bytes, others: list[bytes]) -> list[bytes]:
        if not others:
            raise self.TooFewSignatories()
        if len(others) >= self.config.max_signatories:
            raise self.TooManySignatories()
        if any(first >= second for first, second in pairwise(others)):
            raise self.SignatoriesOutOfOrder()
        if not _is_new(who, others):
            raise self.SenderInSignatories()
        return sorted([*others, who])

    def _own(self, who: bytes, account: bytes, call_hash: bytes) -> Operation:
        operation = self.multisigs.get(account, call_hash)
        if operation is None:
            raise self.NotFound()
        if operation.depositor != who:
            raise self.NotOwner()
        return operation

    def _deposit(self, threshold: int) -> int:
        return self.config.deposit_base + self.config.deposit_factor * threshold

    @property
    def _reason(self) -> bytes:
        return self.reason(self.HoldReason.Deposit)

    def held_deposits(self) -> Iterator[tuple[IntEnum, bytes, int]]:
        """What is held for open operations."""
        for _, operation in self.multisigs.items():
            yield self.HoldReason.Deposit, operation.depositor, operation.deposit

    def integrity_test(self) -> None:
        """The bounds of the storage hold what the configuration allows."""
        assert self.config.max_signatories <= MAX_SIGNATORIES, f"at most {MAX_SIGNATORIES} signatories fit"

    @invariant
    def operations_are_well_formed(self) -> Iterator[str]:
        """Approvals are sorted, without repetition, not too many, and the depositor's is among them."""
        for (account, call_hash), operation in self.multisigs.items():
            where = f"operation {call_hash.hex()} of {account.hex()}"
            approvals = operation.approvals
            if approvals != sorted(set(approvals)):
                yield f"{where}: approvals out of order"
            if operation.depositor not in approvals:
                yield f"{where}: its depositor has not approved"
            if len(approvals) > self.config.max_signatories:
                yield f"{where}: too many approvals"

    @invariant
    def operations_began_in_the_past(self) -> Iterator[str]:
        """No operation is younger than the chain."""
        for (account, call_hash), operation in self.multisigs.items():
            if operation.when.height > self.block_number():
                yield f"operation {call_hash.hex()} of {account.hex()}: began in the future"


def multi_account_id(signatories: list[bytes], threshold: int) -> bytes:
    """The account of which `threshold` of these sorted owners decide; no key exists for it."""
    return blake2_256(_ACCOUNT_TAG + _ACCOUNTS(signatories) + threshold.to_bytes(2, "little"))


def _is_new(who: bytes, accounts: list[bytes]) -> bool:
    place = bisect_left(accounts, who)
    return place == len(accounts) or accounts[place] != who
