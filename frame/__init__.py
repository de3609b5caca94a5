"""What a pallet is made of. A pallet imports everything from here; the runtime adds `frame.runtime`."""

from __future__ import annotations

from frame.call import AnyCall, CallResult, DispatchClass, DispatchInfo, Pays, PostInfo, RuntimeCall, call
from frame.child import ChildTries
from frame.codecs import AnyDispatchError, AnyOrigin, FreezeReason, Reason
from frame.errors import (
    Arithmetic,
    ArithmeticFailure,
    BadOrigin,
    CannotLookup,
    ConsumerRemaining,
    Corruption,
    DispatchError,
    Error,
    Exhausted,
    ModuleError,
    NoProviders,
    Other,
    RootNotAllowed,
    StorageMissing,
    Token,
    TokenError,
    TooManyConsumers,
    Unavailable,
)
from frame.event import Event
from frame.host import Host
from frame.invariants import invariant
from frame.item import Blake2_128Concat, Identity, Twox64Concat
from frame.migrations import migration
from frame.nmap import StorageNMap
from frame.origin import Origin
from frame.pallet import Constant, Pallet
from frame.storage import CountedStorageMap, StorageDoubleMap, StorageMap, StorageValue
from frame.weights import Weight

__all__ = [
    "AnyCall",
    "AnyDispatchError",
    "AnyOrigin",
    "Arithmetic",
    "ArithmeticFailure",
    "BadOrigin",
    "Blake2_128Concat",
    "CallResult",
    "CannotLookup",
    "ChildTries",
    "Constant",
    "ConsumerRemaining",
    "Corruption",
    "CountedStorageMap",
    "DispatchClass",
    "DispatchError",
    "DispatchInfo",
    "Error",
    "Event",
    "Exhausted",
    "FreezeReason",
    "Host",
    "Identity",
    "ModuleError",
    "NoProviders",
    "Origin",
    "Other",
    "Pallet",
    "Pays",
    "PostInfo",
    "Reason",
    "RootNotAllowed",
    "RuntimeCall",
    "StorageDoubleMap",
    "StorageMap",
    "StorageMissing",
    "StorageNMap",
    "StorageValue",
    "Token",
    "TokenError",
    "TooManyConsumers",
    "Twox64Concat",
    "Unavailable",
    "Weight",
    "call",
    "invariant",
    "migration",
]
