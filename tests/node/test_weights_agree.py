"""Whether whole measurements of weights agree: calls decide, by the time predicted at their arguments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.weights_agree import main


def run(path: Path, times: dict[str, tuple[int, int]]) -> str:
    """A file as `benchmark pallet --json` writes it: call → base and slope in ps, over 0 to 10."""
    rows = [
        {
            "pallet": "Counter",
            "folder": "counter",
            "benchmark": name,
            "components": {"n": [0, 10]},
            "time_ps": {"base": base, "slopes": {"n": slope}},
            "correction": {"median": 0.9, "lowest": 0.5, "highest": 1.0},
        }
        for name, (base, slope) in times.items()
    ]
    path.write_text(json.dumps(rows))
    return str(path)


def test_calls_decide_and_not_slopes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A slope that doubles where it hardly matters is told, and no more than told."""
    steady = {f"call_{number}": (1_000_000, 10_000) for number in range(10)}
    first = run(tmp_path / "1.json", steady)
    second = run(tmp_path / "2.json", steady | {"call_0": (1_000_000, 20_000)})
    assert main([first, second]) == 0
    text = capsys.readouterr().out
    assert "100.0% of 10 calls" in text and "90.0% of 10 raw slopes (told, not judged)" in text
    assert "9.1%  counter::call_0" in text and "run 1: timings were corrected by 0.90 (0.50 to 1.00)" in text
    worse = {"call_0": (2_000_000, 0), "call_1": (1_000_000, 100_000)}
    assert main([first, run(tmp_path / "3.json", steady | worse)]) == 1
    assert "80.0% of 10 calls" in capsys.readouterr().out


def test_medians_of_three_against_three(tmp_path: Path) -> None:
    values = (100, 900, 105, 1, 110, 108)
    runs = [run(tmp_path / f"{place}.json", {"call": (value, 0)}) for place, value in enumerate(values)]
    assert main(runs) == 0, "a run that strays is outvoted"
    assert main(runs[:2]) == 1
    assert main(runs[:1]) == 2
    (tmp_path / "empty.json").write_text("")
    assert main([runs[0], str(tmp_path / "empty.json")]) == 2
