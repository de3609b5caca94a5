"""Metadata V14 to V16 as @polkadot/types reads them, and their digest as @polkadot-api/merkleize-metadata
computes it.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from runtime import runtime
from tests.nodejs import CLIENTS
from tests.running_node import RunningNode

GRISTMILL = runtime()


@pytest.fixture(scope="module")
def seen(node_js: str, dev_node: RunningNode) -> list[dict[str, Any]]:
    """One object for each of V15 and V16, then what happened on a running chain."""
    versions = "\n".join("0x" + GRISTMILL.metadata(version).hex() for version in (15, 16))
    done = subprocess.run(
        [node_js, "metadata.mjs", "GRIST", "12", dev_node.ws],
        cwd=CLIENTS,
        input=versions,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_polkadot_js_reads_every_version_whole(seen: list[dict[str, Any]]) -> None:
    for version, found in zip((15, 16), seen, strict=False):
        assert found["version"] == version
        assert found["same_bytes"], f"V{version}: encoded again, the bytes differ"
        assert found["pallets"] == [p.name for p in GRISTMILL.pallets]
        assert found["extensions"] == [e.identifier for e in GRISTMILL.extensions]
        assert sum(count for _, count in found["apis"]) == len(GRISTMILL.apis)


def test_our_digest_is_theirs(seen: list[dict[str, Any]]) -> None:
    digest = GRISTMILL.metadata_hash()
    assert digest is not None
    assert [found["digest"] for found in seen[:2]] == ["0x" + digest.hex()] * 2


def test_a_signer_may_commit_to_the_metadata(seen: list[dict[str, Any]]) -> None:
    assert seen[2]["versions"] == [14, 15, 16]
    assert seen[2]["client_chose"] == 16
    assert "system.Remarked" in seen[2]["right"]
    assert "bad signature" in seen[2]["wrong"]
