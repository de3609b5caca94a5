"""A model whose tensors lie beside it, as PyTorch's newer exporter writes them by default."""

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from executor import model_file as reader
from executor.errors import ExternalData, TooLarge
from executor.graph.parse import parse
from executor.model_file import model_file
from tests.executor.compile_cases import Case, node
from tests.executor.test_compile_operators import noise


def saved(folder: Path) -> Path:
    """A model with two tensors in `weights.data`, one of them an attribute's."""
    constant = node("Constant", "", "c", value=numpy_helper.from_array(noise(3), "inner"))
    case = Case([constant, node("MatMul", "x w", "h"), node("Add", "h c")], (40,), {"w": noise(40, 3)})
    path = folder / "model.onnx"
    onnx.save_model(
        case.proto(), path, save_as_external_data=True, location="weights.data", size_threshold=0,
        convert_attribute=True,
    )  # fmt: skip
    return path


def test_tensors_beside_the_file_are_read_with_it(tmp_path: Path) -> None:
    path = saved(tmp_path)
    with pytest.raises(ExternalData, match="external_data=False"):
        parse(path.read_bytes())
    graph = parse(model_file(path))
    np.testing.assert_array_equal(graph.initialisers["w"], noise(40, 3))
    assert model_file(path) == model_file(path), "one model, one hash"


def test_files_that_are_whole_are_taken_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    for data in (Case([node("Relu", "x")], (4,)).bytes(), b"no model", b""):
        path.write_bytes(data)
        assert model_file(path) == data


def test_tensors_that_cannot_be_read_beside_it_are_named(tmp_path: Path) -> None:
    path = saved(tmp_path)
    place = tmp_path / "weights.data"
    whole = place.read_bytes()
    place.write_bytes(whole[:100])
    with pytest.raises(ExternalData, match=r"'\w+' in 'weights\.data'"):
        model_file(path)
    place.unlink()
    with pytest.raises(ExternalData, match="bring both files"):
        model_file(path)
    place.symlink_to("/etc/hostname")
    with pytest.raises(ExternalData):
        model_file(path)
    model = onnx.load(path, load_external_data=False)
    for outside in ("../weights.data", "/etc/hostname", ""):
        for item in (entry for entry in model.graph.initializer[0].external_data if entry.key == "location"):
            item.value = outside
        onnx.save(model, path)
        with pytest.raises(ExternalData):
            model_file(path)


@pytest.mark.parametrize(
    "told",
    [
        {"length": "-1"},
        {"offset": "-5"},
        {"offset": "first"},
        {"length": "1e3"},
        {"offset": str(1 << 60)},
        {"location": "a" * 5000},
        {"location": "a\0b"},
    ],
    ids=str,
)
def test_nonsense_about_a_place_is_an_error_with_a_name(tmp_path: Path, told: dict[str, str]) -> None:
    """A model out of a stranger's archive, unpacked with what lies beside it."""
    path = saved(tmp_path)
    model = onnx.load(path, load_external_data=False)
    places = model.graph.initializer[0].external_data
    entries = {entry.key: entry.value for entry in places} | told
    del places[:]
    for key, value in entries.items():
        places.add(key=key, value=value)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ExternalData, match=r"keeps the tensor '\w+' in '.{1,80}', which cannot be read"):
        model_file(path)


def test_a_pipe_in_the_place_of_tensors_is_not_waited_for(tmp_path: Path) -> None:
    path = saved(tmp_path)
    (tmp_path / "weights.data").unlink()
    os.mkfifo(tmp_path / "weights.data")
    with pytest.raises(ExternalData):
        model_file(path)


def test_all_of_it_is_bounded_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path)
    with (tmp_path / "weights.data").open("r+b") as file:
        file.truncate(1 << 40)
    model = onnx.load(path, load_external_data=False)
    del model.graph.initializer[0].external_data[1:]  # from the beginning to the end
    onnx.save(model, path)
    with pytest.raises(TooLarge, match=r"weights\.data"):
        model_file(path)
    monkeypatch.setattr(reader, "MODEL_MAX", 300)
    with pytest.raises(TooLarge):
        model_file(saved(tmp_path))
