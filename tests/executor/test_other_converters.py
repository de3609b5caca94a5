"""What converters of TensorFlow and scikit-learn write, piece by piece; whole models are in tests/data."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from executor.compiler.compile import compile_training
from executor.errors import SpecError, UnknownOp, UnsupportedAttribute
from executor.graph.parse import parse
from executor.training import check_columns
from primitives.data import Column, Dtype, Schema
from tests.executor.compile_cases import Case, node, training_spec
from tests.executor.test_compile_operators import noise
from tests.executor.test_constants import starts, trained, written
from tests.executor.test_merged_batches import check, i64


def by(producer: str, nodes: list[onnx.NodeProto], **tensors: Any) -> bytes:
    model = onnx.load_from_string(written(nodes, **tensors))
    model.producer_name = producer
    data: bytes = model.SerializeToString()
    return data


def test_numbers_of_a_tensorflow_program_are_no_weights() -> None:
    """Operands that TensorFlow names by their place, its constants, an epsilon in the tensor's shape."""
    numbers = {
        "norm/Sub/y:0": noise(1, 4),
        "ConstantFolding/norm/truediv_recip:0": noise(1, 4),
        "lstm/zeros/Const:0": noise(1),
        "lstm/zeros/Const_1:0__7": noise(1),
        "const_fold_opt__119": noise(1, 1),
    }
    weights = {"const_fold_opt__120": noise(1, 4), "x_weight:0": noise(4), "out/ReadVariableOp:0": noise(1)}
    steps, last = [], "x"
    for place, name in enumerate([*numbers, *weights]):
        steps.append(helper.make_node("Mul", [last, name], [f"h{place}"]))
        last = f"h{place}"
    steps.append(node("Relu", last))
    assert trained(by("tf2onnx", steps, **numbers, **weights)) == list(weights)
    assert trained(by("pytorch", steps, **numbers, **weights)) == [*numbers, *weights]
    assert trained(by("tf2onnx", steps, **numbers, **weights), "norm/Sub/y:0") == ["norm/Sub/y:0"]


def test_moving_statistics_of_keras_are_no_weights() -> None:
    names = ("_torch_params.norm/moving_mean", "norm/moving_variance", "dense/moving")
    steps = [helper.make_node("Sub", ["x", names[0]], ["a"]), helper.make_node("Mul", ["a", names[1]], ["b"])]
    steps.append(helper.make_node("Add", ["b", names[2]], ["y"]))
    assert trained(by("pytorch", steps, **{name: noise(4) for name in names})) == [names[2]]


def test_what_a_scaler_was_fitted_to_is_no_weight() -> None:
    """MinMaxScaler before a network: from zeros, where fresh vectors begin, the network would see nothing."""
    steps = [
        node("Mul", "x Mu_Mulcst", "a"),
        node("Add", "a Ad_Addcst1", "b"),
        node("MatMul", "b coefficient1", "c"),
        node("Add", "c intercepts"),
    ]
    tensors = {
        "Mu_Mulcst": noise(4),
        "Ad_Addcst1": noise(4),
        "coefficient1": noise(4, 3),
        "intercepts": noise(1, 3),
    }
    assert trained(by("skl2onnx", steps, **tensors)) == ["coefficient1", "intercepts"]


def test_fresh_factors_and_shifts_of_keras_normalisations() -> None:
    """x·(g/√v) + (b − m·(g/√v)), with vectors in the tensor's shape."""
    steps = [
        node("MatMul", "x w", "h"),
        node("ReduceMean", "h", "m", axes=[-1]),
        node("Neg", "m", "n"),
        node("Sub", "h m", "d"),
        node("Mul", "d d", "q"),
        node("ReduceMean", "q", "v", axes=[-1]),
        node("Add", "v e", "u"),
        node("Sqrt", "u", "r"),
        node("Reciprocal", "r", "i"),
        node("Mul", "i g", "f"),
        node("Mul", "h f", "s"),
        node("Mul", "n f", "t"),
        node("Add", "t b", "k"),
        node("Add", "s k"),
    ]
    found = starts(written(steps, w=noise(4, 3), e=np.float32(1e-3), g=noise(1, 3), b=noise(1, 3)))
    assert found["g"] == [1.0] * 3
    assert found["b"] == [0.0] * 3


def loop(collected: str, turns: int = 3) -> onnx.NodeProto:
    """h ← tanh(h + steps[turn]) from zeros of the batch; the last h, and one value of each turn."""
    body = helper.make_graph(
        [
            node("Gather", "steps i", "step", axis=0),
            node("Add", "h step", "sum"),
            node("Tanh", "sum", "next"),
            node("Identity", "c", "again"),
            node("Identity", collected, "kept"),
        ],
        "body",
        [
            helper.make_tensor_value_info(name, kind, dims)
            for name, kind, dims in (("i", 7, ()), ("c", 9, ()), ("h", 1, None))
        ],
        [
            helper.make_tensor_value_info(name, kind, None)
            for name, kind in (("again", 9), ("next", 1), ("kept", 1))
        ],
    )
    return helper.make_node("Loop", ["turns", "", "zeros"], ["last", "all"], body=body)


STEPS = [
    node("Transpose", "x", "steps", perm=[1, 0, 2]),
    node("Shape", "x", "sizes"),
    node("Gather", "sizes first", "rows", axis=0),
    node("Concat", "rows width", "state", axis=0),
    node("Expand", "nought state", "zeros"),
]
"""x [N, 3, 4] turn by turn, and zeros [N, 4], as tf2onnx writes Keras' GRU."""
KNOWN = {"first": i64(0), "width": i64(4), "turns": np.array(3), "nought": np.zeros((), np.float32)}


@pytest.mark.parametrize("collected", ["next", "step"])
def test_a_loop_over_the_steps_of_a_batch(collected: str) -> None:
    """Its states begin as zeros of the batch; what it collects lies turn by turn in front of the rows."""
    nodes = [*STEPS, loop(collected), node("Transpose", "all", "rows_first", perm=[1, 2, 0])]
    nodes += [node("Unsqueeze", "last at", "column"), node("Add", "rows_first column")]
    check(nodes, (3, 4), **KNOWN, at=i64(2))


def test_sizes_of_a_batch_multiplied_compared_and_merged() -> None:
    """As tf2onnx writes Einsum: heads and batch counted together, one size left free."""
    nodes = [
        node("Shape", "x", "sizes"),
        node("Gather", "sizes front", "both", axis=0),
        node("Max", "both both", "same"),
        node("Max", "same ones", "most"),
        node("ReduceProd", "most front", "count", keepdims=1),
        node("Gather", "sizes last", "width", axis=0),
        node("Concat", "count free width", "wanted", axis=0),
        node("Reshape", "x wanted", "merged"),
        node("Softmax", "merged", "soft", axis=-1),
        node("Concat", "same free width", "back", axis=0),
        node("Reshape", "soft back"),
    ]
    lists = {"front": i64(0, 1), "ones": i64(1, 1), "last": i64(3), "free": i64(-1)}
    nodes[4] = node("ReduceProd", "most zero", "count", keepdims=1)
    check(nodes, (2, 3, 4), **lists, zero=i64(0))


def test_batch_normalisation_of_old_opsets_trains_where_it_has_more_outputs() -> None:
    """Until opset 13 the number of outputs is the mode, as PyTorch exports for training."""
    names = {"g": np.ones(3), "b": np.zeros(3), "m": np.zeros(3), "v": np.ones(3), "w": noise(4, 3)}
    found = {}
    for opset, outputs, attributes in (
        (13, "y", {}),
        (13, "y mean var a b_", {}),
        (14, "y mean var", {"training_mode": 1}),
    ):
        step = helper.make_node(
            "BatchNormalization", ["h", "g", "b", "m", "v"], outputs.split(), **attributes
        )
        case = Case(
            [node("MatMul", "x w", "h"), step],
            (4,),
            {k: v.astype(np.float32) for k, v in names.items()},
            opset=opset,
        )
        spec: Any = training_spec(4, inputs=["x"], target="y")
        plan = compile_training(case.bytes(), spec, 8)
        found[opset, len(outputs.split())] = {item.name for item in plan.parameters}
    assert found[13, 1] == {"w", "g", "b"}
    assert found[13, 5] == found[14, 3] == {"w", "g", "b", "m", "v"}


@pytest.mark.parametrize(
    ("op", "domain", "says"),
    [
        ("LinearClassifier", "ai.onnx.ml", "black_op="),
        ("Scaler", "ai.onnx.ml", "black_op="),
        ("ZipMap", "ai.onnx.ml", "cut the graph where the logits are"),
        ("TreeEnsembleClassifier", "ai.onnx.ml", "no gradient"),
        ("Erfc", "", "approximate=True"),
        ("StatelessRandomUniformV2", "", "training=False"),
    ],
)
def test_what_only_converters_write_is_refused_with_what_to_do(op: str, domain: str, says: str) -> None:
    model = Case([helper.make_node(op, ["x"], ["y"], domain=domain)], (4,)).bytes()
    spec: Any = training_spec(4, inputs=["x"], target="y")
    with pytest.raises(UnknownOp, match=f"{op}.*{says}.*docs/training.md"):
        compile_training(model, spec, 8)


def test_channels_first_are_not_read_as_channels_last() -> None:
    """As many values, but a model of Keras would see other pictures; flat rows and single channels fit."""
    nodes = [node("Transpose", "x", "t", perm=[0, 3, 1, 2]), node("Flatten", "t", "f"), node("MatMul", "f w")]
    for channels, fits in (
        (3, ([4, 4, 3], [48], [16, 3], [4, 12], [1, 4, 4, 3])),
        (1, ([1, 4, 4], [4, 4])),
    ):
        model = Case(nodes, (4, 4, channels), {"w": noise(16 * channels, 2)}).bytes()
        spec: Any = training_spec(4, inputs=["x"], target="y")
        plan = compile_training(model, spec, 8)
        for shape in (*fits, [channels, 4, 4], [8, 2 * channels]):
            columns = [
                Column(name=name, dtype=Dtype.U8, shape=size)
                for name, size in ((b"x", shape), (b"label", []))
            ]
            schema = Schema(columns=columns, rows_per_chunk=8)
            if shape in fits:
                check_columns(plan, spec, schema)
                continue
            with pytest.raises(SpecError, match="as many values in another order"):
                check_columns(plan, spec, schema)


def test_a_refusal_says_which_operator_it_is() -> None:
    """Such as the mean over a batch that Keras' BatchNormalization takes when it is converted in training."""
    nodes = [node("MatMul", "x w", "h"), node("ReduceMean", "h", "norm/moments/mean:0", axes=[0])]
    nodes.append(helper.make_node("Sub", ["h", "norm/moments/mean:0"], ["y"]))
    spec: Any = training_spec(4, inputs=["x"], target="y")
    with pytest.raises(
        UnsupportedAttribute, match="ReduceMean at 'norm/moments/mean:0' works across the rows"
    ):
        compile_training(Case(nodes, (4,), {"w": noise(4, 3)}).bytes(), spec, 8)


def test_a_producer_is_data() -> None:
    for name in ("tf2onnx\n", "skl2onnx" * 100_000, "\x00"):
        assert len(parse(by(name, [node("MatMul", "x w")], w=noise(4, 3))).producer) <= 256
