"""A runtime on a state in memory, for the tests of pallets.

    ext = externalities(R, {"balances": Balances.Genesis(balances=[(ALICE, 100)])})
    balances = ext.of(R.balances)
    ext.dispatch(balances.transfer.new(BOB, 5), Origin.of(ALICE))   # DispatchError: nothing changed
    assert ext.events() == [...]

The state stands in block 1, so that events are deposited.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from frame import executive
from frame.backend import MemoryBackend
from frame.call import PostInfo, RuntimeCall
from frame.event import Event
from frame.extensions import MetadataHashMode
from frame.host import Host, PlainHost
from frame.invariants import Violation, violations
from frame.origin import Origin
from frame.pallet import Pallet
from frame.runtime import Block, BlockBuilder, Outcome, Runtime
from frame.state import Overlay
from frame.transaction import Source, Validity
from frame.try_runtime import try_state
from primitives.digest import Digest
from primitives.era import Era
from primitives.extrinsic import MultiAddress, MultiSignature, multi_signature, signing_payload
from primitives.header import Header
from primitives.keys import Keypair
from primitives.scale import U64, codec, encode_compact

A = TypeVar("A", bound=Pallet[Any])
R = TypeVar("R", bound=Runtime)

PERIOD_MS = 1000
START_MS = 1_700_000_000_000


class Externalities:
    """A runtime, one state in memory and an open block."""

    def __init__(
        self, runtime: Runtime, genesis: Mapping[str, Any] | None = None, host: Host | None = None
    ) -> None:
        self.runtime = runtime
        self.host: Host = host or PlainHost()
        self.backend = MemoryBackend().after(runtime.genesis(genesis or {}))
        self.genesis_header = Header(
            parent_hash=bytes(32),
            number=0,
            state_root=bytes(32),
            extrinsics_root=bytes(32),
            digest=Digest(logs=[]),
        )
        self.machine = runtime.machine(Overlay(self.backend), self.host)
        self.overlay = self.machine.overlay
        self._begin(1, self.genesis_header.hash)

    def _begin(self, number: int, parent: bytes) -> None:
        executive.initialize_block(self.machine, number, parent, Digest(logs=[]))

    # -- reaching pallets --------------------------------------------

    def of(self, declared: A) -> A:
        """The running copy of a pallet declared in the runtime's class body."""
        return self.machine.of(declared)

    def pallet(self, kind: type[A]) -> A:
        """The running pallet of this class."""
        for pallet in self.machine.pallets:
            if type(pallet) is kind:
                return pallet
        raise LookupError(f"{type(self.runtime).__name__} has no {kind.__name__}")

    # -- acting --------------------------------------------

    def dispatch(self, call: RuntimeCall, origin: Origin) -> PostInfo:
        """Run a call as a block would, without fee and signature. DispatchError: nothing has changed."""
        return executive.post_info(self.machine.dispatch(call, origin))

    def apply(self, extrinsic: bytes) -> bytes:
        """Apply an extrinsic: its SCALE `DispatchResult`. TransactionValidityError, machine.Trap."""
        return executive.apply_extrinsic(self.machine, extrinsic)

    def validate(self, extrinsic: bytes) -> Validity:
        """What the pool would hear."""
        with self.undone():
            return executive.validate_transaction(self.machine, Source.External, extrinsic, bytes(32))

    def next_block(self, ms: int | None = None) -> None:
        """Finish the block without computing roots and begin the next one, `ms` later."""
        self._finish()
        number = self.machine.system.block_number() + 1
        self._begin(number, number.to_bytes(32, "big"))
        if ms is not None:
            self.set_time(self.time() + ms)

    def _finish(self) -> None:
        time = self._time_item()
        if time is not None:
            flag = next(i for i in time[0].declaration.storage if i.attribute == "did_update")
            self.overlay.put(flag.prefix(time[0]), b"\1")
        executive.finish_extrinsics(self.machine)
        self.overlay.put(b":extrinsic_index", bytes(4))

    def roll(self, blocks: int, ms: int = PERIOD_MS) -> None:
        """So many blocks, each `ms` long."""
        for _ in range(blocks):
            self.next_block(ms)

    # -- time --------------------------------------------

    def _time_item(self) -> tuple[Pallet[Any], Any] | None:
        for pallet in self.machine.pallets:
            for item in pallet.declaration.storage:
                if item.name == "Now" and pallet.inherent_identifier == b"timstap0":
                    return pallet, item
        return None

    def time(self) -> int:
        """The block's time in milliseconds."""
        found = self._time_item()
        raw = None if found is None else self.overlay.get(found[1].prefix(found[0]))
        return codec(U64).decode(raw) if raw else 0

    def set_time(self, ms: int) -> None:
        """Set the block's time, without asking the pallet."""
        found = self._time_item()
        if found is None:
            raise LookupError("the runtime has no timestamp pallet")
        self.overlay.put(found[1].prefix(found[0]), codec(U64).encode(ms))

    # -- looking --------------------------------------------

    def events(self) -> list[Event]:
        """The events of the block so far."""
        return read_events(self.runtime, self.overlay.get(_events_key(self.machine.system)) or b"\0")

    def clear_events(self) -> None:
        """Forget the events so far."""
        self.machine.system.reset_events()

    def last_event(self) -> Event:
        """The latest event."""
        return self.events()[-1]

    def state(self) -> dict[bytes, bytes]:
        """All top-level values, for "nothing changed"."""
        return {key: self.overlay.get(key) or b"" for key in self.overlay.keys(b"")}

    def root(self) -> bytes:
        """The state root, version 1, of the state as it is."""
        return self.backend.root(self.overlay.delta(), 1)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """What happens inside is undone."""
        self.overlay.begin()
        try:
            yield
        finally:
            self.overlay.rollback()

    def try_state(self) -> None:
        """AssertionError that names the invariants of any pallet that do not hold."""
        found = self.violations()
        assert not found, "\n".join(map(str, found))

    def violations(self) -> list[Violation]:
        """The invariants that do not hold on the state as it is."""
        if self.overlay.depth:
            return violations(self.machine)
        # A state at rest: iterating over many changes would sort them again for every map.
        return try_state(self.runtime, self.backend.after(self.overlay.delta()))


def externalities(
    runtime: type[Runtime], genesis: Mapping[str, Any] | None = None, host: Host | None = None
) -> Externalities:
    """A runtime in block 1 of a chain with this genesis: pallet name → `Genesis` object or its JSON."""
    return Externalities(runtime(), genesis, host)


def _events_key(system: Any) -> bytes:
    key: bytes = system.events.key
    return key


def read_events(runtime: Runtime, raw: bytes) -> list[Event]:
    """The events in a stored `System.Events`, phases and topics left out."""
    return [event for _, event in read_records(runtime, raw)]


def read_records(runtime: Runtime, raw: bytes) -> list[tuple[int | None, Event]]:
    """Stored events, each with the index of its extrinsic (None outside of extrinsics)."""
    return runtime.decode_events(raw)


def sign(
    runtime: Runtime,
    key: Keypair,
    call: RuntimeCall | bytes,
    *,
    genesis_hash: bytes,
    nonce: int = 0,
    tip: int = 0,
    era: Era | None = None,
    birth_hash: bytes | None = None,
) -> bytes:
    """A signed extrinsic of the standard extensions. A mortal `era` needs its birth hash."""
    lived = era or Era()
    values: dict[str, Any] = {
        "CheckMortality": lived,
        "CheckNonce": nonce,
        "ChargeTransactionPayment": tip,
        "CheckMetadataHash": MetadataHashMode.Disabled,
    }
    extra = runtime.extra_codec.encode(tuple(values[e.identifier] for e in runtime.extensions if e.slot >= 0))
    body = call if isinstance(call, bytes) else call.encode()
    numbers = (runtime.version.spec_version, runtime.version.transaction_version)
    implicit = b"".join(n.to_bytes(4, "little") for n in numbers) + genesis_hash
    implicit += (birth_hash or genesis_hash) + b"\0"
    signature = key.sign(signing_payload(body, extra, implicit))
    address = codec(MultiAddress).encode(MultiAddress.Id(value=key.account_id))
    proof = codec(MultiSignature).encode(multi_signature(key.scheme, signature))
    whole = b"\x84" + address + proof + extra + body
    return encode_compact(len(whole)) + whole


class Chain:
    """A chain of blocks in memory: real roots, real signatures, each block built and executed again."""

    def __init__(
        self, runtime: Runtime, genesis: Mapping[str, Any] | None = None, host: Host | None = None
    ) -> None:
        self.runtime = runtime
        self.host: Host = host or PlainHost()
        delta = runtime.genesis(genesis or {})
        self.state = MemoryBackend().after(delta)
        self.header = Header(
            parent_hash=bytes(32),
            number=0,
            state_root=MemoryBackend().root(delta, runtime.version.state_version),
            extrinsics_root=bytes.fromhex("03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314"),
            digest=Digest(logs=[]),
        )
        self.genesis_hash = self.header.hash
        self.blocks: list[Block] = []
        self.clock = START_MS

    def open(self) -> BlockBuilder:
        """A builder on the head, with the inherents applied."""
        builder = self.runtime.open_block(self.state, self.header, Digest(logs=[]), self.host)
        self.clock += PERIOD_MS
        for raw in builder.inherents({b"timstap0": self.clock.to_bytes(8, "little")}):
            builder.apply(raw)
        return builder

    def close(self, builder: BlockBuilder) -> Outcome:
        """Finish a block, execute it again on the parent's state, and make it the head."""
        extrinsics = builder.extrinsics
        header, outcome = builder.finish()
        again = self.runtime.execute_block(self.state, Block(header, extrinsics), self.host)
        if again.delta != outcome.delta or again.results != outcome.results:
            raise AssertionError("building and executing the block gave different results")
        self.state = self.state.after(outcome.delta)
        self.header = header
        self.blocks.append(Block(header, extrinsics))
        return outcome

    def block(self, *extrinsics: bytes) -> Outcome:
        """Build a block of these extrinsics. TransactionValidityError when one of them may not be in it."""
        builder = self.open()
        for raw in extrinsics:
            builder.apply(raw)
        return self.close(builder)

    def sign(
        self, key: Keypair, call: RuntimeCall, nonce: int = 0, tip: int = 0, era: Era | None = None
    ) -> bytes:
        """A signed extrinsic for this chain; a mortal era begins at the block that it names."""
        birth = None if era is None else self.hash_of(era.birth(self.header.number + 1))
        return sign(
            self.runtime,
            key,
            call,
            genesis_hash=self.genesis_hash,
            nonce=nonce,
            tip=tip,
            era=era,
            birth_hash=birth,
        )

    def hash_of(self, number: int) -> bytes:
        """The hash of a block of this chain."""
        return self.genesis_hash if number == 0 else self.blocks[number - 1].header.hash

    def events(self) -> list[Event]:
        """The events of the head block."""
        machine = self.runtime.machine(Overlay(self.state))
        return read_events(self.runtime, machine.overlay.get(_events_key(machine.system)) or b"\0")
