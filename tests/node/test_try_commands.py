"""`gristmill try-state` and `try-upgrade` on a real database."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from chain_spec import resolve
from cli.__main__ import main
from frame.runtime import Block
from node.authoring import Author
from node.chain import Chain
from node.database import Database
from node.folders import database_folder
from node.host import NodeHost
from node.run import open_node
from runtime import GristmillRuntime
from tests.signing import GRIST, Signer, transfer

NOW = 1_800_000_000_000
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, gristmill: GristmillRuntime) -> Path:
    """A base path with a dev chain of two sound blocks and a corrupted third; tests only read it."""
    folder = tmp_path_factory.mktemp("base")
    spec = resolve("dev")
    with Database.open(database_folder(folder, spec), sync=False) as database:
        node = open_node(spec, database, gristmill)
        alice = Signer("//Alice", node.chain.genesis_hash)
        bob = Signer("//Bob", node.chain.genesis_hash)
        for number in range(2):
            node.submit(alice.sign(transfer(bob.account, GRIST)))
            assert Author(node).seal(NOW + number) is not None
        _corrupt(node.chain)
    return folder


def _corrupt(chain: Chain) -> None:
    """A block whose runtime is broken: it burns the issuance, but no money."""
    host = NodeHost(chain.verdicts)
    builder = chain.runtime.open_block(
        chain.state(), chain.head.header, type(chain.head.header.digest)(logs=[]), host
    )
    for inherent in builder.inherents({b"timstap0": (NOW + 2).to_bytes(8, "little")}):
        builder.apply(inherent)
    balances = builder.machine.of(GristmillRuntime.balances)
    balances.total_issuance_value.put(1)
    header, outcome = builder.finish()
    chain.commit(Block(header=header, extrinsics=builder.extrinsics), outcome, host)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """A command in this process: its exit code, stdout and stderr."""

    def call(*words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_a_sound_state_and_a_corrupted_one(run: Run, base: Path) -> None:
    code, out, _ = run("try-state", "--dev", "-d", base, "--at", 2)
    assert code == 0 and out.startswith("all ") and "invariants hold at block #2" in out
    code, out, _ = run("try-state", "--dev", "-d", base)
    assert code == 1
    assert "Balances.issuance_is_the_sum:" in out and "1 of" in out.splitlines()[-1]
    found = json.loads(run("try-state", "--dev", "-d", base, "--json")[1])
    assert [v["invariant"] for v in found["violations"]] == ["issuance_is_the_sum"]
    assert found["block"] == 3 and found["checked"] > 60


def test_the_list_of_what_is_checked(run: Run) -> None:
    code, out, _ = run("try-state", "--list")
    assert code == 0
    assert "Balances.no_dust: No account holds less than the existential deposit and nothing else." in out
    assert len(json.loads(run("try-state", "--list", "--json")[1])) == len(out.splitlines())


def test_no_upgrade_is_due(run: Run, base: Path) -> None:
    code, out, _ = run("try-upgrade", "--dev", "-d", base)
    assert code == 0 and "No upgrade is due" in out
    assert json.loads(run("try-upgrade", "--dev", "-d", base, "--json")[1])["due"] is False


def test_words_that_name_no_block(run: Run, base: Path, tmp_path: Path) -> None:
    for command in ("try-state", "try-upgrade"):
        code, _, err = run(command, "--dev", "-d", base, "--at", 99)
        assert code != 0 and "there is no block 99" in err and "Traceback" not in err
        code, _, err = run(command, "--dev", "-d", tmp_path / "nowhere")
        assert code != 0 and "no database" in err
