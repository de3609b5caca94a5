"""The pallet `utility`: several calls in one. Calls, events and errors are those of pallet_utility."""

from __future__ import annotations

from pallets.utility.pallet import Utility

__all__ = ["Utility"]
