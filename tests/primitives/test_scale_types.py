"""SCALE types as Python classes: values, recursion, hostile input, messages, what metadata sees."""

from __future__ import annotations

import copy
import enum
import pickle
import threading
import tracemalloc
from typing import Annotated, Any, Generic, TypeVar

import pytest

from primitives.scale import (
    MAX_DEPTH,
    U8,
    U16,
    U32,
    U128,
    AccountId,
    CompactU32,
    Doc,
    Enum,
    EnumCodec,
    Err,
    FixedBytes,
    Length,
    MaxLen,
    Ok,
    Result,
    ScaleError,
    Struct,
    StructCodec,
    TypeName,
    Variant,
    changer,
    codec,
    decode,
    encode,
    make_enum,
    make_struct,
    make_variant,
    replace,
)

T = TypeVar("T")


class Point(Struct, path="geometry::Point"):
    """A place.

    In the plane.
    """

    x: U32
    y: U32 = 7


class Shape(Enum, path="geometry::Shape"):
    """A shape."""

    class Dot(Variant, index=4):
        """One point."""

        at: Annotated[Point, Doc("where"), TypeName("Place")]

    class Many(Variant):
        shapes: list[Shape]

    class Nothing(Variant, index=0):
        pass


class Tree(Struct):
    value: U8
    children: list[Tree]


class Box(Struct, Generic[T]):
    item: T
    more: list[T]


class Colour(enum.IntEnum):
    RED = 0
    BLUE = 9


def test_a_struct_is_an_immutable_value() -> None:
    point = Point(x=1)
    assert point == Point(x=1, y=7) and hash(point) == hash(Point(x=1, y=7)) and point != Point(x=2)
    assert repr(point) == "Point(x=1, y=7)"
    assert replace(point, x=3) == Point(x=3)
    with pytest.raises(AttributeError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del point.x
    with pytest.raises(TypeError):
        Point(y=1)  # type: ignore[call-arg]
    assert decode(Point, encode(Point, point)) == point


class Pixel(Point):
    at: tuple[U8, U8]
    colour: U8 = 3


@pytest.mark.parametrize(
    "made",
    [
        Pixel(x=1, at=(2, 3)),
        decode(Pixel, bytes([1, 0, 0, 0, 7, 0, 0, 0, 2, 3, 3])),
        changer(Pixel, "x")(Pixel(x=9, at=(2, 3)), 1),
        replace(Pixel(x=9, at=(2, 3)), x=1),
        copy.deepcopy(Pixel(x=1, at=(2, 3))),
        pickle.loads(pickle.dumps(Pixel(x=1, at=(2, 3)))),
    ],
)
def test_values_are_the_same_however_they_are_made(made: Pixel) -> None:
    assert type(made) is Pixel and made == Pixel(x=1, y=7, at=(2, 3), colour=3) != Point(x=1)
    assert not hasattr(made, "__dict__"), "all there is of a value is its fields"
    for name in ("x", "colour", "other", "__class__"):
        with pytest.raises(AttributeError):
            setattr(made, name, 1)
    with pytest.raises(AttributeError):
        del made.x
    assert encode(Pixel, made) == bytes([1, 0, 0, 0, 7, 0, 0, 0, 2, 3, 3])


def test_a_variant_without_fields_is_its_class_alone() -> None:
    assert Shape.Nothing() == decode(Shape, encode(Shape, Shape.Nothing())) != Shape.Many(shapes=[])
    assert hash(Shape.Nothing()) == hash(Shape.Nothing()) and not hasattr(Shape.Nothing(), "__dict__")


def test_a_variant_is_an_instance_of_its_enum() -> None:
    dot = Shape.Dot(at=Point(x=1))
    assert isinstance(dot, Shape) and repr(dot) == "Shape.Dot(at=Point(x=1, y=7))"
    assert encode(Shape, dot) == b"\4\1\0\0\0\7\0\0\0"
    assert encode(Shape, Shape.Many(shapes=[Shape.Nothing()])) == b"\5\4\0", (
        "an index continues the one before"
    )
    match decode(Shape, encode(Shape, dot)):
        case Shape.Dot(at=Point(x=x)):
            assert x == 1
        case _:
            pytest.fail("no match")


def test_generic_structs_and_int_enums() -> None:
    value = Box(item=1, more=[2, 3])
    assert encode(Box[U16], value) == b"\1\0\x08\2\0\3\0"
    assert decode(Box[U16], encode(Box[U16], value)) == value
    assert [name for name, _ in codec(Box[U16]).params] == ["T"]  # type: ignore[attr-defined]
    with pytest.raises(ScaleError, match="Box takes 1 type arguments, not 0"):
        encode(Box, value)
    assert decode(Colour, b"\x09") is Colour.BLUE
    assert codec(Annotated[Colour, Doc("a colour"), "a mark of somebody else"]).encode(Colour.RED) == b"\0"
    with pytest.raises(ScaleError, match="no variant 1"):
        decode(Colour, b"\1")


def test_codecs_describe_themselves() -> None:
    shape = codec(Shape)
    assert isinstance(shape, EnumCodec) and shape.path == ("geometry", "Shape") and shape.docs == ["A shape."]
    assert [(v.name, v.index, v.docs) for v in shape.variants] == [
        ("Dot", 4, ["One point."]),
        ("Many", 5, []),
        ("Nothing", 0, []),
    ]
    (field,) = shape.variants[0].fields
    assert (field.name, field.docs, field.type_name, field.codec) == ("at", ["where"], "Place", codec(Point))
    point = codec(Point)
    assert isinstance(point, StructCodec) and point.docs == ["A place.", "", "In the plane."]
    assert (point.min_len, point.max_len) == (8, 8) and shape.max_len is None and shape.min_len == 1
    assert codec(Annotated[list[U32], MaxLen(100)]).max_len == 402
    assert codec(list[U32]) is codec(list[U32])


def test_computed_types() -> None:
    inner = make_struct("Inner", {"a": U8, "b": codec(bool)}, path="x::Inner", docs="Computed.")
    outer = make_enum("Outer", [make_variant("In", {"value": inner}, index=3, unnamed=True)], path="x::Outer")
    value = outer.In(value=inner(a=1, b=True))
    assert (
        isinstance(value, outer) and encode(outer, value) == b"\3\1\1" and decode(outer, b"\3\1\1") == value
    )
    assert codec(inner).docs == ["Computed."]  # type: ignore[attr-defined]
    assert codec(outer).variants[0].fields[0].name is None  # type: ignore[attr-defined]


def test_recursion_works_up_to_the_limit_and_not_beyond() -> None:
    tree = Tree(value=1, children=[Tree(value=2, children=[]), Tree(value=3, children=[])])
    assert decode(Tree, encode(Tree, tree)) == tree
    level = b"\1\4"
    assert decode(Tree, level * MAX_DEPTH + b"\1\0").value == 1
    with pytest.raises(ScaleError, match="nested too deeply"):
        decode(Tree, level * (MAX_DEPTH + 1) + b"\1\0")
    with pytest.raises(ScaleError, match="nested too deeply"):
        decode(Shape, b"\5\4" * 100_000 + b"\0")


@pytest.mark.parametrize("prefix", [b"\xfe\xff\xff\xff", b"\3\xff\xff\xff\xff", b"\2\0\x10\0"])
@pytest.mark.parametrize(
    "hint", [bytes, str, list[U8], list[U128], list[Point], list[Shape], list[bool | None]]
)
def test_a_huge_length_prefix_allocates_nothing(hint: Any, prefix: bytes) -> None:
    codec(hint)
    with pytest.raises(ScaleError):
        decode(hint, b"")
    tracemalloc.start()
    with pytest.raises(ScaleError, match="unexpected end of input"):
        decode(hint, prefix + b"\0\0\0")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


@pytest.mark.parametrize(
    ("hint", "data", "message"),
    [
        (U8, b"", "unexpected end of input: 1 bytes needed at byte 0, 0 left"),
        (U32, b"\1\2\3\4\5", "1 bytes left over after the value"),
        (CompactU32, b"\1\0", "compact 0 is written in 2 bytes, not in the shortest form"),
        (CompactU32, b"\xfd\0", "compact 63 is written in 2 bytes"),
        (CompactU32, b"\2\0\0\0", "shortest form"),
        (CompactU32, b"\3\xff\xff\xff\x3f", "shortest form"),
        (CompactU32, b"\7\1\0\0\0\1", "does not fit 32 bits"),
        (CompactU32, b"\7\1\0\0\1\0", "shortest form"),
        (list[U8], b"\7\1\0\0\0\1", "does not fit 32 bits"),
        (bool, b"\2", "2 is not a bool"),
        (str, b"\4\xff", "text is not UTF-8"),
        (str, b"\x0c\xed\xa0\x80", "text is not UTF-8"),
        (U8 | None, b"\2\0", "2 is not the tag of an option"),
        (Result[U8, U8], b"\2\0", "2 is not the tag of a result"),
        (Shape, b"\1", "Shape: no variant 1"),
        (Annotated[list[U8], MaxLen(2)], b"\x0c\1\2\3", "length 3 is over the bound of 2"),
        (Annotated[bytes, MaxLen(2)], b"\x0c\1\2\3", "length 3 is over the bound of 2"),
        (Annotated[str, MaxLen(2)], b"\x0cabc", "length 3 is over the bound of 2"),
    ],
)
def test_malformed_bytes_have_a_named_reason(hint: Any, data: bytes, message: str) -> None:
    with pytest.raises(ScaleError, match=message):
        decode(hint, data)


@pytest.mark.parametrize(
    ("hint", "value", "message"),
    [
        (U8, 256, r"256 does not fit u8 \(0..255\)"),
        (U8, -1, "-1 does not fit u8"),
        (U8, 1.0, "1.0 is not a u8"),
        (U128, 1 << 128, "does not fit u128"),
        (U128, -1, "does not fit u128"),
        (CompactU32, 1 << 32, r"does not fit Compact<u32> \(0..4294967295\)"),
        (CompactU32, -1, "does not fit Compact<u32>"),
        (bool, 2, "2 is not a bool"),
        (str, b"a", "b'a' is not a str"),
        (bytes, "a", r"'a' is not a Vec<u8>"),
        (AccountId, b"short", "AccountId32 has 32 bytes, not 5"),
        (Annotated[bytes, MaxLen(2)], b"abc", "3 bytes are over the bound of 2"),
        (Annotated[list[U8], MaxLen(2)], [1, 2, 3], "3 items are over the bound of 2"),
        (Annotated[list[U8], Length(2)], [1], r"\[u8; 2\] has 2 items, not 1"),
        (list[U8], [1, 300], r"\[1\]: 300 does not fit u8"),
        (tuple[U8, U8], (1, 2, 3), r"\(u8, u8\) has 2 items, not 3"),
        (Point, Point(x=-1), "Point.x: -1 does not fit u32"),
        (Shape, Shape.Dot(at=Point(x=0, y=-1)), "Dot.at: Point.y: -1 does not fit u32"),
        (Shape, Point(x=1), r"Point\(x=1, y=7\) is not a Shape"),
        (Result[U8, U8], Err(300), "300 does not fit u8"),
        (Result[U8, U8], 3, "3 is not a Result<u8, u8>"),
        (Colour, 1, "1 is not a Colour"),
    ],
)
def test_values_that_do_not_fit_are_named(hint: Any, value: Any, message: str) -> None:
    with pytest.raises(ScaleError, match=message):
        encode(hint, value)


def test_hints_without_codec() -> None:
    for hint in (int, float, dict[str, int], list[int], tuple[int, ...], Annotated[int, "u8"]):
        with pytest.raises(ScaleError, match=r"no SCALE codec for .*: annotate it, e\.g\. U32"):
            codec(hint)
    with pytest.raises(ScaleError, match="a union is written as an Enum"):
        codec(U8 | str)
    bad = make_struct("Bad", {"count": int})
    with pytest.raises(ScaleError, match=r"Bad\.count: no SCALE codec for <class 'int'>"):
        encode(bad, bad(count=1))
    with pytest.raises(ScaleError, match="items of zero bytes"):
        encode(list[tuple[()]], [()])
    with pytest.raises(ScaleError, match="share index 1"):
        make_enum("E", [make_variant("A", {}, index=1), make_variant("B", {}, index=1)])


def test_a_type_that_failed_to_compile_fails_again() -> None:
    bad = make_enum("Bad", [make_variant("A", {"x": int}, index=0)])
    for _ in range(2):
        with pytest.raises(ScaleError, match="no SCALE codec"):
            decode(bad, b"\0\0")


def test_decode_from_bounds_and_buffers() -> None:
    buffers: tuple[Any, Any] = (bytearray(b"\1\2"), memoryview(b"\4a"))
    assert decode(U16, buffers[0]) == 513 and decode(bytes, buffers[1]) == b"a"
    with pytest.raises(ScaleError, match="offset 3 is outside 2 bytes"):
        codec(U8).decode_from(b"ab", 3)
    with pytest.raises(ScaleError, match="offset -1"):
        codec(U8).decode_from(b"ab", -1)


def test_threads_may_meet_in_a_new_type() -> None:
    results: list[Any] = []
    node: Any = make_struct("Node", {f"f{n}": Annotated[bytes, FixedBytes(8)] | None for n in range(40)})
    data = b"\0" * 40
    threads = [
        threading.Thread(target=lambda: results.append(decode(list[node], b"\4" + data))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8 and all(result == results[0] for result in results)


def test_results_and_units() -> None:
    assert encode(Result[tuple[()], U8], Ok(())) == b"\0"
    assert decode(Result[tuple[()], U8], b"\1\3") == Err(3)
    assert decode(tuple[()], b"") == ()
