"""Chain specs as JSON: reading, writing, refusing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain_spec import (
    ChainSpec,
    ChainSpecError,
    NoState,
    OtherRuntime,
    PlainGenesis,
    RawGenesis,
    RootGenesis,
    SpecMalformed,
    SpecTooLarge,
    SpecUnreadable,
    StateVersionUnread,
    genesis_block,
    load,
    parse,
    raw_genesis,
    resolve,
    spec,
)
from frame.backend import Delta
from primitives.trie import InvalidKey, state_root

BLOB = st.binary(max_size=40)
SPACES = st.dictionaries(BLOB, BLOB, max_size=5)
RAW = st.builds(RawGenesis, SPACES, st.dictionaries(BLOB, SPACES, max_size=2))
NAMES = st.text(min_size=1, max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
CONFIGS = st.dictionaries(
    st.text(max_size=8), st.dictionaries(st.text(max_size=5), JSON, max_size=2), max_size=3
)
GENESES = st.one_of(
    RAW,
    st.builds(PlainGenesis, CONFIGS, st.none() | BLOB),
    st.builds(RootGenesis, st.binary(min_size=32, max_size=32)),
)
SPECS = st.builds(
    ChainSpec,
    name=NAMES,
    id=NAMES,
    genesis=GENESES,
    chain_type=st.sampled_from(["Development", "Local", "Live"]) | NAMES.map(lambda name: {"Custom": name}),
    boot_nodes=st.lists(NAMES, max_size=2).map(tuple),
    protocol_id=st.none() | NAMES,
    properties=st.dictionaries(NAMES, JSON, max_size=2),
    extra=st.just({}) | st.just({"relay_chain": "rococo", "para_id": 1000}),
)
MINIMAL: dict[str, Any] = {"name": "n", "id": "i", "genesis": {"raw": {"top": {}}}}


@given(SPECS)
def test_specs_come_back_from_their_json(original: ChainSpec) -> None:
    assert parse(original.to_json()) == original
    assert parse(original.to_json().encode()) == original


def test_field_names_are_substrates() -> None:
    written = json.loads(
        ChainSpec(name="n", id="i", genesis=RawGenesis({b"\1": b""}, {b"c": {b"k": b"v"}})).to_json()
    )
    assert list(written) == [
        "name",
        "id",
        "chainType",
        "bootNodes",
        "telemetryEndpoints",
        "protocolId",
        "properties",
        "codeSubstitutes",
        "genesis",
    ]
    assert written["genesis"] == {
        "raw": {"top": {"0x01": "0x"}, "childrenDefault": {"0x63": {"0x6b": "0x76"}}}
    }
    plain = json.loads(ChainSpec(name="n", id="i", genesis=PlainGenesis({"a": {}}, b"\1")).to_json())
    assert plain["genesis"] == {"runtimeGenesis": {"code": "0x01", "patch": {"a": {}}}}


def test_a_full_config_is_read_too() -> None:
    fields = MINIMAL | {"genesis": {"runtimeGenesis": {"code": "0x", "config": {"a": {"b": 1}}}}}
    assert parse(json.dumps(fields)).genesis == PlainGenesis({"a": {"b": 1}}, b"")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"name": 5}, "name is not a text"),
        ({"id": ""}, "id is not a text"),
        ({"id": "x" * 300}, "id is not a text"),
        ({"chainType": "Weird"}, "chainType"),
        ({"bootNodes": [5]}, "bootNodes"),
        ({"properties": []}, None),
        ({"properties": "x"}, "properties is not an object"),
        ({"genesis": None}, "genesis is not an object"),
        ({"genesis": {}}, "none of raw"),
        ({"genesis": {"raw": []}}, "genesis.raw is not an object"),
        ({"genesis": {"raw": {}}}, "genesis.raw.top is not an object"),
        ({"genesis": {"raw": {"top": {"00": "0x"}}}}, "top key is not hexadecimal"),
        ({"genesis": {"raw": {"top": {"0x0": "0x"}}}}, "not whole hexadecimal"),
        ({"genesis": {"raw": {"top": {"0x": "0xzz"}}}}, "not whole hexadecimal"),
        ({"genesis": {"raw": {"top": {"0x": "0x0 0"}}}}, "not hexadecimal"),
        ({"genesis": {"raw": {"top": {"0x": 5}}}}, "top value is not hexadecimal"),
        ({"genesis": {"raw": {"top": {}, "childrenDefault": {"0x": 1}}}}, "childrenDefault is not an object"),
        ({"genesis": {"stateRootHash": "0x00"}}, "not 32 bytes"),
        ({"genesis": {"runtimeGenesis": {}}}, "neither patch nor config"),
    ],
)
def test_malformed_fields_are_named(change: dict[str, Any], why: str | None) -> None:
    text = json.dumps(MINIMAL | change)
    if why is None:  # an empty list stands for an empty object in some tools
        parse(text)
        return
    with pytest.raises(SpecMalformed, match=why):
        parse(text)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "5", "[" * 100_000, "\ud800", '{"a": ' + "9" * 5000 + "}"]
)
def test_what_is_no_spec_is_refused(text: str) -> None:
    with pytest.raises(SpecMalformed):
        parse(text)
    with pytest.raises(SpecMalformed):
        parse(b"\xff\xfe" + text.encode("utf-8", "replace"))


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(MINIMAL))
    assert resolve(str(file)) == load(file)
    with pytest.raises(SpecUnreadable, match=r"the presets are dev, local$"):
        resolve(str(tmp_path / "absent"))
    with pytest.raises(SpecUnreadable):
        load(tmp_path)
    monkeypatch.setattr(spec, "MAX_SPEC", 10)
    with pytest.raises(SpecTooLarge):
        load(file)


@given(RAW, st.sampled_from([0, 1]))
def test_the_genesis_block_of_a_raw_spec(raw: RawGenesis, version: int) -> None:
    block = genesis_block(ChainSpec(name="n", id="i", genesis=raw), state_version=version)
    assert block.header.state_root == state_root(raw.top, raw.children, version)
    assert block.header.number == 0
    assert block.delta is not None
    assert dict(block.delta.top) == raw.top
    assert list(block.delta.top) == sorted(raw.top)


def test_a_state_without_code_needs_to_be_told_its_version() -> None:
    bare = ChainSpec(name="n", id="i", genesis=RawGenesis({b"a": b"b"}))
    with pytest.raises(StateVersionUnread, match="--state-version"):
        genesis_block(bare)
    assert genesis_block(bare, state_version=0).state_version == 0


def test_a_spec_of_only_a_root() -> None:
    rooted = ChainSpec(name="n", id="i", genesis=RootGenesis(b"\7" * 32))
    block = genesis_block(rooted)
    assert block.header.state_root == b"\7" * 32
    assert block.delta is None
    with pytest.raises(NoState):
        raw_genesis(rooted)


def test_hostile_keys_are_refused_by_name() -> None:
    nested = RawGenesis({b"\0" * n: b"" for n in range(2000)})
    with pytest.raises(InvalidKey):
        genesis_block(ChainSpec(name="n", id="i", genesis=nested), state_version=1)


class OneKey:
    """A runtime whose genesis is one key."""

    def genesis(self, config: Any) -> Delta:
        return Delta({b":code": b"mine", b"given": json.dumps(config).encode()})


def test_a_plain_genesis_is_built_by_the_runtime_it_names() -> None:
    fitting = ChainSpec(name="n", id="i", genesis=PlainGenesis({"a": {}}, b"mine"))
    assert raw_genesis(fitting, OneKey()).top == {b":code": b"mine", b"given": b'{"a": {}}'}
    unnamed = fitting.with_genesis(PlainGenesis({"a": {}}))
    assert raw_genesis(unnamed, OneKey()) == raw_genesis(fitting, OneKey())
    with pytest.raises(OtherRuntime, match="an unknown runtime"):
        raw_genesis(fitting.with_genesis(PlainGenesis({}, b"another")), OneKey())


@given(st.dictionaries(st.sampled_from([*MINIMAL, "chainType", "properties", "bootNodes"]), JSON))
def test_any_json_is_a_spec_or_refused_by_name(fields: dict[str, Any]) -> None:
    try:
        parse(json.dumps(MINIMAL | fields))
    except ChainSpecError:
        return
