"""The pallet `transaction_payment` (`substrate/frame/transaction-payment/src/lib.rs`).

    fee = base fee + length fee + multiplier · weight fee + tip

The base fee is the price of the extrinsic's base weight; base and length fees do not follow the multiplier.
The whole is withdrawn at the declared weight before the call, and what the actual weight did not need is
given back after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any

from frame import (
    DispatchClass,
    DispatchError,
    DispatchInfo,
    Event,
    Pallet,
    Pays,
    PostInfo,
    StorageValue,
    Weight,
    invariant,
)
from frame.accounts import AccountInfo
from frame.call import AS_DECLARED
from frame.traits import Currency, SystemPallet
from frame.weights import weight
from pallets.transaction_payment.multiplier import ONE, Adjustment, times
from pallets.transaction_payment.weights import Weights
from primitives.scale import U8, U128, AccountId, Struct

_MAX_U128 = (1 << 128) - 1
_REMEMBERED = 256
"""How many kinds of extrinsics are remembered by how many fill a block."""
_MAX_U64 = (1 << 64) - 1


class FixedU128(Struct, path="sp_arithmetic::fixed_point::FixedU128", unnamed=True):
    """An unsigned number in steps of 10⁻¹⁸."""

    value: U128


class Releases(IntEnum):
    """Which layout the stored multiplier has."""

    __scale_path__ = "pallet_transaction_payment::Releases"

    V1Ancient = 0
    V2 = 1


@dataclass(frozen=True)
class Config:
    """What the runtime decides.

    byte_fee: The fee of a byte of the encoded extrinsic.
    time_fee: The fee of a picosecond of weight.
    beneficiary: The account that fees go to; without one they are burned.
    operational_fee_multiplier: By what the fee of an Operational call is multiplied into a virtual tip.
    """

    currency: Currency
    byte_fee: U128 = 1
    time_fee: U128 = 1
    beneficiary: AccountId | None = None
    adjustment: Adjustment = Adjustment()  # noqa: RUF009 - immutable
    operational_fee_multiplier: U8 = 5


class TransactionPayment(Pallet[Config], weights=Weights):
    """Fees: how much, from whom, to whom."""

    next_fee_multiplier = StorageValue[FixedU128](
        default=FixedU128(value=ONE), doc="What weight fees are multiplied by in the present block."
    )
    storage_version_item = StorageValue[Releases](
        default=Releases.V1Ancient, name="StorageVersion", doc="The layout of the stored multiplier."
    )

    class TransactionFeePaid(Event):
        """A fee, of which `tip` was a gift, has been paid."""

        who: AccountId
        actual_fee: U128
        tip: U128

    _last_asked: tuple[FixedU128, DispatchInfo, int, int] | None = None
    """Multiplier, info, length and tip."""
    _last_fee: int = 0
    """The whole fee of that at the declared weight."""

    _last_priority: tuple[DispatchInfo | None, tuple[int, int, int], int] = (None, (0, 0, 0), 0)

    def connect(self, bound_pallets: Mapping[int, Pallet[Any]], system: SystemPallet) -> None:
        """`withdraw` and `can_pay` are the currency's; the event of a fee is recorded without an object."""
        super().connect(bound_pallets, system)
        self._multiplier_now = self.next_fee_multiplier.get
        self.__dict__["withdraw"] = self.config.currency.withdraw_fee
        self.__dict__["can_pay"] = self.config.currency.can_spend
        self._paid: Callable[[bytes, int, int], None] = self.depositor(self.TransactionFeePaid)

    # -- how much --------------------------------------------

    def multiplier(self) -> int:
        """The present multiplier in steps of 10⁻¹⁸."""
        return self.next_fee_multiplier.get().value

    def weight_fee(self, ref_time: int, proof_size: int) -> int:
        """The unadjusted fee of a weight, which counts for at most a whole block."""
        return min(ref_time, self.system.block_weights().max_block.ref_time) * self.config.time_fee

    def length_fee(self, length: int) -> int:
        """The fee of a length in bytes."""
        return length * self.config.byte_fee

    def fee_details(self, info: DispatchInfo, length: int, tip: int) -> tuple[int, int, int] | None:
        """Base fee, length fee and adjusted weight fee at the declared weight; None for a call that pays
        nothing."""
        return self._details(info, info.weight.ref_time, info.pays, length)

    def compute_fee(self, info: DispatchInfo, length: int, tip: int) -> int:
        """The whole fee at the declared weight, tip included."""
        # Kept, since it is asked twice for every extrinsic.
        asked = (self._multiplier_now(), info, length, tip)
        if asked == self._last_asked:
            return self._last_fee
        self._last_fee = self._whole(info, info.weight.ref_time, info.pays, length, tip)
        self._last_asked = asked
        return self._last_fee

    def actual_fee(self, info: DispatchInfo, post: PostInfo, length: int, tip: int) -> int:
        """The whole fee at the weight that was used, tip included."""
        if post is AS_DECLARED:
            return self.compute_fee(info, length, tip)
        if post.actual_weight is None:
            used = info.weight.ref_time
        else:
            used = min(info.weight.ref_time, post.actual_weight.ref_time)
        return self._whole(info, used, info.pays if post.pays is Pays.Yes else Pays.No, length, tip)

    def _whole(self, info: DispatchInfo, ref_time: int, pays: Pays, length: int, tip: int) -> int:
        details = self._details(info, ref_time, pays, length)
        return tip if details is None else min(sum(details) + tip, _MAX_U128)

    def _details(
        self, info: DispatchInfo, ref_time: int, pays: Pays, length: int
    ) -> tuple[int, int, int] | None:
        if pays == Pays.No:
            return None
        most, time_fee = self._most_time, self.config.time_fee
        return (
            self._base_fees[info.dispatch_class],
            length * self.config.byte_fee,
            times(self.multiplier(), (ref_time if ref_time < most else most) * time_fee),
        )

    @cached_property
    def _most_time(self) -> int:
        return self.system.block_weights().max_block.ref_time

    @cached_property
    def _base_fees(self) -> tuple[int, ...]:
        limits = self.system.block_weights()
        return tuple(self.weight_fee(limits.of(kind).base_extrinsic.ref_time, 0) for kind in DispatchClass)

    def priority(self, info: DispatchInfo, length: int, tip: int, fee: int) -> int:
        """Tip per scarce unit: (tip + 1) · how many such extrinsics a block holds, plus a virtual tip if
        Operational."""
        known, asked, answer = self._last_priority
        if known is info and asked == (length, tip, fee):
            return answer
        key = (info.weight.ref_time, info.weight.proof_size, length, int(info.dispatch_class))
        per_block = self._per_block.get(key)
        if per_block is None:
            if len(self._per_block) >= _REMEMBERED:
                self._per_block.clear()
            per_block = self._per_block[key] = self._how_many(info, length)
        reward = min((min(tip, _MAX_U128 - 1) + 1) * per_block, _MAX_U128)
        if info.dispatch_class == DispatchClass.Operational:
            reward += min(fee * self.config.operational_fee_multiplier * per_block, _MAX_U128)
        self._last_priority = (info, (length, tip, fee), min(reward, _MAX_U64))
        return min(reward, _MAX_U64)

    @cached_property
    def _per_block(self) -> dict[tuple[int, int, int, int], int]:
        return {}

    def _how_many(self, info: DispatchInfo, length: int) -> int:
        """How many such extrinsics fill a block."""
        limit = self.system.block_weights().max_block
        longest = self.system.block_length().of(info.dispatch_class)
        return min(
            limit.ref_time // min(max(info.weight.ref_time, 1), limit.ref_time),
            limit.proof_size // min(max(info.weight.proof_size, 1), limit.proof_size),
            longest // min(max(length, 1), longest),
        )

    # -- from whom, to whom --------------------------------------------

    def can_withdraw(self, who: bytes, fee: int) -> bool:
        """Whether `who` could pay and stay alive; changes nothing."""
        return self.config.currency.reducible_balance(who, True) >= fee

    def can_pay(self, account: AccountInfo, fee: int) -> bool:
        """The same of an account by what is stored of it."""
        return self.config.currency.can_spend(account, fee)

    def withdraw(self, who: bytes, fee: int) -> None:
        """Take the fee before dispatch. TokenError.FundsUnavailable."""
        self.config.currency.withdraw_fee(who, fee)

    def settle(
        self, who: bytes, withdrawn: int, info: DispatchInfo, post: PostInfo, length: int, tip: int
    ) -> None:
        """After dispatch: give back what was too much, pass on the rest, say so.

        A payer whom the call has reaped, or whom the refund would not keep alive, gets none: it is burned.
        """
        fee = self.actual_fee(info, post, length, tip)
        currency = self.config.currency
        if withdrawn > fee and currency.total_balance(who):
            self._give(who, withdrawn - fee)
        if self.config.beneficiary is not None and fee:
            self._give(self.config.beneficiary, min(fee, withdrawn))
        self._paid(who, fee, tip)

    def _give(self, who: bytes, amount: int) -> None:
        try:
            self.config.currency.deposit_fee(who, amount)
        except DispatchError:
            return

    @invariant
    def the_multiplier_is_in_its_range(self) -> Iterator[str]:
        """The fee multiplier has not left what the adjustment allows."""
        least, most = self.config.adjustment.range()
        if not least <= self.multiplier() <= most:
            yield f"{self.multiplier()} is not between {least} and {most}"

    # -- block by block --------------------------------------------

    def on_initialize(self, number: int) -> Weight:
        """What `on_finalize` will use."""
        return Weights.on_finalize()

    def on_finalize(self, number: int) -> None:
        """Move the multiplier by how full the block was."""
        limits = self.system.block_weights()
        most = limits.per_class.normal.max_total or limits.max_block
        used = self.system.used_weight(DispatchClass.Normal)
        new = self.config.adjustment.next(self.multiplier(), used, most)
        self.next_fee_multiplier.put(FixedU128(value=new))

    def build_genesis(self, genesis: object) -> None:
        """The multiplier begins at 1."""
        self.storage_version_item.put(Releases.V2)
        self.next_fee_multiplier.put(FixedU128(value=ONE))

    def integrity_test(self) -> None:
        """From the minimum the multiplier can rise again when blocks are a little over the target."""
        limits = self.system.block_weights()
        most = limits.per_class.normal.max_total or limits.max_block
        rule = self.config.adjustment
        over = rule.target * 101 // 100
        used = weight(times(over, most.ref_time), times(over, most.proof_size))
        assert rule.next(rule.minimum, used, most) > rule.minimum, "the minimum is too low to recover"
