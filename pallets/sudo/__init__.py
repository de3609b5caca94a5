"""The pallet `sudo`: one account that may act as root. Calls, events and storage are those of pallet_sudo."""

from __future__ import annotations

from pallets.sudo.pallet import Sudo

__all__ = ["Sudo"]
