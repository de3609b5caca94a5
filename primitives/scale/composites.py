"""Structs and tagged enums: declared as classes, encoded by their annotations.

    class Point(Struct, path="my::Point"):
        x: U32
        y: U32

    class Shape(Enum, path="my::Shape"):
        class Dot(Variant, index=0):
            at: Point
        class Nothing(Variant, index=3):
            pass

Values are immutable, built by keyword, compared by content. A variant's value is an instance of its enum.
`unnamed=True` on a struct or variant makes its fields positional in metadata, as in Rust's `struct
Id(AccountId)`; the Python names remain.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    NamedTuple,
    Self,
    TypeVar,
    dataclass_transform,
    get_args,
    get_origin,
)

from primitives.hints import type_hints
from primitives.scale.base import Codec, Decoder, Encoder, read, write
from primitives.scale.emit import Reader, Writer, build, namespace
from primitives.scale.errors import ScaleError, show
from primitives.scale.leaves import FixedBytesCodec
from primitives.scale.sequences import fails, total

if TYPE_CHECKING:

    class _AnyEnum(Any):  # type: ignore[misc]
        """Lets the type checker accept a variant where its enum is asked for, as is true at run time."""
else:
    _AnyEnum = object


class Field(NamedTuple):
    """One field of a struct or variant."""

    name: str | None
    """The name in metadata; None for positional fields."""
    codec: Codec[Any]
    docs: list[str]
    type_name: str | None
    """How the source calls the type, for metadata; None to derive it."""
    attribute: str
    """The name in Python."""


class Doc(NamedTuple):
    """Documentation of a field: `Annotated[U32, Doc("…")]`."""

    text: str


class TypeName(NamedTuple):
    """How metadata calls a field's type: `Annotated[U128, TypeName("BalanceOf<T>")]`."""

    name: str


def _field_names(cls: type) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for base in reversed(cls.__mro__):
        if "__scale_path__" in vars(base):  # a record, not a mix-in
            names |= {
                name: None for name, hint in inspect.get_annotations(base).items() if not _is_class_var(hint)
            }
    return tuple(names)


def _is_class_var(hint: object) -> bool:
    if isinstance(hint, str):
        return hint.startswith(("ClassVar", "typing.ClassVar"))
    return hint is ClassVar or get_origin(hint) is ClassVar


class _Slotted(type):
    """The type of records: their annotations become slots, so that a value is one small object. A dict for
    each would take four times the room, and reading accounts at random is mostly waiting for memory.
    """

    def __new__(meta, name: str, bases: tuple[type, ...], space: dict[str, Any], **options: Any) -> _Slotted:
        if "__slots__" not in space:
            hints: Mapping[str, object] = space.get("__annotations__", {})
            names = [name for name, hint in hints.items() if not _is_class_var(hint)]
            space["__scale_defaults__"] = {name: space.pop(name) for name in names if name in space}
            space["__slots__"] = tuple(name for name in names if not _has_field(bases, name))
        return super().__new__(meta, name, bases, space, **options)


def _has_field(bases: tuple[type, ...], name: str) -> bool:
    return any(name in getattr(base, "__match_args__", ()) for base in bases)


def _initialiser(cls: type, names: tuple[str, ...]) -> Any:
    defaults: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        defaults |= vars(base).get("__scale_defaults__", {})
    space: dict[str, Any] = {f"default_{name}": value for name, value in defaults.items()}
    space |= {f"set_{name}": getattr(cls, name).__set__ for name in names}  # passes by `__setattr__`
    arguments = [f"{name}=default_{name}" if name in defaults else name for name in names]
    header = f"def __init__(self{', *, ' if names else ''}{', '.join(arguments)}):"
    lines = [f"    set_{name}(self, {name})" for name in names]
    exec("\n".join([header, *lines, "    return None"]), space)
    function = space["__init__"]
    function.__qualname__ = f"{cls.__qualname__}.__init__"
    return function


class _Record(metaclass=_Slotted):
    """What structs and variants share: fields from annotations, keyword construction, value semantics."""

    __slots__ = ()
    __scale_path__: ClassVar[str] = ""
    __scale_params__: ClassVar[Mapping[str, Any]] = {}
    __scale_unnamed__: ClassVar[bool] = False
    __scale_open__: ClassVar[type[_Record] | None] = None
    __match_args__: ClassVar[tuple[str, ...]] = ()
    __scale_values__: ClassVar[Callable[[Any], Any]]
    """The values of the fields; that of a single one is bare."""

    def __init_subclass__(
        cls,
        *,
        path: str = "",
        params: Mapping[str, Any] | None = None,
        unnamed: bool = False,
        **others: Any,
    ) -> None:
        super().__init_subclass__(**others)
        if "__setattr__" in cls.__dict__:  # made by `opened`
            return
        cls.__scale_path__ = path
        cls.__scale_params__ = params or {}
        cls.__scale_unnamed__ = unnamed
        cls.__scale_open__ = None
        names = _field_names(cls)
        cls.__match_args__ = names  # type: ignore[misc]
        cls.__scale_values__ = attrgetter(*names) if names else type
        if "__init__" not in cls.__dict__:
            cls.__init__ = _initialiser(cls, names)  # type: ignore[method-assign]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        values = type(self).__scale_values__
        return bool(values(self) == values(other))

    def __hash__(self) -> int:
        return hash((type(self), type(self).__scale_values__(self)))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self._fields().items())
        return f"{type(self).__qualname__.rpartition('<locals>.')[2]}({fields})"

    def __replace__(self, **changes: Any) -> Self:
        return type(self)(**{**self._fields(), **changes})

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (type(self), self._fields())

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in type(self).__match_args__}


def _remade(cls: type[_Record], fields: dict[str, Any]) -> _Record:
    return cls(**fields)


def opened(cls: type[_Record]) -> type[_Record]:
    """`cls`, whose objects may be written to: one that is to be filled begins as such and becomes one of
    `cls` when it is full. That takes half the time that slots take to be set from outside.
    """
    if cls.__scale_open__ is None:
        plain = ("__init__", "__setattr__", "__delattr__")
        writable = {"__slots__": ()} | {name: getattr(object, name) for name in plain}
        cls.__scale_open__ = types.new_class(cls.__name__, (cls,), None, lambda space: space.update(writable))
    return cls.__scale_open__


def filling(name: str, cls: str, opened_cls: str, fields: Mapping[str, str]) -> list[str]:
    """Statements that make `name` a new object of the class called `cls`, from field → expression."""
    if not fields:
        return [f"{name} = new({cls})"]
    sets = [f"{name}.{field} = {value}" for field, value in fields.items()]
    return [f"{name} = {opened_cls}()", *sets, f"{name}.__class__ = {cls}"]


S = TypeVar("S", bound=_Record)


def replace(value: S, /, **changes: Any) -> S:
    """A copy of a struct or variant with some fields changed."""
    return value.__replace__(**changes)


def changer(cls: type[S], *path: str) -> Callable[[S, Any], S]:
    """A function like `replace` for one field of one class, at half its cost or less; with a longer path, for
    a field of that field.
    """
    lines, names = change_lines(cls, path)
    text = "\n    ".join(["def change(x0, v):", *lines, "return y0"])
    exec(text, names)
    change: Callable[[S, Any], S] = names["change"]
    return change


def change_lines(cls: type[_Record], path: tuple[str, ...]) -> tuple[list[str], dict[str, Any]]:
    """The lines of `changer`, which make `y0` of `x0` and the new value `v`, and the names that they use."""
    names: dict[str, Any] = {"new": object.__new__, "cls0": cls}
    outer: type[_Record] = cls
    before: list[str] = []
    after: list[str] = []
    for depth, field in enumerate(path):
        if field not in outer.__match_args__:
            raise TypeError(f"{outer.__name__} has no field `{field}`")
        inner = "v"
        if depth + 1 < len(path):
            inner = f"y{depth + 1}"
            before.append(f"x{depth + 1} = x{depth}.{field}")
            part = next(f.codec for f in StructCodec(outer).fields if f.attribute == field)
            if not isinstance(part, StructCodec):
                raise TypeError(f"{outer.__name__}.{field} has no fields")
            outer = names[f"cls{depth + 1}"] = part.cls
        fields = {name: f"x{depth}.{name}" for name in names[f"cls{depth}"].__match_args__} | {field: inner}
        names[f"open{depth}"] = opened(names[f"cls{depth}"])
        after[:0] = filling(f"y{depth}", f"cls{depth}", f"open{depth}", fields)
    return before + after, names


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Struct(_Record):
    """Base of SCALE structs: fields in annotation order. The class docstring becomes metadata docs."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __init_subclass__(
            cls, *, path: str = "", params: Mapping[str, Any] | None = None, unnamed: bool = False
        ) -> None: ...


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Variant(_Record, _AnyEnum):
    """Base of one variant of an `Enum`; `index` is its byte (default: the place in the class body)."""

    __slots__ = ()
    __scale_index__: ClassVar[int | None] = None

    def __init_subclass__(cls, *, index: int | None = None, unnamed: bool = False, **others: Any) -> None:
        super().__init_subclass__(unnamed=unnamed, **others)
        cls.__scale_index__ = index


class Enum(metaclass=_Slotted):
    """Base of tagged unions. The `Variant` classes in its body become its subclasses."""

    __slots__ = ()
    __scale_path__: ClassVar[str] = ""
    __scale_params__: ClassVar[Mapping[str, Any]] = {}
    __scale_variants__: ClassVar[tuple[tuple[int, type[Variant]], ...]] = ()

    def __init_subclass__(
        cls, *, path: str = "", params: Mapping[str, Any] | None = None, **others: Any
    ) -> None:
        super().__init_subclass__(**others)
        if issubclass(cls, Variant):
            return
        variants = [
            value for value in vars(cls).values() if isinstance(value, type) and issubclass(value, Variant)
        ]
        cls.__scale_path__ = path
        cls.__scale_params__ = params or {}
        cls.__scale_variants__ = tuple(number_variants(cls.__name__, variants))
        for variant in variants:
            variant.__bases__ = (*variant.__bases__, cls)


for _base in (_Record, Struct, Variant, Enum):
    _base.__annotations__ = {}  # no fields: `type_hints` would read them anew for every type


def number_variants(name: str, variants: Sequence[type[Variant]]) -> list[tuple[int, type[Variant]]]:
    """Give each variant its byte: its `index`, or one more than the one before."""
    numbered: list[tuple[int, type[Variant]]] = []
    seen: dict[int, str] = {}
    following = 0
    for variant in variants:
        index = following if variant.__scale_index__ is None else variant.__scale_index__
        if not 0 <= index < 256:
            raise ScaleError(f"{name}.{variant.__name__}: index {index} does not fit one byte")
        if index in seen:
            raise ScaleError(f"{name}: {seen[index]} and {variant.__name__} share index {index}")
        seen[index] = variant.__name__
        numbered.append((index, variant))
        following = index + 1
    return numbered


class StructCodec(Codec[Any]):
    """The codec of a `Struct` or of the fields of a `Variant`; `arguments` are those of a generic class."""

    def __init__(self, cls: type[_Record], arguments: tuple[Any, ...] = ()) -> None:
        super().__init__()
        self.cls = cls
        self.arguments = arguments
        self.path: tuple[str, ...] = tuple((cls.__scale_path__ or cls.__name__).split("::"))
        self.docs = docs_of(cls)
        self._measuring = False

    def __str__(self) -> str:
        return self.cls.__name__

    @cached_property
    def params(self) -> list[tuple[str, Codec[Any] | None]]:
        """Type parameters for metadata: (name, codec or None)."""
        generic: tuple[Any, ...] = getattr(self.cls, "__parameters__", ())
        named = {str(p.__name__): a for p, a in zip(generic, self.arguments, strict=False)}
        return [
            (n, None if h is None else _codec(h)) for n, h in {**named, **self.cls.__scale_params__}.items()
        ]

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The fields in order; resolving them late lets types refer to each other."""
        generic: tuple[Any, ...] = getattr(self.cls, "__parameters__", ())
        if len(generic) != len(self.arguments):
            raise ScaleError(
                f"{self.cls.__name__} takes {len(generic)} type arguments, not {len(self.arguments)}"
            )
        known = dict(zip(generic, self.arguments, strict=True))
        hints = _hints(self.cls)
        return tuple(
            _field(self.cls, name, _substitute(hints[name], known)) for name in self.cls.__match_args__
        )

    @property
    def min_len(self) -> int:
        if self._measuring:
            return 0
        self._measuring = True
        try:
            return sum(field.codec.min_len for field in self.fields)
        finally:
            self._measuring = False

    @property
    def max_len(self) -> int | None:
        if self._measuring:
            return None
        self._measuring = True
        try:
            return total(field.codec.max_len for field in self.fields)
        finally:
            self._measuring = False

    def emit_decode(self, r: Reader) -> str:
        values = [read(field.codec, r) for field in self.fields]
        fields = {field.attribute: value for field, value in zip(self.fields, values, strict=True)}
        name, cls, open_cls = r.fresh(), r.bind(self.cls), r.bind(opened(self.cls))
        for line in filling(name, cls, open_cls, fields):
            r.after(line)
        return name

    def emit_encode(self, w: Writer, value: str) -> None:
        name = w.local(value)
        for field in self.fields:
            write(field.codec, w, f"{name}.{field.attribute}")

    def explain(self, value: object) -> ScaleError:
        if not isinstance(value, self.cls):
            return super().explain(value)
        for field in self.fields:
            error = fails(field.codec, getattr(value, field.attribute))
            if error is not None:
                return ScaleError(f"{self}.{field.attribute}: {error}")
        return ScaleError(f"{show(value)} cannot be encoded as {self}")


@dataclass(frozen=True, slots=True)
class VariantInfo:
    """One variant of an `EnumCodec`."""

    name: str
    index: int
    fields: tuple[Field, ...]
    docs: list[str]
    cls: type[Variant]


class EnumCodec(Codec[Any]):
    """The codec of a tagged union: an index byte, then the fields of that variant.

    Usually made from an `Enum` class, but any variant classes do: those of a pallet's events, say.
    """

    def __init__(
        self,
        path: str,
        variants: Sequence[tuple[int, type[Variant]]],
        params: Mapping[str, Any] | None = None,
        docs: list[str] | None = None,
        arguments: tuple[Any, ...] = (),
    ) -> None:
        super().__init__()
        self.path: tuple[str, ...] = tuple(path.split("::"))
        self.docs = docs or []
        self._params = params or {}
        self._classes = [cls for _, cls in variants]
        self._structs = {index: StructCodec(cls, arguments) for index, cls in variants}
        self._by_index: dict[int, Decoder] = {}
        self._by_class: dict[type, Encoder] = {}
        self._measuring = False

    def __str__(self) -> str:
        return self.path[-1]

    @cached_property
    def params(self) -> list[tuple[str, Codec[Any] | None]]:
        """Type parameters for metadata: (name, codec or None)."""
        return [(name, None if hint is None else _codec(hint)) for name, hint in self._params.items()]

    @cached_property
    def variants(self) -> tuple[VariantInfo, ...]:
        """The variants in declaration order."""
        return tuple(
            VariantInfo(cls.__name__.rstrip("_"), index, codec.fields, codec.docs, cls)
            for (index, codec), cls in zip(self._structs.items(), self._classes, strict=True)
        )

    @property
    def min_len(self) -> int:
        if self._measuring:
            return 1
        self._measuring = True
        try:
            return 1 + min((codec.min_len for codec in self._structs.values()), default=0)
        finally:
            self._measuring = False

    @property
    def max_len(self) -> int | None:
        if self._measuring:
            return None
        self._measuring = True
        try:
            lengths = [codec.max_len for codec in self._structs.values()]
        finally:
            self._measuring = False
        longest = 0
        for length in lengths:
            if length is None:
                return None
            longest = max(longest, length)
        return 1 + longest

    def emit_decode(self, r: Reader) -> str:
        table = r.bind(self._decoders())
        tag, function, name = r.byte(), r.fresh(), r.fresh()
        word = "if"
        for index, codec in self._in_place():
            r.line(f"{word} {tag} == {index}:")
            with r.indented():
                r.line("if d < 1: raise too_deep()")
                found = read(codec, r)
                r.flush()
                r.line(f"{name} = {found}")
            word = "elif"
        r.line("else:" if word == "elif" else "if True:")
        with r.indented():
            r.line(f"{function} = {table}.get({tag})")
            r.line(f"if {function} is None: raise ScaleError(f'{self}: no variant {{{tag}}}')")
            r.line(f"{name}, o = {function}(b, o, d - 1)")
        return name

    def _in_place(self) -> list[tuple[int, StructCodec]]:
        """The variants that are read in place: those of a small enum that hold some fixed bytes. So an
        account or a signature is one step.
        """
        if len(self._structs) > _SMALL_ENUM:
            return []
        return [(i, c) for i, c in self._structs.items() if _is_bytes(c)]

    def emit_encode(self, w: Writer, value: str) -> None:
        name = w.local(value)
        w.part(f"{w.bind(self.encoders())}[type({name})]({name})")

    # The tables are bound while being filled: a recursive type meets its own, but uses it only later.

    def _decoders(self) -> dict[int, Decoder]:
        if not self._by_index:
            self._by_index.update(dict.fromkeys(self._structs, _unready))
            with _cleared_on_failure(self._by_index):
                self._by_index.update({index: codec.decoder() for index, codec in self._structs.items()})
        return self._by_index

    def encoders(self) -> dict[type, Encoder]:
        """The encoder of each variant class, index byte included. They fail without saying why: `encode`
        does.
        """
        if not self._by_class:
            self._by_class.update({codec.cls: _unready for codec in self._structs.values()})
            with _cleared_on_failure(self._by_class):
                self._by_class.update({c.cls: _variant_encoder(i, c) for i, c in self._structs.items()})
        return self._by_class

    def explain(self, value: object) -> ScaleError:
        for codec in self._structs.values():
            if isinstance(value, codec.cls):
                return codec.explain(value)
        return super().explain(value)


_SMALL_ENUM = 8


def _is_bytes(codec: StructCodec) -> bool:
    fields = codec.fields
    return len(fields) == 1 and isinstance(fields[0].codec, FixedBytesCodec)


@contextmanager
def _cleared_on_failure(table: dict[Any, Any]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        table.clear()
        raise


def _unready(*_: object) -> Any:
    raise ScaleError("this codec failed to compile")


def _variant_encoder(index: int, codec: StructCodec) -> Encoder:
    w = Writer(namespace())
    w.pack("B", str(index))
    w.stack.append(codec)
    codec.emit_encode(w, "x")
    w.line(f"return {w.result()}")
    return build(str(codec), "encode(x)", w)


def fields_encoder(
    cls: type[_Record],
    head: bytes,
    tail: bytes,
    then: Sequence[str],
    names: Mapping[str, Any],
    otherwise: Callable[..., None],
) -> Callable[..., None]:
    """What encodes an object of `cls`, between `head` and `tail`, given the values of its fields in their
    order instead of the object, and goes on with the statements `then` over these bytes, called `raw`;
    `otherwise` is given values that cannot be encoded, and says why. `names`: what `then` refers to.
    """
    struct, w = StructCodec(cls), Writer({**namespace(), **names})
    failed = w.bind(otherwise)
    values = [f"x{place}" for place, _ in enumerate(struct.fields)]
    w.line("try:")
    with w.indented():
        w.pack(f"{len(head)}s", w.bind(head))
        w.stack.append(struct)
        for field, value in zip(struct.fields, values, strict=True):
            write(field.codec, w, value)
        w.pack(f"{len(tail)}s", w.bind(tail))
        w.line(f"raw = {w.result()}")
    w.line(f"except Exception: return {failed}({', '.join(values)})")
    for line in then:
        w.line(line)
    return build(str(struct), f"use({', '.join(values)})", w)


def make_struct(
    name: str, fields: Mapping[str, Any], *, path: str = "", docs: str = "", unnamed: bool = False
) -> Any:
    """A `Struct` class from (name → hint or codec), for types that are computed."""
    body = {"__annotations__": dict(fields), "__doc__": docs or None, "__module__": __name__}
    return types.new_class(
        name, (Struct,), {"path": path, "unnamed": unnamed}, lambda space: space.update(body)
    )


def make_variant(
    name: str, fields: Mapping[str, Any], *, index: int, docs: str = "", unnamed: bool = False
) -> Any:
    """A `Variant` class from (name → hint or codec), for types that are computed."""
    body = {"__annotations__": dict(fields), "__doc__": docs or None, "__module__": __name__}
    return types.new_class(
        name, (Variant,), {"index": index, "unnamed": unnamed}, lambda space: space.update(body)
    )


def make_enum(name: str, variants: Sequence[type[Variant]], *, path: str = "", docs: str = "") -> Any:
    """An `Enum` class over `variants` (which become its subclasses), for types that are computed."""
    body: dict[str, Any] = {cls.__name__: cls for cls in variants}
    body |= {"__doc__": docs or None, "__module__": __name__}
    return types.new_class(name, (Enum,), {"path": path}, lambda space: space.update(body))


def docs_of(cls: type) -> list[str]:
    """The lines of a class's own docstring."""
    text = cls.__dict__.get("__doc__")
    return inspect.cleandoc(text).splitlines() if text else []


def _hints(cls: type[_Record]) -> dict[str, Any]:
    try:
        return type_hints(cls)
    except NameError:
        pass
    scope: dict[str, Any] = {
        base.__name__: base for base in cls.__mro__
    }  # a class inside a function may name itself
    try:
        return type_hints(cls, scope)
    except NameError as error:
        raise ScaleError(f"{cls.__qualname__}: {error}") from None


def _substitute(hint: Any, known: Mapping[Any, Any]) -> Any:
    if not known:
        return hint
    if isinstance(hint, TypeVar):
        return known[hint]
    parameters: tuple[Any, ...] = getattr(hint, "__parameters__", ())
    return hint[tuple(known[p] for p in parameters)] if parameters and not isinstance(hint, type) else hint


def _field(cls: type[_Record], name: str, hint: Any) -> Field:
    docs: list[str] = []
    type_name: str | None = None
    for extra in get_args(hint)[1:] if get_origin(hint) is Annotated else ():
        if isinstance(extra, Doc):
            docs = inspect.cleandoc(extra.text).splitlines()
        if isinstance(extra, TypeName):
            type_name = extra.name
    try:
        codec = _codec(hint)
    except ScaleError as error:
        raise ScaleError(f"{cls.__qualname__}.{name}: {error}") from None
    shown = None if cls.__scale_unnamed__ else name.rstrip("_")
    return Field(shown, codec, docs, type_name, name)


def _codec(hint: Any) -> Codec[Any]:
    from primitives.scale.hints import codec

    return codec(hint)
