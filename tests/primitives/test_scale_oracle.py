"""Every shape of SCALE against `scalecodec`, an independent implementation: same bytes, same values back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scalecodec.base import RuntimeConfigurationObject

from primitives.scale import (
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    U256,
    Compact,
    Err,
    FixedBytes,
    Length,
    MaxLen,
    Ok,
    ScaleError,
    codec,
    make_enum,
    make_struct,
    make_variant,
)


@dataclass(repr=False)
class Shape:
    """A type in both worlds: our hint, its name there, our values, and how they are written there."""

    hint: Any
    name: str
    values: st.SearchStrategy[Any]
    there: Callable[[Any], Any]

    def __repr__(self) -> str:
        return str(codec(self.hint))


def same(value: Any) -> Any:
    return value


oracle = RuntimeConfigurationObject()
oracle.update_type_registry({"types": {}})
_fresh = iter(range(10**9))


def register(kind: str, body: dict[str, Any]) -> str:
    name = f"{kind}{next(_fresh)}"
    oracle.update_type_registry({"types": {name: {"type": kind.lower(), **body}}})
    return name


def alias(shape: Shape) -> str:
    """A plain name for a type: scalecodec's grammar nests only so far."""
    name = f"Alias{next(_fresh)}"
    oracle.update_type_registry({"types": {name: shape.name}})
    return name


def integers(hint: Any, bits: int, signed: bool) -> Shape:
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    edges = st.sampled_from([low, high, 0, 63, 64]) if bits > 8 else st.just(low)
    return Shape(hint, f"{'i' if signed else 'u'}{bits}", edges | st.integers(low, high), same)


UNSIGNED = [
    integers(h, b, False) for h, b in ((U8, 8), (U16, 16), (U32, 32), (U64, 64), (U128, 128), (U256, 256))
]
SIGNED = [integers(h, b, True) for h, b in ((I8, 8), (I16, 16), (I32, 32), (I64, 64), (I128, 128))]
COMPACT_EDGES = [
    0,
    63,
    64,
    2**14 - 1,
    2**14,
    2**30 - 1,
    2**30,
    2**32 - 1,
    2**32,
    2**56,
    2**64 - 1,
    2**128 - 1,
]


def compact(bits: int) -> Shape:
    edges = st.sampled_from([edge for edge in COMPACT_EDGES if edge < 1 << bits])
    return Shape(
        Annotated[int, Compact(bits)], f"Compact<u{bits}>", edges | st.integers(0, (1 << bits) - 1), same
    )


LEAVES = [
    *UNSIGNED,
    *SIGNED,
    *(compact(bits) for bits in (8, 16, 32, 64, 128)),
    Shape(bool, "bool", st.booleans(), same),
    Shape(str, "String", st.text(max_size=80), same),
    Shape(bytes, "Vec<u8>", st.binary(max_size=80), list),
    Shape(Annotated[bytes, MaxLen(70)], "Vec<u8>", st.binary(max_size=70), list),
    Shape(
        Annotated[bytes, FixedBytes(32)],
        "[u8; 32]",
        st.binary(min_size=32, max_size=32),
        lambda v: "0x" + v.hex(),
    ),
    Shape(
        Annotated[bytes, FixedBytes(4)],
        "[u8; 4]",
        st.binary(min_size=4, max_size=4),
        lambda v: "0x" + v.hex(),
    ),
    Shape(tuple[()], "()", st.just(()), lambda v: None),
]


def vector(item: Shape) -> Shape:
    values = st.lists(item.values, max_size=70 if item in LEAVES else 4)
    return Shape(list[item.hint], f"Vec<{alias(item)}>", values, lambda v: [item.there(i) for i in v])


def array(item: Shape, length: int) -> Shape:
    hint = Annotated[list[item.hint], Length(length)]
    values = st.lists(item.values, min_size=length, max_size=length)
    return Shape(hint, f"[{alias(item)}; {length}]", values, lambda v: [item.there(i) for i in v])


def option(item: Shape) -> Shape:
    return Shape(
        item.hint | None,
        f"Option<{alias(item)}>",
        st.none() | item.values,
        lambda v: None if v is None else item.there(v),
    )


def pair(*items: Shape) -> Shape:
    hint = tuple.__class_getitem__(tuple(item.hint for item in items))
    name = f"({', '.join(alias(item) for item in items)})"
    values = st.tuples(*(item.values for item in items))
    return Shape(hint, name, values, lambda v: tuple(i.there(x) for i, x in zip(items, v, strict=True)))


def struct(items: list[Shape]) -> Shape:
    hint = make_struct("S", {f"f{n}": item.hint for n, item in enumerate(items)})
    name = register("Struct", {"type_mapping": [[f"f{n}", alias(item)] for n, item in enumerate(items)]})
    values = st.tuples(*(item.values for item in items)).map(
        lambda v: hint(**{f"f{n}": value for n, value in enumerate(v)})
    )

    def there(value: Any) -> Any:
        return {f"f{n}": item.there(getattr(value, f"f{n}")) for n, item in enumerate(items)}

    return Shape(hint, name, values, there)


def tagged_union(items: list[Shape]) -> Shape:
    variants = [make_variant(f"V{n}", {"value": item.hint}, index=n) for n, item in enumerate(items)]
    hint = make_enum("E", variants)
    name = register("Enum", {"type_mapping": [[f"V{n}", alias(item)] for n, item in enumerate(items)]})
    values = st.one_of(
        *(item.values.map(lambda v, c=cls: c(value=v)) for item, cls in zip(items, variants, strict=True))
    )

    def there(value: Any) -> Any:
        number = variants.index(type(value))
        return {f"V{number}": items[number].there(value.value)}

    return Shape(hint, name, values, there)


def result(ok: Shape, err: Shape) -> Shape:
    hint = Ok[ok.hint] | Err[err.hint]  # type: ignore[valid-type]
    values = ok.values.map(Ok) | err.values.map(Err)

    def there(value: Any) -> Any:
        return {"Ok": ok.there(value.value)} if isinstance(value, Ok) else {"Err": err.there(value.error)}

    name = register("Enum", {"type_mapping": [["Ok", alias(ok)], ["Err", alias(err)]]})
    return Shape(hint, name, values, there)


def larger(inner: st.SearchStrategy[Shape]) -> st.SearchStrategy[Shape]:
    sized = inner.filter(lambda item: codec(item.hint).min_len > 0)
    several = st.lists(inner, min_size=1, max_size=5)
    return st.one_of(
        sized.map(vector),
        st.builds(array, sized, st.sampled_from([1, 3, 17])),
        inner.filter(lambda item: not item.name.startswith(("Option", "()"))).map(option),
        st.builds(pair, inner, inner),
        several.map(struct),
        several.map(tagged_union),
        st.builds(result, inner, inner),
    )


SHAPES = st.recursive(st.sampled_from(LEAVES), larger, max_leaves=8)


def check(shape: Shape, value: Any) -> None:
    ours = codec(shape.hint)
    scale_object = oracle.create_scale_object(shape.name)
    data = bytes(scale_object.encode(shape.there(value)).data)
    assert ours.encode(value) == data
    assert ours.decode(data) == value
    assert ours.decode_from(b"\xaa" + data + b"\xbb", 1) == (value, 1 + len(data))
    assert ours.min_len <= len(data)
    assert ours.max_len is None or len(data) <= ours.max_len


@pytest.mark.parametrize("shape", LEAVES, ids=lambda shape: shape.name)
@given(data=st.data())
def test_leaves_agree_with_scalecodec(shape: Shape, data: st.DataObject) -> None:
    check(shape, data.draw(shape.values))


@given(data=st.data())
def test_random_types_agree_with_scalecodec(data: st.DataObject) -> None:
    shape = data.draw(SHAPES)
    check(shape, data.draw(shape.values))


@given(data=st.data())
def test_any_bytes_decode_to_their_own_encoding_or_are_refused(data: st.DataObject) -> None:
    """One value, one encoding: what decodes encodes to the very same bytes."""
    shape = data.draw(SHAPES)
    raw = data.draw(st.binary(max_size=60))
    try:
        value = codec(shape.hint).decode(raw)
    except ScaleError:
        return
    assert codec(shape.hint).encode(value) == raw


@given(data=st.data())
def test_cut_and_lengthened_input_is_refused(data: st.DataObject) -> None:
    shape = data.draw(SHAPES)
    ours = codec(shape.hint)
    raw = ours.encode(data.draw(shape.values))
    with pytest.raises(ScaleError):
        ours.decode(raw + b"\0")
    if raw:
        with pytest.raises(ScaleError):
            ours.decode(raw[: data.draw(st.integers(0, len(raw) - 1))])
