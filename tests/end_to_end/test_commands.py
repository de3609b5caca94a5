"""The commands a person types, each in a process of its own, over a whole job; and what `--json` promises."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest

from client.leak_scan import LeakScan
from executor.readers import read_table
from tests.end_to_end.people import MODELS, Town
from tests.running_node import ROOT


class Shell:
    """Runs `gristmill` as a person would."""

    def __init__(self, town: Town) -> None:
        self.environment = {
            **os.environ,
            "GRISTMILL_KEYRING": str(town.home / "keyring.json"),
            "GRISTMILL_ORDERS": str(town.home / "orders"),
            "GRISTMILL_NODE": town.url,
            "NO_COLOR": "1",
        }

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "cli", *words]
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, text=True, **options)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cli", *words]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, text=True, capture_output=True, timeout=120, check=False
        )

    def json(self, *words: str) -> Any:
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refused(self, *words: str) -> str:
        """The error's name; one sentence on stderr, nothing on stdout, exit code 1."""
        done = self.run(*words)
        assert (done.returncode, done.stdout) == (1, ""), done.stdout + done.stderr
        lines = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
        found = re.fullmatch(r"error\[([\w.]+)\]: .+", lines[-1])
        assert found is not None and len(lines) == 1, done.stderr
        return found[1]


@pytest.fixture
def shell(town: Town) -> Shell:
    return Shell(town)


ORDER = ("--target", "label", "--scale", "0.0625", "--epochs", "2", "--batch", "16")


def with_softmax(model: bytes) -> bytes:
    """The model with probabilities where its logits were."""
    proto = onnx.load_model_from_string(model)
    (last,) = (node for node in proto.graph.node if "logits" in node.output)
    last.output[:] = ["scores"]
    proto.graph.node.append(onnx.helper.make_node("Softmax", ["scores"], ["logits"]))
    data: bytes = proto.SerializeToString()
    return data


def test_a_whole_job_typed(town: Town, shell: Shell, tmp_path: Path) -> None:
    made = shell.json("key", "generate", "miller")
    assert (tmp_path / "keyring.json").stat().st_mode & 0o777 == 0o600
    assert shell.json("key", "inspect", "miller")["address"] == made["address"]
    rows = town.make_rows()
    assert shell.json("dataset", "check", str(rows), "--shape", "pixels=1,8,8")["rows"] == 60
    home = tmp_path / "data"
    init = ("provider", "init", str(home), "--file", str(rows), "--shape", "pixels=1,8,8")
    shell.json(*init, "--account", town.provider_name, "--without-dp", "anyone")
    policy = home / "provider.toml"
    policy.write_text(policy.read_text().replace("params_per_row = 100.0", "params_per_row = 1000.0"))
    audit = tmp_path / "audit"
    log = (tmp_path / "daemon.log").open("w")
    daemon = shell.start(
        "provider", "run", str(home), "--node", town.url, "--audit-dir", str(audit), "--json",
        stdout=subprocess.PIPE, stderr=log,
    )  # fmt: skip
    try:
        assert daemon.stdout is not None
        dataset = json.loads(daemon.stdout.readline())["dataset"]
        model = ("--model", str(MODELS / "mlp.onnx"))
        listed = shell.json("dataset", "list")
        assert [item["rows"] for item in listed if item["dataset"] == dataset] == [60]
        shown = shell.json("dataset", "show", str(dataset))
        assert shown["columns"] == ["pixels: u8[1,8,8]", "label: u8"] and shown["without_dp"] == "Anyone"
        quoted = shell.json("job", "quote", str(dataset), *model, *ORDER)
        checked = shell.json("job", "check", str(dataset), *model, *ORDER, "--from", town.buyer_name)
        assert len(checked) >= 9 and all(rule["holds"] for rule in checked)
        ended = tmp_path / "probabilities.onnx"
        ended.write_bytes(with_softmax((MODELS / "mlp.onnx").read_bytes()))
        told = shell.run("job", "check", str(dataset), "--model", str(ended), *ORDER)
        assert told.returncode == 0 and "give logits" in told.stderr, "before anything is paid"
        steep = shell.run("job", "check", str(dataset), *model, *ORDER, "--rate", "100")
        broken = [line for line in steep.stdout.splitlines() if " NO " in line]
        assert steep.returncode == 1 and len(broken) == 1 and "learning rate" in broken[0]
        job = shell.json("job", "submit", str(dataset), *model, *ORDER, "--from", town.buyer_name, "--wait")
        assert job["price"] == quoted["price"] and job["state"] == "Delivered"
        number = str(job["job"])
        weights = tmp_path / "weights.onnx"
        fetched = shell.json(
            "job", "fetch", number, "--from", town.buyer_name, "--output", str(weights), "--wait",
            "--receipt", str(tmp_path / "receipt"),
        )  # fmt: skip
        assert fetched["state"] == "Settled" and fetched["paid"] == job["price"]
        assert weights.stat().st_size > 1000
        again = ("job", "verify", number, "--receipt", str(tmp_path / "receipt"), "--data-dir", str(home))
        verified = shell.json(*again)
        assert verified["verified"] and verified["differences"] == {}
        assert verified["weights_hash"] == fetched["weights_hash"]
        status = shell.json("job", "status", number)
        assert status["state"] == "Settled" and status["price"] == job["price"]
        assert [item["job"] for item in shell.json("job", "list", "--from", town.buyer_name)] == [job["job"]]
        for words in (("job", "status", number), ("job", "list"), ("dataset", "show", str(dataset))):
            done = shell.run(*words)
            assert (done.returncode == 0 and "GRIST" in done.stdout) or words[1] == "show"
        assert shell.refused("job", "cancel", number, "--from", town.buyer_name) == "Compute.WrongState"
    finally:
        daemon.send_signal(signal.SIGINT)
        assert daemon.wait(timeout=30) == 0
        log.close()
        if daemon.stdout is not None:
            daemon.stdout.close()
    scan = LeakScan(read_table(rows), rows, {"pixels": (0.0, 0.0625)})
    scan.tree(audit)
    scan.file(tmp_path / "daemon.log")
    scan.file(weights)
    report = scan.report()
    assert report.rows_leaked == 0 and report.bytes_scanned > 100_000
    assert (audit / "results" / f"{number}.package").read_bytes().find(weights.read_bytes()) >= 0
    leaked = (audit / "rpc.log").read_bytes() + rows.read_bytes().splitlines()[5]
    scan.bytes("a test build that copies one row", leaked)
    assert scan.report().rows_leaked == 1


def test_errors_are_one_sentence(town: Town, shell: Shell, tmp_path: Path) -> None:
    rows = str(town.make_rows())
    (tmp_path / "nan.csv").write_text("a,b\n1,nan\n")
    (tmp_path / "model.onnx").write_bytes(b"no model")
    alice = ("--account", "//Alice", "--without-dp", "anyone")
    assert shell.refused("dataset", "check", str(tmp_path / "none.csv")) == "FileMissing"
    assert shell.refused("dataset", "check", str(tmp_path / "nan.csv")) == "BadData"
    assert shell.refused("dataset", "show", "4000000") == "NoSuchDataset"
    assert shell.refused("job", "status", "4000000") == "NoSuchJob"
    assert shell.refused("job", "list", "--from", "nobody") == "NoSuchKey"
    assert shell.refused("job", "list", "--node", "http://127.0.0.1:1") == "NodeUnreachable"
    assert shell.refused("provider", "run", str(tmp_path / "nowhere")) in {
        "NoPolicyFile",
        "FileNotFoundError",
    }
    shell.json("provider", "init", str(tmp_path / "e"), "--file", rows, *alice)
    assert (
        shell.refused("provider", "init", str(tmp_path / "e"), "--file", rows, *alice) == "PolicyFileExists"
    )
    model = ("--model", str(tmp_path / "model.onnx"))
    assert shell.refused("job", "quote", "4000000", *model, *ORDER) in {"NoSuchDataset", "SpecError"}
    assert shell.refused("key", "inspect", "who?") == "NoSuchKey"


def test_wrong_usage_is_exit_code_2(shell: Shell) -> None:
    for words in (
        ("job",),
        ("job", "submit"),
        ("key", "insert"),
        ("job", "submit", "1", "--max-price", "-1"),
    ):
        assert shell.run(*words).returncode == 2


def test_a_secret_is_read_from_a_private_file_only(shell: Shell, tmp_path: Path) -> None:
    secret = tmp_path / "phrase"
    secret.write_text("//Somebody\n")
    secret.chmod(0o644)
    assert shell.refused("key", "generate", "a", "--secret-file", str(secret)) == "SecretExposed"
    secret.chmod(0o600)
    made = shell.json("key", "generate", "a", "--secret-file", str(secret))
    assert made["address"] == shell.json("key", "inspect", "//Somebody")["address"]
    assert "secret" not in made
    assert len(shell.json("key", "generate", "b", "--show-secret", "--words", "24")["secret"].split()) == 24
    assert [item["name"] for item in shell.json("key", "inspect")] == ["a", "b"]
