"""`gristmill inspect`: what it prints is the plan that would run."""

import itertools
import json
from pathlib import Path

import pytest
import wasmtime

from cli.__main__ import main
from executor.enclave import Enclave
from executor.errors import NotOnnx
from executor.wasm.engine import engine
from primitives.hashing import tagged
from tests.executor.planted import ROOT, spec_for

CNN = ROOT / "examples" / "digits" / "cnn.onnx"
ARGUMENTS = ["inspect", "--model", str(CNN), "--target", "label", "--input", "pixels", "--rows", "500"]


def inspected(capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, object]:
    assert main([*ARGUMENTS, "--json", *more]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("more", [(), ("--dp", "2"), ("--optimizer", "adam")])
def test_the_memory_map_has_no_overlaps(capsys: pytest.CaptureFixture[str], more: tuple[str, ...]) -> None:
    found = inspected(capsys, *more)
    areas = found["areas"]
    assert isinstance(areas, list) and len(areas) > 10
    for before, after in itertools.pairwise(areas):
        assert before["offset"] + before["size"] <= after["offset"]
    assert areas[-1]["offset"] + areas[-1]["size"] <= found["memory"]
    assert ("noise" in {area["role"] for area in areas}) == bool(more and more[0] == "--dp")


def test_the_kernels_fuel_is_the_steps(capsys: pytest.CaptureFixture[str]) -> None:
    found = inspected(capsys)
    kernels, step = found["kernels"], found["fuel_per_step"]
    assert isinstance(kernels, list) and isinstance(step, int)
    burned = sum(kernel["fuel"] for kernel in kernels)
    assert burned < step < burned + 20 * len(kernels) + 50  # a call and its arguments around each
    assert found["operators"] == {"Conv": 2, "Flatten": 1, "Gemm": 2, "MaxPool": 1, "Relu": 3}


def test_the_module_is_written_and_imports_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = inspected(capsys, "--module", str(tmp_path / "m.wasm"))
    data = (tmp_path / "m.wasm").read_bytes()
    module = wasmtime.Module(engine(), data)
    assert not module.imports and found["imports"] == 0
    assert {item.name for item in module.exports} == set(found["exports"]) == {"memory", "run", "finish"}  # type: ignore[call-overload]
    assert found["module_hash"] == "0x" + tagged("module", data).hex()


def test_people_read_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ARGUMENTS, "--all"]) == 0
    text = capsys.readouterr().out
    for words in ("Conv × 2", "memory map", "imports    none", "exports    run", "in order of execution"):
        assert words in text


def test_a_strangers_file_is_refused_by_name() -> None:
    with pytest.raises(NotOnnx):
        Enclave().describe(b"\0" * 64, spec_for(b"\0" * 64), 4)


def test_the_datasets_columns_are_the_models_inputs_unless_said(capsys: pytest.CaptureFixture[str]) -> None:
    told = inspected(capsys)
    assert main([*ARGUMENTS[:5], *ARGUMENTS[7:], "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == told
