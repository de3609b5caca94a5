"""`gristmill benchmark pallet`: lists, reports, writes where it should, refuses by name."""

from __future__ import annotations

import importlib
import json
from argparse import ArgumentParser
from pathlib import Path

import pytest

from frame.benchmarking import Benchmark, check_edges
from frame.weights import Unmeasured
from node.benchmark.cli import COMMANDS
from node.benchmark.errors import BenchmarkError
from node.benchmark.subjects import Subject, fresh, subjects
from runtime import GristmillRuntime

EDGES = [(subject, found) for subject in subjects().values() for found in subject.benchmarks]


def gristmill(*words: str) -> int:
    command = COMMANDS["benchmark"]
    parser = ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args(list(words)))


def pallet(*words: str) -> int:
    return gristmill("pallet", *words)


@pytest.mark.parametrize(
    ("subject", "found"), EDGES, ids=[f"{subject.name}-{found.name}" for subject, found in EDGES]
)
def test_each_benchmark_is_a_test_at_its_edges(subject: Subject, found: Benchmark) -> None:
    check_edges(fresh, subject.kind, found)


def test_every_call_has_a_benchmark() -> None:
    """By its name, or by the names of its ways, which begin with it."""
    known = subjects()
    for one in GristmillRuntime.pallets:
        folder = type(one).__module__.split(".")[1]
        names = [found.name for found in known[folder].benchmarks] if folder in known else []
        for call in one.declaration.calls:
            ways = [name for name in names if name == call.name or name.startswith(f"{call.name}_")]
            assert ways, f"{one.name}.{call.name} has no benchmark"


def test_every_benchmark_has_its_weight_in_the_runtime() -> None:
    """What was measured is what is charged, found by its name alone."""
    for subject in subjects().values():
        module = ".".join(subject.file.with_suffix("").parts[-3:])
        weights = importlib.import_module(module).Weights
        for found in subject.benchmarks:
            assert found.extra or not isinstance(getattr(weights, found.name), Unmeasured), found.name
    assert GristmillRuntime().missing_weights() == []


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert pallet("--list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    names = [row["benchmark"] for row in rows if row["pallet"] == "balances"]
    assert "transfer_allow_death" in names and len(names) >= 11
    assert {row["pallet"] for row in rows} >= {"system", "compute", "utility"}
    assert pallet("--list", "--pallet", "balances") == 0
    assert "transfer_keep_alive" in capsys.readouterr().out


def test_pallets_may_be_called_as_substrate_calls_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        pallet("--list", "--json", "--pallets", "pallet_sudo, frame-system,pallet-transaction-payment") == 0
    )
    listed = {found["pallet"] for found in json.loads(capsys.readouterr().out)}
    assert listed == {"sudo", "system", "transaction_payment"} & set(subjects())
    assert gristmill("extrinsic", "--list", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)) == len(EDGES)


def test_measures_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "weights.py"
    words = ("--pallet", "balances", "--steps", "2", "--repeat", "1", "--output", str(target), "--json")
    assert pallet(*words) == 0
    shown = json.loads(capsys.readouterr().out)
    transfer = next(row for row in shown if row["benchmark"] == "transfer_allow_death")
    assert transfer["reads"] == {"base": 2, "slopes": {}} and transfer["proof_bytes"]["base"] == 5206
    upgrade = next(row for row in shown if row["benchmark"] == "upgrade_accounts")
    assert upgrade["reads"] == {"base": 0, "slopes": {"who": 1}}
    assert len(upgrade["points"]) == 2 and all(point["times_ns"][0] > 0 for point in upgrade["points"])
    space: dict[str, object] = {}
    exec(compile(target.read_text(), "weights.py", "exec"), space)
    assert space["Weights"].upgrade_accounts(who=3).ref_time > 0  # type: ignore[attr-defined]


def test_a_folder_gets_one_file_a_pallet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = tmp_path / "LICENCE"
    header.write_text("Licence: none.\n\nAll wrongs reversed.")
    folder = tmp_path / "out" / "weights"
    words = ("--pallet", "sudo, timestamp", "--steps", "2", "--repeat", "1", "--header", str(header))
    assert pallet(*words, "--output", str(folder)) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["sudo.py", "timestamp.py"]
    source = (folder / "sudo.py").read_text()
    assert source.startswith('# Licence: none.\n#\n# All wrongs reversed.\n"""Weights of the pallet `sudo`')
    compile(source, "sudo.py", "exec")
    shown = capsys.readouterr()
    assert "Created file: " in shown.err and "100 %" in shown.err, "it says how far it is"


def test_one_benchmark_reports_and_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("pallets/balances/weights.py").read_text()
    assert pallet("--pallet", "balances", "--extrinsic", "burn_keep_alive", "--repeat", "2") == 0
    assert "Time ~= " in capsys.readouterr().out
    assert Path("pallets/balances/weights.py").read_text() == before


def test_pages_and_plots(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    worst = tmp_path / "worst.json"
    worst.write_text('[{"name": "sudo::sudo", "ratio": 0.5, "note": "a hook"}]')
    words = ("--pallet", "sudo,utility", "--extrinsic", "sudo,batch", "--steps", "3", "--repeat", "2")
    page, plots = tmp_path / "page.html", tmp_path / "plots"
    made = ("--report", str(page), "--worst-case", str(worst), "--plots", str(plots), "--output", "-")
    assert pallet(*words, *made) == 0
    assert "sudo::sudo" in page.read_text() and "utility::batch" in page.read_text()
    assert sorted(path.name for path in plots.iterdir()) == ["sudo-sudo.png", "utility-batch.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in plots.iterdir())
    worst.write_text("{}")
    with pytest.raises(BenchmarkError, match="cannot be read"):
        pallet(*words, *made)


def test_other_ranges(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--pallet", "utility", "--extrinsic", "batch", "--steps", "2", "--repeat", "1")
    assert pallet(*words, "--low", "2", "--high", "5", "--no-verify") == 0
    assert "Lowest values: [2], Highest values: [5]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--pallet nothing", "no pallet `nothing` with benchmarks; there are: system"),
        ("", "say which pallet: --pallet '\\*', or some of system"),
        ("--pallet balances --extrinsic mint", "no benchmark `mint` in balances"),
        ("--pallet balances --steps 1", "--steps must be at least 2"),
        ("--pallet balances --low 1", "--low and --high are for one benchmark"),
        ("--pallet utility --extrinsic batch --low 1,2", "--low has 2 values, but batch has 1 components"),
        ("--pallet utility --extrinsic batch --low 9 --high 3", "0 ≤ low ≤ high is needed"),
        ("--pallet utility --extrinsic batch --low x", "--low is a list of numbers"),
        ("--pallet balances,sudo --output out/one.py", "is one file, and 2 pallets were chosen"),
        ("--pallet sudo --header /no/where", "the header /no/where cannot be read"),
        (
            "--pallet balances --extrinsic burn_keep_alive --repeat 1 --output /proc/where",
            "cannot be written",
        ),
    ],
)
def test_refusals(words: str, message: str) -> None:
    with pytest.raises(BenchmarkError, match=message):
        pallet(*words.split())
