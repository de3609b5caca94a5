"""The codec of one type: compiled on first use, shared by everyone who names the type."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, NoReturn, TypeVar

from primitives.scale.emit import MAX_DEPTH, Reader, Writer, build, namespace
from primitives.scale.errors import ScaleError, show

T = TypeVar("T")

COMPILATION = threading.RLock()
"""Held while compiling: another thread waits instead of meeting a half-made codec."""

Decoder = Callable[[bytes, int, int], tuple[Any, int]]
Encoder = Callable[[Any], bytes]


class Codec(Generic[T]):
    """Turns values of one type into SCALE bytes and back.

    Decoding never allocates more than a small multiple of the input, whatever its length prefixes say, and
    nests at most `MAX_DEPTH` levels. Everything that is not exactly the encoding of one value raises
    `ScaleError`.
    """

    inline = True
    """Whether the code of this codec is written into its users' functions; otherwise it is called."""

    def __init__(self) -> None:
        self._encode: Encoder | None = None
        self._decode_from: Decoder | None = None
        self._compiling = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"

    # What a codec of a kind defines.

    def emit_decode(self, r: Reader) -> str:
        """Write the statements that read a value; return the expression for it, valid after `r.flush()`."""
        raise NotImplementedError

    def emit_encode(self, w: Writer, value: str) -> None:
        """Write the parts that encode the expression `value`."""
        raise NotImplementedError

    def explain(self, value: object) -> ScaleError:
        """Why `value` cannot be encoded."""
        return ScaleError(f"{show(value)} is not a {self}")

    @property
    def min_len(self) -> int:
        """A lower bound of the encoded length in bytes."""
        raise NotImplementedError

    @property
    def max_len(self) -> int | None:
        """The largest encoded length in bytes; None when the type has no bound."""
        raise NotImplementedError

    # What everyone calls.

    def encode(self, value: T) -> bytes:
        """The SCALE bytes of `value`; ScaleError names the field that does not fit."""
        function = self.encoder()
        self.__dict__["encode"] = function
        return function(value)

    def decode(self, data: bytes) -> T:
        """The value whose encoding is exactly `data`."""
        with COMPILATION:
            function = self._build_decode()
        self.__dict__["decode"] = function
        value: T = function(data)
        return value

    def decode_from(self, data: bytes, offset: int = 0) -> tuple[T, int]:
        """Read one value that starts at `offset`: (value, offset after it)."""
        if not 0 <= offset <= len(data):
            raise ScaleError(f"offset {offset} is outside {len(data)} bytes")
        return self.decoder()(data if type(data) is bytes else bytes(data), offset, MAX_DEPTH)

    # Compilation.

    def encoder(self) -> Encoder:
        """The compiled encoder, or while it is being compiled (a recursive type) one that finds it later."""
        if self._encode is not None:
            return self._encode
        with COMPILATION:
            if self._compiling:
                return self._encode_late
            if self._encode is None:
                self._compiling = True
                try:
                    self._encode = self._build_encode()
                finally:
                    self._compiling = False
        return self._encode

    def decoder(self) -> Decoder:
        """The compiled decoder `(data, offset, depth left) -> (value, offset)`; late-bound like `encoder`."""
        if self._decode_from is not None:
            return self._decode_from
        with COMPILATION:
            if self._compiling:
                return self._decode_late
            if self._decode_from is None:
                self._compiling = True
                try:
                    self._decode_from = self._build_decode_from()
                finally:
                    self._compiling = False
        return self._decode_from

    def _encode_late(self, value: Any) -> bytes:
        return self.encoder()(value)

    def _decode_late(self, data: bytes, offset: int, depth: int) -> tuple[Any, int]:
        return self.decoder()(data, offset, depth)

    def _build_encode(self) -> Encoder:
        w = Writer(namespace())
        failed = w.bind(self._failed)
        w.line("try:")
        with w.indented():
            w.stack.append(self)
            self.emit_encode(w, "x")
            w.line(f"return {w.result()}")
        w.line("except Exception:")
        w.line(f"    {failed}(x)")
        return build(str(self), "encode(x)", w)

    def _failed(self, value: object) -> NoReturn:
        raise self.explain(value) from None

    def _build_decode(self) -> Callable[[bytes], Any]:
        r = Reader(namespace())
        begin_decode(r)
        r.stack.append(self)
        result = self.emit_decode(r)
        r.flush()
        r.line("if o != e: raise trailing(e - o)")
        r.line(f"return {result}")
        return build(str(self), "decode(data)", r)

    def _build_decode_from(self) -> Decoder:
        r = Reader(namespace())
        r.line("if d < 0: raise too_deep()")
        r.line("e = len(b)")
        r.stack.append(self)
        result = self.emit_decode(r)
        r.flush()
        r.line(f"return {result}, o")
        return build(str(self), "decode_from(b, o, d)", r)


def begin_decode(r: Reader) -> None:
    """Set the locals of a function `decode(data)`."""
    r.line("b = data if type(data) is bytes else bytes(data)")
    r.line("o = 0")
    r.line("e = len(b)")
    r.line(f"d = {MAX_DEPTH}")


def read(codec: Codec[Any], r: Reader) -> str:
    """Emit `codec` as a part of a larger type: inlined, or called where it is recursive or says so."""
    if codec.inline and codec not in r.stack:
        r.stack.append(codec)
        result = codec.emit_decode(r)
        r.stack.pop()
        return result
    r.flush()
    name = r.fresh()
    r.line(f"{name}, o = {r.bind(codec.decoder())}(b, o, d - 1)")
    return name


def write(codec: Codec[Any], w: Writer, value: str) -> None:
    """Emit the encoding of `value` as a part of a larger type."""
    if codec.inline and codec not in w.stack:
        w.stack.append(codec)
        codec.emit_encode(w, value)
        w.stack.pop()
    else:
        w.part(f"{w.bind(codec.encoder())}({value})")


def read_into(codec: Codec[Any], r: Reader, name: str, wrap: str = "{}") -> None:
    """Emit `codec` inside a block and assign its value to `name`."""
    result = read(codec, r)
    r.flush()
    r.line(f"{name} = {wrap.format(result)}")
