"""Genesis hashes against others: smoldot for our specs, the published one for theirs; the commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from chain_spec import PRESETS, RawGenesis, genesis_block, parse, raw_genesis, runtime_of
from chain_spec.cli import describe
from tests.nodejs import Smoldot

ASSET_HUB = "0x7c34d42fc815d392057c78b49f2755c753440ccd38bcb0405b3bcfb601d08734"


def gristmill(*arguments: str) -> str:
    command = [sys.executable, "-m", "cli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_our_presets_have_smoldots_genesis_hash(smoldot: Smoldot, preset: str) -> None:
    spec = PRESETS[preset]()
    raw = spec.with_genesis(raw_genesis(spec))
    block = genesis_block(spec)
    assert smoldot.genesis_hash(raw.to_json()) == block.hash
    assert genesis_block(parse(raw.to_json())).hash == block.hash
    assert block.state_version == 1


def test_presets_are_two_chains() -> None:
    assert genesis_block(PRESETS["dev"]()).hash != genesis_block(PRESETS["local"]()).hash


def test_a_chain_by_others_has_its_published_genesis_hash(smoldot: Smoldot) -> None:
    spec = parse(smoldot.known_spec("rococo_v2_2_asset_hub"))
    assert isinstance(spec.genesis, RawGenesis)
    assert "0x" + genesis_block(spec).hash.hex() == ASSET_HUB
    assert runtime_of(spec.genesis).state_version == 0
    assert spec.extra == {"relay_chain": "rococo_v2_2", "para_id": 1000}
    assert "0x" + genesis_block(spec, state_version=1).hash.hex() != ASSET_HUB


@pytest.mark.parametrize(
    ("chain", "genesis_hash"),
    [
        ("polkadot", "0x91b171bb158e2d3848fa23a9f1c25182fb8e20313b2c1eb49219da7a70ce90c3"),
        ("ksmcc3", "0xb0a8d493285c2df73290dfb7e61f870f17b41801197a149ca93654499ea3dafe"),
        ("westend2", "0xe143f23803ac50e8f6f8e62695d1ce9e4e1d68aa36c1cd2cfd15340213f3423e"),
        ("polkadot_asset_hub", "0x68d56f15f85d3136970ec16946040bc1752654e906147f7e43e9d539d7c3de2f"),
    ],
)
def test_specs_that_hold_only_the_state_root(smoldot: Smoldot, chain: str, genesis_hash: str) -> None:
    assert describe(parse(smoldot.known_spec(chain)))["genesis_hash"] == genesis_hash


@pytest.mark.parametrize("version", [0, 1])
def test_the_same_state_under_either_version_of_code(smoldot: Smoldot, version: int) -> None:
    """Smoldot reads the state version from `:code` as we do."""
    from frame.manifest import runtime_manifest
    from frame.version import RuntimeVersion

    fields = {
        "spec_name": "x",
        "impl_name": "x",
        "authoring_version": 1,
        "spec_version": 1,
        "impl_version": 1,
    }
    told = RuntimeVersion(**fields, apis=[], transaction_version=1, system_version=version)  # type: ignore[arg-type]
    top = {
        b":code": runtime_manifest(told.encode(), [(bytes.fromhex("df6acb689907609b"), 5)]),
        b"k": bytes(100),
    }
    spec = PRESETS["dev"]().with_genesis(RawGenesis(top))
    assert genesis_block(spec).state_version == version
    assert smoldot.genesis_hash(spec.to_json()) == genesis_block(spec).hash


def test_plain_and_raw_files_are_the_same_chain(tmp_path: Path) -> None:
    """`build-spec`, then `chain-info` of what it wrote: three ways to one genesis hash."""
    (tmp_path / "plain.json").write_text(
        gristmill("build-spec", "--chain", "dev", "--disable-default-bootnode")
    )
    raw = tmp_path / "raw.json"
    gristmill("build-spec", "--chain", str(tmp_path / "plain.json"), "--raw", "--output", str(raw))
    named = json.loads(gristmill("chain-info", "--chain", "dev"))
    filed = json.loads(gristmill("chain-info", "--chain", str(raw)))
    assert named["genesis_hash"] == filed["genesis_hash"] == "0x" + genesis_block(PRESETS["dev"]()).hash.hex()
    assert named["state_root"] == filed["state_root"]
    assert (named["spec_name"], named["state_version"]) == ("gristmill", 1)
    assert "runtimeGenesis" in json.loads((tmp_path / "plain.json").read_text())["genesis"]


def test_chain_info_of_a_chain_by_others(smoldot: Smoldot) -> None:
    info = describe(parse(smoldot.known_spec("rococo_v2_2_asset_hub")))
    assert info["genesis_hash"] == ASSET_HUB
    assert (info["keys"], info["state_version"], info["spec_name"]) == (53, 0, "statemine")
