"""ReLU before max pooling: its gradient is taken inside the pool's, with the same bits as apart from it."""

from typing import Any

import numpy as np
import pytest

from executor.compiler import gradients
from executor.compiler.compile import compile_training
from executor.compiler.ir import Op, const, where
from primitives.data import Loss
from tests.executor.compile_cases import Case, node, training_spec

WINDOWS: dict[str, dict[str, Any]] = {
    "exact": {"kernel_shape": [2, 2], "strides": [2, 2]},
    "rest": {"kernel_shape": [3, 3], "strides": [3, 3]},
    "overlapping": {"kernel_shape": [3, 3], "strides": [1, 2]},
    "dilated": {"kernel_shape": [2, 2], "strides": [1, 1], "dilations": [2, 3]},
    "padded": {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]},
}


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_a_rectified_pools_gradient_has_the_same_bits(
    window: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the image is negative or zero, and many windows have nothing positive."""
    random = np.random.default_rng(17)
    case = Case(
        [
            node("Conv", "x w b", "c", pads=[1, 1, 1, 1]),
            node("Relu", "c", "r"),
            node("MaxPool", "r", "p", **window),
            node("Flatten", "p", "y"),
        ],
        (2, 8, 8),
        {
            "w": random.standard_normal((3, 2, 3, 3)).astype(np.float32),
            "b": np.array([0.5, -2.0, -9.0], np.float32),
        },
    )
    x = random.standard_normal((8, *case.features)).astype(np.float32)
    x[:, :, :4] = 0
    target = np.zeros_like(case.forward(x))
    loss, inside = case.gradients(x, target, Loss.MeanSquaredError)
    spec = training_spec(8, loss=Loss.MeanSquaredError)
    less = compile_training(case.bytes(), spec, 8).kernels

    def apart(y: Any, g: Any) -> Any:
        return where(Op.WHERE_GT, y, const(0.0), g, const(0.0))

    monkeypatch.setattr(gradients, "_relu", apart)
    assert case.gradients(x, target, Loss.MeanSquaredError)[0] == loss
    for name, value in case.gradients(x, target, Loss.MeanSquaredError)[1].items():
        assert np.any(value) and value.tobytes() == inside[name].tobytes()
    taken = len(less) < len(compile_training(case.bytes(), spec, 8).kernels)
    assert taken == ("pads" not in window), "padding lies between"
