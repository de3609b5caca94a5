"""Metadata V14 as `scalecodec` understands it, and V15 against it."""

from __future__ import annotations

from typing import Any

import pytest
from blake3 import blake3
from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
from scalecodec.type_registry import load_type_registry_preset

from frame.call import RuntimeCall
from frame.metadata.digest import merkle_root
from frame.metadata.types import MetadataV14, MetadataV15, MetadataV16
from frame.testing import Chain
from primitives.era import Era
from primitives.scale import codec
from tests.frame.template_runtime import ALICE, TemplateRuntime

TEMPLATE = TemplateRuntime.template


@pytest.fixture(scope="module")
def reader() -> Any:
    """scalecodec's runtime configuration with our types, and the metadata as it sees it."""
    config = RuntimeConfigurationObject()
    config.update_type_registry(load_type_registry_preset("core"))
    config.update_type_registry(load_type_registry_preset("legacy"))
    metadata = config.create_scale_object("MetadataVersioned", ScaleBytes(TemplateRuntime().metadata(14)))
    metadata.decode()
    config.add_portable_registry(metadata)
    return config, metadata


def pallet(reader: Any, name: str) -> Any:
    """A pallet of the decoded metadata."""
    return next(p for p in reader[1].pallets if p.value["name"] == name)


def ours() -> MetadataV14:
    """The metadata as our own codec reads it."""
    return codec(MetadataV14).decode(TemplateRuntime().metadata(14)[5:])


def test_pallets_and_their_parts(reader: Any) -> None:
    found = pallet(reader, "Template")
    assert found.value["index"] == 7
    assert [c.name for c in found.calls][:3] == ["store", "steps", "store_then_fail"]
    assert [e.name for e in found.events] == ["Stored", "Stepped"]
    assert [e.name for e in found.errors] == ["StepTooLarge", "Refused"]
    assert found.errors[0].docs == ["The step is more than `max_step`."]
    assert found.calls[0].docs == ["Set the number."]
    assert [c.value["name"] for c in found.constants] == ["MaxStep", "Unit"]
    names = {c.name: c.value for c in ours().pallets[2].constants}
    assert names == {"MaxStep": (50).to_bytes(4, "little"), "Unit": (1_000_000).to_bytes(8, "little")}


def test_storage_entries(reader: Any) -> None:
    entries = {e["name"]: e for e in pallet(reader, "Template").value["storage"]["entries"]}
    assert entries["Something"]["modifier"] == "Optional"
    assert entries["Something"]["documentation"] == ["The number."]
    assert entries["Total"]["modifier"] == "Default"
    assert entries["Pairs"]["type"]["Map"]["hashers"] == ["Twox64Concat", "Twox64Concat"]
    assert entries["Changes"]["type"]["Map"]["hashers"] == ["Blake2_128Concat"]
    assert entries["CounterForNames"]["modifier"] == "Default"
    stored = ours().pallets[2].storage
    assert stored is not None
    assert {e.name: e.default for e in stored.entries}["Total"] == b"\7\0\0\0\0\0\0\0"


def test_substrates_paths(reader: Any) -> None:
    paths = {"::".join(t["type"]["path"]) for t in reader[1].value[1]["V14"]["types"]["types"]}
    for path in (
        "primitive_types::H256",
        "sp_core::crypto::AccountId32",
        "sp_runtime::multiaddress::MultiAddress",
        "sp_runtime::MultiSignature",
        "sp_runtime::generic::era::Era",
        "sp_runtime::generic::unchecked_extrinsic::UncheckedExtrinsic",
        "sp_runtime::generic::digest::DigestItem",
        "sp_runtime::DispatchError",
        "sp_runtime::ModuleError",
        "sp_weights::weight_v2::Weight",
        "sp_version::RuntimeVersion",
        "frame_system::AccountInfo",
        "frame_system::EventRecord",
        "frame_system::limits::BlockWeights",
        "frame_support::dispatch::DispatchClass",
        "pallet_balances::types::AccountData",
        "sp_core::bounded::bounded_vec::BoundedVec",
        "template_runtime::RuntimeCall",
        "template_runtime::RuntimeEvent",
        "template_runtime::RuntimeError",
        "pallet_template::Point",
        "pallet_template::pallet::Call",
        "frame_system::pallet::Event",
    ):
        assert path in paths
    unnamed = [t for t in reader[1].value[1]["V14"]["types"]["types"] if "composite" in t["type"]["def"]]
    assert all(len(t["type"]["path"]) > 1 for t in unnamed)


def test_extensions(reader: Any) -> None:
    listed = reader[1].value[1]["V14"]["extrinsic"]["signed_extensions"]
    assert [e["identifier"] for e in listed] == [
        "CheckNonZeroSender",
        "CheckSpecVersion",
        "CheckTxVersion",
        "CheckGenesis",
        "CheckMortality",
        "CheckNonce",
        "CheckWeight",
        "ChargeTransactionPayment",
        "CheckMetadataHash",
        "WeightReclaim",
    ]
    types = reader[1].value[1]["V14"]["types"]["types"]
    signed = [types[e["additional_signed"]]["type"]["def"] for e in listed]
    assert signed[1] == signed[2] == {"primitive": "u32"}
    assert signed[0] == signed[9] == {"tuple": []}


def test_scalecodec_reads_our_extrinsics_and_events(reader: Any, chain: Chain) -> None:
    config, metadata = reader
    call = RuntimeCall(TEMPLATE.entry("nested"), (RuntimeCall(TEMPLATE.entry("remember"), (b"hey", 9)),))
    raw = chain.sign(ALICE, call, era=Era.mortal(64, 0), tip=5)
    extrinsic = config.create_scale_object("Extrinsic", ScaleBytes(raw), metadata=metadata)
    value = extrinsic.decode()
    assert value["address"] == "0x" + ALICE.account_id.hex()
    assert (value["nonce"], value["tip"], value["era"]) == (0, 5, (64, 0))
    assert value["call"]["call_function"] == "nested"
    inner = value["call"]["call_args"][0]["value"]
    assert (inner["call_function"], [a["value"] for a in inner["call_args"]]) == ("remember", ["hey", 9])
    chain.block(raw, chain.sign(ALICE, RuntimeCall(TEMPLATE.entry("store"), (5,)), nonce=1))
    machine = chain.runtime.machine()
    machine.overlay.reset(chain.state)
    stored = machine.overlay.get(machine.system.events.key)  # type: ignore[attr-defined]
    entry = next(e for e in pallet(reader, "System").storage if e.value["name"] == "Events")
    events = config.create_scale_object(entry.get_value_type_string(), ScaleBytes(stored), metadata=metadata)
    names = [e["event_id"] for e in events.decode()]
    assert names == ["ExtrinsicSuccess", "ExtrinsicSuccess", "Stored", "ExtrinsicSuccess"]
    last = events.value[-2]
    assert last["extrinsic_idx"] == 2
    assert last["attributes"]["something"] == 5


def test_v15_says_the_same_and_more() -> None:
    runtime = TemplateRuntime()
    old = codec(MetadataV14).decode(runtime.metadata(14)[5:])
    new = codec(MetadataV15).decode(runtime.metadata(15)[5:])
    assert old.types == new.types[: len(old.types)], (
        "the rest is for the runtime APIs, of which V14 is silent"
    )
    assert [p.docs for p in new.pallets][2] == ["Stores numbers.", "", "And has a second paragraph."]
    assert [p.name for p in old.pallets] == [p.name for p in new.pallets]
    methods = {api.name: [m.name for m in api.methods] for api in new.apis}
    assert methods["Core"] == ["version", "execute_block", "initialize_block"]
    assert methods["AccountNonceApi"] == ["account_nonce"]
    path = {t.id: "::".join(t.path) for t in new.types}
    assert path[new.outer_enums.call] == "template_runtime::RuntimeCall"
    assert path[new.outer_enums.error] == "template_runtime::RuntimeError"
    assert path[new.extrinsic.address] == "sp_runtime::multiaddress::MultiAddress"
    assert runtime.metadata(14)[:5] == b"meta\x0e"
    with pytest.raises(ValueError, match="no metadata of version 13"):
        runtime.metadata(13)


def test_v16_says_the_same_and_more() -> None:
    runtime = TemplateRuntime()
    old = codec(MetadataV15).decode(runtime.metadata(15)[5:])
    new = codec(MetadataV16).decode(runtime.metadata(16)[5:])
    assert runtime.metadata(16)[:5] == b"meta\x10"
    assert (old.types, old.outer_enums) == (new.types, new.outer_enums)
    assert [(p.name, p.index, p.docs) for p in old.pallets] == [
        (p.name, p.index, p.docs) for p in new.pallets
    ]
    assert [p.calls for p in old.pallets] == [p.calls and p.calls.type_ for p in new.pallets]
    assert new.extrinsic.versions == [4]
    assert new.extrinsic.extensions_by_version == [(0, list(range(10)))]
    assert new.extrinsic.extensions == old.extrinsic.signed_extensions
    assert {api.name: api.version for api in new.apis}["BlockBuilder"] == 6


def test_the_root_of_the_digests_tree() -> None:
    leaves = [bytes((i,)) for i in range(5)]
    a, b, c, d, e = (blake3(leaf).digest() for leaf in leaves)
    node = lambda left, right: blake3(left + right).digest()  # noqa: E731
    # RFC 78: a complete tree, whose last row is filled from the left.
    assert merkle_root(leaves) == node(node(node(d, e), a), node(b, c))
    assert merkle_root(leaves[:1]) == a
    assert merkle_root([]) == bytes(32)
