"""One event of each kind of every pallet, and one `ExtrinsicFailed` for each error of every pallet, made from
the chain's metadata: what a client has to be able to read, whatever happens.
"""

from __future__ import annotations

from typing import NamedTuple

from client.metadata import Metadata, parse_metadata
from client.registry import Registry, TypeDef, VariantDef
from primitives.hashing import twox_128
from primitives.scale import encode_compact
from tests.running_node import RunningNode

EVENTS = twox_128(b"System") + twox_128(b"Events")
DEEP = 4
"""From here on, sequences are empty and enums take their simplest variant: types may be recursive."""
NUMBER_BYTES = {3: 1, 4: 2, 5: 4, 6: 8, 7: 16, 8: 32, 9: 1, 10: 2, 11: 4, 12: 8, 13: 16, 14: 32}


class Samples(NamedTuple):
    """SCALE `Vec<EventRecord>`, and what it holds by name, as `pallet.Event` and `pallet.Error`."""

    records: bytes
    events: list[str]
    errors: list[str]


def make(node: RunningNode) -> tuple[str, Samples]:
    """Write the samples into the node's state; the hash of the block that holds them."""
    metadata = parse_metadata(bytes.fromhex(node.rpc("state_getMetadata")[2:]))
    samples = of(metadata)
    block = node.rpc("dev_setStorage", [["0x" + EVENTS.hex(), "0x" + samples.records.hex()]])
    return str(block), samples


def of(metadata: Metadata) -> Samples:
    """The samples of a chain."""
    registry = metadata.registry
    records: list[bytes] = []
    events: list[str] = []
    for outer in _event_variants(metadata):
        inner = registry[outer.fields[0].type].definition
        assert isinstance(inner, TypeDef.Alternatives)
        for variant in inner.variants:
            events.append(f"{_low(outer.name)}.{variant.name}")
            fields = b"".join(_sample(registry, field.type) for field in variant.fields)
            records.append(_record(bytes([outer.index, variant.index]) + fields))
    errors: list[str] = []
    for pallet in metadata.pallets.values():
        for number, error in pallet.errors.items():
            errors.append(f"{_low(pallet.name)}.{error.name}")
            events.append("system.ExtrinsicFailed")
            records.append(_record(_failed(metadata, bytes([3, pallet.index, number, 0, 0, 0]))))
    return Samples(encode_compact(len(records)) + b"".join(records), events, errors)


def _event_variants(metadata: Metadata) -> list[VariantDef]:
    """The pallets' variants of the runtime's event type."""
    registry = metadata.registry
    records = registry[metadata.value_type("System", "Events")].definition
    assert isinstance(records, TypeDef.Sequence)
    record = registry[records.type].definition
    assert isinstance(record, TypeDef.Composite)
    return registry.variants(next(field.type for field in record.fields if field.name == "event"))


def _failed(metadata: Metadata, module_error: bytes) -> bytes:
    """`System.ExtrinsicFailed` with this DispatchError."""
    system = next(variant for variant in _event_variants(metadata) if variant.name == "System")
    variants = metadata.registry.variants(system.fields[0].type)
    failed = next(variant for variant in variants if variant.name == "ExtrinsicFailed")
    rest = b"".join(_sample(metadata.registry, field.type) for field in failed.fields[1:])
    return bytes([system.index, failed.index]) + module_error + rest


def _record(event: bytes) -> bytes:
    """In the phase of extrinsic 0, without topics."""
    return bytes(5) + event + b"\0"


def _sample(registry: Registry, type_id: int, depth: int = 0) -> bytes:
    """Some value of a type; at first not the simplest."""
    definition = registry[type_id].definition
    deeper = depth + 1
    match definition:
        case TypeDef.Composite():
            return b"".join(_sample(registry, field.type, deeper) for field in definition.fields)
        case TypeDef.Alternatives():
            variant = _chosen(definition.variants, depth)
            fields = b"".join(_sample(registry, field.type, deeper) for field in variant.fields)
            return bytes([variant.index]) + fields
        case TypeDef.Sequence():
            return b"\0" if depth > DEEP else b"\x08" + _sample(registry, definition.type, deeper) * 2
        case TypeDef.Array():
            return _sample(registry, definition.type, deeper) * definition.length
        case TypeDef.Tuple():
            return b"".join(_sample(registry, item, deeper) for item in definition.types)
        case TypeDef.Primitive():
            return (
                b"\x08hi"
                if definition.kind == 2
                else b"\x01".ljust(NUMBER_BYTES.get(definition.kind, 1), b"\0")
            )
        case TypeDef.Compact():
            return b"\x04"
    return b"\0"  # an empty bit sequence


def _chosen(variants: list[VariantDef], depth: int) -> VariantDef:
    by_weight = sorted(variants, key=lambda variant: len(variant.fields))
    return by_weight[0] if depth > DEEP else by_weight[-1]


def _low(name: str) -> str:
    return name[:1].lower() + name[1:]
