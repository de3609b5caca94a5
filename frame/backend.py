"""State that is committed: what a backend of it is asked, the changes of a block, and a backend in memory.

Nothing here knows SCALE, pallets or tries: bytes in, bytes out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Delta:
    """The changes of a block in key order; None deletes. `children`: a child trie's name → its changes."""

    top: Mapping[bytes, bytes | None]
    children: Mapping[bytes, Mapping[bytes, bytes | None]] = field(default_factory=dict)


class Backend(Protocol):
    """Committed state at one block. Reads never change it."""

    def get(self, key: bytes, child: bytes | None = None) -> bytes | None:
        """The value at `key`, or None."""
        ...

    def next_key(self, key: bytes, child: bytes | None = None) -> bytes | None:
        """The smallest key strictly greater than `key`, or None at the end."""
        ...

    def root(self, delta: Delta, version: int) -> bytes:
        """The 32-byte state root after `delta` under state `version` 0 or 1; child roots are included."""
        ...


class MemoryBackend:
    """A backend in a dict, for tests, genesis and benchmarks; its root is computed from scratch."""

    def __init__(
        self,
        top: Mapping[bytes, bytes] | None = None,
        children: Mapping[bytes, Mapping[bytes, bytes]] | None = None,
    ) -> None:
        self.top: dict[bytes, bytes] = dict(top or {})
        self.children: dict[bytes, dict[bytes, bytes]] = {
            name: dict(c) for name, c in (children or {}).items()
        }
        self._sorted: dict[bytes | None, list[bytes]] = {}

    def _space(self, child: bytes | None) -> dict[bytes, bytes]:
        return self.top if child is None else self.children.get(child, {})

    def get(self, key: bytes, child: bytes | None = None) -> bytes | None:
        return self._space(child).get(key)

    def next_key(self, key: bytes, child: bytes | None = None) -> bytes | None:
        keys = self._sorted.get(child)
        if keys is None:
            keys = self._sorted[child] = sorted(self._space(child))
        at = bisect_right(keys, key)
        return keys[at] if at < len(keys) else None

    def root(self, delta: Delta, version: int) -> bytes:
        from primitives.trie import CHILD_PREFIX, root

        after = self.after(delta)
        top = dict(after.top)
        for name in sorted(after.children):
            pairs = after.children[name]
            if pairs:
                top[CHILD_PREFIX + name] = root(sorted(pairs.items()), version)
        return root(sorted(top.items()), version)

    def after(self, delta: Delta) -> MemoryBackend:
        """A new backend with `delta` applied; this one stays as it is."""
        new = MemoryBackend(self.top, self.children)
        new.apply(delta)
        return new

    def apply(self, delta: Delta) -> None:
        """Apply `delta` in place."""
        _merge(self.top, delta.top)
        for name, changes in delta.children.items():
            _merge(self.children.setdefault(name, {}), changes)
        self._sorted = {}


def _merge(space: dict[bytes, bytes], changes: Mapping[bytes, bytes | None]) -> None:
    for key, value in changes.items():
        if value is None:
            space.pop(key, None)
        else:
            space[key] = value
