"""Accounts that act for others. Calls, events, errors and account ids are those of pallet_proxy."""

from __future__ import annotations

from pallets.proxy.pallet import Proxy, pure_account
from pallets.proxy.types import ProxyRules, ProxyType

__all__ = ["Proxy", "ProxyRules", "ProxyType", "pure_account"]
