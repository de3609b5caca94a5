"""Charging the fee. The rules of its amount are those of the pallet that it is given."""

from __future__ import annotations

from typing import Any

from frame.accounts import AccountInfo
from frame.call import PostInfo
from frame.errors import DispatchError
from frame.extensions.base import Ask, Extension
from frame.extrinsic import Checked
from frame.traits import FeePayment
from frame.transaction import Invalid, InvalidTransaction, Judgement
from primitives.scale import CompactU128


class ChargeTransactionPayment(Extension):
    """Takes the fee at the declared weight before the call, settles it at the weight used after it."""

    identifier = "ChargeTransactionPayment"
    path = "pallet_transaction_payment::ChargeTransactionPayment"
    extra = CompactU128
    prepare_checks = True
    judges_forms = True

    def __init__(self, payment: FeePayment) -> None:
        self.payment = payment

    def _fee(self, tx: Checked, tip: int) -> int:
        if tx.fee is None:
            tx.fee = self.payment.compute_fee(tx.info, tx.length, tip)
        return tx.fee

    def check(self, tx: Checked, extra: int) -> None:
        self._payable(tx, extra)

    def _payable(self, tx: Checked, tip: int) -> int:
        """The fee, which the sender can pay."""
        fee = self._fee(tx, tip)
        if fee and not self.payment.can_withdraw(tx.who or b"", fee):
            raise InvalidTransaction(Invalid.Payment)
        return fee

    def validate(self, tx: Checked, extra: int, found: Judgement) -> None:
        fee = self._payable(tx, extra)
        found.priority += self.payment.priority(tx.info, tx.length, extra, fee)

    def judge_form(self, tx: Checked, extra: int, found: Judgement) -> Ask | None:
        fee = self._fee(tx, extra)
        found.priority += self.payment.priority(tx.info, tx.length, extra, fee)
        can_pay = self.payment.can_pay

        def pays(who: bytes, account: AccountInfo, nonce: int) -> bool:
            return can_pay(account, fee)

        return pays if fee else None

    def prepare(self, tx: Checked, extra: int) -> int:
        fee = tx.fee
        if fee is None:
            fee = tx.fee = self.payment.compute_fee(tx.info, tx.length, extra)
        if fee:
            try:
                self.payment.withdraw(tx.who or b"", fee)
            except DispatchError:
                raise InvalidTransaction(Invalid.Payment) from None
        return fee

    def finish(self, tx: Checked, extra: int, prepared: Any, post: PostInfo) -> None:
        self.payment.settle(tx.who or b"", prepared, tx.info, post, tx.length, extra)


class NoPayment(ChargeTransactionPayment):
    """For runtimes without money: carries the tip's place in the format and charges nothing."""

    judges_forms = True

    def __init__(self) -> None:
        pass

    def check(self, tx: Checked, extra: int) -> None:
        """Nothing is owed."""

    def validate(self, tx: Checked, extra: int, found: Judgement) -> None:
        """Nothing is to be said."""

    def judge_form(self, tx: Checked, extra: int, found: Judgement) -> None:
        """Nothing is to be said."""

    def prepare(self, tx: Checked, extra: int) -> int:
        return 0

    def finish(self, tx: Checked, extra: int, prepared: Any, post: PostInfo) -> None:
        pass
