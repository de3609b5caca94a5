"""`gristmill benchmark pallet`: lists, reports, writes where it should, refuses by name."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path

import pytest

from pallets.balances.weights import Weights
from runtime.cli import COMMANDS, BenchmarkError, subjects


def gristmill(*words: str) -> int:
    command = COMMANDS["benchmark"]
    parser = ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args(["pallet", *words]))


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert gristmill("--list", "--json") == 0
    names = [row["benchmark"] for row in json.loads(capsys.readouterr().out) if row["pallet"] == "balances"]
    assert "transfer_allow_death" in names and len(names) == 11
    assert gristmill("--list") == 0
    assert "transfer_keep_alive" in capsys.readouterr().out


def test_every_measured_call_has_a_weight_of_the_same_name() -> None:
    for benchmark in subjects()["balances"].benchmarks:
        assert hasattr(Weights, benchmark.name)


def test_measures_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "weights.py"
    words = ("--pallet", "balances", "--steps", "2", "--repeat", "1", "--output", str(target), "--json")
    assert gristmill(*words) == 0
    shown = json.loads(capsys.readouterr().out)
    transfer = next(row for row in shown if row["benchmark"] == "transfer_allow_death")
    assert transfer["reads"] == {"base": 2, "slopes": {}} and transfer["proof_bytes"]["base"] == 5206
    upgrade = next(row for row in shown if row["benchmark"] == "upgrade_accounts")
    assert upgrade["reads"] == {"base": 0, "slopes": {"u": 1}}
    space: dict[str, object] = {}
    exec(compile(target.read_text(), "weights.py", "exec"), space)
    assert space["Weights"].upgrade_accounts(u=3).ref_time > 0  # type: ignore[attr-defined]


def test_one_benchmark_reports_and_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("pallets/balances/weights.py").read_text()
    assert gristmill("--pallet", "balances", "--extrinsic", "burn_keep_alive", "--repeat", "2") == 0
    assert "Model: Time ~= " in capsys.readouterr().out
    assert Path("pallets/balances/weights.py").read_text() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--pallet", "nothing"), "no pallet `nothing` with benchmarks; there are: balances"),
        ((), "say which pallet: --pallet balances"),
        (("--pallet", "balances", "--extrinsic", "mint"), "no benchmark `mint` in balances"),
        (("--pallet", "balances", "--steps", "1"), "--steps must be at least 2"),
        (
            (
                "--pallet",
                "balances",
                "--extrinsic",
                "burn_keep_alive",
                "--repeat",
                "1",
                "--output",
                "/no/where",
            ),
            "cannot be written",
        ),
    ],
)
def test_refusals(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(BenchmarkError, match=message):
        gristmill(*words)
