"""The codecs of structs and tagged enums, whose classes `records` makes: of the parts of their fields, one
function each.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import (
    Annotated,
    Any,
    NamedTuple,
    TypeVar,
    get_args,
    get_origin,
)

from primitives.hints import type_hints
from primitives.scale.base import Codec, Decoder, Encoder, read, write
from primitives.scale.emit import Reader, Writer, build, namespace
from primitives.scale.errors import ScaleError, show
from primitives.scale.leaves import FixedBytesCodec
from primitives.scale.records import Record, Variant, docs_of, filling, opened
from primitives.scale.sequences import fails, total


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


S = TypeVar("S", bound=Record)


def changer(cls: type[S], *path: str) -> Callable[[S, Any], S]:
    """A function like `replace` for one field of one class, at half its cost or less; with a longer path, for
    a field of that field.
    """
    lines, names = change_lines(cls, path)
    text = "\n    ".join(["def change(x0, v):", *lines, "return y0"])
    exec(text, names)
    change: Callable[[S, Any], S] = names["change"]
    return change


def change_lines(cls: type[Record], path: tuple[str, ...]) -> tuple[list[str], dict[str, Any]]:
    """The lines of `changer`, which make `y0` of `x0` and the new value `v`, and the names that they use."""
    names: dict[str, Any] = {"new": object.__new__, "cls0": cls}
    outer: type[Record] = cls
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


class StructCodec(Codec[Any]):
    """The codec of a `Struct` or of the fields of a `Variant`; `arguments` are those of a generic class."""

    def __init__(self, cls: type[Record], arguments: tuple[Any, ...] = ()) -> None:
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
    cls: type[Record],
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


def _hints(cls: type[Record]) -> dict[str, Any]:
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


def _field(cls: type[Record], name: str, hint: Any) -> Field:
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
