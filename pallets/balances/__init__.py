"""The pallet `balances`: the money. Storage, calls and events are those of Substrate's pallet_balances."""

from __future__ import annotations

from pallets.balances.pallet import Balances, Config

__all__ = ["Balances", "Config"]
