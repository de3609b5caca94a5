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
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Self,
    TypeVar,
    dataclass_transform,
    get_origin,
)

from primitives.scale.errors import ScaleError

if TYPE_CHECKING:

    class _AnyEnum(Any):  # type: ignore[misc]
        """Lets the type checker accept a variant where its enum is asked for, as is true at run time."""
else:
    _AnyEnum = object


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


class Record(metaclass=_Slotted):
    """What structs and variants share: fields from annotations, keyword construction, value semantics."""

    __slots__ = ()
    __scale_path__: ClassVar[str] = ""
    __scale_params__: ClassVar[Mapping[str, Any]] = {}
    __scale_unnamed__: ClassVar[bool] = False
    __scale_open__: ClassVar[type[Record] | None] = None
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


def _remade(cls: type[Record], fields: dict[str, Any]) -> Record:
    return cls(**fields)


def opened(cls: type[Record]) -> type[Record]:
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


S = TypeVar("S", bound=Record)


def replace(value: S, /, **changes: Any) -> S:
    """A copy of a struct or variant with some fields changed."""
    return value.__replace__(**changes)


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Struct(Record):
    """Base of SCALE structs: fields in annotation order. The class docstring becomes metadata docs."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __init_subclass__(
            cls, *, path: str = "", params: Mapping[str, Any] | None = None, unnamed: bool = False
        ) -> None: ...


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Variant(Record, _AnyEnum):
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


for _base in (Record, Struct, Variant, Enum):
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
