"""Source text of straight-line codecs.

Every codec turns into one Python function a direction. `Reader` collects the statements that decode, `Writer`
those that encode. Neighbouring fields of fixed size are gathered into one `struct` call, also across the
borders of nested structs: that is where the speed comes from (an 80-byte account is one `unpack_from`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from primitives.scale.errors import ScaleError, show, too_deep, too_long, trailing, truncated

MAX_DEPTH = 64
"""Nested enums and recursive types a value may hold. Fixed, since Python's own limit depends on who calls."""


def compact_len(value: int) -> int:
    """Bytes of the compact encoding of `value`."""
    if value < 1 << 6:
        return 1
    if value < 1 << 14:
        return 2
    if value < 1 << 30:
        return 4
    return 1 + max(4, (value.bit_length() + 7) // 8)


_SMALL = tuple(bytes([n << 2]) for n in range(64))


def encode_compact(value: int) -> bytes:
    """The shortest SCALE compact encoding of an unsigned integer below 2**536."""
    if 0 <= value < 64:
        return _SMALL[value]
    if value < 0:
        raise ScaleError(f"{value} is negative; compact integers are not")
    if value < 1 << 14:
        return (value << 2 | 1).to_bytes(2, "little")
    if value < 1 << 30:
        return (value << 2 | 2).to_bytes(4, "little")
    size = max(4, (value.bit_length() + 7) // 8)
    if size > 67:
        raise ScaleError(f"{show(value)} is too large for a compact integer")
    return bytes([(size - 4) << 2 | 3]) + value.to_bytes(size, "little")


def decode_compact(data: bytes, offset: int, bits: int = 536) -> tuple[int, int]:
    """Read one compact integer of at most `bits` bits, in its shortest form: (value, offset after it)."""
    end = len(data)
    if offset < end:
        first = data[offset]
        mode = first & 3
        if mode == 1 and offset + 2 <= end:
            value = (first | data[offset + 1] << 8) >> 2
            if value > 63 and bits > 13:
                return value, offset + 2
        elif mode == 2 and offset + 4 <= end:
            value = int.from_bytes(data[offset : offset + 4], "little") >> 2
            if value > 0x3FFF and bits > 29:
                return value, offset + 4
        elif mode == 3:
            size = (first >> 2) + 4
            stop = offset + 1 + size
            value = int.from_bytes(data[offset + 1 : stop], "little")
            if stop <= end and value > 0x3FFF_FFFF and value >> 8 * size - 8 and not value >> bits:
                return value, stop
    return _decode_compact_slowly(data, offset, bits)


def _decode_compact_slowly(data: bytes, offset: int, bits: int) -> tuple[int, int]:
    # The rarer forms, and the reason why a form is refused.
    if offset >= len(data):
        raise truncated(offset, 1, len(data))
    mode = data[offset] & 3
    stop = offset + ((1, 2, 4)[mode] if mode < 3 else 5 + (data[offset] >> 2))
    if stop > len(data):
        raise truncated(offset, stop - offset, len(data))
    if mode < 3:
        value = int.from_bytes(data[offset:stop], "little") >> 2
    else:
        value = int.from_bytes(data[offset + 1 : stop], "little")
    if compact_len(value) != stop - offset:
        raise ScaleError(f"compact {value} is written in {stop - offset} bytes, not in the shortest form")
    if value >> bits:
        raise ScaleError(f"compact {show(value)} does not fit {bits} bits")
    return value, stop


class Source:
    """Lines of one generated function, its constants, and fresh names."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        self.lines: list[str] = []
        self.stack: list[object] = []
        self.depth = 1
        self._names = 0

    def fresh(self) -> str:
        """A local name not used before."""
        self._names += 1
        return f"v{self._names}"

    def bind(self, value: object) -> str:
        """A name under which the function sees `value`."""
        name = f"c{len(self.namespace)}"
        self.namespace[name] = value
        return name

    def line(self, text: str) -> None:
        """Append one statement at the present indentation."""
        self.lines.append("    " * self.depth + text)

    @contextmanager
    def indented(self) -> Iterator[None]:
        """Indent what is emitted inside."""
        self.depth += 1
        yield
        self.depth -= 1


class Reader(Source):
    """Builds a decoder over the locals `b` (bytes), `o` (offset), `e` (end) and `d` (depth left)."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        super().__init__(namespace)
        self._group: list[tuple[str, str]] = []
        self._after: list[str] = []

    def read(self, form: str) -> str:
        """Take one `struct` item; the name returned is set once the group is flushed."""
        name = self.fresh()
        self._group.append((form, name))
        return name

    def after(self, text: str) -> None:
        """A statement that needs the values read so far."""
        if self._group:
            self._after.append(text)
        else:
            self.line(text)

    def flush(self) -> None:
        """Emit the pending fixed-size group and what waits for it."""
        group, after = self._group, self._after
        if not group:
            return
        self._group, self._after = [], []
        form = "<" + "".join(item for item, _ in group)
        size = struct.calcsize(form)
        stop = self.fresh()
        self.line(f"{stop} = o + {size}")
        self.line(f"if {stop} > e: raise truncated(o, {size}, e)")
        if form == "<B":
            self.line(f"{group[0][1]} = b[o]")
        elif len(group) == 1 and form.endswith("s"):
            self.line(f"{group[0][1]} = b[o:{stop}]")
        else:
            unpack = self.bind(struct.Struct(form).unpack_from)
            names = ", ".join(name for _, name in group)
            self.line(f"{names}{',' if len(group) == 1 else ''} = {unpack}(b, o)")
        self.line(f"o = {stop}")
        for text in after:
            self.line(text)

    def byte(self) -> str:
        """Read one byte now."""
        name = self.read("B")
        self.flush()
        return name

    def length(self) -> str:
        """Read a vector's length prefix (compact u32) now."""
        self.flush()
        name = self.fresh()
        self.line("if o >= e: raise truncated(o, 1, e)")
        self.line(f"{name} = b[o]")
        self.line(f"if {name} & 3: {name}, o = decode_compact(b, o, 32)")
        self.line("else:")
        with self.indented():
            self.line(f"{name} >>= 2")
            self.line("o += 1")
        return name


class Writer(Source):
    """Builds an encoder as a tuple of byte strings to join."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        super().__init__(namespace)
        self.parts: list[str] = []
        self._group: list[tuple[str, str]] = []

    def local(self, expression: str) -> str:
        """A name for a value that is used more than once."""
        if expression.isidentifier():
            return expression
        name = self.fresh()
        self.line(f"{name} = {expression}")
        return name

    def pack(self, form: str, *expressions: str) -> None:
        """Put fixed-size items; `form` holds one `struct` item for each expression."""
        self._group.append((form, ", ".join(expressions)))

    def part(self, expression: str) -> None:
        """Put a byte string of any length."""
        self.flush()
        self.parts.append(expression)

    def flush(self) -> None:
        """Turn pending fixed-size items into one part."""
        if self._group:
            pack = self.bind(struct.Struct("<" + "".join(form for form, _ in self._group)).pack)
            self.parts.append(f"{pack}({', '.join(text for _, text in self._group)})")
            self._group = []

    def result(self) -> str:
        """The expression for all the bytes."""
        self.flush()
        if len(self.parts) == 1 and self.parts[0].endswith(")"):
            return self.parts[0]
        return f"b''.join(({', '.join(self.parts)}{',' if len(self.parts) == 1 else ''}))"


def namespace() -> dict[str, Any]:
    """The names every generated function may use."""
    return {
        "ScaleError": ScaleError,
        "compact": encode_compact,
        "decode_compact": decode_compact,
        "new": object.__new__,
        "show": show,
        "too_deep": too_deep,
        "too_long": too_long,
        "trailing": trailing,
        "truncated": truncated,
        "unpack_from": struct.unpack_from,
        "pack": struct.pack,
    }


def build(name: str, header: str, source: Source) -> Callable[..., Any]:
    """Compile the collected lines into a function."""
    text = "\n".join([f"def {header}:", *source.lines]) + "\n"
    exec(compile(text, f"<scale {name}>", "exec"), source.namespace)
    function: Callable[..., Any] = source.namespace[header.partition("(")[0]]
    return function
