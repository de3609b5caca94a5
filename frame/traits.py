"""What pallets ask of each other. A pallet names a Protocol in its Config; the runtime says which pallet
fulfils it.

Amounts are in the smallest unit, accounts are 32 bytes, times are milliseconds. Unless a method says
otherwise, it either does all it says or raises a `DispatchError` and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from frame.accounts import AccountData, AccountInfo

if TYPE_CHECKING:
    from frame.call import DispatchClass, DispatchInfo, PostInfo
    from frame.errors import DispatchError
    from frame.limits import BlockLength, BlockWeights
    from frame.weights import Weight
    from primitives.digest import Digest
    from primitives.header import Header


class Time(Protocol):
    """Who knows the time."""

    def now(self) -> int:
        """Milliseconds since 1970 as this block's timestamp inherent set them; in `on_initialize` the
        previous block's.
        """
        ...


class Currency(Protocol):
    """The native money, after Substrate's fungible traits (`frame_support::traits::tokens::fungible`).

    *free* is what an account has outside holds; *held* is set aside for a reason and cannot be spent or
    reaped; the
    *total* is both. An account whose total falls below the minimum balance is reaped, and its dust is gone.
    """

    def minimum_balance(self) -> int:
        """The existential deposit."""
        ...

    def total_issuance(self) -> int:
        """All money there is."""
        ...

    def free_balance(self, who: bytes) -> int:
        """What `who` has outside holds; part of it may be frozen."""
        ...

    def total_balance(self, who: bytes) -> int:
        """Free and held."""
        ...

    def reducible_balance(self, who: bytes, keep_alive: bool) -> int:
        """The most that `transfer`, `burn_from` or `hold` take; with `keep_alive` the account survives it."""
        ...

    def can_spend(self, account: AccountInfo, amount: int) -> bool:
        """Whether so much is reducible, with `keep_alive`, of an account by what is stored of it."""
        ...

    def transfer(self, source: bytes, dest: bytes, amount: int, keep_alive: bool) -> None:
        """Move free money. TokenError: FundsUnavailable, NotExpendable, Frozen, BelowMinimum (for `dest`)."""
        ...

    def can_hold(self, reason: bytes, who: bytes, amount: int) -> bool:
        """Whether `hold` would succeed."""
        ...

    def hold(self, reason: bytes, who: bytes, amount: int) -> None:
        """Set free money aside for a `Pallet.reason`. TokenError: FundsUnavailable, CannotCreateHold."""
        ...

    def release(self, reason: bytes, who: bytes, amount: int, exact: bool = True) -> int:
        """Give held money back to its owner; returns `amount`, or with exact=False what was held."""
        ...

    def held(self, reason: bytes, who: bytes) -> int:
        """How much of `who` is held for `reason`."""
        ...

    def transfer_on_hold(
        self, reason: bytes, source: bytes, dest: bytes, amount: int, on_hold: bool = False
    ) -> int:
        """Move held money to the free balance of `dest` (or its own hold); returns the amount."""
        ...

    def burn_held(self, reason: bytes, who: bytes, amount: int) -> int:
        """Destroy held money and return the amount; the issuance falls by it."""
        ...

    def mint_into(self, who: bytes, amount: int) -> None:
        """Create money in an account. TokenError.BelowMinimum when it would not live; Arithmetic.Overflow."""
        ...

    def burn_from(self, who: bytes, amount: int) -> None:
        """Destroy free money. TokenError.FundsUnavailable."""
        ...

    def withdraw_fee(self, who: bytes, amount: int) -> None:
        """Take a transaction fee out of free money; the account stays alive. TokenError."""
        ...

    def deposit_fee(self, who: bytes, amount: int) -> None:
        """Give back the part of a fee that was not due."""
        ...


class Freezing(Protocol):
    """Keeping money in an account, after Substrate's `fungible::freeze::{Inspect, Mutate}`.

    Freezes for several reasons overlap; together with held money they bound what may leave. What is frozen
    may be more than there is, unless a method says otherwise.
    """

    def frozen(self, reason: bytes, who: bytes) -> int:
        """How much of `who` is frozen for a `Pallet.reason`."""
        ...

    def freezable(self, who: bytes) -> int:
        """The most that can be frozen of money that is there."""
        ...

    def can_freeze(self, reason: bytes, who: bytes) -> bool:
        """Whether there is room for a freeze for this reason."""
        ...

    def set_freeze(self, reason: bytes, who: bytes, amount: int) -> None:
        """Freeze exactly `amount`; 0 thaws. The pallet's TooManyFreezes, NoProviders."""
        ...

    def extend_freeze(self, reason: bytes, who: bytes, amount: int) -> None:
        """Freeze at least `amount`."""
        ...

    def thaw(self, reason: bytes, who: bytes) -> None:
        """Forget the freeze."""
        ...

    def set_frozen(self, reason: bytes, who: bytes, amount: int) -> None:
        """As `set_freeze`, of money that is there. TokenError.FundsUnavailable."""
        ...

    def ensure_frozen(self, reason: bytes, who: bytes, amount: int) -> None:
        """As `extend_freeze`, of money that is there. TokenError.FundsUnavailable."""
        ...

    def increase_frozen(self, reason: bytes, who: bytes, amount: int) -> None:
        """Freeze so much more, of money that is there. TokenError.FundsUnavailable, Arithmetic.Overflow."""
        ...

    def decrease_frozen(self, reason: bytes, who: bytes, amount: int) -> None:
        """Freeze so much less. Arithmetic.Underflow."""
        ...


class FeePayment(Protocol):
    """How a transaction pays: what `ChargeTransactionPayment` asks of the pallet transaction_payment."""

    def compute_fee(self, info: DispatchInfo, length: int, tip: int) -> int:
        """The whole fee of a transaction of `length` bytes at its declared weight, tip included."""
        ...

    def can_withdraw(self, who: bytes, fee: int) -> bool:
        """Whether `who` could pay; changes nothing."""
        ...

    def can_pay(self, account: AccountInfo, fee: int) -> bool:
        """The same of an account by what is stored of it."""
        ...

    def withdraw(self, who: bytes, fee: int) -> None:
        """Take the fee before dispatch; DispatchError when it cannot be paid."""
        ...

    def settle(
        self, who: bytes, withdrawn: int, info: DispatchInfo, post: PostInfo, length: int, tip: int
    ) -> None:
        """After dispatch: give back what the actual weight did not need and deposit `TransactionFeePaid`."""
        ...

    def priority(self, info: DispatchInfo, length: int, tip: int, fee: int) -> int:
        """The pool's priority of such a transaction, a u64."""
        ...

    def weight_fee(self, ref_time: int, proof_size: int) -> int:
        """The unadjusted fee of a weight."""
        ...

    def length_fee(self, length: int) -> int:
        """The fee of a length in bytes."""
        ...

    def fee_details(self, info: DispatchInfo, length: int, tip: int) -> tuple[int, int, int] | None:
        """Base fee, length fee and adjusted weight fee; None for a call that pays nothing."""
        ...


class SystemPallet(Protocol):
    """What the frame and every pallet may ask of the pallet `system`."""

    def block_number(self) -> int:
        """The number of the block being built or executed."""
        ...

    def parent_hash(self) -> bytes:
        """The hash of its parent."""
        ...

    def block_hash(self, number: int) -> bytes | None:
        """The hash of a recent block, None when it is not kept any more."""
        ...

    def deposit_event(self, event: bytes) -> None:
        """Record an encoded event (pallet byte ‖ variant ‖ fields ‖ topics); nothing happens in block 0."""
        ...

    def event_recording(self) -> tuple[list[str], dict[str, Any]]:
        """The statements that do what `deposit_event` does with `raw`, and what their names stand for."""
        ...

    def deposit_log(self, item: bytes) -> None:
        """Add an encoded digest item to the header in the making."""
        ...

    def account(self, who: bytes) -> AccountInfo:
        """The account, all zero when there is none."""
        ...

    def accounts(self) -> Iterator[tuple[bytes, AccountInfo]]:
        """All accounts, in the order of their storage keys; for tests and try_state, never in a block."""
        ...

    def account_exists(self, who: bytes) -> bool:
        """Whether the account has a provider or is sufficient by itself."""
        ...

    def account_nonce(self, who: bytes) -> int:
        """How many transactions the account has sent."""
        ...

    def use_account_nonce(self, who: bytes, nonce: int) -> None:
        """One more transaction, which must have the account's `nonce`: InvalidTransaction Stale or Future."""
        ...

    def set_account_data(self, who: bytes, data: AccountData) -> None:
        """Store balances; nonce and references stay. The caller keeps the references right."""
        ...

    def set_account(self, who: bytes, account: AccountInfo) -> None:
        """Store a whole account."""
        ...

    def change_free(self, who: bytes, account: AccountInfo, free: int) -> None:
        """Replace the free balance of `account`, which is what is stored of `who`, where no reference follows
        from it.
        """
        ...

    def change_data(self, who: bytes, account: AccountInfo, data: AccountData) -> None:
        """Store other balances of `account`, which is what `account(who)` has just said."""
        ...

    def inc_providers(self, who: bytes) -> bool:
        """Add a provider; True when that created the account (event NewAccount)."""
        ...

    def dec_providers(self, who: bytes) -> bool:
        """Remove a provider; True when that removed the account (event KilledAccount). ConsumerRemaining
        if it is needed.
        """
        ...

    def providers(self, who: bytes) -> int:
        """How many providers the account has."""
        ...

    def inc_sufficients(self, who: bytes) -> bool:
        """Add a self-sufficient reference; True when that created the account."""
        ...

    def dec_sufficients(self, who: bytes) -> bool:
        """Remove a self-sufficient reference; True when that removed the account."""
        ...

    def inc_consumers(self, who: bytes) -> None:
        """Add a consumer: the account must stay. NoProviders, TooManyConsumers."""
        ...

    def dec_consumers(self, who: bytes) -> None:
        """Remove a consumer."""
        ...

    def consumers(self, who: bytes) -> int:
        """How many consumers the account has."""
        ...

    def can_dec_provider(self, who: bytes) -> bool:
        """Whether a provider may go: no consumer needs it, or another one stays."""
        ...

    def can_inc_consumer(self, who: bytes) -> bool:
        """Whether a consumer may be added."""
        ...

    # -- for the frame itself --------------------------------------------

    def extrinsic_index(self) -> int:
        """The index of the extrinsic being applied."""
        ...

    def call_filtered(self) -> DispatchError:
        """The error of a call that its origin may not make."""
        ...

    def is_upgrade_due(self) -> bool:
        """Whether the state was left by an older spec version."""
        ...

    def last_spec_version(self) -> int | None:
        """The spec version that the state was left by, None when it names none."""
        ...

    def note_upgrade(self) -> None:
        """Store the new version and the new code manifest, and say so in the digest."""
        ...

    def initialize(self, number: int, parent_hash: bytes, digest: Digest) -> None:
        """Begin a block."""
        ...

    def reset_events(self) -> None:
        """Forget the previous block's events."""
        ...

    def note_finished_initialize(self) -> None:
        """From here on, events belong to extrinsics."""
        ...

    def note_applied_extrinsic(self, error: DispatchError | None, info: DispatchInfo, post: PostInfo) -> None:
        """An extrinsic ended: the event, the next index."""
        ...

    def note_inherents_applied(self) -> None:
        """All inherents are in."""
        ...

    def note_finished_extrinsics(self) -> None:
        """All extrinsics are in."""
        ...

    def finalize(self) -> Header:
        """End a block: the header with both roots."""
        ...

    def ss58_prefix(self) -> int:
        """The prefix of this chain's addresses."""
        ...

    def block_weights(self) -> BlockWeights:
        """The weight limits of a block."""
        ...

    def block_length(self) -> BlockLength:
        """The length limits of a block."""
        ...

    def used_weight(self, dispatch_class: DispatchClass) -> Weight:
        """What a class has used of the block so far."""
        ...

    def weight_left(self) -> Weight:
        """What is left of the block's weight."""
        ...

    def has_room(self) -> bool:
        """Whether the block has Normal weight left for an extrinsic of base weight."""
        ...

    def register_extra_weight(self, weight: Weight, dispatch_class: DispatchClass) -> None:
        """Count weight that no extrinsic brought, without a limit."""
        ...

    def check_room(self, info: DispatchInfo, length: int) -> None:
        """InvalidTransaction(ExhaustsResources) when an extrinsic fits no block, or not this one any more."""
        ...

    def use_room(self, info: DispatchInfo, length: int) -> None:
        """Count an extrinsic's weight and length. InvalidTransaction(ExhaustsResources)."""
        ...

    def reclaim(self, info: DispatchInfo, post: PostInfo) -> None:
        """Give back the weight that was not used."""
        ...
