"""The root over a list, as of a block's extrinsics, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from threading import Lock

from wasmtime import Trap, WasmtimeError

from primitives.trie.codec import compact
from primitives.trie.wasm.machine import OK, Machine

MOST_VALUES = 1 << 14
"""As many keys as have one or two bytes."""

_lock = Lock()


@cache
def _keys() -> list[bytes]:
    return list(map(compact, range(MOST_VALUES)))


@cache
def _machine() -> Machine:
    return Machine()


def list_root(values: Sequence[bytes], version: int) -> bytes | None:
    """The root of the trie that holds `values` under Compact(index). None: too many, too long, no memory."""
    count = len(values)
    if not 0 < count <= MOST_VALUES:
        return None
    # In the order of the keys' bytes: first by the low six bits, which are in the first byte.
    ordered: list[bytes] = []
    keys: list[bytes] = []
    for low in range(min(count, 64)):
        ordered += values[low::64]
        keys += _keys()[low:count:64]
    with _lock:
        try:
            machine = _machine()
            if not machine.hand_over(keys, ordered, None, version):
                return None
            machine.root_of(count)
        except (Trap, WasmtimeError):
            return None
        return machine.root if machine.code == OK else None
