"""The pallet `system` (`substrate/frame/system/src/lib.rs`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from frame import (
    AnyDispatchError,
    Constant,
    ConsumerRemaining,
    DispatchClass,
    DispatchError,
    DispatchInfo,
    Error,
    Event,
    NoProviders,
    Origin,
    Other,
    Pallet,
    Pays,
    PostInfo,
    StorageMap,
    StorageValue,
    TooManyConsumers,
    Twox64Concat,
    Weight,
    call,
    invariant,
)
from frame.accounts import NO_ACCOUNT, AccountData, AccountInfo, with_data
from frame.limits import (
    DEFAULT_LENGTH,
    DEFAULT_WEIGHTS,
    NOTHING,
    BlockLength,
    BlockWeights,
    ConsumedWeight,
)
from frame.manifest import CODE_KEY, runtime_manifest
from frame.traits import SystemPallet
from frame.transaction import Invalid, InvalidTransaction
from frame.version import RuntimeVersion
from frame.weights import DB, MAX_PART, weight
from pallets.system.types import (
    DispatchEventInfo,
    EventRecord,
    LastRuntimeUpgradeInfo,
    Phase,
    RuntimeDbWeight,
)
from pallets.system.weights import Weights
from primitives.digest import Digest, DigestItem
from primitives.hashing import blake2_256
from primitives.header import Header
from primitives.scale import H256, U16, U32, U64, AccountId, Bytes, codec, replace
from primitives.trie import ordered_root

EXTRINSIC_INDEX = b":extrinsic_index"
HEAP_PAGES = b":heappages"
NO_HASH = b"\x45" * 32
"""Substrate's parent hash of block 0: 69 in each byte."""

MAX_CONSUMERS = 16
"""References that may need an account at a time, as in Substrate's solochain template."""

_CHILDREN = b":child_storage:"
_RECORD_END = b"\0"  # no topics
_FIRST = b"\0\0\0\0\0"  # the phase of extrinsic 0, outside of blocks
_NO_LIMIT = 1 << 80
_encode_u32 = codec(U32).encoder()
_APPLYING = b"\0"  # the variant of a phase that the index of an extrinsic follows


class _Room(NamedTuple):
    """The limits of a class in plain numbers; where there is none, one that nothing reaches."""

    largest_time: int
    largest_proof: int
    length: int
    base_time: int
    base_proof: int
    most_time: int
    most_proof: int
    reserved_time: int
    reserved_proof: int
    block_time: int
    block_proof: int


def _room(config: Config, kind: DispatchClass) -> _Room:
    limits, block = config.block_weights.of(kind), config.block_weights.max_block
    base = limits.base_extrinsic
    return _Room(
        *_bounds(limits.max_extrinsic),
        config.block_length.of(kind),
        base.ref_time,
        base.proof_size,
        *_bounds(limits.max_total),
        *_bounds(limits.reserved),
        *_bounds(block),
    )


def _bounds(limit: Weight | None) -> tuple[int, int]:
    # Weights saturate: whatever is used fits the greatest limit there is.
    parts = (MAX_PART, MAX_PART) if limit is None else (limit.ref_time, limit.proof_size)
    time, proof = (_NO_LIMIT if part >= MAX_PART else part for part in parts)
    return time, proof


def _refuse_child_roots(keys: Iterable[bytes]) -> None:
    # The roots of child tries stand in the top trie; writing one by hand would make the state contradict
    # itself.
    if any(key.startswith(_CHILDREN) or _CHILDREN.startswith(key) for key in keys):
        raise Other("keys of child storage are not written by hand")


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


class System(Pallet[Config], weights=Weights):
    """Accounts, blocks, events and limits: what every runtime stands on."""

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

    # -- calls --------------------------------------------

    @call(0)
    def remark(self, origin: Origin, remark: Bytes) -> None:
        """Make some on-chain remark. Can be executed by every `origin`."""
        origin.signed_or_root()

    @call(1, dispatch_class=DispatchClass.Operational)
    def set_heap_pages(self, origin: Origin, pages: U64) -> None:
        """Set the number of pages in the WebAssembly environment's heap."""
        origin.root()
        self.machine.overlay.put(HEAP_PAGES, pages.to_bytes(8, "little"))
        self.deposit_log(codec(DigestItem).encode(DigestItem.RuntimeEnvironmentUpdated()))

    @call(4, dispatch_class=DispatchClass.Operational)
    def set_storage(self, origin: Origin, items: list[tuple[Bytes, Bytes]]) -> None:
        """Set some items of storage."""
        origin.root()
        _refuse_child_roots(key for key, _ in items)
        for key, value in items:
            self.machine.overlay.put(key, value)
        self.machine.signed_along.clear()

    @call(5, dispatch_class=DispatchClass.Operational)
    def kill_storage(self, origin: Origin, keys: list[Bytes]) -> None:
        """Kill some items from storage."""
        origin.root()
        _refuse_child_roots(keys)
        for key in keys:
            self.machine.overlay.put(key, None)
        self.machine.signed_along.clear()

    @call(6, dispatch_class=DispatchClass.Operational)
    def kill_prefix(self, origin: Origin, prefix: Bytes, subkeys: U32) -> Weight:
        """Kill all storage items with a key that starts with the given prefix, up to `subkeys` of them."""
        origin.root()
        _refuse_child_roots([prefix])
        self.machine.signed_along.clear()
        return Weights.kill_prefix(self.machine.overlay.kill_prefix(prefix, subkeys))

    @call(7)
    def remark_with_event(self, origin: Origin, remark: Bytes) -> None:
        """Make some on-chain remark and emit event."""
        who = origin.signed()
        self.deposit(self.Remarked(sender=who, hash=blake2_256(remark)))

    _last_success: tuple[DispatchInfo | None, bytes] = (None, b"")

    # -- blocks --------------------------------------------

    def block_number(self) -> int:
        return self.number.get()

    def parent_hash(self) -> bytes:
        return self.parent.get()

    def block_hash(self, number: int) -> bytes | None:
        return self.block_hashes.get(number)

    def call_filtered(self) -> DispatchError:
        return self.CallFiltered()

    def is_upgrade_due(self) -> bool:
        last = self.last_runtime_upgrade.try_get()
        version = self.machine.runtime.version
        return last is None or last.spec_version < version.spec_version or last.spec_name != version.spec_name

    def last_spec_version(self) -> int | None:
        last = self.last_runtime_upgrade.try_get()
        return None if last is None else last.spec_version

    def note_upgrade(self) -> None:
        version = self.machine.runtime.version
        self._note_version(version)
        self.deposit_log(codec(DigestItem).encode(DigestItem.RuntimeEnvironmentUpdated()))
        self.deposit(self.CodeUpdated())

    def _note_version(self, version: RuntimeVersion) -> None:
        self.last_runtime_upgrade.put(
            LastRuntimeUpgradeInfo(spec_version=version.spec_version, spec_name=version.spec_name)
        )
        self.machine.overlay.put(CODE_KEY, runtime_manifest(version.encode(), version.apis))

    def reset_events(self) -> None:
        self.events.kill()
        self.event_count.kill()
        self.event_topics.clear()

    def initialize(self, number: int, parent_hash: bytes, digest: Digest) -> None:
        self.machine.signed_along.clear()
        self.execution_phase.put(Phase.Initialization())
        self.machine.overlay.put(EXTRINSIC_INDEX, bytes(4))
        self.number.put(number)
        self.digest.put(digest)
        self.parent.put(parent_hash)
        self.block_hashes[number - 1] = parent_hash
        self.inherents_applied.kill()
        self.block_weight.kill()

    def note_finished_initialize(self) -> None:
        self.execution_phase.put(Phase.ApplyExtrinsic(value=0))

    def note_inherents_applied(self) -> None:
        self.inherents_applied.put(True)

    def extrinsic_index(self) -> int:
        """The index of the extrinsic being applied."""
        return int.from_bytes(self.machine.overlay.get(EXTRINSIC_INDEX) or b"", "little")

    def note_applied_extrinsic(self, error: DispatchError | None, info: DispatchInfo, post: PostInfo) -> None:
        if error is None:
            self.deposit_event(self._success(info, post))
        else:
            shown = self._shown(info, post)
            self.deposit(self.ExtrinsicFailed(dispatch_error=error, dispatch_info=shown))
        index = (self.extrinsic_index() + 1).to_bytes(4, "little")
        self._set_index(index)
        self._set_phase(_APPLYING + index)

    def _shown(self, info: DispatchInfo, post: PostInfo) -> DispatchEventInfo:
        base = self.config.block_weights.of(info.dispatch_class).base_extrinsic
        return DispatchEventInfo(
            weight=post.weight_of(info) + base,
            class_=info.dispatch_class,
            pays_fee=max(info.pays, post.pays),
        )

    def _success(self, info: DispatchInfo, post: PostInfo) -> bytes:
        # The same few bytes again and again: calls of constant weight share their info.
        if post.actual_weight is None and post.pays is Pays.Yes:
            known, found = self._last_success
            if known is info:
                return found
            found = self.encoded(self.ExtrinsicSuccess(dispatch_info=self._shown(info, post)))
            self._last_success = (info, found)
            return found
        return self.encoded(self.ExtrinsicSuccess(dispatch_info=self._shown(info, post)))

    def note_finished_extrinsics(self) -> None:
        self.extrinsic_count.put(self.extrinsic_index())
        self.machine.overlay.put(EXTRINSIC_INDEX, None)
        self.execution_phase.put(Phase.Finalization())

    def finalize(self) -> Header:
        self.execution_phase.kill()
        self.all_extrinsics_len.kill()
        self.inherents_applied.kill()
        self.extrinsic_count.kill()
        number = self.number.get()
        oldest = number - self.config.block_hash_count - 1
        if oldest > 0:  # the genesis hash stays: every signature commits to it
            self.block_hashes.remove(oldest)
        version = self.machine.runtime.version
        machine = self.machine
        machine.delta = machine.overlay.delta()
        return Header(
            parent_hash=self.parent.get(),
            number=number,
            state_root=machine.overlay.backend.root(machine.delta, version.state_version),
            extrinsics_root=ordered_root(machine.extrinsics, version.extrinsics_root_version),
            digest=self.digest.get(),
        )

    def deposit_log(self, item: bytes) -> None:
        # Appended, not read and written: a block of such calls would take time in the square of their number.
        self.machine.overlay.append(self.digest.key, item)

    # -- events --------------------------------------------

    def deposit_event(self, event: bytes) -> None:
        self._recorder()(event)

    def _recorder(self) -> Callable[[bytes], None]:
        """What records an event: raw bytes, since it runs several times in every extrinsic. A stored phase is
        its own encoding.
        """
        overlay = self.machine.overlay
        phase_key, view, load, number = self.execution_phase.key, overlay.view, overlay.get, self.number
        append = overlay.counting_appender(self.events.key, self.event_count.key, _encode_u32)

        def record(event: bytes) -> None:
            phase = view.get(phase_key) or load(phase_key)
            if phase is None:
                if not number.get():
                    return
                phase = _FIRST
            append(phase + event + _RECORD_END)  # type: ignore[operator]  # a phase is never kept decoded

        return record

    # -- limits --------------------------------------------

    def ss58_prefix(self) -> int:
        return self.config.ss58_prefix

    def block_weights(self) -> BlockWeights:
        return self.config.block_weights

    def block_length(self) -> BlockLength:
        return self.config.block_length

    def used_weight(self, dispatch_class: DispatchClass) -> Weight:
        return self.block_weight.get().of(dispatch_class)

    def weight_left(self) -> Weight:
        return self.config.block_weights.max_block - self.block_weight.get().total()

    def has_room(self) -> bool:
        # In plain numbers, since the block author asks before every extrinsic.
        limits, most = self.config.block_weights.per_class.normal, self.config.block_weights.max_block
        used = self.block_weight.get()
        mine = used.normal.ref_time + limits.base_extrinsic.ref_time
        everyone = mine + used.operational.ref_time + used.mandatory.ref_time
        return everyone <= most.ref_time and (limits.max_total is None or mine <= limits.max_total.ref_time)

    def register_extra_weight(self, weight: Weight, dispatch_class: DispatchClass) -> None:
        used = self.block_weight.get()
        self.block_weight.put(used.with_class(dispatch_class, used.of(dispatch_class) + weight))

    @cached_property
    def _rooms(self) -> tuple[_Room, ...]:
        return tuple(_room(self.config, kind) for kind in DispatchClass)

    def check_room(self, info: DispatchInfo, length: int) -> None:
        room, used = self._rooms[info.dispatch_class], info.weight
        if (
            used.ref_time > room.largest_time
            or used.proof_size > room.largest_proof
            or self._length_so_far() + length > room.length
        ):
            raise InvalidTransaction(Invalid.ExhaustsResources)

    def use_room(self, info: DispatchInfo, length: int) -> None:
        # In plain numbers, since every extrinsic passes here. What is below a limit is in its type's range.
        kind, new = info.dispatch_class, info.weight
        room, before = self._rooms[kind], self.block_weight.get()
        total = self._length_so_far() + length
        a, b, c = before.normal, before.operational, before.mandatory
        old = (a, b, c)[kind]
        time = old.ref_time + new.ref_time + room.base_time
        proof = old.proof_size + new.proof_size + room.base_proof
        if (
            new.ref_time > room.largest_time
            or new.proof_size > room.largest_proof
            or total > room.length
            or time > room.most_time
            or proof > room.most_proof
        ):
            raise InvalidTransaction(Invalid.ExhaustsResources)
        all_time = a.ref_time + b.ref_time + c.ref_time + time - old.ref_time
        all_proof = a.proof_size + b.proof_size + c.proof_size + proof - old.proof_size
        if (all_time > room.block_time or all_proof > room.block_proof) and (
            time > room.reserved_time or proof > room.reserved_proof
        ):
            raise InvalidTransaction(Invalid.ExhaustsResources)
        self.all_extrinsics_len.put(total)
        self.block_weight.put_checked(before.with_class(kind, weight(time, proof)))

    def reclaim(self, info: DispatchInfo, post: PostInfo) -> None:
        if post.actual_weight is None:
            return
        unused = info.weight - post.actual_weight
        if unused.ref_time or unused.proof_size:
            used = self.block_weight.get()
            self.block_weight.put(used.with_class(info.dispatch_class, used.of(info.dispatch_class) - unused))

    # -- accounts --------------------------------------------

    def connect(self, bound_pallets: Mapping[int, Pallet[Any]], system: SystemPallet) -> None:
        self.__dict__["deposit_event"] = self._recorder()
        super().connect(bound_pallets, system)
        # The same as the methods, without a step between: they run some ten times in every extrinsic.
        self.__dict__["account"] = self.account_info.read
        self.__dict__["set_account"] = self.account_info.store
        self.__dict__["change_data"] = self.account_info.changer("data")
        self._change_nonce = self.account_info.changer("nonce")
        self._length_so_far = self.all_extrinsics_len.getter(0)
        self._set_index = self.machine.overlay.setter(EXTRINSIC_INDEX)
        self._set_phase = self.machine.overlay.setter(self.execution_phase.key)

    def account(self, who: bytes) -> AccountInfo:
        return self.account_info[who]

    def accounts(self) -> Iterator[tuple[bytes, AccountInfo]]:
        return self.account_info.items()

    def account_exists(self, who: bytes) -> bool:
        account = self.account_info[who]
        return account.providers > 0 or account.sufficients > 0

    def account_nonce(self, who: bytes) -> int:
        return self.account_info[who].nonce

    def use_account_nonce(self, who: bytes, nonce: int) -> None:
        account = self.account_info.read(who)
        if not account.providers and not account.sufficients:
            raise InvalidTransaction(Invalid.Payment)
        if nonce != account.nonce:
            raise InvalidTransaction(Invalid.Stale if nonce < account.nonce else Invalid.Future)
        self._change_nonce(who, account, nonce + 1)

    def set_account_data(self, who: bytes, data: AccountData) -> None:
        self.account_info[who] = with_data(self.account_info[who], data)

    def set_account(self, who: bytes, account: AccountInfo) -> None:
        self.account_info[who] = account

    def change_data(self, who: bytes, account: AccountInfo, data: AccountData) -> None:
        self.account_info[who] = with_data(account, data)

    def providers(self, who: bytes) -> int:
        return self.account_info[who].providers

    def consumers(self, who: bytes) -> int:
        return self.account_info[who].consumers

    def inc_providers(self, who: bytes) -> bool:
        account = self.account_info[who]
        fresh = not account.providers and not account.sufficients
        self.account_info[who] = replace(account, providers=account.providers + 1)
        if fresh:
            self.deposit(self.NewAccount(account=who))
        return fresh

    def dec_providers(self, who: bytes) -> bool:
        account = self.account_info[who]
        if account.providers <= 1 and not account.sufficients:
            if account.consumers:
                raise ConsumerRemaining()
            self._kill(who)
            return True
        if account.providers == 1 and account.consumers:
            raise ConsumerRemaining()
        self.account_info[who] = replace(account, providers=max(account.providers - 1, 0))
        return False

    def inc_sufficients(self, who: bytes) -> bool:
        account = self.account_info[who]
        fresh = not account.providers and not account.sufficients
        self.account_info[who] = replace(account, sufficients=account.sufficients + 1)
        if fresh:
            self.deposit(self.NewAccount(account=who))
        return fresh

    def dec_sufficients(self, who: bytes) -> bool:
        account = self.account_info[who]
        if account.sufficients <= 1 and not account.providers:
            self._kill(who)
            return True
        self.account_info[who] = replace(account, sufficients=max(account.sufficients - 1, 0))
        return False

    def inc_consumers(self, who: bytes) -> None:
        account = self.account_info[who]
        if not account.providers:
            raise NoProviders()
        if account.consumers >= MAX_CONSUMERS:
            raise TooManyConsumers()
        self.account_info[who] = replace(account, consumers=account.consumers + 1)

    def dec_consumers(self, who: bytes) -> None:
        account = self.account_info[who]
        self.account_info[who] = replace(account, consumers=max(account.consumers - 1, 0))

    def can_dec_provider(self, who: bytes) -> bool:
        account = self.account_info[who]
        return account.consumers == 0 or account.providers > 1

    def can_inc_consumer(self, who: bytes) -> bool:
        account = self.account_info[who]
        return account.providers > 0 and account.consumers < MAX_CONSUMERS

    def _kill(self, who: bytes) -> None:
        self.account_info.remove(who)
        self.deposit(self.KilledAccount(account=who))

    # -- what is true between blocks --------------------------------------------

    @invariant
    def accounts_are_referenced(self) -> Iterator[str]:
        """An account stays because somebody provides for it or it suffices; who needs it needs it alive."""
        for who, account in self.account_info.items():
            if not account.providers and not account.sufficients:
                yield f"{who.hex()}: nothing keeps the account"
            if account.consumers > MAX_CONSUMERS:
                yield f"{who.hex()}: {account.consumers} consumers, {MAX_CONSUMERS} at most"

    @invariant
    def events_are_counted(self) -> Iterator[str]:
        """The events of the last block can be read, and are as many as were counted."""
        raw = self.machine.overlay.get(self.events.key) or b"\0"
        found = len(self.machine.runtime.decode_events(raw))
        if found != self.event_count.get():
            yield f"{found} events, {self.event_count.get()} were counted"

    @invariant
    def block_hashes_are_kept(self) -> Iterator[str]:
        """The parent's hash is the last of the hashes, of which the recent ones and the first are kept."""
        number = self.number.get()
        if number and self.block_hashes.get(number - 1) != self.parent.get():
            yield f"the hash of block {number - 1} is not the parent hash"
        oldest = number - self.config.block_hash_count - 1
        for height in self.block_hashes:
            if height >= max(number, 1) or 0 < height < oldest:
                yield f"a hash of block {height} is kept in block {number}"

    @invariant
    def nothing_of_a_block_stays(self) -> Iterator[str]:
        """What belongs to the making of a block is gone when it is made."""
        if self.execution_phase.exists():  # a block is being made
            return
        for name, item in (
            ("ExtrinsicCount", self.extrinsic_count),
            ("AllExtrinsicsLen", self.all_extrinsics_len),
            ("InherentsApplied", self.inherents_applied),
        ):
            if item.exists():
                yield f"{name} is still there"

    @invariant
    def the_code_is_not_older(self) -> Iterator[str]:
        """No newer program has left this state."""
        last, version = self.last_spec_version(), self.machine.runtime.version.spec_version
        if last is None or last > version:
            yield f"the state was left by spec version {last}, this program is {version}"

    # -- genesis and metadata --------------------------------------------

    def build_genesis(self, genesis: object) -> None:
        self.block_hashes[0] = NO_HASH
        self.parent.put(NO_HASH)
        self._note_version(self.machine.runtime.version)
        self.upgraded_to_u32_ref_count.put(True)
        self.upgraded_to_triple_ref_count.put(True)
        self.machine.overlay.put(EXTRINSIC_INDEX, bytes(4))

    def constants(self) -> list[Constant]:
        found = super().constants()
        version = Constant(
            "Version", codec(RuntimeVersion), self.machine.runtime.version, "Get the chain's in-code version."
        )
        return [*found[:-1], version, found[-1]]
