"""All that the versions of metadata have in common, taken from a runtime's declarations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from frame.apis import Extrinsic
from frame.codecs import FREEZE_REASON, HOLD_REASON, OUTER_CALL, OUTER_EVENT, OUTER_ORIGIN
from frame.extensions import Extension
from frame.item import MISSING, Item
from frame.machine import Machine
from frame.metadata.registry import Registry
from frame.metadata.types import (
    ApiInput,
    ApiMethod,
    ApiTrait,
    ConstantInfo,
    FieldInfo,
    PalletStorage,
    PalletV15,
    SignedExtension,
    StorageEntry,
    StorageType,
    TypeParameter,
    VariantShape,
)
from frame.names import doc_lines
from frame.pallet import Pallet, pallet_path
from primitives.extrinsic import MultiAddress, MultiSignature
from primitives.scale import U32, AccountId, TupleCodec, codec, make_variant
from primitives.scale.composites import StructCodec

_RUNTIME_PARAM = [TypeParameter(name="T", type_=None)]
_NO_DEFAULT = b"\0"


@dataclass(frozen=True)
class Collected:
    """Types, pallets, the form of extrinsics, APIs and outer enums of a runtime."""

    registry: Registry
    pallets: list[PalletV15]
    extrinsic: int
    address: int
    signature: int
    extra: int
    extensions: list[SignedExtension]
    call: int
    event: int
    error: int
    runtime: int
    before_apis: int
    """How many types there are without those that only runtime APIs use."""
    apis: list[ApiTrait]
    api_versions: dict[str, int]


def collect(machine: Machine) -> Collected:
    """Walk through a runtime."""
    return _Collector(machine).run()


class _Collector:
    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.registry = Registry()
        self.crate = f"{machine.runtime.version.spec_name}_runtime"
        self.calls: dict[int, int] = {}
        self.events: dict[int, int] = {}
        self.errors: dict[int, int] = {}
        registry = self.registry
        registry.define(OUTER_CALL, self.outer_call)
        registry.define(OUTER_EVENT, self.outer_event)
        registry.define(OUTER_ORIGIN, self.outer_origin)
        registry.define(HOLD_REASON, lambda: self.outer_reason("Hold"))
        registry.define(FREEZE_REASON, lambda: self.outer_reason("Freeze"))
        registry.define(codec(Extrinsic), self.extrinsic)

    def run(self) -> Collected:
        pallets = [self.pallet(p) for p in self.machine.pallets]
        r = self.registry
        return Collected(
            registry=r,
            pallets=pallets,
            extrinsic=self.extrinsic(),
            address=r.of(MultiAddress),
            signature=r.of(MultiSignature),
            extra=self.extra(),
            extensions=[self.extension(e) for e in self.machine.extensions],
            call=self.outer_call(),
            event=self.outer_event(),
            error=self.outer_error(),
            runtime=r.composite(f"{self.crate}::Runtime", {}),
            before_apis=len(r.types),
            apis=self.apis(),
            api_versions={api.trait: api.version for api in self.machine.runtime.apis.values()},
        )

    # -- pallets ----------------------------------------------------

    def pallet(self, p: Pallet[Any]) -> PalletV15:
        declared = p.declaration
        items = [entry for item in declared.storage for entry in self.storage(item)]
        constants = [
            ConstantInfo(
                name=c.name,
                type_=self.registry.of_codec(c.codec),
                value=c.codec.encode(c.value),
                docs=doc_lines(c.docs),
            )
            for c in p.constants()
        ]
        return PalletV15(
            name=p.name,
            storage=PalletStorage(prefix=p.name, entries=items) if items else None,
            calls=self.call_enum(p) if declared.calls else None,
            event=self.event_enum(p) if declared.events else None,
            constants=constants,
            error=self.error_enum(p) if declared.errors else None,
            index=p.index,
            docs=doc_lines(declared.docs),
        )

    def storage(self, item: Item) -> Iterable[StorageEntry]:
        value = self.registry.of(item.value_hint)
        shape: StorageType = StorageType.Plain(value=value)
        if item.key_codecs:
            keys = item.key_codecs
            key = self.registry.of_codec(keys[0] if len(keys) == 1 else TupleCodec(keys))
            shape = StorageType.Map(hashers=[h.code for h in item.hashers], key=key, value=value)
        optional = item.default is MISSING
        yield StorageEntry(
            name=item.name,
            modifier=0 if optional else 1,
            type_=shape,
            default=_NO_DEFAULT if optional else item.default_bytes,
            docs=doc_lines(item.doc),
        )
        if item.counted:
            yield StorageEntry(
                name=f"CounterFor{item.name}",
                modifier=1,
                type_=StorageType.Plain(value=self.registry.of(U32)),
                default=bytes(4),
                docs=["Counter for the related counted storage map"],
            )

    def call_enum(self, p: Pallet[Any]) -> int:
        def variants() -> list[VariantShape]:
            return [
                VariantShape(
                    name=call.name,
                    fields=self.registry.fields(
                        StructCodec(make_variant(call.name, call.hints, index=0)).fields
                    ),
                    index=call.index,
                    docs=doc_lines(call.docs),
                )
                for call in p.declaration.calls
            ]

        return self.registry.union(f"{pallet_path(type(p))}::pallet::Call", variants, _RUNTIME_PARAM)

    def event_enum(self, p: Pallet[Any]) -> int:
        events = p.declaration.event_codec

        def variants() -> list[VariantShape]:
            return [] if events is None else self.registry.variants(events.variants, docs=True)

        return self.registry.union(f"{pallet_path(type(p))}::pallet::Event", variants, _RUNTIME_PARAM)

    def error_enum(self, p: Pallet[Any]) -> int:
        def variants() -> list[VariantShape]:
            return [
                VariantShape(name=e.__name__, fields=[], index=e.index, docs=doc_lines(e.docs))
                for e in p.declaration.errors
            ]

        return self.registry.union(f"{pallet_path(type(p))}::pallet::Error", variants, _RUNTIME_PARAM)

    # -- over all pallets -------------------------------------------

    def outer(self, name: str, parts: Iterable[tuple[Pallet[Any], Any]]) -> int:
        def variants() -> list[VariantShape]:
            return [
                VariantShape(name=p.name, fields=[_unnamed(make(p))], index=p.index, docs=[])
                for p, make in parts
            ]

        return self.registry.union(f"{self.crate}::{name}", variants)

    def outer_call(self) -> int:
        return self.outer(
            "RuntimeCall", [(p, self.call_enum) for p in self.machine.pallets if p.declaration.calls]
        )

    def outer_event(self) -> int:
        return self.outer(
            "RuntimeEvent", [(p, self.event_enum) for p in self.machine.pallets if p.declaration.events]
        )

    def outer_error(self) -> int:
        return self.outer(
            "RuntimeError", [(p, self.error_enum) for p in self.machine.pallets if p.declaration.errors]
        )

    def outer_reason(self, kind: str) -> int:
        def reasons(p: Pallet[Any]) -> tuple[Any, ...]:
            return p.declaration.hold_reasons if kind == "Hold" else p.declaration.freeze_reasons

        def inner(p: Pallet[Any]) -> int:
            return self.registry.union(
                f"{pallet_path(type(p))}::pallet::{kind}Reason",
                lambda: [VariantShape(name=r.name, fields=[], index=int(r), docs=[]) for r in reasons(p)],
            )

        return self.outer(f"Runtime{kind}Reason", [(p, inner) for p in self.machine.pallets if reasons(p)])

    def outer_origin(self) -> int:
        def raw() -> list[VariantShape]:
            account = self.registry.of(AccountId)
            return [
                VariantShape(name="Root", fields=[], index=0, docs=[]),
                VariantShape(name="Signed", fields=[_unnamed(account)], index=1, docs=[]),
                VariantShape(name="None", fields=[], index=2, docs=[]),
            ]

        def variants() -> list[VariantShape]:
            params = [TypeParameter(name="AccountId", type_=self.registry.of(AccountId))]
            inner = self.registry.union("frame_support::dispatch::RawOrigin", raw, params)
            return [VariantShape(name="system", fields=[_unnamed(inner)], index=0, docs=[])]

        return self.registry.union(f"{self.crate}::OriginCaller", variants)

    # -- extrinsics -------------------------------------------------

    def extrinsic(self) -> int:
        params = [
            TypeParameter(name="Address", type_=self.registry.of(MultiAddress)),
            TypeParameter(name="Call", type_=self.outer_call()),
            TypeParameter(name="Signature", type_=self.registry.of(MultiSignature)),
            TypeParameter(name="Extra", type_=self.extra()),
        ]
        return self.registry.composite(
            "sp_runtime::generic::unchecked_extrinsic::UncheckedExtrinsic", {None: bytes}, params
        )

    def extra(self) -> int:
        ids = [self.extension(e).type_ for e in self.machine.extensions]
        return self.registry.tuple_of(ids)

    def extension(self, e: Extension) -> SignedExtension:
        fields: dict[str | None, Any] = {} if e.extra is None else {e.extra_field: e.extra}
        return SignedExtension(
            identifier=e.identifier,
            type_=self.registry.composite(e.path, fields, _RUNTIME_PARAM),
            additional_signed=self.registry.of(tuple[()] if e.implicit is None else e.implicit),
        )

    # -- runtime APIs -----------------------------------------------

    def apis(self) -> list[ApiTrait]:
        traits: dict[str, list[ApiMethod]] = {}
        for api in self.machine.runtime.apis.values():
            method = ApiMethod(
                name=api.method,
                inputs=[ApiInput(name=name, type_=self.registry.of_codec(c)) for name, c in api.inputs],
                output=self.registry.of_codec(api.output),
                docs=doc_lines(api.docs),
            )
            traits.setdefault(api.trait, []).append(method)
        return [ApiTrait(name=name, methods=methods, docs=[]) for name, methods in traits.items()]


def _unnamed(type_id: int) -> FieldInfo:
    return FieldInfo(name=None, type_=type_id, type_name=None, docs=[])
