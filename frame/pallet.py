"""The pallet: one class body from which calls, storage, events, errors, metadata, genesis and weights
derive.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, get_args, get_origin

from frame.call import CallEntry, CallMethod, CallResult, PostInfo, RuntimeCall
from frame.codecs import hint_codec
from frame.declaration_error import DeclarationError
from frame.errors import DispatchError, Error
from frame.event import NO_TOPICS, Event
from frame.host import Host
from frame.invariants import Invariant, pallet_violations
from frame.item import Item
from frame.migrations import Migration, checked
from frame.names import camel, docs_of, snake
from frame.origin import Origin
from frame.state import Overlay
from frame.traits import SystemPallet
from frame.weights import ZERO, Weight
from primitives.hints import type_hints
from primitives.scale import Codec, EnumCodec, ScaleError, fields_encoder

if TYPE_CHECKING:
    from frame.machine import Machine

C = TypeVar("C")

_PYTHON_TYPES = (int, float, bytes, str, list, tuple, dict, set)


@dataclass(frozen=True)
class Constant:
    """A configured value that metadata shows."""

    name: str
    codec: Codec[Any]
    value: Any
    docs: str


@dataclass(frozen=True)
class Declaration:
    """Everything that a pallet's class body says, found once when the class is made."""

    storage: tuple[Item, ...]
    calls: tuple[CallMethod[Any, Any], ...]
    events: tuple[type[Event], ...]
    errors: tuple[type[Error], ...]
    hold_reasons: tuple[IntEnum, ...]
    freeze_reasons: tuple[IntEnum, ...]
    config: type | None
    genesis: type | None
    docs: str
    event_codec: EnumCodec | None
    invariants: tuple[Invariant, ...]
    migrations: tuple[Migration, ...]


class Pallet(Generic[C]):
    """The base of pallets: `class Template(Pallet[Config], weights=Weights)`; `Pallet[None]` for no config.

    In a runtime's class body, `template = Template(index=7, max_step=5)` declares it: keyword arguments
    fill the Config, and where the Config asks for a Protocol, another pallet of the same runtime is given.
    Methods run on a bound copy, whose storage items see one state (`self.machine.overlay`).

    Class arguments: `weights` has an attribute or function per call; `storage_version` is stored at genesis;
    `inherent` is the 8-byte identifier of the data from which `create_inherent` makes its call; `partial`
    marks a base class over which a large pallet is spread, from which nothing derives by itself.
    """

    declaration: ClassVar[Declaration]
    storage_version: ClassVar[int] = 0
    inherent_identifier: ClassVar[bytes | None] = None

    config: C
    index: int
    name: str
    attribute: str
    _event_head: bytes
    entries: dict[str, CallEntry]
    known_keys: dict[str, dict[Any, bytes]]
    """By storage item, storage keys that were needed lately."""
    machine: Machine
    system: SystemPallet

    def __init_subclass__(
        cls,
        *,
        weights: object = None,
        storage_version: int = 0,
        inherent: bytes | None = None,
        partial: bool = False,
        **others: Any,
    ) -> None:
        super().__init_subclass__(**others)
        cls.storage_version = storage_version
        cls.inherent_identifier = inherent
        if not partial:
            cls.declaration = _declare(cls, weights)

    def __init__(self, *, index: int, name: str | None = None, **config: Any) -> None:
        if not 0 <= index < 256:
            raise DeclarationError(f"{type(self).__name__}: the index {index} does not fit a byte")
        self.index = index
        self.name = name or type(self).__name__
        self.attribute = ""
        self._event_head = bytes((index,))
        self.entries = {}
        self.known_keys = {}
        self.config = _configure(type(self), config)

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name
        if self.name == type(self).__name__:
            self.name = camel(name)

    # -- for the pallet's own code --------------------------------------------

    def deposit(self, event: Event) -> None:
        """Record an event; in block 0 nothing happens."""
        self.system.deposit_event(self.encoded(event) + NO_TOPICS)

    def _depositor(self) -> Callable[[Event], None]:
        """`deposit`, with the event's encoder at hand."""
        codec, head = self.declaration.event_codec, self._event_head
        encoders: dict[type, Callable[[Any], bytes]] = {}
        encoded, record = self.encoded, self.system.deposit_event

        def deposit(event: Event) -> None:
            try:
                raw = head + encoders[type(event)](event)
            except Exception:  # the first event, or a wrong one: then this says what is wrong
                raw = encoded(event)
                if codec is not None and not encoders:
                    encoders.update(codec.encoders())
            record(raw + NO_TOPICS)

        return deposit

    def depositor(self, event: type[Event]) -> Callable[..., None]:
        """`deposit` of one kind of event, given its fields in their order, for what most of a block consists
        of: no object is made of the event. To be asked for when the pallet is connected.
        """
        index = self.declaration.events.index(event)
        names = event.__match_args__

        def plainly(*fields: Any) -> None:
            self.deposit(event(**dict(zip(names, fields, strict=True))))

        then, space = self.system.event_recording()
        return fields_encoder(event, self._event_head + bytes((index,)), NO_TOPICS, then, space, plainly)

    def encoded(self, event: Event) -> bytes:
        """An event of this pallet as the runtime's event: pallet byte ‖ variant ‖ fields."""
        codec = self.declaration.event_codec
        if codec is None:
            raise TypeError(f"{type(self).__name__} declares no events")
        return self._event_head + codec.encode(event)

    def dispatch(self, call: RuntimeCall, origin: Origin) -> CallResult:
        """Run another call in a layer of its own: all of it happens, or a DispatchError and nothing."""
        return self.machine.dispatch(call, origin)

    def attempt(self, call: RuntimeCall, origin: Origin) -> tuple[DispatchError | None, Weight | None]:
        """Run another call as `dispatch` does; its error or None, and the weight that it says it used."""
        try:
            result = self.machine.dispatch(call, origin)
        except DispatchError as error:
            return error, error.actual_weight
        return None, result.actual_weight if isinstance(result, PostInfo) else result

    def transaction(self) -> Overlay:
        """`with self.transaction():` keeps the storage changes inside, or drops them all when an exception
        passes.
        """
        return self.machine.overlay

    def reason(self, reason: IntEnum) -> bytes:
        """A member of the pallet's `HoldReason` or `FreezeReason` as the value that `Currency` takes."""
        return bytes((self.index, reason))

    def block_number(self) -> int:
        """The number of the present block."""
        return self.system.block_number()

    def parent_hash(self) -> bytes:
        """The hash of the present block's parent."""
        return self.system.parent_hash()

    @property
    def host(self) -> Host:
        """The world around the runtime."""
        return self.machine.host

    # -- what a pallet may define --------------------------------------------

    def on_runtime_upgrade(self) -> Weight:
        """In the first block of a new spec version, after all migrations; returns the weight used. What
        depends on the layout of the state is a `migration` instead.
        """
        return ZERO

    def on_initialize(self, number: int) -> Weight:
        """At the start of block `number`; returns the weight used, also that of `on_finalize`."""
        return ZERO

    def on_idle(self, number: int, left: Weight) -> Weight:
        """After all extrinsics, when weight is left; returns the weight used, at most `left`."""
        return ZERO

    def on_finalize(self, number: int) -> None:
        """At the end of block `number`."""

    def build_genesis(self, genesis: Any) -> None:
        """Write the state of block 0; `genesis` is this pallet's `Genesis`."""

    def create_inherent(self, data: Mapping[bytes, bytes]) -> RuntimeCall | None:
        """The block author's own call, from the inherent data; only with a class argument `inherent=`."""
        return None

    def check_inherent(self, call: RuntimeCall, data: Mapping[bytes, bytes]) -> str | None:
        """What is wrong with the inherent `call` of a block by someone else, None when nothing is."""
        return None

    def constants(self) -> list[Constant]:
        """The constants in metadata: the SCALE-typed fields of the Config."""
        return _constants(type(self), self.config)

    def held_deposits(self) -> Iterator[tuple[IntEnum, bytes, int]]:
        """Each amount that this pallet has on hold, as its own records say: (reason, account, amount). For
        checks of the state, never in a block. A pallet with a `HoldReason` defines it.
        """
        return iter(())

    def integrity_test(self) -> None:
        """Raise AssertionError when the configuration contradicts itself; runs in tests."""

    def keeps_deposits(self) -> bool:
        """Whether this pallet says what it has on hold."""
        return type(self).held_deposits is not Pallet.held_deposits

    def try_state(self) -> None:
        """AssertionError when one of the pallet's invariants does not hold; never in a block."""
        found = [str(violation) for violation in pallet_violations(self)]
        assert not found, "\n".join(found)

    # -- for the frame --------------------------------------------

    def entry(self, call: str) -> CallEntry:
        """The call of this name in the runtime that the pallet belongs to."""
        try:
            return self.entries[call]
        except KeyError:
            raise DeclarationError(
                f"{self.name}.{call}: the pallet does not belong to a runtime yet"
            ) from None

    def bound(self, machine: Machine) -> Self:
        """A copy that runs on `machine`; references to other pallets are set by `connect`."""
        copy = object.__new__(type(self))
        copy.__dict__.update(
            index=self.index,
            name=self.name,
            attribute=self.attribute,
            _event_head=self._event_head,
            entries=self.entries,
            known_keys=self.known_keys,
            config=self.config,
            machine=machine,
        )
        return copy

    def connect(self, bound_pallets: Mapping[int, Pallet[Any]], system: SystemPallet) -> None:
        """Replace the declared pallets in the config by the bound ones."""
        self.system = system
        self.__dict__["deposit"] = self._depositor()
        if not dataclasses.is_dataclass(self.config):
            return
        changes = {}
        for field in dataclasses.fields(self.config):
            value = getattr(self.config, field.name)
            new = rebind(value, bound_pallets)
            if new is not value:
                changes[field.name] = new
        if changes:
            self.config = dataclasses.replace(self.config, **changes)  # type: ignore[type-var]


def rebind(value: Any, bound_pallets: Mapping[int, Pallet[Any]]) -> Any:
    """`value` with declared pallets, also inside tuples, replaced by their bound copies."""
    if isinstance(value, Pallet):
        return bound_pallets[value.index]
    if type(value) is tuple and any(isinstance(part, Pallet) for part in value):
        return tuple(rebind(part, bound_pallets) for part in value)
    return value


def _declare(cls: type[Pallet[Any]], weights: object) -> Declaration:
    own = {
        name: value
        for base in reversed(cls.__mro__)
        if issubclass(base, Pallet)
        for name, value in vars(base).items()
    }
    name = cls.__name__
    storage = tuple(value for value in own.values() if isinstance(value, Item))
    for item in storage:
        item.resolve(f"{name}.{item.attribute}")
    calls = tuple(
        sorted((value for value in own.values() if isinstance(value, CallMethod)), key=lambda c: c.index)
    )
    _check_calls(cls, calls, weights)
    events = tuple(value for value in own.values() if _is_nested(value, Event))
    errors = tuple(value for value in own.values() if _is_nested(value, Error))
    for index, error in enumerate(errors):
        error.index, error.pallet_name, error.docs = index, name, docs_of(error)
    reasons, freezes = own.get("HoldReason"), own.get("FreezeReason")
    return Declaration(
        storage=storage,
        calls=calls,
        events=events,
        errors=errors,
        hold_reasons=tuple(reasons) if isinstance(reasons, type) and issubclass(reasons, IntEnum) else (),
        freeze_reasons=tuple(freezes) if isinstance(freezes, type) and issubclass(freezes, IntEnum) else (),
        config=_config_type(cls),
        genesis=own.get("Genesis"),
        docs=docs_of(cls),
        event_codec=_event_codec(cls, events),
        invariants=tuple(value for value in own.values() if isinstance(value, Invariant)),
        migrations=checked(
            name, (value for value in own.values() if isinstance(value, Migration)), cls.storage_version
        ),
    )


def _is_nested(value: object, base: type) -> bool:
    return isinstance(value, type) and issubclass(value, base) and value is not base


def _check_calls(cls: type, calls: tuple[CallMethod[Any, Any], ...], weights: object) -> None:
    names = dict(vars(cls)) | {cls.__name__: cls}
    seen: dict[int, str] = {}
    for call in calls:
        where = f"{cls.__name__}.{call.name}"
        if call.index in seen:
            raise DeclarationError(f"{where}: index {call.index} belongs to {seen[call.index]} already")
        seen[call.index] = call.name
        call.resolve(where, names)
        for argument, hint in call.hints.items():
            hint_codec(hint, f"{where}: argument `{argument}`")
        call.resolve_weight(where, weights)


def _event_codec(cls: type, events: tuple[type[Event], ...]) -> EnumCodec | None:
    if not events:
        return None
    path = f"{pallet_path(cls)}::pallet::Event"
    codec = EnumCodec(path, [(index, event) for index, event in enumerate(events)])  # type: ignore[misc]
    try:
        _ = codec.variants
    except ScaleError as error:
        raise DeclarationError(f"{cls.__name__}: {error}") from None
    return codec


def pallet_path(cls: type) -> str:
    """Substrate's crate name of a pallet: `frame_system` for system, `pallet_balances` for balances."""
    own = pallet_folder(cls)
    return "frame_system" if own == "system" else f"pallet_{own}"


def pallet_folder(cls: type) -> str:
    """The folder of a pallet under `pallets/`, by which the benchmarks know it."""
    module = cls.__module__.split(".")
    return module[1] if module[0] == "pallets" and len(module) > 1 else snake(cls.__name__)


def _config_type(cls: type) -> type | None:
    for base in cls.__mro__:
        for generic in getattr(base, "__orig_bases__", ()):
            if get_origin(generic) is Pallet:
                (config,) = get_args(generic)
                if config is None or config is type(None) or isinstance(config, TypeVar):
                    return None
                if isinstance(config, str):
                    config = getattr(sys.modules[cls.__module__], config)
                if not (isinstance(config, type) and dataclasses.is_dataclass(config)):
                    raise DeclarationError(f"{cls.__name__}: its config must be a dataclass, or None")
                return config
    return None


def _configure(cls: type[Pallet[Any]], given: dict[str, Any]) -> Any:
    config = cls.declaration.config
    if config is None:
        if given:
            raise DeclarationError(f"{cls.__name__} has no config, so `{next(iter(given))}` means nothing")
        return None
    if list(given) == ["config"] and isinstance(given["config"], config):
        return given["config"]
    names = [field.name for field in dataclasses.fields(config)]
    for name in given:
        if name not in names:
            raise DeclarationError(f"{cls.__name__} has no config `{name}`; it has: {', '.join(names)}")
    for field in dataclasses.fields(config):
        needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if needed and field.name not in given:
            raise DeclarationError(f"{cls.__name__} needs the config `{field.name}`")
    made = config(**given)
    _constants(cls, made)
    return made


def _constants(cls: type[Pallet[Any]], config: Any) -> list[Constant]:
    if cls.declaration.config is None:
        return []
    hints = type_hints(cls.declaration.config)
    described = _described(docs_of(cls.declaration.config))
    found = []
    for field in dataclasses.fields(cls.declaration.config):
        hint = hints[field.name]
        where = f"{cls.__name__}'s config `{field.name}`"
        if hint in _PYTHON_TYPES:
            raise DeclarationError(f"{where}: no SCALE codec for {hint}: annotate it, e.g. U32")
        try:
            codec = hint_codec(hint, where)
        except TypeError:
            continue
        value = getattr(config, field.name)
        try:
            codec.encode(value)
        except ScaleError as error:
            raise DeclarationError(f"{where}: {error}") from None
        found.append(Constant(camel(field.name), codec, value, described.get(field.name, "")))
    return found


def _described(docs: str) -> dict[str, str]:
    """The lines "name: what it is" of a Config's docstring."""
    pairs = (line.strip().split(": ", 1) for line in docs.splitlines() if ": " in line)
    return {name.strip("`"): text for name, text in pairs}
