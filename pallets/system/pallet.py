"""The pallet `system` (`substrate/frame/system/src/lib.rs`): its calls, and the making of a block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from frame import (
    Constant,
    DispatchClass,
    DispatchError,
    DispatchInfo,
    Origin,
    Other,
    Pallet,
    PostInfo,
    Weight,
    call,
    invariant,
)
from frame.call import AS_DECLARED
from frame.event import NO_TOPICS
from frame.manifest import CODE_KEY, runtime_manifest
from frame.state import Encode, Overlay
from frame.traits import SystemPallet
from frame.version import RuntimeVersion
from pallets.system.accounts import MAX_CONSUMERS, Accounts
from pallets.system.declared import Config
from pallets.system.limits import Limits
from pallets.system.types import (
    DispatchEventInfo,
    LastRuntimeUpgradeInfo,
    Phase,
)
from pallets.system.weights import Weights
from primitives.digest import Digest, DigestItem
from primitives.hashing import blake2_256
from primitives.header import Header
from primitives.scale import U32, U64, Bytes, codec
from primitives.trie import ordered_root

__all__ = ["Config", "System"]

EXTRINSIC_INDEX = b":extrinsic_index"
HEAP_PAGES = b":heappages"
NO_HASH = b"\x45" * 32
"""Substrate's parent hash of block 0: 69 in each byte."""

_CHILDREN = b":child_storage:"
_FIRST = b"\0\0\0\0\0"  # the phase of extrinsic 0, outside of blocks
_encode_u32 = codec(U32).encoder()
_APPLYING = b"\0"  # the variant of a phase that the index of an extrinsic follows


def _refuse_child_roots(keys: Iterable[bytes]) -> None:
    # The roots of child tries stand in the top trie; writing one by hand would make the state contradict
    # itself.
    if any(key.startswith(_CHILDREN) or _CHILDREN.startswith(key) for key in keys):
        raise Other("keys of child storage are not written by hand")


class System(Accounts, Limits, weights=Weights):
    """Accounts, blocks, events and limits: what every runtime stands on."""

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
    """The same few bytes again and again: calls of constant weight share their info."""

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
        return int.from_bytes(self._get_index(), "little")

    def note_applied_extrinsic(self, error: DispatchError | None, info: DispatchInfo, post: PostInfo) -> None:
        if error is None:
            known, record = self._last_success
            usual = post is AS_DECLARED and info is known
            self.deposit_event(record if usual else self._success(info, post))
        else:
            shown = self._shown(info, post)
            self.deposit(self.ExtrinsicFailed(dispatch_error=error, dispatch_info=shown))
        self._count_extrinsic()

    def _shown(self, info: DispatchInfo, post: PostInfo) -> DispatchEventInfo:
        base = self.config.block_weights.of(info.dispatch_class).base_extrinsic
        return DispatchEventInfo(
            weight=post.weight_of(info) + base,
            class_=info.dispatch_class,
            pays_fee=max(info.pays, post.pays),
        )

    def _success(self, info: DispatchInfo, post: PostInfo) -> bytes:
        found = self.encoded(self.ExtrinsicSuccess(dispatch_info=self._shown(info, post))) + NO_TOPICS
        if post == AS_DECLARED:
            self._last_success = (info, found)
        return found

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

    def event_recording(self) -> tuple[list[str], dict[str, Any]]:
        overlay = self.machine.overlay
        if type(overlay) is not Overlay:  # one that counts, say
            return ["record(raw)"], {"record": self._recorder()}
        return overlay.counting_append(*self._recorded())

    def _recorder(self) -> Callable[[bytes], None]:
        """What records an event: raw bytes, since it runs several times in every extrinsic."""
        return self.machine.overlay.counting_appender(*self._recorded())

    def _recorded(self) -> tuple[bytes, bytes, Encode, bytes, Callable[[], bytes | None]]:
        """Where events stand and are counted. A stored phase is its own encoding."""
        return (
            self.events.key,
            self.event_count.key,
            _encode_u32,
            self.execution_phase.key,
            lambda: _FIRST if self.number.get() else None,
        )

    def connect(self, bound_pallets: Mapping[int, Pallet[Any]], system: SystemPallet) -> None:
        self.__dict__["deposit_event"] = self._recorder()
        super().connect(bound_pallets, system)
        overlay = self.machine.overlay
        self._get_index = overlay.getter(EXTRINSIC_INDEX)
        self._count_extrinsic = overlay.counter(EXTRINSIC_INDEX, self.execution_phase.key, _APPLYING)

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
