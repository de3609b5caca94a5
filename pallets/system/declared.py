"""What the pallet `system` keeps and says: configuration, storage, events and errors, in Substrate's order
(`substrate/frame/system/src/lib.rs`).
"""

from __future__ import annotations

from dataclasses import dataclass

from frame import AnyDispatchError, Error, Event, Pallet, StorageMap, StorageValue, Twox64Concat
from frame.accounts import NO_ACCOUNT, AccountInfo
from frame.limits import DEFAULT_LENGTH, DEFAULT_WEIGHTS, NOTHING, BlockLength, BlockWeights, ConsumedWeight
from frame.weights import DB
from pallets.system.types import (
    DispatchEventInfo,
    EventRecord,
    LastRuntimeUpgradeInfo,
    Phase,
    RuntimeDbWeight,
)
from primitives.digest import Digest
from primitives.scale import H256, U16, U32, AccountId, Bytes


@dataclass(frozen=True)
class Config:
    """The limits of blocks.

    block_weights: Block & extrinsics weights: base values and limits. block_length: The maximum length of a
    block (in bytes). block_hash_count: Maximum number of block number to block hash mappings to keep
    (oldest pruned first). db_weight: The weight of runtime database operations the runtime can invoke.
    ss58_prefix: The designated SS58 prefix of this chain.
    """

    block_weights: BlockWeights = DEFAULT_WEIGHTS
    block_length: BlockLength = DEFAULT_LENGTH
    block_hash_count: U32 = 4096
    db_weight: RuntimeDbWeight = RuntimeDbWeight(read=DB.read, write=DB.write)  # noqa: RUF009 - immutable
    ss58_prefix: U16 = 42


class Declared(Pallet[Config], partial=True):
    """Storage, events and errors of `System`."""

    account_info = StorageMap[AccountId, AccountInfo](
        default=NO_ACCOUNT, name="Account", doc="The full account information for a particular account ID."
    )
    extrinsic_count = StorageValue[U32](doc="Total extrinsics count for the current block.")
    inherents_applied = StorageValue[bool](default=False, doc="Whether all inherents have been applied.")
    block_weight = StorageValue[ConsumedWeight](default=NOTHING, doc="The current weight for the block.")
    all_extrinsics_len = StorageValue[U32](
        doc="Total length (in bytes) for all extrinsics put together, for the current block."
    )
    block_hashes = StorageMap[U32, H256](
        default=bytes(32), hasher=Twox64Concat, name="BlockHash", doc="Map of block numbers to block hashes."
    )
    extrinsic_data = StorageMap[U32, Bytes](
        default=b"",
        hasher=Twox64Concat,
        doc="Extrinsics data for the current block (maps an extrinsic's index to its data).",
    )
    number = StorageValue[U32](
        default=0, doc="The current block number being processed. Set by `execute_block`."
    )
    parent = StorageValue[H256](default=bytes(32), name="ParentHash", doc="Hash of the previous block.")
    digest = StorageValue[Digest](
        default=Digest(logs=[]), doc="Digest of the current block, also part of the block header."
    )
    events = StorageValue[list[EventRecord]](default=[], doc="Events deposited for the current block.")
    event_count = StorageValue[U32](default=0, doc="The number of events in the `Events<T>` list.")
    event_topics = StorageMap[H256, list[tuple[U32, U32]]](
        default=[],
        doc="Mapping between a topic and a vector of indexes of events in the `Events` list.",
    )
    last_runtime_upgrade = StorageValue[LastRuntimeUpgradeInfo](
        doc="Stores the `spec_version` and `spec_name` of when the last runtime upgrade happened."
    )
    upgraded_to_u32_ref_count = StorageValue[bool](
        default=False,
        name="UpgradedToU32RefCount",
        doc="True if we have upgraded so that `type RefCount` is `u32`.",
    )
    upgraded_to_triple_ref_count = StorageValue[bool](
        default=False, doc="True if we have upgraded so that AccountInfo contains three types of `RefCount`."
    )
    execution_phase = StorageValue[Phase](doc="The execution phase of the block.")

    class ExtrinsicSuccess(Event):
        """An extrinsic completed successfully."""

        dispatch_info: DispatchEventInfo

    class ExtrinsicFailed(Event):
        """An extrinsic failed."""

        dispatch_error: AnyDispatchError
        dispatch_info: DispatchEventInfo

    class CodeUpdated(Event):
        """`:code` was updated."""

    class NewAccount(Event):
        """A new account was created."""

        account: AccountId

    class KilledAccount(Event):
        """An account was reaped."""

        account: AccountId

    class Remarked(Event):
        """On on-chain remark happened."""

        sender: AccountId
        hash: H256

    class InvalidSpecName(Error):
        """The name of specification does not match between the current runtime and the new runtime."""

    class SpecVersionNeedsToIncrease(Error):
        """The specification version is not allowed to decrease between the current runtime and the new
        runtime.
        """

    class FailedToExtractRuntimeVersion(Error):
        """Failed to extract the runtime version from the new runtime."""

    class NonDefaultComposite(Error):
        """Suicide called when the account has non-default composite data."""

    class NonZeroRefCount(Error):
        """There is a non-zero reference count preventing the account from being purged."""

    class CallFiltered(Error):
        """The origin filter prevent the call to be dispatched."""
