"""The pallet `transaction_payment`: what a transaction costs, and taking it.

Storage, event and rules are those of Substrate's pallet_transaction_payment; `ChargeTransactionPayment` in
`frame.extensions` calls it.
"""

from __future__ import annotations

from pallets.transaction_payment.multiplier import Adjustment
from pallets.transaction_payment.pallet import Config, TransactionPayment

__all__ = ["Adjustment", "Config", "TransactionPayment"]
