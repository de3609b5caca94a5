"""What the pallet `proxy` stores, with Substrate's paths (`substrate/frame/proxy/src/lib.rs`), and the kinds
of proxies.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Protocol

from frame import RuntimeCall
from primitives.scale import H256, U32, U128, AccountId, MaxLen, Struct

MAX_PROXIES = 32
MAX_PENDING = 32


class ProxyType(IntEnum):
    """What a delegate may do. The runtime's `ProxyRules` say which calls each covers."""

    __scale_path__ = "gristmill_runtime::ProxyType"

    Any = 0
    """Everything: the account is as good as the delegate's own."""
    NonTransfer = 1
    """All but moving money out of the account."""
    CancelProxy = 2
    """Rejecting announcements of other delegates."""
    Governance = 3
    """The work of whoever holds the sudo key."""
    Provider = 4
    """The daily work of a data provider: datasets, listings, jobs, blobs, rewards."""
    Buyer = 5
    """The daily work of a buyer: submitting and confirming jobs, which spends money, and blobs."""


class ProxyRules(Protocol):
    """How kinds of proxies relate to calls and to each other."""

    def allows(self, kind: ProxyType, call: RuntimeCall) -> bool:
        """Whether a delegate of this kind may make this call."""
        ...

    def is_superset(self, kind: ProxyType, other: ProxyType) -> bool:
        """Whether `kind` may do all that `other` may."""
        ...


class ProxyDefinition(
    Struct,
    path="pallet_proxy::ProxyDefinition",
    params={"AccountId": AccountId, "ProxyType": ProxyType, "BlockNumber": U32},
):
    """Who may act, in what way, and how many blocks after announcing it."""

    delegate: AccountId
    proxy_type: ProxyType
    delay: U32


class Announcement(
    Struct,
    path="pallet_proxy::Announcement",
    params={"AccountId": AccountId, "Hash": H256, "BlockNumber": U32},
):
    """A call that a delegate means to make for `real`."""

    real: AccountId
    call_hash: H256
    height: U32


class DepositKind(IntEnum):
    """What a deposit is for."""

    __scale_path__ = "pallet_proxy::DepositKind"

    Proxies = 0
    Announcements = 1


class PureDeposit(Struct, path="pallet_proxy::PureDeposit"):
    """Who spawned a pure account, and how much of its deposit is on hold with them."""

    spawner: AccountId
    amount: U128


Proxies = tuple[Annotated[list[ProxyDefinition], MaxLen(MAX_PROXIES)], U128]
"""An account's delegates, sorted, and the deposit for them."""
Announcements = tuple[Annotated[list[Announcement], MaxLen(MAX_PENDING)], U128]
"""A delegate's announcements, oldest first, and the deposit for them."""
