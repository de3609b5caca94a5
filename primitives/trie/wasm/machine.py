"""An instance of the trie's program, and the changes of a block as it wants them."""

from __future__ import annotations

import ctypes
import struct
from array import array
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Final

import wasmtime

from primitives.trie.codec import HASH_LENGTH, HASHED_VALUE_MIN, MAX_KEY_LENGTH
from primitives.trie.wasm import blake2b as hashing
from primitives.wasm.call import Entry

PAGE: Final = 1 << 16
NODES: Final = 0x3F00000
"""Where nodes begin in memory; below is what a pass needs."""
MOST: Final = 192 << 20
"""Bytes of nodes at most."""
OUT, IN = 0xF00000, 0x1F00000
"""Where answers are, and where the changes go."""
_ROOM: Final = NODES - IN
MOST_ITEMS: Final = 65_536
_LARGE: Final = 1024
"""A longer value is hashed here rather than copied."""
_DELETED, _DIGEST = 1 << 31, 1 << 30
_LISTED = struct.Struct("<III")
_PARTS = ("memory.wat", "node.wat", "items.wat", "pass.wat", "arena.wat")

OK, MISSING, NO_ROOM, TOO_DEEP, UNCHANGED, EMPTY = range(6)
"""What an update answers."""


@cache
def _module() -> tuple[wasmtime.Engine, wasmtime.Module]:
    config = wasmtime.Config()
    config.cranelift_opt_level = "speed"
    config.parallel_compilation = False
    engine = wasmtime.Engine(config)
    parts = [(files("primitives.trie.wasm") / name).read_text(encoding="utf-8") for name in _PARTS]
    memory = f'(memory (export "memory") {NODES // PAGE} {(NODES + MOST) // PAGE})'
    text = "\n".join(["(module", memory, hashing.text(), *parts, ")"])
    return engine, wasmtime.Module(engine, bytes(wasmtime.wat2wasm(text)))


class Machine:
    """One instance. Not for several threads at once. Its functions raise wasmtime.Trap."""

    def __init__(self) -> None:
        engine, module = _module()
        self._store = wasmtime.Store(engine)
        self._exports = exports = wasmtime.Instance(self._store, module, []).exports(self._store)
        memory = exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        self._memory = memory
        self._base = self._where()
        self.prepare = self._entry("prepare")
        self.seek = self._growing("seek")
        self.update = self._growing("update")
        self.root_of = self._growing("root_of")
        self.adopt = self._entry("adopt")
        self.back = self._entry("back")
        self.attach = self._growing("attach")
        self.offer = self._growing("offer")
        self.find = self._entry("find")
        self.list = self._entry("list")
        self.written = self._entry("written")
        self.forget = self._entry("forget")

    def _entry(self, name: str) -> Entry:
        function = self._exports[name]
        assert isinstance(function, wasmtime.Func)
        return Entry(self._store, function)

    def _growing(self, name: str) -> Callable[[int], None]:
        """One that may make memory larger, which may move it."""
        entry = self._entry(name)

        def call(number: int) -> None:
            try:
                entry(number)
            finally:
                self._base = self._where()

        return call

    def read(self, at: int, length: int) -> bytes:
        """Bytes of its memory."""
        return ctypes.string_at(self._base + at, length)

    def write(self, at: int, data: bytes) -> None:
        """Put bytes into its memory, which reaches to `NODES` at least."""
        assert at + len(data) <= NODES
        ctypes.memmove(self._base + at, data, len(data))

    def word(self, at: int) -> int:
        """A u32 of its memory."""
        return int.from_bytes(self.read(at, 4), "little")

    def _where(self) -> int:
        base = ctypes.cast(self._memory.data_ptr(self._store), ctypes.c_void_p).value
        assert base is not None
        return base

    def listed(self) -> list[tuple[bytes, bytes]]:
        """The answer of `list`: paths and encodings."""
        base, at, found = self._base, OUT, []
        for _ in range(self.word(0x24)):
            address, length, size = _LISTED.unpack(ctypes.string_at(base + at, _LISTED.size))
            at += _LISTED.size
            found.append((ctypes.string_at(base + at, size), ctypes.string_at(base + address, length)))
            at += size
        return found

    @property
    def code(self) -> int:
        """What came of the last call."""
        return self.word(0x20)

    @property
    def root(self) -> bytes:
        """The root that was computed."""
        return self.read(0, HASH_LENGTH)

    def hand_over(
        self,
        keys: Sequence[bytes],
        values: Sequence[bytes | None],
        olds: Sequence[bytes | None] | None,
        version: int,
    ) -> bool:
        """Give it changes, sorted by key, with the values before, where they are known; False if they are too
        many, too long, or no key of a trie.
        """
        if not 0 < len(keys) <= MOST_ITEMS:
            return False
        key_lengths = array("I", map(len, keys))
        new_lengths = array("I", [_DELETED if value is None else len(value) for value in values])
        if olds is None:
            olds, old_lengths = (), array("I", [_DELETED]) * len(keys)
        else:
            old_lengths = array("I", [_DELETED if value is None else len(value) for value in olds])
        if version and max(new_lengths) > _LARGE:
            values = list(values)
            for place, length in enumerate(new_lengths):
                if _LARGE < length < _DIGEST:
                    values[place] = blake2b(values[place] or b"", digest_size=HASH_LENGTH).digest()
                    new_lengths[place] = _DIGEST | HASH_LENGTH
        if max(old_lengths) > _LARGE:
            olds = list(olds)
            for place, length in enumerate(old_lengths):
                if _LARGE < length < _DIGEST:
                    olds[place] = None
                    old_lengths[place] = _DIGEST
        data = b"".join(
            (key_lengths, new_lengths, old_lengths, *keys, *filter(None, values), *filter(None, olds))
        )
        if len(data) > _ROOM or max(key_lengths) > MAX_KEY_LENGTH:
            return False
        self.write(IN, data)
        self.prepare(len(keys), version)
        return True


assert HASHED_VALUE_MIN == 33  # as the program has it
