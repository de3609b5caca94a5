"""Codecs without parts: integers, booleans, text, bytes."""

from __future__ import annotations

import enum
from typing import Any, Final

from primitives.scale.base import Codec
from primitives.scale.emit import Reader, Writer, compact_len
from primitives.scale.errors import ScaleError, show

_FORMS = {8: "B", 16: "H", 32: "I", 64: "Q", 128: "QQ", 256: "QQQQ"}
_WORD: Final = (1 << 64) - 1


class PrimitiveCodec(Codec[Any]):
    """A primitive of SCALE's type registry: u8…u256, i8…i256, bool, str."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def __str__(self) -> str:
        return self.name


class IntCodec(PrimitiveCodec):
    """A little-endian integer of `bits` bits."""

    def __init__(self, bits: int, signed: bool = False) -> None:
        super().__init__(f"{'i' if signed else 'u'}{bits}")
        self.bits = bits
        self.signed = signed
        self.low = -(1 << bits - 1) if signed else 0
        self.high = (1 << bits - signed) - 1
        form = _FORMS[bits]
        self.form = form[:-1] + form[-1].lower() if signed else form

    @property
    def min_len(self) -> int:
        return self.bits // 8

    @property
    def max_len(self) -> int:
        return self.bits // 8

    def emit_decode(self, r: Reader) -> str:
        words = [r.read(form) for form in self.form]
        if len(words) == 1:
            return words[0]
        return "(" + " | ".join(f"{word} << {64 * i}" if i else word for i, word in enumerate(words)) + ")"

    def emit_encode(self, w: Writer, value: str) -> None:
        if len(self.form) == 1:
            w.pack(self.form, value)
            return
        name = w.local(value)
        last = len(self.form) - 1
        shifted = [f"{name} >> {64 * i}" if i else name for i in range(last + 1)]
        w.pack(self.form, *(text if i == last else f"{text} & {_WORD}" for i, text in enumerate(shifted)))

    def explain(self, value: object) -> ScaleError:
        if isinstance(value, int):
            return ScaleError(f"{show(value)} does not fit {self} ({self.low}..{self.high})")
        return super().explain(value)


class BoolCodec(PrimitiveCodec):
    """One byte, 0 or 1."""

    min_len = 1
    max_len = 1

    def __init__(self) -> None:
        super().__init__("bool")

    def emit_decode(self, r: Reader) -> str:
        name = r.read("B")
        r.after(f"if {name} > 1: raise ScaleError(f'{{{name}}} is not a bool')")
        return f"({name} == 1)"

    def emit_encode(self, w: Writer, value: str) -> None:
        w.pack("B", f"{w.bind({False: 0, True: 1})}[{value}]")


class CompactCodec(Codec[int]):
    """An unsigned integer in SCALE's compact form; only the shortest form decodes."""

    def __init__(self, inner: IntCodec) -> None:
        super().__init__()
        self.inner = inner

    def __str__(self) -> str:
        return f"Compact<{self.inner}>"

    @property
    def min_len(self) -> int:
        return 1

    @property
    def max_len(self) -> int:
        return compact_len(self.inner.high)

    def emit_decode(self, r: Reader) -> str:
        r.flush()
        name = r.fresh()
        r.line("if o >= e: raise truncated(o, 1, e)")
        r.line(f"{name} = b[o]")
        r.line(f"if {name} & 3: {name}, o = decode_compact(b, o, {self.inner.bits})")
        r.line("else:")
        with r.indented():
            r.line(f"{name} >>= 2")
            r.line("o += 1")
        return name

    def emit_encode(self, w: Writer, value: str) -> None:
        name = w.local(value)
        w.line(f"if {name} > {self.inner.high}: raise ValueError")
        w.part(f"compact({name})")

    def explain(self, value: object) -> ScaleError:
        if isinstance(value, int):
            return ScaleError(f"{show(value)} does not fit {self} (0..{self.inner.high})")
        return super().explain(value)


class TextCodec(PrimitiveCodec):
    """A string as its UTF-8 bytes behind their compact length; `max` bounds the bytes."""

    def __init__(self, max: int | None = None) -> None:
        super().__init__("str")
        self.max = max

    @property
    def min_len(self) -> int:
        return 1

    @property
    def max_len(self) -> int | None:
        return None if self.max is None else compact_len(self.max) + self.max

    def emit_decode(self, r: Reader) -> str:
        raw = _emit_read_bytes(r, self.max)
        name = r.fresh()
        r.line(f"try: {name} = str({raw}, 'utf-8')")
        r.line("except UnicodeDecodeError as err: raise ScaleError(f'text is not UTF-8: {err}') from None")
        return name

    def emit_encode(self, w: Writer, value: str) -> None:
        _emit_write_bytes(w, f"{value}.encode()", self.max)

    def explain(self, value: object) -> ScaleError:
        if isinstance(value, str) and self.max is not None:
            return ScaleError(f"{show(value)} is longer than {self.max} bytes")
        return super().explain(value)


class IntEnumCodec(Codec[enum.IntEnum]):
    """An enum without fields: one byte, the value of an `enum.IntEnum` member."""

    min_len = 1
    max_len = 1

    def __init__(self, cls: type[enum.IntEnum]) -> None:
        super().__init__()
        self.cls = cls
        self.path: tuple[str, ...] = tuple(getattr(cls, "__scale_path__", cls.__name__).split("::"))
        self.members = {int(member): member for member in cls}
        wrong = [value for value in self.members if not 0 <= value < 256]
        if wrong:
            raise ScaleError(f"{cls.__name__}: {wrong[0]} does not fit one byte")

    def __str__(self) -> str:
        return self.cls.__name__

    def emit_decode(self, r: Reader) -> str:
        name = r.read("B")
        table = r.bind(self.members)
        r.after(f"if {name} not in {table}: raise ScaleError(f'{self}: no variant {{{name}}}')")
        return f"{table}[{name}]"

    def emit_encode(self, w: Writer, value: str) -> None:
        w.pack("B", f"{w.bind(self.members)}[{value}]")


def _emit_read_bytes(r: Reader, limit: int | None) -> str:
    size = r.length()
    if limit is not None:
        r.line(f"if {size} > {limit}: raise too_long({size}, {limit})")
    stop, name = r.fresh(), r.fresh()
    r.line(f"{stop} = o + {size}")
    r.line(f"if {stop} > e: raise truncated(o, {size}, e)")
    r.line(f"{name} = b[o:{stop}]")
    r.line(f"o = {stop}")
    return name


def _emit_write_bytes(w: Writer, value: str, limit: int | None) -> None:
    name = w.local(value)
    bound = 0xFFFF_FFFF if limit is None else limit
    w.line(f"if len({name}) > {bound}: raise ValueError")
    w.part(f"compact(len({name}))")
    w.part(name)


class BytesCodec(Codec[bytes]):
    """`Vec<u8>` as `bytes`; `max` makes it a bounded vector."""

    def __init__(self, max: int | None = None) -> None:
        super().__init__()
        self.max = max
        self.item = U8_CODEC

    def __str__(self) -> str:
        return "Vec<u8>" if self.max is None else f"BoundedVec<u8, {self.max}>"

    @property
    def min_len(self) -> int:
        return 1

    @property
    def max_len(self) -> int | None:
        return None if self.max is None else compact_len(self.max) + self.max

    def emit_decode(self, r: Reader) -> str:
        return _emit_read_bytes(r, self.max)

    def emit_encode(self, w: Writer, value: str) -> None:
        _emit_write_bytes(w, value, self.max)

    def explain(self, value: object) -> ScaleError:
        if isinstance(value, bytes) and self.max is not None:
            return ScaleError(f"{len(value)} bytes are over the bound of {self.max}")
        return super().explain(value)


class FixedBytesCodec(Codec[bytes]):
    """`[u8; length]` as `bytes`; with a `path` the registry shows it as that newtype."""

    def __init__(self, length: int, path: str = "") -> None:
        super().__init__()
        self.length = length
        self.item = U8_CODEC
        self.path: tuple[str, ...] = tuple(path.split("::")) if path else ()

    def __str__(self) -> str:
        return self.path[-1] if self.path else f"[u8; {self.length}]"

    @property
    def min_len(self) -> int:
        return self.length

    @property
    def max_len(self) -> int:
        return self.length

    def emit_decode(self, r: Reader) -> str:
        return r.read(f"{self.length}s") if self.length else "b''"

    def emit_encode(self, w: Writer, value: str) -> None:
        name = w.local(value)
        w.line(f"if len({name}) != {self.length}: raise ValueError")
        w.pack(f"{self.length}s", name)

    def explain(self, value: object) -> ScaleError:
        if isinstance(value, bytes):
            return ScaleError(f"{self} has {self.length} bytes, not {len(value)}")
        return super().explain(value)


U8_CODEC: Final = IntCodec(8)
