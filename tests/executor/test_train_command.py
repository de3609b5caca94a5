"""`gristmill train` as people use it: curves, receipts, going on, checking again, stopping early."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.__main__ import main
from executor import curve
from executor.curve import save_plot, terminal_curve
from executor.errors import UnsupportedSpec
from tests.executor.planted import ROOT, matmul_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model and rows that it can learn, in part."""
    (tmp_path / "model.onnx").write_bytes(matmul_model())
    for name, rows in (("rows", 60), ("test", 30)):
        x = np.random.default_rng(rows).standard_normal((rows, 2)).round(3)
        label = (x[:, 0] > 0).astype(int) + (x[:, 1] > 0.5)
        lines = [f"{a},{b},{c}" for (a, b), c in zip(x.tolist(), label.tolist(), strict=True)]
        (tmp_path / f"{name}.csv").write_text("x[0],x[1],label\n" + "\n".join(lines) + "\n")
    return tmp_path


def train(folder: Path, *words: str, code: int = 0) -> dict[str, Any]:
    done = run(folder, *words, "--json")
    assert done.returncode == code, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    common = ("--model", "model.onnx", "--data", "rows.csv", "--target", "label", "--batch", "16")
    return subprocess.run(
        [sys.executable, "-m", "cli", "train", *common, *words], capture_output=True, text=True, timeout=120,
        check=False, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


ADAM = ("--optimizer", "adam", "--lr", "0.05", "--schedule", "step", "--step-size", "2", "--gamma", "0.5")


def test_a_receipt_is_verified_and_a_run_goes_on(folder: Path) -> None:
    whole = train(folder, *ADAM, "--epochs", "4", "--output", "whole.onnx")
    part = train(folder, *ADAM, "--epochs", "2", "--output", "part.onnx", "--plot", "curve.png")
    assert part["weights_hash"] != whole["weights_hash"]
    assert (folder / "curve.png").read_bytes().startswith(b"\x89PNG")
    resumed = train(folder, "--resume", "part.receipt.json", "--output", "part.onnx", "--epochs", "4")
    assert resumed["weights_hash"] == whole["weights_hash"]
    receipts = [json.loads((folder / f"{name}.receipt.json").read_text()) for name in ("whole", "part")]
    assert receipts[0] == receipts[1], "the receipt of a run that never stopped"
    good = train(folder, "--verify", "part.receipt.json", "--output", "part.onnx")
    assert good["verified"] and good["differences"] == {}
    wrong = {**receipts[0], "fuel": 1, "losses": [0.5, *receipts[0]["losses"][1:]]}
    (folder / "wrong.json").write_text(json.dumps(wrong))
    weights = bytearray((folder / "part.onnx").read_bytes())
    place = bytes(weights).index((folder / "whole.onnx").read_bytes()[-80:-60])
    weights[place] ^= 1
    (folder / "part.onnx").write_bytes(weights)
    bad = train(folder, "--verify", "wrong.json", "--output", "part.onnx", code=1)
    assert not bad["verified"] and bad["differences"].keys() == {"fuel", "losses", "part.onnx"}
    again = run(folder, "--resume", "whole.receipt.json", "--output", "part.onnx", "--epochs", "9")
    assert "error[ReceiptError]" in again.stderr and "does not hold the weights" in again.stderr


def test_what_a_receipt_does_not_speak_of_is_refused(folder: Path) -> None:
    train(folder, "--epochs", "1")
    cases = (
        (("--data", "test.csv"), "other rows"),
        (("--verify", "model.onnx"), "no receipt"),
        (("--resume", "weights.receipt.json", "--epochs", "1"), "how many in all"),
        (("--verify", "none.json"), "none.json"),
    )
    for words, said in cases:
        verify = () if {"--resume", "--verify"} & set(words) else ("--verify", "weights.receipt.json")
        done = run(folder, *verify, *words)
        assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr, done.stderr


def test_a_result_that_could_not_be_written_is_refused_before_the_work(folder: Path) -> None:
    for words in (("--output", "none/w.onnx"), ("--receipt", "none/r.json"), ("--plot", ".")):
        done = run(folder, "--epochs", "60000", *words)
        assert done.returncode == 1 and words[1].split("/")[0] in done.stderr, done.stderr
        assert "Traceback" not in done.stderr and not (folder / "weights.onnx").exists()


def test_a_plot_that_nothing_could_draw_is_refused_before_the_work(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("executor.curve.find_spec", lambda _: None)
    with pytest.raises(UnsupportedSpec, match="matplotlib"):
        curve.save_plot(folder / "a.png", [2.0, 1.0], "a")
    words = ("--data", "rows.csv", "--target", "label", "--plot", "a.png")
    assert main(["train", "--model", "model.onnx", *words]) == 1
    assert not list(folder.glob("weights*"))


def test_figures_are_for_people(folder: Path) -> None:
    assert "None" not in run(folder, "--dp", "4", "--epochs", "2").stdout
    train(folder, "--epochs", "1")
    assert "verified      yes\n" in run(folder, "--verify", "weights.receipt.json").stdout


def test_an_early_stop_keeps_the_best_epoch(folder: Path) -> None:
    """At this rate the validation loss soon rises; the result is what training for so many epochs gives."""
    words = ("--eval", "test.csv", "--metrics", "loss,accuracy,f1,auc", "--lr", "3")
    found = train(folder, *words, "--epochs", "30", "--early-stop", "2")
    assert (
        1 <= found["epochs"] < 28
        and {"loss_after", "accuracy_before", "f1_after", "auc_after"} <= found.keys()
    )
    short = train(folder, *words, "--epochs", str(found["epochs"]), "--output", "short.onnx")
    assert short["weights_hash"] == found["weights_hash"] and short["fuel_used"] == found["fuel_used"]
    done = run(folder, "--early-stop", "2")
    assert "error[SpecError]" in done.stderr and "--eval" in done.stderr


def test_people_see_a_curve(folder: Path) -> None:
    done = run(folder, "--epochs", "3")
    assert "loss by epoch, 1 … 3" in done.stdout and "█" in done.stdout
    no_target = subprocess.run(
        [sys.executable, "-m", "cli", "train", "--model", "model.onnx", "--data", "rows.csv"],
        capture_output=True, text=True, check=False, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert no_target.returncode == 1 and "--target COLUMN" in no_target.stderr


def test_curves_of_any_length(tmp_path: Path) -> None:
    assert terminal_curve([1.0]) == terminal_curve([1.0, float("nan")]) == ""
    for losses in ([2.0, 1.0], [1.0] * 5, [1 / (1 + i) for i in range(1000)], [-3.0, -1.0]):
        lines = terminal_curve(losses).splitlines()
        assert len(lines) == 10 and max(map(len, lines)) <= 75
    assert terminal_curve([8.0, 1.0]).splitlines()[0].endswith("█ ")
    save_plot(tmp_path / "a.png", [2.0, 1.0], "a")
    assert (tmp_path / "a.png").stat().st_size > 1000
