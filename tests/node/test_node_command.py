"""The command line's own refusals: one sentence, exit code 1, no traceback; and a disk that takes no more."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import pytest

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


def test_a_full_disk_stops_the_node_with_a_sentence_and_loses_nothing(tmp_path: Path) -> None:
    """The system refuses to let any file grow beyond what it has now, as a full disk would."""
    node = RunningNode(base_path=tmp_path)
    genesis = bytes.fromhex(node.rpc("chain_getBlockHash", 0)[2:])
    alice = Signer("//Alice", genesis)
    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (300_000, 300_000))
    blocks = 0
    try:
        for _ in range(200):
            blocks = int(node.rpc("chain_getHeader")["number"], 16)
            node.rpc("author_submitExtrinsic", "0x" + alice.sign(remark(bytes(50_000))).hex())
            time.sleep(0.01)
    except (OSError, RpcRefusal):
        pass
    assert node.process.wait(timeout=20) == 1
    node.stop()
    log = "".join(node.log)
    assert "Essential task `sealing` failed" in log and "error[Database" in log and "Traceback" not in log
    with RunningNode(base_path=tmp_path) as again:
        assert int(again.rpc("chain_getHeader")["number"], 16) >= blocks > 0
        alice.nonce = again.rpc("system_accountNextIndex", alice.pair.address)
        again.rpc("author_submitExtrinsic", "0x" + alice.sign(remark()).hex())
        again.wait_for_block(blocks + 1)
