"""Makes the reference data of tests/executor/test_compile_training.py: run it by hand, with PyTorch and onnxscript installed.

    python tests/data/make_traces.py

Each model is exported by PyTorch's TorchScript exporter and by the newer one (dynamo), then trained step by step on
seeded data. Written: `<name>.<exporter>.onnx` and `<name>.trace.npz` with the loss of every step and the weights after
the last one. Made with torch 2.13, onnx 1.23, onnxscript 0.7.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn

HERE = Path(__file__).parent
ROWS, BATCH, EPOCHS = 52, 16, 3


class Perceptron(nn.Module):
    """Tanh and sigmoid layers, for regression."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(12, 20), nn.Linear(20, 9), nn.Linear(9, 2)

    def forward(self, x):
        return self.last(torch.sigmoid(self.second(torch.tanh(self.first(x)))))


class LeNet(nn.Module):
    """LeNet-5's shape with fewer channels."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 4, 5, padding=2), nn.Conv2d(4, 8, 5)
        self.three, self.four = nn.Linear(8 * 5 * 5, 32), nn.Linear(32, 10)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.one(x)), 2)
        x = nn.functional.max_pool2d(torch.relu(self.two(x)), 2)
        x = x.view(x.size(0), -1)
        return self.four(torch.relu(self.three(x)))


class Mixed(nn.Module):
    """Strides, groups, padding, overlapping pools, log-softmax, a transposition and a product with a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(2, 6, 3, stride=2, padding=1)
        self.two = nn.Conv2d(6, 6, 3, padding=1, groups=3, bias=False)
        self.mix = nn.Parameter(torch.randn(6, 5) * 0.4)
        self.last = nn.Linear(5 * 9, 4)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.one(x)), 3, stride=2, padding=1)
        x = x + torch.tanh(self.two(x)) * 0.5
        x = x.flatten(2).transpose(1, 2) @ self.mix
        x = torch.clamp(x, -1.0, 2.0)
        return torch.log_softmax(self.last(x.reshape(x.shape[0], -1)), dim=1)


class Sequential(nn.Sequential):
    """The example of every tutorial."""

    def __init__(self) -> None:
        super().__init__(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


MODELS = {
    "mlp": (Sequential, (1, 8, 8), 10, 0.2, 0.0),
    "perceptron": (Perceptron, (12,), 0, 0.3, 0.9),
    "lenet": (LeNet, (1, 28, 28), 10, 0.05, 0.9),
    "mixed": (Mixed, (2, 11, 11), 4, 0.1, 0.5),
}


def data(features: tuple[int, ...], classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and targets; the test makes the same ones."""
    rng = np.random.default_rng(7)
    x = rng.standard_normal((ROWS, *features), dtype=np.float32)
    if classes:
        return x, rng.integers(0, classes, ROWS)
    return x, rng.standard_normal((ROWS, 2), dtype=np.float32)


def main() -> None:
    """Write everything."""
    for name, (kind, features, classes, rate, momentum) in MODELS.items():
        torch.manual_seed(1)
        model = kind().eval()
        x, target = data(features, classes)
        example = torch.from_numpy(x[:2])
        torch.onnx.export(
            model, (example,), HERE / f"{name}.torchscript.onnx", dynamo=False, input_names=["x"], output_names=["y"],
            dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}},
        )  # fmt: skip
        torch.onnx.export(
            model, (example,), HERE / f"{name}.dynamo.onnx", dynamo=True, input_names=["x"], output_names=["y"],
            dynamic_shapes=({0: torch.export.Dim("batch", min=2)},), external_data=False,
        )  # fmt: skip
        optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum)
        rule = nn.functional.cross_entropy if classes else nn.functional.mse_loss
        losses = []
        for _ in range(EPOCHS):
            for first in range(0, ROWS, BATCH):
                optimizer.zero_grad()
                loss = rule(model(torch.from_numpy(x[first : first + BATCH])), torch.from_numpy(target[first : first + BATCH]))
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
        weights = {key: value.detach().numpy() for key, value in model.named_parameters()}
        np.savez_compressed(HERE / f"{name}.trace.npz", losses=np.array(losses), **weights)


if __name__ == "__main__":
    main()
