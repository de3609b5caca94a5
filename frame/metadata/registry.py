"""The portable type registry: from codecs to numbered types. Each type appears once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from frame.codecs import CalledCodec
from frame.metadata.types import FieldInfo, PortableType, TypeDef, TypeParameter, VariantShape
from primitives.era import EraCodec
from primitives.scale import (
    ArrayCodec,
    BytesCodec,
    Codec,
    CompactCodec,
    EnumCodec,
    Field,
    FixedBytesCodec,
    IntEnumCodec,
    OptionCodec,
    PrimitiveCodec,
    ResultCodec,
    SequenceCodec,
    StructCodec,
    TupleCodec,
    VariantInfo,
    codec,
)

_PRIMITIVES: Final = (
    "bool", "char", "str",
    "u8", "u16", "u32", "u64", "u128", "u256",
    "i8", "i16", "i32", "i64", "i128", "i256",
)  # fmt: skip
_BOUNDED: Final = ["sp_core", "bounded", "bounded_vec", "BoundedVec"]

Shape = tuple[list[str], list[TypeParameter], TypeDef]


class Registry:
    """Numbers types in the order in which they are met."""

    def __init__(self) -> None:
        self.types: list[PortableType] = []
        self._ids: dict[object, int] = {}
        self._outer: dict[Codec[Any], Callable[[], int]] = {}

    def define(self, stand_in: Codec[Any], make: Callable[[], int]) -> None:
        """Say what a type is that only the runtime knows."""
        self._outer[stand_in] = make

    def of(self, hint: Any) -> int:
        """The id of a type given as a hint or codec."""
        return self.of_codec(codec(hint))

    def of_codec(self, c: Codec[Any]) -> int:
        """The id of a codec's type."""
        if c in self._outer:
            return self._outer[c]()
        if isinstance(c, CalledCodec):
            if c.shape is None:
                raise TypeError(f"metadata does not know what {c} looks like")
            return self.of(c.shape)
        return self.add(_key(c), lambda: self._shape(c))

    def add(self, key: object, make: Callable[[], Shape]) -> int:
        """The id of the type known by `key`, made on first use; a type may refer to itself."""
        found = self._ids.get(key)
        if found is not None:
            return found
        number = self._ids[key] = len(self.types)
        self.types.append(PortableType(id=number, path=[], params=[], def_=_UNIT, docs=[]))
        path, params, definition = make()
        self.types[number] = PortableType(id=number, path=path, params=params, def_=definition, docs=[])
        return number

    def composite(
        self, path: str, fields: Mapping[str | None, Any], params: Iterable[TypeParameter] = ()
    ) -> int:
        """The id of a struct that exists in metadata only."""

        def listed() -> list[FieldInfo]:
            return [FieldInfo(name=n, type_=self.of(h), type_name=None, docs=[]) for n, h in fields.items()]

        return self.add(path, lambda: (path.split("::"), list(params), TypeDef.Composite(fields=listed())))

    def union(
        self, path: str, variants: Callable[[], list[VariantShape]], params: Iterable[TypeParameter] = ()
    ) -> int:
        """The id of a tagged union that exists in metadata only."""
        return self.add(path, lambda: (path.split("::"), list(params), TypeDef.Union(variants=variants())))

    def tuple_of(self, ids: list[int]) -> int:
        """The id of a tuple of types that have ids already."""
        return self.add(("tuple of ids", *ids), lambda: ([], [], TypeDef.Tuple(types=ids)))

    def fields(self, fields: Iterable[Field], docs: bool = False) -> list[FieldInfo]:
        """The fields of a struct or variant."""
        return [
            FieldInfo(
                name=field.name,
                type_=self.of_codec(field.codec),
                type_name=field.type_name or str(field.codec),
                docs=field.docs if docs else [],
            )
            for field in fields
        ]

    def variants(self, variants: Iterable[VariantInfo], docs: bool = False) -> list[VariantShape]:
        """The variants of a tagged union."""
        return [
            VariantShape(
                name=v.name, fields=self.fields(v.fields, docs), index=v.index, docs=v.docs if docs else []
            )
            for v in variants
        ]

    def parameters(self, params: Iterable[tuple[str, Codec[Any] | None]]) -> list[TypeParameter]:
        """The type parameters of a struct or enum."""
        return [TypeParameter(name=n, type_=None if c is None else self.of_codec(c)) for n, c in params]

    def _shape(self, c: Codec[Any]) -> Shape:
        for kind, make in _SHAPES:
            if isinstance(c, kind):
                return make(self, c)
        raise TypeError(f"metadata has no shape for {c}")

    # One method for each kind of codec.

    def _primitive(self, c: PrimitiveCodec) -> Shape:
        return [], [], TypeDef.Primitive(kind=_PRIMITIVES.index(c.name))

    def _compact(self, c: CompactCodec) -> Shape:
        return [], [], TypeDef.Compact(type_=self.of_codec(c.inner))

    def _bytes(self, c: BytesCodec) -> Shape:
        return self._vector(c.item, c.max)

    def _sequence(self, c: SequenceCodec) -> Shape:
        return self._vector(c.item, c.max)

    def _vector(self, item: Codec[Any], limit: int | None) -> Shape:
        if limit is None:
            return [], [], TypeDef.Sequence(type_=self.of_codec(item))
        inner = self.of_codec(BytesCodec() if _key(item) == ("primitive", "u8") else SequenceCodec(item))
        field = FieldInfo(name=None, type_=inner, type_name=f"Vec<{item}>", docs=[])
        params = [TypeParameter(name="T", type_=self.of_codec(item)), TypeParameter(name="S", type_=None)]
        return list(_BOUNDED), params, TypeDef.Composite(fields=[field])

    def _fixed(self, c: FixedBytesCodec) -> Shape:
        array = TypeDef.Array(length=c.length, type_=self.of_codec(c.item))
        if not c.path:
            return [], [], array
        inner = self.of_codec(FixedBytesCodec(c.length))
        field = FieldInfo(name=None, type_=inner, type_name=f"[u8; {c.length}]", docs=[])
        return list(c.path), [], TypeDef.Composite(fields=[field])

    def _array(self, c: ArrayCodec) -> Shape:
        return [], [], TypeDef.Array(length=c.length, type_=self.of_codec(c.item))

    def _tuple(self, c: TupleCodec) -> Shape:
        return [], [], TypeDef.Tuple(types=[self.of_codec(item) for item in c.items])

    def _option(self, c: OptionCodec) -> Shape:
        inner = self.of_codec(c.item)
        some = VariantShape(name="Some", fields=[_plain(inner)], index=1, docs=[])
        none = VariantShape(name="None", fields=[], index=0, docs=[])
        return ["Option"], [TypeParameter(name="T", type_=inner)], TypeDef.Union(variants=[none, some])

    def _result(self, c: ResultCodec) -> Shape:
        ok, err = self.of_codec(c.ok), self.of_codec(c.err)
        variants = [
            VariantShape(name="Ok", fields=[_plain(ok)], index=0, docs=[]),
            VariantShape(name="Err", fields=[_plain(err)], index=1, docs=[]),
        ]
        params = [TypeParameter(name="T", type_=ok), TypeParameter(name="E", type_=err)]
        return ["Result"], params, TypeDef.Union(variants=variants)

    def _struct(self, c: StructCodec) -> Shape:
        params = self.parameters(c.params)
        return _path(c.path, c.cls), params, TypeDef.Composite(fields=self.fields(c.fields))

    def _enum(self, c: EnumCodec) -> Shape:
        cls = c.variants[0].cls if c.variants else None
        return (
            _path(c.path, cls),
            self.parameters(c.params),
            TypeDef.Union(variants=self.variants(c.variants)),
        )

    def _int_enum(self, c: IntEnumCodec) -> Shape:
        variants = [VariantShape(name=m.name, fields=[], index=int(m), docs=[]) for m in c.cls]
        return _path(c.path, c.cls), [], TypeDef.Union(variants=variants)

    def _era(self, c: EraCodec) -> Shape:
        second = self.of_codec(_U8)
        mortal = [
            VariantShape(name=f"Mortal{i}", fields=[_plain(second)], index=i, docs=[]) for i in range(1, 256)
        ]
        immortal = VariantShape(name="Immortal", fields=[], index=0, docs=[])
        return list(c.path), [], TypeDef.Union(variants=[immortal, *mortal])


_UNIT: Final = TypeDef.Tuple(types=[])
_U8: Final = BytesCodec().item
_SHAPES: Final[tuple[tuple[type[Codec[Any]], Callable[[Registry, Any], Shape]], ...]] = (
    (PrimitiveCodec, Registry._primitive),
    (CompactCodec, Registry._compact),
    (BytesCodec, Registry._bytes),
    (FixedBytesCodec, Registry._fixed),
    (SequenceCodec, Registry._sequence),
    (ArrayCodec, Registry._array),
    (TupleCodec, Registry._tuple),
    (OptionCodec, Registry._option),
    (ResultCodec, Registry._result),
    (StructCodec, Registry._struct),
    (EnumCodec, Registry._enum),
    (IntEnumCodec, Registry._int_enum),
    (EraCodec, Registry._era),
)


def _plain(type_id: int) -> FieldInfo:
    return FieldInfo(name=None, type_=type_id, type_name=None, docs=[])


def _key(c: Codec[Any]) -> object:
    """Equal for codecs of the same type, though they are different objects."""
    match c:
        case PrimitiveCodec():
            return ("primitive", c.name)
        case CompactCodec():
            return ("compact", c.inner.name)
        case BytesCodec():
            return ("vector", ("primitive", "u8"), c.max)
        case FixedBytesCodec():
            return ("fixed", c.length, c.path)
        case SequenceCodec():
            return ("vector", _key(c.item), c.max)
        case ArrayCodec():
            return ("array", _key(c.item), c.length)
        case TupleCodec():
            return ("tuple", *(_key(item) for item in c.items))
        case OptionCodec():
            return ("option", _key(c.item))
        case ResultCodec():
            return ("result", _key(c.ok), _key(c.err))
        case StructCodec():
            return ("struct", c.cls, c.arguments)
        case EnumCodec():
            return ("enum", c.path, tuple(v.cls for v in c.variants))
        case IntEnumCodec():
            return ("int enum", c.cls)
        case _:
            return c


def _path(path: tuple[str, ...], cls: type | None) -> list[str]:
    """The path given, or for a bare name one made of the module, so that clients never confuse it with
    theirs.
    """
    if len(path) > 1 or cls is None:
        return list(path)
    module = cls.__module__.split(".")
    if module[0] == "pallets":
        return [f"pallet_{module[1]}", *module[2:], *path]
    return [f"gristmill_{module[0]}", *module[1:], *path]
