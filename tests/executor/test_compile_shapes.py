"""Random shapes, batches and attributes: forward against onnxruntime, fuel as quoted, memory shared but never
overlapping."""

from itertools import pairwise
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from executor.compiler.compile import compile_training
from executor.compiler.kernels.base import SLACK, Buffer
from executor.compiler.kernels.pooling import Fill
from executor.compiler.plan import PAGE
from executor.compiler.program import place
from primitives.data import Loss
from tests.executor.compile_cases import Case, node, training_spec
from tests.executor.test_compile_operators import noise

few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
small = st.integers(1, 9)


def check(case: Case, rows: int, batch: int) -> None:
    x = noise(rows, *case.features, seed=rows)
    np.testing.assert_allclose(case.forward(x, batch), case.oracle(x), rtol=1e-5, atol=1e-5)


@few
@given(
    k=st.integers(1, 70),
    o=st.integers(1, 20),
    rows=st.integers(1, 40),
    batch=st.integers(1, 40),
    turned=st.booleans(),
)
def test_gemm(k: int, o: int, rows: int, batch: int, turned: bool) -> None:
    weights = noise(*((o, k) if turned else (k, o)), seed=k)
    check(
        Case([node("Gemm", "x w c", transB=int(turned))], (k,), {"w": weights, "c": noise(o, seed=o)}),
        rows,
        batch,
    )


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("k", "o"), [(200, 37), (700, 6)])
def test_a_large_batch_is_worked_on_in_groups(k: int, o: int, turned: bool) -> None:
    weights = noise(*((o, k) if turned else (k, o)), seed=k) / 10
    nodes = [node("Gemm", "x w c", "z", transB=int(turned)), node("Relu", "z")]
    check(Case(nodes, (k,), {"w": weights, "c": noise(o, seed=o)}), 300, 300)


@few
@given(data=st.data(), rows=st.integers(1, 20), batch=st.integers(1, 20))
def test_conv_and_pool(data: Any, rows: int, batch: int) -> None:
    draw = data.draw
    group = draw(st.integers(1, 2))
    c, o = draw(st.integers(1, 3)) * group, draw(st.integers(1, 5)) * group
    kernel = [draw(st.integers(1, 4)) for _ in range(2)]
    pads = [draw(st.integers(0, 2)) for _ in range(4)]
    strides, dilations = ([draw(st.integers(1, 3)) for _ in range(2)] for _ in range(2))
    size = tuple(draw(st.integers(4, 11)) for _ in range(2))
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    assume(all(n + a + b >= r for n, a, b, r in zip(size, pads[:2], pads[2:], reach, strict=True)))
    weights = noise(o, c // group, *kernel, seed=3)
    attributes: dict[str, Any] = {"pads": pads, "strides": strides, "dilations": dilations}
    check(Case([node("Conv", "x w", group=group, **attributes)], (c, *size), {"w": weights}), rows, batch)
    assume(all(pad < k for pad, k in zip(pads, kernel * 2, strict=True)))
    check(Case([node("MaxPool", "x", kernel_shape=kernel, **attributes)], (c, *size)), rows, batch)


@few
@given(
    shape=st.lists(small, min_size=1, max_size=4),
    data=st.data(),
    rows=st.integers(1, 20),
    batch=st.integers(1, 20),
)
def test_elementwise_transpose_and_reduce(shape: list[int], data: Any, rows: int, batch: int) -> None:
    order = data.draw(st.permutations(range(1, len(shape) + 1)))
    axis = data.draw(st.integers(1, len(shape)))
    lifted = [data.draw(st.sampled_from([1, shape[place - 1]])) for place in order]
    nodes = [
        node("Transpose", "x", "t", perm=[0, *order]),
        node("Mul", "t c", "m"),
        node("Tanh", "m", "h"),
        node("ReduceMean", "h", "r", axes=[axis], keepdims=1),
        node("Sub", "h r"),
    ]
    check(Case(nodes, tuple(shape), {"c": noise(*lifted)}), rows, batch)


@few
@given(
    sizes=st.lists(
        st.tuples(st.integers(1, 5000), st.booleans(), st.integers(0, 12)), min_size=1, max_size=30
    ),
    blocks=st.integers(1, 4),
)
def test_live_buffers_never_overlap(sizes: list[tuple[int, bool, int]], blocks: int) -> None:
    """Random lives: buffer i is written by kernel i and read again by a later one. What instances share lies
    on whole pages, before everything else."""
    buffers = [Buffer(f"b{index}", size, batched) for index, (size, batched, _) in enumerate(sizes)]
    reads: dict[int, list[Buffer]] = {}
    for index, (_, _, life) in enumerate(sizes):
        reads.setdefault(min(index + life, len(sizes) - 1), []).append(buffers[index])
    kernels = [Fill("k", buffer, 0.0, tuple(reads.get(index, ()))) for index, buffer in enumerate(buffers)]
    common = [Buffer(f"c{index}", size, False, pinned=True) for index, (size, _, _) in enumerate(sizes[:3])]
    top, pages = place(kernels, common, blocks, common)
    for a, (_, _, life) in enumerate(sizes):
        for b in range(a + 1, min(a + life, len(sizes) - 1) + 1):
            first, second = sorted((buffers[a], buffers[b]), key=lambda buffer: buffer.offset)
            assert first.offset + first.bytes(blocks) + SLACK <= second.offset
    assert all(pages <= buffer.offset <= top - buffer.bytes(blocks) for buffer in buffers)
    assert pages % PAGE == 0 and all(0 < buffer.offset <= pages - buffer.bytes(blocks) for buffer in common)
    assert all(a.offset + a.bytes(blocks) <= b.offset for a, b in pairwise(common))


def test_quotes_scale_with_the_job() -> None:
    """FLOPs and work are exact multiples of the steps; memory does not grow with the rows beyond one call."""
    rng = np.random.default_rng(0)
    parameters = {"w": rng.normal(size=(64, 10)).astype(np.float32)}
    data = Case([node("Gemm", "x w")], (64,), parameters).bytes()
    one = compile_training(data, training_spec(32), 32)
    many = compile_training(data, training_spec(32, epochs=7), 32 * 1000 + 1)
    assert many.steps == 7 * 1001
    assert many.flops == one.flops * many.steps
    assert many.work == one.work * many.steps
    assert many.fuel < 1.01 * (one.fuel - one.fuel_of_finish) * many.steps
    huge = compile_training(data, training_spec(32, epochs=60000), 10**9)
    assert huge.memory == many.memory


def test_shared_weights_get_both_gradients() -> None:
    """One matrix in two places."""
    case = Case(
        [node("Gemm", "x w", "h"), node("Tanh", "h", "t"), node("Gemm", "t w")],
        (5,),
        {"w": noise(5, 5, scale=0.5)},
    )
    x, target = noise(6, 5, seed=2), noise(6, 5, seed=4)
    loss, found = case.gradients(x, target, Loss.MeanSquaredError)
    true_loss, slopes = case.differences(x, target, Loss.MeanSquaredError)
    assert abs(loss - true_loss) < 1e-5
    np.testing.assert_allclose(found["w"], slopes["w"], atol=1e-5)


def test_cross_entropy_is_stable() -> None:
    """Logits of thousands, and a loss near zero."""
    case = Case([node("Mul", "x w")], (4,), {"w": np.ones(4, np.float32)})
    x = np.array([[5000, 0, -5000, 1], [-3, -3, -3, -3], [0, 0, 0, 90]], dtype=np.float32)
    loss, found = case.gradients(x, np.array([0, 2, 3]), Loss.CrossEntropy)
    assert abs(loss - np.log(4) / 3) < 1e-6
    assert np.isfinite(found["w"]).all()


def test_rows_of_single_numbers() -> None:
    """An input [batch], without features."""
    check(Case([node("LeakyRelu", "x", "a"), node("Add", "a c")], (), {"c": noise()}), 11, 4)


def test_models_of_a_fixed_batch_take_any_batch() -> None:
    """Exported without dynamic axes: the first dimension is the batch, whatever number the file holds."""
    case = Case(
        [node("Reshape", "x to", "r"), node("Gemm", "r w")],
        (2, 3),
        {"w": noise(6, 2)},
        {"to": np.array([4, 6])},
        first=4,
    )
    x = noise(4, 2, 3)
    np.testing.assert_allclose(case.forward(np.concatenate([x, x]), batch=3)[4:], case.oracle(x), rtol=1e-5)
    assert onnx.load_from_string(case.bytes()).graph.input[0].type.tensor_type.shape.dim[0].dim_value == 4
