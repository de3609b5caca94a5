"""Accounts of several owners. Calls, events, errors and account ids are those of pallet_multisig."""

from __future__ import annotations

from pallets.multisig.pallet import Multisig, multi_account_id

__all__ = ["Multisig", "multi_account_id"]
