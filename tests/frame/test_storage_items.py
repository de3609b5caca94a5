"""Storage items: keys, defaults, iteration, and what they refuse."""

from __future__ import annotations

import pytest

from frame import Arithmetic, ArithmeticFailure, Corruption, StorageMissing
from frame.codecs import is_shareable
from frame.testing import Externalities
from primitives.hashing import blake2_128_concat, twox_64_concat, twox_128
from primitives.scale import U32, Enum, Variant, codec
from tests.frame.template_runtime import Point, Template

A, B = b"a" * 32, b"b" * 32


def test_substrates_keys(ext: Externalities, template: Template) -> None:
    system = ext.machine.system
    account = "26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9"
    assert system.account_info.key.hex() == account  # type: ignore[attr-defined]
    now = ext.machine.pallets[1].now_ms.key  # type: ignore[attr-defined]
    assert now.hex() == "f0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb"
    prefix = twox_128(b"Template") + twox_128(b"Changes")
    assert template.changes.key_of(A) == prefix + blake2_128_concat(A)
    pairs = twox_128(b"Template") + twox_128(b"Pairs")
    assert template.pairs.key_of((5, A)) == pairs + twox_64_concat(b"\5\0\0\0") + twox_64_concat(A)


def test_value(template: Template) -> None:
    template.something.kill()
    assert not template.something.exists()
    assert template.something.try_get() is None
    with pytest.raises(StorageMissing, match="Something holds no value"):
        template.something.get()
    template.something.put(9)
    assert (template.something.get(), template.something.take(), template.something.take()) == (9, 9, None)
    assert template.total.get() == 7
    assert template.total.try_get() is None
    template.log.get().append(3)
    assert template.log.get() == []


def test_map(template: Template) -> None:
    assert template.changes[A] == 0
    assert template.changes.get(A) is None
    assert template.changes.get(A, 5) == 5
    template.changes[A] = 3
    template.changes[B] = 4
    assert A in template.changes
    assert dict(template.changes.items()) == {A: 3, B: 4}
    assert list(template.changes) == sorted((A, B), key=blake2_128_concat)
    assert template.changes.take(A) == 3
    del template.changes[B]
    assert list(template.changes.values()) == []
    with pytest.raises(StorageMissing):
        template.points[1]
    template.points[1] = Point(x=1, y=2)
    assert template.points[1] == Point(x=1, y=2)


def test_double_map(template: Template) -> None:
    template.pairs[1, A] = 10
    template.pairs[1, B] = 11
    template.pairs[2, A] = 12
    assert dict(template.pairs.items_prefix(1)) == {A: 10, B: 11}
    assert set(template.pairs.keys()) == {(1, A), (1, B), (2, A)}
    assert template.pairs.get(3, A) is None
    assert template.pairs.remove_prefix(1, 1) == 1
    assert template.pairs.remove_prefix(1) == 1
    assert dict(template.pairs.items()) == {(2, A): 12}
    assert template.pairs.take(2, A) == 12
    assert (2, A) not in template.pairs
    with pytest.raises(StorageMissing):
        template.pairs[2, A]


def test_counted_map(template: Template) -> None:
    for number in (1, 2, 2, 3):
        template.names[number] = b"x"
    assert template.names.count() == 3
    template.names.remove(1)
    template.names.remove(1)
    assert template.names.take(2) == b"x"
    assert template.names.count() == 1
    assert template.names.clear() == 1
    assert template.names.count() == 0


def test_out_of_range_is_an_arithmetic_failure(template: Template) -> None:
    with pytest.raises(ArithmeticFailure) as over:
        template.something.put(1 << 32)
    assert over.value.kind is Arithmetic.Overflow
    with pytest.raises(ArithmeticFailure) as under:
        template.changes[A] -= 1
    assert under.value.kind is Arithmetic.Underflow
    with pytest.raises(ArithmeticFailure):
        template.names[1] = b"x" * 9
    with pytest.raises(TypeError, match="Something"):
        template.something.put(None)  # type: ignore[arg-type]


def test_corrupt_state_has_a_name(ext: Externalities, template: Template) -> None:
    ext.overlay.put(template.something.key, b"\1")
    with pytest.raises(Corruption, match="Something"):
        template.something.get()


def test_a_transaction_rolls_back_on_any_exception(ext: Externalities, template: Template) -> None:
    before = ext.state()
    with pytest.raises(KeyError), template.transaction():
        template.total.put(1)
        with template.transaction():
            template.total.put(2)
        template.deposit(template.Stepped(steps=1))
        raise KeyError
    assert ext.state() == before
    assert ext.events() == []
    with template.transaction():
        template.total.put(2)
    assert template.total.get() == 2


def test_values_that_can_change_are_never_shared(template: Template) -> None:
    assert is_shareable(codec(Point)) and is_shareable(codec(tuple[U32, bytes]))
    assert not is_shareable(codec(U32)) and not is_shareable(codec(list[U32]))
    assert not is_shareable(codec(tuple[U32, list[U32]])) and not is_shareable(codec(Tree))
    template.points[1] = Point(x=1, y=2)
    assert template.points[1] is template.points[1]
    template.log.put([1])
    assert template.log.get() is not template.log.get()


class Tree(Enum):
    """A type that holds itself, in lists."""

    class Leaf(Variant):
        """The end."""

    class Node(Variant):
        """More of it."""

        children: list[Tree]
