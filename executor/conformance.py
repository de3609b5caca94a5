"""The ONNX project's backend tests, through the compiler: `python -m executor.conformance [--json]`.

Every test of the installed onnx package is run in wasm and compared as its own runner compares. *Refused* is
a model that the compiler names a reason against before it computes anything; *wrong* is any other failure.
"""

import argparse
import json
import multiprocessing
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator", "real")
PASSED, REFUSED, WRONG = "passed", "refused", "wrong"
OUTCOMES = (PASSED, REFUSED, WRONG)


@dataclass(frozen=True)
class Outcome:
    """What became of one test; `why` is the refusal or the difference."""

    kind: str
    name: str
    outcome: str
    why: str = ""


def run(kinds: Sequence[str] = KINDS, pattern: str = "", jobs: int = 1, every: int = 1) -> list[Outcome]:
    """Run the tests of these kinds whose names contain `pattern`, every `every`-th of them."""
    if jobs == 1:
        return list(_share(kinds, pattern, every, 0, 1))
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs) as pool:
        shares = [(kinds, pattern, every, number, jobs) for number in range(jobs)]
        return [outcome for part in pool.starmap(_listed_share, shares) for outcome in part]


def _listed_share(kinds: Sequence[str], pattern: str, every: int, number: int, jobs: int) -> list[Outcome]:
    return list(_share(kinds, pattern, every, number, jobs))


def _share(kinds: Sequence[str], pattern: str, every: int, number: int, jobs: int) -> Iterator[Outcome]:
    for kind in kinds:
        cases = [case for case in cases_of(kind) if pattern in case.name]
        for case in cases[number * every :: jobs * every]:
            yield _outcome(kind, case)


def cases_of(kind: str) -> list[Any]:
    """The test cases of a kind, in the package's order."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.loader import load_model_tests

        cases: list[Any] = load_model_tests(kind=kind)
    return cases


def _outcome(kind: str, case: Any) -> Outcome:
    from executor.backend import EnclaveBackend
    from executor.errors import ModelError

    try:
        model, sets = _loaded(case)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            prepared = EnclaveBackend.prepare(model)
            for inputs, expected in sets:
                _compare(expected, prepared.run(inputs), case)
    except ModelError as error:
        return Outcome(kind, case.name, REFUSED, f"{type(error).__name__}: {error}")
    except Exception as error:
        return Outcome(kind, case.name, WRONG, f"{type(error).__name__}: {error}")
    return Outcome(kind, case.name, PASSED)


def _compare(expected: Sequence[Any], found: Sequence[Any], case: Any) -> None:
    from onnx.backend.test.runner import Runner

    Runner.assert_similar_outputs(expected, found, case.rtol, case.atol, case.name)


def model_of(case: Any) -> Any:
    """A test's model, without its data."""
    import onnx

    if case.model is not None:
        return case.model
    if case.url is not None:
        return onnx.load(Path(onnx.__file__).parent.parent / case.url)
    return onnx.load(Path(case.model_dir) / "model.onnx")


def _loaded(case: Any) -> tuple[Any, list[tuple[list[Any], list[Any]]]]:
    """A test's model, and its (inputs, expected outputs)."""
    import onnx
    from onnx import numpy_helper

    def array(item: Any) -> Any:
        return numpy_helper.to_array(item) if isinstance(item, onnx.TensorProto) else item

    model = model_of(case)
    if case.model is not None:
        return model, [
            ([array(item) for item in inputs], [array(item) for item in outputs])
            for inputs, outputs in case.data_sets
        ]
    if case.url is not None:
        return model, _light(case, model)
    folder = Path(case.model_dir)
    sets = []
    for data in sorted(folder.glob("test_data_set_*")):
        sets.append(
            (
                _stored(data, "input", [item.type for item in model.graph.input]),
                _stored(data, "output", [item.type for item in model.graph.output]),
            )
        )
    return model, sets


def _stored(folder: Path, stem: str, types: Sequence[Any]) -> list[Any]:
    """The files stem_0.pb, stem_1.pb … of a data set. Other values than tensors are refused by name."""
    import onnx
    from onnx import numpy_helper

    from executor.errors import UnsupportedType

    found = []
    for place in range(len(list(folder.glob(f"{stem}_*.pb")))):
        if not types[place].HasField("tensor_type"):
            raise UnsupportedType(f"the {stem} {place} is not a tensor")
        tensor = onnx.TensorProto()
        tensor.ParseFromString((folder / f"{stem}_{place}.pb").read_bytes())
        found.append(numpy_helper.to_array(tensor))
    return found


def _light(case: Any, model: Any) -> list[tuple[list[Any], list[Any]]]:
    """Data of a real model with made weights: the input of the package's runner, and stored outputs."""
    import onnx
    from onnx import numpy_helper
    from onnx.backend.test.runner import Runner

    path = Path(onnx.__file__).parent.parent / case.url
    held = {item.name for item in model.graph.initializer}
    inputs = [
        Runner.generate_dummy_data(item, seed=0, name=case.name)
        for item in model.graph.input
        if item.name not in held
    ]
    outputs = []
    for place in range(len(model.graph.output)):
        tensor = onnx.TensorProto()
        tensor.ParseFromString(path.with_name(f"{path.stem}_output_{place}.pb").read_bytes())
        outputs.append(numpy_helper.to_array(tensor))
    return [(inputs, outputs)]


def counts(outcomes: Sequence[Outcome]) -> dict[str, dict[str, int]]:
    """Numbers in all and by kind."""
    found = {}
    for kind in ("total", *dict.fromkeys(outcome.kind for outcome in outcomes)):
        chosen = Counter(item.outcome for item in outcomes if kind in ("total", item.kind))
        found[kind] = {name: chosen[name] for name in OUTCOMES}
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the numbers; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m executor.conformance", description=__doc__)
    parser.add_argument("--json", action="store_true", help="numbers as JSON")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only tests of this kind")
    parser.add_argument("--match", default="", help="only tests whose name contains this")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--every", type=int, default=1, help="only every n-th test")
    parser.add_argument("--refused", action="store_true", help="say why each refused test is refused")
    options = parser.parse_args(arguments)
    outcomes = run(options.kind or KINDS, options.match, options.jobs, options.every)
    found = counts(outcomes)
    if options.json:
        print(json.dumps(found))
    else:
        for kind, numbers in found.items():
            print(f"{kind:18}", "  ".join(f"{numbers[name]:5} {name}" for name in OUTCOMES))
    for item in outcomes:
        if item.outcome == WRONG or (options.refused and item.outcome == REFUSED):
            text = " ".join(item.why.split())
            print(f"{item.outcome} {item.kind} {item.name}: {text[:300]}", file=sys.stderr)
    return 1 if found["total"][WRONG] else 0


if __name__ == "__main__":
    sys.exit(main())
