"""Reading and writing a chain through its metadata.

Reads are by name and at a block (the best one by default). A write is a signed, mortal extrinsic, submitted
and followed until a finalized block holds it; the same bytes are sent again when the node forgot them (a
restart), so an extrinsic is applied at most once whatever happens in between.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, get_type_hints

from client.errors import ChainError, ClientError, MetadataError, NodeUnreachable, RpcError
from client.metadata import EntryType, Metadata, parse_metadata
from client.rpc import Rpc
from primitives.era import Era
from primitives.hashing import blake2_256
from primitives.keys import Keypair
from primitives.scale import ScaleError, codec, encode_compact

POLL = 0.05
"""Seconds between two looks at the finalized head."""
ERA_PERIOD = 64
RESEND_AFTER = 2.0
"""Seconds without inclusion after which the same bytes are sent once more."""
PAGE = 256
POOL_ERRORS = {
    1002: "VerificationError",
    1010: "InvalidTransaction",
    1011: "UnknownTransaction",
    1012: "TemporarilyBanned",
    1014: "PriorityTooLow",
    1016: "ImmediatelyDropped",
}
ALREADY_IMPORTED = 1013

R = TypeVar("R")


@dataclass(frozen=True)
class Event:
    """An event of a block. `extrinsic` is the index that caused it, None outside extrinsics."""

    extrinsic: int | None
    pallet: str
    name: str
    fields: Any


@dataclass(frozen=True)
class Inclusion:
    """Where an extrinsic went, and what it did."""

    block_hash: bytes
    block_number: int
    index: int
    extrinsic_hash: bytes
    events: list[Event]

    def event(self, pallet: str, name: str) -> Any:
        """The fields of the first such event. Raises MetadataError when there is none."""
        for event in self.events:
            if (event.pallet, event.name) == (pallet, name):
                return event.fields
        raise MetadataError(f"the extrinsic caused no {pallet}.{name}")

    @property
    def fee(self) -> int:
        """What the extrinsic cost its signer, in smallest units."""
        return int(self.event("TransactionPayment", "TransactionFeePaid")["actual_fee"])


@dataclass(frozen=True)
class Signer:
    """A key pair that signs extrinsics, and the tip it offers."""

    keypair: Keypair
    tip: int = 0

    @property
    def account(self) -> bytes:
        """32-byte account id."""
        return self.keypair.account_id


class Chain:
    """One chain behind one node."""

    def __init__(self, rpc: Rpc) -> None:
        self.rpc = rpc
        self._metadata: tuple[int, Metadata] | None = None

    @cached_property
    def genesis(self) -> bytes:
        """Hash of block 0."""
        return _hash(self.rpc.call("chain_getBlockHash", 0))

    @property
    def metadata(self) -> Metadata:
        """The metadata of the runtime that was current when last asked; see `refresh`."""
        return (self._metadata or self.refresh())[1]

    @property
    def versions(self) -> tuple[int, int]:
        """(spec version, transaction version), fresh; re-reads the metadata when the runtime was upgraded."""
        version = self.rpc.call("state_getRuntimeVersion")
        spec = int(version["specVersion"])
        if self._metadata is not None and self._metadata[0] != spec:
            self.refresh()
        return spec, int(version["transactionVersion"])

    def refresh(self) -> tuple[int, Metadata]:
        """Read the metadata anew."""
        spec = int(self.rpc.call("state_getRuntimeVersion")["specVersion"])
        parsed = parse_metadata(_bytes(self.rpc.call("state_getMetadata")))
        self._metadata = (spec, parsed)
        return self._metadata

    # --- blocks

    def finalized(self) -> tuple[bytes, int]:
        """Hash and number of the last finalized block."""
        head = _hash(self.rpc.call("chain_getFinalizedHead"))
        return head, self.number(head)

    def number(self, block: bytes) -> int:
        """Number of a block."""
        header = self.rpc.call("chain_getHeader", _hex(block))
        if header is None:
            raise ClientError(f"the node does not know block {_hex(block)}", "UnknownBlock")
        return int(header["number"], 16)

    def block_hash(self, number: int) -> bytes | None:
        """Hash of the block at a height, None above the best block."""
        found = self.rpc.call("chain_getBlockHash", number)
        return None if found is None else _hash(found)

    def now(self) -> int:
        """The chain's clock at the best block, in ms. The next block's is later."""
        return int(self.value("Timestamp", "Now"))

    def next_moment(self) -> int:
        """The moment that the next block will have, in ms: this machine's clock, never before the chain's."""
        return max(self.now(), time.time_ns() // 1_000_000)

    # --- storage

    def raw(self, pallet: str, item: str, *keys: Any, at: bytes | None = None) -> bytes | None:
        """A storage item's bytes, its declared default when it has one, None otherwise."""
        key = _hex(self.metadata.key(pallet, item, *keys))
        found = self.rpc.call("state_getStorage", key, *([_hex(at)] if at else []))
        if found is not None:
            return _bytes(found)
        entry = self.metadata.entry(pallet, item)
        return entry.default if entry.modifier == 1 else None

    def value(self, pallet: str, item: str, *keys: Any, at: bytes | None = None) -> Any:
        """A storage item as plain Python (see `registry`), None when it is absent and has no default."""
        data = self.raw(pallet, item, *keys, at=at)
        return None if data is None else self.metadata.registry.decode(self._type(pallet, item), data)

    def record(self, kind: type[R], pallet: str, item: str, *keys: Any, at: bytes | None = None) -> R | None:
        """A storage struct as `kind`: a dataclass of SCALE hints under the names of the chain's fields."""
        data = self.raw(pallet, item, *keys, at=at)
        return None if data is None else self._record(kind, self._type(pallet, item), data)

    def entries(
        self, kind: type[R], pallet: str, item: str, *keys: Any, at: bytes | None = None
    ) -> Iterator[tuple[tuple[Any, ...], R]]:
        """(keys, record) of a map's entries, optionally only those under the first `keys`."""
        for found, data in self._pairs(pallet, item, *keys, at=at):
            yield found, self._record(kind, self._type(pallet, item), data)

    def keys(self, pallet: str, item: str, *keys: Any, at: bytes | None = None) -> list[tuple[Any, ...]]:
        """The keys of a map's entries, optionally only those under the first `keys`."""
        return [found for found, _ in self._pairs(pallet, item, *keys, at=at)]

    def constant(self, pallet: str, name: str) -> Any:
        """A constant of the runtime."""
        return self.metadata.constant(pallet, name)

    def free_balance(self, account: bytes) -> int:
        """Free balance in smallest units."""
        return int(self.value("System", "Account", account)["data"]["free"])

    def _type(self, pallet: str, item: str) -> int:
        return self.metadata.value_type(pallet, item)

    def _pairs(
        self, pallet: str, item: str, *keys: Any, at: bytes | None
    ) -> Iterator[tuple[tuple[Any, ...], bytes]]:
        assert isinstance(self.metadata.entry(pallet, item).type, EntryType.Map)
        block = _hex(at or _hash(self.rpc.call("chain_getBlockHash")))
        prefix, start = _hex(self.metadata.key(pallet, item, *keys)), None
        while True:
            page = self.rpc.call("state_getKeysPaged", prefix, PAGE, start, block)
            for found in self.rpc.call("state_queryStorageAt", page, block) if page else []:
                for key, data in found["changes"]:
                    yield self.metadata.keys_of(pallet, item, _bytes(key)), _bytes(data)
            if len(page) < PAGE:
                return
            start = page[-1]

    def _record(self, kind: type[R], type_id: int, data: bytes) -> R:
        slices = self.metadata.registry.slices(type_id, data)
        try:
            fields = {
                name: codec(hint).decode(slices[name])
                for name, hint in get_type_hints(kind, include_extras=True).items()
            }
        except (KeyError, ScaleError) as error:
            raise MetadataError(f"the chain's {kind.__name__} is not this client's: {error}") from None
        return kind(**fields)

    # --- events

    def events(self, block: bytes) -> list[Event]:
        """All events of a block, in order."""
        found = []
        for record in self.value("System", "Events", at=block):
            phase = record["phase"]
            index = phase["ApplyExtrinsic"] if isinstance(phase, dict) else None
            pallet, inner = _variant(record["event"])
            name, fields = _variant(inner)
            found.append(Event(index, pallet, name, fields))
        return found

    # --- writing

    def wait_quiet(self, signer: Signer, timeout: float = 30.0) -> None:
        """Until what an earlier process of this signer sent is in a block, or gone."""

        def quiet() -> bool | None:
            waiting = int(self.rpc.call("system_accountNextIndex", signer.keypair.address))
            used = int(self.value("System", "Account", signer.account)["nonce"])
            return True if waiting <= used else None

        wait_for(quiet, timeout, "the inclusion of earlier extrinsics")

    def call(self, pallet: str, name: str, **arguments: Any) -> bytes:
        """A call's bytes."""
        return self.metadata.call(pallet, name, arguments)

    def sign(self, signer: Signer, call: bytes) -> bytes:
        """A signed V4 extrinsic, mortal over the next 64 blocks, with the account's next nonce."""
        spec, transaction = self.versions
        head, number = self.finalized()
        era = Era.mortal(ERA_PERIOD, number)
        nonce = int(self.rpc.call("system_accountNextIndex", signer.keypair.address))
        extra = era.encode() + encode_compact(nonce) + encode_compact(signer.tip) + b"\0"
        implicit = (
            spec.to_bytes(4, "little") + transaction.to_bytes(4, "little") + self.genesis + head + b"\0"
        )
        _known_extensions(self.metadata)
        payload = call + extra + implicit
        signature = signer.keypair.sign(blake2_256(payload) if len(payload) > 256 else payload)
        scheme = bytes([signer.keypair.scheme])
        body = b"\x84\0" + signer.account + scheme + signature + extra + call
        return encode_compact(len(body)) + body

    def submit(self, signer: Signer, call: bytes, timeout: float = 60.0) -> Inclusion:
        """Sign, submit, follow to a finalized block. Raises ChainError for a refusal or a rollback."""
        _, start = self.finalized()
        extrinsic = self.sign(signer, call)
        self._send(extrinsic)
        inclusion = self._follow(extrinsic, start, timeout)
        for event in inclusion.events:
            if (event.pallet, event.name) == ("System", "ExtrinsicFailed"):
                raise self.dispatch_error(event.fields["dispatch_error"])
        return inclusion

    def dispatch_error(self, error: Any) -> ChainError:
        """A DispatchError under its name, with the docs that the chain gives it."""
        kind, detail = _variant(error)
        if kind == "Module":
            name, docs = self.metadata.error(detail["index"], detail["error"][0])
            return ChainError(name, docs or "the chain rolled the extrinsic back")
        name = f"{kind}.{detail}" if isinstance(detail, str) else kind
        return ChainError(name, "the chain rolled the extrinsic back")

    def _send(self, extrinsic: bytes) -> None:
        try:
            self.rpc.call("author_submitExtrinsic", _hex(extrinsic))
        except RpcError as error:
            if error.code == ALREADY_IMPORTED:
                return
            name = POOL_ERRORS.get(error.code, "RpcError")
            raise ChainError(name, str(error)) from None

    def _follow(self, extrinsic: bytes, start: int, timeout: float) -> Inclusion:
        """Look through finalized blocks after `start`; send again what a restarted node forgot."""
        deadline, resend = time.monotonic() + timeout, time.monotonic() + RESEND_AFTER
        scanned = start
        while True:
            try:
                head = self.finalized()[1]
                for number in range(scanned + 1, head + 1):
                    found = self._inclusion(number, extrinsic)
                    if found is not None:
                        return found
                    scanned = number
                if time.monotonic() > resend:
                    self._resend(extrinsic, scanned)
                    resend = time.monotonic() + RESEND_AFTER
            except NodeUnreachable:
                if time.monotonic() > deadline:
                    raise
            if time.monotonic() > deadline:
                raise ChainError("NotIncluded", f"no block took the extrinsic within {timeout:.0f} s")
            time.sleep(POLL)

    def _resend(self, extrinsic: bytes, scanned: int) -> None:
        """Send again; a refusal counts only when no new block could have taken the extrinsic."""
        try:
            self._send(extrinsic)
        except ChainError:
            if self.finalized()[1] == scanned:
                raise

    def _inclusion(self, number: int, extrinsic: bytes) -> Inclusion | None:
        block = self.block_hash(number)
        if block is None:
            return None
        body = self.rpc.call("chain_getBlock", _hex(block))["block"]["extrinsics"]
        wanted = _hex(extrinsic)
        if wanted not in body:
            return None
        index = body.index(wanted)
        events = [event for event in self.events(block) if event.extrinsic == index]
        return Inclusion(block, number, index, blake2_256(extrinsic), events)


def wait_for(condition: Callable[[], R | None], timeout: float, what: str, poll: float = 0.1) -> R:
    """Ask until there is an answer. Raises ClientError Timeout."""
    deadline = time.monotonic() + timeout
    while True:
        found = condition()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise ClientError(f"{what} did not happen within {timeout:.0f} s", "Timeout")
        time.sleep(poll)


EXTENSIONS = (
    "CheckNonZeroSender",
    "CheckSpecVersion",
    "CheckTxVersion",
    "CheckGenesis",
    "CheckMortality",
    "CheckNonce",
    "CheckWeight",
    "ChargeTransactionPayment",
    "CheckMetadataHash",
    "WeightReclaim",
)


def _known_extensions(metadata: Metadata) -> None:
    """The signed payload above is written for exactly these extensions in this order."""
    found = tuple(extension.identifier for extension in metadata.extensions)
    if found != EXTENSIONS:
        raise MetadataError(f"the chain's transaction extensions are {found}, not {EXTENSIONS}")


def _variant(value: Any) -> tuple[str, Any]:
    if isinstance(value, str):
        return value, None
    name, fields = next(iter(value.items()))
    return str(name), fields


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _hash(text: Any) -> bytes:
    if not isinstance(text, str) or len(text) != 66:
        raise ClientError("the node did not answer with a hash", "BadAnswer")
    return _bytes(text)
