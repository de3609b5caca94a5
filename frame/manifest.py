"""The runtime manifest: what stands at `:code`. A WebAssembly module without code that says which runtime
this is.

Clients hash `:code`, and light clients read the runtime's version from it before anything else. Our runtime
is not WebAssembly, so the module holds no function; it has what a reader insists on: an imported memory, the
exported global `__heap_base`, and Substrate's custom sections `runtime_version` (SCALE RuntimeVersion, whose
API list lies apart in `runtime_apis`: 8-byte id ‖ u32 version each). Source: Substrate
`primitives/version/src/embed.rs` and `client/executor/wasm-runtime-blob`; the module format is that of the
WebAssembly specification.
"""

from __future__ import annotations

from collections.abc import Iterable

CODE_KEY = b":code"

_MAGIC = b"\0asm\x01\0\0\0"
_CUSTOM, _IMPORT, _GLOBAL, _EXPORT = 0, 2, 6, 7
_MEMORY_KIND, _GLOBAL_KIND = b"\x02", b"\x03"
_HEAP_BASE = b"\x7f\x00\x41\x00\x0b"  # (global i32 (i32.const 0)), not mutable
_ONE_PAGE_OR_MORE = b"\x00\x01"


def runtime_manifest(version: bytes, apis: Iterable[tuple[bytes, int]]) -> bytes:
    """The module for a runtime with this SCALE-encoded RuntimeVersion and these (API id, version) pairs."""
    listed = b"".join(identifier + number.to_bytes(4, "little") for identifier, number in apis)
    return b"".join(
        (
            _MAGIC,
            _section(_IMPORT, b"\x01" + _name("env") + _name("memory") + _MEMORY_KIND + _ONE_PAGE_OR_MORE),
            _section(_GLOBAL, b"\x01" + _HEAP_BASE),
            _section(_EXPORT, b"\x01" + _name("__heap_base") + _GLOBAL_KIND + b"\x00"),
            _section(_CUSTOM, _name("runtime_version") + version),
            _section(_CUSTOM, _name("runtime_apis") + listed),
        )
    )


def _section(kind: int, content: bytes) -> bytes:
    return bytes((kind,)) + _leb128(len(content)) + content


def _name(text: str) -> bytes:
    return _leb128(len(text)) + text.encode("ascii")


def _leb128(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
