"""Convolutions by Winograd's filtering: as close to float64 as the direct sum, in all three passes, on every
form of image that the rule takes."""

import numpy as np
import pytest
from numpy.typing import NDArray

from executor.compiler.compile import compile_training
from executor.compiler.machine import Machine
from executor.compiler.plan import Plan
from primitives.data import Loss
from tests.executor.compile_cases import FUEL, Case, node, training_spec
from tests.executor.test_compile_operators import noise

F64 = NDArray[np.float64]


def conv(x: F64, w: F64) -> F64:
    """The direct sum in float64: rows x [n, c, h, w], without padding."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, w, optimize=True)


def padded(x: F64, pad: int) -> F64:
    return np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))


def model(channels: int, size: tuple[int, int], outputs: int, pad: int) -> Case:
    """Two convolutions, so that the second's gradient by its image is one, too."""
    parameters = {
        "w": noise(outputs, channels, 3, 3, seed=1) / 12,
        "v": noise(16, outputs, 3, 3, seed=2) / 12,
    }
    nodes = [node("Conv", "x w", "h", pads=[pad] * 4), node("Conv", "h v", "y", pads=[1] * 4)]
    return Case(nodes, (channels, *size), parameters)


def kernels(plan: Plan) -> list[str]:
    return [name.split(".")[0] for name, _, _ in plan.kernels if "conv" in name or "winograd" in name]


@pytest.mark.parametrize(
    ("channels", "size", "outputs", "pad", "rows"),
    [
        (16, (8, 8), 32, 1, 13),
        (20, (12, 18), 16, 1, 8),
        (16, (16, 16), 24, 0, 3),
        (36, (4, 60), 16, 1, 9),
        (16, (26, 10), 20, 2, 5),
    ],
)
def test_all_passes_are_as_right_as_the_direct_sum(
    channels: int, size: tuple[int, int], outputs: int, pad: int, rows: int
) -> None:
    case = model(channels, size, outputs, pad)
    x = noise(rows, channels, *size, seed=5)
    w, v = (case.parameters[name].astype(np.float64) for name in "wv")
    image = padded(x.astype(np.float64), pad)
    hidden = padded(conv(image, w), 1)
    y = conv(hidden, v)
    target = noise(*y.shape, seed=6)
    loss, found = case.gradients(x, target, Loss.MeanSquaredError, batch=16)
    dy = 2 * (y - target) / y.size
    full = padded(dy, 1)
    turned = v[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    dh = conv(full, turned)

    def by_weight(image: F64, dy: F64) -> F64:
        windows = np.lib.stride_tricks.sliding_window_view(image, dy.shape[2:], axis=(2, 3))
        return np.einsum("ncijhw,nohw->ocij", windows, dy, optimize=True)

    assert loss == pytest.approx(np.mean((y - target) ** 2), rel=1e-6)
    for name, truth in (("v", by_weight(hidden, dy)), ("w", by_weight(image, dh))):
        assert np.abs(found[name] - truth).max() < 2e-6 * np.abs(truth).max()


def test_the_rule_takes_what_it_should_and_nothing_else() -> None:
    spec = training_spec(8, loss=Loss.MeanSquaredError, trainable=["w", "v"])
    plan = compile_training(model(16, (8, 8), 16, 1).bytes(), spec, 8)
    assert sorted(kernels(plan)) == ["winograd"] * 3 + ["winograd weight"] * 2
    for channels, size in ((15, (8, 8)), (16, (7, 8)), (8, (8, 8)), (1 << 15, (4, 4))):
        plan = compile_training(model(channels, size, 16, 1).bytes(), spec, 8)
        assert "conv" in kernels(plan)


def test_a_short_batch_pads_with_zeros_even_beside_infinities() -> None:
    """Rows of a former batch must not reach the gradient of a shorter one."""
    case = model(16, (4, 4), 16, 1)
    spec = training_spec(8, rate=0.0, loss=Loss.MeanSquaredError, trainable=["w", "v"])
    plan = compile_training(case.bytes(), spec, 8, gradients_only=True)
    found = []
    for rest in (0.0, np.inf):
        machine = Machine(plan, FUEL)
        x = noise(8, 16, 4, 4, seed=3)
        x[3:] = rest
        machine.write(plan.inputs[0], x)
        assert plan.target is not None
        machine.write(plan.target, noise(8, 16, 4, 4, seed=4))
        machine.run(1, 3)
        found.append([machine.view(region).copy() for region in plan.outputs])
    for a, b in zip(*found, strict=True):
        assert np.isfinite(a).all() and np.array_equal(a, b)
