"""An unmodified @polkadot/api 16 against a real node process: one script, many claims about what it saw."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.clients.datasets import SOME_REGISTRATION, camel
from tests.nodejs import CLIENTS
from tests.running_node import RunningNode

GRIST = 10**12


@pytest.fixture(scope="module")
def seen(node_js: str, dev_node: RunningNode) -> dict[str, Any]:
    """What the script printed."""
    done = subprocess.run(
        [node_js, "polkadot.mjs", dev_node.ws, json.dumps(camel(SOME_REGISTRATION))],
        cwd=CLIENTS,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    found["stderr"] = done.stderr
    return found


def test_it_needs_no_custom_types(seen: dict[str, Any]) -> None:
    assert "Unknown signed extensions" not in seen["stderr"]
    assert "Unable to map" not in seen["stderr"] and "not found" not in seen["stderr"]
    assert {"balances", "datasets", "market", "compute", "blobs", "utility"} <= set(seen["pallets"])
    assert seen["properties"]["tokenSymbol"] == ["GRIST"] and seen["properties"]["tokenDecimals"] == [12]


def test_a_transfer_moves_money_and_costs_what_was_announced(seen: dict[str, Any]) -> None:
    assert "balances.Transfer" in seen["transfer"]["names"]
    assert "system.ExtrinsicSuccess" in seen["transfer"]["names"]
    assert int(seen["bob_received"]) == 5 * GRIST
    assert seen["fee_estimated"] == seen["fee_charged"]
    assert int(seen["alice_paid"]) == 5 * GRIST + int(seen["fee_charged"])
    assert seen["calls"] == ["timestamp.set", "balances.transferKeepAlive"]


def test_the_watcher_hears_substrates_statuses(seen: dict[str, Any]) -> None:
    # The client may leave out InBlock when Finalized follows at once, as it does under instant sealing.
    assert seen["statuses"][0] == "Ready" and seen["statuses"].count("Finalized") >= 7
    assert set(seen["statuses"]) <= {"Ready", "InBlock", "Finalized"}


def test_batches_eras_and_other_keys(seen: dict[str, Any]) -> None:
    assert "utility.BatchCompleted" in seen["batch"]["names"] and seen["batch"]["error"] is None
    assert "system.Remarked" in seen["immortal"]
    assert "system.Remarked" in seen["ed25519"]


def test_a_failing_call_names_its_error(seen: dict[str, Any]) -> None:
    assert "system.ExtrinsicFailed" in seen["failing"]["names"]
    assert seen["failing"]["error"]


def test_a_dataset_call_is_built_and_read_from_metadata(seen: dict[str, Any]) -> None:
    assert seen["dataset"]["error"] is None
    assert "datasets.Registered" in seen["dataset"]["names"]
    assert seen["datasets"][0][0] == "0"


def test_subscriptions_and_old_state(seen: dict[str, Any]) -> None:
    assert seen["heads"] == sorted(seen["heads"]) and len(seen["heads"]) >= 6
    assert len(seen["balances"]) >= 3 and seen["balances"][0] == seen["old_balance"]
    assert seen["accounts"] >= 2
    assert seen["dry_run"] is True


def test_errors_read_like_substrates(seen: dict[str, Any]) -> None:
    assert seen["errors"] == [
        "1010: Invalid Transaction: Transaction is outdated",
        "1010: Invalid Transaction: Inability to pay some fees , e.g. account balance too low",
    ], "the client drops the brackets"
