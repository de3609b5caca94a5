"""The command line's own refusals: one sentence, exit code 1, no traceback; and a disk that takes no more."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from chain_spec import resolve
from tests.running_node import RpcRefusal, RunningNode
from tests.signing import Signer, remark


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (
            ["--sealing=never"],
            r"error\[BadOption\]: --sealing knows instant, manual, interval=MS, not 'never'",
        ),
        (["--sealing=interval=0"], r"error\[BadOption\]: --sealing interval=MS takes 1 to 86400000"),
        (["--rpc-port=70000"], r"error\[BadOption\]: --rpc-port 70000 is no port"),
        (["--rpc-max-connections=0"], r"error\[BadOption\]: --rpc-max-connections must be at least 1"),
        (["--log=loud"], r"error\[BadOption\]: 'loud' is no log level"),
        (["--tmp", "--base-path=x"], r"error\[BadOption\]: --tmp and --base-path exclude each other"),
        (["--base-path=/dev/null/x"], r"error\[DatabaseUnreadable\]"),
        (["--chain=/dev/null"], r"error\[SpecMalformed\]"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(flags: list[str], sentence: str) -> None:
    with pytest.raises(RuntimeError, match=sentence) as caught:
        RunningNode(*flags)
    assert "Traceback" not in str(caught.value) and "(1)" in str(caught.value)


@pytest.mark.parametrize("flag", ["--tmp", "--rpc-port=70000", "--pool-limit=0", "--alice", "--db-cache=0"])
def test_bad_flags_are_refused_before_anything_is_loaded(flag: str) -> None:
    """A mistyped flag is told at once, and not after a second."""
    words = ["node", "--dev", "--base-path=x", "--bob", flag]
    code = f"import sys; from cli.__main__ import main; print(main({words})); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.startswith("error[BadOption]: ") and done.stdout.startswith("1\n")
    assert not {"node.run", "runtime", "chain_spec"} & set(done.stdout.split())


def test_a_full_disk_stops_the_node_with_a_sentence_and_loses_nothing(tmp_path: Path) -> None:
    """The system refuses to let any file grow beyond what it has now, as a full disk would."""
    node = RunningNode(base_path=tmp_path)
    genesis = bytes.fromhex(node.rpc("chain_getBlockHash", 0)[2:])
    alice = Signer("//Alice", genesis)
    node.rpc("author_submitExtrinsic", "0x" + alice.sign(remark()).hex())
    node.wait_for_block(1)
    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (300_000, 300_000))
    blocks = 1
    try:
        for _ in range(200):
            blocks = int(node.rpc("chain_getHeader")["number"], 16)
            node.rpc("author_submitExtrinsic", "0x" + alice.sign(remark(bytes(50_000))).hex())
    except (OSError, RpcRefusal):
        pass
    assert node.process.wait(timeout=120) == 1
    node.stop()
    log = "".join(node.log)
    assert "Essential task `sealing` failed" in log and "error[Database" in log and "Traceback" not in log
    with RunningNode(base_path=tmp_path) as again:
        assert int(again.rpc("chain_getHeader")["number"], 16) >= blocks > 0
        alice.nonce = again.rpc("system_accountNextIndex", alice.pair.address)
        again.rpc("author_submitExtrinsic", "0x" + alice.sign(remark()).hex())
        again.wait_for_block(blocks + 1)


def refusal(*flags: str, base_path: Path | None = None) -> str:
    """What a node that cannot start says: a sentence with a name, and exit code 1."""
    with pytest.raises(RuntimeError) as caught:
        RunningNode(*flags, base_path=base_path)
    text = str(caught.value)
    assert "the node did not start (1)" in text and "Traceback" not in text
    return text


def test_two_nodes_do_not_share_a_database_or_a_port(tmp_path: Path) -> None:
    with RunningNode(base_path=tmp_path) as node:
        assert "error[DatabaseLocked]: the database in" in refusal(base_path=tmp_path)
        taken = refusal(f"--rpc-port={node.port}")
        assert f"error[PortTaken]: port {node.port} is taken" in taken and "--rpc-port" in taken
        assert node.rpc("system_health")


def test_another_chain_or_another_pruning_in_the_base_path_is_refused(tmp_path: Path) -> None:
    with RunningNode(base_path=tmp_path):
        pass
    spec = replace(resolve("local"), id="dev")
    file = tmp_path / "spec.json"
    file.write_text(spec.to_json())
    wrong = refusal("--chain", str(file), base_path=tmp_path)
    assert "error[WrongChain]: the database in" in wrong and "`gristmill purge-chain`" in wrong
    archive = refusal("--state-pruning=archive", base_path=tmp_path)
    assert "error[PruningMismatch]: Incompatible pruning modes [stored: Constrained(Constraints" in archive
    current = tmp_path / "chains" / "dev" / "db" / "CURRENT"
    current.write_bytes(current.read_bytes()[:-1])
    assert "error[DatabaseUnreadable]: cannot open the database in" in refusal(base_path=tmp_path)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="mounting needs root")
def test_a_full_file_system_stops_the_node_with_a_sentence_and_loses_nothing(tmp_path: Path) -> None:
    """A real one of 12 MiB, in memory."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "gristmill-test", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system may be mounted here")
    try:
        node = RunningNode("--db-cache=1", base_path=tmp_path)
        alice = Signer("//Alice", bytes.fromhex(node.rpc("chain_getBlockHash", 0)[2:]))
        blocks = 0
        try:
            for _ in range(400):
                node.rpc("author_submitExtrinsic", "0x" + alice.sign(remark(os.urandom(100_000))).hex())
                blocks = int(node.rpc("chain_getHeader")["number"], 16)
        except (OSError, RpcRefusal):
            pass
        assert node.process.wait(timeout=30) == 1
        node.stop()
        log = "".join(node.log)
        assert "error[DiskFull]: no space left on the device" in log and "Traceback" not in log
        subprocess.run(["mount", "-o", "remount,size=64m", str(tmp_path)], check=True)
        with RunningNode(base_path=tmp_path) as again:
            assert int(again.rpc("chain_getHeader")["number"], 16) >= blocks > 0
            alice.nonce = again.rpc("system_accountNextIndex", alice.pair.address)
            again.rpc("author_submitExtrinsic", "0x" + alice.sign(remark()).hex())
            again.wait_for_block(blocks + 1)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=False)
