"""Storage values as `dev_setStorage` takes them: raw pairs, or JSON that the runtime's own types turn into
keys and values.

    [["0x26aa…", "0x0100…"], ["0x1cb6…", null]]
    {"System": {"Account": [[["5Grw…"], {"nonce": 1, "data": {"free": "1000"}}]]}, "Utility": {…}}

Fields left out of a struct are zero, as in polkadot.js. A value that its type cannot hold is refused: a
runtime that meets one makes no more blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from frame.genesis import GenesisError, from_json
from frame.item import Item
from frame.names import lower_camel
from frame.pallet import Pallet
from node.rpc.errors import RpcError, invalid_params
from node.rpc.params import MAX_KEYS, unhex
from node.rpc.queries import keys_under
from node.service import Node
from primitives.scale import Codec, CompactCodec, IntCodec, ScaleError, StructCodec
from primitives.trie import CHILD_PREFIX

ZEROS = bytes(4096)
MAX_REMOVED = 200_000
MAX_KEY = 4096
WRITE_ONLY = "System.Events"
"""No runtime reads its events again, so what stands there can hurt nobody."""
Change = tuple[bytes, bytes | None]


def changes_of(node: Node, values: Any) -> list[Change]:
    """Key and new value (None deletes) of everything in `values`; raises `RpcError`."""
    try:
        changes: list[Change] | None = None
        if isinstance(values, list):
            if len(values) > MAX_KEYS:
                raise ValueError(f"expected at most {MAX_KEYS} pairs")
            changes = [_pair(item) for item in values]
        if isinstance(values, dict):
            changes = [change for name, items in values.items() for change in _of_pallet(node, name, items)]
        if changes is not None:
            _check(node, changes)
            return changes
    except (GenesisError, ScaleError, ValueError) as error:
        raise RpcError(1, f"Error: {error}") from None
    raise invalid_params("`values`: expected a list of pairs, or an object of pallets")


def _check(node: Node, changes: list[Change]) -> None:
    """Refuse what the runtime could not read."""
    known = {
        item.prefix(pallet): (f"{pallet.name}.{item.name}", item)
        for pallet in node.chain.runtime.pallets
        for item in pallet.declaration.storage
    }
    for key, value in changes:
        where, item = known.get(key[:32], ("", None))
        if item is None or value is None or (not item.key_codecs and len(key) > 32):
            continue
        if where == WRITE_ONLY:
            continue
        try:
            item.codec.decode(value)
        except ScaleError as error:
            raise ValueError(f"{where}: {error}") from None


def _pair(item: Any) -> Change:
    if not isinstance(item, list) or len(item) != 2:
        raise ValueError("expected pairs of a key and a value")
    key = unhex(item[0])
    if len(key) > MAX_KEY or key.startswith(CHILD_PREFIX):
        raise ValueError(f"a key has at most {MAX_KEY} bytes, and is no child trie's root")
    return key, None if item[1] is None else unhex(item[1])


def _of_pallet(node: Node, name: str, items: Any) -> Iterator[Change]:
    pallet = next((p for p in node.chain.runtime.pallets if _same(p.name, name)), None)
    if pallet is None or not isinstance(items, dict):
        raise ValueError(f"Cannot find pallet {name}")
    for item_name, value in items.items():
        if item_name == "$removePrefix":
            for removed in value if isinstance(value, list) else [value]:
                prefix = _item(pallet, str(removed)).prefix(pallet)
                yield from _removed(node, prefix)
        else:
            yield from _of_item(pallet, _item(pallet, item_name), value)


def _removed(node: Node, prefix: bytes) -> Iterator[Change]:
    for count, key in enumerate(keys_under(node.chain.state(), prefix)):
        if count >= MAX_REMOVED:
            raise ValueError(f"more than {MAX_REMOVED} entries would go at once")
        yield key, None


def _item(pallet: Pallet[Any], name: str) -> Item:
    found = next((item for item in pallet.declaration.storage if _same(item.name, name)), None)
    if found is None:
        raise ValueError(f"Cannot find storage {name} in pallet {pallet.name}")
    return found


def _same(ours: str, given: str) -> bool:
    return given in (ours, lower_camel(ours), ours[:1].lower() + ours[1:])


def _of_item(pallet: Pallet[Any], item: Item, value: Any) -> Iterator[Change]:
    where = f"{pallet.name}.{item.name}"
    if not item.key_codecs:
        yield item.prefix(pallet), _encoded(item.codec, value, where)
        return
    if not isinstance(value, list):
        raise ValueError(f"{where}: expected a list of [keys, value]")
    for entry in value:
        if not isinstance(entry, list) or len(entry) != 2:
            raise ValueError(f"{where}: expected [keys, value]")
        keys = entry[0] if isinstance(entry[0], list) else [entry[0]]
        if len(keys) != len(item.key_codecs):
            raise ValueError(f"{where}: expected {len(item.key_codecs)} keys, got {len(keys)}")
        key = item.prefix(pallet)
        for codec, hasher, part in zip(item.key_codecs, item.hashers, keys, strict=True):
            key += hasher.hash(codec.encode(_value(codec, part, where)))
        yield key, _encoded(item.codec, entry[1], where)


def _encoded(codec: Codec[Any], value: Any, where: str) -> bytes | None:
    """Hex is taken as SCALE already."""
    if value is None:
        return None
    if isinstance(value, str) and value.startswith("0x"):
        return unhex(value)
    return codec.encode(_value(codec, value, where))


def _value(codec: Codec[Any], value: Any, where: str) -> Any:
    match codec:
        case IntCodec() | CompactCodec() if isinstance(value, str):
            return int(value.replace(",", ""), 0)
        case StructCodec() if isinstance(value, Mapping):
            return _struct(codec, value, where)
        case _:
            return from_json(codec, value, where)


def _struct(codec: StructCodec, value: Mapping[str, Any], where: str) -> Any:
    fields = {name: f for f in codec.fields for name in (f.attribute, lower_camel(f.attribute))}
    for name in value:
        if name not in fields:
            raise ValueError(f"{where}.{name}: there is no such field")
    zero, _ = codec.decode_from(ZEROS, 0)
    parts = {f.attribute: getattr(zero, f.attribute) for f in codec.fields}
    parts |= {
        fields[name].attribute: _value(fields[name].codec, part, f"{where}.{name}")
        for name, part in value.items()
    }
    return codec.cls(**parts)
