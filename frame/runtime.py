"""The runtime: the list of its pallets, and what a node asks of it. A value without globals: bytes in,
bytes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from frame import apis, executive, genesis
from frame.backend import Backend, Delta
from frame.call import NESTING, CallEntry, CallMethod, RuntimeCall
from frame.codecs import OUTER_CALL, CalledCodec, substitute
from frame.declaration_error import DeclarationError
from frame.errors import Error
from frame.event import Event
from frame.extensions import CheckNonce, Extension, standard
from frame.extrinsic import Checked, Vouched
from frame.host import Host, PlainHost
from frame.machine import Machine
from frame.pallet import Pallet, pallet_folder
from frame.state import Overlay
from frame.transaction import Source, Validity
from frame.version import RuntimeVersion, Token
from primitives.digest import Digest
from primitives.extrinsic import BARE_VERSIONS, ExtrinsicCodec, Parsed
from primitives.header import Header
from primitives.scale import Codec, ScaleError, TupleCodec, codec, decode_compact, encode_compact
from primitives.scale.errors import too_deep

IDLE_MACHINES = 4
"""Machines that are kept although each knows the state after some block."""


@dataclass(frozen=True)
class Block:
    """A block as it travels: the header and the extrinsics, each with its length prefix."""

    header: Header
    extrinsics: list[bytes]


@dataclass(frozen=True)
class Outcome:
    """What a block did: its changes, its header, and the SCALE `DispatchResult` of each extrinsic."""

    delta: Delta
    header: Header
    results: list[bytes]


class CallCodec(CalledCodec):
    """The codec of a runtime's calls: pallet byte, call byte, arguments."""

    min_len = 2

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[int, CallEntry] = {}

    def write(self, value: Any) -> bytes:
        if not isinstance(value, RuntimeCall):
            raise ScaleError(f"{value!r} is not a RuntimeCall: write pallet.method.new(...)")
        return value.encode()

    def read(self, data: bytes, offset: int, depth: int) -> tuple[RuntimeCall, int]:
        if depth < 0:
            raise too_deep()
        if offset + 2 > len(data):
            raise ScaleError(f"unexpected end of input: a call needs 2 bytes at byte {offset}")
        entry = self.entries.get(data[offset] << 8 | data[offset + 1])
        if entry is None:
            raise ScaleError(f"no call has the index {data[offset]}.{data[offset + 1]}")
        args, end = entry.decode(data, offset + 2, depth - NESTING)
        return RuntimeCall(entry, args), end

    def __str__(self) -> str:
        return "RuntimeCall"


class Runtime:
    """The base of runtimes: a class body that lists pallets.

        class Mine(Runtime, spec_name="mine", spec_version=1):
            system = System(index=0)
            balances = Balances(index=2, existential_deposit=500)
            extensions = standard(payment)      # optional

    Class arguments are the fields of the RuntimeVersion; `system_version` is 1 unless given. With a `token`,
    transactions may commit to the metadata's digest. `apis` may extend `frame.apis.STANDARD`.
    """

    pallets: ClassVar[tuple[Pallet[Any], ...]] = ()
    extensions: ClassVar[tuple[Extension, ...]] = ()
    apis: ClassVar[Mapping[str, apis.Api]] = apis.STANDARD
    version: ClassVar[RuntimeVersion]
    token: ClassVar[Token | None] = None
    system_index: ClassVar[int] = 0
    call_codec: ClassVar[CallCodec]
    extra_codec: ClassVar[Codec[tuple[Any, ...]]]
    extrinsic_codec: ClassVar[ExtrinsicCodec]
    nonce_slot: ClassVar[int]
    """The place of the nonce in the extra; -1 without exactly one."""
    event_types: ClassVar[dict[int, Pallet[Any]]]
    error_types: ClassVar[dict[tuple[int, int], type[Error]]]
    no_host: ClassVar[Host] = PlainHost()

    def __init_subclass__(
        cls,
        *,
        spec_name: str,
        spec_version: int,
        impl_name: str = "",
        authoring_version: int = 1,
        impl_version: int = 1,
        transaction_version: int = 1,
        system_version: int = 1,
        token: Token | None = None,
    ) -> None:
        super().__init_subclass__()
        cls.token = token
        cls.pallets = _pallets(cls)
        cls.system_index = _system_index(cls)
        cls.extensions = _with_slots(cls.extensions or standard())
        cls.extra_codec = TupleCodec(tuple(codec(e.extra) for e in cls.extensions if e.slot >= 0))
        nonces = [e.slot for e in cls.extensions if isinstance(e, CheckNonce)]
        cls.nonce_slot = nonces[0] if len(nonces) == 1 else -1
        cls.call_codec = CallCodec()
        for pallet in cls.pallets:
            pallet.entries = {c.name: _entry(cls, pallet, c) for c in pallet.declaration.calls}
            for entry in pallet.entries.values():
                cls.call_codec.entries[pallet.index << 8 | entry.definition.index] = entry
        cls.extrinsic_codec = ExtrinsicCodec(cls.extra_codec, cls.call_codec)
        cls.event_types = {p.index: p for p in cls.pallets if p.declaration.events}
        cls.error_types = {(p.index, e.index): e for p in cls.pallets for e in p.declaration.errors}
        cls.version = RuntimeVersion(
            spec_name=spec_name,
            impl_name=impl_name or spec_name,
            authoring_version=authoring_version,
            spec_version=spec_version,
            impl_version=impl_version,
            apis=apis.versions(cls.apis),
            transaction_version=transaction_version,
            system_version=system_version,
        )

    def __init__(self) -> None:
        self._idle: list[Machine] = []
        self._metadata: dict[int, bytes] = {}
        self._metadata_hash: bytes | None = None

    # -- what a node asks --------------------------------------------

    def execute_block(self, state: Backend, block: Block, host: Host) -> Outcome:
        """Execute a block on its parent's state. executive.InvalidBlock when its header says otherwise."""
        machine = self._machine(state, host, block.header.parent_hash)
        try:
            results = executive.execute_block(machine, block.header, block.extrinsics)
            machine.ended = block.header.hash
            return Outcome(_delta(machine), block.header, results)
        except executive.InvalidBlock:
            raise
        except Exception as error:  # a hook that fails: the block must not exist
            raise executive.InvalidBlock(f"{type(error).__name__}: {error}") from error
        finally:
            self._idle.append(machine)

    def open_block(self, state: Backend, parent: Header, digest: Digest, host: Host) -> BlockBuilder:
        """Begin a block on top of `parent`, whose state is `state`."""
        machine = self._machine(state, host, parent.hash)
        executive.initialize_block(machine, parent.number + 1, parent.hash, digest)
        return BlockBuilder(self, machine)

    def validate(self, state: Backend, source: int, extrinsic: bytes, at: bytes, host: Host) -> Validity:
        """Whether the pool may keep `extrinsic`, on the state of the block `at`.

        Raises TransactionValidityError, or machine.Trap for a defect of the runtime.
        """
        machine = self._machine(state, host)
        try:
            return executive.validate_transaction(machine, Source(source), extrinsic, at)
        finally:
            self._idle.append(machine)

    def call(self, state: Backend, api: str, args: bytes, host: Host) -> bytes:
        """A runtime API by name, `Core_version` say, in SCALE; what it writes is thrown away.

        apis.UnknownApi with Substrate's text when there is none of that name; ScaleError for bad arguments;
        apis.ApiFailed when it cannot answer.
        """
        entry = self.apis.get(api)
        if entry is None:
            raise apis.UnknownApi(api)
        machine = self._machine(state, host)
        try:
            return entry.run(machine, args)
        except ScaleError:
            raise
        except Exception as error:
            raise apis.ApiFailed(f"{type(error).__name__}: {error}") from error
        finally:
            self._idle.append(machine)

    def genesis(self, config: Mapping[str, Any]) -> Delta:
        """The state of block 0 from a chain spec's JSON, pallet → Genesis fields. genesis.GenesisError."""
        return genesis.build(self._machine(genesis.EMPTY, self.no_host), config)

    # -- helpers --------------------------------------------

    def machine(self, overlay: Overlay | None = None, host: Host | None = None) -> Machine:
        """A machine of one's own, for tests and benchmarks."""
        machine = Machine(self, overlay)
        machine.host = host or self.no_host
        return machine

    def _machine(self, state: Backend, host: Host, at: bytes | None = None) -> Machine:
        machine = self._idle_machine(at) or Machine(self)
        machine.reset(state, host, at)
        return machine

    def _idle_machine(self, at: bytes | None) -> Machine | None:
        """One that has made the block `at`, if there is one; else one that nobody misses."""
        idle = tuple(self._idle)
        wanted = [m for m in idle if m.ended == at] + [m for m in idle if m.ended is None]
        for machine in wanted or idle[: max(len(idle) - IDLE_MACHINES + 1, 0)]:
            try:
                self._idle.remove(machine)
            except ValueError:  # another thread has it
                continue
            return machine
        return None

    def maker_of(self, at: bytes) -> Machine | None:
        """The idle machine that has made the block `at`, to look at."""
        return next((machine for machine in tuple(self._idle) if machine.ended == at), None)

    def borrow(self, state: Backend, host: Host | None = None) -> Machine:
        """A machine on `state`, to be given back by `release`: for many short looks at states."""
        return self._machine(state, host or self.no_host)

    def release(self, machine: Machine) -> None:
        """Let a machine be used again."""
        self._idle.append(machine)

    def is_signed(self, raw: bytes) -> bool:
        """Whether an extrinsic's version byte says that it is signed. ScaleError when there is none."""
        if len(raw) > 2 and raw[0] & 3 == 1 and raw[1]:  # a length of two bytes, like that of most
            return raw[2] not in BARE_VERSIONS
        _, at = decode_compact(raw, 0, 32)
        if at >= len(raw):
            raise ScaleError("an empty extrinsic")
        return raw[at] not in BARE_VERSIONS

    def metadata(self, version: int) -> bytes:
        """The metadata of version 14, 15 or 16, with magic and version byte; ValueError for another one."""
        found = self._metadata.get(version)
        if found is None:
            from frame import metadata

            found = self._metadata[version] = metadata.encode(Machine(self), version)
        return found

    def know_metadata(self, version: int, encoded: bytes) -> None:
        """What `metadata` gives for this version, from another process of the same program: it takes a
        noticeable part of a second to make.
        """
        self._metadata.setdefault(version, encoded)

    def metadata_hash(self) -> bytes | None:
        """The metadata's digest (RFC 78), computed when first asked for; None for a runtime without token."""
        if self._metadata_hash is None and self.token is not None:
            from frame.metadata.collect import collect
            from frame.metadata.digest import metadata_digest

            machine = Machine(self)
            prefix = machine.system.ss58_prefix()
            self._metadata_hash = metadata_digest(collect(machine), self.version, prefix, self.token)
        return self._metadata_hash

    def decode_event(self, raw: bytes, offset: int = 0) -> tuple[Event, int]:
        """An event (pallet byte ‖ variant ‖ fields) at `offset`: (event, offset after it)."""
        pallet = self.event_types.get(raw[offset]) if offset < len(raw) else None
        if pallet is None or pallet.declaration.event_codec is None:
            raise ScaleError(f"no pallet with events has the index at byte {offset}")
        event: tuple[Event, int] = pallet.declaration.event_codec.decode_from(raw, offset + 1)
        return event

    def decode_events(self, raw: bytes) -> list[tuple[int | None, Event]]:
        """The events in a stored `System.Events`, each with the index of its extrinsic, None outside of
        extrinsics. ScaleError.
        """
        count, at = decode_compact(raw, 0, 32)
        found: list[tuple[int | None, Event]] = []
        for _ in range(count):
            if at >= len(raw):
                raise ScaleError(f"unexpected end of input: {count} events are announced")
            index = None
            if raw[at] == 0:
                index = int.from_bytes(raw[at + 1 : at + 5], "little")
                at += 4
            event, at = self.decode_event(raw, at + 1)
            topics, at = decode_compact(raw, at, 32)
            at += 32 * topics
            found.append((index, event))
        if at != len(raw):
            raise ScaleError(f"{len(raw) - at} bytes left over after the events")
        return found

    def named_error(self, module_index: int, error: bytes) -> str:
        """ "Pallet.Error" of a module error, or its numbers when there is none."""
        found = self.error_types.get((module_index, error[0]))
        return (
            f"{found.pallet_name}.{found.__name__}" if found else f"pallet {module_index}, error {error[0]}"
        )

    def missing_weights(self) -> list[str]:
        """A sentence for each pallet that has calls without weight."""
        found = []
        for pallet in self.pallets:
            calls = [
                f"{pallet.name}.{call.name}" for call in pallet.declaration.calls if call.weight_rule is None
            ]
            if calls:
                measure = f"gristmill benchmark pallet --pallet {pallet_folder(type(pallet))}"
                found.append(f"{', '.join(calls)}: no weight; run `{measure}`")
        return found

    def require_weights(self) -> None:
        """DeclarationError that names the calls without weight: a node's runtime has none."""
        missing = self.missing_weights()
        if missing:
            raise DeclarationError(". ".join(missing))


class BlockBuilder:
    """A block being built. After `finish` or `abandon` it is spent."""

    def __init__(self, runtime: Runtime, machine: Machine) -> None:
        self._runtime = runtime
        self.machine = machine
        self.results: list[bytes] = []
        self.extrinsics = machine.extrinsics
        """The extrinsics applied so far."""
        self._inherents_over = False

    def inherents(self, data: Mapping[bytes, bytes]) -> list[bytes]:
        """The inherent extrinsics from identifier → SCALE data; to be applied first, in this order."""
        made = (p.create_inherent(data) for p in self.machine.pallets if p.inherent_identifier is not None)
        return [bare(call) for call in made if call is not None]

    def apply(
        self, extrinsic: bytes, parsed: Parsed | None = None, checked: Checked | Vouched | None = None
    ) -> bytes:
        """Apply an extrinsic: the SCALE `ApplyExtrinsicResult` (`0000`, or `0001` ‖ DispatchError).
        `parsed`, if the pool has taken it apart before, spares doing so again; `checked`, which a
        `Validator` left, spares all that its signature is asked.

        TransactionValidityError (InvalidTransaction, UnknownTransaction, BadFormat): it is not in the block
        and nothing has changed; ExhaustsResources means try it in a later block. machine.Trap: likewise, for
        a defect of the runtime.
        """
        if self._inherents_over or not _begins_others(self._runtime, extrinsic):
            result = executive.apply_extrinsic(self.machine, extrinsic, parsed, checked)
        else:
            with self.machine.overlay:
                executive.inherents_applied(self.machine)
                result = executive.apply_extrinsic(self.machine, extrinsic, parsed, checked)
            self._inherents_over = True
        self.results.append(result)
        return b"\0" + result

    def admit(self, extrinsic: bytes, parsed: Parsed | None = None) -> tuple[Validity, bytes]:
        """Judge a transaction as the next one of this block, and apply it: what the pool must know of it, and
        its ApplyExtrinsicResult. Raises as `apply`, and what judging alone would raise.
        """
        if self._inherents_over:
            validity, result = executive.admit_extrinsic(self.machine, extrinsic, parsed)
        else:
            with self.machine.overlay:
                executive.inherents_applied(self.machine)
                validity, result = executive.admit_extrinsic(self.machine, extrinsic, parsed)
            self._inherents_over = True
        self.results.append(result)
        return validity, b"\0" + result

    def finish(self) -> tuple[Header, Outcome]:
        """Run the closing hooks and compute the roots."""
        if not self._inherents_over:
            executive.inherents_applied(self.machine)
        header = executive.finalize_block(self.machine)
        self.machine.ended = header.hash
        outcome = Outcome(_delta(self.machine), header, self.results)
        self._runtime.release(self.machine)
        return header, outcome

    def abandon(self) -> None:
        """Throw the block away."""
        self._runtime.release(self.machine)

    def has_room(self) -> bool:
        """Whether a smallest Normal extrinsic would still fit."""
        return self.machine.system.has_room()


def bare(call: RuntimeCall) -> bytes:
    """The extrinsic of an inherent: length ‖ `04` ‖ call."""
    body = b"\x04" + call.encode()
    return encode_compact(len(body)) + body


def _begins_others(runtime: Runtime, raw: bytes) -> bool:
    try:
        return runtime.is_signed(raw)
    except ScaleError:
        return False


def _delta(machine: Machine) -> Delta:
    if machine.delta is None:
        raise ValueError("the block is not finalized")
    return machine.delta


def _pallets(cls: type[Runtime]) -> tuple[Pallet[Any], ...]:
    found = [
        value for base in reversed(cls.__mro__) for value in vars(base).values() if isinstance(value, Pallet)
    ]
    by_index: dict[int, Pallet[Any]] = {}
    by_type: dict[type, str] = {}
    for pallet in found:
        if pallet.index in by_index:
            raise DeclarationError(
                f"{cls.__name__}: {by_index[pallet.index].name} and {pallet.name} share index {pallet.index}"
            )
        if type(pallet) in by_type:
            raise DeclarationError(f"{cls.__name__}: {type(pallet).__name__} is listed twice")
        by_index[pallet.index] = pallet
        by_type[type(pallet)] = pallet.name
    return tuple(sorted(found, key=lambda p: p.index))


def _system_index(cls: type[Runtime]) -> int:
    for pallet in cls.pallets:
        if hasattr(pallet, "note_applied_extrinsic"):
            return pallet.index
    raise DeclarationError(f"{cls.__name__} has no pallet `system`")


def _with_slots(extensions: Iterable[Extension]) -> tuple[Extension, ...]:
    listed = tuple(extensions)
    slot = 0
    for extension in listed:
        extension.slot = -1
        if extension.extra is not None:
            extension.slot = slot
            slot += 1
    return listed


def _entry(cls: type[Runtime], pallet: Pallet[Any], method: CallMethod[Any, Any]) -> CallEntry:
    where = f"{pallet.name}.{method.name}"
    try:
        items = tuple(codec(substitute(hint, OUTER_CALL, cls.call_codec)) for hint in method.hints.values())
    except TypeError as error:
        raise DeclarationError(f"{where}: {error}") from None
    return CallEntry(method, pallet.index, pallet.name, TupleCodec(items))
