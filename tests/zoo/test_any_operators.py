"""The zoo of nonsense: any operators on any constants, with any attributes. Each graph is read, or refused by
name; none ends in an error that we did not foresee."""

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import defs

from executor.compiler.types import BY_ONNX
from executor.errors import MalformedGraph, ModelError
from executor.graph.build import build, build_whole
from executor.graph.parse import Graph, Port, Step
from executor.graph.sequences import SEQUENCES
from executor.ops import OPERATORS

TYPES = (np.int64, np.float32, np.float64, np.int32, np.uint8, np.int8, np.bool_, np.uint64)
WHOLE = (0, 1, -1, 2, 3, 0, 1, 2, -(2**63), 2**63 - 1, 2**40, 65536)
FLOATS = (0.0, 1.0, -1.0, float("nan"), float("inf"), float("-inf"), 1e38, 0.5, 1e-40, 3.0)
WORDS = (
    "", "NOTSET", "SAME_UPPER", "VALID", "linear", "nearest", "cubic", "constant", "reflect", "edge", "i,i",
    "ij,jk->ik", "...i->i", "add", "none", "sum", "forward", "RIGHT", "DCR", "mean", "asymmetric", "floor",
)  # fmt: skip
DEFINED = sorted(
    {
        item.name
        for item in defs.get_all_schemas()
        if not item.domain and (item.has_function or item.has_context_dependent_function)
    }
    - OPERATORS.keys()
)
"""Those that ONNX defines by others."""
KNOWN = sorted(OPERATORS.keys() - {"If", "Loop", "Scan"})
NAMES = [*KNOWN, *DEFINED, *sorted(SEQUENCES)]


def array(random: Random) -> NDArray[Any]:
    kind = random.choice(TYPES)
    shape = tuple(random.choice((0, 1, 1, 2, 3)) for _ in range(random.choice((0, 1, 1, 2, 3, 4))))
    values = FLOATS if issubclass(kind, np.floating) else WHOLE
    numbers = [random.choice(values) for _ in range(int(np.prod(shape)))]
    dtype = np.float64 if issubclass(kind, np.floating) else np.int64
    with np.errstate(all="ignore"):
        return np.array(numbers, dtype=dtype).astype(kind).reshape(shape)


def attribute(random: Random, hint: object) -> Any:
    text = str(hint)
    if "ndarray" in text:
        return array(random)
    values: tuple[Any, ...] = FLOATS if "float" in text else WORDS if "str" in text else WHOLE
    if "tuple" in text:
        return tuple(random.choice(values) for _ in range(random.choice((0, 1, 2, 3))))
    return random.choice(values)


def hints(op: str, random: Random) -> dict[str, tuple[object, bool]]:
    if op in OPERATORS:
        found = random.choice(OPERATORS[op]).attributes
        return {name: hint for name, hint in found.items() if name != "outputs_"}
    if op in SEQUENCES:
        return dict.fromkeys(("axis", "new_axis", "keepdims"), (int, False))
    return {
        name: (str(item.type).rpartition(".")[2].lower().replace("ints", "tuple[int]"), item.required)
        for name, item in defs.get_schema(op).attributes.items()
    }


def graph(random: Random) -> Graph:
    constants = {f"c{i}": array(random) for i in range(random.randint(1, 4))}
    known, steps = [*constants, "x", "x"], []
    for number in range(random.randint(1, 4)):
        op = random.choice(NAMES)
        attributes = {
            name: attribute(random, hint)
            for name, (hint, required) in hints(op, random).items()
            if required or random.random() < 0.4
        }
        inputs = tuple(random.choice(known) for _ in range(random.randint(1, 5)))
        outputs = tuple(f"v{number}_{place}" for place in range(random.choice((1, 1, 1, 2, 3))))
        steps.append(Step(op, inputs, outputs, attributes))
        known.append(outputs[0])
    port = Port("x", BY_ONNX[1], (None, random.choice((1, 2, 3)), 4))
    opset = random.choice((7, 11, 13, 17, 18, 21, 23))
    return Graph(opset, (port,), constants, tuple(steps), (steps[-1].outputs[0],))


@settings(max_examples=150)
@given(st.randoms(use_true_random=False), st.booleans())
def test_any_graph_is_read_or_refused_by_name(random: Random, batched: bool) -> None:
    made = graph(random)
    try:
        if batched:
            build(made, lambda name, shape: False)
        else:
            build_whole(made, {"x": (2, 2, 4)}, {})
    except ModelError as error:
        assert str(error)


NONSENSE: list[tuple[str, list[Any], dict[str, object]]] = [
    ("OneHot", [[1], np.zeros((0, 3), np.int64), [0, 1]], {}),
    ("OneHot", [[1], np.float32([np.inf]), np.float32([0, 1])], {}),
    ("InstanceNormalization", [np.zeros((0, 1), np.float32), np.float32([1]), np.float32([1])], {}),
    ("LRN", [np.float32([1, 2])], {"size": 2}),
    ("HardSigmoid", [np.int64(3)], {"alpha": float("nan")}),
    ("GridSample", [np.float32(1), np.float32(1)], {}),
    ("Resize", [np.float32([[1]]), np.zeros(0, np.float32), np.float32([np.nan, 1])], {}),
]


@pytest.mark.parametrize("number", range(len(NONSENSE)), ids=[op for op, *_ in NONSENSE])
def test_what_does_not_fit_an_operator_is_refused_in_its_name(number: int) -> None:
    op, inputs, attributes = NONSENSE[number]
    constants = {f"c{i}": np.asarray(value) for i, value in enumerate(inputs)}
    port = Port("x", BY_ONNX[1], (None, 2))
    step = Step(op, tuple(constants), ("y",), attributes)
    with pytest.raises(MalformedGraph, match=f"^{op} with inputs or attributes that do not fit it"):
        build_whole(Graph(18, (port,), constants, (step,), ("y",)), {"x": (2, 2)}, {})
