"""The chain's format as text: calls, events, errors, storage, types and extensions of the runtime.

Whoever changes it sees the change here, and raises spec_version (`test_rules.py` has all that asks for it).
`APPROVE=1 pytest tests/runtime` writes the golden file anew, under a new number only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from frame.metadata.types import FieldInfo, MetadataV15, PalletV15, PortableType, StorageType, TypeDef
from primitives.scale import codec
from runtime import GristmillRuntime, runtime

_PRIMITIVES = (
    "bool", "char", "str",
    "u8", "u16", "u32", "u64", "u128", "u256",
    "i8", "i16", "i32", "i64", "i128", "i256",
)  # fmt: skip
GOLDEN = Path(__file__).parent / "golden" / "format.txt"


class Printer:
    """Renders metadata V15 as lines."""

    def __init__(self, metadata: MetadataV15) -> None:
        self.metadata = metadata
        self.types: dict[int, PortableType] = {t.id: t for t in metadata.types}

    def lines(self) -> Iterator[str]:
        """All of it."""
        version = GristmillRuntime.version
        yield f"{version.spec_name} {version.spec_version}, transactions {version.transaction_version}"
        extensions = self.metadata.extrinsic.signed_extensions
        yield "extensions " + " ".join(e.identifier for e in extensions)
        for api in self.metadata.apis:
            yield f"api {api.name}: " + " ".join(m.name for m in api.methods)
        for pallet in self.metadata.pallets:
            yield ""
            yield f"{pallet.index} {pallet.name}"
            yield from self.pallet(pallet)
        yield ""
        yield from sorted(line for t in self.metadata.types for line in self.type_line(t))

    def type_line(self, t: PortableType) -> Iterator[str]:
        """A named type and what it holds; the enums of pallets stand there already."""
        path = "::".join(t.path)
        if path.endswith(("::pallet::Call", "::pallet::Event", "::pallet::Error", "::Era", "::BoundedVec")):
            return
        if isinstance(t.def_, TypeDef.Composite) and len(t.path) > 1:
            yield f"type {path} {{ {', '.join(map(self.field, t.def_.fields))} }}"
        if isinstance(t.def_, TypeDef.Union) and len(t.path) > 1:
            variants = (
                f"{v.index} {v.name}({', '.join(map(self.field, v.fields))})" for v in t.def_.variants
            )
            yield f"type {path} = {' | '.join(variants)}"

    def pallet(self, pallet: PalletV15) -> Iterator[str]:
        """One pallet."""
        for entry in pallet.storage.entries if pallet.storage else []:
            shape = entry.type_
            value = self.name(shape.value)  # type: ignore[attr-defined]
            key = f"{self.name(shape.key)} -> " if isinstance(shape, StorageType.Map) else ""
            yield f"  storage {entry.name}: {key}{value}{' = default' if entry.modifier else '?'}"
        for kind, type_id in (("call", pallet.calls), ("event", pallet.event), ("error", pallet.error)):
            if type_id is not None:
                yield from self.union(kind, type_id)
        for constant in pallet.constants:
            yield f"  constant {constant.name}: {self.name(constant.type_)}"

    def union(self, kind: str, type_id: int) -> Iterator[str]:
        """The variants of a pallet's enum."""
        definition = self.types[type_id].def_
        assert isinstance(definition, TypeDef.Union)
        for variant in definition.variants:
            yield f"  {kind} {variant.index} {variant.name}({', '.join(map(self.field, variant.fields))})"

    def field(self, field: FieldInfo) -> str:
        """A field of a variant."""
        return f"{field.name}: {self.name(field.type_)}" if field.name else self.name(field.type_)

    def name(self, type_id: int) -> str:
        """A type, in a word or two."""
        found = self.types[type_id]
        match found.def_:
            case TypeDef.Primitive(kind=kind):
                return _PRIMITIVES[kind]
            case TypeDef.Compact(type_=inner):
                return f"Compact<{self.name(inner)}>"
            case TypeDef.Sequence(type_=inner):
                return f"Vec<{self.name(inner)}>"
            case TypeDef.Array(length=length, type_=inner):
                return f"[{self.name(inner)}; {length}]"
            case TypeDef.Tuple(types=types):
                return f"({', '.join(map(self.name, types))})"
            case _:
                params = [self.name(p.type_) for p in found.params if p.type_ is not None]
                short = {"BoundedVec", "Option", "Result"}
                return found.path[-1] + (f"<{', '.join(params)}>" if found.path[-1] in short else "")


def test_the_format_is_as_approved() -> None:
    metadata = codec(MetadataV15).decode(runtime().metadata(15)[5:])
    text = "\n".join(Printer(metadata).lines()) + "\n"
    approved = GOLDEN.read_text()
    if os.environ.get("APPROVE") and text.splitlines()[0] != approved.splitlines()[0]:
        GOLDEN.write_text(text)
        return
    assert text == approved, (
        "the chain's format is not the approved one: raise spec_version if nobody has, then"
        " `APPROVE=1 pytest tests/runtime`"
    )
