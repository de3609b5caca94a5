"""Which calls each kind of proxy may make: one table.

A kind lists what it may do, never what it may not: a call that comes later is closed to all but `Any` until
somebody decides. Calls that carry calls are safe to list, since the filter goes along.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from frame import RuntimeCall
from pallets.proxy import ProxyType

_CARRIERS = frozenset(
    {"Utility.batch", "Utility.batch_all", "Utility.force_batch", "Utility.if_else", "System.remark"}
)
_REJECT = frozenset({"Proxy.reject_announcement"})
_BLOBS = frozenset({"Blobs.declare", "Blobs.put", "Blobs.remove", "Blobs.expire"})
_PROVIDER = frozenset(
    {
        "Datasets.register",
        "Datasets.update",
        "Datasets.set_policy",
        "Datasets.close",
        "Market.list",
        "Market.unlist",
        "Compute.accept",
        "Compute.reject",
        "Compute.submit_result",
        "Compute.fail",
        "Compute.expire",
        "Rewards.claim",
    }
)
_BUYER = frozenset({"Compute.submit", "Compute.cancel", "Compute.confirm", "Compute.expire"})

CALLS: Final[Mapping[ProxyType, frozenset[str]]] = MappingProxyType(
    {
        ProxyType.NonTransfer: _CARRIERS
        | _REJECT
        | _BLOBS
        | _PROVIDER
        | {
            "System.remark_with_event",
            "Utility.as_derivative",
            "Multisig.as_multi_threshold_1",
            "Multisig.as_multi",
            "Multisig.approve_as_multi",
            "Multisig.cancel_as_multi",
            "Multisig.poke_deposit",
            "Proxy.proxy",
            "Proxy.add_proxy",
            "Proxy.remove_proxy",
            "Proxy.announce",
            "Proxy.remove_announcement",
            "Proxy.proxy_announced",
            "Proxy.poke_deposit",
            "Compute.cancel",
            "Compute.confirm",
        },
        ProxyType.CancelProxy: _CARRIERS | _REJECT,
        ProxyType.Governance: _CARRIERS
        | {"Sudo.sudo", "Sudo.sudo_unchecked_weight", "Sudo.sudo_as", "Sudo.set_key"},
        ProxyType.Provider: _CARRIERS | _BLOBS | _PROVIDER,
        ProxyType.Buyer: _CARRIERS | _BLOBS | _BUYER,
    }
)
"""Kind → the calls it covers, `Pallet.call`; `Any` covers all."""


class Rules:
    """The rules of this runtime, as the pallet `proxy` asks for them."""

    def allows(self, kind: ProxyType, call: RuntimeCall) -> bool:
        """Whether a delegate of this kind may make this call."""
        return kind is ProxyType.Any or f"{call.pallet}.{call.name}" in CALLS[kind]

    def is_superset(self, kind: ProxyType, other: ProxyType) -> bool:
        """Whether `kind` may do all that `other` may."""
        if kind is ProxyType.Any or kind is other:
            return True
        return other is not ProxyType.Any and CALLS[kind] >= CALLS[other]
