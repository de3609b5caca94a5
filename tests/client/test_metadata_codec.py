"""The codec that the client builds from metadata, against the chain's own codec and against scalecodec."""

from functools import cache
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
from scalecodec.type_registry import load_type_registry_preset

from client.errors import MetadataError
from client.metadata import Metadata, parse_metadata
from client.registry import TypeDef
from frame.backend import MemoryBackend
from frame.host import PlainHost
from primitives.hashing import twox_128
from primitives.scale import Bytes, codec, decode, encode
from runtime import runtime


@cache
def metadata_bytes(version: int) -> bytes:
    """What `Metadata_metadata_at_version` answers."""
    args = version.to_bytes(4, "little")
    answer = runtime().call(MemoryBackend(), "Metadata_metadata_at_version", args, PlainHost())
    found = decode(Bytes | None, answer)
    assert isinstance(found, bytes)
    return found


@cache
def metadata(version: int = 14) -> Metadata:
    return parse_metadata(metadata_bytes(version))


@cache
def oracle() -> Any:
    """scalecodec, told the same metadata."""
    config = RuntimeConfigurationObject()
    config.update_type_registry(load_type_registry_preset("core"))
    parsed = config.create_scale_object("MetadataVersioned", ScaleBytes(metadata_bytes(14)))
    parsed.decode()
    config.add_portable_registry(parsed)
    return config


@pytest.mark.parametrize("version", [14, 15])
def test_both_versions_say_the_same(version: int) -> None:
    found = metadata(version)
    assert found.version == version
    assert found.pallets.keys() == metadata(14).pallets.keys() >= {"System", "Timestamp"}
    assert [e.identifier for e in found.extensions] == [e.identifier for e in metadata(14).extensions]
    assert found.constant("System", "BlockHashCount") == metadata(14).constant("System", "BlockHashCount")


def test_storage_keys_are_substrates() -> None:
    assert metadata().key("System", "Events") == twox_128(b"System") + twox_128(b"Events")
    key = metadata().key("System", "Account", b"a" * 32)
    assert key.hex().startswith("26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9")
    assert key.endswith(b"a" * 32)
    assert metadata().keys_of("System", "Account", key) == (b"a" * 32,)


def test_every_type_can_be_built() -> None:
    registry = metadata().registry
    for type_id in registry.types:
        with pytest.raises(MetadataError):
            registry.decode(type_id, b"\xff" * 3 + b"\xff" * 10_000)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_arbitrary_bytes_decode_to_a_value_that_encodes_back_or_are_refused(data: st.DataObject) -> None:
    registry = metadata().registry
    type_id = data.draw(st.sampled_from(sorted(registry.types)))
    text = data.draw(st.binary(max_size=100))
    try:
        value, end = registry.decode_from(type_id, text, 0)
    except MetadataError:
        return
    assert registry.encode(type_id, value) == text[:end]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_scalecodec_reads_what_is_written(data: st.DataObject) -> None:
    """Primitive and compact values of every integer type in the metadata."""
    registry = metadata().registry
    integers = [
        type_id
        for type_id, kind in registry.types.items()
        if isinstance(kind.definition, TypeDef.Primitive) and 3 <= kind.definition.kind <= 7
    ]
    type_id = data.draw(st.sampled_from(sorted(integers)))
    definition = registry[type_id].definition
    assert isinstance(definition, TypeDef.Primitive)
    value = data.draw(st.integers(0, 2 ** (8 * 2 ** (definition.kind - 3)) - 1))
    written = registry.encode(type_id, value)
    assert oracle().create_scale_object(f"scale_info::{type_id}", ScaleBytes(written)).decode() == value


def test_calls_are_built_by_name_and_mistakes_are_named() -> None:
    call = metadata().call("System", "remark", {"remark": b"hello"})
    pallet = metadata().pallet("System")
    assert call == bytes([pallet.index, pallet.calls["remark"].index]) + encode(Bytes, b"hello")
    for pallet_name, name, arguments, said in (
        ("Sistem", "remark", {"remark": b""}, "no pallet named Sistem"),
        ("System", "remarc", {"remark": b""}, "no call in System named remarc"),
        ("System", "remark", {}, "takes"),
        ("System", "remark", {"remark": b"", "more": 1}, "takes"),
    ):
        with pytest.raises(MetadataError, match=said):
            metadata().call(pallet_name, name, arguments)


def test_errors_have_names_and_unknown_ones_numbers() -> None:
    system = metadata().pallet("System")
    code, variant = next(iter(system.errors.items()))
    assert metadata().error(system.index, code)[0] == f"System.{variant.name}"
    assert metadata().error(250, 7) == ("Module250.Error7", "")


@pytest.mark.parametrize("cut", [0, 3, 4, 5, 6, 100, 1000])
def test_metadata_that_end_early_are_refused(cut: int) -> None:
    with pytest.raises(MetadataError):
        parse_metadata(metadata_bytes(14)[:cut])


def test_other_versions_and_other_bytes_are_refused() -> None:
    with pytest.raises(MetadataError, match="version 13"):
        parse_metadata(b"meta\x0d" + metadata_bytes(14)[5:])
    with pytest.raises(MetadataError):
        parse_metadata(b"atem" + metadata_bytes(14)[4:])


def test_a_sequence_cannot_claim_more_than_its_bytes() -> None:
    registry = metadata().registry
    for type_id, kind in registry.types.items():
        if isinstance(kind.definition, TypeDef.Sequence):
            with pytest.raises(MetadataError):
                registry.decode(type_id, codec(Bytes).encode(b"")[:0] + b"\x03\xff\xff\xff\x3f" + b"\0" * 50)
