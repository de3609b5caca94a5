"""Codecs of values made of parts without names: vectors, arrays, tuples, options, results."""

from __future__ import annotations

import struct
from typing import Any

from primitives.scale.base import Codec, read, read_into, write
from primitives.scale.emit import Reader, Writer, compact_len
from primitives.scale.errors import ScaleError, show
from primitives.scale.leaves import IntCodec
from primitives.scale.values import Err, Ok

_UNROLLED = 16  # longest array whose items become locals of the generated function


class SequenceCodec(Codec[list[Any]]):
    """`Vec<item>`; `max` makes it a bounded vector."""

    def __init__(self, item: Codec[Any], max: int | None = None) -> None:
        super().__init__()
        self.item = item
        self.max = max

    def __str__(self) -> str:
        return f"Vec<{self.item}>" if self.max is None else f"BoundedVec<{self.item}, {self.max}>"

    @property
    def min_len(self) -> int:
        return 1

    @property
    def max_len(self) -> int | None:
        item = None if self.max is None else self.item.max_len
        if self.max is None or item is None:
            return None
        return compact_len(self.max) + self.max * item

    def _item_min(self) -> int:
        size = self.item.min_len
        if size == 0:
            raise ScaleError(f"{self}: items of zero bytes would let a length prefix of any size pass")
        return size

    def emit_decode(self, r: Reader) -> str:
        size, name, item_min = r.length(), r.fresh(), self._item_min()
        if self.max is not None:
            r.line(f"if {size} > {self.max}: raise too_long({size}, {self.max})")
        total = size if item_min == 1 else f"{size} * {item_min}"
        r.line(f"if {total} > e - o: raise truncated(o, {total}, e)")
        if isinstance(self.item, IntCodec) and len(self.item.form) == 1:
            r.line(f"{name} = list(unpack_from(f'<{{{size}}}{self.item.form}', b, o))")
            r.line(f"o += {total}")
            return name
        _emit_loop(r, self.item, name, size)
        return name

    def emit_encode(self, w: Writer, value: str) -> None:
        self._item_min()
        name = w.local(value)
        w.line(f"if len({name}) > {0xFFFF_FFFF if self.max is None else self.max}: raise ValueError")
        w.part(f"compact(len({name}))")
        _emit_items(w, self.item, name)

    def explain(self, value: object) -> ScaleError:
        if not isinstance(value, (list, tuple)):
            return super().explain(value)
        if self.max is not None and len(value) > self.max:
            return ScaleError(f"{len(value)} items are over the bound of {self.max}")
        return _explain_items(self, [self.item] * len(value), value)


class ArrayCodec(Codec[list[Any]]):
    """`[item; length]` as a list."""

    def __init__(self, item: Codec[Any], length: int) -> None:
        super().__init__()
        self.item = item
        self.length = length

    def __str__(self) -> str:
        return f"[{self.item}; {self.length}]"

    @property
    def min_len(self) -> int:
        return self.length * self.item.min_len

    @property
    def max_len(self) -> int | None:
        item = self.item.max_len
        return None if item is None else self.length * item

    def emit_decode(self, r: Reader) -> str:
        if self.length <= _UNROLLED:
            return "[" + ", ".join([read(self.item, r) for _ in range(self.length)]) + "]"
        r.flush()
        name = r.fresh()
        r.line(f"if {self.min_len} > e - o: raise truncated(o, {self.min_len}, e)")
        if isinstance(self.item, IntCodec) and len(self.item.form) == 1:
            unpack = r.bind(struct.Struct(f"<{self.length}{self.item.form}").unpack_from)
            r.line(f"{name} = list({unpack}(b, o))")
            r.line(f"o += {self.min_len}")
            return name
        _emit_loop(r, self.item, name, str(self.length))
        return name

    def emit_encode(self, w: Writer, value: str) -> None:
        name = w.local(value)
        w.line(f"if len({name}) != {self.length}: raise ValueError")
        _emit_items(w, self.item, name)

    def explain(self, value: object) -> ScaleError:
        if not isinstance(value, (list, tuple)):
            return super().explain(value)
        if len(value) != self.length:
            return ScaleError(f"{self} has {self.length} items, not {len(value)}")
        return _explain_items(self, [self.item] * len(value), value)


class TupleCodec(Codec[tuple[Any, ...]]):
    """A tuple; the empty one is the unit type."""

    def __init__(self, items: tuple[Codec[Any], ...]) -> None:
        super().__init__()
        self.items = items

    def __str__(self) -> str:
        return f"({', '.join(str(item) for item in self.items)})"

    @property
    def min_len(self) -> int:
        return sum(item.min_len for item in self.items)

    @property
    def max_len(self) -> int | None:
        return total(item.max_len for item in self.items)

    def emit_decode(self, r: Reader) -> str:
        values = [read(item, r) for item in self.items]
        return f"({', '.join(values)}{',' if len(values) == 1 else ''})"

    def emit_encode(self, w: Writer, value: str) -> None:
        names = [w.fresh() for _ in self.items]
        w.line(f"{', '.join(names)}{',' if names else '()'} = {value}")
        for item, name in zip(self.items, names, strict=True):
            write(item, w, name)

    def explain(self, value: object) -> ScaleError:
        if not isinstance(value, tuple):
            return super().explain(value)
        if len(value) != len(self.items):
            return ScaleError(f"{self} has {len(self.items)} items, not {len(value)}")
        return _explain_items(self, self.items, value)


class OptionCodec(Codec[Any]):
    """`Option<item>`: `00`, or `01` and the value."""

    def __init__(self, item: Codec[Any]) -> None:
        super().__init__()
        self.item = item

    def __str__(self) -> str:
        return f"Option<{self.item}>"

    @property
    def min_len(self) -> int:
        return 1

    @property
    def max_len(self) -> int | None:
        item = self.item.max_len
        return None if item is None else 1 + item

    def emit_decode(self, r: Reader) -> str:
        tag, name = r.read("B"), r.fresh()
        r.flush()
        r.line(f"if {tag} == 0: {name} = None")
        r.line(f"elif {tag} == 1:")
        with r.indented():
            read_into(self.item, r, name)
        r.line(f"else: raise ScaleError(f'{{{tag}}} is not the tag of an option')")
        return name

    def emit_encode(self, w: Writer, value: str) -> None:
        name = w.local(value)
        w.part(f"(b'\\0' if {name} is None else b'\\1' + {w.bind(self.item.encoder())}({name}))")

    def explain(self, value: object) -> ScaleError:
        return self.item.explain(value)


class ResultCodec(Codec[Any]):
    """`Result<ok, err>`: `00` and the value of `Ok`, or `01` and that of `Err`."""

    def __init__(self, ok: Codec[Any], err: Codec[Any]) -> None:
        super().__init__()
        self.ok = ok
        self.err = err

    def __str__(self) -> str:
        return f"Result<{self.ok}, {self.err}>"

    @property
    def min_len(self) -> int:
        return 1 + min(self.ok.min_len, self.err.min_len)

    @property
    def max_len(self) -> int | None:
        ok, err = self.ok.max_len, self.err.max_len
        return None if ok is None or err is None else 1 + max(ok, err)

    def emit_decode(self, r: Reader) -> str:
        tag, name = r.read("B"), r.fresh()
        r.flush()
        for keyword, number, wrapper, codec in (("if", 0, Ok, self.ok), ("elif", 1, Err, self.err)):
            r.line(f"{keyword} {tag} == {number}:")
            with r.indented():
                read_into(codec, r, name, f"{r.bind(wrapper)}({{}})")
        r.line(f"else: raise ScaleError(f'{{{tag}}} is not the tag of a result')")
        return name

    def emit_encode(self, w: Writer, value: str) -> None:
        name = w.local(value)
        ok, err = w.bind(self.ok.encoder()), w.bind(self.err.encoder())
        w.line(f"if type({name}) not in ({w.bind(Ok)}, {w.bind(Err)}): raise ValueError")
        w.part(
            f"(b'\\0' + {ok}({name}.value) if type({name}) is {w.bind(Ok)} else b'\\1' + {err}({name}.error))"
        )

    def explain(self, value: object) -> ScaleError:
        if isinstance(value, Ok):
            return self.ok.explain(value.value)
        if isinstance(value, Err):
            return self.err.explain(value.error)
        return super().explain(value)


def total(parts: Any) -> int | None:
    """The sum of lengths, None as soon as one of them is None."""
    result = 0
    for part in parts:
        if part is None:
            return None
        result += part
    return result


def fails(codec: Codec[Any], value: object) -> ScaleError | None:
    """The error of encoding `value`, if there is one."""
    try:
        codec.encode(value)
    except ScaleError as error:
        return error
    return None


def _emit_loop(r: Reader, item: Codec[Any], name: str, count: str) -> None:
    r.line(f"{name} = []")
    r.line(f"for _ in range({count}):")
    with r.indented():
        value = read(item, r)
        r.flush()
        r.line(f"{name}.append({value})")


def _emit_items(w: Writer, item: Codec[Any], name: str) -> None:
    if isinstance(item, IntCodec) and len(item.form) == 1:
        w.part(f"pack(f'<{{len({name})}}{item.form}', *{name})")
    else:
        w.part(f"b''.join([{w.bind(item.encoder())}(i) for i in {name}])")


def _explain_items(codec: Codec[Any], items: Any, values: Any) -> ScaleError:
    for index, (item, value) in enumerate(zip(items, values, strict=True)):
        error = fails(item, value)
        if error is not None:
            return ScaleError(f"[{index}]: {error}")
    return ScaleError(f"{show(values)} is not a {codec}")
