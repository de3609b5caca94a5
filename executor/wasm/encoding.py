"""Bytes of a WebAssembly module: integers, vectors, sections.

Source: WebAssembly Core Specification 3.0, chapter 5 (binary format).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

I32, I64, F32, F64, V128 = 0x7F, 0x7E, 0x7D, 0x7C, 0x7B
MAGIC = b"\0asm\x01\0\0\0"
TYPE, FUNCTION, MEMORY, EXPORT, CODE = 1, 3, 5, 7, 10


@lru_cache(maxsize=1 << 14)
def unsigned(value: int) -> bytes:
    """LEB128 of an integer of at least 0."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value: int) -> bytes:
    """Signed LEB128; i32 constants take their two's complement value between −2³¹ and 2³¹."""
    out = bytearray()
    while not -0x40 <= value < 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)


def vector(items: Sequence[bytes]) -> bytes:
    """Count, then the items."""
    return unsigned(len(items)) + b"".join(items)


def section(number: int, content: bytes) -> bytes:
    """A section with its length."""
    return bytes([number]) + unsigned(len(content)) + content


@dataclass(frozen=True)
class Body:
    """A finished function: types of parameters, locals and results, instructions with the closing `end`."""

    params: tuple[int, ...]
    locals: tuple[int, ...]
    code: bytes
    results: tuple[int, ...] = ()

    @property
    def type(self) -> bytes:
        """Entry of the type section."""
        return (
            b"\x60"
            + vector([bytes([kind]) for kind in self.params])
            + vector([bytes([kind]) for kind in self.results])
        )

    def encoded(self) -> bytes:
        """Length-prefixed entry of the code section; locals are run-length encoded."""
        runs: list[list[int]] = []
        for kind in self.locals:
            if runs and runs[-1][1] == kind:
                runs[-1][0] += 1
            else:
                runs.append([1, kind])
        content = vector([unsigned(count) + bytes([kind]) for count, kind in runs]) + self.code
        return unsigned(len(content)) + content


def module(bodies: Iterable[Body], pages: int, exports: Sequence[tuple[str, int]]) -> bytes:
    """A module without imports: one memory of exactly `pages` pages, exported as "memory", and functions;
    `exports` gives (name, function index)."""
    bodies = list(bodies)
    types = sorted({body.type for body in bodies}, key=lambda item: (len(item), item))
    entries = [_export(name, 0, index) for name, index in exports]
    return MAGIC + b"".join(
        (
            section(TYPE, vector(types)),
            section(FUNCTION, vector([unsigned(types.index(body.type)) for body in bodies])),
            section(MEMORY, vector([b"\x01" + unsigned(pages) + unsigned(pages)])),
            section(EXPORT, vector([_export("memory", 2, 0), *entries])),
            section(CODE, vector([body.encoded() for body in bodies])),
        )
    )


def _export(name: str, kind: int, index: int) -> bytes:
    text = name.encode()
    return unsigned(len(text)) + text + bytes([kind]) + unsigned(index)
