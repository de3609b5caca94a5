"""Reading the version of a runtime out of its `:code`, without running it. The bytes may be hostile.

A runtime is a WebAssembly module whose custom section `runtime_version` holds the SCALE RuntimeVersion
(Substrate `primitives/version/src/embed.rs`). It may be compressed: an 8-byte prefix, then one zstd frame
(`primitives/maybe-compressed-blob`), which Substrate bounds to 50 MiB as we do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import zstandard

from chain_spec.errors import CodeMalformed, StateVersionUnread

ZSTD_PREFIX = bytes.fromhex("52bc537646db8e05")
MAX_CODE = 50 * 1024 * 1024
"""Most bytes of code after decompression (`CODE_BLOB_BOMB_LIMIT`)."""
MAX_WINDOW = 128 * 1024 * 1024
"""Most memory that a compressed frame may ask for."""

_MAGIC = b"\0asm\x01\0\0\0"
_CUSTOM = 0


@dataclass(frozen=True)
class CodeVersion:
    """What a chain spec needs to know of a runtime."""

    spec_name: str
    spec_version: int
    system_version: int

    @property
    def state_version(self) -> int:
        """System version 0 → state version 0, any later one → 1 (`primitives/version/src/lib.rs`)."""
        return 1 if self.system_version else 0


def code_version(code: bytes) -> CodeVersion:
    """The version of the runtime at `:code`. Raises CodeMalformed, StateVersionUnread."""
    for name, content in custom_sections(decompressed(code)):
        if name == b"runtime_version":
            return _Reader(content).version()
    raise StateVersionUnread(
        "the runtime at :code carries no `runtime_version` section; say which with --state-version 0 or 1"
    )


def decompressed(code: bytes) -> bytes:
    """The WebAssembly module itself. Raises CodeMalformed, also when it would be larger than MAX_CODE."""
    if not code.startswith(ZSTD_PREFIX):
        return code
    reader = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).stream_reader(code[len(ZSTD_PREFIX) :])
    try:
        module = reader.read(MAX_CODE + 1)
    except zstandard.ZstdError as error:
        raise CodeMalformed(f"the compressed :code cannot be read: {error}") from error
    if len(module) > MAX_CODE:
        raise CodeMalformed(f"the compressed :code holds more than {MAX_CODE} bytes")
    return module


def custom_sections(module: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(name, content) of each custom section. Raises CodeMalformed."""
    if not module.startswith(_MAGIC):
        raise CodeMalformed("the value at :code is not a WebAssembly module")
    at = len(_MAGIC)
    while at < len(module):
        kind = module[at]
        length, at = _leb128(module, at + 1)
        end = at + length
        if end > len(module):
            raise CodeMalformed("the module at :code ends inside a section")
        if kind == _CUSTOM:
            size, start = _leb128(module, at)
            if start + size > end:
                raise CodeMalformed("a section of :code has a name longer than itself")
            yield module[start : start + size], module[start + size : end]
        at = end


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned 32-bit number of at most five bytes, and where it ends."""
    number = 0
    for shift in range(0, 35, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            if number >= 1 << 32:
                break
            return number, at
    raise CodeMalformed("the module at :code has a damaged length")


class _Reader:
    """SCALE, as much as a RuntimeVersion of any age needs: the last fields came later and may be absent."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def version(self) -> CodeVersion:
        spec_name = self._text()
        self._text()
        self._number(4)
        spec_version = self._number(4)
        self._number(4)
        self._take(12 * self._length())
        if self._at < len(self._data):
            self._number(4)  # transaction_version
        system_version = self._number(1) if self._at < len(self._data) else 0
        return CodeVersion(spec_name, spec_version, system_version)

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) != count:
            raise CodeMalformed("the `runtime_version` section of :code is cut off")
        self._at += count
        return taken

    def _number(self, width: int) -> int:
        return int.from_bytes(self._take(width), "little")

    def _length(self) -> int:
        first = self._take(1)[0]
        if first & 3 == 3:
            raise CodeMalformed("the `runtime_version` section of :code has too large a length")
        rest = self._take((1, 2, 4)[first & 3] - 1)
        return int.from_bytes(bytes((first,)) + rest, "little") >> 2

    def _text(self) -> str:
        return self._take(self._length()).decode("utf-8", "replace")
