"""Genesis values from the JSON of chain specs, and the test externalities themselves."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Any

import pytest

from frame import Pallet
from frame.accounts import pallet_account
from frame.genesis import GenesisError, from_json
from frame.host import PlainHost
from frame.names import camel, doc_lines, lower_camel
from frame.testing import START_MS, Chain, Externalities, externalities
from primitives.keys import Keypair
from primitives.scale import U32, AccountId, Enum, FixedBytes, MaxLen, Struct, Variant, codec
from tests.frame.template_runtime import ALICE, Point, Template, TemplateRuntime


class Colour(IntEnum):
    """A field-less enum."""

    Red = 0
    Blue = 2


class Shape(Enum):
    """A tagged union."""

    class Dot(Variant):
        """Nothing in it."""

    class Circle(Variant):
        """A field."""

        radius: U32


class Absent(Pallet[None]):
    """A pallet that is in no runtime."""


class Outer(Struct):
    """Things in things."""

    owner_key: AccountId
    points: list[Point]
    colour: Colour
    maybe: U32 | None


@pytest.mark.parametrize(
    ("hint", "given", "value"),
    [
        (AccountId, ALICE.address, ALICE.account_id),
        (AccountId, "0x" + "11" * 32, b"\x11" * 32),
        (bytes, "0x0102", b"\1\2"),
        (Annotated[bytes, FixedBytes(2)], "0x0102", b"\1\2"),
        (list[U32], [1, 2], [1, 2]),
        (tuple[U32, bool], [7, True], (7, True)),
        (U32 | None, None, None),
        (U32 | None, 4, 4),
        (Colour, "Blue", Colour.Blue),
        (Shape, "Dot", Shape.Dot()),
        (Shape, {"Circle": {"radius": 3}}, Shape.Circle(radius=3)),
        (str, "text", "text"),
        (
            Outer,
            {"ownerKey": ALICE.address, "points": [{"x": 1, "y": 2}], "colour": "Red", "maybe": 5},
            Outer(owner_key=ALICE.account_id, points=[Point(x=1, y=2)], colour=Colour.Red, maybe=5),
        ),
    ],
)
def test_values(hint: Any, given: Any, value: Any) -> None:
    assert from_json(codec(hint), given, "here") == value


@pytest.mark.parametrize(
    ("hint", "given", "text"),
    [
        (AccountId, "5Grw", "here: "),
        (AccountId, "0xzz", "is not hex"),
        (bytes, "plain", "bytes are written as 0x"),
        (Annotated[bytes, MaxLen(1)], "0x0102", "over the bound of 1"),
        (list[U32], 5, "here: "),
        (tuple[U32, U32], [1], "here: "),
        (U32, "5", "here: "),
        (U32, -1, "does not fit u32"),
        (U32, True, "an integer is expected, not true"),
        (U32, 1.0, "here: "),
        (Colour, "Green", "no variant `Green`"),
        (Shape, "Square", "no variant `Square`"),
        (Shape, 4, "here: "),
        (Shape, {"Circle": {}}, "here: "),
        (Point, {"x": 1}, "here: "),
        (Point, {"x": 1, "z": 2}, "here.z: there is no such field"),
        (list[Point], [{"x": 1, "y": "no"}], r"here"),
    ],
)
def test_what_does_not_fit(hint: Any, given: Any, text: str) -> None:
    with pytest.raises(GenesisError, match=text):
        from_json(codec(hint), given, "here")


def test_a_pallet_s_genesis() -> None:
    config = {"template": {"something": 9, "points": [[3, {"x": 1, "y": 2}]], "owner": ALICE.address}}
    template = externalities(TemplateRuntime, config).of(TemplateRuntime.template)
    assert template.something.get() == 9
    assert dict(template.points.items()) == {3: Point(x=1, y=2)}
    assert template.changes[ALICE.account_id] == 1
    given = {"template": Template.Genesis(something=8)}
    assert externalities(TemplateRuntime, given).of(TemplateRuntime.template).something.get() == 8
    assert externalities(TemplateRuntime).of(TemplateRuntime.template).something.get() == 42


def test_externalities(ext: Externalities, template: Template) -> None:
    assert ext.pallet(Template) is template
    with pytest.raises(LookupError, match="TemplateRuntime has no Absent"):
        ext.pallet(Absent)
    ext.set_time(START_MS)
    ext.roll(2, ms=500)
    assert ext.time() == START_MS + 1000
    assert ext.machine.system.block_number() == 3
    assert ext.events() == []
    root = ext.root()
    with ext.undone():
        template.total.put(1)
        assert template.total.get() == 1
    assert ext.root() == root
    template.deposit(Template.Stepped(steps=4))
    assert ext.last_event() == Template.Stepped(steps=4)
    ext.try_state()


def test_a_chain_validates_what_it_will_take(ext: Externalities, chain: Chain) -> None:
    call = ext.of(TemplateRuntime.template).store.new(5)
    raw = chain.sign(ALICE, call)
    chain.block(raw)
    assert chain.hash_of(1) == chain.header.hash
    stranger = Keypair.from_uri("//Stranger")
    with pytest.raises(Exception, match="Inability to pay"):
        chain.block(chain.sign(stranger, call))


def test_small_things() -> None:
    assert camel("ss58_prefix") == "SS58Prefix"
    assert camel("existential_deposit") == "ExistentialDeposit"
    assert lower_camel("next_dataset_id") == "nextDatasetId"
    assert doc_lines("") == [] and doc_lines("a\n\nb ") == ["a", "", "b"]
    account = pallet_account(b"gm/rwrds")
    assert account == b"modlgm/rwrds" + bytes(20)
    assert pallet_account(b"gm/rwrds", b"x" * 40)[12:] == b"x" * 20
    with pytest.raises(ValueError, match="8 bytes"):
        pallet_account(b"short")
    host = PlainHost()
    host.index_blob(b"h", 0, b"d")
    assert host.blobs == [(b"h", 0, b"d")]
    with pytest.raises(NotImplementedError):
        host.replay_step(b"")
    assert not host.verify(1, bytes(64), b"", bytes(32))
