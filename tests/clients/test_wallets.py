"""Multisig, proxy and ecdsa accounts as an unmodified @polkadot/api 16 uses them."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.nodejs import CLIENTS
from tests.running_node import RunningNode


@pytest.fixture(scope="module")
def seen(node_js: str, dev_node: RunningNode) -> dict[str, Any]:
    """What the script printed."""
    done = subprocess.run(
        [node_js, "wallets.mjs", dev_node.ws],
        cwd=CLIENTS,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_an_ecdsa_account_pays(seen: dict[str, Any]) -> None:
    assert "balances.Transfer" in seen["ecdsa"] and "system.ExtrinsicSuccess" in seen["ecdsa"]


def test_two_of_three_owners_pay(seen: dict[str, Any]) -> None:
    assert "multisig.NewMultisig" in seen["opened"]
    assert len(seen["operation"]["approvals"]) == 1
    assert seen["executed"]["result"] == "Ok" and seen["left_open"] == 0


def test_a_pure_account_with_proxies(seen: dict[str, Any]) -> None:
    assert {proxy["proxyType"] for proxy in seen["proxies"]} == {"Any", "NonTransfer"}
    assert seen["forbidden"]["result"]["Err"]["Module"]["error"] == "0x05000000", "System.CallFiltered"
    assert seen["allowed"]["result"] == seen["paid"]["result"] == "Ok"
    assert int(seen["received"]) == 10**12
    assert "proxy.PureKilled" in seen["killed"]
