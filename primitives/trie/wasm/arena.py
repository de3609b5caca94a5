"""A trie whose branches lie in the memory of a WebAssembly program, which passes over a block's changes.

It follows the rules of `one_pass.py`, which stays for all other tries, and takes over when this one gives up:
too many changes for its memory, or keys that nest too deeply. What it keeps is what `Memory` keeps: branches,
and which children are known to be leaves; leaves themselves repeat the flat state. An update is pending until
it is adopted; the next one takes it back.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter

from wasmtime import Trap, WasmtimeError

from primitives.trie.codec import EMPTY_ROOT, NIBBLES, plain_branch
from primitives.trie.nodes import NodeChanges, NodeStore
from primitives.trie.one_pass import decoded
from primitives.trie.wasm.machine import EMPTY, IN, MISSING, OK, OUT, UNCHANGED, Machine

_GONE = 0xC0000
_AT_ONCE = 4096
_NONE = 0xFFFFFFFF
_PATH = struct.Struct("<III")
_ENTRY = struct.Struct("<II")
_MISSING = struct.Struct("<4I32s")

MOST_BYTES = 144 << 20
"""From so many bytes of nodes on, a quarter of the lowest branches is forgotten."""


class GaveUp(Exception):
    """The program cannot make this update: somebody else has to."""


class Arena:
    """The trie with the root hash `root`, whose nodes are loaded from a store as they are needed.

    Not for several threads at once. Raises GaveUp where there is no memory for it.
    """

    def __init__(self, root: bytes) -> None:
        try:
            self._machine = Machine()
        except WasmtimeError as error:
            raise GaveUp from error
        self.root = root
        self._next: bytes | None = None
        """The updated trie's root hash."""
        self._loaded = root == EMPTY_ROOT
        self._seeks = True
        """Whether the last update missed nodes: then it is found out first what the next one will miss."""
        self._quarter = 0

    def update(
        self,
        store: NodeStore,
        changes: Mapping[bytes, bytes | None],
        version: int,
        before: Mapping[bytes, bytes | None],
    ) -> tuple[bytes, NodeChanges]:
        """The root hash after `changes` and the paths at which a branch is gone. The arena's trie stays as it
        is until `adopt`. Raises GaveUp, MissingNode.
        """
        self._next = None
        keys = sorted(changes)
        if not keys:
            self._machine.back()
            return self.root, {}
        try:
            return self._updated(store, keys, changes, version, before)
        except Trap as trap:  # its stack, say
            raise GaveUp from trap

    def _updated(
        self,
        store: NodeStore,
        keys: list[bytes],
        changes: Mapping[bytes, bytes | None],
        version: int,
        before: Mapping[bytes, bytes | None],
    ) -> tuple[bytes, NodeChanges]:
        machine = self._machine
        values, olds = list(map(changes.__getitem__, keys)), list(map(before.get, keys))
        if not machine.hand_over(keys, values, olds, version):
            machine.back()
            raise GaveUp
        if not self._loaded:
            self._attach([(0, store.load("", self.root))])
            self._loaded = True
        if self._seeks:
            machine.seek(len(keys))
            self._seeks = machine.code == MISSING
            while machine.code == MISSING:
                self._load_missing(store, keys)
                machine.seek(len(keys))
        machine.update(len(keys))
        while machine.code == MISSING:
            self._seeks = True
            self._load_missing(store, keys)
            machine.update(len(keys))
        code = machine.code
        if code not in (OK, UNCHANGED, EMPTY):
            raise GaveUp
        gone = self._gone(keys)
        if code != UNCHANGED:
            self._next = machine.root if code == OK else EMPTY_ROOT
        return self.root if code == UNCHANGED else self._next or EMPTY_ROOT, gone

    def _load_missing(self, store: NodeStore, keys: list[bytes]) -> None:
        machine = self._machine
        data = machine.read(OUT, _MISSING.size * machine.word(0x24))
        nodes: list[tuple[int, bytes]] = []
        for index, end, nibble, entry, node_hash in _MISSING.iter_unpack(data):
            nodes.append((entry, store.load(keys[index].hex()[:end] + NIBBLES[nibble], node_hash)))
            if len(nodes) == _AT_ONCE:
                self._attach(nodes)
                nodes.clear()
        self._attach(nodes)

    def _attach(self, nodes: list[tuple[int, bytes]]) -> None:
        """Take up nodes, each for an entry of its parent, 0 for the root."""
        parts: list[bytes] = []
        for entry, node in nodes:
            if plain_branch(node) is None:
                decoded(node)  # raises InvalidNode: the program takes nodes apart without looking
            parts += _ENTRY.pack(entry, len(node)), node
        data = b"".join(parts)
        if len(data) > IN - OUT:
            raise GaveUp
        self._machine.write(OUT, data)
        self._machine.attach(len(nodes))
        if self._machine.code:
            raise GaveUp

    def offer(self, nodes: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up nodes that will be asked for, with paths as in `unwritten`: those whose parent is here, and
        that are what it refers to.
        """
        counted = [(2 * len(path) - 2 - path[-1], path, node) for path, node in nodes]
        counted.sort(key=itemgetter(0))
        for first in range(0, len(counted), _AT_ONCE):
            parts = [
                part
                for nibbles, path, node in counted[first : first + _AT_ONCE]
                if plain_branch(node) is not None
                for part in (_ENTRY.pack(nibbles, len(node)), path[:-1], node)
            ]
            data = b"".join(parts)
            if len(data) <= IN - OUT:
                self._machine.write(OUT, data)
                self._machine.offer(len(parts) // 3)

    @property
    def is_full(self) -> bool:
        """Whether it had better not be offered more."""
        return self._machine.word(0x2C) > MOST_BYTES * 3 // 4

    def _gone(self, keys: list[bytes]) -> NodeChanges:
        count = self._machine.word(0x28)
        if not count:
            return {}
        gone: NodeChanges = {}
        for index, end, nibble in _PATH.iter_unpack(self._machine.read(_GONE, _PATH.size * count)):
            gone[keys[index].hex()[:end] + ("" if nibble == _NONE else NIBBLES[nibble])] = None
        return gone

    def adopt(self) -> None:
        """Go over to the trie after the last update."""
        self._machine.adopt()
        if self._next is not None:
            self.root, self._next, self._loaded = self._next, None, True
        if self._machine.word(0x2C) > MOST_BYTES:
            self.forget(self._quarter)
            self._quarter = (self._quarter + 1) % 4

    def forget(self, quarter: int) -> None:
        """Drop about a quarter of the lowest branches, of those that are written; and any pending update."""
        self._next = None
        self._machine.forget(quarter)

    def node(self, path: str) -> bytes | None:
        """The node at a path of nibbles, if it is in memory."""
        machine = self._machine
        machine.write(OUT, bytes.fromhex(path + "0" * (len(path) & 1)))
        machine.find(len(path))
        length = machine.word(0x28)
        return machine.read(machine.word(0x24), length) if length else None

    def unwritten_count(self) -> int:
        """How many branches have changed since `written`, those of a pending update too."""
        return self._machine.word(0x30)

    def unwritten(self, *, updated: bool) -> Iterator[tuple[bytes, bytes]]:
        """The branches that have changed since `written`, with `updated` those after the last update: path
        and branch. The path has two nibbles a byte, and then a byte that says whether the last one is half.
        """
        machine, done = self._machine, 0
        while True:
            machine.list(done, int(updated))
            listed = machine.listed()
            if not listed:
                return
            yield from listed
            done += len(listed)

    def written(self) -> None:
        """All branches of the trie are written by now."""
        self._machine.written()
