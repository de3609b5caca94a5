"""Mistakes in a pallet's class body are caught when the class is made, in plain sentences."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import pytest

from frame import AnyCall, Event, Origin, Pallet, StorageMap, StorageValue, Weight, call
from frame.runtime import Runtime
from frame.weights import weight
from pallets.system import System
from primitives.scale import U8, U32, Struct
from tests.frame.template_runtime import Template, TemplateRuntime


class Wrapped(Struct):
    """A call inside a struct."""

    call: AnyCall


def test_a_plain_int_has_no_codec() -> None:
    with pytest.raises(TypeError, match=r"Bad\.x: no SCALE codec for <class 'int'>: annotate it, e\.g\. U32"):

        class Bad(Pallet[None]):
            x = StorageValue[int]()

    with pytest.raises(TypeError, match=r"Bad\.f: argument `n`: no SCALE codec for <class 'int'>"):

        class Bad(Pallet[None]):  # type: ignore[no-redef]
            @call(0)
            def f(self, origin: Origin, n: int) -> None: ...

    with pytest.raises(TypeError, match="no SCALE codec for <class 'int'>"):

        class Bad(Pallet[None]):  # type: ignore[no-redef]
            class Done(Event):
                n: int

    @dataclass(frozen=True)
    class Config:
        limit: int = 3

    class Late(Pallet[Config]):
        pass

    with pytest.raises(TypeError, match="Late's config `limit`: no SCALE codec for <class 'int'>"):
        Late(index=0)


def test_storage_says_its_types() -> None:
    with pytest.raises(TypeError, match=r"Bad\.x: say the types, e\.g\. StorageMap\[U32\]\(\)"):

        class Bad(Pallet[None]):
            x = StorageMap()  # type: ignore[var-annotated]

    with pytest.raises(TypeError, match=r"Bad\.x: the default does not fit: 256 does not fit u8"):

        class Bad(Pallet[None]):  # type: ignore[no-redef]
            x = StorageValue[U8](default=256)


def test_calls() -> None:
    with pytest.raises(TypeError, match=r"Bad\.g: index 0 belongs to f already"):

        class Bad(Pallet[None]):
            @call(0)
            def f(self, origin: Origin) -> None: ...

            @call(0)
            def g(self, origin: Origin) -> None: ...

    with pytest.raises(TypeError, match=r"Bad\.f: a call begins with \(self, origin: Origin, …\)"):

        class Bad(Pallet[None]):  # type: ignore[no-redef]
            @call(0)  # type: ignore[arg-type]
            def f(self, n: U32) -> None: ...

    with pytest.raises(TypeError, match="names `m`, which is not an argument"):

        class Bad(Pallet[None]):  # type: ignore[no-redef]
            @call(0, weight=lambda m: weight(m))  # noqa: PLW0108
            def f(self, origin: Origin, n: U32) -> None: ...

    with pytest.raises(TypeError, match="must be plain, without default"):

        class Bad(Pallet[None]):  # type: ignore[no-redef]
            @call(0)
            def f(self, origin: Origin, n: U32 = 3) -> None: ...

    with pytest.raises(TypeError, match="index 256 does not fit a byte"):
        call(256)(lambda self, origin: None)


def test_config() -> None:
    with pytest.raises(TypeError, match="Template has no config `max_stepp`; it has: max_step, unit"):
        Template(index=7, max_stepp=1)
    with pytest.raises(TypeError, match="Template's config `max_step`: -1 does not fit u32"):
        Template(index=7, max_step=-1)

    @dataclass(frozen=True)
    class Needs:
        limit: U32

    class Needy(Pallet[Needs]):
        pass

    with pytest.raises(TypeError, match="Needy needs the config `limit`"):
        Needy(index=0)
    with pytest.raises(TypeError, match="has no config, so `x` means nothing"):

        class Plain(Pallet[None]):
            pass

        Plain(index=0, x=1)


def test_runtime() -> None:
    with pytest.raises(TypeError, match="System and Template share index 0"):

        class Bad(Runtime, spec_name="bad", spec_version=1):
            system = System(index=0)
            template = Template(index=0)

    with pytest.raises(TypeError, match="Bad: Template is listed twice"):

        class Bad(Runtime, spec_name="bad", spec_version=1):  # type: ignore[no-redef]
            system = System(index=0)
            template = Template(index=1)
            second = Template(index=2)

    with pytest.raises(TypeError, match="Bad has no pallet `system`"):

        class Bad(Runtime, spec_name="bad", spec_version=1):  # type: ignore[no-redef]
            template = Template(index=1)


def test_a_call_inside_a_struct_is_refused() -> None:
    class Wrapping(Pallet[None]):
        @call(0)
        def f(self, origin: Origin, wrapped: Wrapped) -> None: ...

    class WithWrapping(Runtime, spec_name="bad", spec_version=1):
        system = System(index=0)
        wrapping = Wrapping(index=1)

    from primitives.scale import ScaleError

    with pytest.raises(ScaleError, match="may only be an argument of a call"):
        WithWrapping.call_codec.decode(b"\1\0\0\0\0")


def test_missing_weights_are_named() -> None:
    class Unweighed(Pallet[None]):
        @call(0)
        def add_many(self, origin: Origin, step: U32) -> None: ...

    class WithUnweighed(Runtime, spec_name="bad", spec_version=1):
        system = System(index=0)
        template = Unweighed(index=1)

    with pytest.raises(
        TypeError,
        match=r"^Template\.add_many: no weight; run `gristmill benchmark pallet --pallet unweighed`$",
    ):
        WithUnweighed().require_weights()
    assert TemplateRuntime().missing_weights() == []


def test_declared_names() -> None:
    declared = Template.declaration
    assert [error.index for error in declared.errors] == [0, 1]
    assert [event.__name__ for event in declared.events] == ["Stored", "Stepped"]
    assert [item.name for item in declared.storage][:2] == ["Something", "Total"]
    assert declared.docs.startswith("Stores numbers.")
    assert TemplateRuntime.template.name == "Template"
    assert [(c.name, c.value, c.docs) for c in TemplateRuntime.template.constants()] == [
        ("MaxStep", 50, "The largest step."),
        ("Unit", 1_000_000, ""),
    ]


def test_reasons_and_weights() -> None:
    class Reason(IntEnum):
        X = 3

    assert TemplateRuntime.template.reason(Reason.X) == b"\x07\x03"
    w = weight(5, 7)
    assert w + w == w * 2 == 2 * w == weight(10, 14)
    assert w - weight(9, 1) == weight(0, 6)
    assert weight(1 << 70) == weight((1 << 64) - 1)
    assert w.min(weight(1, 9)) == weight(1, 7) and w.max(weight(1, 9)) == weight(5, 9)
    assert isinstance(w, Weight) and w.fits(w) and not w.fits(weight(5, 6))
