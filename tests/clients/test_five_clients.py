"""Five unmodified clients, each through the same capabilities, against one real node process.

A script for each client prints what it saw as one JSON object, capability by capability, in one common form;
here stands what it must have seen. `python -m pytest tests/clients -k dedot` runs one of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from primitives.keys import Keypair
from tests.clients import samples
from tests.clients.datasets import SOME_REGISTRATION, camel
from tests.nodejs import CLIENTS, missing
from tests.running_node import ROOT, RunningNode

GRIST = 10**12
ALICE = Keypair.from_uri("//Alice").address
BOB = Keypair.from_uri("//Bob").address
PROOF_KEY = "0x3a636f6465"  # `:code`: long enough that the trie holds it by its hash
ABSENT_KEY = "0x1234"

CAPABILITIES: Mapping[str, str] = {
    "connect": "name, genesis, version and properties",
    "constants": "a pallet's constant",
    "value": "a plain storage value",
    "map": "one entry of a map",
    "pages": "all entries of a map, in pages where the client has pages",
    "old_block": "storage at an old block",
    "transfer": "estimate, sign (sr25519), submit, watch until finalized, decode the events",
    "tip": "a tip, and the fee estimated with it",
    "mortal": "a mortal transaction",
    "immortal": "an immortal transaction",
    "ed25519": "sign with ed25519",
    "ecdsa": "sign with ecdsa",
    "metadata_hash": "sign along the metadata's hash (CheckMetadataHash, RFC 78)",
    "batch": "a batch of calls",
    "dataset": "a call with nested structs and enums, and the state that it leaves",
    "failing": "the name of the error of a failing call",
    "dry_run": "what a transaction would do",
    "subscription": "storage as it changes",
    "heads": "finalized heads as they come",
    "block": "the extrinsics of a block, decoded",
    "samples": "every event and every error of every pallet",
    "proof": "a read proof, verified by the client's side",
    "metadata": "the metadata versions that the client decodes",
    "refusals": "what the pool refuses, and why",
}


class Client(NamedTuple):
    """How to run a client's script, and what is particular to it."""

    command: Callable[[pytest.FixtureRequest], list[str]]
    metadata: tuple[int, ...]
    """Versions that it decodes; it uses the last one."""
    refusals: tuple[str, str] = ("outdated", "Inability to pay some fees")
    """How it tells of a stale nonce, and of an account without money."""
    mode: str = ""
    lacks: tuple[str, ...] = ()
    """Capabilities that the client itself does not have."""


def _node(script: str) -> Callable[[pytest.FixtureRequest], list[str]]:
    return lambda request: [request.getfixturevalue("node_js"), script]


def _python(request: pytest.FixtureRequest) -> list[str]:
    return [sys.executable, "substrate_interface_client.py"]


def _async_python(request: pytest.FixtureRequest) -> list[str]:
    """Its packages share the import name `scalecodec` with another client's: an environment of its own."""
    python = ROOT / ".venv-async" / "bin" / "python"
    if not (python.parent.parent / ".ready").exists():
        made = subprocess.run(
            ["make", "-s", ".venv-async/.ready"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if made.returncode:
            missing(f"async-substrate-interface cannot be installed: {made.stderr.strip()[-300:]}")
    return [str(python), "async_substrate_client.py"]


ALL = (14, 15, 16)
RUNTIME = ("Stale", "Payment")
"""Clients of the new API ask the runtime, and give its words."""

CLIENT: Mapping[str, Client] = {
    "polkadot.js": Client(_node("polkadot.mjs"), ALL),
    "polkadot-api": Client(_node("papi.mjs"), ALL, RUNTIME),
    "dedot": Client(_node("dedot.mjs"), ALL, RUNTIME, "v2"),
    "dedot-legacy": Client(_node("dedot.mjs"), ALL, mode="legacy"),
    "substrate-interface": Client(_python, (14,), lacks=("metadata_hash",)),
    "async-substrate-interface": Client(
        _async_python, (15,), ("Invalid Transaction", "Invalid Transaction"), lacks=("metadata_hash",)
    ),
}


class Chain(NamedTuple):
    """The node of this file, and the block in which every event and error stands."""

    node: RunningNode
    samples_at: str
    samples: samples.Samples


@pytest.fixture(scope="module")
def chain(dev_node: RunningNode) -> Iterator[Chain]:
    block, made = samples.make(dev_node)
    yield Chain(dev_node, block, made)
    assert "Traceback" not in "".join(dev_node.log)


class Seen(NamedTuple):
    """What one client printed."""

    client: Client
    found: dict[str, Any]
    stderr: str

    def __getitem__(self, capability: str) -> dict[str, Any]:
        found: dict[str, Any] = self.found[capability]
        assert "error" not in found or "stack" not in found, found.get("stack")
        return found


@pytest.fixture(scope="module", params=CLIENT)
def seen(request: pytest.FixtureRequest, chain: Chain) -> Seen:
    """Run one client's script."""
    client = CLIENT[request.param]
    task = {
        "url": chain.node.ws,
        "name": request.param,
        "samples": chain.samples_at,
        "proofKey": PROOF_KEY,
        "absentKey": ABSENT_KEY,
        "metadata": client.metadata,
        "registration": SOME_REGISTRATION
        if "python" in client.command.__name__
        else camel(SOME_REGISTRATION),
    }
    done = subprocess.run(
        [*client.command(request), json.dumps(task), client.mode],
        cwd=CLIENTS,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return Seen(client, json.loads(done.stdout.splitlines()[-1]), done.stderr)


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_it_can(seen: Seen, capability: str) -> None:
    assert capability in seen.client.lacks or seen[capability]


def test_it_knows_where_it_is(seen: Seen, chain: Chain) -> None:
    where = seen["connect"]
    assert where["chain"] == "Gristmill Development" and where["spec"] == "gristmill"
    assert where["genesis"] == chain.node.rpc("chain_getBlockHash", 0)
    assert where["token"] in ("GRIST", ["GRIST"])
    assert "Unknown signed extensions" not in seen.stderr and "Unable to map" not in seen.stderr


def test_storage_reads_as_it_is(seen: Seen) -> None:
    assert int(seen["constants"]["existential_deposit"]) == GRIST // 1000
    assert seen["value"]["now"] > 1_500_000_000_000
    assert int(seen["old_block"]["free"]) == 10**6 * GRIST <= int(seen["map"]["free"])
    accounts = seen["pages"]["accounts"]
    assert BOB in accounts and len(accounts) == len(set(accounts)) > 6


def test_a_transfer_costs_what_was_announced(seen: Seen) -> None:
    sent = seen["transfer"]
    assert sent["events"] == [
        "balances.Withdraw",
        "balances.Transfer",
        "transactionPayment.TransactionFeePaid",
        "system.ExtrinsicSuccess",
    ]
    assert sent["error"] is None and sent["statuses"][-1] in ("Finalized", "finalized")
    assert int(sent["received"]) == 5 * GRIST
    assert int(sent["fee"]) == int(sent["estimated"]) == int(sent["paid"]) - 5 * GRIST
    assert seen["block"]["calls"] == ["timestamp.set", "balances.transferKeepAlive"] or seen["block"][
        "calls"
    ] == ["timestamp.set", "balances.transfer_keep_alive"]


def test_a_tip_comes_on_top(seen: Seen) -> None:
    assert int(seen["tip"]["fee"]) == int(seen["tip"]["estimated"]) + 77


@pytest.mark.parametrize("kind", ["mortal", "immortal", "ed25519", "ecdsa", "metadata_hash"])
def test_every_way_to_sign(seen: Seen, kind: str) -> None:
    if kind in seen.client.lacks:
        return
    assert seen[kind]["error"] is None and "system.Remarked" in seen[kind]["events"]


def test_batches_and_failures(seen: Seen) -> None:
    assert {"utility.BatchCompleted", "balances.Transfer", "system.Remarked"} <= set(seen["batch"]["events"])
    assert seen["failing"]["error"] == "datasets.NoSuchDataset"
    assert "system.ExtrinsicFailed" in seen["failing"]["events"]
    assert seen["dry_run"] == {"good": True, "bad": True}
    for said, wanted in zip(seen["refusals"]["errors"], seen.client.refusals, strict=True):
        assert wanted in said


def test_a_dataset_is_registered(seen: Seen) -> None:
    assert seen["dataset"]["error"] is None and "datasets.Registered" in seen["dataset"]["events"]
    assert seen["dataset"]["owners"] and set(seen["dataset"]["owners"]) == {ALICE}


def test_changes_are_heard_of(seen: Seen) -> None:
    before, after = seen["subscription"]["nonces"][:2]
    assert after == before + 1
    numbers = seen["heads"]["numbers"]
    assert len(numbers) >= 3 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_every_event_and_every_error_decodes(seen: Seen, chain: Chain) -> None:
    assert len(chain.samples.events) > 120 and len(chain.samples.errors) > 60
    found = seen["samples"]
    assert found["events"] == chain.samples.events
    assert found["errors"][-len(chain.samples.errors) :] == chain.samples.errors


def test_a_read_proof_holds(seen: Seen, chain: Chain) -> None:
    assert seen["proof"] == {
        "value": chain.node.rpc("state_getStorage", PROOF_KEY),
        "absent": None,
        "refused": True,
    }


def test_the_metadata_versions_that_it_reads(seen: Seen, chain: Chain) -> None:
    pallets = seen["metadata"]["pallets"]
    assert set(pallets) == {str(version) for version in seen.client.metadata}
    assert len(set(pallets.values())) == 1 and pallets.popitem()[1] > 8
    assert seen["metadata"]["used"] == seen.client.metadata[-1]
